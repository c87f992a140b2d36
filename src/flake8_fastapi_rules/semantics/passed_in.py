"""What the project's own calls pass for a parameter that does not say what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.semantics.fixtures import is_in_tests
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import UNKNOWN, Function, FunctionNode, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.resolve import Resolver

#: Names of what layers hand to each other, and what is worth a look at all callers: resources and
#: the bodies of requests.
_HANDED_ON = re.compile(
    r"(?:^|_)(?:db|database|session|conn|connection|cursor|engine|mongo|redis|s3|uow|unit_of_work"
    r"|client|repo|repository|body|data|dto|form|payload|request|schema|user)$"
)
#: What so many files may call has a name that says nothing.
_FILES = 25


def values_passed(
    resolver: Resolver, module: Module, function: FunctionNode, node: ast.arg, files: int | None
) -> Iterator[Value]:
    """What the calls of a function outside of tests pass for one of its parameters.

    Parameters:
        files: none at all are given where more files than this mention the function's name.
    """
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    position = positional.index(node) if node in positional else None
    root = resolver.modules.project_root(module.path)
    if files is not None and resolver.modules.are_many_mentioning(root, function.name, files):
        return
    mentioning = resolver.modules.files_mentioning(root, function.name)
    for path in dict.fromkeys((module.path, *mentioning)):
        caller = module if path == module.path else resolver.modules.load(path)
        if caller is None or is_in_tests(path.relative_to(root)):
            continue
        for call in caller.index.calls_of(frozenset({function.name})):
            callee = resolver.resolve(caller, call.func)
            if isinstance(callee, Function) and callee.node is function:
                at = position if position is None else position - callee.bound
                yield resolver.resolve(caller, argument(call, node.arg, at))


def object_passed(
    resolver: Resolver, module: Module, function: FunctionNode, node: ast.arg
) -> Value:
    """The session, client, repository or body that all callers pass.

    A false value when the parameter's name speaks of none, or when callers pass others.
    """
    found: set[Instance] = set()
    if _HANDED_ON.search(node.arg):
        for value in values_passed(resolver, module, function, node, _FILES):
            if isinstance(value, Instance):
                found.add(Instance(value.of, args=value.args))
            elif value:
                return UNKNOWN
    return found.pop() if len(found) == 1 else UNKNOWN
