"""What FastAPI and Starlette themselves are like: signatures, statuses, special types, versions.

Read from FastAPI 0.165 and Starlette 1.10; where they changed, the version is given.
"""

from __future__ import annotations

import http
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.semantics.names import name_set

if TYPE_CHECKING:
    from collections.abc import Mapping

# -- apps and routers ---------------------------------------------------------------------------

APP: Final = "fastapi.FastAPI"
ROUTER: Final = "fastapi.APIRouter"
#: Whatever routes can be put on.
ROUTE_OWNERS: Final = frozenset({APP, ROUTER})
#: What may be mounted besides FastAPI apps, and is an ASGI app all the same.
ASGI_APPS: Final = name_set(
    """
    fastapi.FastAPI starlette.applications.Starlette starlette.routing.Router
    starlette.staticfiles.StaticFiles starlette.middleware.wsgi.WSGIMiddleware"""
)

#: Decorators of apps and routers for one HTTP method each.
VERBS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
#: Method of the decorator -> HTTP method.
METHOD_OF_VERB: Final[Mapping[str, str]] = MappingProxyType({verb: verb.upper() for verb in VERBS})

#: Decorators that register an HTTP endpoint. `route` is Starlette's: the endpoint gets the
#: request alone. Apps lost it with Starlette 1.0, routers have it still.
HTTP_DECORATORS: Final = frozenset({*VERBS, "api_route", "route"})
WEBSOCKET_DECORATORS: Final = frozenset({"websocket", "websocket_route"})
ROUTE_DECORATORS: Final = HTTP_DECORATORS | WEBSOCKET_DECORATORS
#: Methods that register an endpoint given to them as an argument.
HTTP_ADDERS: Final = frozenset({"add_api_route", "add_route"})
WEBSOCKET_ADDERS: Final = frozenset({"add_api_websocket_route", "add_websocket_route"})
ROUTE_ADDERS: Final = HTTP_ADDERS | WEBSOCKET_ADDERS
#: Starlette's own routes: FastAPI does no injection there.
PLAIN_ROUTES: Final = frozenset({"route", "add_route", "websocket_route", "add_websocket_route"})
#: What `api_route` and `add_api_route` serve when `methods` is not given.
DEFAULT_METHODS: Final = ("GET",)

