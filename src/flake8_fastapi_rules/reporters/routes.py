"""Route tables as text, JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.project import AppNode, Project, ResolvedRoute, place_name
from flake8_fastapi_rules.semantics.security import security_dependencies

#: What stands in the place of what is only known at run time.
UNKNOWN_TEXT = "?"
_COLUMNS = ("method", "path", "handler", "security", "status", "tags")


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One method of one route of one app.

    Parameters:
        app: its title.
        method: an HTTP method, or `WEBSOCKET`; `None` when it is only known at run time.
        path: the full path; `None` when it is only known at run time.
        handler: `module:qualname`; `None` when it cannot be told.
        file, line: where the handler is defined (the registration, for an unknown handler).
        dependencies: `module:qualname` of everything that runs before the handler.
        security: those of them that refuse strangers.
        dependencies_complete: these are certainly all.
        certain: nothing about it is decided at run time.
    """

    app: str
    method: str | None
    path: str | None
    handler: str | None
    file: str
    line: int
    name: str | None
    operation_id: str | None
    tags: tuple[str, ...] | None
    status_code: int | None
    dependencies: tuple[str, ...]
    security: tuple[str, ...]
    dependencies_complete: bool
    include_in_schema: bool | None
    deprecated: bool | None
    certain: bool


def titles(apps: Sequence[AppNode]) -> dict[AppNode, str]:
    """What each app is called: its name, with the place where several have one name."""
    named: dict[str, list[AppNode]] = {}
    for app in apps:
        named.setdefault(app.name, []).append(app)
    found: dict[AppNode, str] = {}
    for name, same in named.items():
        paths = {app.module.source.path for app in same}
        for app in same:
            place = app.module.source.path
            if len(paths) < len(same):
                place += f":{app.call.lineno}"
            found[app] = name if len(same) == 1 else f"{name} ({place})"
    return {app: found[app] for app in apps}


def route_rows(project: Project, apps: Sequence[AppNode]) -> Iterator[RouteRow]:
    """The rows of the given apps, in the order in which the routes are tried."""
    called = titles(apps)
    for app in apps:
        mounts: Sequence[str | None] = app.mount_paths or (None,)
        for route in project.resolved_routes(app):
            for mount in mounts:
                yield from _rows_of(project, called[app], route, mount)


def _rows_of(
    project: Project, title: str, route: ResolvedRoute, mount: str | None
) -> Iterator[RouteRow]:
    endpoint = route.endpoint
    module = endpoint.module if endpoint is not None else route.route.module
    node = endpoint.node if endpoint is not None else route.route.node
    methods: Sequence[str | None] = ("WEBSOCKET",)
    if route.kind is not RouteKind.WEBSOCKET:
        methods = route.methods if route.methods is not None else (None,)
    security = security_dependencies(project.model, route.dependencies)
    for method in methods:
        yield RouteRow(
            title,
            method,
            None if mount is None or route.local_path is None else mount + route.local_path,
            place_name(endpoint) if endpoint is not None else None,
            module.source.path,
            node.lineno,
            route.name,
            route.operation_id,
            route.tags,
            route.status_code,
            tuple(place_name(d.target) or UNKNOWN_TEXT for d in route.dependencies),
            tuple(place_name(d.target) or UNKNOWN_TEXT for d in security),
            route.dependencies_complete,
            route.include_in_schema,
            route.deprecated,
            route.certain,
        )


def _record(row: RouteRow) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value := getattr(row, name), tuple) else value
        for name in RouteRow.__slots__
    }


def as_json(rows: Sequence[RouteRow]) -> str:
    """An array of objects with the fields of `RouteRow`."""
    return json.dumps([_record(row) for row in rows], indent=2) + "\n"


def as_csv(rows: Sequence[RouteRow]) -> str:
    """One line for each row, with a header; lists are joined with spaces."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(RouteRow.__slots__)
    for row in rows:
        writer.writerow(
            " ".join(value) if isinstance(value, list) else value for value in _record(row).values()
        )
    return text.getvalue()


def _cells(row: RouteRow) -> tuple[str, ...]:
    handler = row.handler.partition(":")[2] if row.handler else UNKNOWN_TEXT
    path = row.path if row.path is not None else UNKNOWN_TEXT
    return (
        row.method or UNKNOWN_TEXT,
        path if row.certain else f"{path} (uncertain)",
        f"{handler}  {row.file}:{row.line}",
        ", ".join(name.partition(":")[2] for name in row.security),
        str(row.status_code or ""),
        ", ".join(row.tags) if row.tags is not None else UNKNOWN_TEXT,
    )


def _by_app(rows: Sequence[RouteRow]) -> dict[str, list[RouteRow]]:
    apps: dict[str, list[RouteRow]] = {}
    for row in rows:
        apps.setdefault(row.app, []).append(row)
    return apps


def _count(rows: Sequence[RouteRow]) -> str:
    return f"{len(rows)} route" + ("" if len(rows) == 1 else "s")


def as_table(rows: Sequence[RouteRow]) -> str:
    """A table for each app, for reading."""
    lines: list[str] = []
    for app, found in _by_app(rows).items():
        if lines:
            lines.append("")
        lines.append(f"{app}: {_count(found)}")
        cells = [_COLUMNS, *(_cells(row) for row in found)]
        widths = [max(len(cell[i]) for cell in cells) for i in range(len(_COLUMNS))]
        for cell in cells:
            padded = (text.ljust(width) for text, width in zip(cell, widths, strict=True))
            lines.append("  " + "  ".join(padded).rstrip())
    return "\n".join(lines) + "\n" if lines else "no routes found\n"


def as_markdown(rows: Sequence[RouteRow]) -> str:
    """A table for each app, for documentation."""
    parts: list[str] = []
    for app, found in _by_app(rows).items():
        lines = [f"## `{app}`", "", f"{_count(found)}.", ""]
        lines.append("| " + " | ".join(_COLUMNS) + " |")
        lines.append("| " + " | ".join("---" for _ in _COLUMNS) + " |")
        for row in found:
            method, path, handler, security, code, tags = (
                text.replace("|", "\\|") for text in _cells(row)
            )
            lines.append(f"| {method} | `{path}` | `{handler}` | {security} | {code} | {tags} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts) or "No routes found.\n"


FORMATS: dict[str, Callable[[Sequence[RouteRow]], str]] = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
    "markdown": as_markdown,
}
