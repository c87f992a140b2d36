"""Route tables as one self-contained page: search, and the include tree drawn as a diagram."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

from flake8_fastapi_rules.reporters.routes import UNKNOWN_TEXT, RouteRow, titles
from flake8_fastapi_rules.semantics.graph import IncludeEntry, MountEntry, RouterNode
from flake8_fastapi_rules.semantics.project import AppNode, Project
from flake8_fastapi_rules.semantics.values import Unknown

_ROW = 30
_INDENT = 36
_CHARACTER = 7.3
_DEPTH = 20


@dataclass(slots=True)
class _Box:
    """A router (or app) in the diagram."""

    label: str
    prefix: str
    count: int
    conditional: bool
    kind: str
    children: list[_Box] = field(default_factory=list)


def as_page(project: Project, apps: Sequence[AppNode], rows: Sequence[RouteRow]) -> str:
    """The page for the given apps and rows."""
    sections: list[str] = []
    for app, title in titles(apps).items():
        found = [row for row in rows if row.app == title]
        if found or not app.is_mounted:
            sections.append(_section(project, app, title, found))
    total = len(rows)
    return _PAGE.replace("{total}", str(total)).replace("{sections}", "\n".join(sections))


def _section(project: Project, app: AppNode, title: str, rows: Sequence[RouteRow]) -> str:
    name = html.escape(title)
    tree = _diagram(_box(project, app.node, "", False, ()))
    body = "\n".join(_table_row(row) for row in rows)
    return f"""<section data-app="{name}">