#: Names of the parameters that may be given by position, without `self`, by canonical name.
#: Methods of the app and of the router are the same unless both are listed.
POSITIONAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{f"{owner}.{verb}": ("path",) for owner in ROUTE_OWNERS for verb in VERBS},
        **{
            f"{owner}.{method}": names
            for owner in ROUTE_OWNERS
            for method, names in {
                "__init__": (),
                "add_api_route": ("path", "endpoint"),
                "add_api_websocket_route": ("path", "endpoint", "name"),
                "add_event_handler": ("event_type", "func"),
                "add_websocket_route": ("path", "endpoint", "name"),
                "api_route": ("path",),
                "frontend": ("path",),
                "host": ("host", "app", "name"),
                "include_router": ("router",),
                "mount": ("path", "app", "name"),
                "on_event": ("event_type",),
                "route": ("path", "methods", "name", "include_in_schema"),
                "url_path_for": ("name",),
                "websocket": ("path", "name"),
                "websocket_route": ("path", "name"),
            }.items()
        },
        "fastapi.APIRouter.add_route": (
            "path", "endpoint", "methods", "name", "include_in_schema",
        ),
        "fastapi.FastAPI.add_exception_handler": ("exc_class_or_status_code", "handler"),
        "fastapi.FastAPI.add_middleware": ("middleware_class",),
        "fastapi.FastAPI.add_route": ("path", "route", "methods", "name", "include_in_schema"),
        "fastapi.FastAPI.exception_handler": ("exc_class_or_status_code",),
        "fastapi.FastAPI.middleware": ("middleware_type",),
        # The markers, as functions of `fastapi`.
        "fastapi.Body": ("default",),
        "fastapi.Cookie": ("default",),
        "fastapi.Depends": ("dependency",),
        "fastapi.File": ("default",),
        "fastapi.Form": ("default",),
        "fastapi.HTTPException": ("status_code", "detail", "headers"),
        "fastapi.Header": ("default",),
        "fastapi.Path": ("default",),
        "fastapi.Query": ("default",),
        "fastapi.Security": ("dependency",),
        "fastapi.WebSocketException": ("code", "reason"),
        "fastapi.encoders.jsonable_encoder": (
            "obj", "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults",
            "exclude_none", "custom_encoder", "sqlalchemy_safe",
        ),
        "fastapi.routing.APIRoute.__init__": ("path", "endpoint"),
        "pydantic.Field": ("default",),
        "starlette.exceptions.HTTPException": ("status_code", "detail", "headers"),
        "starlette.exceptions.WebSocketException": ("code", "reason"),
        "starlette.middleware.Middleware": ("cls",),
        "starlette.responses.FileResponse": (
            "path", "status_code", "headers", "media_type", "background", "filename",
            "stat_result", "content_disposition_type",
        ),
        "starlette.responses.HTMLResponse": (
            "content", "status_code", "headers", "media_type", "background",
        ),
        "starlette.responses.JSONResponse": (
            "content", "status_code", "headers", "media_type", "background",
        ),
        "starlette.responses.PlainTextResponse": (
            "content", "status_code", "headers", "media_type", "background",
        ),
        "starlette.responses.RedirectResponse": ("url", "status_code", "headers", "background"),
        "starlette.responses.Response": (
            "content", "status_code", "headers", "media_type", "background",
        ),
        "starlette.responses.Response.delete_cookie": (
            "key", "path", "domain", "secure", "httponly", "samesite",
        ),
        "starlette.responses.Response.set_cookie": (
            "key", "value", "max_age", "expires", "path", "domain", "secure", "httponly",
            "samesite", "partitioned",
        ),
        "starlette.responses.StreamingResponse": (
            "content", "status_code", "headers", "media_type", "background",
        ),
        "starlette.routing.Mount": ("path", "app", "routes", "name"),
        "starlette.routing.Route": ("path", "endpoint"),
        "starlette.routing.WebSocketRoute": ("path", "endpoint"),
        "starlette.testclient.TestClient": (
            "app", "base_url", "raise_server_exceptions", "root_path", "backend",
            "backend_options", "cookies", "headers", "follow_redirects", "client",
        ),
        "starlette.websockets.WebSocket.accept": ("subprotocol", "headers"),
        "starlette.websockets.WebSocket.close": ("code", "reason"),
        "uvicorn.run": ("app",),
    }
)  # fmt: skip

#: `params.Depends` and `params.Security` (classes) take more by position than the functions of
#: the same names; canonical names do not tell them apart. The functions are what is used.
MARKERS: Final = name_set("Body Cookie Depends File Form Header Path Query Security")
#: Canonical name -> marker.
MARKER_BY_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {f"fastapi.{marker}": marker for marker in MARKERS}
)
#: Markers that say where a parameter's value comes from in the request.
PARAMETER_MARKERS: Final = MARKERS - {"Depends", "Security"}

# -- parameters ---------------------------------------------------------------------------------

#: Classes (and their subclasses) whose values FastAPI hands over itself, whatever the path.
SPECIAL_PARAMETER_TYPES: Final = name_set(
    """
    fastapi.BackgroundTasks fastapi.security.SecurityScopes starlette.background.BackgroundTasks
    starlette.requests.HTTPConnection starlette.requests.Request starlette.responses.Response
    starlette.websockets.WebSocket"""
)

