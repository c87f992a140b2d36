"""What an expression means, as far as it can be known without running it.

A value is one of the classes below; whatever cannot be told is `UNKNOWN`, and on `UNKNOWN` rules
are silent.
"""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from flake8_fastapi_rules.engine.records import record

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@record
class Unknown:
    """Nothing is known."""

    def __bool__(self) -> bool:
        return False


UNKNOWN = Unknown()


@record
class External:
    """Something defined outside the project, by its canonical qualified name.

    `fastapi.routing.APIRouter` and `fastapi.APIRouter` are both `External("fastapi.APIRouter")`.
    A bound method of a library's object is `External("sqlalchemy.orm.Session.add")`.
    """

    name: str


@record
class ModuleValue:
    """A module of the project."""

    module: Module


@record
class Function:
    """A function, lambda or method of the project.

    Parameters:
        owner: the class through which a method was reached, if it was.
        bound: whether `self` (or `cls`) is filled in already.
    """

    module: Module
    node: FunctionNode | ast.Lambda
    owner: Class | None = None
    bound: bool = False

    @property
    def shown_name(self) -> str:
        """What messages call it: the class, where an object or a class is called."""
        if self.owner is not None:
            return self.owner.node.name
        return getattr(self.node, "name", "lambda")


@record
class Class:
    """A class of the project."""

    module: Module
    node: ast.ClassDef


@record
class Instance:
    """An object.

    Parameters:
        of: its class, or, for the result of a library's function without a known result type,
            that function (`External("some_library.make")`).
        module, call: where it was made, when that is known; two values with the same `call` are
            the same object as far as one execution of that call goes.
        args: type arguments (`list[Item]` has `Item`'s instance).
    """

    of: External | Class
    module: Module | None = field(default=None, compare=True)
    call: ast.Call | None = None
    args: tuple[Value, ...] = ()


@record
class Constant:
    """A literal, or what constants fold to: str, bytes, int, float, bool, None or `...`."""

    value: Any


@record
class Expression:
    """An expression that is not evaluated further: displays, comprehensions, operators.

    The node belongs to `module`; its elements can be resolved there.
    """

    module: Module
    node: ast.expr


@record
class AnnotatedAlias:
    """What an `Annotated[...]` expression (or an alias of one) stands for."""

    module: Module
    node: ast.Subscript


Value: TypeAlias = Union[  # noqa: UP007 - forward references inside
    Unknown,
    External,
    ModuleValue,
    Function,
    Class,
    Instance,
    Constant,
    Expression,
    AnnotatedAlias,
]


def qualified_name(value: Value) -> str | None:
    """The canonical name of a value, such as `fastapi.Depends` or `app.deps.get_db`.

    For an `Instance` it is the name of its class. `None` for what has no name.
    """
    match value:
        case External(name):
            return name
        case ModuleValue(module):
            return module.name
        case Function(module, ast.Lambda()):
            return f"{module.name}.<lambda>"
        case Function(module, node) | Class(module, node):
            return f"{module.name}.{module.index.qualname(node)}"
        case Instance(of=of):
            return qualified_name(of)
        case _:
            return None
