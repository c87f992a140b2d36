"""Tokens that are read without a look at their signature, and what may excuse that."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, targets_of
from flake8_fastapi_rules.semantics.comments import comments_on
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.libraries import TOKEN_CALLS, is_log_call, spellings
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.scripts import is_in_command
from flake8_fastapi_rules.semantics.tokens import TokenUse, is_switched_off, option_given, token_use
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Claims that tell how long a token is good, or whose keys verify it.
_TIMES = frozenset({"exp", "iat", "nbf", "iss", "aud"})
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
    # Or why it does no harm.
    r"|\bsafe (?:as|because|here|since)\b|\bdisplay[- ]only\b"
    r"|\b(?:only|just) (?:to )?(?:need|read|get|extract|want)s?"
    r" (?:\w+ )?(?:metadata|expir\w+|exp|issuer|kid|key id|header)\b"
)
#: How many variables are looked through.
_DEPTH = 5
#: Functions that say that they log what they are given.
_LOGS = re.compile(r"(?:^|_)log_(?!in|out)")


@dataclass(frozen=True, slots=True)
class SignatureChecks:
    """Whether the calls of a module that read tokens look at the signature."""

    model: Model
    module: Module

    def is_believed(self, use: TokenUse) -> bool:
        """Whether the claims of a token count although nobody verified it.

        Not where the function verifies it as well, made or fetched it itself, only asks when it
        ends, or is there for looking into tokens.
        """
        call = use.call
        return (
            not isinstance(self.module.index.parents.get(call), ast.Expr)
            and not self._is_verified_too(use)
            and not self._is_verified_by_callers(use)
            and not self._only_asks_when(call)
            and not self._is_tested(call)
            and not self._is_made_here(use)
            and not self._is_debugged(call)
            and not is_for_development(self.module, call)
            and not is_in_command(self.module, call)
        )

    def is_unverified(self, use: TokenUse) -> bool:
        """Whether a call that reads a token leaves its signature alone."""
        if use.kind.action == "peek":
            return True
        options = argument(use.written, "options", 3)
        verify = argument(use.written, "verify", 2)  # the third in PyJWT 1
        return is_switched_off(
            self.model, self.module, options, "verify_signature"
        ) or self.model.resolve(self.module, verify) == Constant(False)

    def may_be_unverified(self, use: TokenUse) -> bool:
        """Whether a variable says whether the signature counts: without, no algorithm is needed."""
        options = argument(use.written, "options", 3)
        given = option_given(self.model, self.module, options, "verify_signature")
        return any(not isinstance(each, ast.Constant) for each in given)

    def _is_made_here(self, use: TokenUse) -> bool:
        """Whether the function was given the token by what makes tokens, not by a client.

        By the project itself, by another service that it asked, or as a literal.
        """
        if use.payload is None:
            return False
        if isinstance(self.model.resolve(self.module, use.payload), Constant):
            return True
        made = self._origins(use.payload)
        return bool(made) and all(
            isinstance(each, ast.Call) and _MAKES.search(last_name(each.func) or "") is not None
            for each in made
        )

    def _origins(self, node: ast.expr, depth: int = 0) -> list[ast.expr | None]:
        """What a local was given first: `client.post(...)` of a piece of the answer."""
        match node:
            case ast.Await(value=inner):
                return self._origins(inner, depth)
            case (
                ast.Subscript(value=owner)
                | ast.Call(func=ast.Attribute(attr="get" | "json", value=owner))
            ) if isinstance(owner, ast.Name | ast.Await | ast.Call | ast.Subscript):
                return self._origins(owner, depth + 1)
            case ast.Name(id=name) if depth < _DEPTH:
                found = self.module.index.lookup(name, node)
                values = [binding.value for binding in found[1]] if found else []
                return [
                    origin
                    for value in values
                    for origin in ([None] if value is None else self._origins(value, depth + 1))
                ]
            case _:
                return [node]

    def _is_debugged(self, call: ast.Call) -> bool:
        """Whether the function, or the file, says that it is there to look into tokens.

        Or a comment that they are verified somewhere else.
        """
        statement = self.module.index.statement_of(call)
        if isinstance(statement, ast.stmt) and _ELSEWHERE.search(
            comments_on(self.module, statement)
        ):
            return True
        function = self.module.index.function_of(call)
        said = [Path(self.module.source.path).stem]
        if isinstance(function, FUNCTIONS):
            said += [function.name, ast.get_docstring(function, clean=False) or ""]
        return any(_DEBUGS.search(each) for each in said)

    def _is_tested(self, call: ast.Call) -> bool:
        """Whether a test case looks into a token, wherever the file is."""
        index = self.module.index
        function = index.function_of(call)
        owner = index.class_of(function) if function is not None else None
        return owner is not None and self.model.is_subclass(
            Class(self.module, owner), "unittest.TestCase"
        )

    def _only_asks_when(self, call: ast.Call) -> bool:
        """Whether the claims only tell how long it is good or who made it, or go to the log."""
        index = self.module.index
        parent = index.parents.get(call)
        targets = targets_of(parent)
        if not targets or not isinstance(targets[0], ast.Name):
            return self._asks_when(call)
        name, function = targets[0].id, index.function_of(call)
        uses = [
            node
            for node in ast.walk(function or self.module.tree)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        return bool(uses) and all(self._asks_when(use) for use in uses)

    def _asks_when(self, node: ast.expr) -> bool:
        """Whether an expression is asked for a time or an issuer, or given to a log call."""
        parents = self.module.index.parents
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
        for above in self.module.index.ancestors(node):
            if isinstance(above, ast.stmt):
                break
            if isinstance(above, ast.Call):
                called = self.model.resolve(self.module, above.func)
                if isinstance(called, External) and (
                    called.name == "builtins.print" or is_log_call(called.name)
                ):
                    return True
        return False

    def _is_verified_too(self, use: TokenUse) -> bool:
        """Whether the same function verifies the token as well, as far as its name tells."""
        index = self.module.index
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
                if self._hands_over(node, names) or self._refuses(node, names):
                    return True
                other = token_use(self.model, self.module, node)
                if other and other.kind.action == "decode":
                    if self.is_unverified(other):
                        continue
                    token = other.payload
                    is_another = isinstance(token, ast.Name) and (
                        token.id in parameters and names <= parameters and token.id not in names
                    )
                    if not is_another:
                        return True
        return False

    def _is_verified_by_callers(self, use: TokenUse) -> bool:
        """Whether a function says that it verifies nothing, and all that call it do so themselves.

        `get_unverified_claims(token)` of a module beside the class that verifies tokens.
        """
        function = self.module.index.function_of(use.call)
        if not isinstance(function, FUNCTIONS) or "unverified" not in function.name:
            return False
        calls = self.model.direct_calls(Function(self.module, function))
        return bool(calls) and all(
            SignatureChecks(self.model, call.module)._verifies_around(call.node) for call in calls
        )

    def _verifies_around(self, node: ast.AST) -> bool:
        """Whether the class or function that something stands in verifies a token."""
        function = self.module.index.function_of(node)
        if function is None:
            return False
        return any(
            isinstance(each, ast.Call)
            and (other := token_use(self.model, self.module, each)) is not None
            and other.kind.action == "decode"
            and not self.is_unverified(other)
            for each in ast.walk(self.module.index.class_of(function) or function)
        )

    def _refuses(self, call: ast.Call, names: set[str]) -> bool:
        """Whether a call is there to refuse the token: `await verify_signature(token)`."""
        if _REFUSES.search(last_name(call.func) or "") is None or not any(
            isinstance(each, ast.Name) and each.id in names for each in call.args
        ):
            return False
        parents = self.module.index.parents
        parent = parents.get(call)
        while isinstance(parent, ast.Await | ast.UnaryOp):
            parent = parents.get(parent)
        return isinstance(parent, ast.Expr | ast.If)

    def _hands_over(self, call: ast.Call, names: set[str]) -> bool:
        """Whether a call has the token decoded elsewhere: `to_thread(jwt.decode, token, key)`."""
        for function, token in zip(call.args, call.args[1:], strict=False):
            if isinstance(function, ast.Name | ast.Attribute) and isinstance(token, ast.Name):
                called = self.model.resolve(self.module, function)
                if isinstance(called, External) and token.id in names:
                    kinds = (TOKEN_CALLS.get(each) for each in spellings(called.name))
                    return any(kind is not None and kind.action == "decode" for kind in kinds)
        return False
