"""The requests that tests make, and the routes that they reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.files import python_files
from flake8_fastapi_rules.semantics.framework import VERBS, path_regex
from flake8_fastapi_rules.semantics.libraries import TEST_CLIENTS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.values import Constant, Expression, FunctionNode, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.project import ResolvedRoute
    from flake8_fastapi_rules.semantics.uses import Uses

_METHODS = frozenset({*VERBS, "request", "stream", "websocket_connect"})
#: Stands for a part of a path that is only known when the test runs.
_ANY = "\0"
#: Methods that find a path by a route's name.
_BY_NAME = frozenset({"url_for", "url_path_for"})
_TEXTS = (ast.JoinedStr, ast.BinOp, ast.Call)


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A request in a test.

    Parameters:
        node: the call.
        method: in upper case, `WEBSOCKET` for connections; `None` when it cannot be told.
        path: with a NUL character for each part that is not constant; `None` when nothing of it
            is known.
        function: the test or helper that makes it.
        is_certain: the receiver is known to be a test client.
    """

    module: Module
    node: ast.Call
    method: str | None
    path: str | None
    function: ast.AST | None
    is_certain: bool


def client_calls(model: Model, module: Module) -> Iterator[ClientCall]:
    """The requests in a module of tests (or in a helper beside them), in source order."""
    for node in module.index.nodes(ast.Call):
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in _METHODS):
            continue
        receiver = model.resolve(module, func.value)
        is_certain = model.is_instance(receiver, *TEST_CLIENTS)
        if not is_certain and (isinstance(receiver, Instance) or not _looks_like_request(node)):
            continue
        arguments = list(node.args)
        method: str | None = func.attr.upper()
        if func.attr in {"request", "stream"}:
            given = arguments.pop(0) if arguments else _keyword(node, "method")
            text = model.text(module, given)
            method = text.upper() if text else None
        elif func.attr == "websocket_connect":
            method = "WEBSOCKET"
        path_node = arguments[0] if arguments else _keyword(node, "url")
        path = _path(model, module, path_node)
        yield ClientCall(module, node, method, path, module.index.function_of(node), is_certain)