#: Classes that, with their subclasses, make a parameter a body rather than a query parameter.
#: Everything else is a scalar for FastAPI (`field_annotation_is_complex`), even `Any`; it asks
#: Pydantic later whether it can be validated at all.
COMPLEX_TYPES: Final = name_set(
    """
    builtins.dict builtins.frozenset builtins.list builtins.set builtins.tuple
    collections.ChainMap collections.Counter collections.OrderedDict collections.defaultdict
    collections.deque collections.abc.Mapping collections.abc.MutableMapping
    collections.abc.MutableSequence collections.abc.Sequence pydantic.BaseModel
    starlette.datastructures.UploadFile"""
)
#: Of these, the sequences: a query parameter when marked `Query()` and all items are scalars.
SEQUENCE_TYPES: Final = name_set(
    """
    builtins.frozenset builtins.list builtins.set builtins.tuple collections.deque
    collections.abc.MutableSequence collections.abc.Sequence"""
)
#: Mappings: always a body.
MAPPING_TYPES: Final = name_set(
    """
    builtins.dict collections.ChainMap collections.Counter collections.OrderedDict
    collections.defaultdict collections.abc.Mapping collections.abc.MutableMapping"""
)
#: Well-known types that are scalars, so that an unmarked parameter of the type is a query
#: parameter (and a path parameter may have it).
SCALAR_TYPES: Final = name_set(
    """
    builtins.bool builtins.bytes builtins.complex builtins.float builtins.int builtins.object
    builtins.str datetime.date datetime.datetime datetime.time datetime.timedelta decimal.Decimal
    enum.Enum enum.Flag enum.IntEnum enum.IntFlag enum.StrEnum fractions.Fraction
    ipaddress.IPv4Address ipaddress.IPv4Interface ipaddress.IPv4Network ipaddress.IPv6Address
    ipaddress.IPv6Interface ipaddress.IPv6Network pathlib.Path pathlib.PurePath
    pydantic.AnyHttpUrl pydantic.AnyUrl pydantic.AwareDatetime pydantic.Base64Bytes
    pydantic.Base64Str pydantic.ByteSize pydantic.DirectoryPath pydantic.EmailStr
    pydantic.FilePath pydantic.FileUrl pydantic.FiniteFloat pydantic.FutureDate
    pydantic.FutureDatetime pydantic.HttpUrl pydantic.IPvAnyAddress pydantic.IPvAnyInterface
    pydantic.IPvAnyNetwork pydantic.Json pydantic.NaiveDatetime pydantic.NameEmail
    pydantic.NegativeFloat pydantic.NegativeInt pydantic.NonNegativeFloat
    pydantic.NonNegativeInt pydantic.NonPositiveFloat pydantic.NonPositiveInt pydantic.PastDate
    pydantic.PastDatetime pydantic.PositiveFloat pydantic.PositiveInt pydantic.PostgresDsn
    pydantic.RedisDsn pydantic.SecretBytes pydantic.SecretStr pydantic.StrictBool
    pydantic.StrictBytes pydantic.StrictFloat pydantic.StrictInt pydantic.StrictStr
    pydantic.UUID1 pydantic.UUID3 pydantic.UUID4 pydantic.UUID5 pydantic.UUID6 pydantic.UUID7
    pydantic.UUID8 re.Pattern typing.Any typing.Literal typing.LiteralString typing.NewType
    uuid.UUID zoneinfo.ZoneInfo bson.ObjectId bson.objectid.ObjectId beanie.PydanticObjectId"""
)
#: Types that FastAPI turns into a file upload when the parameter is marked `File()`, or always.
UPLOAD_TYPES: Final = name_set("fastapi.UploadFile starlette.datastructures.UploadFile")

# -- paths --------------------------------------------------------------------------------------

#: `{name}` or `{name:converter}` as Starlette reads them.
PATH_PARAMETER: Final = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")
#: Converter -> regular expression of what it matches.
PATH_CONVERTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "float": r"[0-9]+(\.[0-9]+)?",
        "int": "[0-9]+",
        "path": ".*",
        "str": "[^/]+",
        "uuid": ("[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"),
    }
)


