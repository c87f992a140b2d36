"""FAR725: tokens that their own decoder refuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, wrap
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.schemas import dumped_fields
from flake8_fastapi_rules.semantics.token_claims import (
    claims_of,
    subjects_of,
    takes_any_subject,
    wants_string_subject,
)
from flake8_fastapi_rules.semantics.tokens import TOKEN_CALL_NAMES, token_use
from flake8_fastapi_rules.semantics.values import Class, Constant, Instance, Value

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
    Values whose type is not known, modules that switch the check off (`verify_sub`), and projects
    that read tokens but never look at the subject: PyJWT does not with `verify_signature` off.

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
        for claims in claims_of(context.model, context.module, call):
            for subject in subjects_of(context.module, claims, call):
                value = context.resolve(subject)
                if self._is_number(value, context):
                    if takes_any_subject(context.model, context.module):
                        return
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
        if use is None or not wants_string_subject(use) or use.payload is None:
            return
        name = self._dumped_number(use.payload, context)
        if name is not None and not any(subjects_of(context.module, use.payload, call)):
            if takes_any_subject(context.model, context.module):
                return
            elsewhere = Unfixable("the field's type is written elsewhere")
            yield self.report(use.payload, "field", name=name, fix=elsewhere)

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
