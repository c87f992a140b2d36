"""FAR413: background tasks that a response with its own loses."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, Instance

_REDIRECT = "starlette.responses.RedirectResponse"
_TASKS = ("fastapi.BackgroundTasks", "starlette.background.BackgroundTasks")


class LostBackgroundTasks(Rule):
    """Put all background tasks of a request in one place.

    ## What it does
    Reports `background=` of a response that an endpoint returns after it, or a function of the
    project that it gave them to, added tasks to its injected `BackgroundTasks`.

    ## Why it matters
    FastAPI gives the injected tasks to the response only if it has none of its own. With
    `background=` the tasks that were added before never run, and nothing says so.

    ## Example
    ```python
    from fastapi import APIRouter, BackgroundTasks
    from fastapi.responses import FileResponse
    from starlette.background import BackgroundTask

    router = APIRouter()


    @router.get("/export")
    def export(background: BackgroundTasks) -> FileResponse:
        background.add_task(print, "exported")
        return FileResponse("export.csv", background=BackgroundTask(print, "sent"))
    ```

    ## Use instead
    ```python
    from fastapi import BackgroundTasks
    from fastapi.responses import FileResponse


    def exported(background: BackgroundTasks) -> FileResponse:
        \"\"\"The exported file.\"\"\"
        background.add_task(print, "exported")
        background.add_task(print, "sent")
        return FileResponse("export.csv")
    ```

    ## Leaves alone
    `background=` with the injected tasks, or with tasks made of them, and responses returned on a
    path on which nothing certainly was added.

    ## Source
    `fastapi.routing.get_request_handler`: `raw_response.background` is set only if it is `None`
    (0.165).
    """

    code = "FAR413"
    message = "`background=` replaces the tasks added to `{name}`; they never run"
    profiles = ("recommended",)
    is_bug = True
    hints = ("background",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report responses with their own tasks behind tasks that were added."""
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        names = {
            parameter.name
            for parameter in context.model.parameters(function)
            if context.model.is_instance(
                context.model.resolver.annotation(parameter.type_module, parameter.type_node),
                *_TASKS,
            )
        }
        added = list(self._additions(function, names, context))
        for statement in returns_of(context.module, endpoint.node) if added else ():
            own = self._own_tasks(statement, endpoint, context)
            if own is None or self._holds(own, names, endpoint, context):
                continue
            for call, tasks in added:
                if self._runs_before(call, statement, endpoint, context):
                    yield self.report(own, name=tasks.id)
                    break

    def _additions(
        self, function: Function, names: Set[str], context: Context
    ) -> Iterator[tuple[ast.Call, ast.Name]]:
        """The calls that certainly add tasks, and the variables that they add them to."""
        for site in context.model.effects.calls(function):
            match site.node.func:
                case ast.Attribute(value=ast.Name(id=name) as tasks, attr="add_task"):
                    if name in names:
                        yield site.node, tasks
            values = [keyword.value for keyword in site.node.keywords]
            for given in (*site.node.args, *values):
                if site.target and isinstance(given, ast.Name) and given.id in names:
                    parameter = argument_filled(site.target, site.node, given)
                    if parameter is not None and self._adds(site.target, parameter):
                        yield site.node, given

    def _adds(self, helper: Function, parameter: ast.arg) -> bool:
        """Whether a function adds to the tasks it is given, whatever it finds."""
        index = helper.module.index
        for node in index.own_nodes(helper.node):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add_task")):
                    if name == parameter.arg and not index.branch_of(
                        node, index.scopes[helper.node]
                    ):
                        return True
        return False

    def _holds(self, own: ast.expr, names: set[str], endpoint: Endpoint, context: Context) -> bool:
        """Whether the response's tasks are the injected ones, or are made of them."""
        index = context.module.index
        if any(
            isinstance(node, ast.Attribute)
            and node.attr == "tasks"
            and isinstance(node.value, ast.Name)
            and node.value.id in names
            for node in index.own_nodes(endpoint.node)
        ):
            return True
        found = index.lookup(own.id, own) if isinstance(own, ast.Name) else None
        made = [own, *(b.value for b in found[1] if b.value is not None)] if found else [own]
        return any(
            isinstance(node, ast.Name) and node.id in names
            for each in made
            for node in ast.walk(each)
        )

    def _own_tasks(
        self, statement: ast.Return, endpoint: Endpoint, context: Context
    ) -> ast.expr | None:
        """What a returned response is given as `background`."""
        value = context.resolve(statement.value)
        if not isinstance(value, Instance) or value.call is None:
            return None
        if value.module is not context.module or not context.model.is_instance(value, RESPONSE):
            return None
        given = argument(value.call, "background")
        is_redirect = context.model.is_instance(value, _REDIRECT)
        position = 3 if is_redirect else 4
        if given is None and self._takes_what_it_passes_on(value, context):
            given = argument(value.call, "background", position)
        if isinstance(statement.value, ast.Name):
            for node in context.module.index.own_nodes(endpoint.node):
                match node:
                    case ast.Assign(
                        targets=[ast.Attribute(value=ast.Name(id=name), attr="background")],
                        value=assigned,
                    ) if name == statement.value.id and node.lineno < statement.lineno:
                        given = assigned
        return None if given is None or context.resolve(given) == Constant(None) else given

    def _takes_what_it_passes_on(self, response: Instance, context: Context) -> bool:
        """Whether a response is made with the arguments of its library's own class."""
        if not isinstance(response.of, Class):
            return isinstance(response.of, External)
        made = context.model.resolver.class_attribute(response.of, "__init__", instance=True)
        return isinstance(made, External)

    def _runs_before(
        self, call: ast.Call, statement: ast.Return, endpoint: Endpoint, context: Context
    ) -> bool:
        """Whether a call certainly ran when a `return` is reached."""
        index = context.module.index
        if call.lineno > statement.lineno:
            return False
        scope = index.scopes[endpoint.node]
        branch = index.branch_of(call, scope)
        return index.branch_of(statement, scope)[: len(branch)] == branch