<h2>{name} <small>{len(rows)} routes</small></h2>
<details open><summary>What includes what</summary>{tree}</details>
<table><thead><tr><th>Method</th><th>Path</th><th>Handler</th><th>Security</th><th>Status</th>\
<th>Tags</th></tr></thead>
<tbody>
{body}
</tbody></table>
</section>"""


def _table_row(row: RouteRow) -> str:
    method = row.method or UNKNOWN_TEXT
    path = row.path if row.path is not None else UNKNOWN_TEXT
    handler = (row.handler or UNKNOWN_TEXT).partition(":")[2] or UNKNOWN_TEXT
    security = ", ".join(name.partition(":")[2] for name in row.security)
    tags = ", ".join(row.tags) if row.tags is not None else UNKNOWN_TEXT
    text = " ".join([method, path, row.handler or "", security, tags, row.file]).lower()
    classes = "" if row.certain else ' class="uncertain" title="decided at run time"'
    before = html.escape("runs before: " + ", ".join(row.dependencies)) if row.dependencies else ""
    return (
        f'<tr{classes} data-text="{html.escape(text)}">'
        f'<td><b class="m {html.escape(method.lower())}">{html.escape(method)}</b></td>'
        f"<td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(handler)}<br><small>{html.escape(row.file)}:{row.line}</small></td>"
        f'<td title="{before}">{html.escape(security)}</td>'
        f"<td>{row.status_code or ''}</td><td>{html.escape(tags)}</td></tr>"
    )


def _box(
    project: Project,
    node: RouterNode,
    prefix: str,
    conditional: bool,
    path: tuple[RouterNode, ...],
) -> _Box:
    kind = "app" if node.is_app else "library" if node.is_opaque else "router"
    where = f"{node.module.name}:{node.call.lineno}"
    label = node.name or where
    own = project.app_of(node)
    if own is not None:
        label = own.name
    box = _Box(label, prefix, len(node.routes), conditional, kind)
    if node in path or len(path) > _DEPTH:
        box.label += " (again)"
        return box
    for entry in node.entries:
        if isinstance(entry, IncludeEntry):
            inner = entry.options.prefix
            text = UNKNOWN_TEXT if isinstance(inner, Unknown) else inner
            if entry.child is None:
                box.children.append(_Box(UNKNOWN_TEXT, text, 0, entry.is_conditional, "unknown"))
            else:
                below = entry.child.options.prefix
                text += UNKNOWN_TEXT if isinstance(below, Unknown) else below
                box.children.append(
                    _box(project, entry.child, text, entry.is_conditional, (*path, node))
                )
        elif isinstance(entry, MountEntry):
            text = entry.path if entry.path is not None else UNKNOWN_TEXT
            if entry.child is None:
                box.children.append(_Box("mount", text, 0, entry.is_conditional, "mount"))
            else:
                box.children.append(
                    _box(project, entry.child, text, entry.is_conditional, (*path, node))
                )
    return box


def _diagram(root: _Box) -> str:
    """The tree as SVG: a box for each router, joined to what includes it."""
    shapes: list[str] = []
    row = 0
    width = 0.0

    def draw(box: _Box, depth: int, above: float | None) -> None:
        nonlocal row, width
        x, y = 8 + depth * _INDENT, 8 + row * _ROW
        row += 1
        middle = y + 11
        if above is not None:
            line = x - _INDENT + 12
            dash = ' stroke-dasharray="4 3"' if box.conditional else ""
            shapes.append(f'<path class="edge" d="M{line} {above:.0f} V{middle} H{x}"{dash}/>')
        count = f" · {box.count} routes" if box.count else ""
        text = f"{box.prefix} " if box.prefix else ""
        length = (len(text) + len(box.label) + len(count)) * _CHARACTER + 18
        width = max(width, x + length)
        title = "decided at run time" if box.conditional else box.kind
        shapes.append(
            f'<g class="box {box.kind}" data-prefix="{html.escape(box.prefix)}">'
            f"<title>{html.escape(title)}</title>"
            f'<rect x="{x}" y="{y}" width="{length:.0f}" height="22" rx="4"/>'
            f'<text x="{x + 9}" y="{y + 15}"><tspan class="prefix">{html.escape(text)}</tspan>'
            f'{html.escape(box.label)}<tspan class="count">{count}</tspan></text></g>'
        )
        for child in box.children:
            draw(child, depth + 1, y + 22)

    draw(root, 0, None)
    height = 16 + row * _ROW
    return (
        f'<svg class="tree" role="img" aria-label="include tree" width="{width + 8:.0f}" '
        f'height="{height}" viewBox="0 0 {width + 8:.0f} {height}">' + "".join(shapes) + "</svg>"
    )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Routes</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 1rem; }
header { position: sticky; top: 0; background: Canvas; padding: .5rem 0; z-index: 1; }
input { font: inherit; padding: .4rem .6rem; width: min(30rem, 90%); }
h2 { margin: 1.5rem 0 .5rem; } small { opacity: .65; font-weight: normal; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tr.uncertain td { font-style: italic; opacity: .75; }
tr[hidden], section[hidden] { display: none; }
.m { font: 600 12px ui-monospace, monospace; padding: .1rem .35rem; border-radius: 3px;
  background: var(--soft); }
.m.get { color: #1971c2; } .m.post { color: #2f9e44; } .m.delete { color: #e03131; }
.m.put, .m.patch { color: #e8590c; } .m.websocket { color: #9c36b5; }
details { overflow-x: auto; margin: .5rem 0 1rem; }
.tree text { font: 12px ui-monospace, monospace; fill: CanvasText; }
.tree rect { fill: var(--soft); stroke: var(--line); } .tree .app rect { stroke: #1971c2; }
.tree .library rect, .tree .mount rect, .tree .unknown rect { stroke-dasharray: 4 3; }
.tree .prefix { font-weight: 600; } .tree .count { opacity: .65; }
.tree .edge { fill: none; stroke: #888; }
.tree .box { cursor: pointer; }
</style>
</head>
<body>
<header>
<h1>Routes</h1>
<input id="search" type="search" placeholder="Search method, path, handler, tag"
  aria-label="Search"> <output id="count">{total} of {total}</output>
</header>
{sections}
<script>
(() => {
  const search = document.getElementById("search");
  const rows = [...document.querySelectorAll("tr[data-text]")];
  const update = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.dataset.text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    for (const section of document.querySelectorAll("section"))
      section.hidden = words.length > 0 && !section.querySelector("tr[data-text]:not([hidden])");
    document.getElementById("count").textContent = `${shown} of ${rows.length}`;
  };
  search.addEventListener("input", update);
  for (const box of document.querySelectorAll(".tree .box"))
    box.addEventListener("click", () => { search.value = box.dataset.prefix; update(); });
  const asked = new URLSearchParams(location.search).get("q") || location.hash.slice(1);
  if (asked) { search.value = decodeURIComponent(asked); update(); }
})();
</script>
</body>
</html>
"""
