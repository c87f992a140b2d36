"""FAR605: SQLAlchemy's legacy `Query`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import is_in
from flake8_fastapi_rules.semantics.values import External

_QUERY = frozenset({"sqlalchemy.orm.Session.query", "sqlalchemy.orm.scoped_session.query"})


class LegacyQuery(Rule):
    """Write queries with `select()`.

    ## What it does
    Reports `session.query(...)` on a SQLAlchemy or SQLModel session.

    ## Why it matters
    `Query` is legacy since SQLAlchemy 2.0: it gets no new features, type checkers cannot follow
    it, and it does not exist on an `AsyncSession`, so that every query has to be rewritten on the
    day a service becomes asynchronous.

    ## Example
    ```python
    from sqlalchemy.orm import Session

    from app.models import User


    def active_users(session: Session) -> list[User]:
        return session.query(User).filter(User.active).all()
    ```

    ## Use instead
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from app.models import User


    def active_users(session: Session) -> list[User]:
        return list(session.scalars(select(User).where(User.active)))
    ```

    ## Leaves alone
    `query` of other objects, and of what cannot be resolved.

    ## Source
    SQLAlchemy's documentation: legacy Query API.
    """

    code = "FAR605"
    message = "`{session}.query(...)` is SQLAlchemy's legacy API; use `select()`"
    profiles = ("strict",)
    scope = "project"
    hints = (".query(",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls of a session's `query`."""
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr != "query":
            return
        callee = context.resolve(func)
        if isinstance(callee, External) and is_in(callee.name, _QUERY):
            session = ast.unparse(func.value)
            yield self.report(call, session=session if len(session) <= 30 else "session")
