"""FAR110: the environment read by the code that serves requests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePath

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Route
from flake8_fastapi_rules.semantics.values import External

_ENVIRONMENT = (External("os.environ"), External("os.getenv"), External("os.environb"))


class EnvironmentRead(Rule):
    """Read the environment in one settings class only.

    ## What it does
    Reports `os.environ` and `os.getenv` in endpoints, dependencies, lifespans, middleware and
    exception handlers, and anywhere in a module that declares endpoints.

    ## Why it matters
    A misspelt or missing variable shows up when a request comes, as `None` or a `KeyError`, and
    everything is a string. A settings class knows all variables, their types and defaults, fails
    when the service starts, and can be replaced in tests.

    ## Example
    ```python
    import os

    from fastapi import Depends


    async def get_bucket() -> str:
        return os.environ["BUCKET"]


    Bucket = Depends(get_bucket)
    ```

    ## Use instead
    ```python
    from functools import lru_cache
    from typing import Annotated

    from fastapi import Depends
    from pydantic import Field
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        bucket: str = Field(description="Where photos are stored")


    @lru_cache
    def get_settings() -> Settings:
        \"\"\"Provide the settings.\"\"\"
        return Settings()


    Config = Annotated[Settings, Depends(get_settings)]
    ```

    ## Leaves alone
    Settings modules and entry points (configurable), functions called `main`, what stands under
    `if __name__ == "__main__"`, variables that are set, and the environment of another program that
    is started (`env={**os.environ, ...}`).

    ## Source
    The convention of validated settings; pydantic-settings.
    """

    code = "FAR110"
    message = "The environment is read here; take the value from the settings"
    profiles = ("strict",)
    hints = ("environ", "getenv")

    @on(ast.Attribute, ast.Name)
    def check(self, node: ast.Attribute | ast.Name, context: Context) -> Iterator[Report]:
        """Report reads in FastAPI code."""
        if not isinstance(node.ctx, ast.Load) or context.resolve(node) not in _ENVIRONMENT:
            return
        parents = context.module.index.parents
        parent = parents.get(node)
        if isinstance(parent, ast.Subscript) and not isinstance(parent.ctx, ast.Load):
            return
        if isinstance(parent, ast.Attribute) and parent.attr in {"update", "setdefault", "pop"}:
            return
        if _is_for_child(node, context):
            return
        if not self._is_exempt(node, context) and self._is_fastapi_code(node, context):
            place: ast.AST = node
            if isinstance(parent, ast.Attribute) and parent.value is node:
                place, parent = parent, parents.get(parent)
            if isinstance(parent, ast.Call | ast.Subscript) and place in (
                getattr(parent, "func", None),
                getattr(parent, "value", None),
            ):
                place = parent
            yield self.report(place)

    def _is_exempt(self, node: ast.AST, context: Context) -> bool:
        index, settings = context.module.index, context.settings
        path = PurePath(context.path)
        if path.name in settings.entry_points:
            return True
        if not set(context.module.name.split(".")).isdisjoint(settings.settings_modules):
            return True
        functions = [n for n in index.ancestors(node) if isinstance(n, FUNCTIONS)]
        if any(function.name == "main" for function in functions):
            return True
        return not functions and not index.runs_at_import(node)

    def _is_fastapi_code(self, node: ast.AST, context: Context) -> bool:
        if context.facts(Route):
            return True
        served = {function.node for function in context.facts(FrameworkFunction)}
        return any(above in served for above in context.module.index.ancestors(node))


def _is_for_child(node: ast.AST, context: Context) -> bool:
    """Whether the whole environment goes to another program, perhaps with more: `env={...}`."""
    index = context.module.index
    for above in index.ancestors(node):
        match above:
            case ast.Subscript() | ast.Compare():
                return False
            case ast.Call(func=ast.Attribute(attr=attr)) if attr != "copy" and not above.keywords:
                return False
            case ast.keyword(arg="env"):
                return True
            case ast.Assign(targets=[ast.Name(id=name)]):
                return name == "env" or name.endswith("_env")
            case ast.stmt():
                return False
    return False
