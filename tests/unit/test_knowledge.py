"""What the tables say of libraries, compared with those that the test environment has."""

from __future__ import annotations

import http
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import typing
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import fastapi
import pydantic
import pytest
import starlette
import starlette.convertors
import starlette.routing
import starlette.status
from fastapi._compat import field_annotation_is_scalar
from fastapi.dependencies.utils import add_non_field_param_to_dependency

from flake8_fastapi_rules.semantics import bases, framework, libraries, names, types
from flake8_fastapi_rules.semantics.bases import external_mro, is_exception, is_subclass
from flake8_fastapi_rules.semantics.libraries import Category, blocking, database_write
from flake8_fastapi_rules.semantics.names import canonical

ROOT = Path(__file__).resolve().parents[2]


def load_verifier() -> ModuleType:
    """The script that knows how to look a name up."""
    path = ROOT / "benchmarks" / "verify_knowledge.py"
    spec = importlib.util.spec_from_file_location("verify_knowledge", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


verifier = load_verifier()


def version(module: ModuleType) -> tuple[int, ...]:
    return tuple(int(part) for part in module.__version__.split(".")[:2])


@pytest.fixture(autouse=True)
def _quiet() -> typing.Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class TestNames:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("fastapi.routing.APIRouter", "fastapi.APIRouter"),
            ("fastapi.applications.FastAPI.state", "fastapi.FastAPI.state"),
            ("fastapi.params.Depends", "fastapi.Depends"),
            ("fastapi.param_functions.Query", "fastapi.Query"),
            ("fastapi.Request.url_for", "starlette.requests.Request.url_for"),
            ("fastapi.responses.JSONResponse", "starlette.responses.JSONResponse"),
            ("fastapi.responses.ORJSONResponse", "fastapi.responses.ORJSONResponse"),
            ("fastapi.exceptions.HTTPException", "fastapi.HTTPException"),
            ("starlette.exceptions.HTTPException", "starlette.exceptions.HTTPException"),
            ("fastapi.exceptions.StarletteHTTPException", "starlette.exceptions.HTTPException"),
            ("fastapi.status.HTTP_200_OK", "starlette.status.HTTP_200_OK"),
            ("fastapi.openapi.models.Header", "fastapi.openapi.models.Header"),
            ("pydantic.main.BaseModel.model_dump", "pydantic.BaseModel.model_dump"),
            ("pydantic.v1.BaseModel", "pydantic.v1.BaseModel"),
            ("sqlalchemy.orm.session.Session.add", "sqlalchemy.orm.Session.add"),
            ("sqlalchemy.future.select", "sqlalchemy.select"),
            ("sqlalchemy.sql.expression.text", "sqlalchemy.text"),
            ("sqlalchemy.Engine", "sqlalchemy.engine.Engine"),
            ("sqlmodel.create_engine", "sqlalchemy.create_engine"),
            ("sqlmodel.select", "sqlmodel.select"),
            ("sqlmodel.Session.exec", "sqlmodel.Session.exec"),
            ("httpx2.AsyncClient.get", "httpx.AsyncClient.get"),
            # `get` is a function of httpx, but here a method of something unknown.
            ("httpx.Unknown.get", "httpx.Unknown.get"),
            ("redis.asyncio.client.Redis.get", "redis.asyncio.Redis.get"),
            ("redis.client.StrictRedis", "redis.Redis"),
            ("requests.HTTPError", "requests.exceptions.HTTPError"),
            ("jwt.ExpiredSignatureError", "jwt.exceptions.ExpiredSignatureError"),
            ("typing_extensions.Annotated", "typing.Annotated"),
            ("typing_extensions.AsyncGenerator", "collections.abc.AsyncGenerator"),
            ("typing.Dict", "builtins.dict"),
            ("open", "builtins.open"),
            ("io.open", "builtins.open"),
            ("IOError", "builtins.OSError"),
            ("asyncio.exceptions.TimeoutError", "builtins.TimeoutError"),
            ("posixpath.join", "os.path.join"),
            ("loguru.Logger.info", "loguru.logger.info"),
            ("mypy_boto3_s3.S3Client.put_object", "botocore.client.BaseClient.put_object"),
            ("mypy_boto3_s3.client.S3Client", "botocore.client.BaseClient"),
            (
                "mypy_boto3_dynamodb.service_resource.Table.put_item",
                "boto3.resources.base.ServiceResource.put_item",
            ),
            ("app.fastapi.Depends", "app.fastapi.Depends"),
            ("x", "x"),
        ],
    )
    def test_canonical(self, name: str, expected: str) -> None:
        assert canonical(name) == expected

    def test_tables_use_canonical_names_only(self) -> None:
        known = verifier.known_names()
        assert len(known) > 3000
        assert {name: canonical(name) for name in known if canonical(name) != name} == {}

    @pytest.mark.parametrize(
        "package", ["fastapi", "starlette", "pydantic", "pydantic_settings", "sqlalchemy", "httpx"]
    )
    def test_names_are_of_the_same_object(self, package: str) -> None:
        """Whatever is defined under a name is what its canonical name gives."""
        different = []
        seen = 0
        root = importlib.import_module(package)
        for info in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda _: None):
            if re.search(r"\.(testing|__main__|plugins?|mypy|v1|cli)\b", info.name):
                continue
            module = verifier.module(info.name)
            if not inspect.ismodule(module):
                continue
            for name, value in vars(module).items():
                if not (inspect.isclass(value) or inspect.isfunction(value)):
                    continue
                qualified = f"{info.name}.{name}"
                if value.__module__ != info.name or canonical(qualified) == qualified:
                    continue
                seen += 1
                found = verifier.look_up(canonical(qualified))[1]
                if found is not value and (package, name) not in LIKE_NAMED:
                    different.append(f"{qualified} is not {canonical(qualified)}")
        # Starlette and httpx define things under their canonical names already.
        assert seen or package in {"starlette", "httpx"}
        assert different == []

    def test_public_names_of_fastapi_lead_to_one(self) -> None:
        """A name has the same canonical name in every module of FastAPI that imports it."""
        homes: dict[int, set[str]] = {}
        for info in pkgutil.walk_packages(fastapi.__path__, "fastapi."):
            module = verifier.module(info.name)
            if not inspect.ismodule(module) or re.search(r"\._|telemetry|dependenc", info.name):
                continue
            for name, value in vars(module).items():
                if inspect.isclass(value) and value.__module__.startswith(("fastapi", "starlette")):
                    homes.setdefault(id(value), set()).add(canonical(f"{info.name}.{name}"))
        listed = set(names._FASTAPI.values())
        wrong = [found for found in homes.values() if len(found) > 1 and found & listed]
        assert [found for found in wrong if not found <= LOCAL_NAMES] == []

    def test_never_first_party(self) -> None:
        assert {"fastapi", "sqlalchemy", "os", "typing_extensions"} <= names.NEVER_FIRST_PARTY
        assert {"test", "tests", "app", "src"}.isdisjoint(names.NEVER_FIRST_PARTY)


