"""FAR108: an app that does not say what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.making import takes_option
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

_WANTED = ("title", "version", "description")
#: What runs or tests an app as it is.
_SERVERS = ("uvicorn.", "hypercorn.", "granian.", "mangum.", "starlette.", "fastapi.", "httpx.")


class MissingAppMetadata(Rule):
    """Give the app a title, a version and a description.

    ## What it does
    Reports apps without one of `title`, `version` and `description`.

    ## Why it matters
    They head the documentation, name the packages of generated clients and tell two versions of an
    API apart. Unset, the title is "FastAPI" and the version 0.1.0, as in every other service.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI(title="Shop")
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI

    from shop.lifespan import lifespan


    def create_app() -> FastAPI:
        return FastAPI(
            title="Shop", version="1.0.0", description="Sells things.", lifespan=lifespan
        )
    ```

    ## Leaves alone
    Calls with `**kwargs`, subclasses with an `__init__` of their own that hands on no such option,
    what is assigned later (`app.description = ...`, or an `app.openapi` of its own), and apps made
    for a library, which may describe them: `StacApi(app=FastAPI())`.

    ## Source
    FastAPI's documentation on metadata.
    """

    code = "FAR108"
    message = "App has no {missing}; the documentation and generated clients show it"
    profiles = ("strict",)

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report apps with what they lack."""
        if app.has_unknown_arguments or self._is_given_away(app, context):
            return
        if isinstance(app.cls, Class):
            init = context.model.resolver.class_attribute(app.cls, "__init__", instance=True)
            if isinstance(init, Function):
                yield from self._report(app, self._not_handed_on(app, context), context)
                return
        yield from self._report(app, [n for n in _WANTED if n not in app.arguments], context)

    def _not_handed_on(self, app: App, context: Context) -> list[str]:
        """What a class with a constructor of its own would hand on, but is not given."""
        return [
            name
            for name in _WANTED
            if takes_option(context.model, app.value, name)
            and context.model.is_made_without(app.value, name)
        ]

    def _report(self, app: App, lacking: list[str], context: Context) -> Iterator[Report]:
        later = {*self._set_later(app, context)} if lacking else set[str]()
        missing = [f"`{name}`" for name in lacking if name not in later]
        if missing:
            *first, last = missing
            listed = f"{', '.join(first)} and {last}" if first else last
            yield self.report(app.node, missing=listed)

    def _set_later(self, app: App, context: Context) -> Iterator[str]:
        """The attributes assigned to this app, or to one that cannot be told, behind its call.

        An `openapi` of its own makes the document as it likes, or changes what FastAPI makes of it.
        """
        index = context.module.index
        for node in index.nodes(ast.Attribute):
            if isinstance(node.ctx, ast.Store) and node.attr in {*_WANTED, "openapi"}:
                owner = context.resolve(node.value)
                if isinstance(owner, Instance) and owner.call in {None, app.node}:
                    if node.attr != "openapi":
                        yield node.attr
                    elif self._may_say(getattr(index.parents[node], "value", None), context):
                        yield from _WANTED

    def _may_say(self, given: ast.expr | None, context: Context) -> bool:
        """Whether a document of an app's own may have a title of its own."""
        maker = context.resolve(given.func if isinstance(given, ast.Call) else given)
        if not isinstance(maker, Function) or isinstance(maker.node, ast.Lambda):
            return True
        return any(
            (isinstance(node, ast.keyword) and node.arg in {*_WANTED, None})
            or (isinstance(node, ast.Constant) and node.value in {*_WANTED, "info"})
            for node in ast.walk(maker.node)
        )

    def _is_given_away(self, app: App, context: Context) -> bool:
        """Whether the call stands among the arguments of a library's, other than of a server's."""
        parents = context.module.index.parents
        parent = parents.get(app.node)
        if isinstance(parent, ast.keyword):
            parent = parents.get(parent)
        if not isinstance(parent, ast.Call) or parent.func is app.node:
            return False
        callee = context.library_object(parent.func)
        if callee is not None:
            return not callee.name.startswith(_SERVERS)
        made = context.resolve(parent.func)  # or a project's subclass of a library's
        return isinstance(made, Class) and any(
            isinstance(base, External) and not base.name.startswith(("builtins.", *_SERVERS))
            for base in context.model.resolver.mro(made)
        )
