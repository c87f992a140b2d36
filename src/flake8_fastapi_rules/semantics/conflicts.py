"""Routes that other routes of the same app keep from ever being chosen."""

from __future__ import annotations

import ast
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.paths import (
    has_known_converters,
    mounted_pattern,
    overlaps,
    pattern_of,
    unmatched,
)
from flake8_fastapi_rules.semantics.project import (
    AppNode,
    Project,
    ResolvedMount,
    ResolvedRoute,
)
from flake8_fastapi_rules.semantics.values import Class, External, Instance

_WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A route that does not get the requests that its path asks for.

    Parameters:
        kind: `duplicate` for equal methods and patterns, `shadowed` when earlier ones catch all
            its paths.
        route: the later route.
        earlier: the one that answers instead (the first of several).
        methods: the methods that are lost.
    """

    kind: Literal["duplicate", "shadowed"]
    route: ResolvedRoute
    earlier: ResolvedRoute | ResolvedMount
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """An earlier route or mount, for one method."""

    subject: ResolvedRoute | ResolvedMount
    path: str
    pattern: str
    start: str


class _Earlier:
    """Routes or mounts for one method, found by the literal text that their paths start with."""

    def __init__(self) -> None:
        self._by_start: dict[str, list[_Known]] = {}
        self._starts: list[str] = []

    def add(self, known: _Known) -> None:
        """Take in one that comes behind all others."""
        if known.start not in self._by_start:
            self._by_start[known.start] = []
            insort(self._starts, known.start)
        self._by_start[known.start].append(known)

    def near(self, here: _Known) -> Iterator[_Known]:
        """Those whose start is one of `here`, or the other way around: no others overlap."""
        for length in range(len(here.start) + 1):
            yield from self._by_start.get(here.start[:length], ())
        # A path without parameters is no longer than its start.
        if here.start != here.path:
            position = bisect_right(self._starts, here.start)
            while position < len(self._starts) and self._starts[position].startswith(here.start):
                yield from self._by_start[self._starts[position]]
                position += 1


def conflicts(project: Project, module: Module) -> tuple[Conflict, ...]:
    """The conflicts in any app whose later route, or an include on the way to it, is in a module.

    Among the certain routes of each app, in their order, the apps in that of `Project.roots`.
    """
    known: dict[Module, tuple[Conflict, ...]] | None = project.answers.get(conflicts)
    if known is None:
        known = project.answers[conflicts] = _by_module(project)
    return known.get(module, ())


def _by_module(project: Project) -> dict[Module, tuple[Conflict, ...]]:
    found: defaultdict[Module, list[Conflict]] = defaultdict(list)
    seen: set[object] = set()
    for app in project.roots:
        table = _table(project, app)
        # Examples and tests may build one app hundreds of times: the same routes in the same order.
        choices: dict[int, int] = {}
        signature = tuple(_signature(subject, choices) for subject in table)
        if signature in seen:
            continue
        seen.add(signature)
        for conflict in _conflicts(project, table):
            route = conflict.route
            homes = (route.route.module, *(include.module for include in route.includes))
            for module in dict.fromkeys(homes):
                found[module].append(conflict)
    return {module: tuple(those) for module, those in found.items()}


def _table(project: Project, app: AppNode) -> list[ResolvedRoute | ResolvedMount]:
    """The routes and mounts of an app in their order."""
    table: list[ResolvedRoute | ResolvedMount] = [
        *project.resolved_routes(app),
        *project.resolved_mounts(app),
    ]
    table.sort(key=lambda subject: subject.order)
    return table


def _signature(
    subject: ResolvedRoute | ResolvedMount, choices: dict[int, int]
) -> tuple[object, ...]:
    """What decides about the conflicts of a route or mount, and about where they are reported.

    Parameters:
        choices: numbers the conditions of the app as they come: each run has its own.
    """
    if isinstance(subject, ResolvedMount):
        return subject.node, subject.local_path, subject.certain
    conditions = subject.conditions
    if conditions is not None:
        conditions = frozenset(
            choices.setdefault(each, len(choices)) for each in sorted(conditions)
        )
    includes = tuple(include.node for include in subject.includes)
    return subject.route.node, subject.local_path, subject.methods, conditions, includes


def _conflicts(
    project: Project, routes: Iterable[ResolvedRoute | ResolvedMount]
) -> Iterator[Conflict]:
    by_method: defaultdict[str, _Earlier] = defaultdict(_Earlier)
    mounts = _Earlier()
    for subject in routes:
        path = subject.local_path
        if path is None or not has_known_converters(path):
            continue
        if isinstance(subject, ResolvedMount):
            if subject.certain:
                path = mounted_pattern(path)
                mounts.add(_known(subject, path))
            continue
        if subject.conditions is None or subject.methods is None:
            continue
        if _chooses_otherwise(project, subject):
            continue
        here = _known(subject, path)
        methods = (_WEBSOCKET,) if subject.kind is RouteKind.WEBSOCKET else subject.methods
        for found in _conflicts_of(subject, here, methods, by_method, mounts):
            earlier = found.earlier
            if isinstance(earlier, ResolvedMount) or not _of_another_test(
                project, subject, earlier
            ):
                yield found
        for method in methods:
            by_method[method].add(here)


def _of_another_test(project: Project, route: ResolvedRoute, other: ResolvedRoute) -> bool:
    """Whether two functions of tests add two routes: each test has an app of its own.

    Or a test adds the earlier one of the two, which nothing else serves.
    """
    functions: list[ast.AST | None] = []
    for module, node in ((r.route.module, r.route.node) for r in (other, route)):
        if not project.model.settings.is_test_path(str(module.path)):
            return bool(functions)
        functions.append(module.index.function_of(_registered_at(module, node)))
    return None not in functions and functions[0] is not functions[1]


def _registered_at(module: Module, node: ast.AST) -> ast.AST:
    """What stands where a route is added: for a decorator the function that it decorates."""
    parent = module.index.parents.get(node)
    is_decorator = isinstance(parent, FUNCTIONS) and node in parent.decorator_list
    return parent if is_decorator and parent is not None else node


def _chooses_otherwise(project: Project, route: ResolvedRoute) -> bool:
    """Whether a route may look at more than the path: by the header of a version, for instance."""
    resolver = project.model.resolver
    receiver = route.route.receiver
    if isinstance(receiver, Instance) and isinstance(receiver.of, Class):
        # A router class of the project that gives its routes a class, or replaces routes.
        known: dict[ast.ClassDef, bool] = project.answers.setdefault(_chooses_otherwise, {})
        for cls in resolver.mro(receiver.of):
            if not isinstance(cls, Class):
                continue
            if cls.node not in known:
                known[cls.node] = any(
                    _gives_class(project, cls.module, node) or _takes_routes_away(node)
                    for node in ast.walk(cls.node)
                )
            if known[cls.node]:
                return True
    for node in project.nodes_of(receiver):
        given = node.fact.arguments.get("route_class") if node.fact is not None else None
        if given is not None and _matches_otherwise(project, node.module, given):
            return True
    return False


def _gives_class(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether a router class gives its routes a class that may match otherwise."""
    match node:
        case ast.keyword(arg="route_class", value=value):
            return _matches_otherwise(project, module, value)
        case ast.Name(id=name) | ast.arg(arg=name):
            return name == "route_class"
    return False


