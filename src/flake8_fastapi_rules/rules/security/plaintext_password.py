"""FAR704: passwords that are stored as they were typed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.stored_passwords import plain_passwords_in


class PlaintextPassword(Rule):
    """Store a hash of a password, and compare through it.

    ## What it does
    Reports a stored password that is compared with the plain one by `==` or `!=`, also in a
    query, and an object, document or row of the database whose password is set to the plain one.

    ## Why it matters
    Such a comparison only works when passwords are stored as they were typed. One leaked backup
    then gives away all of them, and with them the accounts that people have elsewhere.

    ## Example
    ```python
    from shop.models import find_user


    def authenticate(name: str, password: str) -> bool:
        user = find_user(name)
        return user.password == password
    ```

    ## Use instead
    ```python
    from pwdlib import PasswordHash

    from shop.models import find_user

    passwords = PasswordHash.recommended()


    def authenticate(name: str, password: str) -> bool:
        return passwords.verify(password, find_user(name).password_hash)
    ```

    ## Leaves alone
    Comparisons with a repeated or another password of the same form, values that were hashed
    before, also in place of the password of the body, models that hash in a property or validator,
    and projects that hash where they are told of rows before these are saved.

    ## Source
    OWASP: password storage; CWE-256.
    """

    code = "FAR704"
    message = "The stored password is compared as plain text; store a hash and verify that"
    variants = {"set": "A plain password is stored; store a hash of it"}
    profiles = ("recommended",)
    hints = ("password", "passwd", "pwd", "pw")

    @on(ast.Compare, ast.Call, ast.Assign)
    def check(
        self, node: ast.Compare | ast.Call | ast.Assign, context: Context
    ) -> Iterator[Report]:
        """Report plain passwords that are stored, or compared with stored ones."""
        for found in plain_passwords_in(context.model, context.module, node):
            yield self.report(found.node, "set" if found.is_stored else None)
