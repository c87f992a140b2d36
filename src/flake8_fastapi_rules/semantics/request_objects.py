"""What belongs to a request and is given to a background task, which runs after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments
from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.semantics.bound import view_parameters
from flake8_fastapi_rules.semantics.callers import DirectCall
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Parameter, Role
from flake8_fastapi_rules.semantics.libraries import SESSIONS
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Through how many methods of an object its session is looked for.
_DEPTH = 3


@record
class RequestObject:
    """A session, or what a dependency with `yield` gives, on its way into a background task.

    Parameters:
        node: what gives it away: an argument, the task itself, or the object whose method it is.
        named: the name of what belongs to the request.
        is_session: it is a database session.
    """

    node: ast.expr
    named: ast.expr
    is_session: bool = True


def request_objects(model: Model, routine: BackgroundRoutine) -> Iterator[RequestObject]:
    """What a task that is added for after the request gets or uses of the request's own objects."""
    if routine.starter == "add_task" and isinstance(routine.in_function, FUNCTIONS):
        yield from _Given(model, routine).objects(Function(routine.module, routine.in_function))


class _Given:
    """Looks through what one background task is given."""

    def __init__(self, model: Model, routine: BackgroundRoutine) -> None:
        self._model = model
        self._module = routine.module
        self._routine = routine

    def objects(self, function: Function) -> Iterator[RequestObject]:
        routine = self._routine
        if not self._model.roles(function):
            yield from self._given_by_helper(routine, function)
            yield from self._kept_by_object(routine, function)
            return
        parameters = {p.name: p for p in self._model.parameters(function)}
        given = list(routine.arguments)
        if isinstance(routine.node, ast.Call):
            given += [keyword.value for keyword in routine.node.keywords]
        if not isinstance(routine.target_node, ast.Name | None):
            # `session.commit`, `lambda: session.commit()`, `Service(session).run`
            given += [n for n in ast.walk(routine.target_node) if isinstance(n, ast.Name)]
        for argument in dict.fromkeys(part for each in given for part in _unpacked(each)):
            if isinstance(argument, ast.Name):
                parameter = self._parameter(argument, parameters)
                kind = self._kind(parameter) if parameter is not None else None
                if kind is not None:
                    yield RequestObject(argument, argument, kind == "session")
                elif parameter is not None and self._is_asked(argument, parameter, routine):
                    yield RequestObject(argument, argument)
            elif isinstance(argument, ast.Attribute):
                kind = self._kind_in_view(argument, function)
                if kind is not None:
                    yield RequestObject(argument, argument, kind == "session")
                elif self._is_held(argument, parameters):
                    yield RequestObject(argument, argument)
        yield from self._used_by_target(routine, parameters)

    def _given_by_helper(
        self, routine: BackgroundRoutine, function: Function
    ) -> Iterator[RequestObject]:
        """The session that a function is given, wherever it is called, by FastAPI code."""
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
            calls = self._model.direct_calls(function)
            if calls and all(
                call.is_certain and self._gives_session(call, parameters[argument.id])
                for call in calls
            ):
                yield RequestObject(argument, argument)

    def _kept_by_object(
        self, routine: BackgroundRoutine, function: Function
    ) -> Iterator[RequestObject]:
        """What an object that FastAPI makes for each request keeps of it: `self.session`."""
        cls = routine.module.index.class_of(function.node)
        start = self._model.callable_of(Class(routine.module, cls)) if cls is not None else None
        if start is None or Role.DEPENDENCY not in self._model.roles(start):
            return
        kinds = {each.name: self._kind(each) for each in self._model.parameters(start)}
        kept = {attr: kinds.get(name) for attr, name in _kept_parameters(start)}
        given = list(routine.arguments)
        if isinstance(routine.node, ast.Call):
            given += [keyword.value for keyword in routine.node.keywords]
        for argument in given:
            match argument:
                case ast.Attribute(value=ast.Name(id="self"), attr=attr) if kind := kept.get(attr):
                    yield RequestObject(argument, argument, kind == "session")
        target, node = routine.target, routine.target_node
        if "session" in kept.values() and isinstance(target, Function):
            match node:
                case ast.Attribute(value=ast.Name(id="self")) if self._uses_session(target):
                    yield RequestObject(node, node)

    def _gives_session(self, call: DirectCall, parameter: ast.arg) -> bool:
        """Whether a call in FastAPI code gives the session that it is injected with."""
        given, index = call.given(parameter), call.module.index
        around = index.function_of(call.node)
        if not isinstance(given, ast.Name) or not isinstance(around, FUNCTIONS):
            return False
        found = index.lookup(given.id, given)
        if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
            return False
        caller = Function(call.module, around)
        return bool(self._model.roles(caller)) and any(
            each.name == given.id and self._kind(each) == "session"
            for each in self._model.parameters(caller)
        )

    def _used_by_target(
        self, routine: BackgroundRoutine, parameters: dict[str, Parameter]
    ) -> Iterator[RequestObject]:
        """Functions made in the endpoint, and methods, that use the request's session."""
        target, node = routine.target, routine.target_node
        if not isinstance(target, Function) or not isinstance(target.node, FUNCTIONS):
            return
        if isinstance(node, ast.Name) and target.module is self._module:
            for used in self._module.index.own_nodes(target.node):
                if isinstance(used, ast.Name) and isinstance(used.ctx, ast.Load):
                    parameter = self._parameter(used, parameters)
                    kind = self._kind(parameter) if parameter is not None else None
                    if kind is not None:
                        yield RequestObject(node, used, kind == "session")
                        return
        match node:
            case ast.Attribute(value=ast.Name() as owner):
                parameter = self._parameter(owner, parameters)
                if parameter is None:
                    yield from self._made_with_session(owner, parameters)
                    return
                if self._kind(parameter) is not None:
                    return
                if self._model.dependency_of(parameter) is not None and self._uses_session(target):
                    yield RequestObject(owner, owner)

    def _is_asked(
        self,
        argument: ast.Name,
        parameter: Parameter,
        routine: BackgroundRoutine,
    ) -> bool:
        """Whether a task uses the session of an object, made for the request, that it is given."""
        target, dependency = routine.target, self._model.dependency_of(parameter)
        if not isinstance(target, Function) or dependency is None:
            return False
        given = self._model.provided(dependency)
        filled = _filled(routine, target, argument)
        if filled is None or not isinstance(given, Instance) or not isinstance(given.of, Class):
            return False
        for node in target.module.index.own_nodes(target.node):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == filled:
                    held = self._model.resolver.class_attribute(given.of, attr, instance=True)
                    if self._model.is_instance(held, *SESSIONS):
                        return True
                    if isinstance(held, Function) and self._uses_session(held):
                        return True
        return False

    def _made_with_session(
        self, owner: ast.Name, parameters: dict[str, Parameter]
    ) -> Iterator[RequestObject]:
        """`service.run` after `service = Service(session)`."""
        found = self._module.index.lookup(owner.id, owner)
        if found is None or len(found[1]) != 1 or found[1][0].path:
            return
        made = found[1][0].value
        if not isinstance(made, ast.Call) or not isinstance(
            self._model.resolve(self._module, made.func), Class
        ):
            return
        for given in (*made.args, *(keyword.value for keyword in made.keywords)):
            if isinstance(given, ast.Name):
                parameter = self._parameter(given, parameters)
                if parameter is not None and self._kind(parameter) == "session":
                    yield RequestObject(owner, given)
                    return

    def _parameter(self, name: ast.Name, parameters: dict[str, Parameter]) -> Parameter | None:
        """The parameter that a name stands for, itself or as another name for it."""
        index = self._module.index
        found = index.lookup(name.id, name)
        if found is None or len(found[1]) != 1:
            return None
        binding = found[1][0]
        if binding.kind == "parameter":
            parameter = parameters.get(name.id)
            return parameter if parameter is not None and binding.node is parameter.node else None
        if isinstance(binding.value, ast.Name) and binding.value.id != name.id:
            return self._parameter(binding.value, parameters) if not binding.path else None
        return None

    def _kind_in_view(self, argument: ast.Attribute, function: Function) -> str | None:
        """What `self.session` is in a class-based view that asks for it."""
        cls = self._module.index.class_of(function.node)
        if cls is None or not (
            isinstance(argument.value, ast.Name) and argument.value.id == "self"
        ):
            return None
        for parameter in view_parameters(self._model, Class(self._module, cls)):
            if parameter.name == argument.attr:
                return self._kind(parameter)
        return None

    def _is_held(self, argument: ast.Attribute, parameters: dict[str, Parameter]) -> bool:
        """Whether `repository.session` is the session of an object made for the request."""
        if not isinstance(argument.value, ast.Name):
            return False
        parameter = self._parameter(argument.value, parameters)
        return (
            parameter is not None
            and self._model.dependency_of(parameter) is not None
            and self._model.is_instance(self._model.resolve(self._module, argument), *SESSIONS)
        )

    def _uses_session(self, method: Function, depth: int = 0) -> bool:
        """Whether a method uses a session that its object holds, or calls one that does."""
        itself = next((each.arg for each in all_arguments(method.node.args)), None)
        for node in method.module.index.own_nodes(method.node):
            if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id == itself):
                continue  # what it makes itself has a session of its own
            value = self._model.resolve(method.module, node)
            if self._model.is_instance(value, *SESSIONS):
                return True
            if (
                depth < _DEPTH
                and isinstance(value, Function)
                and value.owner is not None
                and value.node is not method.node
                and self._uses_session(value, depth + 1)
            ):
                return True
        return False

    def _kind(self, parameter: Parameter) -> str | None:
        """`session`, `other` for what a dependency with `yield` gives, or `None`."""
        dependency = self._model.dependency_of(parameter)
        if dependency is None:
            return None
        typed = self._model.resolver.annotation(parameter.type_module, parameter.type_node)
        provided = self._model.provided(dependency)
        if any(self._model.is_instance(value, *SESSIONS) for value in (typed, provided)):
            return "session"
        function = self._model.callable_of(dependency.target)
        if function is not None and function.module.index.is_generator(function.node):
            return "other"
        return None


def _kept_parameters(start: Function) -> Iterator[tuple[str, str]]:
    """The attributes that a constructor keeps parameters in: `self.session = session`."""
    for node in start.module.index.own_nodes(start.node):
        match node:
            case (
                ast.Assign(targets=[ast.Attribute() as target], value=ast.Name() as value)
                | ast.AnnAssign(target=ast.Attribute() as target, value=ast.Name() as value)
            ):
                yield target.attr, value.id
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for each, given in zip(targets, values, strict=False):
                    if isinstance(each, ast.Attribute) and isinstance(given, ast.Name):
                        yield each.attr, given.id


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
