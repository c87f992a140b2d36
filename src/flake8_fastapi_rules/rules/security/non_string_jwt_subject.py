"""FAR725: tokens that their own decoder refuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of, wrap
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.libraries import STRING_SUBJECT_LIBRARIES
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import arguments_of
from flake8_fastapi_rules.semantics.schemas import dumped_fields
from flake8_fastapi_rules.semantics.tokens import TOKEN_CALL_NAMES, TokenUse, token_use
from flake8_fastapi_rules.semantics.values import Class, Constant, Function, Instance, Value

_NUMBERS = ("builtins.int", "builtins.float")
_WRAPPERS = ("sqlalchemy.orm.Mapped", "sqlalchemy.Column")


class NonStringJwtSubject(Rule):
    """Make the subject of a token a string.

    ## What it does
    Reports a `sub` claim that is a number: a literal, a value annotated `int`, a field of a model.
    The claims are those of an `encode`, or those given to the project's own function that encodes
    them.

    ## Why it matters
    Encoding works, decoding does not: PyJWT (from 2.10) raises `InvalidSubjectError`, python-jose
    `JWTClaimsError`. Every request with the token is refused.

    ## Example
    ```python
    import jwt


    def sign(user_id: int, key: str) -> str:
        return jwt.encode({"sub": user_id}, key, algorithm="HS256")
    ```

    ## Use instead
    ```python
    import jwt


    def sign(user_id: int, key: str) -> str:
        return jwt.encode({"sub": str(user_id)}, key, algorithm="HS256")
    ```

    ## Leaves alone
    Values whose type is not known, and modules that switch the check off (`verify_sub`).

    ## Fix safety
    `str(...)` around the value; the token could not be decoded before. Safe.

    ## Source
    RFC 7519, section 4.1.2; PyJWT 2.10.
    """

    code = "FAR725"
    message = "`sub` is a number, which decoding refuses; make it `str({value})`"
    variants = {"field": "`{name}.sub` is a number, which decoding refuses; make it a `str`"}
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on(ast.Call, hints=('"sub"', "'sub'", "sub="))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the subject where the claims are written."""
        if "verify_sub" in context.source.text:
            return
        for claims in self._claims(call, context):
            for subject in self._subjects(claims, call, context):
                value = context.resolve(subject)
                if self._is_number(value, context):
                    yield self.report(
                        subject,
                        value=context.shown(subject),
                        fix=lambda subject=subject: self._fix(subject, context),  # type: ignore[misc]
                    )
                    return

    @on_calls(TOKEN_CALL_NAMES, hints=("model_dump", ".dict("))
    def check_dump(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report a model that is dumped as claims and declares its subject to be a number."""
        use = token_use(context.model, context.module, call)
        if use is None or not self._wants_string(use) or use.payload is None:
            return
        name = self._dumped_number(use.payload, context)
        if name is not None and not any(self._subjects(use.payload, call, context)):
            elsewhere = Unfixable("the field's type is written elsewhere")
            yield self.report(use.payload, "field", name=name, fix=elsewhere)

    def _claims(self, call: ast.Call, context: Context) -> Iterator[ast.expr]:
        """The claims that a call encodes, itself or through a function of the project."""
        use = token_use(context.model, context.module, call)
        if use is not None:
            if self._wants_string(use) and use.payload is not None:
                yield use.payload
            return
        if not any(
            isinstance(given, ast.Dict | ast.Name)
            for given in (*call.args, *(k.value for k in call.keywords))
        ):
            return
        callee = context.resolve(call.func)
        if isinstance(callee, Function) and isinstance(callee.node, FUNCTIONS):
            parameter = self._encoded_parameter(callee, context)
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

    def _dumped_number(self, claims: ast.expr, context: Context) -> str | None:
        """The model that is dumped as claims, if its `sub` is a number."""
        model = context.model
        dump, fields = dumped_fields(model, context.module, claims) or (None, ())
        made = dump.of if dump is not None else None
        if not isinstance(made, Class) or "serializer" in made.module.source.segment(made.node):
            return None
        for field in fields:
            if field.name == "sub":
                typed = model.resolver.annotation(field.module, field.node.annotation)
                return made.node.name if self._is_number(typed, context) else None
        return None

    def _wants_string(self, use: TokenUse) -> bool:
        library = use.name.partition(".")[0]
        return use.kind.action == "encode" and library in STRING_SUBJECT_LIBRARIES

    def _encoded_parameter(self, function: Function, context: Context) -> str | None:
        """The parameter of a function whose entries become the claims of a token."""
        module: Module = function.module
        nodes = module.index.own_nodes(function.node)
        if any(isinstance(n, ast.Constant) and n.value == "sub" for n in nodes):
            return None
        names = [each.arg for each in arguments_of(function.node)]
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            use = token_use(context.model, module, node)
            if use is None or not self._wants_string(use) or use.payload is None:
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
                    case _:
                        return None
            if isinstance(payload, ast.Name) and payload.id in names:
                return payload.id
        return None

    def _subjects(self, claims: ast.expr, call: ast.Call, context: Context) -> Iterator[ast.expr]:
        """The expressions of the `sub` claim."""
        if isinstance(claims, ast.Name):
            found = context.module.index.lookup(claims.id, claims)
            bindings = found[1] if found else []
            if len(bindings) != 1 or bindings[0].value is None:
                return
            function = context.module.index.function_of(call)
            if (
                function is None
                or context.module.index.function_of(bindings[0].node) is not function
            ):
                return
            assigned = [
                value
                for node in context.module.index.own_nodes(function)
                for value in self._assigned(node, claims.id)
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

    def _assigned(self, node: ast.AST, name: str) -> Iterator[ast.expr]:
        """What a statement or call makes the `sub` of claims that have a name."""
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(self._is_subject(target, name) for target in targets):
                    yield value
            case ast.Call(func=ast.Attribute(attr="update", value=ast.Name(id=owner))) if (
                owner == name
            ):
                yield from (k.value for k in node.keywords if k.arg == "sub")
                for given in node.args:
                    if isinstance(given, ast.Dict):
                        for key, value in zip(given.keys, given.values, strict=True):
                            if isinstance(key, ast.Constant) and key.value == "sub":
                                yield value

    def _is_subject(self, target: ast.expr, name: str) -> bool:
        match target:
            case ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value="sub")):
                return owner == name
            case _:
                return False

    def _is_number(self, value: Value, context: Context) -> bool:
        if isinstance(value, Constant):
            return isinstance(value.value, int | float) and not isinstance(value.value, bool)
        if context.model.is_instance(value, *_WRAPPERS) and isinstance(value, Instance):
            return len(value.args) == 1 and context.model.is_instance(value.args[0], *_NUMBERS)
        return context.model.is_instance(value, *_NUMBERS) and not context.model.is_instance(
            value, "enum.Enum"
        )

    def _fix(self, subject: ast.expr, context: Context) -> Fix:
        edits = wrap(text_of(context.module), subject, "str(", ")")
        return fix_of("Make the subject a string", "safe", edits)
