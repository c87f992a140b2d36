"""Files that somebody runs by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


def is_script(module: Module) -> bool:
    """Whether a file is run by itself, and is no part of a service: `#!/usr/bin/env python3`."""
    return module.source.text.startswith("#!") and not module.mentions_framework


def is_run_by_hand(model: Model, module: Module) -> bool:
    """Whether a file has a main program, and no service imports it."""
    return (
        "__main__" in module.source.text
        and not module.mentions_framework
        and not model.shared_state(module).is_part_of_service(module)
    )
