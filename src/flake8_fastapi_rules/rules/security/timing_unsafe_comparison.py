"""FAR705: comparisons of secrets that tell how much of a guess was right."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, replace
from flake8_fastapi_rules.fixes.imports import ensure_import, find_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.secret_comparisons import compares_secrets


class TimingUnsafeComparison(Rule):
    """Compare secrets in constant time.

    ## What it does
    Reports `==` and `!=` between tokens, keys, signatures and passwords: what a client sent and
    what it has to be.

    ## Why it matters
    `==` stops at the first character that differs. Whoever can measure how long a refusal takes
    finds out a key character by character; `secrets.compare_digest` always takes the same time.

    ## Example
    ```python
    from fastapi import HTTPException


    def check(api_key: str, expected_api_key: str) -> None:
        if api_key != expected_api_key:
            raise HTTPException(status_code=401)
    ```

    ## Use instead
    ```python
    import secrets

    from fastapi import HTTPException


    def check(api_key: str, expected_api_key: str) -> None:
        if not secrets.compare_digest(api_key, expected_api_key):
            raise HTTPException(status_code=401)
    ```

    ## Leaves alone
    Comparisons with literals, columns of SQLAlchemy, keys in loops over mappings, a password and
    its confirmation, checksums of files, stored plain passwords (FAR704), constants that stand for
    no key (`LOCAL_API_KEY = "local"`), what only tells whether it is the same key (`is_same = ...`,
    a 409), a key and what was made of it (`raw_key == stripped_key`), stand-ins for other services
    (`fake_users.py`), and names of anything else than secrets.

    ## Fix safety
    Unsafe: `compare_digest` takes two `bytes` or two `str` of ASCII characters only, and no `None`.
    It is that of `hmac` where a module imports that, but not `secrets`.

    ## Source
    Python's documentation of `secrets.compare_digest`; FastAPI's tutorial on HTTP Basic.
    """

    code = "FAR705"
    message = "`{shown}` takes longer the more of it is right; use `secrets.compare_digest`"
    profiles = ("recommended",)
    fix = "unsafe"

    @on(ast.Compare, framework_only=True)
    def check(self, node: ast.Compare, context: Context) -> Iterator[Report]:
        """Report comparisons of two secrets."""
        if compares_secrets(context.model, context.module, node):
            shown = context.shown(node)
            yield self.report(node, shown=shown, fix=lambda: self._fix(node, context))

    @on(ast.Compare, hints=("hmac",))
    def check_elsewhere(self, node: ast.Compare, context: Context) -> Iterator[Report]:
        """Report them where a service's signatures are verified, away from its routes."""
        if not context.module.mentions_framework:
            yield from self.check(node, context)

    def _fix(self, node: ast.Compare, context: Context) -> Fix:
        text = text_of(context.module)
        # `hmac` has the same function, and a module that signs has it already.
        has_it = find_import(text, "hmac", "", node) and not find_import(text, "secrets", "", node)
        imported = ensure_import(text, "hmac" if has_it else "secrets", "", node)
        source = context.source
        sides = [source.segment(node.left), source.segment(node.comparators[0])]
        call = f"{imported.name}.compare_digest({', '.join(sides)})"
        if isinstance(node.ops[0], ast.NotEq):
            call = f"not {call}"
        edit = replace(text, node, call)
        return fix_of("Use `compare_digest`", "unsafe", edit, imported.edits)
