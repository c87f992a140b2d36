"""FAR324: settings that are read for every request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_decorator, fix_of
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import CallSite
from flake8_fastapi_rules.semantics.facts import Dependency, DependencyFunction
from flake8_fastapi_rules.semantics.libraries import SETTINGS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.routines import body_without_docstring
from flake8_fastapi_rules.semantics.values import UNKNOWN, Class, Function, FunctionNode, Value


class UncachedSettings(Rule):
    """Read the settings once, not for every request.

    ## What it does
    Reports a dependency that builds a `BaseSettings` and is not cached, and `Depends(Settings)` on
    the class itself.

    ## Why it matters
    Building settings reads the environment, `.env` files and secret folders, and validates all of
    it. As a dependency that happens again for each request, on the event loop or in a thread of the
    pool, with the same result.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        name: str = "shop"


    def get_settings() -> Settings:
        return Settings()


    def greet(settings: Annotated[Settings, Depends(get_settings)]) -> str:
        return settings.name
    ```

    ## Use instead
    ```python
    from functools import lru_cache
    from typing import Annotated

    from fastapi import Depends
    from pydantic import Field
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        name: str = Field(default="shop", description="What the service is called.")


    @lru_cache
    def get_settings() -> Settings:
        '''Give the settings, which are read once.'''
        return Settings()


    def greet(settings: Annotated[Settings, Depends(get_settings)]) -> str:
        '''Say the name of the service.'''
        return settings.name
    ```

    ## Leaves alone
    Dependencies with `lru_cache`, `cache` and the like, those that return settings built elsewhere,
    settings that depend on arguments, and functions that the app itself replaces in its
    `dependency_overrides`, often with settings that exist already.

    ## Fix safety
    Safe: `@lru_cache` is added to a plain function without parameters. Tests that change the
    environment between requests have to call `cache_clear()`.

    ## Source
    FastAPI's documentation of settings: creating them only once with `lru_cache`.
    """

    code = "FAR324"
    message = "Cache `{name}` with `@lru_cache`: `{settings}` is read again for every request"
    variants = {
        "class": "Depend on a cached function: `{settings}` is read again for every request",
        "async": "Build `{settings}` once, not in `{name}`: it is read again for every request",
    }
    profiles = ("strict",)
    scope = "project"
    fix = "safe"

    @on(DependencyFunction)
    def check_function(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report functions that build settings."""
        node, model = fact.node, context.model
        function = Function(context.module, node, fact.cls)
        if model.effects.graph.is_cached(function):
            return
        is_init = node.name == "__init__"  # of a class that is made for every request
        for site in model.effects.calls(function):
            if not _has_constants_only(site.node):
                continue
            made = _built_by(site, context)
            if not isinstance(made, Class) or not model.is_subclass(made, *SETTINGS):
                continue
            parent = context.module.index.parents.get(site.node)
            if not isinstance(
                parent, ast.Return | ast.Yield | ast.Assign | ast.AnnAssign | ast.Attribute
            ):
                continue
            if not is_init and _is_stored(parent, node, context):
                continue
            if _is_replaced(node, context):
                continue
            is_plain = isinstance(node, ast.FunctionDef) and not (fact.is_generator or is_init)
            has_parameters = bool(model.parameters(function))
            can_be_cached = is_plain and not has_parameters and isinstance(parent, ast.Return)
            yield self.report(
                site.node,
                None if can_be_cached else "async",
                fix=partial(_cache, context, node)
                if can_be_cached
                else Unfixable("the function does more than build them"),
                name=fact.name,
                settings=made.node.name,
            )
            return

    @on(Dependency)
    def check_class(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report `Depends(Settings)`."""
        target = dependency.target
        if isinstance(target, Function) and isinstance(target.node, ast.Lambda):
            target = _made_by(target.node, target.module, context)  # `lambda: Settings()`
        if isinstance(target, Class) and context.model.is_subclass(target, *SETTINGS):
            fix = Unfixable("a function that builds them must be written")
            yield self.report(dependency.node, "class", fix=fix, settings=target.node.name)


def _built_by(site: CallSite, context: Context) -> Value:
    """The class of what a call builds, itself or through a function that returns it at once."""
    target = site.callee
    if not isinstance(target, Function):
        return target
    node, model = target.node, context.model
    if isinstance(node, ast.Lambda) or node.decorator_list or model.roles(target):
        return UNKNOWN  # what is a dependency itself is reported itself
    body = body_without_docstring(node.body)
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return UNKNOWN
    return _called_with_constants(body[0].value, target.module, context)


def _made_by(node: ast.Lambda, module: Module, context: Context) -> Value:
    """The class that a lambda calls, without anything or with constants only."""
    return UNKNOWN if node.args.args else _called_with_constants(node.body, module, context)


def _called_with_constants(call: ast.expr | None, module: Module, context: Context) -> Value:
    """What a call without other arguments than constants calls."""
    if not isinstance(call, ast.Call) or not _has_constants_only(call):
        return UNKNOWN
    return context.model.resolve(module, call.func)


def _has_constants_only(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(each, ast.Constant) for each in given)


def _is_stored(parent: ast.AST, function: ast.AST, context: Context) -> bool:
    """Whether settings are kept for the next request: in a global, an attribute, a mapping."""
    targets = getattr(parent, "targets", None) or [getattr(parent, "target", None)]
    outer = context.module.index.scopes[function].outer
    return any(
        isinstance(target, ast.Attribute | ast.Subscript)
        or (isinstance(target, ast.Name) and target.id in outer)
        for target in targets
    )


def _is_replaced(node: FunctionNode, context: Context) -> bool:
    """Whether the app itself, not a test, replaces a function of this name by another one."""
    for module in modules_mentioning(context.model, context.module, "dependency_overrides"):
        if context.settings.is_test_path(str(module.path)):
            continue
        for entry in module.index.nodes(ast.Subscript):
            replaced = getattr(entry.slice, "attr", getattr(entry.slice, "id", None))
            if isinstance(entry.ctx, ast.Store) and replaced == node.name:
                if isinstance(entry.value, ast.Attribute):
                    if entry.value.attr == "dependency_overrides":
                        return True
    return False


def _cache(context: Context, node: FunctionNode) -> Fix:
    text = text_of(context.module)
    imported = ensure_import(text, "functools", "lru_cache", node)
    decorator = add_decorator(text, node, imported.name)
    return fix_of("Add `@lru_cache`", "safe", imported.edits, decorator)
