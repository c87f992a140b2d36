"""FAR224: an upload and a JSON body in one request."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, ParameterKind
from flake8_fastapi_rules.semantics.framework import MAPPING_TYPES, SEQUENCE_TYPES
from flake8_fastapi_rules.semantics.parameters import is_dataclass
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, Value

#: Validators that may turn the text of a form field into a model.
_BEFORE = frozenset({"pydantic.model_validator", "pydantic.root_validator"})


class FileWithJsonBody(Rule):
    """Do not ask for an upload and a JSON body in one request.

    ## What it does
    Reports model, data class and mapping parameters that FastAPI reads from the body of an
    operation that takes an `UploadFile` or a `File()`, too.

    ## Why it matters
    A request with a file is a form (`multipart/form-data`), and then FastAPI looks for everything
    else in the form as well. The model is a field with text in it, which no model can be made of:
    each request is answered with 422, and JSON is no help as it cannot hold the file.

    ## Example
    ```python
    from fastapi import APIRouter, UploadFile
    from pydantic import BaseModel

    router = APIRouter()


    class Note(BaseModel):
        text: str


    @router.post("/photos")
    async def save_photo(photo: UploadFile, note: Note) -> str:
        return note.text
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Form, Security, UploadFile
    from pydantic import BaseModel, ConfigDict, Field

    from shop.security import require_editor

    router = APIRouter(prefix="/photos", tags=["photos"], dependencies=[Security(require_editor)])


    class Note(BaseModel):
        model_config = ConfigDict(json_schema_extra={"examples": [{"text": "a"}]})

        text: str = Field(description="What the photo shows")
        photo: UploadFile = Field(description="The photo")


    @router.post("", status_code=201, operation_id="save_photo")
    async def save_photo(note: Annotated[Note, Form(media_type="multipart/form-data")]) -> str:
        \"\"\"Store a photo.\"\"\"
        return note.text
    ```

    ## Leaves alone
    Plain values and lists of them, which the form can hold, `Form()` models, `Json[...]`, models
    with a validator that runs before validation and may parse the text, and types that cannot be
    told.

    ## Source
    FastAPI's documentation on forms and files: "request forms and files" (a limit of HTTP).
    """

    code = "FAR224"
    message = (
        "`{body}` cannot be JSON beside the upload `{file}`: every request fails; use `Form()`"
    )
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("UploadFile", "File", "Depends", "Annotated")

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report each parameter that would have to be JSON."""
        model = context.model
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        if endpoint.is_websocket or not has_own_signature(model, function):
            return
        path_names = model.path_names(endpoint)
        own = [(p, p) for p in model.parameters(function, path_names)]
        found = [*own, *self._of_dependencies(own, path_names, context)]
        files = [inner for _, inner in found if inner.kind is ParameterKind.FILE]
        if not files:
            return
        reported: set[ast.AST] = set()
        for place, inner in found:
            if inner.kind is ParameterKind.BODY and self._needs_json(inner, context):
                if place.node not in reported:
                    reported.add(place.node)
                    behind = [context.related(inner.module, inner.node, "read from the body")]
                    yield self.report(
                        place.node,
                        related=behind if inner is not place else (),
                        body=inner.name,
                        file=files[0].name,
                    )

    def _of_dependencies(
        self,
        own: list[tuple[Parameter, Parameter]],
        path_names: frozenset[str],
        context: Context,
    ) -> Iterator[tuple[Parameter, Parameter]]:
        model = context.model
        for place, _ in own:
            waiting = [model.dependency_of(place)]
            seen: set[object] = set()
            while waiting:
                dependency = waiting.pop()
                target = model.callable_of(dependency.target) if dependency else None
                if dependency is None or target is None or target.node in seen:
                    continue
                seen.add(target.node)
                yield from ((place, inner) for inner in model.parameters(target, path_names))
                waiting.extend(model.sub_dependencies(dependency)[0])

    def _needs_json(self, parameter: Parameter, context: Context) -> bool:
        """Whether no text of a form field, and no list of such texts, could be the value."""
        parts = [
            part
            for part in types_in(context.model, parameter.type_module, parameter.type_node)
            if part.value != Constant(None)
        ]
        inner: list[bool] = []
        for part in parts:
            if part.is_contained:
                inner.append(self._is_object(part.value, context))
                if isinstance(part.value, External) and part.value.name in MAPPING_TYPES:
                    break  # what follows are its keys and values
        for part in parts:
            if part.is_contained:
                continue
            is_list = isinstance(part.value, External) and part.value.name in SEQUENCE_TYPES
            if not (self._is_object(part.value, context) or (is_list and inner and all(inner))):
                return False
        return bool(parts)

    def _is_object(self, value: Value, context: Context) -> bool:
        model = context.model
        if isinstance(value, External):
            return value.name in MAPPING_TYPES
        if not isinstance(value, Class):
            return False
        if is_dataclass(model.resolver, value):
            return True
        return model.is_subclass(value, "pydantic.BaseModel") and not self._parses(value, context)

    def _parses(self, cls: Class, context: Context) -> bool:
        """Whether a validator of the model gets hold of the text first."""
        for base in context.model.resolver.mro(cls):
            if isinstance(base, External):
                continue
            for statement in base.node.body:
                if not isinstance(statement, ast.FunctionDef):
                    continue
                if statement.name.startswith("__get_"):
                    return True
                for decorator in statement.decorator_list:
                    callee = decorator.func if isinstance(decorator, ast.Call) else decorator
                    value = context.model.resolve(base.module, callee)
                    if isinstance(value, External) and value.name in _BEFORE:
                        mode = _mode_of(decorator)
                        if mode is None or context.model.text(base.module, mode) != "after":
                            return True
        return False


def _mode_of(decorator: ast.expr) -> ast.expr | None:
    """The `mode=` of a validator."""
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((keyword.value for keyword in keywords if keyword.arg == "mode"), None)
