"""FAR415: a request's own session handed to a background task."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bound import view_parameters
from flake8_fastapi_rules.semantics.callers import DirectCall
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Parameter
from flake8_fastapi_rules.semantics.libraries import SESSIONS
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

_DEPTH = 3


class RequestSessionInBackground(Rule):
    """Open a session of its own in a background task.

    ## What it does
    Reports a database session, or another value of a dependency with `yield`, that is passed to
    `BackgroundTasks.add_task` or `BackgroundTask`, by FastAPI code or by a function of the project
    that always gets it from there.

    ## Why it matters
    What the dependency provides belongs to the request. From FastAPI 0.106 to 0.117, and with
    `scope="function"`, it is closed before the background task runs. In all other versions the
    connection stays checked out of the pool until the last background task has ended, and its
    transaction open: a few slow tasks and no request gets a connection any more.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import APIRouter, BackgroundTasks, Depends
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import session_factory
    from app.reports import write_report

    router = APIRouter()


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with session_factory() as session:
            yield session


    @router.post("/reports", status_code=202)
    async def report(
        background: BackgroundTasks, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> None:
        background.add_task(write_report, session)
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, BackgroundTasks

    from app.reports import write_report

    router = APIRouter()


    @router.get("/report", status_code=202, operation_id="report", tags=["reports"])
    async def report(background: BackgroundTasks) -> None:
        \"\"\"Write a report; `write_report` opens a session of its own.\"\"\"
        background.add_task(write_report)
    ```

    ## Leaves alone
    Session factories, identifiers and other plain values, dependencies without `yield` that are no
    sessions, and functions that may get a session of another kind.

    ## Source
    FastAPI's documentation: dependencies with `yield` and background tasks; release notes of
    0.106 and 0.118.
    """

    code = "FAR415"
    message = "`{name}` belongs to the request; open a session of its own in the background task"
    variants = {
        "other": "`{name}` belongs to the request; make one of its own in the background task"
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(BackgroundRoutine)
    def check(self, routine: BackgroundRoutine, context: Context) -> Iterator[Report]:
        """Report arguments that the request's dependencies provide."""
        if routine.starter != "add_task" or not isinstance(routine.in_function, FUNCTIONS):
            return
        function = Function(routine.module, routine.in_function)
        if not context.model.roles(function):
            yield from self._check_helper(routine, function, context)
            return
        parameters = {p.name: p for p in context.model.parameters(function)}
        given = list(routine.arguments)
        if isinstance(routine.node, ast.Call):
            given += [keyword.value for keyword in routine.node.keywords]
        if not isinstance(routine.target_node, ast.Name | None):
            # `session.commit`, `lambda: session.commit()`, `Service(session).run`
            given += [n for n in ast.walk(routine.target_node) if isinstance(n, ast.Name)]
        for argument in dict.fromkeys(part for each in given for part in _unpacked(each)):
            if isinstance(argument, ast.Name):
                parameter = self._parameter(argument, parameters, context)
                kind = self._kind(parameter, context) if parameter is not None else None
                if kind is not None:
                    variant = None if kind == "session" else "other"
                    yield self.report(argument, variant, name=argument.id)
                elif parameter is not None and self._is_asked(
                    argument, parameter, routine, context
                ):
                    yield self.report(argument, name=argument.id)
            elif isinstance(argument, ast.Attribute):
                kind = self._kind_in_view(argument, function, context)
                if kind is not None:
                    variant = None if kind == "session" else "other"
                    yield self.report(argument, variant, name=context.shown(argument))
                elif self._is_held(argument, parameters, context):
                    yield self.report(argument, name=context.shown(argument))
        yield from self._check_target(routine, parameters, context)

    def _check_helper(
        self, routine: BackgroundRoutine, function: Function, context: Context
    ) -> Iterator[Report]:
        """Report the session that a function is given, wherever it is called, by FastAPI code."""
        arguments = function.node.args
        parameters = {
            each.arg: each
            for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        }
        given = [*routine.arguments]
        if isinstance(routine.node, ast.Call):
            given += [keyword.value for keyword in routine.node.keywords]
        for argument in given:
            if not isinstance(argument, ast.Name) or argument.id not in parameters:
                continue
            found = routine.module.index.lookup(argument.id, argument)
            if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
                continue
            calls = context.model.direct_calls(function)
            if calls and all(
                call.is_certain and self._gives_session(call, parameters[argument.id], context)
                for call in calls
            ):
                yield self.report(argument, name=argument.id)

    def _gives_session(self, call: DirectCall, parameter: ast.arg, context: Context) -> bool:
        """Whether a call in FastAPI code gives the session that it is injected with."""
        given, index = call.given(parameter), call.module.index
        around = index.function_of(call.node)
        if not isinstance(given, ast.Name) or not isinstance(around, FUNCTIONS):
            return False
        found = index.lookup(given.id, given)
        if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
            return False
        caller = Function(call.module, around)
        return bool(context.model.roles(caller)) and any(
            each.name == given.id and self._kind(each, context) == "session"
            for each in context.model.parameters(caller)
        )

    def _check_target(
        self, routine: BackgroundRoutine, parameters: dict[str, Parameter], context: Context
    ) -> Iterator[Report]:
        """Report functions made in the endpoint, and methods, that use the request's session."""
        target, node = routine.target, routine.target_node
        if not isinstance(target, Function) or not isinstance(target.node, FUNCTIONS):
            return
        if isinstance(node, ast.Name) and target.module is context.module:
            for used in context.module.index.own_nodes(target.node):
                if isinstance(used, ast.Name) and isinstance(used.ctx, ast.Load):
                    parameter = self._parameter(used, parameters, context)
                    kind = self._kind(parameter, context) if parameter is not None else None
                    if kind is not None:
                        variant = None if kind == "session" else "other"
                        yield self.report(node, variant, name=used.id)
                        return
        match node:
            case ast.Attribute(value=ast.Name() as owner):
                parameter = self._parameter(owner, parameters, context)
                if parameter is None:
                    yield from self._made_with_session(owner, parameters, context)
                    return
                if self._kind(parameter, context) is not None:
                    return
                if context.model.dependency_of(parameter) is not None and self._uses_session(
                    target, context
                ):
                    yield self.report(owner, name=owner.id)

    def _is_asked(
        self,
        argument: ast.Name,
        parameter: Parameter,
        routine: BackgroundRoutine,
        context: Context,
    ) -> bool:
        """Whether a task uses the session of an object, made for the request, that it is given."""
        target, dependency = routine.target, context.model.dependency_of(parameter)
        if not isinstance(target, Function) or dependency is None:
            return False
        given = context.model.provided(dependency)
        filled = _filled(routine, target, argument)
        if filled is None or not isinstance(given, Instance) or not isinstance(given.of, Class):
            return False
        for node in target.module.index.own_nodes(target.node):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == filled:
                    held = context.model.resolver.class_attribute(given.of, attr, instance=True)
                    if context.model.is_instance(held, *SESSIONS):
                        return True
                    if isinstance(held, Function) and self._uses_session(held, context):
                        return True
        return False

    def _made_with_session(
        self, owner: ast.Name, parameters: dict[str, Parameter], context: Context
    ) -> Iterator[Report]:
        """Report `service.run` after `service = Service(session)`."""
        found = context.module.index.lookup(owner.id, owner)
        if found is None or len(found[1]) != 1 or found[1][0].path:
            return
        made = found[1][0].value
        if not isinstance(made, ast.Call) or not isinstance(context.resolve(made.func), Class):
            return
        for given in (*made.args, *(keyword.value for keyword in made.keywords)):
            if isinstance(given, ast.Name):
                parameter = self._parameter(given, parameters, context)
                if parameter is not None and self._kind(parameter, context) == "session":
                    yield self.report(owner, name=given.id)
                    return

    def _parameter(
        self, name: ast.Name, parameters: dict[str, Parameter], context: Context
    ) -> Parameter | None:
        """The parameter that a name stands for, itself or as another name for it."""
        index = context.module.index
        found = index.lookup(name.id, name)
        if found is None or len(found[1]) != 1:
            return None
        binding = found[1][0]
        if binding.kind == "parameter":
            parameter = parameters.get(name.id)
            return parameter if parameter is not None and binding.node is parameter.node else None
        if isinstance(binding.value, ast.Name) and binding.value.id != name.id:
            return self._parameter(binding.value, parameters, context) if not binding.path else None
        return None

    def _kind_in_view(
        self, argument: ast.Attribute, function: Function, context: Context
    ) -> str | None:
        """What `self.session` is in a class-based view that asks for it."""
        cls = context.module.index.class_of(function.node)
        if cls is None or not (
            isinstance(argument.value, ast.Name) and argument.value.id == "self"
        ):
            return None
        for parameter in view_parameters(context.model, Class(context.module, cls)):
            if parameter.name == argument.attr:
                return self._kind(parameter, context)
        return None

    def _is_held(
        self, argument: ast.Attribute, parameters: dict[str, Parameter], context: Context
    ) -> bool:
        """Whether `repository.session` is the session of an object made for the request."""
        if not isinstance(argument.value, ast.Name):
            return False
        parameter = self._parameter(argument.value, parameters, context)
        return (
            parameter is not None
            and context.model.dependency_of(parameter) is not None
            and context.model.is_instance(context.resolve(argument), *SESSIONS)
        )

    def _uses_session(self, method: Function, context: Context, depth: int = 0) -> bool:
        """Whether a method uses a session that its object holds, or calls one that does."""
        for node in method.module.index.own_nodes(method.node):
            if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            if not (isinstance(node.value, ast.Name | ast.Attribute)):
                continue
            value = context.model.resolve(method.module, node)
            if context.model.is_instance(value, *SESSIONS):
                return True
            if (
                depth < _DEPTH
                and isinstance(value, Function)
                and value.owner is not None
                and value.node is not method.node
                and self._uses_session(value, context, depth + 1)
            ):
                return True
        return False

    def _kind(self, parameter: Parameter, context: Context) -> str | None:
        """`session`, `other` for what a dependency with `yield` gives, or `None`."""
        dependency = context.model.dependency_of(parameter)
        if dependency is None:
            return None
        typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
        provided = context.model.provided(dependency)
        if any(context.model.is_instance(value, *SESSIONS) for value in (typed, provided)):
            return "session"
        function = context.model.callable_of(dependency.target)
        if function is not None and function.module.index.is_generator(function.node):
            return "other"
        return None


def _unpacked(node: ast.expr) -> list[ast.expr]:
    """The arguments in `*[session]` and `**{"session": session}`."""
    match node:
        case ast.Starred(value=ast.List(elts=elements) | ast.Tuple(elts=elements)):
            return elements
        case ast.Dict(values=values):
            return values
        case _:
            return [node]


def _filled(routine: BackgroundRoutine, target: Function, argument: ast.Name) -> str | None:
    """The parameter of a task that an argument behind it fills: `add_task(task, argument)`."""
    if isinstance(routine.node, ast.Call):
        for keyword in routine.node.keywords:
            if keyword.value is argument:
                return keyword.arg
    arguments = target.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)][target.bound :]
    position = routine.arguments.index(argument) if argument in routine.arguments else len(names)
    return names[position] if position < len(names) else None
