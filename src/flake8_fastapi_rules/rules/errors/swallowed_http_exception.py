"""FAR409: an `HTTPException` that does not get out of its own `try`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import is_broad, may_catch, raises_same
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS
from flake8_fastapi_rules.semantics.values import Class, External


class SwallowedHttpException(Rule):
    """Let an `HTTPException` pass the `except Exception` around it.

    ## What it does
    Reports `except Exception`, `except BaseException` and a bare `except` that catch an
    `HTTPException` raised in their own `try`, in dependencies, middleware and other FastAPI code
    that is no endpoint.

    ## Why it matters
    `HTTPException` is an `Exception`. What was meant as 401 or 404 ends as whatever the handler
    makes of all the rest: often 500, sometimes nothing at all, and then the request goes on.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends, Header, HTTPException


    def user(authorization: Annotated[str, Header()]) -> str:
        try:
            if not authorization:
                raise HTTPException(401)
            return decode(authorization)
        except Exception:
            return "anonymous"


    User = Annotated[str, Depends(user)]
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends, Header, HTTPException


    def user(authorization: Annotated[str, Header()]) -> str:
        \"\"\"The user of a token.\"\"\"
        if not authorization:
            raise HTTPException(401)
        return decode(authorization)


    User = Annotated[str, Depends(user)]
    ```

    ## Leaves alone
    Handlers that raise what they caught, such an exception or the same status again, a handler for
    `HTTPException` in front of the broad one, and endpoints, whose `try` is reported as such
    (FAR401).

    ## Source
    `HTTPException` derives from `Exception` (Starlette 1.10).
    """

    code = "FAR409"
    message = "`except {name}` catches the `HTTPException` raised in its `try`; let it pass"
    variants = {"bare": "`except` catches the `HTTPException` raised in its `try`; let it pass"}
    profiles = ("recommended",)
    is_bug = True
    hints = ("except",)

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report broad handlers around a raised `HTTPException`."""
        if fact.roles & {Role.ENDPOINT, Role.WEBSOCKET}:
            return
        for node in context.module.index.own_nodes(fact.node):
            if not isinstance(node, ast.Try | ast.TryStar):
                continue
            raised = list(self._raised(node.body, context))
            if not raised:
                continue
            statement, exception = raised[0]
            handler = self._catching(node, exception, context)
            if (
                handler is not None
                and not raises_same(handler)
                and not _repeats(handler, statement)
                and not self._keeps_status(handler, [each for each, _ in raised], context)
            ):
                shown = context.shown(handler.type) if handler.type else ""
                yield self.report(
                    context.source.keyword_range(handler),  # type: ignore[arg-type]
                    None if shown else "bare",
                    name=shown,
                    related=[context.related(context.module, statement, "it is raised here")],
                )

    def _keeps_status(
        self, handler: ast.ExceptHandler, raised: list[ast.Raise], context: Context
    ) -> bool:
        """Whether a handler raises nothing but the status that it has caught: 401 stays 401."""
        effects, module = context.model.effects, context.module
        last = handler.body[-1]
        found = effects.raised(module, last) if isinstance(last, ast.Raise) else None
        if found is None or found.status is None:
            return False
        caught = [effects.raised(module, each) for each in raised]
        return all(each is not None and each.status == found.status for each in caught)

    def _raised(
        self, body: list[ast.stmt], context: Context
    ) -> Iterator[tuple[ast.Raise, Class | External]]:
        """The `HTTPException`s raised in a block that nothing in the block catches."""
        for statement in body:
            stack: list[ast.AST] = [statement]
            while stack:
                node = stack.pop()
                if isinstance(node, (*FUNCTIONS, ast.Lambda)):
                    continue
                if isinstance(node, ast.Try | ast.TryStar) and node.handlers:
                    stack.extend([*node.orelse, *node.finalbody])
                    continue
                if isinstance(node, ast.Raise):
                    raised = context.model.effects.raised(context.module, node)
                    if raised and context.model.is_subclass(raised.exception, *HTTP_EXCEPTIONS):
                        yield node, raised.exception
                stack.extend(ast.iter_child_nodes(node))

    def _catching(
        self, node: ast.Try | ast.TryStar, exception: Class | External, context: Context
    ) -> ast.ExceptHandler | None:
        """The broad handler that catches an exception; `None` if another one does, or may."""
        for handler in node.handlers:
            if is_broad(context.model, context.module, handler):
                return handler
            if may_catch(context.model.resolver, context.module, handler, exception):
                return None
        return None


def _repeats(handler: ast.ExceptHandler, statement: ast.Raise) -> bool:
    """Whether a handler ends by raising just such an exception as it has caught."""
    last = handler.body[-1]
    return (
        isinstance(last, ast.Raise)
        and last.exc is not None
        and statement.exc is not None
        and ast.dump(last.exc) == ast.dump(statement.exc)
    )
