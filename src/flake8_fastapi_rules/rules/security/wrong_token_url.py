"""FAR720: a log-in form that asks at the wrong door."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.paths import format_of
from flake8_fastapi_rules.semantics.values import Expression, ModuleValue

_SCHEMES = {
    "fastapi.security.OAuth2PasswordBearer": 0,
    "fastapi.security.OAuth2AuthorizationCodeBearer": 1,
}
_LOCAL = re.compile(r"^http://(?:localhost|127\.|0\.0\.0\.0|\[::1\])")


class WrongTokenUrl(Rule):
    """Name the route that really gives the tokens.

    ## What it does
    Reports a `tokenUrl` that is plain `http://`, or that no route of the app serves.

    ## Why it matters
    The schema tells clients, and the "Authorize" button of the documentation, where to send names
    and passwords. A wrong path answers 404; plain HTTP shows them to everybody on the way.

    ## Example
    ```python
    from fastapi.security import OAuth2PasswordBearer

    bearer = OAuth2PasswordBearer(tokenUrl="http://login.shop.example/token")
    ```

    ## Use instead
    ```python
    from fastapi.security import OAuth2PasswordBearer

    bearer = OAuth2PasswordBearer(tokenUrl="https://login.shop.example/token")
    ```

    ## Leaves alone
    `http://localhost`, other servers, URLs that are put together at run time, and projects where a
    path cannot be known: `root_path`, mounted apps, routes or includes that are not certain.

    ## Source
    FastAPI's tutorial on OAuth2: `tokenUrl` is relative to the app.
    """

    code = "FAR720"
    message = "No route of the app serves `{url}`; name the one that gives the tokens"
    variants = {"http": "`{url}` sends passwords in plain text; use `https`"}
    profiles = ("recommended",)
    scope = "project"
    hints = ("OAuth2",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the argument."""
        callee = context.library_object(call.func)
        if callee is None or callee.name not in _SCHEMES:
            return
        given = argument(call, "tokenUrl", _SCHEMES[callee.name])
        url = context.model.text(context.module, given)
        if given is None or not url:
            return
        if "://" in url or url.startswith("//"):
            if url.startswith("http://") and not _LOCAL.match(url):
                yield self.report(given, "http", url=url)
        elif _is_written_down(given, context):
            if self._is_unserved(url, context):
                yield self.report(given, url=url)
        elif (rest := _behind_prefix(given, context)) and self._is_unserved(
            rest, context, is_behind_prefix=True
        ):
            yield self.report(given, url=url)

    def _is_unserved(self, url: str, context: Context, *, is_behind_prefix: bool = False) -> bool:
        """Whether certainly no route of any app of the project answers a path.

        Parameters:
            url: the path.
            is_behind_prefix: it is only the end of a path, whose beginning is a setting.
        """
        project = context.model.project(context.module)
        if not project.apps or not project.every_include_resolved:
            return False
        for app in project.apps:
            if app.is_mounted or not project.is_complete(app):
                return False
            if project.resolved_mounts(app):
                return False
        for module in context.model.uses(context.module).modules:
            for made in context.model.local(module, App):
                names = {"root_path", "root_path_in_servers", "openapi_prefix"}
                if made.has_unknown_arguments or not names.isdisjoint(made.arguments):
                    return False
                if not _are_here(context.model, module, made.arguments.get("servers")):
                    return False
        wanted = self._normal(url)
        routes = project.all_routes
        if not routes:
            return False
        for route in routes:
            if route.path is None or route.methods is None:
                return False
            if self._fits(wanted, route.path, is_behind_prefix=is_behind_prefix):
                return False
        return True

    def _normal(self, url: str) -> str:
        path = url.partition("?")[0].removeprefix("./")
        return "/" + path.strip("/")

    def _fits(self, wanted: str, path: str, *, is_behind_prefix: bool) -> bool:
        takes_all = ":path}" in path
        path = "/" + format_of(path).strip("/")
        if is_behind_prefix:
            segments, last = wanted.split("/")[1:], path.split("/")[1:]
            return takes_all or (
                len(last) >= len(segments)
                and all(
                    there == here or "{" in here
                    for there, here in zip(segments, last[-len(segments) :], strict=True)
                )
            )
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
        return re.fullmatch(pattern, wanted) is not None


def _is_written_down(node: ast.expr, context: Context) -> bool:
    """Whether a path is made of texts and constants: what a setting is by default may change."""
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.JoinedStr(values=parts):
            return all(_is_written_down(part, context) for part in parts)
        case ast.FormattedValue(value=inner):
            return _is_written_down(inner, context)
        case ast.BinOp(left=left, right=right):
            return _is_written_down(left, context) and _is_written_down(right, context)
        case ast.Attribute(value=owner):
            return isinstance(context.resolve(owner), ModuleValue)
        case _:
            return False


def _behind_prefix(node: ast.expr, context: Context) -> str | None:
    """The path behind a setting that is a path itself: `/token` of `f"{settings.api}/token"`."""
    match node:
        case ast.JoinedStr(values=[ast.FormattedValue(value=setting, conversion=-1), *rest]):
            parts = rest
        case ast.BinOp(op=ast.Add(), left=setting, right=right):
            parts = [right]
        case _:
            return None
    default = context.model.text(context.module, setting)
    if default is None or not default.startswith("/") or not isinstance(setting, ast.Attribute):
        return None
    texts = [
        context.model.text(context.module, part) if _is_written_down(part, context) else None
        for part in parts
    ]
    path = "".join(text or "" for text in texts)
    return path if None not in texts and path.startswith("/") and len(path) > 1 else None


def _are_here(model: Model, module: Module, servers: ast.expr | None) -> bool:
    """Whether all that `servers=` names is the place where the app itself answers."""
    if servers is None:
        return True
    value = model.resolve(module, servers)
    if not isinstance(value, Expression) or not isinstance(value.node, ast.List):
        return False
    for server in value.node.elts:
        if not isinstance(server, ast.Dict):
            return False
        urls = [
            model.text(value.module, url)
            for key, url in zip(server.keys, server.values, strict=True)
            if key is None or model.text(value.module, key) == "url"
        ]
        if urls != ["/"]:
            return False
    return True
