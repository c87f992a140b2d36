"""Files that somebody runs by hand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, is_main_guard
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.intent import words_of

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Folders of files that somebody runs by hand.
_SCRIPTS = frozenset({"manual", "script", "scripts", "tools"})


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


def is_manual_script(module: Module) -> bool:
    """Whether a file in a folder of scripts runs by itself: `if __name__ == "__main__": main()`."""
    own = {function.name for function in module.index.functions}
    folders = [word for part in module.path.parts[-4:-1] for word in words_of(part)]
    return not _SCRIPTS.isdisjoint(folders) and any(
        isinstance(statement, ast.If)
        and is_main_guard(statement.test)
        and any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own
            for node in ast.walk(statement)
        )
        for statement in module.tree.body
    )


#: What has commands that others send: chat bots.
_BOTS = frozenset({"bot", "client", "tree"})


def is_in_command(module: Module, node: ast.AST) -> bool:
    """Whether a node stands in a command of a command line: Click, Typer, a project's own."""
    return any(
        isinstance(above, FUNCTIONS)
        and any(_is_command(decorator) for decorator in above.decorator_list)
        for above in module.index.ancestors(node)
    )


def _is_command(decorator: ast.expr) -> bool:
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    owner = func.value if isinstance(func, ast.Attribute) else None
    return (last_name(func) or "").endswith("command") and last_name(owner) not in _BOTS
