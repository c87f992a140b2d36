"""FAR304: a dependency where nobody resolves it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, Role
from flake8_fastapi_rules.semantics.marker_uses import call_without, is_used_as_value
from flake8_fastapi_rules.semantics.values import Function, FunctionNode

#: What Starlette calls by itself, with the app or the request and nothing else.
_WITHOUT_DEPENDENCIES = frozenset(
    {Role.LIFESPAN, Role.EVENT_HANDLER, Role.EXCEPTION_HANDLER, Role.MIDDLEWARE}
)


class DependsInBody(Rule):
    """Let FastAPI resolve dependencies: in a function body `Depends` is only a marker.

    ## What it does
    Reports `Depends(...)` that is used as if it were the dependency's value, in the body of a
    function; and a parameter with `Depends(...)` as default in a function that FastAPI never calls
    and that the project calls, or gives to `add_task`, without this argument; or in what is called
    without dependencies: a lifespan, an event handler, an exception handler, a middleware.

    ## Why it matters
    Only FastAPI resolves dependencies, and only those in the signatures that it reads. Everywhere
    else `Depends(get_session)` is an object that remembers `get_session`; the first method called
    on it raises an `AttributeError`.

    ## Example
    ```python
    from fastapi import Depends


    class Session:
        def count(self) -> int:
            return 0


    def get_session() -> Session:
        return Session()


    def count_items() -> int:
        session = Depends(get_session)
        return session.count()
    ```

    ## Use instead
    ```python
    class Session:
        def count(self) -> int:
            return 0


    def count_items(session: Session) -> int:
        return session.count()
    ```

    ## Leaves alone
    `dependencies=[...]`, `Annotated[...]`, defaults of functions that FastAPI calls, and functions
    that make dependencies: markers that are returned, put into a list, or given to a call outside
    of FastAPI code.

    ## Source
    FastAPI's dependency injection, which reads the signatures of endpoints and dependencies.
    """

    code = "FAR304"
    message = "Take `{target}` as a parameter: in a function body `{marker}(...)` is not resolved"
    variants = {
        "default": (
            "Pass `{name}` to `{function}`: FastAPI never calls it, so `{marker}(...)` stays"
        ),
        "handler": "Make `{name}` inside of `{function}`: as {kind} it gets no dependencies",
    }
    profiles = ("recommended",)
    is_bug = True
    hints = ("Depends", "Security")

    @on(Dependency)
    def check_body(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report markers that are used as values."""
        if is_used_as_value(context.model, dependency):
            shown = context.shown(dependency.target_node) if dependency.target_node else "it"
            yield self.report(dependency.node, marker=dependency.marker.name, target=shown)

    @on(ast.FunctionDef, ast.AsyncFunctionDef)
    def check_default(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report defaults that direct calls fall back on."""
        model, function = context.model, Function(context.module, node)
        for parameter in model.parameters_with_marker_default(function):
            marker = parameter.marker
            if marker is None or marker.name not in ("Depends", "Security") or not marker.call:
                continue
            roles = model.roles(function)
            if roles and roles <= _WITHOUT_DEPENDENCIES and len(node.decorator_list) <= 1:
                yield self.report(
                    parameter.node,
                    "handler",
                    name=parameter.name,
                    function=node.name,
                    kind=min(role.value for role in roles),
                )
                continue
            is_test = context.settings.is_test_path
            caller = None if roles else call_without(model, function, parameter, is_test)
            if caller is not None:
                yield self.report(
                    parameter.node,
                    "default",
                    related=[context.related(*caller, "the call")],
                    name=parameter.name,
                    function=context.module.index.qualname(node).removesuffix(".__init__"),
                    marker=marker.name,
                )
