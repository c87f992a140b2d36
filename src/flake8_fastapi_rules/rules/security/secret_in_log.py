"""FAR709: secrets in logs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on_calls
from flake8_fastapi_rules.semantics.credentials import (
    SECRET_WORDS,
    is_bearer_credentials,
    is_key_name,
    is_password_name,
    is_token_name,
    last_name,
    snake,
)
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.libraries import is_log_call
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

_LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "fatal", "log", "trace"}
)
_LOGGER_NAMES = frozenset({"logger", "log", "logging", "_logger", "LOGGER", "LOG", "_log"})
_HEADERS = ("starlette.datastructures.Headers",)
#: Headers of responses hold less.
_ANSWER_HEADERS = "starlette.datastructures.MutableHeaders"
#: A part of a form has headers of its own, without tokens.
_UPLOAD = "starlette.datastructures.UploadFile"
_HARMLESS_TYPES = (
    "pydantic.SecretStr", "pydantic.SecretBytes", "builtins.int", "builtins.bool",
    "builtins.float", "enum.Enum",
)  # fmt: skip
_SEQUENCES = ("builtins.list", "collections.abc.Sequence", "typing.Sequence")
#: Libraries whose tokens are words of a language.
_PARSERS = frozenset({"lark", "ply", "pygments", "sqlglot", "sqlparse", "tokenize", "tree_sitter"})
#: Classes that print what others would send.
_STAND_IN = re.compile(r"(?i)console|stdout|simulat|dummy|fake|mock|debug")
#: What a line of the log says that only tells what would be sent.
_PRETENDING = re.compile(r"(?i)simulat|dummy|\bfake|\bmock")
#: Where `token` is the address of a device.
#: Functions whose results are numbers.
_NUMBERS = frozenset({"abs", "int", "float", "len", "max", "min", "round", "sum"})
#: What may be the key of an entry rather than a secret.
_ENTRIES = frozenset({"auth_header", "session_key"})
_DEVICES = re.compile(r"(?i)push|device|fcm|apns|page token")
#: What runs a server until it is stopped.
_SERVERS = frozenset(
    {"uvicorn.run", "uvicorn.Server.run", "hypercorn.run", "granian.Granian.serve"}
)
#: Names of what is told of a secret in its place.
_TELLING = re.compile(
    r"mask|redact|hidden|hash|hint|prefix|suffix|shown|safe|(?:^|_)(?:id|name|type|kind|status|len"
    r"|length|count|is|has)(?:_|$)"
)
#: Calls that show what they are given.
_SHOWING = frozenset({"str", "repr", "dict", "format", "dumps", "items"})


class SecretInLog(Rule):
    """Keep secrets out of logs.

    ## What it does
    Reports passwords, tokens, keys, authorization headers and whole header maps that are given to
    a logger or to `print`.

    ## Why it matters
    Logs are copied to files, collectors and tickets, kept for years and read by many. A token in
    there works until it expires, a password for much longer.

    ## Example
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def log_in(name: str, password: str) -> None:
        logger.info("log-in of %s with %s", name, password)
    ```

    ## Use instead
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def log_in(name: str, password: str) -> None:
        logger.info("log-in of %s", name)
    ```

    ## Leaves alone
    Shortened and masked values (`token[:4]`, `mask(token)`, `len(token)`), `SecretStr`, numbers,
    names that only begin like a secret (`token_count`, `password_changed_at`), the tokens of
    parsers, what scripts and main programs print, or classes that print what others would send
    (`ConsoleMailer`), lines that say that they only simulate, a secret that is printed where it was
    just made (`secrets`), a first password that is logged where it was just made, before anything
    is served, what is told to whoever starts the server, before `uvicorn.run`, and a plain `token`
    that is the address of a device, the name of a thing (`"profile_token": token`), a page, a piece
    of a text, what resets a context variable or the key of an entry.

    ## Source
    CWE-532; OWASP: logging.
    """

    code = "FAR709"
    message = "`{name}` is written to the log; leave it out or shorten it"
    variants = {"headers": "All headers are written to the log, with tokens and cookies in them"}
    profiles = ("recommended",)
    hints = (*SECRET_WORDS, "eaders", "credentials")

    @on_calls(_LEVELS | {"print"})
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the first secret among the arguments of a log call."""
        if not self._may_tell(call, context) or not self._logs(call, context):
            return
        if _PRETENDING.search(_said(call)):
            return
        for keyword in call.keywords:
            if self._is_named_secret(keyword, context):
                yield self.report(keyword.value, name=keyword.arg)
                return
        for given in (*call.args, *(k.value for k in call.keywords)):
            for node in self._shown(given):
                value = context.resolve(node)
                if context.model.is_instance(value, *_HEADERS) and not (
                    context.model.is_instance(value, _ANSWER_HEADERS)
                    or (
                        isinstance(node, ast.Attribute)
                        and context.model.is_instance(context.resolve(node.value), _UPLOAD)
                    )
                ):
                    yield self.report(node, "headers")
                    return
                name = last_name(node)
                if self._is_secret(name, node, call, context):
                    yield self.report(node, name=context.shown(node))
                    return

    def _may_tell(self, call: ast.Call, context: Context) -> bool:
        """Whether the names of the arguments leave it possible that one is a secret (cheap)."""
        text = context.source.text
        if "eaders" in text or "credentials" in text:
            return True
        names = [keyword.arg for keyword in call.keywords]
        for given in (*call.args, *(keyword.value for keyword in call.keywords)):
            names += [last_name(node) for node in self._shown(given)]
        return any(is_password_name(n) or is_key_name(n) or is_token_name(n) for n in names)

    def _is_named_secret(self, keyword: ast.keyword, context: Context) -> bool:
        """Whether a field of a structured log is a secret by its own name: `api_key=caller`."""
        if not (is_password_name(keyword.arg) or is_key_name(keyword.arg)):
            return False
        node = keyword.value
        name = last_name(node)
        if not isinstance(node, ast.Name | ast.Attribute) or name is None or _TELLING.search(name):
            return False
        value: Value = context.resolve(node)
        return not isinstance(value, Constant | Function | Class) and not context.model.is_instance(
            value, *_HARMLESS_TYPES
        )

    def _logs(self, call: ast.Call, context: Context) -> bool:
        func = call.func
        if isinstance(func, ast.Name):
            return (
                func.id == "print"
                and context.resolve(func) == External("builtins.print")
                and not self._is_output(call, context)
            )
        if not isinstance(func, ast.Attribute) or func.attr not in _LEVELS:
            return False
        callee = context.resolve(func)
        if isinstance(callee, External):
            return is_log_call(callee.name)
        if callee:
            return False
        owner = func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        return name in _LOGGER_NAMES

    def _is_output(self, call: ast.Call, context: Context) -> bool:
        """Whether printing is what a program is for: a script, or what runs as the main program."""
        index = context.module.index
        function = index.function_of(call)
        if isinstance(function, FUNCTIONS) and function.name == "main":
            return True
        if function is None and not index.runs_at_import(call):
            return True
        cls = index.class_of(function) if function is not None else None
        if cls is not None and _STAND_IN.search(cls.name):
            return True
        return not context.model.shared_state(context.module).is_part_of_service(context.module)

    def _shown(self, node: ast.expr) -> Iterator[ast.expr]:
        """The expressions whose text gets into the log."""
        match node:
            case ast.Name() | ast.Attribute():
                yield node
            case ast.Subscript(slice=ast.Constant(value=str())):
                yield node
            case ast.JoinedStr(values=values):
                for value in values:
                    if isinstance(value, ast.FormattedValue):
                        yield from self._shown(value.value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from self._shown(left)
                yield from self._shown(right)
            case ast.BinOp(op=ast.Mod(), right=right):
                yield from self._shown(right)
            case ast.Tuple(elts=values) | ast.List(elts=values):
                for value in values:
                    yield from self._shown(value)
            case ast.Dict(values=values):
                for value in values:
                    yield from self._shown(value)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self._shown(value)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if (isinstance(node.func, ast.Attribute) and name == "get_secret_value") or (
                    isinstance(node.func, ast.Attribute) and name == "get" and node.args
                ):
                    yield node
                elif name in _SHOWING:
                    for value in (*node.args, *(k.value for k in node.keywords)):
                        yield from self._shown(value)
                    if isinstance(node.func, ast.Attribute) and name == "items":
                        yield from self._shown(node.func.value)

    def _is_lexical(self, name: str | None, context: Context) -> bool:
        """Whether a token is a word of a language that the module parses."""
        return name in {"token", "tokens"} and any(
            imported.partition(".")[0] in _PARSERS
            for imported in (
                *(node.module or "" for node in context.module.index.nodes(ast.ImportFrom)),
                *(a.name for node in context.module.index.nodes(ast.Import) for a in node.names),
            )
        )

    def _is_new(self, node: ast.expr, context: Context) -> bool:
        """Whether a secret was made in the same function: printing hands it to whoever asked."""
        function = context.module.index.function_of(node)
        if not isinstance(node, ast.Name) or function is None:
            return False
        return any(
            isinstance(each, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
            and any(
                (qualified_name(context.resolve(part.func)) or "").startswith("secrets.")
                for part in ast.walk(each.value)
                if isinstance(part, ast.Call)
            )
            for each in context.module.index.own_nodes(function)
        )

    def _starts_server(self, call: ast.Call, context: Context) -> bool:
        """Whether the function then starts the server: whoever starts it is told the key."""
        function = context.module.index.function_of(call)
        return function is not None and any(
            isinstance(each, ast.Call)
            and each.lineno > call.lineno
            and (qualified_name(context.resolve(each.func)) or "") in _SERVERS
            for each in context.module.index.own_nodes(function)
        )

    def _is_address(self, node: ast.expr, call: ast.Call, context: Context) -> bool:
        """Whether a plain `token` names a thing: where to push to, a profile, a page."""
        if last_name(node) != "token":
            return False
        function = context.module.index.function_of(call)
        if any(_DEVICES.search(text) for text in (_said(call), getattr(function, "name", ""))):
            return True
        if not isinstance(node, ast.Name):
            return False
        if self._is_taken_from_another(node, context):
            return True
        given: list[tuple[str, ast.expr]] = []
        for each in context.module.index.own_nodes(function) if function is not None else ():
            if isinstance(each, ast.Dict):
                for key, value in zip(each.keys, each.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        given.append((key.value, value))
            elif isinstance(each, ast.keyword) and each.arg:
                given.append((each.arg, each.value))
        return any(
            isinstance(value, ast.Name)
            and value.id == node.id
            and snake(name).endswith("_token")
            and not is_token_name(name)
            for name, value in given
        )

    def _is_taken_from_another(self, node: ast.Name, context: Context) -> bool:
        """Whether `token` is a piece of a text, or has another name where it comes from."""
        found = context.module.index.lookup(node.id, node)
        values = [binding.value for binding in found[1]] if found else []
        while len(values) == 1 and isinstance(values[0], ast.Call):
            match values[0]:
                case ast.Call(func=ast.Attribute(attr="split" | "splitlines" | "findall")):
                    return True
                case ast.Call(func=ast.Attribute(attr="strip" | "lower", value=inner)):
                    found = (
                        context.module.index.lookup(inner.id, inner)
                        if isinstance(inner, ast.Name)
                        else None
                    )
                    values = [binding.value for binding in found[1]] if found else []
                case _:
                    break
        named = [
            last_name(part) or ""
            for value in values
            if value is not None
            for part in (value.values if isinstance(value, ast.BoolOp) else [value])
        ]
        return bool(named) and all(
            name.endswith("_token") and not is_token_name(name) for name in named
        )

    def _is_number(self, node: ast.expr, context: Context) -> bool:
        """Whether a local was made a number last: `secret = max(1, secret)`."""
        found = context.module.index.lookup(node.id, node) if isinstance(node, ast.Name) else None
        return found is not None and any(
            isinstance(binding.value, ast.Call)
            and isinstance(binding.value.func, ast.Name)
            and binding.value.func.id in _NUMBERS
            for binding in found[1]
        )

    def _is_name_of_another(self, node: ast.expr, call: ast.Call, context: Context) -> bool:
        """Whether a local says which entry is meant (`headers[auth_header]`), or undoes a change.

        The latter is the token of a context variable, which `reset` takes.
        """
        index = context.module.index
        function = index.function_of(call)
        if not isinstance(node, ast.Name) or function is None:
            return False
        is_entry = node.id in _ENTRIES
        cls = index.class_of(function) if is_entry else None
        for each in ast.walk(cls) if cls is not None else index.own_nodes(function):
            match each:
                case (
                    ast.Subscript(slice=ast.Name(id=name))
                    | ast.Subscript(slice=ast.Call(func=ast.Attribute(value=ast.Name(id=name))))
                    | ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Name(id=name), *_])
                ) if is_entry and name == node.id:
                    return True
                case ast.Call(func=ast.Attribute(attr="reset"), args=[ast.Name(id=name)]) if (
                    name == node.id
                ):
                    return True
        return False

    def _serves(self, call: ast.Call, context: Context) -> bool:
        """Whether a call stands in FastAPI code, rather than in what runs before it."""
        function = context.module.index.function_of(call)
        return function is None or bool(
            context.model.roles(Function(context.module, function)) - {Role.LIFESPAN}
        )

    def _is_secret(
        self, name: str | None, node: ast.expr, call: ast.Call, context: Context
    ) -> bool:
        if is_bearer_credentials(context.model, context.module, node):
            return True
        if not (is_password_name(name) or is_key_name(name) or is_token_name(name)):
            return False
        value: Value = context.resolve(node)
        is_told = isinstance(call.func, ast.Name) or (
            is_password_name(name) and not self._serves(call, context)
        )
        if is_told and self._is_new(node, context):
            return False
        if self._is_address(node, call, context) or self._is_name_of_another(node, call, context):
            return False
        is_way_in = not is_password_name(name) and "secret" not in (name or "")
        if is_way_in and self._starts_server(call, context):
            return False
        if isinstance(value, Function | Class) or self._is_lexical(name, context):
            return False
        if isinstance(node, ast.Call):
            return True
        if (
            isinstance(value, Instance)
            and any(isinstance(each, Instance | Class) for each in value.args)
            and context.model.is_instance(value, *_SEQUENCES)
        ):
            return False  # a list of objects that have names and ids, too
        return not (
            context.model.is_instance(value, *_HARMLESS_TYPES) or self._is_number(node, context)
        )


def _said(call: ast.Call) -> str:
    """The literal text of a log call."""
    return " ".join(
        part.value
        for given in call.args
        for part in ast.walk(given)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
