"""FAR117: `uvicorn.run` with an app object where it needs an import string."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of, replace
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on_calls
from flake8_fastapi_rules.semantics.framework import ASGI_APPS
from flake8_fastapi_rules.semantics.resolve import first_argument, literal_keywords
from flake8_fastapi_rules.semantics.values import Class, Constant, Expression, External, Function


class UvicornAppObject(Rule):
    """Give uvicorn an import string when it reloads or starts workers.

    ## What it does
    Reports `uvicorn.run(...)` with an app object, a function or a class as the app together with
    `reload=True` or with more than one of `workers`.

    ## Why it matters
    Reloading and workers start new processes, and those have to import the app by its name.
    uvicorn logs a warning and exits with status 3 without serving a single request.

    ## Example
    ```python
    import uvicorn
    from fastapi import FastAPI


    def main(app: FastAPI) -> None:
        uvicorn.run(app, port=8000, reload=True)
    ```

    ## Use instead
    ```python
    import uvicorn


    def main() -> None:
        uvicorn.run("shop.main:create_app", factory=True, port=8000, reload=True)
    ```

    ## Leaves alone
    Import strings, and values of `app`, `reload` and `workers` that cannot be told.

    ## Fix safety
    The fix writes the import string of an app or factory of the module itself. It is unsafe: the
    name of the module depends on the directory that the process is started in.

    ## Source
    `uvicorn.run` exits so (uvicorn 0.35).
    """

    code = "FAR117"
    message = "`{cause}` needs the app as an import string such as `{name}`: uvicorn exits at once"
    profiles = ("recommended",)
    is_bug = True
    fix = "unsafe"
    hints = ("uvicorn",)

    @on_calls(("run",))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls of `uvicorn.run` that end the process."""
        if context.library_object(call.func) != External("uvicorn.run"):
            return
        app = first_argument(call, "app")
        cause = self._cause(call, context)
        if app is None or cause is None or not self._is_object(app, context):
            return
        name = context.module.name
        if not all(part.isidentifier() for part in name.split(".")) or name.endswith("__main__"):
            name = "package.main"
        target = app.func if isinstance(app, ast.Call) else app
        called = target.id if isinstance(target, ast.Name) else "app"
        yield self.report(
            call,
            cause=cause,
            name=f"{name}:{called}",
            fix=lambda: self._fix(call, app, context),
        )

    def _cause(self, call: ast.Call, context: Context) -> str | None:
        for name, value in self._arguments(call, context):
            match name, context.resolve(value):
                case "reload", Constant(value=True):
                    return "reload=True"
                case "workers", Constant(value=int() as workers) if workers > 1:
                    return f"workers={workers}"
        return None

    def _arguments(self, call: ast.Call, context: Context) -> Iterator[tuple[str, ast.expr]]:
        """The keyword arguments, with those of dicts that are written out in this module."""
        for keyword in call.keywords:
            if keyword.arg is not None:
                yield keyword.arg, keyword.value
                continue
            given = keyword.value
            table = context.resolve(given)
            if isinstance(table, Expression) and table.module is context.module:
                given = table.node
            written = literal_keywords(context.model.resolver, context.module, given)
            yield from (written or {}).items()

    def _is_object(self, app: ast.expr, context: Context) -> bool:
        value = context.resolve(app)
        return isinstance(value, Function | Class) or context.model.is_instance(value, *ASGI_APPS)

    def _fix(self, call: ast.Call, app: ast.expr, context: Context) -> Fix:
        text = text_of(context.module)
        target = app.func if isinstance(app, ast.Call) else app
        index = context.module.index
        bindings = index.module_scope.bindings
        if not isinstance(target, ast.Name) or len(bindings.get(target.id, ())) != 1:
            raise Unfixable("the app has no name at the top of this module")
        binding = bindings[target.id][0]
        found = index.lookup(target.id, target)
        if found is None or found[0] is not index.module_scope:
            raise Unfixable("the app is made in a function")
        if not index.runs_at_import(binding.node):
            raise Unfixable("the app is not made when the module is imported")
        is_factory = isinstance(app, ast.Call) or binding.kind == "def"
        if context.resolve(target) == context.resolve(app) and is_factory:
            raise Unfixable("it is an ASGI function, no factory")
        if isinstance(app, ast.Call) and (app.args or app.keywords):
            raise Unfixable("the factory is called with arguments")
        if binding.kind not in ({"def"} if is_factory else {"assign", "annotated"}):
            raise Unfixable("the app is not made in this module")
        name = context.module.name
        if name.endswith("__main__") or not all(p.isidentifier() for p in name.split(".")):
            raise Unfixable("the module has no name to import it by")
        replaced = replace(text, app, f'"{name}:{target.id}"')
        factory = add_argument(text, call, "factory=True") if is_factory else ()
        return fix_of("Pass an import string", "unsafe", replaced, factory)