def path_parameters(path: str) -> dict[str, str]:
    """The parameters of a path as `{name: converter}`, in order; the default converter is `str`.

    Of a name that occurs twice the last converter counts.
    """
    return {
        match[1]: (match[2] or ":str").removeprefix(":") for match in PATH_PARAMETER.finditer(path)
    }


def path_format(path: str) -> str:
    """The path without converters: `/files/{name:path}` is `/files/{name}`."""
    return PATH_PARAMETER.sub(r"{\1}", path)


def path_regex(path: str) -> str | None:
    """The regular expression by which Starlette matches a path, without named groups.

    `None` when a converter is not one of Starlette's own.
    """
    parts = ["^"]
    end = 0
    for match in PATH_PARAMETER.finditer(path):
        converter = PATH_CONVERTERS.get((match[2] or ":str").removeprefix(":"))
        if converter is None:
            return None
        parts += [re.escape(path[end : match.start()]), f"(?:{converter})"]
        end = match.end()
    return "".join([*parts, re.escape(path[end:]), "$"])


def default_operation_id(name: str, path: str, method: str) -> str:
    """The operation id that FastAPI gives a route without one.

    Parameters:
        name: the route's name: `name=`, else the name of the endpoint.
        path: the full path within the app's router, prefixes of `include_router` included.
        method: the HTTP method. With several methods FastAPI takes an arbitrary one of the set.
    """
    stem = re.sub(r"\W", "_", name + path_format(path))
    return f"{stem}_{method.lower()}"


# -- responses and statuses ---------------------------------------------------------------------

RESPONSE: Final = "starlette.responses.Response"
#: The exceptions that are answers: FastAPI's is a subclass of Starlette's.
HTTP_EXCEPTIONS: Final = ("starlette.exceptions.HTTPException", "fastapi.HTTPException")
#: Response classes that FastAPI deprecated in 0.131: Pydantic serialises.
DEPRECATED_RESPONSES: Final = name_set(
    "fastapi.responses.ORJSONResponse fastapi.responses.UJSONResponse"
)
#: Statuses for which HTTP allows no body; FastAPI refuses a response model there.
BODILESS_STATUSES: Final = frozenset({*range(100, 200), 204, 205, 304})

