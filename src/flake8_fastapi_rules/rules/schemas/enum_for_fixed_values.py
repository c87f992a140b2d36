"""FAR511: an enumeration that only a schema uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.project import place_name
from flake8_fastapi_rules.semantics.schemas import schema_classes
from flake8_fastapi_rules.semantics.values import Class, External

_ENUMS = ("enum.Enum",)
_STR_ENUM = "enum.StrEnum"
_AUTO = External("enum.auto")
_FEW = 6


class EnumForFixedValues(Rule):
    """Use `Literal` for a handful of fixed texts.

    ## What it does
    Reports a small enumeration of texts whose only use is as the type of fields of models (or of
    dataclasses and typed dicts that are bodies and answers).

    ## Why it matters
    `Literal["red", "green"]` validates the same, shows the values where they are read, and needs no
    `.value`. An enumeration pays off when code names its members.

    ## Example
    ```python
    from enum import Enum

    from pydantic import BaseModel


    class Color(Enum):
        RED = "red"
        GREEN = "green"


    class Lamp(BaseModel):
        color: Color
    ```

    ## Use instead
    ```python
    from typing import Literal

    from pydantic import BaseModel


    class Lamp(BaseModel):
        color: Literal["red", "green"]
    ```

    ## Leaves alone
    Enumerations whose members or methods are used anywhere but as the default of such a field,
    those with methods of their own, with other values than texts, or with more than six members.

    ## Source
    The convention of literal types for fixed values.
    """

    code = "FAR511"
    message = "`{name}` is only the type of fields; `Literal` says the same"
    profiles = ("opt-in",)
    scope = "project"
    hints = ("Enum",)

    @on(ast.ClassDef)
    def check(self, node: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report small enumerations that only fields use."""
        cls = Class(context.module, node)
        if not node.bases or not context.model.is_subclass(cls, *_ENUMS):
            return
        members = 0
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name()], value=ast.Constant(value=str())):
                    members += 1
                case ast.Assign(targets=[ast.Name()], value=ast.Call(func=func, args=[])) if (
                    context.resolve(func) == _AUTO and context.model.is_subclass(cls, _STR_ENUM)
                ):
                    members += 1
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case _:
                    return
        if not 1 <= members <= _FEW:
            return
        uses, own = 0, place_name(cls)  # others may know the text before a fix
        for module in modules_mentioning(context.model, context.module, node.name):
            for name in self._references(module, node.name):
                if isinstance(name, ast.Name | ast.Attribute) and (
                    place_name(context.model.resolve(module, name)) != own
                ):
                    continue
                if not self._is_field_type(module, name, context):
                    return
                uses += 1
        if uses:
            yield self.report(context.source.name_range(node), name=node.name)

    def _references(self, module: Module, name: str) -> Iterator[ast.expr]:
        for node in module.index.nodes(ast.Name):
            if isinstance(node, ast.Name) and node.id == name:
                yield node
        for other in module.index.nodes(ast.Attribute):
            if isinstance(other, ast.Attribute) and other.attr == name:
                yield other
        in_text = re.compile(rf"[\w\s\[\],.|]*\b{name}\b[\w\s\[\],.|]*")  # `"list[Color]"`
        for text in module.index.nodes(ast.Constant):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                if in_text.fullmatch(text.value) and _is_annotation(module, text):
                    yield text

    def _is_field_type(self, module: Module, node: ast.expr, context: Context) -> bool:
        """Whether a reference stands in the annotation of a model's field, or is its default."""
        child: ast.AST = node
        member = module.index.parents.get(node)
        for parent in module.index.ancestors(node):
            if isinstance(parent, ast.AnnAssign):
                owner = module.index.class_of(parent)
                if child is parent.annotation:
                    is_said = not isinstance(member, ast.Attribute | ast.Call)
                else:
                    is_said = _is_default(parent.value, member, context)
                return is_said and (
                    owner is not None
                    and (
                        context.model.is_subclass(Class(module, owner), "pydantic.BaseModel")
                        or owner in schema_classes(context.model, context.module)
                    )
                )
            if isinstance(parent, ast.stmt):
                return False
            child = parent
        return False


def _is_annotation(module: Module, text: ast.Constant) -> bool:
    """Whether a text is an annotation, or a part of one: `Mapped["Color"]`."""
    child: ast.AST = text
    for parent in module.index.ancestors(text):
        match parent:
            case ast.arg():
                return True
            case (
                ast.AnnAssign(annotation=hint)
                | ast.FunctionDef(returns=hint)
                | ast.AsyncFunctionDef(returns=hint)
            ):
                return hint is child
            case ast.stmt() | ast.Call():
                return False
        child = parent
    return False


def _is_default(value: ast.expr | None, member: ast.AST | None, context: Context) -> bool:
    """Whether a field's value is `Color.RED` or `Field(Color.RED)`, which a text can be as well."""
    if not isinstance(member, ast.Attribute):
        return False
    if isinstance(value, ast.Call):
        if context.library_object(value.func) != External("pydantic.Field"):
            return False
        return argument(value, "default", 0) is member
    return value is member