#: Canonical names join what is used alike: the classes and functions of FastAPI's markers, both
#: forms of SQLAlchemy's constructs.
LIKE_NAMED = {("fastapi", name) for name in framework.MARKERS} | {
    ("sqlalchemy", name)
    for name in ("all_", "any_", "as_declarative", "declarative_base", "join", "outerjoin")
}
#: FastAPI's background module imports Starlette's class under a name of its own.
LOCAL_NAMES = {
    "fastapi.background.StarletteBackgroundTasks",
    "starlette.background.BackgroundTasks",
}


class TestTables:
    def test_names_exist(self) -> None:
        missing, counts = verifier.unknown_names()
        assert missing == {}
        assert counts["present"] > 1500

    def test_looking_up_can_fail(self) -> None:
        assert verifier.look_up("fastapi.FastAPI.get")[0] is verifier.Finding.PRESENT
        assert verifier.look_up("fastapi.FastAPI.gett")[0] is verifier.Finding.MISSING
        assert verifier.look_up("fastapi.nothing.FastAPI")[0] is verifier.Finding.MISSING
        assert verifier.look_up("no_such_library.x")[0] is verifier.Finding.NOT_INSTALLED

    def test_bases(self) -> None:
        assert verifier.wrong_bases() == []

    def test_bases_of_exceptions_are_complete(self) -> None:
        """Which handler catches what must not depend on a base that is left out."""
        incomplete = []
        for name in bases.EXTERNAL_BASES:
            cls = verifier.look_up(name)[1]
            if not (inspect.isclass(cls) and issubclass(cls, BaseException)):
                continue
            real = {
                canonical(f"{each.__module__}.{each.__qualname__}")
                for each in cls.__mro__
                if issubclass(each, BaseException)
            }
            known = set(external_mro(name))
            hidden = {each for each in real - known if verifier.look_up(each)[1] is not None}
            hidden = {each for each in hidden if "._" not in each}
            if hidden:
                incomplete.append((name, hidden))
        assert incomplete == []


