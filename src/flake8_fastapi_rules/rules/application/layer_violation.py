"""FAR115: an import against the layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.layers import layer_of
from flake8_fastapi_rules.semantics.modules import Module

#: All layers may use it, and it is about nothing but data.
_SHARED = "schemas"
#: Modules of the data layer that hold the base class of all tables as often as queries.
_INFRASTRUCTURE = frozenset({"database", "db"})


class LayerViolation(Rule):
    """Import downwards only: routers, services, repositories, models.

    ## What it does
    Reports imports of a layer by one below it: a service or repository that imports routers, a
    repository that imports services, models that import any of them. Layers are told by the names
    of packages and modules (option `layers`).

    ## Why it matters
    A service that needs a router cannot be used or tested without the web framework, and the next
    step is an import cycle. What points downwards only can be replaced from the bottom up.

    ## Example
    ```python title="shop/services/orders.py"
    from shop.routers.orders import OrderOut


    def place() -> OrderOut:
        return OrderOut()
    ```
    ```python title="shop/routers/orders.py"
    class OrderOut: ...
    ```

    ## Use instead
    ```python title="shop/services/orders.py"
    from shop.schemas.orders import OrderOut


    def place() -> OrderOut:
        return OrderOut()
    ```
    ```python title="shop/schemas/orders.py"
    class OrderOut: ...
    ```

    ## Leaves alone
    Schemas, which all layers may use, the `database` or `db` that models take their base class
    from, modules of no layer, settings, libraries, imports under `if TYPE_CHECKING`, modules
    within the package that makes the other a layer, and routers in a package called `models`.

    ## Source
    The convention that imports go one way.
    """

    code = "FAR115"
    message = "{lower} import `{name}` of the layer above ({upper}); turn the dependency round"
    profiles = ("strict",)

    @on(ast.ImportFrom, ast.Import)
    def check(self, node: ast.ImportFrom | ast.Import, context: Context) -> Iterator[Report]:
        """Report the first import of a statement that goes upwards."""
        layers = context.settings.layers
        order = list(layers)
        own = layer_of(context.module, layers)
        if own is None or own == _SHARED or self._is_for_types(node, context):
            return
        if own == "models" and "APIRouter(" in context.source.text:
            return  # `models` are what the routes are about, such as those of a language model
        for target in self._targets(node, context):
            other = layer_of(target, layers)
            if self._holds_settings(target, context):
                continue
            if other is None or other == _SHARED or order.index(other) >= order.index(own):
                continue
            if own == "models" and self._is_infrastructure(target, layers[other]):
                continue
            if not self._is_within(context.module, target, layers[other]):
                yield self.report(node, lower=own.capitalize(), name=target.name, upper=other)
                return

    def _holds_settings(self, module: Module, context: Context) -> bool:
        """Whether a module is called like settings and is no router for them."""
        name = module.name.rpartition(".")[2]
        return name in context.settings.settings_modules and "APIRouter" not in module.source.text

    def _targets(self, node: ast.ImportFrom | ast.Import, context: Context) -> Iterator[Module]:
        modules, module = context.model.modules, context.module
        if isinstance(node, ast.Import):
            found = [modules.find(alias.name, module) for alias in node.names]
        else:
            home = modules.home_of(node, module)
            found = [home]
            if home is not None:
                found += [modules.submodule(home, alias.name) for alias in node.names]
        yield from (each for each in found if each is not None)

    def _is_for_types(self, node: ast.AST, context: Context) -> bool:
        return any(
            context.module.index.is_for_checkers(parent)
            for parent in context.module.index.ancestors(node)
        )

    def _is_infrastructure(self, target: Module, names: tuple[str, ...]) -> bool:
        """Whether a module of the data layer holds the base class and types that tables need."""
        part = next(part for part in reversed(target.name.split(".")) if part in names)
        return part in _INFRASTRUCTURE

    def _is_within(self, module: Module, target: Module, names: tuple[str, ...]) -> bool:
        """Whether the package that gives `target` its layer contains `module`, too.

        By folders: what modules are called depends on which of the folders are packages.
        """
        path = target.path if target.path.suffix else target.path / "__init__.py"
        if path.stem in names:
            return False
        folder = next((each for each in path.parents if each.name in names), None)
        return folder in module.path.parents
