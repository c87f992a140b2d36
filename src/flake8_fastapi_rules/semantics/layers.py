"""Which layer of an application a module belongs to, by the names of packages and modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module


def layer_of(module: Module, layers: Mapping[str, tuple[str, ...]]) -> str | None:
    """The layer of a module; the innermost package or module name that is one of a layer's counts.

    A module for access to data inside of a package of the services belongs to them. One inside of
    routers may be either: `routers/users/crud.py` holds routes, `api/crud.py` queries. An `api`
    right inside of a lower layer holds no routes but clients, or the models of an API.

    Parameters:
        layers: layer to the names of its packages and modules, upper ones first.
    """
    parts = module.name.split(".")
    packages = [_named(part, layers) for part in reversed(parts[:-1])]
    around = next((found for found in packages if found), None)
    if around == "routers":
        outer = packages[packages.index(around) + 1 :][:1]
        around = (outer[0] if outer else None) or around
    own = _named(parts[-1], layers)
    if own == "repositories" and not module.is_package and around in {"routers", "services"}:
        return None if around == "routers" else around
    return own or around


def _named(part: str, layers: Mapping[str, tuple[str, ...]]) -> str | None:
    return next((layer for layer, names in layers.items() if part in names), None)
