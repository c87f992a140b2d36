"""Which layer of an application a module belongs to, by the names of packages and modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module


def layer_of(module: Module, layers: Mapping[str, tuple[str, ...]]) -> str | None:
    """The layer of a module; the innermost package or module name that is one of a layer's counts.

    Parameters:
        layers: layer to the names of its packages and modules.
    """
    for part in reversed(module.name.split(".")):
        for layer, names in layers.items():
            if part in names:
                return layer
    return None
