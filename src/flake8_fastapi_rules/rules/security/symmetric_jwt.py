"""FAR708: tokens that whoever verifies them can make as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.tokens import algorithm_names, token_use

_SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})


class SymmetricJwt(Rule):
    """Sign tokens with a key pair.

    ## What it does
    Reports the algorithms HS256, HS384 and HS512 where tokens are made or read.

    ## Why it matters
    Every service that verifies such a token knows the key, and can make tokens for anybody. With
    a key pair only the issuer can.

    ## Example
    ```python
    import jwt


    def sign(claims: dict[str, str], key: str) -> str:
        return jwt.encode(claims, key, algorithm="HS256")
    ```

    ## Use instead
    ```python
    import jwt


    def sign(claims: dict[str, str], key: str) -> str:
        return jwt.encode(claims, key, algorithm="EdDSA")
    ```

    ## Leaves alone
    Algorithms that come from settings.

    ## Source
    RFC 8725, section 3.5.
    """

    code = "FAR708"
    message = "`{name}` lets everybody who verifies tokens make them; sign with a key pair"
    profiles = ("opt-in",)
    hints = ("jwt", "jws", "jose")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the argument that names a symmetric algorithm."""
        use = token_use(context.model, context.module, call)
        if use is None or use.algorithms is None:
            return
        for _, name in algorithm_names(context.model, context.module, use.algorithms):
            if name.upper() in _SYMMETRIC:
                yield self.report(use.algorithms, name=name)
                return
