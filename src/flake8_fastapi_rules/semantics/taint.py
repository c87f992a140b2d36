"""Where text that a client wrote gets to, unchecked."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from flake8_fastapi_rules.engine.index import (
    FUNCTIONS,
    ModuleIndex,
    mentions,
    names_bound_in,
    terminal_name,
)
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.facts import ParameterKind, Role
from flake8_fastapi_rules.semantics.parameters import is_dataclass
from flake8_fastapi_rules.semantics.paths import parameters_in
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.provided import provider_of, returned_items
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses

_FROM_CLIENT = frozenset(
    {
        ParameterKind.PATH, ParameterKind.QUERY, ParameterKind.HEADER, ParameterKind.COOKIE,
        ParameterKind.BODY, ParameterKind.FORM,
    }
)  # fmt: skip
_UPLOAD = "starlette.datastructures.UploadFile"
#: What a request and a WebSocket have in common.
CONNECTIONS = ("starlette.requests.HTTPConnection",)
#: The parts of a request that map names to what a client sent.
REQUEST_MAPPINGS = frozenset({"query_params", "path_params", "headers", "cookies"})
#: Attributes that may hold text of a client whatever they are asked of.
_TELLING = frozenset({".filename", ".form", ".json", *(f".{name}" for name in REQUEST_MAPPINGS)})
#: Methods after which a text is as dangerous as it was.
_KEEPING = frozenset(
    {
        "strip", "lstrip", "rstrip", "lower", "upper", "format", "encode", "decode", "resolve",
        "absolute", "expanduser", "as_posix", "joinpath", "title", "replace", "removesuffix",
    }
)  # fmt: skip
#: Calls that make a path, a text or a URL of what they are given.
_MAKERS = frozenset(
    {
        "builtins.str", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "anyio.Path",
        "os.path.join", "posixpath.join", "os.path.abspath", "os.path.realpath",
        "os.path.normpath", "os.path.expanduser", "os.fspath", "starlette.datastructures.URL",
        "urllib.parse.unquote", "httpx.URL", "yarl.URL",
    }
)  # fmt: skip
#: What makes Pydantic call a function of the project with a value.
_VALIDATORS = frozenset(
    f"pydantic.{kind}Validator" for kind in ("After", "Before", "Plain", "Wrap")
)
#: Methods that end a look-up in a database.
_ROWS = frozenset(
    {
        "all", "fetchall", "fetchone", "first", "one", "one_or_none", "scalar", "scalar_one",
        "scalar_one_or_none", "scalars",
    }
)  # fmt: skip
#: Tests that say nothing about what a value contains.
_EMPTY_TESTS = frozenset(
    {"exists", "is_file", "is_dir", "isfile", "isdir", "lexists", "len", "bool", "get", "stat"}
)
#: What asks whether a file is there.
_EXISTENCE = frozenset({"exists", "is_file", "is_dir", "isfile", "isdir", "lexists"})
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_TEXT = ("builtins.str", "builtins.bytes")
_MAPPINGS = ("builtins.dict", "collections.abc.Mapping")
_OF_REQUESTS = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})
#: Functions that say that what they give is harmless.
_MAKES_SAFE = re.compile(r"(?i)(?:^|_)(?:safe|secure|saniti[sz]ed?|slugify)(?:_|$)")
#: How many calls of functions of the project a text is followed through.
_CALLS = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that is put together.

    Parameters:
        before: the literal text in front of it; `None` when something unknown is there.
        is_formatted: it is put into a text, rather than being the whole of it.
        is_part: literal text stands next to it, or behind it.
    """

    node: ast.expr
    before: str | None
    is_formatted: bool
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Tainted:
    """Text from a client in an expression.

    Parameters:
        name: how the source is written: `name`, `file.filename`.
        before: the literal text in front of it; `None` when something unknown is there.
        is_formatted: it was put into another text.
        is_segment: it is one segment of the URL's path, without slashes.
        is_part: literal text stands next to it, or behind it.
    """

    name: str
    before: str | None
    is_formatted: bool
    is_segment: bool = False
    is_part: bool = False


_NO_DUMPS: Mapping[str, Value] = MappingProxyType({})
#: The expressions of a call that must not come from a client, for a module and a call in it.
Sinks: TypeAlias = "Callable[[Model, Module, ast.Call], Iterator[ast.expr]]"
#: Whether a text, where it is taken, is to be told of.
Accepts: TypeAlias = "Callable[[Tainted], bool]"


def _is_any(found: Tainted) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Reached:
    """A sink in a function of the project that a text from a client is handed to.

    Parameters:
        found: the text, as it is written where it is handed on.
        module, call: the sink.
    """

    found: Tainted
    module: Module
    call: ast.Call