class TestBases:
    def test_chains(self) -> None:
        assert external_mro("fastapi.HTTPException") == (
            "fastapi.HTTPException",
            "starlette.exceptions.HTTPException",
            "builtins.Exception",
            "builtins.BaseException",
        )
        assert external_mro("nothing.known") == ("nothing.known",)
        assert external_mro("aiogram.Router") == ("aiogram.Router",)
        assert external_mro("rest_framework.routers.SimpleRouter") == (
            "rest_framework.routers.SimpleRouter",
        )

    @pytest.mark.parametrize(
        ("name", "base"),
        [
            ("sqlmodel.Session", "sqlalchemy.orm.Session"),
            ("sqlmodel.ext.asyncio.session.AsyncSession", "sqlalchemy.ext.asyncio.AsyncSession"),
            ("cadwyn.VersionedAPIRouter", "fastapi.APIRouter"),
            ("company.web.AuditedAPIRouter", "fastapi.APIRouter"),
            ("fastapi_extra.routing.SafeRouter", "fastapi.APIRouter"),
            ("starlette.testclient.TestClient", "httpx.Client"),
            ("starlette.responses.JSONResponse", "starlette.responses.Response"),
            ("pydantic.ValidationError", "builtins.ValueError"),
            ("builtins.FileNotFoundError", "builtins.OSError"),
            ("fastapi.security.OAuth2PasswordBearer", "fastapi.security.base.SecurityBase"),
        ],
    )
    def test_is_subclass(self, name: str, base: str) -> None:
        assert is_subclass(name, base)
        assert is_subclass(name, "builtins.int", base)
        assert not is_subclass(base, name)

    def test_is_exception(self) -> None:
        assert is_exception("jwt.exceptions.ExpiredSignatureError")
        assert is_exception("asyncio.CancelledError")
        assert not is_subclass("asyncio.CancelledError", "builtins.Exception")
        assert not is_exception("fastapi.FastAPI")


