"""FAR702: secrets in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import snake
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.written_keys import (
    GivenKey,
    defaults_to_written_key,
    given_keys,
    has_written_key,
    is_judged_elsewhere,
    is_written_key,
    secret_constants,
    value_of_key,
)

#: Folders of tests, also of those that have settings of their own.
_OF_TESTS = frozenset({"test", "tests"})


class HardCodedSecret(Rule):
    """Read keys from the environment, not from the source.

    ## What it does
    Reports a literal key given to a call that signs or verifies (JSON Web Tokens, `hmac`,
    itsdangerous, `SessionMiddleware`), and a literal default for a constant or setting with the
    name of a secret in a module that signs tokens.

    ## Why it matters
    Whoever sees the source, a copy or an image of it can sign tokens for any user, and a key in the
    history of a repository cannot be taken back. A default is worse than none: a forgotten variable
    goes unnoticed.

    ## Example
    ```python
    import jwt


    def sign(claims: dict[str, str]) -> str:
        return jwt.encode(claims, "f3a9c1", algorithm="HS256")
    ```

    ## Use instead
    ```python
    import jwt
    from pydantic import SecretStr


    def sign(claims: dict[str, str], key: SecretStr) -> str:
        return jwt.encode(claims, key.get_secret_value(), algorithm="HS256")
    ```

    ## Leaves alone
    Empty strings, public keys, labels of protocols (`WebAppData`), settings without a default,
    settings of other modules, members of enumerations, constants that stand for no key
    (`LOCAL_API_KEY = "local"`, `"sk_removed"`), tests and their keys (`TEST_SECRET`).

    ## Source
    CWE-798; The Twelve-Factor App, III.
    """

    code = "FAR702"
    message = "The key is in the source; read it from the environment"
    variants = {"named": "`{name}` has its value in the source; read it from the environment"}
    profiles = ("recommended",)
    hints = ("jwt", "jws", "jose", "hmac", "itsdangerous", "SessionMiddleware", "Strategy", "Login")

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report literal keys, and the constants that hold them, each once."""
        if not _OF_TESTS.isdisjoint(Path(context.source.path).parts[-4:-1]):
            return
        keys = given_keys(context.model, module)
        if not keys:
            return
        reported: set[str] = set()
        for name, value in secret_constants(context.model, module):
            if has_written_key(context.model, module, value):
                reported.add(name)
                yield self.report(value, "named", name=name)
        for key in keys:
            name = ast.unparse(key.node)
            if name in reported or is_judged_elsewhere(context.model, module, key):
                continue
            place = self._place(key, context)
            if place is None:
                continue
            if place is not key.argument or isinstance(key.node, ast.Name | ast.Attribute):
                reported.add(name)
                yield self.report(place, "named", name=name)
            else:
                yield self.report(place)

    def _place(self, key: GivenKey, context: Context) -> ast.expr | None:
        """The default of a key, whatever its name says, or the call's argument if it is literal."""
        value = value_of_key(context.model, context.module, key)
        if value is not None and defaults_to_written_key(context.model, context.module, value):
            return value
        if not is_written_key(context.resolve(key.node)):
            return None
        is_public = isinstance(key.node, ast.Name | ast.Attribute) and snake(
            ast.unparse(key.node).rpartition(".")[2]
        ).startswith("public")
        return None if is_public else key.argument
