"""Apps, routers and what is put on them, as the project's code assembles them when it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union

from flake8_fastapi_rules.semantics.facts import App, Dependency, Include, Mount, Route, Router
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import UNKNOWN, Function, Instance, Unknown, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.objects import Frame


@dataclass(frozen=True, slots=True)
class Options:
    """What a router, an include or a route hands on to its routes.

    A field that depends on run-time values is `UNKNOWN`.

    Parameters:
        tags: as text (of an enumeration's member: its value).
        dependencies: those of `dependencies=[...]`, in order, that are certainly there.
        dependencies_complete: these are all.
        responses: the keys of `responses={...}`.
        response_class: `None` when not given.
        custom_id: a `generate_unique_id_function` is given.
    """

    prefix: str | Unknown = ""
    tags: tuple[str, ...] | Unknown = ()
    dependencies: tuple[Dependency, ...] = ()
    dependencies_complete: bool = True
    responses: tuple[int | str, ...] | Unknown = ()
    deprecated: bool | Unknown | None = None
    include_in_schema: bool | Unknown = True
    response_class: Value | None = None
    custom_id: bool | Unknown = False

    def then(self, inner: Options) -> Options:
        """These options with those of something further inside, in FastAPI's order.

        Prefix, tags and dependencies of the outer come first; the inner one's responses and
        response class win.
        """
        return Options(
            _joined(self.prefix, inner.prefix),
            _joined(self.tags, inner.tags),
            self.dependencies + inner.dependencies,
            self.dependencies_complete and inner.dependencies_complete,
            _joined(self.responses, inner.responses),
            _either(inner.deprecated, self.deprecated),
            _both(self.include_in_schema, inner.include_in_schema),
            inner.response_class if inner.response_class is not None else self.response_class,
            _either(inner.custom_id, self.custom_id),
        )


def _joined(outer: Any, inner: Any) -> Any:
    if isinstance(outer, Unknown) or isinstance(inner, Unknown):
        return UNKNOWN
    return outer + inner


def _either(inner: Any, outer: Any) -> Any:
    if inner is True or outer is True:
        return True
    if isinstance(inner, Unknown) or isinstance(outer, Unknown):
        return UNKNOWN
    return inner if inner is not None else outer


def _both(outer: Any, inner: Any) -> Any:
    if outer is False or inner is False:
        return False
    return UNKNOWN if isinstance(outer, Unknown) or isinstance(inner, Unknown) else True


@dataclass(eq=False, slots=True)
class RouteEntry:
    """One route on an app or router.

    Parameters:
        options: the router's, as they were when the route was added, and then the route's own;
            `prefix` ends with the route's path.
        own: the route's own options only (`prefix` is its path).
        name, operation_id, status_code: as given; `None` when not given.
        endpoint: what serves it, if that can be told.
        frame: where names in the endpoint's signature are looked up, for nested functions.
        view: the class whose instance a class-based view injects as `self`.
        is_plain: a Starlette route without dependencies and schema (`add_route`, `route`).
    """

    fact: Route
    methods: tuple[str, ...] | None
    endpoint: Function | None
    options: Options
    own: Options
    name: str | Unknown | None
    operation_id: str | Unknown | None
    status_code: int | Unknown | None
    frame: Frame | None
    is_conditional: bool
    is_plain: bool
    view: Value | None = None


@dataclass(eq=False, slots=True)
class IncludeEntry:
    """One router put into an app or router.

    Parameters:
        child: what is included; `None` when that cannot be told.
        options: the parent's as they were, and then those of the call.
        visible: how many entries the child had then. Below FastAPI 0.137 later ones are lost.
    """

    fact: Include | None
    module: Module
    node: ast.expr
    child: RouterNode | None
    options: Options
    is_conditional: bool
    visible: int


@dataclass(eq=False, slots=True)
class MountEntry:
    """One app put under a path of another.

    Parameters:
        child: the mounted app of the project; `None` for everything else (files, WSGI, ...).
        path: `None` when it cannot be told.
        name: as given; `None` when not given.
    """

    fact: Mount | None
    module: Module
    node: ast.expr
    child: RouterNode | None
    path: str | None
    is_conditional: bool
    name: str | Unknown | None = None


T = TypeVar("T")
Entry: TypeAlias = Union[RouteEntry, IncludeEntry, MountEntry]  # noqa: UP007


@dataclass(eq=False, slots=True)
class RouterNode:
    """An app or a router, as one run of the call that makes it.

    A factory that is called twice makes two nodes with one `call`.

    Parameters:
        fact: the call as a fact; `None` for what libraries hand out.
        module, call: where it is made.
        value: the class, and the call as identity.
        is_app: a `FastAPI` (else an `APIRouter`).
        entries: what was put on it, in order.
        is_opaque: made by a library that puts routes on it that cannot be seen.
        is_open: something unknown was done with it, which may have put routes on it.
        is_handed_out: given to a library, or returned to an unknown caller.
        handled: what exception handlers were put on it for: exception classes, statuses.
        events: the decorators and calls that put start-up and shut-down handlers on it.
        conditions: the branches that it was made in.
        in_test: it was made on behalf of a test.
        is_in_mount: a `Mount(...)` or `Host(...)` was made for it, as for an app of Starlette.
    """

    fact: App | Router | None
    module: Module
    call: ast.Call
    value: Instance
    is_app: bool
    options: Options = field(default_factory=Options)
    entries: list[Entry] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    is_opaque: bool = False
    is_open: bool = False
    is_handed_out: bool = False
    handled: list[Value] = field(default_factory=list)
    events: list[ast.AST] = field(default_factory=list)
    conditions: tuple[object, ...] = ()
    name: str | None = None
    in_test: bool = False
    is_in_mount: bool = False
    _found: dict[object, tuple[int, Any]] = field(default_factory=dict)

    def _kept(self, question: object, answer: Callable[[], T]) -> T:
        """An answer about the entries, until there are more of them."""
        size = len(self.entries)
        known = self._found.get(question)
        if known is None or known[0] != size:
            known = self._found[question] = size, answer()
        kept: T = known[1]
        return kept

    def _of_kind(self, kind: type[T]) -> tuple[T, ...]:
        return self._kept(kind, lambda: tuple(e for e in self.entries if isinstance(e, kind)))

    def routes_by(self, node: ast.AST) -> tuple[RouteEntry, ...]:
        """The routes put on it by one decorator or call."""
        return self._kept("by node", self._routes_by_node).get(node, ())

    def _routes_by_node(self) -> dict[ast.AST, tuple[RouteEntry, ...]]:
        found: dict[ast.AST, tuple[RouteEntry, ...]] = {}
        for entry in self.routes:
            found[entry.fact.node] = (*found.get(entry.fact.node, ()), entry)
        return found

    @property
    def routes(self) -> tuple[RouteEntry, ...]:
        """The routes put on it directly."""
        return self._of_kind(RouteEntry)

    @property
    def includes(self) -> tuple[IncludeEntry, ...]:
        """The routers put into it directly."""
        return self._of_kind(IncludeEntry)

    @property
    def mounts(self) -> tuple[MountEntry, ...]:
        """What is mounted on it directly."""
        return self._of_kind(MountEntry)
