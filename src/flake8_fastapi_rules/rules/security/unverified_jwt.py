"""FAR707: tokens that are believed without a look at their signature."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import has_open_arguments
from flake8_fastapi_rules.semantics.scripts import is_script
from flake8_fastapi_rules.semantics.signature_checks import SignatureChecks
from flake8_fastapi_rules.semantics.tokens import TokenUse, algorithm_names, token_use

#: Libraries that take any algorithm, or fail, when none is named.
_NEEDS_ALGORITHMS = ("jwt.", "jose.")


class UnverifiedJwt(Rule):
    """Verify tokens, with the algorithms that you sign with.

    ## What it does
    Reports the decoding of a token without verification (`verify_signature: False`,
    `verify=False`, `get_unverified_claims`), without `algorithms`, and with the algorithm `none`.

    ## Why it matters
    The claims of an unverified token are what the client made up: anybody is anybody. Without a
    list of algorithms the token itself says how it wants to be verified; PyJWT refuses that,
    python-jose does not.

    ## Example
    ```python
    import jwt


    def claims_of(token: str) -> dict[str, object]:
        return jwt.decode(token, options={"verify_signature": False})
    ```

    ## Use instead
    ```python
    import jwt


    def claims_of(token: str, key: str) -> dict[str, object]:
        return jwt.decode(token, key, algorithms=["EdDSA"])
    ```

    ## Leaves alone
    A look at unverified claims in a function that also verifies the token, in a method that says so
    (`_read_unverified`) of a class that verifies it in another, or in a function that says so where
    whatever calls it verifies tokens; calls whose result nobody uses (is this a token at all?),
    test cases, claims that are only asked when they expire or whose keys verify the token, asserted
    to be what is known, or given to the log or to `print`, a token that the same function just had
    made or was given by another service, functions that say that they are for debugging, branches
    for development, commands of a command line, what a comment says is verified elsewhere or safe,
    calls with `**options` that are not written down, and scripts (`#!`).

    ## Source
    RFC 8725, sections 3.1 and 3.2; PyJWT 2, python-jose 3.
    """

    code = "FAR707"
    message = "The token's signature is not verified; anybody can write such claims"
    variants = {
        "algorithms": "Tokens are decoded without `algorithms`; name those that you sign with",
        "none": "The algorithm `none` signs nothing; name one that does",
    }
    profiles = ("recommended",)
    hints = ("jwt", "jws", "jose")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls that make or read tokens without a signature."""
        use = token_use(context.model, context.module, call)
        if use is None or is_script(context.module):
            return
        for node, name in algorithm_names(context.model, context.module, use.algorithms):
            if name.lower() == "none":
                own = next(
                    each
                    for each in (node, use.algorithms, call)
                    if each is call or (each and not _is_elsewhere(each, use))
                )
                yield self.report(own, "none")
                return
        if use.kind.action == "encode":
            return
        signatures = SignatureChecks(context.model, context.module)
        if signatures.is_unverified(use):
            if signatures.is_believed(use):
                yield self.report(call)
        elif (
            use.kind.algorithms is not None
            and use.name.startswith(_NEEDS_ALGORITHMS)
            and not has_open_arguments(context.model, context.module, call)
            and not signatures.may_be_unverified(use)
            and (
                _is_none(use.algorithms)
                or (use.algorithms is None and len(call.args) <= use.kind.algorithms)
            )
        ):
            yield self.report(call, "algorithms")


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_elsewhere(node: ast.expr, use: TokenUse) -> bool:
    return not any(each is node for each in ast.walk(use.call))
