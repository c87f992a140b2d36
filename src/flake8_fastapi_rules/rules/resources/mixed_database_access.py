"""FAR604: synchronous and asynchronous database access in one function."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import CallSite
from flake8_fastapi_rules.semantics.libraries import (
    ASYNC_ENGINES,
    ASYNC_SESSION_FACTORIES,
    ASYNC_SESSIONS,
    SYNC_ENGINES,
    SYNC_SESSION_FACTORIES,
    SYNC_SESSIONS,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.values import External, Function, FunctionNode, Instance

_SYNC = SYNC_SESSIONS | SYNC_ENGINES
_ASYNC = ASYNC_SESSIONS | ASYNC_ENGINES

#: Setting up and shutting down both in one place is no access.
_ENDS = frozenset(
    {
        "aclose", "close", "close_all", "configure", "dispose", "execution_options", "expunge_all",
        "remove",
    }
)  # fmt: skip
#: Methods of sessions, connections and engines.
_USES = name_set(
    """
    add add_all begin begin_nested bulk_insert_mappings bulk_save_objects bulk_update_mappings
    commit connect delete exec execute flush get get_one merge query raw_connection refresh rollback
    run_sync scalar scalars stream stream_scalars"""
)
#: What gives sessions and connections is called so.
_OPENED = re.compile(r"session|local|maker|factory|engine|conn|db|database", re.IGNORECASE)


@lru_cache(maxsize=50_000)
def _is_opening(name: str) -> bool:
    return _OPENED.search(name) is not None


class MixedDatabaseAccess(Rule):
    """Do not mix synchronous and asynchronous sessions in one function.

    ## What it does
    Reports a function that uses a synchronous SQLAlchemy session, connection or engine and an
    asynchronous one as well.

    ## Why it matters
    They are different connections and different transactions: the one does not see what the other
    has not committed, locks taken by the one can block the other for good, and half of the work
    survives a rollback. In a coroutine the synchronous half blocks the event loop besides.

    ## Example
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from app.models import Order, Payment


    async def pay(order: Order, payments: Session, session: AsyncSession) -> None:
        session.add(order)
        await session.commit()
        payments.add(Payment(order_id=order.id))
        payments.commit()
    ```

    ## Use instead
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.models import Order, Payment


    async def pay(order: Order, session: AsyncSession) -> None:
        session.add(order)
        session.add(Payment(order_id=order.id))
        await session.commit()
    ```

    ## Leaves alone
    `AsyncSession.run_sync` and `AsyncConnection.run_sync` with the function that they are given,
    `sync_session` and `sync_engine`, and functions that only create engines or close both.

    ## Source
    SQLAlchemy's documentation on asyncio.
    """

    code = "FAR604"
    message = "`{sync}` is synchronous and `{other}` asynchronous; use one of them in `{name}`"
    profiles = ("recommended",)
    is_bug = True
    #: Whatever is asynchronous about a function, the word is somewhere in the file.
    hints = ("async",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Look at the functions that may use two, by the names of what they call."""
        used: defaultdict[FunctionNode, set[str]] = defaultdict(set)
        for call in module.index.nodes(ast.Call):
            name = terminal_name(call.func)
            if name in _USES and isinstance(call.func, ast.Attribute):
                owner = call.func.value
                name = f"{terminal_name(getattr(owner, 'value', owner))}.{terminal_name(owner)}"
            elif not _is_opening(name):
                continue
            function = module.index.function_of(call)
            if isinstance(function, FUNCTIONS):
                used[function].add(name)
        for node in module.index.functions:
            if len(used.get(node, ())) > 1:
                yield from self._check(node, context)

    def _check(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report the first call of the kind that comes second."""
        function = context.resolve(node)
        if not isinstance(function, Function):
            return
        first: dict[bool, CallSite] = {}
        for site in context.model.effects.calls(function):
            kind = self._is_async(site, context)
            if kind is not None:
                first.setdefault(kind, site)
        if len(first) < 2:
            return
        earlier, later = first.values()
        yield self.report(
            later.node,
            sync=_receiver(first[False].node),
            other=_receiver(first[True].node),
            name=node.name,
            related=[context.related(context.module, earlier.node, "the other kind is used here")],
        )

    def _is_async(self, site: CallSite, context: Context) -> bool | None:
        """Whether a call uses an asynchronous session; `None` if it uses none at all."""
        resolver = context.model.resolver
        callee = site.callee
        if isinstance(callee, External):
            if callee.name.rpartition(".")[2] in _ENDS:
                return None
            if isinstance(site.node.func, ast.Attribute) and isinstance(
                site.node.func.value, ast.Attribute
            ):
                if site.node.func.value.attr.startswith("sync_"):
                    return None
            owners = {name.rpartition(".")[0] for name in resolver.names_of(callee)}
            names = set(resolver.names_of(callee))
            if owners & _ASYNC or names & ASYNC_SESSIONS:
                return True
            if owners & _SYNC or names & SYNC_SESSIONS:
                return False
        if isinstance(callee, Instance):
            names = set(resolver.names_of(callee))
            if names & (ASYNC_SESSION_FACTORIES | SYNC_SESSION_FACTORIES):
                made = context.resolve(site.node)
                if resolver.is_instance(made, *ASYNC_SESSIONS):
                    return True
                if resolver.is_instance(made, *SYNC_SESSIONS):
                    return False
        return None


def _receiver(call: ast.Call) -> str:
    func = call.func
    node = func.value if isinstance(func, ast.Attribute) else func
    text = ast.unparse(node)
    return text if len(text) <= 25 else ast.unparse(func).rpartition(".")[2]
