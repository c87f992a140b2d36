"""FAR707: tokens that are believed without a look at their signature."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import has_open_arguments
from flake8_fastapi_rules.semantics.comments import comments_on
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.libraries import TOKEN_CALLS, is_log_call, spellings
from flake8_fastapi_rules.semantics.scripts import is_script
from flake8_fastapi_rules.semantics.tokens import (
    TokenUse,
    algorithm_names,
    is_switched_off,
    option_given,
    token_use,
)
from flake8_fastapi_rules.semantics.values import Class, Constant, External

#: Libraries that take any algorithm, or fail, when none is named.
_NEEDS_ALGORITHMS = ("jwt.", "jose.")


#: Claims that say when a token is good.
#: Claims that tell how long a token is good, or whose keys verify it.
_TIMES = frozenset({"exp", "iat", "nbf", "iss"})
#: What the project's own makers of tokens are called, and how others are asked for one.
_MAKES = re.compile(
    r"(?:^|_)(?:create|issue|make|mint|generate|new|sign|encode"
    r"|exchange|fetch|acquire|authori[sz]e|refresh|log_?in)(?:$|_)|^post$"
)
#: What a function is called that raises for tokens that it does not like.
_REFUSES = re.compile(r"(?:^|_)(?:verify|validate|check|authenticate|introspect)(?:_|$)")
#: What a function is called, or says, that only shows what is in a token.
_DEBUGS = re.compile(r"(?i)(?:^|_|\b)debug(?:$|_|\b|ging)")
#: What a comment says of tokens that somebody else verifies.
_ELSEWHERE = re.compile(
    r"(?i)\balready (?:been )?(?:verified|validated|checked)"
    r"|\bverified (?:by|in|upstream|elsewhere|earlier|before|later|above|below)\b"
    r"|\bverif(?:y|ies) (?:the |its )?(?:signature|token)s?\s+(?:\S+\s+)?"
    r"(?:after|before|later|first|next)"
)
#: How many variables are looked through.
_DEPTH = 5


#: Functions that say that they log what they are given.
_LOGS = re.compile(r"(?:^|_)log_(?!in|out)")


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
    A look at unverified claims in a function that also verifies the token, or in a method that says
    so (`_read_unverified`) of a class that verifies it in another; calls whose result nobody uses
    (is this a token at all?), test cases, claims that are only asked when they expire or whose keys
    verify the token, asserted to be what is known, or given to the log or to `print`, a token that
    the same function just had made or was given by another service, functions that say that they
    are for debugging, branches for development, what a comment says is verified elsewhere, calls
    with `**options` that are not written down, and scripts (`#!`).

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
                    if each is call or (each and not self._is_elsewhere(each, use))
                )
                yield self.report(own, "none")
                return
        if use.kind.action == "encode":
            return
        if self._is_unverified(use, context):
            is_used = not isinstance(context.module.index.parents.get(call), ast.Expr)
            if (
                is_used
                and not self._is_verified_too(use, context)
                and not self._only_asks_when(call, context)
                and not self._is_tested(call, context)
                and not self._is_made_here(use, context)
                and not self._is_debugged(call, context)
                and not is_for_development(context.module, call)
            ):
                yield self.report(call)
        elif (
            use.kind.algorithms is not None
            and use.name.startswith(_NEEDS_ALGORITHMS)
            and not has_open_arguments(context.model, context.module, call)
            and not self._may_be_unverified(use, context)
            and (
                _is_none(use.algorithms)
                or (use.algorithms is None and len(call.args) <= use.kind.algorithms)
            )
        ):
            yield self.report(call, "algorithms")

    def _is_made_here(self, use: TokenUse, context: Context) -> bool:
        """Whether the function was given the token by what makes tokens, not by a client.

        By the project itself, by another service that it asked, or as a literal.
        """
        if use.payload is None:
            return False
        if isinstance(context.resolve(use.payload), Constant):
            return True
        made = self._origins(use.payload, context)
        return bool(made) and all(
            isinstance(each, ast.Call) and _MAKES.search(last_name(each.func) or "") is not None
            for each in made
        )

    def _origins(self, node: ast.expr, context: Context, depth: int = 0) -> list[ast.expr | None]:
        """What a local was given first: `client.post(...)` of a piece of the answer."""
        match node:
            case ast.Await(value=inner):
                return self._origins(inner, context, depth)
            case (
                ast.Subscript(value=owner)
                | ast.Call(func=ast.Attribute(attr="get" | "json", value=owner))
            ) if isinstance(owner, ast.Name | ast.Await | ast.Call | ast.Subscript):
                return self._origins(owner, context, depth + 1)
            case ast.Name(id=name) if depth < _DEPTH:
                found = context.module.index.lookup(name, node)
                values = [binding.value for binding in found[1]] if found else []
                return [
                    origin
                    for value in values
                    for origin in (
                        [None] if value is None else self._origins(value, context, depth + 1)
                    )
                ]
            case _:
                return [node]

    def _is_debugged(self, call: ast.Call, context: Context) -> bool:
        """Whether the function, or the file, says that it is there to look into tokens.

        Or a comment that they are verified somewhere else.
        """
        statement = context.module.index.statement_of(call)
        if isinstance(statement, ast.stmt) and _ELSEWHERE.search(
            comments_on(context.module, statement)
        ):
            return True
        function = context.module.index.function_of(call)
        said = [Path(context.source.path).stem]
        if isinstance(function, FUNCTIONS):
            said += [function.name, ast.get_docstring(function, clean=False) or ""]
        return any(_DEBUGS.search(each) for each in said)

    def _is_tested(self, call: ast.Call, context: Context) -> bool:
        """Whether a test case looks into a token, wherever the file is."""
        index = context.module.index
        function = index.function_of(call)
        owner = index.class_of(function) if function is not None else None
        return owner is not None and context.model.is_subclass(
            Class(context.module, owner), "unittest.TestCase"
        )

    def _only_asks_when(self, call: ast.Call, context: Context) -> bool:
        """Whether the claims only tell how long it is good or who made it, or go to the log."""
        index = context.module.index
        parent = index.parents.get(call)
        if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
            return self._asks_when(call, context)
        name, function = parent.targets[0].id, index.function_of(call)
        uses = [
            node
            for node in ast.walk(function or context.module.tree)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        return bool(uses) and all(self._asks_when(use, context) for use in uses)

    def _asks_when(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is asked for a time or an issuer, or given to a log call."""
        parents = context.module.index.parents
        parent = parents.get(node)
        match parent:
            case ast.UnaryOp(op=ast.Not()) | ast.BoolOp() | ast.If() | ast.IfExp():
                return True  # is there anything?
            case (
                ast.Subscript(slice=ast.Constant(value=key))
                | ast.Compare(left=ast.Constant(value=key), ops=[ast.In() | ast.NotIn()])
            ):
                compared = parents.get(parent)
                is_asserted = isinstance(compared, ast.Compare) and isinstance(
                    parents.get(compared), ast.Assert
                )
                if key in _TIMES or is_asserted:
                    return True
            case ast.Attribute(attr="keys"):
                return True  # what kind of token is it?
            case ast.Attribute(attr="get"):
                asked = parents.get(parent)
                if isinstance(asked, ast.Call) and any(
                    isinstance(each, ast.Constant) and each.value in _TIMES
                    for each in asked.args[:1]
                ):
                    return True
        for above in context.module.index.ancestors(node):
            if isinstance(above, ast.stmt):
                break
            if isinstance(above, ast.Call):
                called = context.resolve(above.func)
                if isinstance(called, External) and (
                    called.name == "builtins.print" or is_log_call(called.name)
                ):
                    return True
        return False

    def _is_elsewhere(self, node: ast.expr, use: TokenUse) -> bool:
        return not any(each is node for each in ast.walk(use.call))

    def _is_unverified(self, use: TokenUse, context: Context) -> bool:
        if use.kind.action == "peek":
            return True
        options = argument(use.written, "options", 3)
        verify = argument(use.written, "verify")
        return is_switched_off(
            context.model, context.module, options, "verify_signature"
        ) or context.resolve(verify) == Constant(False)

    def _may_be_unverified(self, use: TokenUse, context: Context) -> bool:
        """Whether a variable says whether the signature counts: without, no algorithm is needed."""
        options = argument(use.written, "options", 3)
        given = option_given(context.model, context.module, options, "verify_signature")
        return any(not isinstance(each, ast.Constant) for each in given)

    def _is_verified_too(self, use: TokenUse, context: Context) -> bool:
        """Whether the same function verifies the token as well, as far as its name tells."""
        index = context.module.index
        function: ast.AST | None = index.function_of(use.call)
        if function is None:
            return False
        owner = index.class_of(function)
        if owner is not None and "unverified" in getattr(function, "name", ""):
            function = owner  # a step of its own before other methods verify the token
        if _LOGS.search(getattr(function, "name", "")):
            return True  # what it finds goes to the log
        names = {n.id for n in ast.walk(use.payload or use.call) if isinstance(n, ast.Name)}
        parameters = {
            each.arg
            for node in ast.walk(function)
            if isinstance(node, ast.arguments)
            for each in (*node.args, *node.kwonlyargs)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node is not use.call:
                if self._hands_over(node, names, context) or self._refuses(node, names, context):
                    return True
                other = token_use(context.model, context.module, node)
                if other and other.kind.action == "decode":
                    if self._is_unverified(other, context):
                        continue
                    token = other.payload
                    is_another = isinstance(token, ast.Name) and (
                        token.id in parameters and names <= parameters and token.id not in names
                    )
                    if not is_another:
                        return True
        return False

    def _refuses(self, call: ast.Call, names: set[str], context: Context) -> bool:
        """Whether a call is there to refuse the token: `await verify_signature(token)`."""
        if _REFUSES.search(last_name(call.func) or "") is None or not any(
            isinstance(each, ast.Name) and each.id in names for each in call.args
        ):
            return False
        parents = context.module.index.parents
        parent = parents.get(call)
        while isinstance(parent, ast.Await | ast.UnaryOp):
            parent = parents.get(parent)
        return isinstance(parent, ast.Expr | ast.If)

    def _hands_over(self, call: ast.Call, names: set[str], context: Context) -> bool:
        """Whether a call has the token decoded elsewhere: `to_thread(jwt.decode, token, key)`."""
        for function, token in zip(call.args, call.args[1:], strict=False):
            if isinstance(function, ast.Name | ast.Attribute) and isinstance(token, ast.Name):
                called = context.resolve(function)
                if isinstance(called, External) and token.id in names:
                    kinds = (TOKEN_CALLS.get(each) for each in spellings(called.name))
                    return any(kind is not None and kind.action == "decode" for kind in kinds)
        return False


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