class TestTypes:
    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            ("sqlalchemy.create_engine", "sqlalchemy.engine.Engine"),
            ("sqlmodel.Session.execute", "sqlalchemy.engine.Result"),
            ("starlette.testclient.TestClient.get", "httpx.Response"),
            ("pathlib.Path.joinpath", "pathlib.Path"),
            ("sqlalchemy.engine.Result.scalar_one", None),
            ("unknown", None),
        ],
    )
    def test_results(self, function: str, expected: str | None) -> None:
        assert types.result_type(function) == expected

    @pytest.mark.parametrize(
        ("cls", "attribute", "expected"),
        [
            ("starlette.requests.Request", "app", "fastapi.FastAPI"),
            ("starlette.websockets.WebSocket", "state", "starlette.datastructures.State"),
            ("fastapi.FastAPI", "router", "fastapi.APIRouter"),
            ("fastapi.UploadFile", "file", "typing.BinaryIO"),
            ("pymongo.MongoClient", "shop", "pymongo.database.Database"),
            ("pymongo.MongoClient", "__class__", None),
            ("fastapi.FastAPI", "nothing", None),
        ],
    )
    def test_attributes(self, cls: str, attribute: str, expected: str | None) -> None:
        assert types.attribute_type(cls, attribute) == expected

    def test_classes_are_classes(self) -> None:
        wrong = []
        for name in types.CLASSES:
            found = verifier.look_up(name)[1]
            # typing's classes are functions before Python 3.13 or so, locks are factories.
            if found is None or inspect.isclass(found) or name in NOT_QUITE_CLASSES:
                continue
            if not isinstance(found, property):  # it stands for the private class of what it gives
                wrong.append(name)
        assert wrong == []

    def test_annotated_results(self) -> None:
        """Where a library annotates a result with a class, the table must not contradict it."""
        wrong = []
        for name, result in types.RETURNS.items():
            function = verifier.look_up(name)[1]
            if not inspect.isfunction(function):
                continue
            try:
                hint = typing.get_type_hints(function).get("return")
            except Exception:  # names under TYPE_CHECKING
                continue
            if not inspect.isclass(hint) or typing.get_origin(hint) is not None or hint is Any:
                continue
            cls = verifier.look_up(result)[1]
            if not inspect.isclass(cls) or issubclass(cls, hint) or issubclass(hint, cls):
                continue
            # httpx2 bears the names of httpx.
            stated = canonical(f"{hint.__module__}.{hint.__qualname__}")
            if not is_subclass(stated, result) and name not in MORE_GENERAL:
                wrong.append((name, result, stated))
        assert wrong == []


#: Stated with a type that has the same methods: a connection of a pool, what is awaited or entered.
MORE_GENERAL = {
    "aiohttp.request",
    "mysql.connector.pooling.MySQLConnectionPool.get_connection",
}
NOT_QUITE_CLASSES = {
    "multiprocessing.Lock",
    "multiprocessing.RLock",
    "threading.Lock",
    "threading.RLock",
    "typing.NamedTuple",
    "typing.TypedDict",
}


