"""Parameters and fields that clients send secrets in, by their names and types."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.credentials import (
    is_key_name,
    is_one_time,
    is_password_name,
    is_secret_name,
    is_token_name,
    snake,
)
from flake8_fastapi_rules.semantics.facts import ParameterKind
from flake8_fastapi_rules.semantics.schemas import schema_fields
from flake8_fastapi_rules.semantics.values import Class, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Parameter
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: What a dependency does that lets people in, rather than look at a link that was sent.
_VERIFIES = re.compile(
    r"^_*verify(?:$|_(?=(?:access|admin|api|auth|bearer|internal|jwt|key|secret|token|user)(?:_|$)))"
)
_NO_SECRETS = ("builtins.bool", "builtins.int", "enum.Enum")


@dataclass(frozen=True, slots=True)
class SecretField:
    """A secret among several values that one parameter gathers.

    Parameters:
        module, node: where it is declared.
        name: the class and the field.
    """

    module: Module
    node: ast.AST
    name: str


def is_secret_parameter(model: Model, parameter: Parameter, *, of_one_time: bool) -> bool:
    """Whether a parameter is a secret that stays one.

    Parameters:
        of_one_time: whether tokens are good for one use where the parameter is read.
    """
    name = snake(parameter.alias or parameter.name)
    if not is_secret_name(name) and _is_plainly_secret(parameter.name):
        name = snake(parameter.name)  # a short alias makes it no less of a secret
    if not _is_kept_secret(name, of_one_time):
        return False
    typed = model.resolver.annotation(parameter.type_module, parameter.type_node)
    return not typed or not model.is_instance(typed, *_NO_SECRETS)


def secret_of_class(model: Model, parameter: Parameter, *, of_one_time: bool) -> SecretField | None:
    """The first secret among the query parameters that a class, as a dependency, gathers."""
    dependency = model.dependency_of(parameter)
    cls = dependency.target if dependency is not None else None
    if not isinstance(cls, Class) or model.callable_of(cls) is not None:
        return None
    for each in model.class_parameters(cls) or ():
        if each.kind is ParameterKind.QUERY:
            if is_secret_parameter(model, each, of_one_time=of_one_time):
                return SecretField(each.module, each.node, f"{cls.node.name}.{each.name}")
    return None


def secret_of_model(model: Model, parameter: Parameter, *, of_one_time: bool) -> SecretField | None:
    """The first secret among the fields of a parameter that is a model."""
    typed = model.resolver.annotation(parameter.type_module, parameter.type_node)
    if not isinstance(typed, Instance) or not isinstance(typed.of, Class):
        return None
    if not model.is_instance(typed, "pydantic.BaseModel"):
        return None
    for each in schema_fields(model, typed.of):
        alias = model.text(each.module, each.argument("alias"))
        if _is_kept_secret(snake(alias or each.name), of_one_time):
            name = f"{typed.of.node.name}.{each.name}"
            return SecretField(each.module, each.node.target, name)
    return None


def looks_at_link(dependency: str) -> bool:
    """Whether a dependency's name says that it checks a link that was sent: `verify_invitation`.

    Not one that lets people in: `verify_token`.
    """
    return is_one_time(_VERIFIES.sub("", snake(dependency)))


def _is_kept_secret(name: str, of_one_time: bool) -> bool:
    """Whether a name is that of a secret, but not of a token that is good for one use."""
    if not is_secret_name(name) or is_one_time(name):
        return False
    return not (of_one_time and "token" in name)


def _is_plainly_secret(name: str) -> bool:
    """Whether a name says by itself that it is a secret: a bare `token` may be one of a page."""
    return is_password_name(name) or is_key_name(name) or is_token_name(name, bare=False)
