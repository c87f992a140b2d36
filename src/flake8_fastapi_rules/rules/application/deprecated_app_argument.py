"""FAR121: arguments of the app that are deprecated or gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, remove_named_argument, rename_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.framework import CHANGES
from flake8_fastapi_rules.semantics.values import Class, Constant, Function


class DeprecatedAppArgument(Rule):
    """Do not use arguments of the app that FastAPI deprecated or removed.

    ## What it does
    Reports `root_path=` (deprecated in 0.146), `openapi_prefix=` (removed in 0.145) and `routes=`
    in calls of `FastAPI`.

    ## Why it matters
    `openapi_prefix=` fails with a `TypeError` where the app is built. `root_path=` warns each time:
    under which path a proxy serves the app is a matter of the server that runs it. `routes=` is
    Starlette's: what it is given has no documentation, no validation and no dependencies.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI(root_path="/api/v1")
    ```

    ## Use instead
    ```python
    import uvicorn


    def main() -> None:
        uvicorn.run("shop.main:create_app", factory=True, root_path="/api/v1")
    ```

    ## Leaves alone
    `root_path=""`, which warns of nothing, FastAPI versions that know no better, and subclasses
    with an `__init__` of their own that does not hand it on.

    ## Fix safety
    The fix removes `root_path`, after which the server must be told it (`uvicorn --root-path`), and
    `openapi_prefix`, which below 0.146 becomes `root_path`; unsafe.

    ## Source
    FastAPI 0.146 deprecated `root_path`; 0.145 removed `openapi_prefix`.
    """

    code = "FAR121"
    message = "`{name}=` of the app is deprecated; use {instead}"
    variants = {"removed": "`{name}=` of the app is gone: this fails; use {instead}"}
    profiles = ("recommended",)
    is_bug = True
    fix = "unsafe"
    hints = ("root_path", "openapi_prefix", "routes")

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report each argument by the version of FastAPI."""
        arguments = app.arguments
        if self._has_own_init(app, context):  # `super().__init__(**options)`
            arguments = {
                name: value
                for name, value in arguments.items()
                if (handed := context.model.made_with(app.value, name)) and handed[1] is value
            }
        yield from self._check(app.node, arguments, context)

    @on_calls(("__init__",))
    def check_subclass(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report what a subclass hands on to `FastAPI`, unless it was given it."""
        arguments = {
            each.arg: each.value
            for each in call.keywords
            if each.arg and not isinstance(each.value, ast.Name)
        }
        if arguments and context.model.initialises_app(context.module, call):
            yield from self._check(call, arguments, context)

    def _check(
        self, call: ast.Call, arguments: dict[str, ast.expr], context: Context
    ) -> Iterator[Report]:
        at_least = context.settings.fastapi_at_least
        for name in ("openapi_prefix", "root_path", "routes"):
            value = arguments.get(name)
            change = CHANGES[f"fastapi.FastAPI({name}=)"]
            if value is None or change.deprecated is None or not at_least(*change.deprecated):
                continue
            if name == "root_path" and self._is_empty(value, context):
                continue
            is_gone = change.removed is not None and at_least(*change.removed)
            instead = change.replacement
            if name == "root_path":
                instead = "`--root-path` of the server"
            elif name == "openapi_prefix":
                instead = "`--root-path` of the server" if at_least(0, 146) else "`root_path=`"
            elif name == "routes":
                instead = "`include_router` and `mount`"
            yield self.report(
                value,
                "removed" if is_gone else None,
                fix=lambda name=name: self._fix(call, name, context),  # type: ignore[misc]
                name=name,
                instead=instead,
            )

    def _is_empty(self, value: ast.expr, context: Context) -> bool:
        """Whether a path is none; a setting that is empty by default is there to be set."""
        return not isinstance(value, ast.Attribute) and (
            context.resolve(value) in (Constant(""), Constant(None))
        )

    def _has_own_init(self, app: App, context: Context) -> bool:
        if not isinstance(app.cls, Class):
            return False
        init = context.model.resolver.class_attribute(app.cls, "__init__", instance=True)
        return isinstance(init, Function)

    def _fix(self, call: ast.Call, name: str, context: Context) -> Fix:
        text = text_of(context.module)
        if name == "routes":
            raise Unfixable("the routes must be given to a router, which is included")
        if name == "openapi_prefix" and not context.settings.fastapi_at_least(0, 146):
            edit = rename_argument(text, call, name, "root_path")
            return fix_of("Use `root_path`", "unsafe", edit)
        edits = remove_named_argument(text, call, name)
        return fix_of(f"Remove `{name}`", "unsafe", edits)
