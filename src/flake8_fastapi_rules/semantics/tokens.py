"""Calls that make and read JSON Web Tokens, whatever library does it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.semantics.arguments import written_out
from flake8_fastapi_rules.semantics.libraries import SIGNING_KEYS, TOKEN_CALLS, TokenCall, spellings
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.resolve import literal_keywords
from flake8_fastapi_rules.semantics.values import Expression, qualified_name

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


#: The last names of all calls that `token_use` could know.
TOKEN_CALL_NAMES = last_names(TOKEN_CALLS)
#: The last names of all calls that `signing_key` could know.
SIGNING_CALLS = TOKEN_CALL_NAMES | last_names(SIGNING_KEYS) | {"Middleware", "add_middleware"}


@dataclass(frozen=True, slots=True)
class TokenUse:
    """One call that makes or reads a token.

    Parameters:
        name: the canonical name of what is called.
        kind: where it takes what from.
        written: the call with what `**options` stands for among its keywords.
    """

    module: Module
    call: ast.Call
    name: str
    kind: TokenCall
    written: ast.Call

    @property
    def payload(self) -> ast.expr | None:
        """The claims, or the token."""
        return argument(self.written, self.kind.keywords[2], self.kind.payload)

    @property
    def key(self) -> ast.expr | None:
        """The key."""
        return argument(self.written, self.kind.keywords[0], self.kind.key)

    @property
    def algorithms(self) -> ast.expr | None:
        """The algorithm or algorithms, as an argument or in the header."""
        given = argument(self.written, self.kind.keywords[1], self.kind.algorithms)
        if given is not None or self.kind.header is None:
            return given
        match argument(self.written, "header", self.kind.header):
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "alg":
                        return value
        return None


def token_use(model: Model, module: Module, call: ast.Call) -> TokenUse | None:
    """What a call does with a token; `None` when it has nothing to do with any."""
    callee = model.library_object(module, call.func)
    if callee is None:
        return None
    for name in spellings(callee.name):
        kind = TOKEN_CALLS.get(name)
        if kind is not None:
            return TokenUse(module, call, name, kind, written_out(model, module, call))
    return None


def signing_key(model: Model, module: Module, call: ast.Call) -> ast.expr | None:
    """The key that a call signs or verifies with; `None` when it does neither."""
    use = token_use(model, module, call)
    if use is not None:
        return use.key
    name = qualified_name(model.resolve(module, call.func))
    if name in {"starlette.middleware.Middleware"} or (
        isinstance(call.func, ast.Attribute) and call.func.attr == "add_middleware"
    ):
        if not call.args:
            return None
        name = qualified_name(model.resolve(module, call.args[0]))
        found = SIGNING_KEYS.get(name or "")
        return argument(call, found[0]) if found else None
    for spelling in spellings(name) if name else ():
        if spelling in SIGNING_KEYS:
            keyword, position = SIGNING_KEYS[spelling]
            return argument(call, keyword, position)
    return None


def algorithm_names(
    model: Model, module: Module, node: ast.expr | None
) -> list[tuple[ast.expr, str]]:
    """The algorithms that an argument names, with the expressions that do; those that are known."""
    if node is None:
        return []
    text = model.text(module, node)
    if text is not None:
        return [(node, text)]
    return [
        (element, name)
        for home, element in model.elements(module, node) or ()
        if (name := model.text(home, element)) is not None
    ]


def is_switched_off(model: Model, module: Module, options: ast.expr | None, name: str) -> bool:
    """Whether a dict of options has `name: False`."""
    given = option_given(model, module, options, name)
    return any(isinstance(found, ast.Constant) and found.value is False for found in given)


def option_given(
    model: Model, module: Module, options: ast.expr | None, name: str
) -> list[ast.expr]:
    """What a dict of options has for a name, if anything."""
    if options is None:
        return []
    value = model.resolve(module, options)
    home, node = (
        (value.module, value.node)
        if isinstance(value, Expression)
        else model.resolver.written(module, options) or (module, options)
    )
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [each for k, each in pairs if isinstance(k, ast.Constant) and k.value == name]
    keywords = literal_keywords(model.resolver, home, node) or {}
    return [keywords[name]] if name in keywords else []