class Taint:
    """What clients can write inside of one function.

    Parameters:
        module, function: the function.
        given: for a function that is called, what its parameters are given.
        above: the functions on the way to it.
        dumps: for parameters that are given the dump of a model, that model.
        besides: a look-up that is asked about itself: what it finds tells nothing of that.
    """

    def __init__(
        self,
        model: Model,
        module: Module,
        function: FunctionNode,
        given: Mapping[str, Tainted] | None = None,
        above: tuple[FunctionNode, ...] = (),
        dumps: Mapping[str, Value] = _NO_DUMPS,
        besides: ast.Call | None = None,
    ) -> None:
        self.module = module
        self.function = function
        self._model = model
        self._given = MappingProxyType(dict(given or {}))
        self._above = (*above, function)
        self._is_called = given is not None
        self._dumps = dumps
        self._besides = besides
        self._checks: dict[str, tuple[ast.stmt | None, ...]] = {}
        self._followed: set[str] = set()
        self._given_texts: dict[str, Tainted | None] = {}
        self._given_to: dict[ast.Call, Taint | None] = {}

    @cached_property
    def _sources(self) -> frozenset[ast.AST]:
        if self._is_called:
            return _named(self.function, self._given)
        return _sources(self._model, self.module, self.function)

    def of(self, node: ast.expr | None) -> Tainted | None:
        """The text from a client in an expression that nothing has checked; else `None`."""
        found = self._here(node)
        return None if found is None else self._as_given(found)

    def _here(self, node: ast.expr | None, depth: int = 0) -> Tainted | None:
        """The same by the names that it has in the function itself.

        Parameters:
            depth: how many expressions were looked through to get to this one.
        """
        found = None if node is None or not self._may_carry(node) else self._of(node, depth)
        return None if found is None or self._is_checked(found.name, node) else found

    def _may_carry(self, node: ast.expr) -> bool:
        """Whether an expression mentions what a client could have filled (a cheap test)."""
        return not self._carriers.isdisjoint(self.module.index.mentioned(node))

    @cached_property
    def _carriers(self) -> frozenset[str]:
        """The names of what a client fills and, roughly, of all that is made of it.

        Attributes have a dot in front.
        """
        index = self.module.index
        found = _TELLING | {each.arg for each in self._sources if isinstance(each, ast.arg)}
        found |= {name for name, each in self._provided.items() if self._may_give(name, each)}
        assigned = [
            (frozenset(name for each in targets for name in names_bound_in(each)), value)
            for function in (self.function, *index.ancestors(self.function))
            if isinstance(function, FUNCTIONS)
            for targets, value in _assigned(index, function)
            if function is self.function or index.function_of(value) is function
        ]
        size = 0
        while size != len(found):
            size = len(found)
            for names, value in assigned:
                if not found.isdisjoint(index.mentioned(value)):
                    found |= names
        return found

    def _as_given(self, found: Tainted) -> Tainted:
        """What a parameter stands for, as it is written where the function is called."""
        name = found.name.partition(".")[0].partition("[")[0]
        outer = self._given.get(name)
        if outer is None:
            return found
        rest = found.name.removeprefix(name)
        is_known = found.before is not None and outer.before is not None
        return Tainted(
            f"{outer.name}{rest}",
            f"{found.before}{outer.before}" if is_known else None,
            found.is_formatted or outer.is_formatted,
            found.is_segment,
            found.is_part or outer.is_part,
        )

    def _handed_on(
        self, call: ast.Call, tainted: Callable[[ast.expr], Tainted | None]
    ) -> Taint | None:
        """What a call hands to a function of the project; `None` when that is nothing unchecked."""
        given_here = (*call.args, *(keyword.value for keyword in call.keywords))
        if not any(map(self._may_carry, given_here)):
            return None
        callee = self._model.resolve(self.module, call.func)
        if isinstance(callee, Class):
            callee = self._model.resolver.attribute(Instance(callee), "__init__")
        if not isinstance(callee, Function) or not isinstance(callee.node, FUNCTIONS):
            return None
        if len(self._above) > _CALLS or callee.node in self._above:
            return None
        given: dict[str, Tainted] = {}
        dumps: dict[str, Value] = {}
        for name, node in _arguments(callee, call):
            if found := tainted(node):
                given[name] = found
            elif isinstance(node, ast.Name) and (self._is_model(node) or self._is_mapping(node)):
                given[name] = self._as_given(Tainted(node.id, "", False))
            elif (body := _dumped(node)) is not None and self._is_model(body):
                given[name] = self._as_given(Tainted(body.id, "", False))
                dumps[name] = self._model.resolve(self.module, body)
        if not given or not self._model.roles(callee).isdisjoint(_OF_REQUESTS):
            return None  # those are looked at by themselves
        return Taint(self._model, callee.module, callee.node, given, self._above, dumps)

    def in_sinks(self, call: ast.Call, sinks: Sinks, accepts: Accepts = _is_any) -> Tainted | None:
        """The first text that a call itself takes as one of its sinks (see `reached`)."""
        for sink in sinks(self._model, self.module, call):
            found = self._before(call).of(sink) if self._may_carry(sink) else None
            if found is not None and accepts(found):
                return found
        return None

    def all_reached(
        self, sinks: Sinks, accepts: Accepts = _is_any
    ) -> Iterator[tuple[ast.Call, Reached]]:
        """The calls in the function that hand a text to a sink elsewhere (see `reached`)."""
        for node in self.module.index.own_nodes(self.function):
            if isinstance(node, ast.Call) and (found := self.reached(node, sinks, accepts)):
                yield node, found

    def reached(self, call: ast.Call, sinks: Sinks, accepts: Accepts = _is_any) -> Reached | None:
        """The first sink in a function of the project that a call hands a text to.

        Parameters:
            call: a call in the function.
            sinks: the expressions of a call to look at.
            accepts: whether such a text, there, is to be told of.
        """
        if call not in self._given_to:
            self._given_to[call] = self._handed_on(call, lambda node: self._before(call).of(node))
        inner = self._given_to[call]
        return None if inner is None else inner._first_sink(sinks, accepts)

    def _first_sink(self, sinks: Sinks, accepts: Accepts) -> Reached | None:
        """The first sink for a text in the function, or in one that it hands a text to."""
        for node in self.module.index.own_nodes(self.function):
            if not isinstance(node, ast.Call):
                continue
            if found := self.in_sinks(node, sinks, accepts):
                if text_in_sink(self._model, self.module, node, sinks, accepts) is None:
                    return Reached(found, self.module, node)
                continue  # it is wrong whoever calls the function, and told of there
            if deeper := self.reached(node, sinks, accepts):
                return deeper
        return None

    def _is_model(self, node: ast.Name) -> bool:
        """Whether a name is a body that a client sends, as a model or dataclass."""
        value = self._model.resolve(self.module, node)
        return (
            self._is_source(node)
            and isinstance(value, Instance)
            and isinstance(value.of, Class)
            and (
                self._model.is_subclass(value.of, "pydantic.BaseModel")
                or is_dataclass(self._model.resolver, value.of)
            )
        )

    def _of(self, node: ast.expr, depth: int) -> Tainted | None:
        if depth > 12:
            return None
        source = self._source(node)
        if source is not None:
            return Tainted(source, "", False, is_segment=source in self._segments)
        match node:
            case ast.Name(id=name) if self._is_provided(node):
                return self._given_by_dependency(name)
            case ast.Attribute(value=ast.Name() as owner, attr=attr) if self._is_provided(owner):
                return self._attribute_given(owner, attr)
            case ast.Subscript(
                value=ast.Name() as owner, slice=ast.Constant(value=str() as key)
            ) if self._is_provided(owner):
                return self._item_given(owner, key)
            case ast.Name(id=name):
                return self._of_name(node, name, depth)
            case ast.Await(value=inner) | ast.FormattedValue(value=inner):
                return self._of(inner, depth + 1)
            case ast.NamedExpr(value=inner):
                return self._of(inner, depth + 1)
            case ast.BoolOp(values=values):
                return next((t for v in values if (t := self._of(v, depth + 1))), None)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                found = self._of(body, depth + 1) or self._of(orelse, depth + 1)
                if found and _tests(self.module.index.condition(test), found.name):
                    return None
                return found
            case ast.Call(func=ast.Attribute(attr="get", value=inner), args=[_, default]):
                return self._of(default, depth + 1) if self._source(inner) is None else None
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)) if (
                _MAKES_SAFE.search(called) is not None
            ):
                return None
            case ast.Call() if (
                taken := self._handed_on(node, partial(self._here, depth=depth + 1))
            ) is not None:
                for statement in taken.module.index.own_nodes(taken.function):
                    if isinstance(statement, ast.Return):
                        if found := taken.of(statement.value):
                            return found
                return None
        return self._of_pieces(node, depth)

    def _of_pieces(self, node: ast.expr, depth: int) -> Tainted | None:
        """The first text in what is put together; one that may hold a slash before others."""
        segment: Tainted | None = None
        for piece in self._pieces(node):
            found = self._of(piece.node, depth + 1)
            if segment is not None and found is None and self._model.text(self.module, piece.node):
                segment = replace(segment, is_part=True)  # in whatever folder, this file
            if found is None:
                continue
            if segment is not None and not found.is_segment and self._is_checked(found.name, node):
                continue
            before = None
            if piece.before is not None and found.before is not None:
                before = piece.before + found.before
            joined = Tainted(
                found.name,
                before,
                found.is_formatted or piece.is_formatted,
                found.is_segment,
                found.is_part or piece.is_part,
            )
            if not found.is_segment:
                return joined
            if segment is None:
                segment = joined
            elif segment.name != joined.name:  # `..` for one, and another folder's name
                segment = replace(segment, is_segment=segment.is_part)
        return segment

    @cached_property
    def _segments(self) -> frozenset[str]:
        """The parameters that are one segment of the URL's path each."""
        if self._is_called:
            return frozenset(name for name, given in self._given.items() if given.is_segment)
        endpoint = self._model.endpoint(self.module, self.function)
        if endpoint is None:
            return frozenset()
        longer = {
            each.name
            for route in endpoint.routes
            for each in parameters_in(route.path or "")
            if each.converter == "path"
        }
        return self._model.path_names(endpoint) - longer

    @cached_property
    def _provided(self) -> Mapping[str, Function | Class]:
        """The dependencies that fill parameters of the function, by the parameters' names."""
        found: dict[str, Function | Class] = {}
        value = Function(self.module, self.function)
        if self._is_called or self._model.roles(value).isdisjoint(_OF_REQUESTS):
            return found
        for parameter in self._model.parameters(value):
            if (target := provider_of(self._model, parameter)) is not None:
                found[parameter.node.arg] = target
        return found

    def _is_provided(self, node: ast.Name) -> bool:
        if node.id not in self._provided:
            return False
        found = self.module.index.lookup(node.id, node)
        return found is not None and all(
            binding.kind == "parameter" and binding.node in _arguments_of(self.function)
            for binding in found[1]
        )

    def _may_give(self, name: str, target: Function | Class) -> bool:
        """Whether a dependency gives text of a client, or an object that may hold some."""
        return (
            isinstance(target, Class)
            or self._given_by_dependency(name) is not None
            or any(True for _ in returned_items(target))
        )

    def _given_by_dependency(self, name: str) -> Tainted | None:
        """The text from a client that a dependency returns, by the parameter's name."""
        if name in self._given_texts or name in self._followed:
            return self._given_texts.get(name)  # nothing where they depend on each other
        self._followed.add(name)
        try:
            found = self._given_texts[name] = self._returned_by(name, self._provided[name])
        finally:
            self._followed.discard(name)
        return found

    def _returned_by(self, name: str, target: Function | Class) -> Tainted | None:
        if not isinstance(target, Function) or not isinstance(target.node, FUNCTIONS):
            return None
        if not self._model.returns_as_written(target):
            return None
        inner = taint_in(self._model, target.module, target.node)
        for node in target.module.index.own_nodes(target.node):
            if isinstance(node, ast.Return) and (found := inner.of(node.value)) is not None:
                return replace(found, name=name)
        return None

    def _item_given(self, owner: ast.Name, key: str) -> Tainted | None:
        """The text from a client under a key of the dictionary that a dependency returns."""
        target = self._provided[owner.id]
        items = dict(returned_items(target))
        if not isinstance(target, Function) or not isinstance(target.node, FUNCTIONS):
            return None
        if key not in items or not self._model.returns_as_written(target):
            return None
        found = taint_in(self._model, target.module, target.node).of(items[key])
        return replace(found, name=f"{owner.id}[{key!r}]") if found else None

    def _attribute_given(self, owner: ast.Name, attr: str) -> Tainted | None:
        """The text from a client that an object of a class has that is a dependency."""
        cls = self._provided[owner.id]
        if not isinstance(cls, Class):
            return None
        name = f"{owner.id}.{attr}"
        init = self._model.callable_of(cls)
        if init is None:  # FastAPI fills the fields of a dataclass or model
            if "__post_init__" in cls.module.index.scopes[cls.node].bindings:
                return None
            return Tainted(name, "", False) if self._is_free_text(owner, attr) else None
        if not isinstance(init.node, FUNCTIONS):
            return None
        inner = taint_in(self._model, init.module, init.node)
        for targets, value in _assigned(init.module.index, init.node):
            for target in targets:
                match target:
                    case ast.Attribute(value=ast.Name(id="self"), attr=set_there):
                        if set_there == attr and (found := inner.of(value)) is not None:
                            return replace(found, name=name)
        return None

    def _of_name(self, node: ast.Name, name: str, depth: int) -> Tainted | None:
        found = self.module.index.lookup(name, node)
        if found is None or not isinstance(found[0].node, (*FUNCTIONS, *_COMPREHENSIONS)):
            return None
        value = self._model.resolve(self.module, node)
        is_default = isinstance(value, Constant) and isinstance(value.value, str)  # of a field
        if not is_default and not self._is_text(value):
            return None
        for binding in found[1]:
            if binding.kind == "for" and not binding.path and self._is_texts(binding.value):
                return None if self._is_checked(name, node) else Tainted(name, "", False)
            if binding.given is None:
                continue
            tainted = self._of(binding.given, depth + 1)
            if tainted is not None:
                return None if self._is_checked(name, node) else tainted
        return None

    def _is_texts(self, node: ast.expr | None) -> bool:
        """Whether an expression is a parameter that holds several texts of a client, unchecked."""
        if not isinstance(node, ast.Name) or not self._is_source(node):
            return False
        item = self._model.resolver.item(self._model.resolve(self.module, node))
        return self._model.is_instance(item, *_TEXT) and not self._is_checked(node.id, node)

    def _is_text(self, value: Value) -> bool:
        """Whether a value may be a text or a path."""
        if isinstance(value, Constant):
            return False
        if isinstance(value, Instance):
            return not self._model.is_instance(
                value, "builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "enum.Enum",
                "datetime.date", "datetime.timedelta", "decimal.Decimal",
            )  # fmt: skip
        return True

    def _pieces(self, node: ast.expr) -> Iterator[Piece]:
        """The parts of an expression that puts a text, a path or a URL together."""
        match node:
            case ast.JoinedStr(values=values):
                parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in values]
                yield from self._joined(parts)
            case ast.BinOp(op=ast.Add()):
                yield from self._joined(_operands(node))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                yield Piece(left, "", False)
                yield Piece(right, self._model.text(self.module, left), False)
            case ast.BinOp(left=ast.Constant(value=str() as template), op=ast.Mod(), right=right):
                given = right.elts if isinstance(right, ast.Tuple) else [right]
                yield from _filled_in(re.split(r"%(?:\(\w+\))?[a-z]", template), given)
            case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str() as t))):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                yield from _filled_in(re.split(r"{[^{}]*}", t), given)
            case ast.Call(func=func, args=args):
                names = set(self._model.resolver.names_of(self._model.resolve(self.module, func)))
                if "urllib.parse.urljoin" in names and len(args) == 2:
                    yield Piece(args[0], "", False)
                    yield Piece(args[1], "", False)  # one with a host of its own wins
                elif not names.isdisjoint(_MAKERS):
                    for position, value in enumerate(args):
                        yield Piece(value, None if position else "", False)
                elif isinstance(func, ast.Attribute) and func.attr in _KEEPING:
                    if func.attr == "replace" and _cuts(node):
                        return
                    yield Piece(func.value, "", False)
                    if func.attr == "joinpath":
                        for value in args:
                            yield Piece(value, None, False)

    def _joined(self, parts: list[ast.expr]) -> Iterator[Piece]:
        """The parts of a text that are not literal."""
        texts = [self._model.text(self.module, each) for each in parts]
        before: str | None = ""
        for part, text, last, following in zip(
            parts, texts, ["", *texts], [*texts[1:], ""], strict=False
        ):
            if not isinstance(part, ast.Constant):
                yield Piece(part, before, True, _is_part(last or "", following or ""))
            before = None if before is None or text is None else before + text

    def _source(self, node: ast.expr) -> str | None:
        """How an expression is written that a client fills; `None` if it is none."""
        match node:
            case ast.Name(id=name):
                found = self.module.index.lookup(name, node)
                if found is None or not all(b.kind == "parameter" for b in found[1]):
                    return None
                if not any(b.node in self._sources for b in found[1]):
                    return None
                value = self._model.resolve(self.module, node)
                if name in self._given and not self._is_model(node):
                    return name if self._is_text(value) else None
                is_known = isinstance(value, Instance) or bool(value)
                if is_known and not self._model.is_instance(value, *_TEXT):
                    return None
                return name
            case ast.Attribute(value=owner, attr=attr):
                value = self._model.resolve(self.module, owner)
                if attr == "filename" and self._model.is_instance(value, _UPLOAD):
                    return ast.unparse(node)
                if isinstance(owner, ast.Name) and self._is_model(owner):
                    return ast.unparse(node) if self._is_free_text(owner, attr) else None
                return None
            case (
                ast.Subscript(value=owner, slice=ast.Constant(value=str() as key))
                | ast.Call(
                    func=ast.Attribute(attr="get" | "pop", value=owner),
                    args=[ast.Constant(value=str() as key), *_],
                )
            ) if (body := self._body(owner, key)) is not None:
                # Of a dumped model it is the field that clients know.
                return (
                    None if self._is_checked(ast.unparse(node), node) else body or ast.unparse(node)
                )
            case ast.Subscript(value=ast.Attribute(value=owner, attr=attr), slice=ast.Constant()):
                if attr in REQUEST_MAPPINGS and self._is_request(owner):
                    return ast.unparse(node)
                return None
            case ast.Call(
                func=ast.Attribute(attr="get", value=ast.Attribute(value=owner, attr=attr))
            ):
                if attr in REQUEST_MAPPINGS and self._is_request(owner):
                    return ast.unparse(node)
                return None
            case _:
                return None

    def _body(self, node: ast.expr, key: str, depth: int = 0) -> str | None:
        """What holds the text for a key in a dictionary that a client sent, or a model's dump.

        The model's field as it is written, or an empty text; `None` if there is no such text.
        """
        match node:
            case ast.Name(id=name):
                found = self.module.index.lookup(name, node)
                if found is None or not isinstance(found[0].node, FUNCTIONS) or depth > _CALLS:
                    return None
                if self._is_source(node):
                    if name in self._dumps:
                        return "" if self._takes_any_text(self._dumps[name], key) else None
                    return "" if self._is_mapping(node) else None
                made = (b.value for b in found[1] if b.value is not None and not b.path)
                bodies = (self._body(value, key, depth + 1) for value in made)
                return next((body for body in bodies if body is not None), None)
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="json" | "form", value=request))):
                return "" if self._is_request(request) else None
            case ast.Call(func=ast.Attribute(attr="dict" | "model_dump", value=ast.Name() as body)):
                is_field = self._is_model(body) and self._is_free_text(body, key)
                return f"{body.id}.{key}" if is_field else None
            case ast.Call(func=ast.Name(id="dict"), args=[inner], keywords=[]):
                return self._body(inner, key, depth + 1)
            case ast.Call(func=ast.Attribute(attr="copy", value=inner), args=[]):
                return self._body(inner, key, depth + 1)
        return None

    def _is_mapping(self, node: ast.Name) -> bool:
        """Whether a name is a body that a client sends, as a dictionary that may hold texts."""
        value = self._model.resolve(self.module, node)
        if not self._model.is_instance(value, *_MAPPINGS) or not self._is_source(node):
            return False
        values = value.args[1:2] if isinstance(value, Instance) else ()
        return all(
            not each or self._model.is_instance(each, *_TEXT, "typing.Any", "builtins.object")
            for each in values
        )

    def _is_free_text(self, body: ast.Name, name: str) -> bool:
        """Whether a field of a model takes any text."""
        return self._takes_any_text(self._model.resolve(self.module, body), name)

    def _takes_any_text(self, value: Value, name: str) -> bool:
        if not isinstance(value, Instance) or not isinstance(value.of, Class):
            return False
        held = self._model.resolver.attribute(value, name)
        if isinstance(held, Constant):  # its default
            held = declared(self._model, value.of, name)
        return self._model.is_instance(held, *_TEXT) and not is_validated(
            self._model, value.of, name
        )

    def _is_source(self, node: ast.Name) -> bool:
        found = self.module.index.lookup(node.id, node)
        return found is not None and any(b.node in self._sources for b in found[1])

    def _is_request(self, node: ast.expr) -> bool:
        value = self._model.resolve(self.module, node)
        return self._model.is_instance(value, *CONNECTIONS)

    def _before(self, call: ast.Call) -> Taint:
        """What clients can write where a call runs, which cannot know yet what it will find."""
        if self._besides is not None:
            return self
        lookup = self._calls_of_lookups.get(call)
        if lookup is None:
            return self
        given = self._given if self._is_called else None
        around, dumps = self._above[:-1], self._dumps
        return Taint(self._model, self.module, self.function, given, around, dumps, lookup)

    @cached_property
    def _calls_of_lookups(self) -> Mapping[ast.AST, ast.Call]:
        """The nodes of look-ups, each with the first look-up that it belongs to."""
        found: dict[ast.AST, ast.Call] = {}
        for lookup, _ in self._lookups:
            for each in ast.walk(lookup):
                found.setdefault(each, lookup)
        return found

    @cached_property
    def _lookups(self) -> Sequence[tuple[ast.Call, Sequence[ast.expr]]]:
        """The look-ups that nothing gets by without a find, with what each of them is told."""
        index = self.module.index
        needed: set[str | None] = set()
        for node in index.nodes_in(self.function, ast.If):
            test = index.condition(node.test)
            if self._leaves(node.body[-1]):
                needed.add(_is_missing(test))
            if node.orelse and self._leaves(node.orelse[-1]):
                needed.add(_is_there(test))
        found: list[tuple[ast.Call, Sequence[ast.expr]]] = []
        for targets, value in _assigned(self.module.index, self.function):
            call = value.value if isinstance(value, ast.Await) else value
            target = targets[0]
            if not isinstance(call, ast.Call) or not isinstance(target, ast.Name):
                continue
            if len(targets) != 1 or target.id not in needed or call is self._besides:
                continue
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            if isinstance(call.func, ast.Attribute) and call.func.attr in _ROWS:
                given.append(call.func.value)  # `result.first()`, `session.query(Item).first()`
                given += [a for c in ast.walk(call.func) if isinstance(c, ast.Call) for a in c.args]
            makers = set(self._model.resolver.names_of(self._model.resolve(self.module, call.func)))
            if makers.isdisjoint(_MAKERS) and getattr(call.func, "attr", "") not in _KEEPING:
                found.append((call, given))
        return found

    def _is_checked(self, name: str, node: ast.AST | None) -> bool:
        """Whether the function tests a value, or something made of it, in any condition.

        Parameters:
            node: where the value is used. What is tested behind it comes too late, as the answer
                to a request that was sent already does.
        """
        known = self._checks.get(name)
        if known is None:
            statement_of = self.module.index.statement_of
            found = dict.fromkeys(map(statement_of, self._find_checks(name)))
            known = self._checks[name] = tuple(found)
        return any(not self._is_behind(each, node) for each in known)

    def _is_behind(self, check: ast.stmt | None, node: ast.AST | None) -> bool:
        """Whether a statement runs after the one that a value is used in."""
        index = self.module.index
        use = index.statement_of(node) if node is not None else None
        if use is None or check is None or index.function_of(use) is not self.function:
            return False
        return (check.lineno, check.col_offset) > (use.lineno, use.col_offset)

    def _find_checks(self, name: str) -> Iterator[ast.AST]:
        """What tests a value, or something made of it."""
        index = self.module.index
        names = {name, *_derived(index, self.function, name)}
        inside = partial(index.nodes_in, self.function)
        told = (each for _, given in self._lookups for each in given)
        yield from (each for each in told if any(_mentions(each, name) for name in names))
        conditions: list[ast.If | ast.While | ast.Assert | ast.IfExp] = [
            *inside(ast.If), *inside(ast.While), *inside(ast.Assert), *inside(ast.IfExp)
        ]  # fmt: skip
        hidden = self._in_comprehensions(names) if conditions else frozenset()
        for condition in conditions:
            if condition not in hidden:
                test = index.condition(condition.test)
                if any(_tests(test, each) for each in names):
                    yield condition
        for comprehension in _comprehensions(index, self.function):
            tests = (test for generator in comprehension.generators for test in generator.ifs)
            if any(_tests(test, each) for test in tests for each in names):
                yield comprehension
        for match in inside(ast.Match):
            if any(_mentions(match.subject, each) for each in names):
                yield match
        for statement in inside(ast.Expr):
            # `validate_path(name)`: called for nothing but its exception.
            if isinstance(statement.value, ast.Call | ast.Await) and _validates(statement.value):
                if any(_mentions(statement.value, each) for each in names):
                    yield statement
        for call in inside(ast.Call):
            if getattr(call.func, "attr", "") in ("relative_to", "is_relative_to"):
                if any(_mentions(call, each) for each in names):
                    yield call
            elif self._is_refused(call, names):
                yield call

    def _leaves(self, statement: ast.stmt) -> bool:
        """Whether nothing runs behind a statement, also as what it calls always raises."""
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return isinstance(statement, ast.Raise | ast.Return | ast.Continue)
        called = self._model.resolve(self.module, statement.value.func)
        return (
            isinstance(called, Function)
            and isinstance(called.node, FUNCTIONS)
            and isinstance(called.node.body[-1], ast.Raise)
        )

    def _in_comprehensions(self, names: set[str]) -> frozenset[ast.AST]:
        """What stands in comprehensions about variables of their own that have these names."""
        comprehensions = _comprehensions(self.module.index, self.function)
        return frozenset(
            each
            for comprehension in comprehensions
            if any(mentions(each.target, names) for each in comprehension.generators)
            for each in ast.walk(comprehension)
        )

    def _is_refused(self, call: ast.Call, names: set[str]) -> bool:
        """Whether a value is handed to a function of the project that raises for some values."""
        for each in (*call.args, *(keyword.value for keyword in call.keywords)):
            is_written = isinstance(each, ast.Name | ast.Attribute | ast.Subscript)
            if is_written and ast.unparse(each) in names:
                callee = self._model.resolve(self.module, call.func)
                taken = (
                    argument_filled(callee, call, each) if isinstance(callee, Function) else None
                )
                if isinstance(callee, Function) and taken is not None and _refuses(callee, taken):
                    return True
        return False