#: Deprecated name -> the name since Starlette 0.48.
RENAMED_STATUS_CONSTANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "HTTP_413_REQUEST_ENTITY_TOO_LARGE": "HTTP_413_CONTENT_TOO_LARGE",
        "HTTP_414_REQUEST_URI_TOO_LONG": "HTTP_414_URI_TOO_LONG",
        "HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE": "HTTP_416_RANGE_NOT_SATISFIABLE",
        "HTTP_422_UNPROCESSABLE_ENTITY": "HTTP_422_UNPROCESSABLE_CONTENT",
    }
)
#: Names that Starlette 0.45 removed -> their successors.
REMOVED_STATUS_CONSTANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "WS_1004_NO_STATUS_RCVD": "WS_1005_NO_STATUS_RCVD",
        "WS_1005_ABNORMAL_CLOSURE": "WS_1006_ABNORMAL_CLOSURE",
    }
)
#: The constants of `status` by name, deprecated ones too.
STATUS_CONSTANTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        name: int(name.split("_")[1])
        for name in name_set(
            """
            HTTP_100_CONTINUE HTTP_101_SWITCHING_PROTOCOLS HTTP_102_PROCESSING
            HTTP_103_EARLY_HINTS HTTP_200_OK HTTP_201_CREATED HTTP_202_ACCEPTED
            HTTP_203_NON_AUTHORITATIVE_INFORMATION HTTP_204_NO_CONTENT HTTP_205_RESET_CONTENT
            HTTP_206_PARTIAL_CONTENT HTTP_207_MULTI_STATUS HTTP_208_ALREADY_REPORTED
            HTTP_226_IM_USED HTTP_300_MULTIPLE_CHOICES HTTP_301_MOVED_PERMANENTLY HTTP_302_FOUND
            HTTP_303_SEE_OTHER HTTP_304_NOT_MODIFIED HTTP_305_USE_PROXY HTTP_306_RESERVED
            HTTP_307_TEMPORARY_REDIRECT HTTP_308_PERMANENT_REDIRECT HTTP_400_BAD_REQUEST
            HTTP_401_UNAUTHORIZED HTTP_402_PAYMENT_REQUIRED HTTP_403_FORBIDDEN
            HTTP_404_NOT_FOUND HTTP_405_METHOD_NOT_ALLOWED HTTP_406_NOT_ACCEPTABLE
            HTTP_407_PROXY_AUTHENTICATION_REQUIRED HTTP_408_REQUEST_TIMEOUT HTTP_409_CONFLICT
            HTTP_410_GONE HTTP_411_LENGTH_REQUIRED HTTP_412_PRECONDITION_FAILED
            HTTP_413_CONTENT_TOO_LARGE HTTP_414_URI_TOO_LONG HTTP_415_UNSUPPORTED_MEDIA_TYPE
            HTTP_416_RANGE_NOT_SATISFIABLE HTTP_417_EXPECTATION_FAILED HTTP_418_IM_A_TEAPOT
            HTTP_421_MISDIRECTED_REQUEST HTTP_422_UNPROCESSABLE_CONTENT HTTP_423_LOCKED
            HTTP_424_FAILED_DEPENDENCY HTTP_425_TOO_EARLY HTTP_426_UPGRADE_REQUIRED
            HTTP_428_PRECONDITION_REQUIRED HTTP_429_TOO_MANY_REQUESTS
            HTTP_431_REQUEST_HEADER_FIELDS_TOO_LARGE HTTP_451_UNAVAILABLE_FOR_LEGAL_REASONS
            HTTP_500_INTERNAL_SERVER_ERROR HTTP_501_NOT_IMPLEMENTED HTTP_502_BAD_GATEWAY
            HTTP_503_SERVICE_UNAVAILABLE HTTP_504_GATEWAY_TIMEOUT
            HTTP_505_HTTP_VERSION_NOT_SUPPORTED HTTP_506_VARIANT_ALSO_NEGOTIATES
            HTTP_507_INSUFFICIENT_STORAGE HTTP_508_LOOP_DETECTED HTTP_510_NOT_EXTENDED
            HTTP_511_NETWORK_AUTHENTICATION_REQUIRED WS_1000_NORMAL_CLOSURE WS_1001_GOING_AWAY
            WS_1002_PROTOCOL_ERROR WS_1003_UNSUPPORTED_DATA WS_1005_NO_STATUS_RCVD
            WS_1006_ABNORMAL_CLOSURE WS_1007_INVALID_FRAME_PAYLOAD_DATA WS_1008_POLICY_VIOLATION
            WS_1009_MESSAGE_TOO_BIG WS_1010_MANDATORY_EXT WS_1011_INTERNAL_ERROR
            WS_1012_SERVICE_RESTART WS_1013_TRY_AGAIN_LATER WS_1014_BAD_GATEWAY
            WS_1015_TLS_HANDSHAKE"""
        )
        | RENAMED_STATUS_CONSTANTS.keys()
        | REMOVED_STATUS_CONSTANTS.keys()
    }
)

#: Members of `http.HTTPStatus` by name.
HTTP_STATUS_MEMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {name: status.value for name, status in http.HTTPStatus.__members__.items()}
)