class TestLibraries:
    @pytest.mark.parametrize(
        ("name", "category"),
        [
            ("requests.get", Category.HTTP),
            ("httpx.Client.stream", Category.HTTP),
            ("starlette.testclient.TestClient.post", Category.HTTP),
            ("time.sleep", Category.SLEEP),
            ("subprocess.run", Category.PROCESS),
            ("builtins.open", Category.FILE),
            ("typing.BinaryIO.read", Category.FILE),
            ("sqlmodel.Session.exec", Category.DATABASE),
            ("sqlalchemy.orm.scoped_session.commit", Category.DATABASE),
            ("pymongo.MongoClient.shop.items.find_one", Category.DATABASE),
            ("redis.Redis.get", Category.REDIS),
            ("botocore.client.BaseClient.put_object", Category.CLOUD),
            ("boto3.resources.base.ServiceResource.Table.put_item", Category.CLOUD),
            ("boto3.client.get_object", Category.CLOUD),
            ("supabase.Client.table.select.eq.execute", Category.DATABASE),
            ("websocket.create_connection.recv", Category.NETWORK),
            ("openai.OpenAI.chat.completions.create", Category.HTTP),
            ("openai.AzureOpenAI.chat.completions.create", Category.HTTP),
            ("stripe.checkout.Session.create", Category.HTTP),
            ("smtplib.SMTP_SSL.sendmail", Category.MAIL),
        ],
    )
    def test_blocking(self, name: str, category: Category) -> None:
        found = blocking(name)
        assert found is not None
        assert found.category is category
        assert 0 < len(found.instead) < 40

    @pytest.mark.parametrize(
        "name",
        [
            "asyncio.sleep",
            "httpx.AsyncClient.get",
            "redis.asyncio.Redis.get",
            "redis.Redis.pipeline",
            "redis.Redis.from_url",
            "openai.AsyncOpenAI.chat.completions.create",
            "openai.OpenAI.with_options",
            "stripe.Customer.create_async",
            "stripe.Webhook.construct_event",
            "botocore.client.BaseClient.generate_presigned_url",
            "boto3.resources.base.ServiceResource.Table",
            "requests.Session",
            "sqlalchemy.orm.Session.add",
            "sqlalchemy.ext.asyncio.AsyncSession.execute",
            "pymongo.AsyncMongoClient.shop.items.find_one",
            "supabase.AsyncClient.table.select.eq.execute",
            "supabase.Client.table",
            "fastapi.UploadFile.read",
            "anyio.Path.read_text",
            "nothing.known",
        ],
    )
    def test_not_blocking(self, name: str) -> None:
        assert blocking(name) is None

    def test_coroutine_functions_do_not_block(self) -> None:
        """Nothing that a library declares `async def` is said to block."""
        wrong = [
            name
            for name in libraries.BLOCKING
            if inspect.iscoroutinefunction(verifier.look_up(name)[1])
        ]
        assert wrong == []

    def test_database_writes(self) -> None:
        assert database_write("sqlmodel.Session.add")
        assert database_write("sqlalchemy.ext.asyncio.AsyncSession.delete")
        assert database_write("pymongo.AsyncMongoClient.shop.items.insert_one")
        assert database_write("sqlalchemy.orm.Query.delete")
        assert not database_write("sqlalchemy.orm.Session.execute")
        assert not database_write("sqlalchemy.orm.Session.rollback")
        assert not database_write("pymongo.AsyncMongoClient.shop.items.find_one")
        assert not database_write("redis.Redis.set")

    def test_kinds_of_writes_are_apart(self) -> None:
        tables = (
            libraries.SESSION_WRITES,
            libraries.ORM_WRITES,
            libraries.CACHE_WRITES,
            libraries.FILE_WRITES,
            libraries.OBJECT_STORE_WRITES,
            libraries.MESSAGE_SENDS,
        )
        together = [name for table in tables for name in table]
        assert len(together) == len(set(together))

    def test_spellings(self) -> None:
        assert libraries.spellings("sqlmodel.Session.add") == (
            "sqlmodel.Session.add",
            "sqlalchemy.orm.Session.add",
        )
        assert libraries.entry("sqlmodel.Session", libraries.RESOURCE_OPENERS) is not None
        assert libraries.is_log_call("logging.Logger.info")
        assert not libraries.is_log_call("logging.Logger.setLevel")

    @pytest.mark.parametrize("name", sorted(libraries.EXECUTORS))
    def test_positions_of_functions(self, name: str) -> None:
        function = verifier.look_up(name)[1]
        if function is None:
            pytest.skip("not installed")
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        position = libraries.EXECUTORS[name]
        assert parameters[position] in {
            "__func", "arg", "awaitable", "callback", "fn", "func", "function", "iterator",
            "sync_fn",
        }  # fmt: skip

    @pytest.mark.parametrize("name", sorted(libraries.HTTP_REQUESTS))
    def test_positions_of_urls(self, name: str) -> None:
        function = verifier.look_up(name)[1]
        if function is None:
            pytest.skip("not installed")
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        assert parameters[libraries.HTTP_REQUESTS[name]] in {"uri", "url", "fullurl"}

    @pytest.mark.parametrize("name", sorted(libraries.TOKEN_CALLS))
    def test_positions_in_token_calls(self, name: str) -> None:
        function = verifier.look_up(name)[1]
        if function is None:
            pytest.skip("not installed")
        call = libraries.TOKEN_CALLS[name]
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        for position, keyword in zip(
            (call.key, call.algorithms, call.payload), call.keywords, strict=True
        ):
            if position is not None:
                assert parameters[position] == keyword

    @pytest.mark.parametrize("name", sorted(libraries.TASK_STARTERS))
    def test_positions_of_routines(self, name: str) -> None:
        function = verifier.look_up(name)[1]
        starter = libraries.TASK_STARTERS[name]
        if function is None or starter.target is None:
            pytest.skip("not installed, or a decorator")
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        assert parameters[starter.target] == starter.keyword

    @pytest.mark.parametrize("name", sorted(libraries.SIGNING_KEYS))
    def test_positions_of_keys(self, name: str) -> None:
        function = verifier.look_up(name)[1]
        if function is None:
            pytest.skip("not installed")
        keyword, position = libraries.SIGNING_KEYS[name]
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        assert keyword in parameters
        assert position is None or parameters[position] == keyword


