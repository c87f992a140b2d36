"""FAR610: a coroutine that is made and dropped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CoroutineType

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Unfixable
from flake8_fastapi_rules.engine.index import ModuleIndex
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.effects import display_name
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.values import Function

#: Decorators under which a call of a coroutine function still gives a coroutine.
_BINDING = frozenset({"builtins.classmethod", "builtins.staticmethod", "abc.abstractmethod"})
#: Builtins that fail when they are given a coroutine.
_TAKING_VALUES = frozenset(
    {"all", "any", "dict", "enumerate", "float", "int", "iter", "len", "list", "max", "min", "next",
     "reversed", "round", "set", "sorted", "sum", "tuple"}
)  # fmt: skip


class UnawaitedCoroutine(Rule):
    """Await the coroutines that you call.

    ## What it does
    Reports a call of an `async def` function of the project, in FastAPI code, whose coroutine is
    neither awaited nor kept, also where it is tested, compared, unpacked or asked for an attribute
    as if it were the result. A name that nothing reads keeps nothing.

    ## Why it matters
    Calling a coroutine function runs nothing of it. The e-mail is not sent, the row is not
    written, and all that tells is a `RuntimeWarning` in the log when the coroutine is collected.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    async def notify(name: str) -> None:
        print(name)


    @router.post("/orders", status_code=201)
    async def order(name: str) -> None:
        notify(name)
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import APIRouter

    router = APIRouter()
    logger = logging.getLogger(__name__)


    async def notify(name: str) -> None:
        logger.info("notified %s", name)


    @router.get("/notified", status_code=200, operation_id="notified", tags=["orders"])
    async def notified(name: str) -> None:
        \"\"\"Notify somebody.\"\"\"
        await notify(name)
    ```

    ## Leaves alone
    Coroutines that are assigned and read, returned or passed on, asynchronous generators, and
    functions under decorators that may change what a call gives.

    ## Fix safety
    Unsafe: it adds `await`, so that code runs which did not run before. There is no fix in plain
    `def` functions.

    ## Source
    Python's documentation on coroutines.
    """

    code = "FAR610"
    message = "The coroutine of `{name}` is never awaited; write `await`"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report statements that are nothing but such a call."""
        value = context.resolve(function.node)
        if not isinstance(value, Function):
            return
        graph = context.model.effects.graph
        index = context.module.index
        # What a function returns goes to FastAPI if nothing but its routes stands around it.
        routes = context.model.uses(context.module).routes.get(function.node, ())
        answers = function.roles == {Role.ENDPOINT} and {route.node for route in routes}.issuperset(
            function.node.decorator_list
        )
        for site in graph.sites(value):
            called = site.callee
            if (
                isinstance(called, Function)
                and isinstance(called.node, ast.AsyncFunctionDef)
                and _is_dropped(site.node, function.node, index, answers=answers)
                and not called.module.index.is_generator(called.node)
                and graph.decorators(called) <= _BINDING
            ):
                yield self.report(
                    site.node,
                    name=display_name(called),
                    fix=self._fix(context, site.node)
                    if function.is_async
                    else Unfixable("the function around it is no `async def`"),
                )

    def _fix(self, context: Context, call: ast.Call) -> FixMaker:
        def fix() -> Fix:
            text = text_of(context.module)
            start = text.start(call)
            what = "Await the coroutine"
            around = context.module.index.parents.get(call)
            if isinstance(around, ast.Attribute | ast.Subscript):
                end = text.end(call)
                return fix_of(what, "unsafe", Edit(start, start, "(await "), Edit(end, end, ")"))
            return fix_of(what, "unsafe", Edit(start, start, "await "))

        return fix


def _is_dropped(call: ast.Call, function: ast.AST, index: ModuleIndex, *, answers: bool) -> bool:
    """Whether nothing can await a call's coroutine: it is dropped, or taken for the result.

    What a function that `answers` returns goes to FastAPI, which awaits nothing of it.
    """
    node: ast.AST = call
    parent = index.parents.get(call)
    is_contained = False
    while parent is not None and _gives(parent, node):
        is_contained = is_contained or not isinstance(parent, ast.IfExp | ast.BoolOp)
        node, parent = parent, index.parents.get(parent)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            reads = _reads(name, function, index)
            if not reads or is_contained:
                return reads == []
            answers = answers and index.function_of(call) is function
            return _is_lost(reads, index, answers=answers)
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return node is call
        case ast.Expr():
            return True
        case ast.Return():
            return answers and index.function_of(call) is function
        case _:
            return (
                parent is not None
                and not is_contained
                and (_fails_on_coroutine(parent, node, index) or _tests(parent, node))
            )


def _reads(name: str, function: ast.AST, index: ModuleIndex) -> list[ast.Name] | None:
    """Where a function reads what it binds to a name once; `None` if others may do it, too."""
    outer: list[ast.Global | ast.Nonlocal] = [
        *index.nodes_in(function, ast.Global),
        *index.nodes_in(function, ast.Nonlocal),
    ]
    if any(name in node.names for node in outer):
        return None
    names = [n for n in index.nodes_in(function, ast.Name) if n.id in (name, "locals")]
    reads = [n for n in names if not isinstance(n.ctx, ast.Store)]
    if not reads:
        return []
    if any(n.id == "locals" or isinstance(n.ctx, ast.Del) for n in reads):
        return None
    return reads if len(names) - len(reads) == 1 else None  # else another value may be read


def _is_lost(reads: list[ast.Name], index: ModuleIndex, *, answers: bool) -> bool:
    """Whether what is read is used as no coroutine can be used, or is only tested and returned."""
    parents = [(index.parents.get(read), read) for read in reads]
    if any(p is not None and _fails_on_coroutine(p, read, index) for p, read in parents):
        return True
    tests = [p is not None and _tests(p, read) for p, read in parents]
    returns = [isinstance(p, ast.Return) for p, _ in parents]
    return (answers or any(tests)) and all(map(max, tests, returns))


def _fails_on_coroutine(around: ast.AST, node: ast.AST, index: ModuleIndex) -> bool:
    """Whether an expression asks what is inside of it for what no coroutine has."""
    match around:
        case ast.Attribute(attr=name):
            return not hasattr(CoroutineType, name)
        case ast.Subscript(value=value):
            return value is node
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            return first is node and name in _TAKING_VALUES and index.lookup(name, around) is None
        case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
            return iterable is node
        case ast.comprehension(iter=iterable):
            return iterable is node
        case _:
            return isinstance(around, ast.BinOp | ast.Starred | ast.withitem)


def _tests(around: ast.AST, node: ast.AST) -> bool:
    """Whether an expression only asks whether something holds: a coroutine always does."""
    match around:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.Assert(test=test):
            return test is node
        case ast.BoolOp(op=ast.And(), values=[*conditions, _]):
            return node in conditions
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return True
        case _:
            return False


def _gives(around: ast.AST, node: ast.AST) -> bool:
    """Whether an expression gives what the one inside of it gives, and asks nothing of it."""
    match around:
        case ast.IfExp(test=test):
            return test is not node
        case ast.BoolOp(op=ast.Or()):
            return True
        case ast.BoolOp(values=values):
            return values[-1] is node
        case ast.ListComp(elt=element):
            return element is node
        case ast.Dict(values=values):
            return node in values
        case _:
            return isinstance(around, ast.Tuple | ast.List | ast.Set)
