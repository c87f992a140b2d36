"""FAR111: configuration that nothing validates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, mentions, targets_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on_calls
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.kept import is_kept, is_variable_kept
from flake8_fastapi_rules.semantics.libraries import CONFIG_READERS, INI_READERS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.values import Class, External

_CONFIGURATION = re.compile(r"conf|settings", re.IGNORECASE)
#: Methods that give a piece of a text, or a text that somebody sent in another form.
_PIECES = re.compile(r"^r?partition$|^r?split$|decompress|b64decode|unquote")
#: Methods whose class says what they read.
_PLAIN_METHODS = frozenset({"init", "load", "parse", "read", "reload"})
_SETTINGS_SOURCE = "pydantic_settings.PydanticBaseSettingsSource"


class UnvalidatedConfig(Rule):
    """Validate configuration with a Pydantic model.

    ## What it does
    Reports configuration read from YAML, TOML, JSON or INI that is returned or stored as it is,
    without passing through a model; a dataclass that checks nothing is none. That it is
    configuration is told by the name of the function, the target or the file (`conf`, `settings`).

    ## Why it matters
    A misspelt key, a missing section or a port given as text shows up wherever it is used, hours
    after the start, as a `KeyError` or worse. A model says at the start what is wrong and where,
    holds the defaults and documents each field.

    ## Example
    ```python
    from pathlib import Path

    import yaml


    def load_config(path: Path) -> dict[str, object]:
        return yaml.safe_load(path.read_text())
    ```

    ## Use instead
    ```python
    from pathlib import Path

    import yaml
    from pydantic import BaseModel, Field


    class Config(BaseModel):
        port: int = Field(default=8000, description="Where the server listens")


    def load_config(path: Path) -> Config:
        return Config.model_validate(yaml.safe_load(path.read_text()))
    ```

    ## Leaves alone
    What is handed to any other call, which may validate it; other data, a part of a text that was
    split or unpacked among it; configuration of logging; sources of Pydantic's settings.

    ## Source
    The convention of validated configuration.
    """

    code = "FAR111"
    message = "Configuration is used as it was read; validate it with a Pydantic model"
    profiles = ("strict", "clean-architecture")

    @on_calls(last_names(CONFIG_READERS | INI_READERS))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report reading calls whose result nothing validates."""
        callee = context.library_object(call.func)
        if callee is None:
            return
        if callee.name in CONFIG_READERS:
            kept = is_kept(context.model, context.module, call)
            if kept and self._is_configuration(call, context):
                yield self.report(call)
        elif not INI_READERS.isdisjoint(context.model.resolver.names_of(callee)):
            if self._is_configuration(call, context) and _is_parser_kept(context.module, call):
                yield self.report(call)

    def _is_configuration(self, call: ast.Call, context: Context) -> bool:
        index = context.module.index
        statement = index.statement_of(call)
        names = [n.name for n in index.ancestors(call) if isinstance(n, FUNCTIONS)]
        owner = index.class_of(index.function_of(call) or call)
        if owner is not None and names[:1] and names[0].strip("_") in _PLAIN_METHODS:
            names.append(owner.name)  # `SettingsFile(path)`
        names += [ast.unparse(target) for target in targets_of(statement)]
        names += [_said(argument) for argument in call.args]
        if isinstance(call.func, ast.Attribute):
            names.append(ast.unparse(call.func.value))
        for parent in index.ancestors(call):
            if isinstance(parent, ast.With):
                names += [_said(item.context_expr) for item in parent.items]
        module = context.module.name.rpartition(".")[2]
        if isinstance(statement, ast.Return) and module in context.settings.settings_modules:
            if not _is_given(call, context):
                names.append("settings")  # where nothing else says what is read
        said = " ".join(names)
        if "log" in said.lower() or "logg" in context.module.name.lower():
            return False
        if not _CONFIGURATION.search(said) or self._is_piece(call, context):
            return False
        return owner is None or not context.model.is_subclass(
            Class(context.module, owner), _SETTINGS_SOURCE
        )

    def _is_piece(self, call: ast.Call, context: Context) -> bool:
        """Whether what is parsed was split off a text: one value, and no configuration."""
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Subscript):  # a column of a row, a value of an answer
            return context.resolve(given.value) != External("os.environ")
        if not isinstance(given, ast.Name):
            return False
        found = context.module.index.lookup(given.id, given)
        return found is not None and any(
            isinstance(
                statement := context.module.index.statement_of(binding.node),
                ast.Assign | ast.AnnAssign,
            )
            and isinstance(statement.value, ast.Call)
            and isinstance(statement.value.func, ast.Attribute)
            and _PIECES.search(statement.value.func.attr)
            for binding in found[1]
        )


def _is_given(call: ast.Call, context: Context) -> bool:
    """Whether what is parsed is a text that the function is given: one value of a setting."""
    given = call.args[0] if call.args else None
    if last_name(call.func) != "loads" or not isinstance(given, ast.Name):
        return False
    found = context.module.index.lookup(given.id, given)
    return found is not None and all(binding.kind == "parameter" for binding in found[1])


def _said(node: ast.expr) -> str:
    """The words of an expression; of `config.STATE_FILE` the last, which says what is read."""
    methods = {call.func for call in ast.walk(node) if isinstance(call, ast.Call)}
    owners = {
        inner
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and each not in methods
        for inner in ast.walk(each.value)
    }
    said: list[str] = []
    for each in ast.walk(node):
        if each in owners:
            continue
        match each:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)):
                said.append(word)
    return " ".join(said)


def _is_parser_kept(module: Module, call: ast.Call) -> bool:
    """Whether the parser that `parser.read(...)` fills is kept as it is."""
    parser = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(parser, ast.Name):
        return is_variable_kept(module, parser) or _are_sections_kept(module, parser)
    return isinstance(parser, ast.Attribute)


def _are_sections_kept(module: Module, parser: ast.Name) -> bool:
    """Whether sections are returned or stored as dictionaries: `return dict(parser["shop"])`."""
    index = module.index
    function = index.function_of(parser)
    for node in index.own_nodes(function) if function is not None else ():
        value = node.value if isinstance(node, ast.Return) else None
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            value = node.value
        if not isinstance(value, ast.Call | ast.DictComp | ast.Subscript):
            continue
        calls = [part.func for part in ast.walk(value) if isinstance(part, ast.Call)]
        if mentions(value, {parser.id}) and all(
            (isinstance(func, ast.Name) and func.id == "dict")
            or (isinstance(func, ast.Attribute) and func.attr in {"items", "sections"})
            for func in calls
        ):
            return True
    return False