def _none_yet(model: Model, uses: Uses) -> dict[FunctionNode, Taint]:
    return {}


_IN_FUNCTIONS = PerProject(_none_yet)


def taint_in(model: Model, module: Module, function: FunctionNode) -> Taint:
    """What clients can write inside of a function that FastAPI calls, found out once.

    A function inside of such a function, a generator of a stream for example, sees what that does.
    """
    outer = function
    while isinstance(around := module.index.function_of(outer), FUNCTIONS):
        if not model.roles(Function(module, outer)).isdisjoint(_OF_REQUESTS):
            break
        outer = around
    if not model.roles(Function(module, outer)).isdisjoint(_OF_REQUESTS):
        function = outer
    known = _IN_FUNCTIONS(model, module)
    taint = known.get(function)
    if taint is None:
        taint = known[function] = Taint(model, module, function)
    return taint


def is_given_by_clients(
    model: Model, function: Function, parameter: ast.arg, depth: int = 0
) -> bool:
    """Whether FastAPI code hands a parameter what a client wrote and nobody has checked.

    Itself, or through functions that hand on what they are given.
    """
    for call in model.direct_calls(function) if depth < _CALLS else ():
        given = call.given(parameter) if call.is_certain else None
        caller = call.module.index.function_of(call.node)
        if given is None or not isinstance(caller, FUNCTIONS):
            continue
        if taint_in(model, call.module, caller).of(given) is not None:
            return True
        found = call.module.index.lookup(given.id, given) if isinstance(given, ast.Name) else None
        for binding in found[1] if found is not None and found[0].node is caller else ():
            value = model.resolve(call.module, caller)
            if isinstance(binding.node, ast.arg) and isinstance(value, Function):
                if is_given_by_clients(model, value, binding.node, depth + 1):
                    return True
    return False