def _matches_otherwise(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether a route class has a `matches` of its own, or cannot be told."""
    resolver = project.model.resolver
    route_class = resolver.resolve(module, node)
    if not isinstance(route_class, Class):
        return True
    matches = resolver.class_attribute(route_class, "matches", instance=True)
    return matches != External("fastapi.routing.APIRoute.matches")


def _takes_routes_away(node: ast.AST) -> bool:
    """Whether a router drops routes of its own: `self.routes.pop(0)`, `self.routes[:] = ...`."""
    match node:
        case ast.Attribute(value=ast.Attribute(attr="routes"), attr="pop" | "remove" | "clear"):
            return True
        case ast.Subscript(value=ast.Attribute(attr="routes"), ctx=ast.Store() | ast.Del()):
            return True
        case ast.Attribute(attr="routes", ctx=ast.Store()):
            return True
    return False


def _is_there_with(earlier: ResolvedRoute | ResolvedMount, route: ResolvedRoute) -> bool:
    """Whether an earlier route came by the same includes, if a branch decides about some.

    Those of another branch may be alternatives, and those of another test are.
    """
    conditions = frozenset() if isinstance(earlier, ResolvedMount) else earlier.conditions
    return conditions == route.conditions


def _known(subject: ResolvedRoute | ResolvedMount, path: str) -> _Known:
    return _Known(subject, path, pattern_of(path) or path, path.partition("{")[0])


def _conflicts_of(
    route: ResolvedRoute,
    here: _Known,
    methods: tuple[str, ...],
    by_method: Mapping[str, _Earlier],
    mounts: _Earlier,
) -> Iterator[Conflict]:
    duplicates: dict[int, tuple[_Known, list[str]]] = {}
    hidden: list[str] = []
    first: _Known | None = None
    mounted = list(mounts.near(here))
    for method in methods:
        candidates = [*mounted, *(by_method[method].near(here) if method in by_method else ())]
        candidates = [known for known in candidates if _is_there_with(known.subject, route)]
        candidates.sort(key=lambda known: known.subject.order)
        equal = next((known for known in candidates if known.pattern == here.pattern), None)
        if equal is not None:
            duplicates.setdefault(id(equal), (equal, []))[1].append(method)
            continue
        candidates = [known for known in candidates if overlaps(here.path, known.path)]
        if candidates and unmatched(here.path, [known.path for known in candidates]) is None:
            hidden.append(method)
            first = first or next(
                (known for known in candidates if unmatched(here.path, [known.path]) is None),
                candidates[0],
            )
    for known, lost in duplicates.values():
        yield Conflict("duplicate", route, known.subject, tuple(lost))
    # A route that answers at least one of its methods is not unreachable.
    if first is not None and len(hidden) == len(methods):
        yield Conflict("shadowed", route, first.subject, tuple(hidden))
