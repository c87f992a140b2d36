"""FAR610: a coroutine that is made and dropped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.coroutines import (
    gives_coroutine,
    is_answered_as_it_is,
    is_never_awaited,
)
from flake8_fastapi_rules.semantics.effects import display_name
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.values import Function


class UnawaitedCoroutine(Rule):
    """Await the coroutines that you call.

    ## What it does
    Reports a call of an `async def` function of the project, in FastAPI code, whose coroutine is
    neither awaited nor kept, also where it is tested, compared, unpacked or asked for an attribute
    as if it were the result. A name that nothing reads keeps nothing.

    ## Why it matters
    Calling a coroutine function runs nothing of it. The e-mail is not sent, the row is not
    written, and all that tells is a `RuntimeWarning` in the log when the coroutine is collected.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    async def notify(name: str) -> None:
        print(name)


    @router.post("/orders", status_code=201)
    async def order(name: str) -> None:
        notify(name)
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import APIRouter

    router = APIRouter()
    logger = logging.getLogger(__name__)


    async def notify(name: str) -> None:
        logger.info("notified %s", name)


    @router.get("/notified", status_code=200, operation_id="notified", tags=["orders"])
    async def notified(name: str) -> None:
        \"\"\"Notify somebody.\"\"\"
        await notify(name)
    ```

    ## Leaves alone
    Coroutines that are assigned and read, returned or passed on, asynchronous generators, and
    functions under decorators that may change what a call gives.

    ## Fix safety
    Unsafe: it adds `await`, so that code runs which did not run before. There is no fix in plain
    `def` functions.

    ## Source
    Python's documentation on coroutines.
    """

    code = "FAR610"
    message = "The coroutine of `{name}` is never awaited; write `await`"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report statements that are nothing but such a call."""
        value = context.resolve(function.node)
        if not isinstance(value, Function):
            return
        model, index = context.model, context.module.index
        answers = is_answered_as_it_is(model, context.module, function)
        for site in model.effects.graph.sites(value):
            called = site.callee
            # Nearly all are awaited, so the decorators of what is called are asked for last.
            if (
                isinstance(called, Function)
                and isinstance(called.node, ast.AsyncFunctionDef)
                and is_never_awaited(site.node, function.node, index, answers=answers)
                and gives_coroutine(model, called)
            ):
                yield self.report(
                    site.node,
                    name=display_name(called),
                    fix=self._fix(context, site.node)
                    if function.is_async
                    else Unfixable("the function around it is no `async def`"),
                )

    def _fix(self, context: Context, call: ast.Call) -> FixMaker:
        def fix() -> Fix:
            text = text_of(context.module)
            start = text.start(call)
            what = "Await the coroutine"
            around = context.module.index.parents.get(call)
            if isinstance(around, ast.Attribute | ast.Subscript):
                end = text.end(call)
                return fix_of(what, "unsafe", Edit(start, start, "(await "), Edit(end, end, ")"))
            return fix_of(what, "unsafe", Edit(start, start, "await "))

        return fix
