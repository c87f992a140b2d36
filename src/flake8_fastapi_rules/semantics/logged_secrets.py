"""Secrets that are written to the log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.bases import is_of_made_model
from flake8_fastapi_rules.semantics.credentials import (
    is_bearer_credentials,
    is_key_name,
    is_password_name,
    is_stored_class,
    is_token_name,
    last_name,
)
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.libraries import is_log_call
from flake8_fastapi_rules.semantics.logged import (
    DUMPS,
    given_to_log,
    is_coin,
    is_made_a_number,
    is_made_here,
    is_made_instead,
    is_masked,
    is_name_of_account,
    is_name_of_entry,
    is_name_of_folder,
    is_name_of_thing,
    is_object,
    is_searched_for,
    is_told_once,
    is_word_of_language,
    said_in_log,
    shown_in_log,
    starts_server_later,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.schemas import excluded_names, schema_fields
from flake8_fastapi_rules.semantics.scripts import is_in_command, is_run_by_hand
from flake8_fastapi_rules.semantics.taint import CONNECTIONS
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: The methods of loggers that write.
LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "fatal", "log", "trace"}
)
_LOGGER_NAMES = frozenset({"logger", "log", "logging", "_logger", "LOGGER", "LOG", "_log"})
_HEADERS = "starlette.datastructures.Headers"
#: Headers of responses hold less.
_ANSWER_HEADERS = "starlette.datastructures.MutableHeaders"
#: A part of a form has headers of its own, without tokens.
_UPLOAD = "starlette.datastructures.UploadFile"
_HARMLESS_TYPES = (
    "pydantic.SecretStr", "pydantic.SecretBytes", "builtins.int", "builtins.bool",
    "builtins.float", "enum.Enum",
)  # fmt: skip
#: Names of the cookies that sessions are kept in.
_SESSION = re.compile(r"^(?:\w+_)?(?:session|session_id|sessionid|sid)$")
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


@dataclass(frozen=True, slots=True)
class LoggedSecret:
    """A secret that goes to the log.

    Parameters:
        node: where it stands in the call.
        name: the name of the field of a structured log that tells it, or how a part of what stands
            there is called (`body.password`); `None` elsewhere.
        is_headers: all headers, with the secrets in them.
        is_cookies: all cookies, with those of sessions.
    """

    node: ast.expr
    name: str | None = None
    is_headers: bool = False
    is_cookies: bool = False


def logged_secret(model: Model, module: Module, call: ast.Call) -> LoggedSecret | None:
    """The first secret that a call writes to the log; `None` for other calls."""
    search = _Search(model, module, call)
    if not search.may_tell() or not search.logs() or is_run_by_hand(model, module):
        return None
    if _PRETENDING.search(said_in_log(module, call)) or is_for_development(module, call):
        return None
    if is_in_command(module, call):
        return None
    return next(search.secrets(), None)


@dataclass(frozen=True, slots=True)
class _Search:
    model: Model
    module: Module
    call: ast.Call

    def secrets(self) -> Iterator[LoggedSecret]:
        """What of the call is a secret, fields that are called so first."""
        for keyword in self.call.keywords:
            if self._is_named_secret(keyword):
                yield LoggedSecret(keyword.value, keyword.arg)
        for given, text in given_to_log(self.module, self.call):
            for node in shown_in_log(text):
                place, name = (node, None) if text is given else (given, ast.unparse(node))
                if self._is_headers(node):
                    yield LoggedSecret(place, is_headers=True)
                elif self._is_cookies(node):
                    yield LoggedSecret(place, is_cookies=True)
                elif self._is_cookie_of_session(node) or self._is_secret(last_name(node), node):
                    yield LoggedSecret(place, name)
                elif password := self._password_in(node):
                    yield LoggedSecret(place, password)

    def _password_in(self, node: ast.expr) -> str | None:
        """The password of a model that is shown with all of its fields, as the code would say."""
        shown, left_out = node, frozenset[object]()
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in DUMPS:
                return None
            if any(keyword.arg in {"include", None} for keyword in node.keywords):
                return None
            shown, left_out = node.func.value, excluded_names(node)
            if not left_out and any(keyword.arg == "exclude" for keyword in node.keywords):
                return None
        model = self.model
        value = model.resolve(self.module, shown)
        if not isinstance(value, Instance) or not isinstance(value.of, Class):
            return None
        if not model.is_subclass(value.of, "pydantic.BaseModel") or is_stored_class(
            model, value.of
        ):
            return None
        if shown is node and _shows_itself(model, value.of):
            return None
        for each in schema_fields(model, value.of):
            if not is_password_name(each.name) or each.name in left_out:
                continue
            typed = model.resolver.annotation(each.module, each.node.annotation)
            is_hidden = each.argument("exclude") or (shown is node and each.argument("repr"))
            if not is_hidden and not model.is_instance(typed, *_HARMLESS_TYPES):
                return f"{ast.unparse(shown)}.{each.name}"
        return None

    def _is_headers(self, node: ast.expr) -> bool:
        """Whether an expression is all headers of a request."""
        if isinstance(node, ast.Attribute) and node.attr == "raw":
            node = node.value
        value = self.model.resolve(self.module, node)
        if not self.model.is_instance(value, _HEADERS):
            return False
        if self.model.is_instance(value, _ANSWER_HEADERS):
            return False
        return not isinstance(node, ast.Attribute) or not self.model.is_instance(
            self.model.resolve(self.module, node.value), _UPLOAD
        )

    def _is_cookies(self, node: ast.expr) -> bool:
        """Whether an expression is all cookies of a request."""
        if isinstance(node, ast.Name):
            found = self.module.index.lookup(node.id, node)
            bindings = found[1] if found is not None else []
            given = bindings[0].given if len(bindings) == 1 else None
            return isinstance(given, ast.Attribute) and self._is_cookies(given)
        return (
            isinstance(node, ast.Attribute)
            and node.attr == "cookies"
            and self.model.is_instance(self.model.resolve(self.module, node.value), *CONNECTIONS)
        )

    def _is_cookie_of_session(self, node: ast.expr) -> bool:
        """Whether an expression is the cookie that a client is known by."""
        match node:
            case (
                ast.Subscript(value=cookies)
                | ast.Call(func=ast.Attribute(attr="get", value=cookies))
            ):
                return _SESSION.search(last_name(node) or "") is not None and (
                    self._is_cookies(cookies)
                )
        return False

    def may_tell(self) -> bool:
        """Whether the names of the arguments leave it possible that one is a secret (cheap)."""
        text = self.module.source.text
        if "eaders" in text or "credentials" in text or ".cookies" in text:
            return True
        names = [keyword.arg for keyword in self.call.keywords]
        for _, text_given in given_to_log(self.module, self.call):
            for node in shown_in_log(text_given):
                if "assword" in text and self._may_be_model(node):
                    return True
                names.append(last_name(node))
        return any(is_password_name(n) or is_key_name(n) or is_token_name(n) for n in names)

    def _may_be_model(self, node: ast.expr) -> bool:
        """Whether an expression is a dump, or a parameter that says of which type it is."""
        match node:
            case ast.Call(func=ast.Attribute(attr=attr)):
                return attr in DUMPS
            case ast.Name(id=name):
                found = self.module.index.lookup(name, node)
                bound = found[1][0].node if found is not None and len(found[1]) == 1 else None
                return isinstance(bound, ast.arg) and bound.annotation is not None
            case _:
                return False

    def _is_named_secret(self, keyword: ast.keyword) -> bool:
        """Whether a field of a structured log is a secret by its own name: `api_key=caller`."""
        if not (is_password_name(keyword.arg) or is_key_name(keyword.arg)):
            return False
        node = keyword.value
        name = last_name(node)
        if not isinstance(node, ast.Name | ast.Attribute) or name is None or _TELLING.search(name):
            return False
        value: Value = self.model.resolve(self.module, node)
        return not isinstance(value, Constant | Function | Class) and not self.model.is_instance(
            value, *_HARMLESS_TYPES
        )

    def logs(self) -> bool:
        func = self.call.func
        if isinstance(func, ast.Name):
            return (
                func.id == "print"
                and self.model.resolve(self.module, func) == External("builtins.print")
                and not self._is_output()
            )
        if not isinstance(func, ast.Attribute) or func.attr not in LEVELS:
            return False
        callee = self.model.resolve(self.module, func)
        if isinstance(callee, External):
            return is_log_call(callee.name)
        if callee:
            return False
        owner = func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        return name in _LOGGER_NAMES

    def _is_output(self) -> bool:
        """Whether printing is what a program is for: a script, or what runs as the main program."""
        index = self.module.index
        function = index.function_of(self.call)
        if isinstance(function, FUNCTIONS) and function.name == "main":
            return True
        if function is None and not index.runs_at_import(self.call):
            return True
        cls = index.class_of(function) if function is not None else None
        if cls is not None and _STAND_IN.search(cls.name):
            return True
        return not self.model.shared_state(self.module).is_part_of_service(self.module)

    def _serves(self) -> bool:
        """Whether a call stands in FastAPI code, rather than in what runs before it."""
        function = self.module.index.function_of(self.call)
        return function is None or bool(
            self.model.roles(Function(self.module, function)) - {Role.LIFESPAN}
        )

    def _is_secret(self, name: str | None, node: ast.expr) -> bool:
        if is_bearer_credentials(self.model, self.module, node):
            return True
        if not (is_password_name(name) or is_key_name(name) or is_token_name(name)):
            return False
        model, module = self.model, self.module
        value: Value = self.model.resolve(self.module, node)
        is_told = isinstance(self.call.func, ast.Name) or (
            is_password_name(name) and not self._serves()
        )
        if is_told and is_made_here(model, module, node):
            return False
        if is_made_instead(model, module, node, self.call) or is_name_of_account(module, node):
            return False
        if is_masked(module, node) or is_name_of_folder(module, name) or is_object(module, node):
            return False
        if not self._serves() and is_told_once(module, self.call, is_password_name(name)):
            return False
        if is_name_of_thing(module, node, self.call) or is_name_of_entry(module, node, self.call):
            return False
        is_way_in = not is_password_name(name) and "secret" not in (name or "")
        if is_way_in and starts_server_later(model, module, self.call):
            return False
        if isinstance(node, ast.Attribute) and _is_field_of_unseen(model, module, node):
            return False
        if isinstance(value, Function | Class) or is_word_of_language(module, name):
            return False
        if is_coin(module, node) or (is_token_name(name) and is_searched_for(module, node)):
            return False
        if isinstance(node, ast.Call):
            return True
        if (
            isinstance(value, Instance)
            and any(isinstance(each, Instance | Class) for each in value.args)
            and self.model.is_instance(value, *_SEQUENCES)
        ):
            return False  # a list of objects that have names and ids, too
        return not (
            self.model.is_instance(value, *_HARMLESS_TYPES) or is_made_a_number(module, node)
        )


def _shows_itself(model: Model, cls: Class) -> bool:
    """Whether a class says by itself what is shown of its objects."""
    return any(
        isinstance(model.resolver.class_attribute(cls, name, instance=True), Function)
        for name in ("__repr__", "__str__", "__repr_args__")
    )


def _is_field_of_unseen(model: Model, module: Module, node: ast.Attribute) -> bool:
    """Whether the type of a model's field is not written down: it may well hide its value."""
    return is_of_made_model(model.resolve(module, node.value))
