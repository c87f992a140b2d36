"""FAR812: an attribute of the request's state that nobody sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.request_state import written_names


class UnsetRequestState(Rule):
    """Read from `request.state` only what something sets.

    ## What it does
    Reports a read of `request.state.name` where no middleware, dependency or lifespan of the
    project sets that name.

    ## Why it matters
    `State` has no defaults: the read raises `AttributeError`, and the request ends in a 500. Nearly
    always a name was changed on one side.

    ## Example
    ```python
    from fastapi import Request


    def remember(request: Request) -> None:
        request.state.user_name = "me"


    def current_user(request: Request) -> str:
        return request.state.username
    ```

    ## Use instead
    ```python
    from fastapi import Request


    def current_user(request: Request) -> str:
        \"\"\"The name of who asks.\"\"\"
        return getattr(request.state, "user_name", "nobody")
    ```

    ## Leaves alone
    `getattr` with a default, reads behind `hasattr`, inside a `try`, and projects in which some
    write cannot be resolved: middleware of libraries, `setattr` with a variable, a lifespan that
    yields something unknown.

    ## Source
    `starlette.datastructures.State.__getattr__` (1.10).
    """

    code = "FAR812"
    message = "Nothing sets `request.state.{name}`: this raises `AttributeError`"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = (".state",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report reads of names that are not among those written anywhere."""
        reads = [node for node in module.index.nodes(ast.Attribute) if self._is_read(node, context)]
        if not reads:
            return
        written = written_names(context.model, module)
        for node in reads:
            if written is not None and node.attr not in written:
                yield self.report(node, name=node.attr)

    def _is_read(self, node: ast.Attribute, context: Context) -> bool:
        if not isinstance(node.ctx, ast.Load) or node.attr.startswith("_"):
            return False
        index = context.module.index
        state = node.value
        if isinstance(state, ast.Name):  # `state = request.state`
            found = index.lookup(state.id, state)
            if found is None or len(found[1]) != 1:
                return False
            state = found[1][0].given or state
        if not (
            isinstance(state, ast.Attribute)
            and state.attr == "state"
            and context.model.is_instance(
                context.resolve(state.value), "starlette.requests.HTTPConnection"
            )
        ):
            return False
        function = index.function_of(node)
        if any(isinstance(each, ast.Try) and each.handlers for each in index.ancestors(node)):
            return False
        return not any(
            isinstance(other, ast.Constant)
            and other.value == node.attr
            and not isinstance(index.parents.get(other), ast.Dict)  # a key of an answer
            for other in (index.own_nodes(function) if function else ())
        )
