"""FAR304: a dependency where nobody resolves it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Dependency, Parameter, Role
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.routines import routines_in
from flake8_fastapi_rules.semantics.values import Function, FunctionNode

#: What a marker itself has.
_OWN_ATTRIBUTES = frozenset({"dependency", "use_cache", "scope", "scopes"})
#: Nodes that use a value: whoever does this to a marker takes it for what it stands for.
_USING = (ast.Await, ast.withitem, ast.For, ast.AsyncFor, ast.comprehension, ast.BinOp, ast.Match)
#: What Starlette calls by itself, with the app or the request and nothing else.
_WITHOUT_DEPENDENCIES = frozenset(
    {Role.LIFESPAN, Role.EVENT_HANDLER, Role.EXCEPTION_HANDLER, Role.MIDDLEWARE}
)


class DependsInBody(Rule):
    """Let FastAPI resolve dependencies: in a function body `Depends` is only a marker.

    ## What it does
    Reports `Depends(...)` that is used as if it were the dependency's value, in the body of a
    function; and a parameter with `Depends(...)` as default in a function that FastAPI never calls
    and that the project calls, or gives to `add_task`, without this argument; or in what is called
    without dependencies: a lifespan, an event handler, an exception handler, a middleware.

    ## Why it matters
    Only FastAPI resolves dependencies, and only those in the signatures that it reads. Everywhere
    else `Depends(get_session)` is an object that remembers `get_session`; the first method called
    on it raises an `AttributeError`.

    ## Example
    ```python
    from fastapi import Depends


    class Session:
        def count(self) -> int:
            return 0


    def get_session() -> Session:
        return Session()


    def count_items() -> int:
        session = Depends(get_session)
        return session.count()
    ```

    ## Use instead
    ```python
    class Session:
        def count(self) -> int:
            return 0


    def count_items(session: Session) -> int:
        return session.count()
    ```

    ## Leaves alone
    `dependencies=[...]`, `Annotated[...]`, defaults of functions that FastAPI calls, and functions
    that make dependencies: markers that are returned, put into a list, or given to a call outside
    of FastAPI code.

    ## Source
    FastAPI's dependency injection, which reads the signatures of endpoints and dependencies.
    """

    code = "FAR304"
    message = "Take `{target}` as a parameter: in a function body `{marker}(...)` is not resolved"
    variants = {
        "default": (
            "Pass `{name}` to `{function}`: FastAPI never calls it, so `{marker}(...)` stays"
        ),
        "handler": "Make `{name}` inside of `{function}`: as {kind} it gets no dependencies",
    }
    profiles = ("recommended",)
    is_bug = True
    hints = ("Depends", "Security")

    @on(Dependency)
    def check_body(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report markers that are used as values."""
        call, index = dependency.node, context.module.index
        function = index.function_of(call)
        if function is None or not dependency.marker.is_direct:
            return
        is_framework = isinstance(function, FUNCTIONS) and bool(
            context.model.roles(Function(context.module, function))
        )
        if _is_used(call, function, is_framework, context):
            shown = context.shown(dependency.target_node) if dependency.target_node else "it"
            yield self.report(call, marker=dependency.marker.name, target=shown)

    @on(ast.FunctionDef, ast.AsyncFunctionDef)
    def check_default(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report defaults that direct calls fall back on."""
        model, function = context.model, Function(context.module, node)
        for parameter in model.parameters_with_marker_default(function):
            marker = parameter.marker
            if marker is None or marker.name not in ("Depends", "Security") or not marker.call:
                continue
            roles = model.roles(function)
            if roles and roles <= _WITHOUT_DEPENDENCIES and len(node.decorator_list) <= 1:
                yield self.report(
                    parameter.node,
                    "handler",
                    name=parameter.name,
                    function=node.name,
                    kind=min(role.value for role in roles),
                )
                continue
            if roles or not _is_plain(node):
                return
            caller = self._call_without(parameter, function, context)
            if caller is not None:
                yield self.report(
                    parameter.node,
                    "default",
                    related=[context.related(*caller, "the call")],
                    name=parameter.name,
                    function=context.module.index.qualname(node).removesuffix(".__init__"),
                    marker=marker.name,
                )

    def _call_without(
        self, parameter: Parameter, function: Function, context: Context
    ) -> tuple[Module, ast.expr] | None:
        """Where the project calls a function, or hands it to a background task, without it."""
        node = function.node
        assert isinstance(node, FUNCTIONS)
        for routine, starts in routines_in(context.model, context.module):
            for start in starts if routine is node else ():
                if start.starter == "add_task" and _omits(start, parameter, node):
                    return start.module, start.node
        if _is_passed_on(node, context):
            return None
        for call in context.model.direct_calls(function):
            if call.is_certain and call.omits(parameter.node):
                return call.module, call.node
        return None


def _omits(start: BackgroundRoutine, parameter: Parameter, node: FunctionNode) -> bool:
    """Whether `add_task(function, ...)` certainly gives a parameter no argument."""
    if not isinstance(start.node, ast.Call) or not isinstance(start.target_node, ast.Name):
        return False  # a method has its object before it
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    given = {keyword.arg for keyword in start.node.keywords}
    if None in given or any(isinstance(each, ast.Starred) for each in start.arguments):
        return False
    return parameter.name not in given.union(names[: len(start.arguments)])


def _is_plain(node: FunctionNode) -> bool:
    """Whether no decorator may hand a function to FastAPI."""
    return all(
        isinstance(each, ast.Name) and each.id in ("staticmethod", "classmethod")
        for each in node.decorator_list
    )


def _is_passed_on(node: FunctionNode, context: Context) -> bool:
    """Whether a function (or the class of a method) is used other than by calling it."""
    index = context.module.index
    owner = index.class_of(node)
    if owner is not None and node.name not in ("__init__", "__call__"):
        return False
    name = owner.name if owner is not None else node.name
    return any(
        use.id == name
        and isinstance(use.ctx, ast.Load)
        and not (isinstance(parent := index.parents.get(use), ast.Call) and parent.func is use)
        and not isinstance(parent, (ast.ClassDef, ast.arg, ast.AnnAssign, *FUNCTIONS))
        for use in index.nodes(ast.Name)
    )


def _is_used(node: ast.expr, function: ast.AST, is_framework: bool, context: Context) -> bool:
    """Whether a marker, or a name that it is bound to, is taken for a value."""
    index = context.module.index
    child: ast.AST = node
    parent = index.parents.get(node)
    while isinstance(parent, ast.BoolOp | ast.IfExp | ast.NamedExpr) and child is not getattr(
        parent, "test", None
    ):
        if isinstance(parent, ast.NamedExpr):
            later = _uses_of(parent.target.id, parent, function, context)
            if any(_is_used(use, function, is_framework, context) for use in later):
                return True
        child, parent = parent, index.parents.get(parent)
    match parent:
        case ast.Attribute(attr=attr):
            return attr not in _OWN_ATTRIBUTES
        case ast.Call(func=func) if func is child:
            return True
        case ast.Call():
            return is_framework and not _takes_markers(parent)
        case ast.keyword():
            call = index.parents.get(parent)
            return is_framework and isinstance(call, ast.Call) and not _takes_markers(call)
        case ast.Subscript(value=value):
            return value is child
        case ast.Expr():
            return True
        case ast.Return():
            return is_framework
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            named = [
                each
                for each in ast.walk(function)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
            ]
            if is_framework and not named:
                return True
            uses = _uses_of(name, parent, function, context)
            return any(_is_used(use, function, is_framework, context) for use in uses)
        case ast.Assign(targets=[ast.Attribute() as target]):
            return _is_used_attribute(target, context)
        case _:
            return isinstance(parent, _USING)


def _uses_of(
    name: str, binding: ast.stmt | ast.expr, function: ast.AST, context: Context
) -> list[ast.Name]:
    """The places after a binding at which a function itself reads the name."""
    end = (binding.end_lineno or 0, binding.end_col_offset or 0)
    return [
        use
        for use in context.module.index.own_nodes(function)
        if isinstance(use, ast.Name)
        and use.id == name
        and isinstance(use.ctx, ast.Load)
        # `session = session or Depends(...)` is no use, and would never end.
        and (use.lineno, use.col_offset) >= end
    ]


def _takes_markers(call: ast.Call) -> bool:
    """Whether a call is known to be one that a marker may be given to."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in {
        "Parameter", "replace", "append", "extend", "insert", "isinstance", "print", "repr", "str",
        "setattr", "include_router", "add_api_route", "APIRouter", "FastAPI", "Depends", "Security",
    }  # fmt: skip


def _is_used_attribute(target: ast.Attribute, context: Context) -> bool:
    """Whether `self.session = Depends(...)` is followed by uses such as `self.session.add`."""
    if not isinstance(target.value, ast.Name):
        return False
    return any(
        isinstance(use.value, ast.Attribute)
        and use.value.attr == target.attr
        and isinstance(use.value.value, ast.Name)
        and use.value.value.id == target.value.id
        and use.attr not in _OWN_ATTRIBUTES
        for use in context.module.index.nodes(ast.Attribute)
    )