def _looks_like_request(node: ast.Call) -> bool:
    """Whether an unknown receiver's call has a path like a request's: `"/items"`."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0]
    return (
        isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value[:1] == "/"
    )


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg == name), None)


def _path(model: Model, module: Module, node: ast.expr | None) -> str | None:
    text = _pattern(model, module, node)
    if text is None or (text.strip(_ANY + "/") == "" and _ANY in text):
        return None
    text = re.sub(r"^https?://[^/\0]+", "", text)
    return text.split("?", 1)[0].split("#", 1)[0] or "/"


def _pattern(model: Model, module: Module, node: ast.expr | None) -> str | None:
    if node is None:
        return None
    value = model.resolve(module, node)
    if isinstance(value, Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(node, ast.Name | ast.Attribute):
        if isinstance(value, Expression) and isinstance(value.node, _TEXTS):
            return _pattern(model, value.module, value.node)  # `url = f"/items/{item_id}"`
        home, made = model.resolver.written(module, node) or (module, None)
        # `url = app.url_path_for("read_item", item_id=3)`
        return _pattern(model, home, made) if isinstance(made, ast.Call) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.Constant) else _part(model, module, part)
            for part in node.values
        ]
        return "".join(str(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_pattern(model, module, side) for side in (node.left, node.right))
        return None if left is None and right is None else f"{left or _ANY}{right or _ANY}"
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "str" and len(node.args) == 1:
        return _pattern(model, module, node.args[0])
    if not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr in _BY_NAME:
        return _path_by_name(model, module, node)
    if node.func.attr == "format":
        template = _pattern(model, module, node.func.value)
        return re.sub(r"{[^}]*}", _ANY, template) if template else None
    return None


def _path_by_name(model: Model, module: Module, call: ast.Call) -> str | None:
    """The path that `app.url_path_for("read_item", item_id=3)` gives, where one route has the name.

    What a parameter is given stays open.
    """
    name = model.text(module, call.args[0] if call.args else _keyword(call, "name"))
    paths = {
        route.path
        for route in (model.project(module).all_routes if name else ())
        if route.name == name and route.path is not None
    }
    return re.sub(r"{[^}]*}", _ANY, paths.pop()) if len(paths) == 1 else None


def _part(model: Model, module: Module, part: ast.expr) -> str:
    inner = part.value if isinstance(part, ast.FormattedValue) else part
    value = model.resolve(module, inner)
    return str(value.value) if isinstance(value, Constant) and value.value is not None else _ANY


def reaches(call: ClientCall, route: ResolvedRoute) -> bool:
    """Whether a request goes to a route: method and path fit, unknown parts of it included."""
    if route.path is None or call.path is None:
        return False
    return _has_method(call, route) and _fits(call.path, route.path)


def _has_method(call: ClientCall, route: ResolvedRoute) -> bool:
    if call.method is not None and call.method != "WEBSOCKET":
        return route.methods is not None and call.method in route.methods
    return (call.method == "WEBSOCKET") == (route.methods == ())


def _fits(path: str, template: str) -> bool:
    if _ANY not in path:
        pattern = _pattern_of_path(template)
        return pattern is not None and pattern.fullmatch(path) is not None
    # Compare segment by segment; an unknown part stands for anything within its segments.
    wanted = _segments(template)
    given = path.split("/")
    if path.startswith(_ANY):  # an unknown base: only the end can be compared
        given = given[1:]
        wanted = wanted[-len(given) :] if given else ()
    if "{*}" in wanted:
        return True
    if len(wanted) != len(given):
        return False
    return all(
        segment.startswith("{") or _pattern_of_part(part).fullmatch(segment) is not None
        for segment, part in zip(wanted, given, strict=True)
    )


# Each route is compared with each request.
@lru_cache(maxsize=4096)
def _pattern_of_path(template: str) -> re.Pattern[str] | None:
    pattern = path_regex(template)
    return None if pattern is None else re.compile(pattern.strip("^$"))


@lru_cache(maxsize=4096)
def _segments(template: str) -> tuple[str, ...]:
    return tuple(re.sub(r"{[^}]*:path}", "{*}", template).split("/"))


@lru_cache(maxsize=4096)
def _pattern_of_part(part: str) -> re.Pattern[str]:
    return re.compile(re.escape(part).replace(re.escape(_ANY), "[^/]*"))


class TestRequests:
    """All requests that the tests of a project make.

    Parameters:
        calls: the requests, in the order of modules.
    """

    __test__ = False  # it is not a test itself, whatever pytest thinks of its name

    def __init__(self, model: Model, uses: Uses) -> None:
        self._model = model
        self.calls: list[ClientCall] = []
        for path in python_files(uses.root):
            if _may_test(path.parts):
                tests = model.modules.load(path)
                if tests is not None:
                    self.calls.extend(client_calls(model, tests))

    @property
    def uses_client(self) -> bool:
        """Whether the project has tests that use a client at all."""
        return any(call.is_certain for call in self.calls)

    def methods_told(self, routes: Collection[ResolvedRoute]) -> tuple[str, ...]:
        """The methods of routes, when it can be told which requests reach these.

        Returns:
            The methods in order, `WEBSOCKET` for those of WebSockets; none when some route's path
            or the path of some request by such a method cannot be told, or nothing is requested.
        """
        if not self.uses_client or not all(r.certain and r.path is not None for r in routes):
            return ()
        methods = {method for r in routes for method in (r.methods or ("WEBSOCKET",))}
        unclear = {call.method for call in self.calls if call.path is None}
        return () if None in unclear or methods & unclear else tuple(sorted(methods))

    def to(self, route: ResolvedRoute) -> list[ClientCall]:
        """The requests that reach a route, also where Starlette redirects them by a slash."""
        return [
            call for call in self.calls if reaches(call, route) or self._is_redirected(call, route)
        ]

    def _is_redirected(self, call: ClientCall, route: ResolvedRoute) -> bool:
        """Whether nothing is served at a request's path, but this route with or without a slash."""
        if call.path is None or call.method == "WEBSOCKET":
            return False
        if "/" not in call.path.rstrip("/"):
            return False  # nothing, or a part of a path at most
        if route.path is None or not _has_method(call, route):
            return False
        other = call.path[:-1] if call.path.endswith("/") else f"{call.path}/"
        return _fits(other, route.path) and not any(
            each.path is not None and _fits(call.path, each.path)
            for each in self._model.project(call.module).all_routes
        )

    def expects(self, call: ClientCall, statuses: frozenset[int]) -> bool:
        """Whether the test around a request names one of these statuses, and not for another."""
        function = call.function
        if not isinstance(function, FUNCTIONS):
            return False
        for node in ast.walk(function):
            if isinstance(node, ast.Constant | ast.Attribute | ast.Name):
                if self._model.status(call.module, node) in statuses:
                    if not _is_of_another(call, function, node):
                        return True
        return False


def _is_of_another(call: ClientCall, function: FunctionNode, status: ast.AST) -> bool:
    """Whether a status is expected of another request than `call`, as far as its statement says."""
    index = call.module.index
    there, here = index.statement_of(status), index.statement_of(call.node)
    if there is here or not isinstance(there, ast.Assert):
        return False  # in a decorator it holds for all
    judged = {
        node.value
        for node in ast.walk(there)
        if isinstance(node, ast.Attribute) and node.attr == "status_code"
    }
    if len(judged) != 1:
        return False
    answer = judged.pop()
    if isinstance(answer, ast.Await):
        answer = answer.value
    if not isinstance(answer, ast.Name):
        return isinstance(answer, ast.Call)
    bound = [
        statement
        for statement in index.own_nodes(function)
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and any(
            isinstance(target, ast.Name) and target.id == answer.id
            for target in getattr(statement, "targets", None)
            or [getattr(statement, "target", None)]
        )
        and statement.lineno < there.lineno
    ]
    if not bound or here not in bound:
        return bool(bound)
    # Bound once more since, and in every case.
    return any(
        each.lineno > call.node.lineno and index.parents.get(each) is index.parents.get(here)
        for each in bound
        if each is not here
    )


def _may_test(parts: tuple[str, ...]) -> bool:
    name = parts[-1]
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
        or any(part in {"tests", "test"} for part in parts[:-1])
    )


#: The requests of a project's tests.
test_requests = PerProject(TestRequests)
