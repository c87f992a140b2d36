"""FAR116: modules that need each other."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.imports import ImportEdge, ImportGraph
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerProject


class ImportCycle(Rule):
    """Keep imports free of circles.

    ## What it does
    Reports an import that closes a circle of first-party imports which all run when the modules
    are imported. Each circle is reported once, at the import that leads back to the module that
    sorts first.

    ## Why it matters
    Which module comes first decides whether the circle works. It works in the app and fails in a
    test, or fails when an import is moved, with "cannot import name ... from partially initialized
    module".

    ## Example
    ```python title="shop/items.py"
    from shop.orders import orders_of

    ITEMS = ["book"]


    def orders(item: str) -> list[str]:
        return orders_of(item)
    ```
    ```python title="shop/orders.py"
    import shop.items


    def orders_of(item: str) -> list[str]:
        return [f"one {item}"] if item in shop.items.ITEMS else []
    ```

    ## Use instead
    ```python title="shop/items.py"
    ITEMS = ["book"]
    ```
    ```python title="shop/orders.py"
    from shop.items import ITEMS


    def orders_of(item: str) -> list[str]:
        return [f"one {item}"] if item in ITEMS else []
    ```

    ## Leaves alone
    Imports under `if TYPE_CHECKING` and inside functions; a package whose modules import other
    modules of the package by name.

    ## Source
    The Python documentation on circular imports.
    """

    code = "FAR116"
    message = "Import cycle: {path}"
    profiles = ("strict",)
    scope = "project"
    hints = ("import",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the circle that an import of this module closes."""
        graph = _graph(context.model, module)
        through = graph.cycle_from(module)
        if not through:
            return
        first = min((edge.source for edge in through), key=lambda member: str(member.path))
        cycle = graph.cycle_from(first)
        last = cycle[-1]
        if last.source is module:
            places = [
                context.related(edge.source, edge.node, f"imports `{edge.target.name}`")
                for edge in cycle[:-1]
            ]
            yield self.report(last.node, related=places, path=_spelled(cycle))


def _spelled(cycle: tuple[ImportEdge, ...]) -> str:
    names = [f"`{edge.source.name}`" for edge in cycle]
    spellings = [names]
    for length in (2, 1):
        short = [".".join(name.strip("`").split(".")[-length:]) for name in names]
        if len(set(short)) == len(short):
            spellings.append([f"`{name}`" for name in short])
    for spelling in spellings:
        text = " → ".join([*spelling, spelling[0]])
        if len(text) <= 80:
            return text
    return f"{len(names)} modules, back to {names[0][-40:].lstrip('`.')}".replace("`", "")


_graph = PerProject(lambda model, _: ImportGraph(model))
