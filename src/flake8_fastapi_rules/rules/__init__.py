"""The rules, one file each, found by walking the packages of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from flake8_fastapi_rules.engine.memory import lasting
from flake8_fastapi_rules.rules.base import Rule


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule, sorted by code."""
    with lasting():
        for group in pkgutil.iter_modules(__path__):
            if group.ispkg:
                package = importlib.import_module(f"{__name__}.{group.name}")
                for module in pkgutil.iter_modules(package.__path__):
                    importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(rule for _, rule in sorted(Rule.registry.items()))
