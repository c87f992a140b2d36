"""FAR802: answers that leave without CORS headers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, move_after
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.middlewares import CORS, may_wrap_cors, wrapping_cors
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import first_argument
from flake8_fastapi_rules.semantics.values import Function, qualified_name


class CorsNotOutermost(Rule):
    """Add `CORSMiddleware` last, so that it is the outermost.

    ## What it does
    Reports a middleware that wraps `CORSMiddleware`: added after it, or standing before it in a
    `middleware=[...]` list, whose first element is the outermost.

    ## Why it matters
    The middleware added last sees the request first. When it answers by itself, with a 401, a 429
    or an error page, the answer has no CORS headers: the browser hides it from the page, and shows
    a CORS error instead of the real one. Preflight requests are refused the same way.

    ## Example
    ```python
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    from shop import Authentication


    def add_middleware(app: FastAPI) -> None:
        app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
        app.add_middleware(Authentication)
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    from shop import Authentication


    def add_middleware(app: FastAPI) -> None:
        app.add_middleware(Authentication)
        app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
    ```

    ## Leaves alone
    What must see every request and answer, known by its library or its name: logging, request ids,
    tracing, metrics, error tracking, proxy headers, security headers; what changes or delays the
    requests and answers of others and never makes one; other apps; middleware that cannot be
    resolved.

    ## Fix safety
    The fix moves the `CORSMiddleware` statement behind the other one. It is unsafe since the other
    middleware then no longer sees preflight requests.

    ## Source
    `Starlette.add_middleware` inserts in front of the others.
    """

    code = "FAR802"
    message = "`{name}` wraps `CORSMiddleware`; add CORS last, so that every answer has its headers"
    profiles = ("recommended",)
    scope = "project"
    fix = "unsafe"
    hints = ("iddleware",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report each middleware that is outside of CORS without a need for it."""
        middlewares = context.facts(Middleware)
        reported: set[ast.AST] = set()
        for cors in middlewares:
            if not context.model.is_subclass(cors.target, CORS):
                continue
            for other in middlewares:
                if self._wraps(other, cors, context) and not may_wrap_cors(context.model, other):
                    where = context.related(module, cors.node, "CORS is added here")
                    fix = partial(self._fix, cors, other, context)
                    name = _name_of(other)
                    reported.add(other.node)
                    yield self.report(other.node, related=[where], fix=fix, name=name)
        for other, cors in wrapping_cors(context.model, module):
            if other.node in reported or context.model.is_subclass(other.target, CORS):
                continue
            if not may_wrap_cors(context.model, other):
                reported.add(other.node)
                yield self.report(
                    other.node,
                    related=[context.related(cors.module, cors.node, "CORS is added here")],
                    fix=Unfixable("the two are added in different places"),
                    name=_name_of(other),
                )

    def _wraps(self, other: Middleware, cors: Middleware, context: Context) -> bool:
        """Whether `other` is put around `cors` on the same app, on a path that adds both."""
        if "wrap" in (other.style, cors.style):
            return False  # the names say what is around what, and they change
        if other is cors or other.app != cors.app or not cors.app:
            return False
        if _receiver(other) != _receiver(cors) or _receiver(cors).endswith(")"):
            return False  # a call may make another app each time
        if context.model.is_subclass(other.target, CORS):
            return False
        index = context.module.index
        if other.style == "list" or cors.style == "list":
            if other.style != cors.style or other.place > cors.place:
                return False
            if _scope(other, context) != _scope(cors, context):
                return True
        elif _position(other) < _position(cors) or _scope(other, context) != _scope(cors, context):
            return False
        scope = index.scope_of(cors.node)
        cors_branch, branch = index.branch_of(cors.node, scope), index.branch_of(other.node, scope)
        # Where CORS is added under a condition, what follows wraps it whenever it is there at all;
        # only the branches of one statement exclude each other.
        blocks = dict(cors_branch)
        return all(blocks.get(statement, block) == block for statement, block in branch)

    def _fix(self, cors: Middleware, other: Middleware, context: Context) -> Fix:
        index = context.module.index
        first, second = index.statement_of(cors.node), index.statement_of(other.node)
        if cors.style == "list" or not (
            isinstance(first, ast.Expr) and isinstance(second, ast.stmt)
        ):
            raise Unfixable("the order is that of a list")
        if other.style == "decorator":
            second = other.function
        if first is second:
            raise Unfixable("the order is that of a table")
        if second is None or index.parents.get(first) is not index.parents.get(second):
            raise Unfixable("the two are added in different blocks")
        text = text_of(context.module)
        return fix_of(
            "Add CORS last",
            "unsafe",
            move_after(text, first, second),
            group="middleware",
        )


def _receiver(middleware: Middleware) -> str:
    """The text in front of `.add_middleware`."""
    node = middleware.node
    func = node.func if isinstance(node, ast.Call) and middleware.style != "list" else None
    return ast.unparse(func.value) if isinstance(func, ast.Attribute) else ""


def _position(middleware: Middleware) -> tuple[int, int, int]:
    return middleware.node.lineno, middleware.node.col_offset, middleware.place


def _scope(middleware: Middleware, context: Context) -> object:
    return context.module.index.scope_of(middleware.function or middleware.node)


def _name_of(middleware: Middleware) -> str:
    if middleware.function is not None:
        return middleware.function.name
    if isinstance(middleware.target, Function):
        return getattr(middleware.target.node, "name", "lambda")
    call = middleware.node
    given = first_argument(call, "middleware_class") if isinstance(call, ast.Call) else None
    _, bindings = middleware.module.index.lookup(getattr(given, "id", ""), call) or (None, [])
    if given is not None and not any(binding.kind == "for" for binding in bindings):
        return ast.unparse(given)
    return (qualified_name(middleware.target) or "middleware").rpartition(".")[2]
