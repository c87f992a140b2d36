"""FAR714: files that a client names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.facts import Endpoint, FrameworkFunction
from flake8_fastapi_rules.semantics.libraries import FILE_OPENERS, FILE_WRITES
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.responses import answers_with
from flake8_fastapi_rules.semantics.taint import (
    Tainted,
    expects_no_file,
    taint_in,
    text_in_sink,
)
from flake8_fastapi_rules.semantics.values import Class, Function

#: Words of which a file that reaches others by name has one.
_WORDS = ("open", "FileResponse", "write", "shutil", "os.", "unlink", "read_")
_RESPONSE = "starlette.responses.FileResponse"
#: Methods of paths that read, write or remove the file.
_PATH_METHODS = frozenset(
    {"open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "touch", "rmdir"}
)
_NAMES = _PATH_METHODS | last_names((_RESPONSE, *FILE_OPENERS, *FILE_WRITES))
_PATHS = ("pathlib.PurePath", "anyio.Path")
#: What is done with a folder just as with a file.
_OF_FOLDERS = frozenset({"copytree", "move", "rename", "replace", "rmtree"})


class PathTraversal(Rule):
    """Do not let clients choose which file is read or written.

    ## What it does
    Reports a path that is built from a parameter of an endpoint, or from the file name of an
    upload, and reaches `FileResponse`, `open` or a write without any check, also in a function of
    the project that it is handed to.

    ## Why it matters
    `../../etc/passwd` is a name as well, and an absolute path replaces all that stands before it,
    in `os.path.join` and with `/`. Clients so read the application's secrets and overwrite its
    code. What an upload is called is up to the client, too.

    ## Example
    ```python
    from pathlib import Path

    from fastapi import UploadFile


    async def store(file: UploadFile, folder: Path) -> None:
        (folder / file.filename).write_bytes(await file.read())
    ```

    ## Use instead
    ```python
    from pathlib import Path

    from fastapi import UploadFile


    async def store(file: UploadFile, folder: Path) -> Path:
        return folder / Path(file.filename or "unnamed").name
    ```

    ## Leaves alone
    Names that a condition tests (membership, `startswith`, `is_relative_to` and the like, but not
    whether the file exists), `Path(name).name`, `secure_filename`, look-ups, types other than text,
    and results of other functions. A single parameter of the path without `:path`, which holds no
    slash, where more stands next to or behind it (`f"{name}.json"`, `folder / name / "a.png"`), or
    where something asks whether the file exists or handles that it does not: `..` is no file.

    ## Source
    CWE-22; `pathlib`: the `/` operator.
    """

    code = "FAR714"
    message = "`{name}` chooses the file; use `Path({name}).name` or look the path up"
    profiles = ("recommended",)

    @on(FrameworkFunction)
    def check_calls(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report calls that hand an unchecked name to a function that reaches a file by it."""
        taint = taint_in(context.model, context.module, fact.node)
        for call, reached in taint.all_reached(_paths):
            if reached.found.is_segment and (
                self._is_harmless(reached.found, reached.module, reached.call)
                or expects_no_file(context.module, call)
            ):
                continue
            related = [context.related(reached.module, reached.call, "the file")]
            yield self.report(call, name=reached.found.name, related=related)

    @on(FrameworkFunction, hints=("Response",))
    def check_own_responses(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report files sent by a class of the project that changes nothing but how."""
        for call in context.module.index.own_nodes(fact.node):
            if not isinstance(call, ast.Call):
                continue
            if not (last_name(call.func) or "").endswith("response"):
                continue
            cls = context.resolve(call.func)
            path = argument(call, "path", 0)
            if path is None or not isinstance(cls, Class):
                continue
            made = context.model.resolver.class_attribute(cls, "__init__", instance=True)
            if not isinstance(made, Function) and context.model.is_subclass(cls, _RESPONSE):
                found = taint_in(context.model, context.module, fact.node).of(path)
                if found is not None and not self._is_harmless(found, context.module, call):
                    yield self.report(call, name=found.name)

    @on(Endpoint)
    def check_endpoint(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report names of files that `response_class=FileResponse` sends."""
        if not endpoint.routes or not all(
            answers_with(context.model, route, _RESPONSE) for route in endpoint.routes
        ):
            return
        taint = taint_in(context.model, context.module, endpoint.node)
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Return) and node.value is not None:
                found = taint.of(node.value)
                if found is not None and not self._is_harmless(found, context.module, node):
                    yield self.report(node.value, name=found.name)

    @on_calls(_NAMES, hints=_WORDS)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls that reach a file by an unchecked name."""
        found = text_in_sink(context.model, context.module, call, _paths)
        if found is not None and not self._is_harmless(found, context.module, call):
            yield self.report(call, name=found.name)

    def _is_harmless(self, found: Tainted, module: Module, node: ast.AST) -> bool:
        """Whether a text without slashes, at worst `..`, leads to no file there."""
        if not found.is_segment or found.is_part:
            return found.is_segment
        if isinstance(node, ast.Call) and last_name(node.func) in _OF_FOLDERS:
            return False
        return expects_no_file(module, node)


def _paths(model: Model, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """The expressions that say which file a call is about."""
    callee = model.library_object(module, call.func)
    if callee is not None:
        names = set(model.resolver.names_of(callee))
        if _RESPONSE in names or callee.name == f"{_RESPONSE}.__init__":
            path = argument(call, "path", 0)
            if path is not None:
                yield path
        for name in names & FILE_OPENERS.keys():
            position = FILE_OPENERS[name][0]
            if position is not None and len(call.args) > position:
                yield call.args[position]
        if any(name in FILE_WRITES and _takes_paths(name) for name in names):
            yield from call.args[:2]
    if isinstance(call.func, ast.Attribute) and call.func.attr in _PATH_METHODS:
        if model.is_instance(model.resolve(module, call.func.value), *_PATHS) or (
            isinstance(call.func.value, ast.BinOp) and isinstance(call.func.value.op, ast.Div)
        ):
            yield call.func.value


def _takes_paths(name: str) -> bool:
    """Whether the arguments of a call that writes are paths, not what is to be written."""
    return not name.startswith(("pathlib.", "anyio.Path.")) or name.endswith(
        (".rename", ".replace", ".symlink_to")
    )
