"""FAR102: a factory that is called at import after all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.values import Class, Function, Instance


class ModuleLevelFactoryCall(Rule):
    """Let the server call the factory instead of calling it at import.

    ## What it does
    Reports a call at module scope of a function of the project that returns an app.

    ## Why it matters
    `app = create_app()` undoes what the factory is good for: importing the module builds the app,
    with the settings and the environment of that moment. Servers call factories themselves:
    `uvicorn --factory shop.main:create_app`.

    ## Example
    ```python
    from fastapi import FastAPI
    from shop import assemble


    def create_app() -> FastAPI:
        return assemble("shop.yaml")


    app = create_app()
    ```

    ## Use instead
    ```python
    import uvicorn


    def main() -> None:
        uvicorn.run("shop.application:create_app", factory=True)


    if __name__ == "__main__":
        main()
    ```

    ## Leaves alone
    Calls inside functions, under `if __name__ == "__main__"` and under `if TYPE_CHECKING`, and
    functions of which it cannot be told what they return.

    ## Source
    The convention of application factories; `uvicorn --factory` since uvicorn 0.11.6.
    """

    code = "FAR102"
    message = "`{name}()` builds the app at import; run it with `uvicorn --factory`"
    profiles = ("strict", "clean-architecture")
    scope = "project"

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls at import that give an app which the callee built."""
        if not context.module.index.runs_at_import(call):
            return
        match context.resolve(call.func):
            case Function() | Instance(of=Class()):  # `AppFactory(settings)()`, too
                pass
            case _:
                return
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        values = [context.resolve(node) for node in given]
        if any(context.model.is_instance(value, "fastapi.FastAPI") for value in values):
            return  # it does something to an app
        if context.model.is_instance(context.resolve(call), "fastapi.FastAPI"):
            yield self.report(call, name=ast.unparse(call.func))