def expects_no_file(module: Module, node: ast.AST) -> bool:
    """Whether a function asks whether a file is there, or goes on when it is none."""
    function = module.index.function_of(node)
    if function is None:
        return False
    asked = module.index.mentioned(function)
    if not asked.isdisjoint(_EXISTENCE) or not asked.isdisjoint({f".{n}" for n in _EXISTENCE}):
        return True
    return any(isinstance(e, ast.Try) and e.handlers for e in module.index.ancestors(node))


def text_in_sink(
    model: Model, module: Module, call: ast.Call, sinks: Sinks, accepts: Accepts = _is_any
) -> Tainted | None:
    """The first text of a client that a call takes as one of its sinks (see `Taint.reached`)."""
    function = module.index.function_of(call)
    if not isinstance(function, FUNCTIONS):
        return None
    return taint_in(model, module, function).in_sinks(call, sinks, accepts)


def _is_part(before: str, behind: str) -> bool:
    """Whether more than a slash stands next to a piece of a path."""
    return not (before or "/").endswith("/") or (behind or "/") != "/"


def _filled_in(texts: list[str], given: list[ast.expr]) -> Iterator[Piece]:
    """The values that fill the fields of a template, between its texts."""
    is_plain = len(texts) == len(given) + 1
    for position, value in enumerate(given):
        is_part = is_plain and _is_part(texts[position], texts[position + 1])
        yield Piece(value, None if position else texts[0], True, is_part)


