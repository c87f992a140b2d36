"""FAR607: an async session factory whose objects expire at each commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import (
    ASYNC_SESSION_FACTORIES,
    ASYNC_SESSIONS,
    SYNC_SESSION_FACTORIES,
)
from flake8_fastapi_rules.semantics.values import Constant

#: Folders of what runs by itself.
_SCRIPTS = frozenset({"alembic", "migrations", "scripts"})


class ExpireOnCommit(Rule):
    """Keep objects usable after a commit of an async session.

    ## What it does
    Reports an `async_sessionmaker(...)`, or a `sessionmaker(class_=AsyncSession)`, that does not
    set `expire_on_commit=False`.

    ## Why it matters
    By default all attributes of all objects expire at a commit and are loaded again when they are
    read. With an async session that implicit query cannot be awaited: reading `user.name` after a
    commit, which is what serialising a response does, raises `MissingGreenlet`.

    ## Example
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker


    def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return async_sessionmaker(engine)
    ```

    ## Use instead
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker


    def session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return async_sessionmaker(engine, expire_on_commit=False)
    ```

    ## Leaves alone
    Factories of synchronous sessions, calls with `**kwargs`, values that are not literal, factories
    whose name says that they read, those of scripts, and factories that the module configures
    later, or for each session.

    ## Fix safety
    Safe: it adds `expire_on_commit=False`, and attributes that were readable stay so.

    ## Source
    SQLAlchemy's documentation: preventing implicit I/O when using `AsyncSession`.
    """

    code = "FAR607"
    message = "Objects expire when this async session commits; set `expire_on_commit=False`"
    profiles = ("recommended",)
    fix = "safe"
    hints = ("sessionmaker",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report async session factories without the argument."""
        callee = context.library_object(call.func)
        if callee is None:
            return
        names = set(context.model.resolver.names_of(callee))
        if any(keyword.arg is None for keyword in call.keywords):
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if names & SYNC_SESSION_FACTORIES:
            # SQLAlchemy 1.4 takes the class by position, too.
            cls = given.get("class_") or next(iter(call.args[1:2]), None)
            if cls is None or not context.model.is_subclass(context.resolve(cls), *ASYNC_SESSIONS):
                return
        elif not names & ASYNC_SESSION_FACTORIES:
            return
        expire = given.get("expire_on_commit")
        if expire is not None and context.resolve(expire) != Constant(True):
            return
        if self._is_configured_later(context) or self._only_reads(call, context):
            return
        if self._is_said_for_each(call, context):
            return
        if isinstance(context.module.index.parents.get(call), ast.withitem):
            return  # no factory is made: it is taken for one

        def fix() -> Fix:
            text = text_of(context.module)
            edits = set_argument(text, call, "expire_on_commit", "False")
            return fix_of("Set `expire_on_commit=False`", "safe", edits)

        yield self.report(call, fix=fix)

    def _only_reads(self, call: ast.Call, context: Context) -> bool:
        """Whether the name of the factory says that its sessions read, or it is a script's own."""
        parent = context.module.index.parents.get(call)
        targets = parent.targets if isinstance(parent, ast.Assign) else []
        names = [target.id.lower().split("_") for target in targets if isinstance(target, ast.Name)]
        return any("read" in each or "readonly" in each for each in names) or (
            not _SCRIPTS.isdisjoint(context.module.path.parts)
        )

    def _is_said_for_each(self, call: ast.Call, context: Context) -> bool:
        """Whether all sessions that the module makes say themselves what they want."""
        index = context.module.index
        parent = index.parents.get(call)
        targets = parent.targets if isinstance(parent, ast.Assign) else []
        names = frozenset(target.id for target in targets if isinstance(target, ast.Name))
        made = [each for each in index.calls_of(names) if getattr(each.func, "id", "") in names]
        return bool(made) and all(
            any(keyword.arg == "expire_on_commit" for keyword in each.keywords) for each in made
        )

    def _is_configured_later(self, context: Context) -> bool:
        return any(
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "configure"
            and any(keyword.arg == "expire_on_commit" for keyword in call.keywords)
            for call in context.module.index.nodes(ast.Call)
        )
