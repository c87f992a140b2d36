"""FAR722: libraries for passwords and tokens that nobody maintains."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import UNMAINTAINED


class UnmaintainedAuthLibrary(Rule):
    """Use libraries for passwords and tokens that somebody maintains.

    ## What it does
    Reports imports of `jose` (python-jose) and `passlib`, and names their successors.

    ## Why it matters
    passlib had its last release in 2020 and breaks with bcrypt 4.1 and Python 3.13; python-jose
    stood still for years with open vulnerabilities. Faults in such libraries are faults in every
    log-in.

    ## Example
    ```python
    from passlib.context import CryptContext

    passwords = CryptContext(schemes=["argon2"])
    ```

    ## Use instead
    ```python
    from pwdlib import PasswordHash

    passwords = PasswordHash.recommended()
    ```

    ## Leaves alone
    Imports under `if TYPE_CHECKING`, and modules of the project with these names.

    ## Source
    FastAPI's tutorial uses PyJWT since 0.111 and pwdlib since 0.119.
    """

    code = "FAR722"
    message = "`{name}` is no longer maintained; use {instead}"
    profiles = ("opt-in",)
    hints = ("jose", "passlib")

    @on(ast.Import, ast.ImportFrom)
    def check(self, node: ast.Import | ast.ImportFrom, context: Context) -> Iterator[Report]:
        """Report the import."""
        if isinstance(node, ast.ImportFrom):
            names = [] if node.level else [node.module or ""]
        else:
            names = [alias.name for alias in node.names]
        for name in names:
            root = name.partition(".")[0]
            if root in UNMAINTAINED and self._runs(node, context):
                yield self.report(node, name=root, instead=UNMAINTAINED[root])
                return

    def _runs(self, node: ast.stmt, context: Context) -> bool:
        index = context.module.index
        return index.function_of(node) is not None or index.runs_at_import(node)