def _dumped(node: ast.expr) -> ast.Name | None:
    """The model in `body.model_dump()`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="dict" | "model_dump", value=ast.Name() as body)):
            return body
        case _:
            return None


def _operands(node: ast.expr) -> list[ast.expr]:
    """What a sum adds, from left to right."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_operands(node.left), *_operands(node.right)]
    return [node]


def _arguments_of(function: FunctionNode) -> tuple[ast.arg, ...]:
    arguments = function.args
    return (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)


def _arguments(callee: Function, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call gives to the parameters of a function of the project, by their names."""
    arguments = callee.node.args
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    for name, node in zip(positional[callee.bound :], call.args, strict=False):
        if isinstance(node, ast.Starred):
            break
        yield name, node
    names = {*positional, *(each.arg for each in arguments.kwonlyargs)}
    for keyword in call.keywords:
        if keyword.arg in names:
            yield keyword.arg, keyword.value


def _named(function: FunctionNode, names: Mapping[str, object]) -> frozenset[ast.AST]:
    return frozenset(each for each in _arguments_of(function) if each.arg in names)


def _is_there(test: ast.expr) -> str | None:
    """The name that a condition such as `x` or `x is not None` is about."""
    match test:
        case ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.Compare(
            left=ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)),
            ops=[ast.IsNot()],
            comparators=[ast.Constant()],
        ):
            return name
        case _:
            return None


def _is_missing(test: ast.expr) -> str | None:
    """The name that a condition such as `not x` or `x is None` is about."""
    match test:
        case ast.UnaryOp(
            op=ast.Not(), operand=ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name))
        ):
            return name
        case ast.Compare(
            left=ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)),
            ops=[ast.Is()],
            comparators=[ast.Constant()],
        ):
            return name
        case ast.BoolOp(op=ast.Or(), values=values):  # `rows is None or rows.empty`
            return next((name for name in map(_is_missing, values) if name is not None), None)
        case _:
            return None


def _sources(model: Model, module: Module, function: FunctionNode) -> frozenset[ast.AST]:
    """The parameters of a function that a client fills."""
    value = Function(module, function)
    roles = model.roles(value)
    if roles.isdisjoint(_OF_REQUESTS):
        return frozenset()
    endpoint = model.endpoint(module, function)
    names = model.path_names(endpoint) if endpoint is not None else frozenset[str]()
    return frozenset(
        parameter.node
        for parameter in model.parameters(value, names)
        if parameter.kind in _FROM_CLIENT
        and not is_constrained(model, module, parameter.annotation, parameter.default)
    )


def is_constrained(
    model: Model, module: Module, annotation: ast.expr | None, default: ast.expr | None
) -> bool:
    """Whether a parameter's text has to match a pattern: `Query(pattern=...)` and its like.

    Or a validator of the project tests it: `Annotated[str, AfterValidator(check_name)]`.
    """
    given = [*model.resolver.annotations.metadata(module, annotation), (module, default)]
    for home, node in given:
        if not isinstance(node, ast.Call):
            continue
        if any(k.arg in {"pattern", "regex"} for k in node.keywords):
            return True
        made = model.resolve(home, node.func)
        if isinstance(made, External) and made.name in _VALIDATORS and node.args:
            validator = model.resolve(home, node.args[0])
            if isinstance(validator, Function):
                taken = _positional(validator)[validator.bound :][:1]
                if taken and _refuses(validator, taken[0]):
                    return True
    return False


def declared(model: Model, cls: Class, name: str) -> Value:
    """What a class says that a field is, whatever its default."""
    for base in model.resolver.mro(cls):
        for statement in base.node.body if isinstance(base, Class) else ():
            match statement:
                case ast.AnnAssign(target=ast.Name(id=field)) if field == name:
                    assert isinstance(base, Class)
                    return model.resolver.annotation(base.module, statement.annotation)
    return UNKNOWN


def is_validated(model: Model, cls: Class, name: str) -> bool:
    """Whether a model tests one of its fields, by a pattern or a validator."""
    for base in model.resolver.mro(cls):
        if not isinstance(base, Class):
            continue
        for statement in base.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=field)) if field == name:
                    hint, value = statement.annotation, statement.value
                    if is_constrained(model, base.module, hint, value):
                        return True
                case ast.FunctionDef(decorator_list=decorators):
                    for decorator in decorators:
                        if isinstance(decorator, ast.Call) and any(
                            isinstance(each, ast.Constant) and each.value == name
                            for each in decorator.args
                        ):
                            return True
    return False


def _positional(function: Function) -> list[ast.arg]:
    return [*function.node.args.posonlyargs, *function.node.args.args]


def _refuses(function: Function, taken: ast.arg) -> bool:
    """Whether a function of the project tests an argument and raises what it does not like."""
    if isinstance(function.node, ast.Lambda):
        return False
    index = function.module.index
    own = index.own_nodes(function.node)
    tests = [index.condition(each.test) for each in own if isinstance(each, ast.If | ast.Assert)]
    return any(isinstance(each, ast.Raise | ast.Assert) for each in own) and any(
        _tests(test, name)
        for test in tests
        for name in (taken.arg, *_derived(index, function.node, taken.arg))
    )


def _assigned(index: ModuleIndex, function: ast.AST) -> Iterator[tuple[list[ast.expr], ast.expr]]:
    """What is assigned inside of a function: the targets and the value."""
    for assign in index.nodes_in(function, ast.Assign):
        yield assign.targets, assign.value
    for annotated in index.nodes_in(function, ast.AnnAssign):
        if annotated.value is not None:
            yield [annotated.target], annotated.value
    for walrus in index.nodes_in(function, ast.NamedExpr):
        yield [walrus.target], walrus.value
    loops: list[ast.For | ast.comprehension] = [*index.nodes_in(function, ast.For)]
    for comprehension in _comprehensions(index, function):
        loops += comprehension.generators
    for loop in loops:
        if isinstance(loop.iter, ast.Name | ast.Attribute):
            yield [loop.target], loop.iter


def _comprehensions(
    index: ModuleIndex, function: ast.AST
) -> list[ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp]:
    """The comprehensions inside of a function."""
    return [
        *index.nodes_in(function, ast.ListComp),
        *index.nodes_in(function, ast.SetComp),
        *index.nodes_in(function, ast.GeneratorExp),
        *index.nodes_in(function, ast.DictComp),
    ]


def _mentions(node: ast.AST, text: str) -> bool:
    """Whether an expression contains another, as it is written."""
    if text.isidentifier():
        return mentions(node, {text})
    name = text.rpartition(".")[2]
    if name.isidentifier():
        return any(
            isinstance(each, ast.Attribute) and each.attr == name and ast.unparse(each) == text
            for each in ast.walk(node)
        )
    return any(isinstance(each, ast.expr) and ast.unparse(each) == text for each in ast.walk(node))


def _tests(test: ast.expr, text: str) -> bool:
    """Whether a condition says something of what a value contains.

    Whether it is there at all, or whether such a file exists, says nothing.
    """
    match test:
        case ast.BoolOp(values=values):
            return any(_tests(value, text) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=inner) | ast.Await(value=inner):
            return _tests(inner, text)
        case ast.NamedExpr(value=inner):
            return _tests(inner, text)
        case ast.Attribute(attr="netloc" | "scheme" | "hostname" | "host"):
            return _mentions(test, text)  # of a URL: whether it leads elsewhere
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return False
        case ast.Compare(left=ast.Call() | ast.Await() as call, ops=[ast.Is() | ast.IsNot()]):
            return _tests(call, text)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
            return False
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value="" | None)]):
            return False
        case ast.Call(func=ast.Attribute(attr=attr) | ast.Name(id=attr)) if attr in _EMPTY_TESTS:
            return False
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"))):
            return False
        case _:
            return _mentions(test, text)


def _derived(index: ModuleIndex, function: ast.AST, name: str) -> set[str]:
    """The local names that are made of a value."""
    found: set[str] = set()
    assigned = tuple(_assigned(index, function))
    for _ in range(3):
        known = {name, *found}
        for targets, value in assigned:
            if any(_mentions(value, each) for each in known):
                for target in targets:
                    elements = target.elts if isinstance(target, ast.Tuple) else [target]
                    found.update(e.id for e in elements if isinstance(e, ast.Name))
        if known == {name, *found}:
            break
    return found


def _validates(node: ast.expr) -> bool:
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return False
    func = call.func
    name = terminal_name(func)
    words = ("valid", "check", "verify", "ensure", "assert", "require", "authorize", "sanitize")
    return any(word in name.lower() for word in words)


def _cuts(call: ast.Call) -> bool:
    """Whether a `replace` takes out what makes a path or a header dangerous."""
    first = call.args[0] if call.args else None
    return not isinstance(first, ast.Constant) or any(
        c in str(first.value) for c in ("/", "\\", "..", '"', "\n", "\r", ":")
    )
