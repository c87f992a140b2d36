"""Files that somebody runs by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module


def is_script(module: Module) -> bool:
    """Whether a file is run by itself, and is no part of a service: `#!/usr/bin/env python3`."""
    return module.source.text.startswith("#!") and not module.mentions_framework
