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
)
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.libraries import is_log_call
from flake8_fastapi_rules.semantics.logged import (
    is_made_a_number,
    is_made_here,
    is_made_instead,
    is_masked,
    is_name_of_account,
    is_name_of_entry,
    is_name_of_folder,
    is_name_of_thing,
    is_object,
    is_told_once,
    is_word_of_language,
    said_in_log,
    shown_in_log,
    starts_server_later,
)
from flake8_fastapi_rules.semantics.scripts import is_run_by_hand
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
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
#: Classes that print what others would send.
_STAND_IN = re.compile(r"(?i)console|stdout|simulat|dummy|fake|mock|debug")
#: What a line of the log says that only tells what would be sent.
_PRETENDING = re.compile(r"(?i)simulat|dummy|\bfake|\bmock")
#: Names of what is told of a secret in its place.
_TELLING = re.compile(
    r"mask|redact|hidden|hash|hint|prefix|suffix|shown|safe|(?:^|_)(?:id|name|type|kind|status|len"
    r"|length|count|is|has)(?:_|$)"
)


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
    Shortened and masked values (`token[:4]`, `mask(token)`, `len(token)`), also where a variable
    holds them, `SecretStr`, numbers, branches for development (`if settings.debug:`),
    names that only begin like a secret (`token_count`, `password_changed_at`), the tokens of
    parsers, the access key of a pair with a secret key, what scripts and main programs tell, or
    classes that print what others would send (`ConsoleMailer`), lines that say that they only
    simulate, a secret that is printed where it was just made (`secrets`), a key of the process that
    is made as none was set, a first password that is logged where it was just made or by lines that
    speak of a default user or an administrator, before anything is served, what is told to whoever
    starts the server ("your key is"), also before `uvicorn.run`, and a plain `token`
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
        if is_run_by_hand(context.model, context.module):
            return
        if _PRETENDING.search(said_in_log(call)) or is_for_development(context.module, call):
            return
        for keyword in call.keywords:
            if self._is_named_secret(keyword, context):
                yield self.report(keyword.value, name=keyword.arg)
                return
        for given in (*call.args, *(k.value for k in call.keywords)):
            for node in shown_in_log(given):
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
            names += [last_name(node) for node in shown_in_log(given)]
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
        model, module = context.model, context.module
        value: Value = context.resolve(node)
        is_told = isinstance(call.func, ast.Name) or (
            is_password_name(name) and not self._serves(call, context)
        )
        if is_told and is_made_here(model, module, node):
            return False
        if is_made_instead(model, module, node, call) or is_name_of_account(module, node):
            return False
        if is_masked(module, node) or is_name_of_folder(module, name) or is_object(module, node):
            return False
        if not self._serves(call, context) and is_told_once(module, call, is_password_name(name)):
            return False
        if is_name_of_thing(module, node, call) or is_name_of_entry(module, node, call):
            return False
        is_way_in = not is_password_name(name) and "secret" not in (name or "")
        if is_way_in and starts_server_later(model, module, call):
            return False
        if isinstance(value, Function | Class) or is_word_of_language(module, name):
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
            context.model.is_instance(value, *_HARMLESS_TYPES) or is_made_a_number(module, node)
        )
