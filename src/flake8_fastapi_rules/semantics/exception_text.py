"""The text of an exception on its way to somewhere else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, targets_of
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.parameters import is_record
from flake8_fastapi_rules.semantics.values import (
    Class,
    Expression,
    External,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Attributes of exceptions that hold their text, or the SQL behind it.
_TEXTS = frozenset(
    {
        "__cause__", "__context__", "args", "exceptions", "message", "msg", "orig", "pgerror",
        "statement", "strerror",
    }
)  # fmt: skip
#: Methods that leave the text in what they give.
_KEEPING = frozenset(
    {
        "join", "splitlines", "split", "rsplit", "partition", "rpartition", "strip", "lstrip",
        "rstrip", "removeprefix", "removesuffix", "replace", "lower", "capitalize", "title",
        "encode", "model_dump", "dict",
    }
)  # fmt: skip
#: How many variables are looked through.
_DEPTH = 2
_STRINGIFIERS = frozenset({"str", "repr", "format", "ascii"})
#: What gives back what it is given, in another shape.
_PLAIN = frozenset(
    External(name)
    for name in (
        "builtins.dict", "fastapi.encoders.jsonable_encoder", "json.dumps", "orjson.dumps",
        "ujson.dumps",
    )
)  # fmt: skip
_TRACEBACKS = frozenset(
    {
        "traceback.format_exc", "traceback.format_exception", "traceback.format_list",
        "traceback.format_stack", "traceback.format_tb",
    }
)  # fmt: skip
_EXC_INFO = External("sys.exc_info")
_CURRENT = External("sys.exception")
_EXCEPTION_ONLY = External("traceback.format_exception_only")


class ExceptionText:
    """Finds what an exception says, and tracebacks, in expressions.

    Parameters:
        model: answers what names are.
        module: the module of the expressions.
        name: the variable that holds the exception; `None` to find tracebacks only.
        is_text: whether the variable holds the text already.
        is_current: whether the exception is the one that is being handled, so that `sys` knows it.
    """

    def __init__(
        self,
        model: Model,
        module: Module,
        name: str | None,
        *,
        is_text: bool = False,
        is_current: bool = False,
    ) -> None:
        self._model = model
        self._module = module
        self._name = name
        self._is_text_itself = is_text
        self._asks_sys = is_current and "import sys" in module.source.text

    def sent_in(self, node: ast.expr, depth: int = 0) -> ast.expr | None:
        """The part of an expression that holds the exception's text."""
        match node:
            case ast.JoinedStr(values=values):
                for part in values:
                    if isinstance(part, ast.FormattedValue):
                        if self._is_exception(part.value):
                            return node
                        if self.sent_in(part.value, depth) is not None:
                            return node
                return None
            case ast.Call():
                return self._sent_in_call(node, depth)
            case ast.GeneratorExp(generators=[looped, *_]) | ast.ListComp(generators=[looped, *_]):
                return node if self._is_text_of(looped.iter) else None
            case ast.BinOp(op=ast.Mod(), right=right):
                parts = right.elts if isinstance(right, ast.Tuple) else [right]
                if any(self._is_text_of(part) for part in parts):
                    return node
                return self._first(parts, depth)
            case ast.BinOp(left=left, right=right):
                return self._first([left, right], depth)
            case ast.Dict(values=values):
                return self._first(list(values), depth)
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return self._first(values, depth)
            case ast.IfExp(body=body, orelse=orelse):
                return self._first(
                    [each for each in (body, orelse) if not self.is_for_developers(each)], depth
                )
            case ast.BoolOp(values=values):
                return self._first(values, depth)
            case ast.Attribute():
                return node if self._is_text_of(node) else None
            case ast.Subscript(value=value):
                if self._is_text_of(node):
                    return node
                return node if isinstance(value, ast.Call) and self.sent_in(value, depth) else None
            case ast.Name(id=name) if name == self._name:
                return node if self._is_text_itself else None
            case ast.Name() if depth < _DEPTH:
                return node if self._is_text(node, depth) else None
            case _:
                return None

    def _sent_in_call(self, node: ast.Call, depth: int) -> ast.expr | None:
        """The part of a call, or all of it, that holds the exception's text."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in _STRINGIFIERS:
                return node if self._is_text_of(argument) else None
            case ast.Call(
                func=ast.Name(id="getattr"), args=[held, ast.Constant(value=name), *default]
            ):
                if name in _TEXTS and self._is_text_of(held):
                    return node
                return self._first(default, depth)
            case ast.Call(func=ast.Name(id="map"), args=[_, *given]):
                return node if any(self._is_text_of(each) for each in given) else None
            case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant())):
                filled = [*node.args, *(keyword.value for keyword in node.keywords)]
                return node if any(self._is_text_of(each) for each in filled) else None
        if self.is_traceback(node):
            return node
        inner = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPING:
            inner.append(node.func.value)
            return self._first(inner, depth)
        value = self._model.resolve(self._module, node.func)
        if value == _EXCEPTION_ONLY:
            return node if any(self._is_exception(each) for each in node.args) else None
        if isinstance(value, Function) and depth < _DEPTH:
            return next(
                (each for each in inner if self._gives_back(node, value, each, depth)), None
            )
        keeps = value in _PLAIN or (isinstance(value, Class) and self._is_record(value))
        return self._first(inner, depth) if keeps else None

    def _is_record(self, cls: Class) -> bool:
        """Whether what the constructor of a class is given shows when its object is sent."""
        model = self._model
        return model.is_subclass(cls, "pydantic.BaseModel") or is_record(model.resolver, cls)

    def _gives_back(self, call: ast.Call, callee: Function, given: ast.expr, depth: int) -> bool:
        """Whether a function of the project puts the text of an argument into its result."""
        filled = argument_filled(callee, call, given)
        is_exception = self._is_exception(given) and not self._is_text_itself
        if filled is None or not isinstance(callee.node, FUNCTIONS):
            return False
        if not is_exception and self.sent_in(given, depth + 1) is None:
            return False
        own = callee.module.index.own_nodes(callee.node)
        if is_exception and any(
            isinstance(each, ast.Name) and each.id == "isinstance" for each in own
        ):
            return False
        text = ExceptionText(self._model, callee.module, filled.arg, is_text=not is_exception)
        return any(
            isinstance(each, ast.Return)
            and each.value is not None
            and (found := text.sent_in(each.value, depth + 1)) is not None
            and not text.is_for_developers(found)
            for each in own
        )

    def _is_text(self, node: ast.Name, depth: int) -> bool:
        """Whether a variable holds the exception's text."""
        if self._is_put_into(node, depth):
            return True
        bound = _bound(self._model.resolve(self._module, node)) or self._given(node)
        if bound is None or self.is_for_developers(bound):
            return False
        if self.sent_in(bound, depth + 1) is None:
            return False
        return self._name is None or self._is_within(bound, node)

    def _is_put_into(self, node: ast.Name, depth: int) -> bool:
        """Whether the text became an item of a local dictionary: `body["error"] = str(error)`."""
        index = self._module.index
        function = index.function_of(node)
        for each in index.own_nodes(function) if function is not None else ():
            match each:
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))], value=value) if (
                    name == node.id and each.lineno < node.lineno and self._is_within(value, node)
                ):
                    if self.sent_in(value, depth + 1) and not self.is_for_developers(value):
                        return True
        return False

    def _given(self, node: ast.Name) -> ast.expr | None:
        """The call whose result a local variable was given last."""
        index = self._module.index
        function = index.function_of(node)
        given = [
            each.value
            for each in (index.own_nodes(function) if function is not None else ())
            if isinstance(each, ast.Assign | ast.AnnAssign)
            and isinstance(each.value, ast.Call)
            and each.lineno < node.lineno
            and any(isinstance(t, ast.Name) and t.id == node.id for t in targets_of(each))
        ]
        return given[-1] if given else None

    def _is_exception(self, node: ast.expr) -> bool:
        """Whether an expression is the exception itself, by its name or as `sys` tells it."""
        match node:
            case ast.Name(id=name):
                if name == self._name:
                    return True
                found = self._module.index.lookup(name, node)
                bindings = found[1] if found is not None else []
                if len(bindings) != 1 or bindings[0].kind not in {"annotated", "assign"}:
                    return False
                value, path = bindings[0].value, bindings[0].path
                if value is None or not self._is_within(value, node):
                    return False
                return (
                    self._is_exc_info(value)
                    if path == (1,)
                    else (not path and self._is_exception(value))
                )
            case ast.Subscript(value=told, slice=ast.Constant(value=1)):
                return self._is_exc_info(told)
            case ast.Call(args=[]) if self._asks_sys:
                return self._model.resolve(self._module, node.func) == _CURRENT
        return False

    def _is_exc_info(self, node: ast.expr) -> bool:
        if not self._asks_sys:
            return False
        value = self._model.resolve(self._module, node)
        call = value.call if isinstance(value, Instance) else _bound(value) or node
        return isinstance(call, ast.Call) and (
            self._model.resolve(self._module, call.func) == _EXC_INFO
        )

    def _is_text_of(self, node: ast.expr) -> bool:
        """Whether an expression is the exception, its text, or a part of it."""
        if self._is_exception(node):
            return True
        if isinstance(node, ast.Attribute):
            return node.attr in _TEXTS and self._is_text_of(node.value)
        if isinstance(node, ast.Subscript):
            return isinstance(node.value, ast.Attribute) and self._is_text_of(node.value)
        if isinstance(node, ast.BoolOp):  # `str(error.orig or error)`
            return any(map(self._is_text_of, node.values))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in _STRINGIFIERS and any(map(self._is_text_of, node.args))
        return False

    def _first(self, nodes: list[ast.expr], depth: int) -> ast.expr | None:
        return next((found for n in nodes if (found := self.sent_in(n, depth))), None)

    def _is_within(self, bound: ast.expr, use: ast.expr) -> bool:
        """Whether a variable got its value in the same `except` clause, or function, as its use."""
        return self._clause_of(bound) is self._clause_of(use)

    def _clause_of(self, node: ast.expr) -> ast.AST | None:
        for parent in self._module.index.ancestors(node):
            if isinstance(parent, (ast.ExceptHandler, *FUNCTIONS)):
                return parent
        return None

    def is_for_developers(self, node: ast.expr) -> bool:
        """Whether the text is sent under a condition that says it is for developers."""
        return is_for_development(self._module, node)

    def is_known_as_own(self, node: ast.expr) -> bool:
        """Whether a condition around a text says that the exception is one of the project's."""
        if self._name is None:
            return False
        index = self._module.index
        child: ast.AST = node
        for parent in index.ancestors(node):
            if isinstance(parent, ast.ExceptHandler):
                return False
            if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
                test = index.condition(parent.test)
                if child in (parent.orelse if isinstance(parent, ast.If) else [parent.orelse]):
                    match test:
                        case ast.UnaryOp(op=ast.Not(), operand=inner):
                            test = inner
                        case _:
                            test = ast.Constant(None)
                kinds = _kinds_asked(test, self._name)
                if kinds:
                    return all(
                        isinstance(self._model.resolve(self._module, kind), Class) for kind in kinds
                    )
            child = parent
        return False

    def is_traceback(self, node: ast.expr) -> bool:
        """Whether an expression is a call that gives a traceback, or a variable that holds it."""
        if isinstance(node, ast.Name):
            bound = _bound(self._model.resolve(self._module, node)) or self._given(node)
            return (
                bound is not None and not isinstance(bound, ast.Name) and self.is_traceback(bound)
            )
        if not isinstance(node, ast.Call):
            return False
        callee = self._model.resolve(self._module, node.func)
        return isinstance(callee, External) and callee.name in _TRACEBACKS


def _bound(value: Value) -> ast.expr | None:
    if isinstance(value, Expression):
        return value.node
    return value.call if isinstance(value, Instance) else None


def _kinds_asked(test: ast.expr, exception: str) -> list[ast.expr]:
    """The classes of which a condition says that the exception is one: `isinstance(error, X)`."""
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds]):
            if name == exception:
                return kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        case ast.BoolOp(op=ast.And(), values=values):
            return next((found for v in values if (found := _kinds_asked(v, exception))), [])
    return []
