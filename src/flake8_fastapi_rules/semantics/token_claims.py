"""What is put into tokens: their claims, wherever these are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.semantics.libraries import STRING_SUBJECT_LIBRARIES
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.resolve import arguments_of
from flake8_fastapi_rules.semantics.tokens import TokenUse, is_switched_off, option_given, token_use
from flake8_fastapi_rules.semantics.values import Function


def wants_string_subject(use: TokenUse) -> bool:
    """Whether a call encodes claims with a library that decodes no other subjects."""
    library = use.name.partition(".")[0]
    return use.kind.action == "encode" and library in STRING_SUBJECT_LIBRARIES


def takes_any_subject(model: Model, module: Module) -> bool:
    """Whether the project reads tokens, and nothing that does looks at the subject's type.

    PyJWT does not where it leaves the signature alone, python-jose only where it is told so.
    """
    if not any(True for _ in modules_mentioning(model, module, "verify_s")):
        return False
    is_read = False
    for home in modules_mentioning(model, module, "decode"):
        if not any(library in home.source.text for library in STRING_SUBJECT_LIBRARIES):
            continue
        for call in home.index.nodes(ast.Call):
            use = token_use(model, home, call)
            if use is None or use.kind.action != "decode":
                continue
            if use.name.partition(".")[0] in STRING_SUBJECT_LIBRARIES:
                if not _takes_any_subject(model, use):
                    return False
                is_read = True
    return is_read


def _takes_any_subject(model: Model, use: TokenUse) -> bool:
    options = argument(use.written, "options", 3)
    if is_switched_off(model, use.module, options, "verify_sub"):
        return True
    return (
        use.name.startswith("jwt.")
        and is_switched_off(model, use.module, options, "verify_signature")
        and not option_given(model, use.module, options, "verify_sub")
    )


def claims_of(model: Model, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """The claims that a call encodes, itself or through a function of the project.

    Only those of which the library wants the subject to be a string.
    """
    use = token_use(model, module, call)
    if use is not None:
        if wants_string_subject(use) and use.payload is not None:
            yield use.payload
        return
    if not any(
        isinstance(given, ast.Dict | ast.Name)
        or (isinstance(given, ast.Call) and isinstance(given.func, ast.Name))
        for given in (*call.args, *(k.value for k in call.keywords))
    ):
        return
    callee = model.resolve(module, call.func)
    if isinstance(callee, Function) and isinstance(callee.node, FUNCTIONS):
        parameter = _encoded_parameter(model, callee)
        if parameter is None:
            return
        names = [each.arg for each in arguments_of(callee.node)]
        offset = 1 if callee.bound and names[:1] in (["self"], ["cls"]) else 0
        for keyword in call.keywords:
            if keyword.arg == parameter:
                yield keyword.value
        position = names.index(parameter) - offset
        if 0 <= position < len(call.args):
            yield call.args[position]


def subjects_of(module: Module, claims: ast.expr, call: ast.Call) -> Iterator[ast.expr]:
    """The expressions of the `sub` claim: the last one that the function puts in, or the first."""
    if isinstance(claims, ast.Name):
        found = module.index.lookup(claims.id, claims)
        bindings = found[1] if found else []
        if len(bindings) != 1 or bindings[0].value is None:
            return
        function = module.index.function_of(call)
        if function is None or module.index.function_of(bindings[0].node) is not function:
            return
        assigned = [
            value
            for node in module.index.own_nodes(function)
            for value in _assigned(node, claims.id)
        ]
        if assigned:
            yield assigned[-1]
            return
        claims = bindings[0].value
    match claims:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "sub":
                    yield value
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "sub")


def _encoded_parameter(model: Model, function: Function) -> str | None:
    """The parameter of a function whose entries become the claims of a token."""
    module = function.module
    nodes = module.index.own_nodes(function.node)
    if any(isinstance(n, ast.Constant) and n.value == "sub" for n in nodes):
        return None
    names = [each.arg for each in arguments_of(function.node)]
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        use = token_use(model, module, node)
        if use is None or not wants_string_subject(use) or use.payload is None:
            continue
        payload: ast.expr = use.payload
        for _ in range(3):
            match payload:
                case ast.Name(id=name):
                    found = module.index.lookup(name, payload)
                    bindings = found[1] if found else []
                    if len(bindings) != 1:
                        return None
                    if bindings[0].kind == "parameter":
                        return name if name in names else None
                    if bindings[0].value is None:
                        return None
                    payload = bindings[0].value
                case ast.Call(func=ast.Attribute(attr="copy", value=inner)):
                    payload = inner
                case ast.Call(func=ast.Name(id="dict"), args=[inner]):
                    payload = inner
                case ast.Dict(keys=keys, values=values) if None in keys:
                    payload = values[keys.index(None)]
                case ast.BinOp(left=inner, op=ast.BitOr()):
                    payload = inner
                case _:
                    return None
        if isinstance(payload, ast.Name) and payload.id in names:
            return payload.id
    return None


def _assigned(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a statement or call makes the `sub` of claims that have a name."""
    match node:
        case ast.Assign(targets=targets, value=value):
            if any(_is_subject(target, name) for target in targets):
                yield value
        case ast.Call(func=ast.Attribute(attr="update", value=ast.Name(id=owner))) if owner == name:
            yield from (k.value for k in node.keywords if k.arg == "sub")
            for given in node.args:
                if isinstance(given, ast.Dict):
                    for key, value in zip(given.keys, given.values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "sub":
                            yield value


def _is_subject(target: ast.expr, name: str) -> bool:
    match target:
        case ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value="sub")):
            return owner == name
        case _:
            return False
