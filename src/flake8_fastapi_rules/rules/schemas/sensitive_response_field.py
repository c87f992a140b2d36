"""FAR508: passwords and keys in answers."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_stored_class
from flake8_fastapi_rules.semantics.facts import PydanticModel, Route, RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import answer_classes, response_type
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    SchemaUse,
    SchemaUses,
    nested_models,
    schema_uses,
)
from flake8_fastapi_rules.semantics.sensitive_fields import (
    is_exposed,
    is_sensitive,
    secret_properties,
    suspicious_fields,
)
from flake8_fastapi_rules.semantics.values import Class


class SensitiveResponseField(Rule):
    """Keep passwords, hashes and keys out of answers.

    ## What it does
    Reports a text field whose name says password, secret or private key in a model that an
    operation answers with, also in a base of it or in the model of one of its fields.

    ## Why it matters
    What is in the response model leaves the server. A password hash in an answer can be attacked
    at leisure by everybody who sees it: other users, proxies, logs, the browser's cache.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/users")


    class User(BaseModel):
        name: str
        password_hash: str


    @router.get("/{user_id}")
    async def read_user(user_id: int) -> User:
        return find(user_id)
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class PublicUser(BaseModel):
        \"\"\"What everybody may know of a user.\"\"\"

        name: str = Field(description="What to call somebody")


    def public(name: str) -> PublicUser:
        return PublicUser(name=name)
    ```

    ## Leaves alone
    `SecretStr`, `Field(exclude=True)`, `response_model_exclude` and `response_model_include`,
    fields that are no text (`password_changed_at`), other hashes (`content_hash`), tokens, masked
    values, also where the project makes the answer, secrets with a `default_factory`, which are
    made here for the client, fields with a serializer of their own or a validator that encrypts or
    masks them, secrets that an operation exists to hand out, once, such as a `temporary_password`,
    models that say that they have them (`UserWithCredentials`), and what clients connect with: the
    password of a `Proxy`, the private key for `WireGuard`, the secret of an `ApiKey`.

    ## Source
    OWASP API security: excessive data exposure.
    """

    code = "FAR508"
    message = "`{name}` leaves the server in answers; use a response model without it"
    variants = {
        "inherited": "`{model}` inherits `{name}`, which leaves the server in answers",
        "several": "`{model}` inherits `{name}` and {more} more that leave the server in answers",
        "shared": "The answer contains `{model}.{name}`; use a response model without it",
    }
    profiles = ("recommended",)
    scope = "project"

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the fields of models that only answers are made of."""
        uses = schema_uses(context.model, module)
        if module in uses.answering:
            for model in context.model.models(module):
                yield from self._check_model(model, uses, context)

    def _check_model(
        self, model: PydanticModel, uses: SchemaUses, context: Context
    ) -> Iterator[Report]:
        if self._is_shared(model.cls, context) or model.node not in uses.responses:
            return
        inherited: list[str] = []
        for each in suspicious_fields(context.model, model.cls):
            answers = [
                use
                for use in uses.responses[model.node]
                if is_exposed(context.model, each.name, use)
            ]
            if not answers or not is_sensitive(context.model, each, model.cls, answers):
                continue
            related = [context.related(answers[0].module, answers[0].node, "it is the answer here")]
            if each.node in model.node.body:
                yield self.report(each.node.target, name=each.name, related=related)
            elif each.module is not context.module or not self._is_answer(each, context):
                inherited.append(each.name)
        for module, node in secret_properties(context.model, model.cls):
            if any(is_exposed(context.model, node.name, use) for use in uses.responses[model.node]):
                if node in model.node.body:
                    yield self.report(context.source.name_range(node), name=node.name)
                elif module.index.class_of(node) not in uses.responses:
                    inherited.append(node.name)
        if inherited:
            where = context.source.name_range(model.node)
            name, more = inherited[0], len(inherited) - 1
            yield self.report(
                where,
                "several" if more else "inherited",
                name=name,
                more=more,
                model=model.node.name,
            )

    @on(Route)
    def check_route(self, route: Route, context: Context) -> Iterator[Report]:
        """Report answers made of what is right elsewhere: tables, request bodies, dataclasses."""
        if route.kind is not RouteKind.HTTP:
            return
        declared = response_type(context.model, route)
        if declared is None:
            return
        direct = list(answer_classes(context.model, declared.module, declared.node))
        place = declared.node if declared.module is context.module else route.node
        for cls in (*direct, *nested_models(context.model, direct)):
            suspicious = suspicious_fields(context.model, cls)
            if not suspicious or not self._is_shared(cls, context):
                continue
            use = SchemaUse(declared.module, place, route, is_nested=cls not in direct)
            for each in suspicious:
                if is_exposed(context.model, each.name, use) and is_sensitive(
                    context.model, each, cls, [use]
                ):
                    yield self.report(
                        place,
                        "shared",
                        name=each.name,
                        model=cls.node.name,
                        related=[context.related(each.module, each.node.target, "the field")],
                    )
                    return

    def _is_shared(self, cls: Class, context: Context) -> bool:
        """Whether a class has other uses than as an answer: a table, a request body, a record."""
        if not context.model.is_subclass(cls, "pydantic.BaseModel"):
            return True
        uses = schema_uses(context.model, context.module)
        if cls.node in uses.bodies:
            return True
        return is_stored_class(context.model, cls)

    def _is_answer(self, each: SchemaField, context: Context) -> bool:
        """Whether the field is reported in the class that declares it."""
        owner = each.module.index.class_of(each.node)
        uses = schema_uses(context.model, context.module)
        return owner in uses.responses and owner not in uses.bodies