class TestFramework:
    @pytest.mark.parametrize("name", sorted(framework.POSITIONAL))
    def test_positional_parameters(self, name: str) -> None:
        if name in verifier.ELSEWHERE:
            owner, _, method = name.rpartition(".")
            assert not hasattr(verifier.look_up(owner)[1], method)
            return
        function = verifier.look_up(name)[1]
        if function is None:
            # What only one of app and router has.
            other = name.replace("FastAPI", "APIRouter")
            assert verifier.look_up(other)[1] is not None
            return
        positional = tuple(
            each.name
            for each in inspect.signature(function).parameters.values()
            if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}
            and each.name != "self"
        )
        expected = framework.POSITIONAL[name]
        # Arguments that nobody gives by position may be left out at the end.
        assert positional[: len(expected)] == expected
        if name.startswith("fastapi.") and not name.endswith(("Exception", "jsonable_encoder")):
            assert positional == expected

    def test_verbs(self) -> None:
        for owner in (fastapi.FastAPI, fastapi.APIRouter):
            assert all(hasattr(owner, verb) for verb in framework.VERBS)
        assert {method.value for method in http.HTTPMethod} - {"CONNECT"} == set(
            framework.METHOD_OF_VERB.values()
        )

    def test_default_methods(self) -> None:
        router = fastapi.APIRouter()
        router.add_api_route("/x", lambda: None)
        (route,) = router.routes
        assert isinstance(route, starlette.routing.Route)
        assert tuple(route.methods or ()) == framework.DEFAULT_METHODS

    def test_status_constants(self) -> None:
        real = {
            name: value
            for name, value in vars(starlette.status).items()
            if name.startswith(("HTTP_", "WS_"))
        } | starlette.status.__deprecated__
        listed = dict(framework.STATUS_CONSTANTS)
        for removed in framework.REMOVED_STATUS_CONSTANTS:
            assert removed not in real
            del listed[removed]
        assert listed == real

    def test_renamed_status_constants(self) -> None:
        assert set(framework.RENAMED_STATUS_CONSTANTS) == set(starlette.status.__deprecated__)
        for old, new in framework.RENAMED_STATUS_CONSTANTS.items():
            with pytest.warns(Warning, match=new):
                assert getattr(starlette.status, old) == getattr(starlette.status, new)

    def test_status_of(self) -> None:
        assert framework.status_of("starlette.status.HTTP_404_NOT_FOUND") == 404
        assert framework.status_of("http.HTTPStatus.NOT_FOUND.value") == 404
        assert framework.status_of("http.HTTPStatus.NOTHING") is None
        assert framework.status_of("app.status.HTTP_404_NOT_FOUND") is None

    def test_path_syntax(self) -> None:
        assert framework.PATH_PARAMETER.pattern == starlette.routing.PARAM_REGEX.pattern
        assert dict(framework.PATH_CONVERTERS) == {
            name: converter.regex
            for name, converter in starlette.convertors.CONVERTOR_TYPES.items()
        }

    @pytest.mark.parametrize(
        "path", ["/", "/items/{item_id}", "/a.b/{x:int}/{rest:path}", "/{a}-{b:uuid}.json", "/{1x}"]
    )
    def test_paths_match_as_in_starlette(self, path: str) -> None:
        compiled, formatted, converters = starlette.routing.compile_path(path)
        assert framework.path_format(path) == formatted
        assert list(framework.path_parameters(path)) == list(converters)
        pattern = framework.path_regex(path)
        assert pattern is not None
        uuid = "12345678-1234-1234-1234-123456789abc"
        for url in ("/", "/items/1", "/a.b/7/x/y", "/axb/7/x", f"/z-{uuid}.json", "/{1x}", ""):
            assert bool(re.match(pattern, url)) == bool(compiled.match(url))

    def test_unknown_converter(self) -> None:
        assert framework.path_regex("/{x:mine}") is None

    @pytest.mark.parametrize("path", ["/", "/items/{item_id}", "/files/{name:path}", "/a-b/c.d"])
    def test_default_operation_id(self, path: str) -> None:
        router = fastapi.APIRouter()
        parameters = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)
            for name in framework.path_parameters(path)
        ]

        def read_it(**_: Any) -> None: ...

        read_it.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        router.add_api_route(path, read_it, methods=["PUT"])
        app = fastapi.FastAPI()
        app.include_router(router, prefix="/v1")
        (operation,) = [item["put"] for item in app.openapi()["paths"].values()]
        assert operation["operationId"] == framework.default_operation_id(
            "read_it", f"/v1{path}", "PUT"
        )

    @pytest.mark.parametrize("name", sorted(framework.SCALAR_TYPES))
    def test_scalars(self, name: str) -> None:
        kind = verifier.look_up(name)[1]
        if kind is None or name == "typing.Literal":
            pytest.skip("not installed, or nothing by itself")
        assert field_annotation_is_scalar(kind)

    @pytest.mark.parametrize("name", sorted(framework.COMPLEX_TYPES))
    def test_complex_types(self, name: str) -> None:
        assert not field_annotation_is_scalar(verifier.look_up(name)[1])

    def test_sequences_and_mappings_are_complex(self) -> None:
        assert framework.SEQUENCE_TYPES | framework.MAPPING_TYPES < framework.COMPLEX_TYPES
        assert framework.SEQUENCE_TYPES.isdisjoint(framework.MAPPING_TYPES)

    @pytest.mark.parametrize("name", sorted(framework.SPECIAL_PARAMETER_TYPES))
    def test_special_parameters(self, name: str) -> None:
        from fastapi.dependencies.models import Dependant

        assert add_non_field_param_to_dependency(
            param_name="x", type_annotation=verifier.look_up(name)[1], dependant=Dependant(path="/")
        )

    def test_markers(self) -> None:
        for name, marker in framework.MARKER_BY_NAME.items():
            assert verifier.look_up(name)[1] is getattr(fastapi, marker)
            assert canonical(f"fastapi.params.{marker}") == name

    @pytest.mark.parametrize("name", sorted(framework.CHANGES))
    def test_changes(self, name: str) -> None:
        change = framework.CHANGES[name]
        library = {"fastapi": fastapi, "pydantic": pydantic, "starlette": starlette}[change.library]
        is_gone = change.removed is not None and change.removed <= version(library)
        plain, _, argument = name.partition("(")
        found = verifier.look_up(plain)[1]
        if not argument:
            assert (found is None) == is_gone
        elif argument.endswith("=)"):
            assert found is not None
            parameters = inspect.signature(found).parameters
            assert (argument.removesuffix("=)") not in parameters) == is_gone
        assert change.deprecated is None or change.deprecated <= version(library)