def status_of(name: str) -> int | None:
    """The number behind a canonical name such as `starlette.status.HTTP_404_NOT_FOUND`.

    Knows the constants of `status` and the members of `http.HTTPStatus`, `.value` included.
    """
    name = name.removesuffix(".value")
    head, _, tail = name.rpartition(".")
    if head == "starlette.status":
        return STATUS_CONSTANTS.get(tail)
    if head == "http.HTTPStatus":
        return HTTP_STATUS_MEMBERS.get(tail)
    return None


# -- versions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What became of something, by versions such as `(0, 93)`.

    Parameters:
        library: `fastapi`, `starlette` or `pydantic`.
        deprecated: the first version that discourages it; `None` when none does.
        removed: the first version without it; `None` while it is still there.
        replacement: what to write instead, as a phrase.
    """

    library: str
    deprecated: tuple[int, ...] | None
    removed: tuple[int, ...] | None
    replacement: str


#: Canonical name, with `(argument=)` for arguments -> what became of it.
CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "fastapi.APIRouter.on_event": Change("fastapi", (0, 93), None, "a lifespan"),
        "fastapi.APIRouter(routes=)": Change("fastapi", (0, 93), None, "include_router"),
        "fastapi.FastAPI.add_event_handler": Change("starlette", (0, 26), (1, 0), "a lifespan"),
        "fastapi.FastAPI.add_websocket_route": Change(
            "starlette", (0, 23), (1, 0), "add_api_websocket_route"
        ),
        "fastapi.FastAPI.on_event": Change("fastapi", (0, 93), None, "a lifespan"),
        "fastapi.FastAPI.route": Change("starlette", (0, 23), (1, 0), "api_route"),
        "fastapi.FastAPI(on_shutdown=)": Change("fastapi", (0, 93), None, "lifespan"),
        "fastapi.FastAPI(on_startup=)": Change("fastapi", (0, 93), None, "lifespan"),
        "fastapi.FastAPI(openapi_prefix=)": Change(
            "fastapi", (0, 56), (0, 145), "the server's root path"
        ),
        "fastapi.FastAPI(root_path=)": Change("fastapi", (0, 146), None, "the server's root path"),
        "fastapi.FastAPI(routes=)": Change("fastapi", (0, 93), None, "include_router"),
        "fastapi.Query(example=)": Change("fastapi", (0, 99), None, "examples=[...]"),
        "fastapi.Query(regex=)": Change("fastapi", (0, 100), None, "pattern="),
        "fastapi.Query(**extra)": Change("fastapi", (0, 100), (0, 155), "json_schema_extra="),
        "fastapi.encoders.jsonable_encoder(include_none=)": Change(
            "fastapi", (0, 54), (0, 54), "exclude_none="
        ),
        "fastapi.responses.ORJSONResponse": Change(
            "fastapi", (0, 131), None, "a response model or return annotation"
        ),
        "fastapi.responses.UJSONResponse": Change(
            "fastapi", (0, 131), None, "a response model or return annotation"
        ),
        "fastapi.APIRouter.get(response_model_skip_defaults=)": Change(
            "fastapi", (0, 54), (0, 61), "response_model_exclude_unset="
        ),
        "starlette.middleware.wsgi.WSGIMiddleware": Change(
            "starlette", (0, 19), None, "a2wsgi.WSGIMiddleware"
        ),
        "starlette.responses.FileResponse(method=)": Change(
            "starlette", (0, 34), (1, 0), "nothing"
        ),
        "starlette.templating.Jinja2Templates(**env_options)": Change(
            "starlette", (0, 28), (1, 0), "env="
        ),
        "starlette.templating.Jinja2Templates.TemplateResponse(name, context)": Change(
            "starlette", (0, 29), (1, 0), "TemplateResponse(request, name, context)"
        ),
        "starlette.testclient.TestClient.get(allow_redirects=)": Change(
            "starlette", (0, 21), (0, 43), "follow_redirects="
        ),
        "starlette.testclient.TestClient.get(timeout=)": Change(
            "starlette", (0, 46), None, "nothing"
        ),
    }
)

#: The Starlette that renamed status constants, and the one that removed others.
STATUS_CONSTANTS_RENAMED: Final = (0, 48)
#: The Starlette whose test client is one of httpx, no longer one of requests.
HTTPX_TEST_CLIENT: Final = (0, 21)
#: When FastAPI changed how code behaves; the first version with the new behaviour.
ANNOTATED_PARAMETERS: Final = (0, 95)
RETURN_ANNOTATION_IS_MODEL: Final = (0, 89)
#: A dependency that catches around its `yield` must raise again.
YIELD_MUST_RAISE: Final = (0, 110)
#: Code after `yield` runs after the response and its background tasks (as it did before 0.106).
YIELD_AFTER_RESPONSE: Final = (0, 118)
DEPENDENCY_SCOPES: Final = (0, 121)
#: The package Pydantic 1 is not supported any more.
NEEDS_PYDANTIC_2: Final = (0, 126)
EXTRA_KEYWORDS_REMOVED: Final = (0, 155)

#: The scopes of `Depends(scope=...)`.
SCOPES: Final = frozenset({"function", "request"})

#: The arguments that all parameter functions (`Query`, `Path`, `Body`, ...) take by name.
_PARAMETER_ARGUMENTS: Final = name_set(
    """
    alias alias_priority allow_inf_nan annotation convert_underscores decimal_places default
    default_factory deprecated description discriminator embed example examples fail_fast ge gt
    include_in_schema json_schema_extra le lt max_digits max_length media_type min_length
    multiple_of openapi_examples pattern regex serialization_alias strict title union_mode
    validate_default validation_alias"""
)
#: The arguments of Pydantic's `Field`, those of version 1 too: they are another matter.
_FIELD_ARGUMENTS: Final = name_set(
    """
    alias alias_priority allow_inf_nan allow_mutation coerce_numbers_to_str const decimal_places
    default default_factory deprecated description discriminator env env_names example examples
    exclude exclude_if fail_fast field_title_generator final frozen ge gt include init init_var
    json_schema_extra kw_only le lt max_digits max_items max_length min_items min_length
    multiple_of pattern regex repr serialization_alias strict title union_mode unique_items
    validate_default validation_alias"""
)
#: Function -> the names it takes; other keywords are extra data for the JSON schema.
NAMED_ARGUMENTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{f"fastapi.{marker}": _PARAMETER_ARGUMENTS for marker in PARAMETER_MARKERS},
        "pydantic.Field": _FIELD_ARGUMENTS,
    }
)

#: Module of Starlette -> the names in it that the module of FastAPI named alike has, too, as the
#: same objects. (`BackgroundTasks`, `UploadFile` and the exceptions are subclasses there.)
REEXPORTED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "starlette": name_set("status"),
        "starlette.concurrency": name_set(
            "iterate_in_threadpool run_in_threadpool run_until_first_complete"
        ),
        "starlette.datastructures": name_set("Address FormData Headers QueryParams State URL"),
        "starlette.middleware": name_set("Middleware"),
        "starlette.middleware.cors": name_set("CORSMiddleware"),
        "starlette.middleware.gzip": name_set("GZipMiddleware"),
        "starlette.middleware.httpsredirect": name_set("HTTPSRedirectMiddleware"),
        "starlette.middleware.trustedhost": name_set("TrustedHostMiddleware"),
        "starlette.requests": name_set("HTTPConnection Request"),
        "starlette.responses": name_set(
            """
            FileResponse HTMLResponse JSONResponse PlainTextResponse RedirectResponse Response
            StreamingResponse"""
        ),
        "starlette.staticfiles": name_set("StaticFiles"),
        "starlette.templating": name_set("Jinja2Templates"),
        "starlette.testclient": name_set("TestClient"),
        "starlette.websockets": name_set("WebSocket WebSocketDisconnect WebSocketState"),
    }
)
