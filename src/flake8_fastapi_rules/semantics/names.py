"""One canonical name for each name of a library, whichever module it was imported from.

The canonical name is the one that users are told to import, with two exceptions: what FastAPI only
passes on from Starlette has its Starlette name (`fastapi.Request` is `starlette.requests.Request`),
and builtins are written with their module (`builtins.open`, `builtins.ValueError`).

Members keep their tail: `sqlalchemy.orm.session.Session.add` is `sqlalchemy.orm.Session.add`.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Final


def name_set(names: str) -> frozenset[str]:
    """The set of the names in a text, separated by white space."""
    return frozenset(names.split())


def looks_like_class(name: str) -> bool:
    """Whether the last part of a name is written as classes are: `models.User`, not `_MAX`."""
    last = name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and not last.isupper()


def last_names(names: Iterable[str]) -> frozenset[str]:
    """The last parts of dotted names: what stands in front of the bracket of a call."""
    return frozenset(name.rpartition(".")[2] for name in names)


def member_set(names: str) -> frozenset[str]:
    """The qualified names in a text of parts such as `owner: member member; module.function`.

    A part with a colon lists members of one owner (a class or module), one without is a name.
    """
    found: set[str] = set()
    for part in names.split(";"):
        owner, colon, members = part.partition(":")
        if colon:
            found.update(f"{owner.strip()}.{member}" for member in members.split())
        elif owner.strip():
            found.add(owner.strip())
    return frozenset(found)


def _homes(**names_by_home: str) -> dict[str, str]:
    """`{name: "home.name"}` for space-separated names; `__` in a home stands for a dot."""
    return {
        name: f"{home.replace('__', '.')}.{name}"
        for home, names in names_by_home.items()
        for name in names.split()
    }


_BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))

_STARLETTE: Final = _homes(
    starlette__applications="Starlette",
    starlette__authentication="""
        AuthCredentials AuthenticationBackend AuthenticationError BaseUser SimpleUser
        UnauthenticatedUser requires""",
    starlette__background="BackgroundTask BackgroundTasks",
    starlette__concurrency="iterate_in_threadpool run_in_threadpool run_until_first_complete",
    starlette__config="Config Environ",
    starlette__datastructures="""
        Address CommaSeparatedStrings FormData Headers ImmutableMultiDict MultiDict MutableHeaders
        QueryParams Secret State URL URLPath UploadFile""",
    starlette__endpoints="HTTPEndpoint WebSocketEndpoint",
    starlette__exceptions="HTTPException WebSocketException",
    starlette__middleware="Middleware",
    starlette__middleware__authentication="AuthenticationMiddleware",
    starlette__middleware__base="BaseHTTPMiddleware RequestResponseEndpoint",
    starlette__middleware__cors="CORSMiddleware",
    starlette__middleware__errors="ServerErrorMiddleware",
    starlette__middleware__exceptions="ExceptionMiddleware",
    starlette__middleware__gzip="GZipMiddleware",
    starlette__middleware__httpsredirect="HTTPSRedirectMiddleware",
    starlette__middleware__sessions="SessionMiddleware",
    starlette__middleware__trustedhost="TrustedHostMiddleware",
    starlette__middleware__wsgi="WSGIMiddleware",
    starlette__requests="ClientDisconnect HTTPConnection Request",
    starlette__responses="""
        FileResponse HTMLResponse JSONResponse PlainTextResponse RedirectResponse Response
        StreamingResponse""",
    starlette__routing="BaseRoute Host Mount NoMatchFound Route Router WebSocketRoute",
    starlette__staticfiles="StaticFiles",
    starlette__templating="Jinja2Templates",
    starlette__testclient="TestClient WebSocketTestSession",
    starlette__types="ASGIApp Message Receive Scope Send",
    starlette__websockets="WebSocket WebSocketDisconnect WebSocketState",
)

_FASTAPI: Final = (
    _STARLETTE
    | _homes(
        fastapi="""
            APIRouter BackgroundTasks Body Cookie Depends FastAPI File Form HTTPException Header
            Path Query Security UploadFile WebSocketException""",
        fastapi__encoders="jsonable_encoder",
        fastapi__exceptions="""
            DependencyScopeError FastAPIDeprecationWarning FastAPIError RequestErrorModel
            RequestValidationError ResponseValidationError ValidationException
            WebSocketRequestValidationError""",
        fastapi__openapi__utils="get_openapi",
        fastapi__responses="ORJSONResponse UJSONResponse",
        fastapi__routing="APIRoute APIWebSocketRoute",
        fastapi__security="""
            APIKeyCookie APIKeyHeader APIKeyQuery HTTPAuthorizationCredentials HTTPBasic
            HTTPBasicCredentials HTTPBearer HTTPDigest OAuth2 OAuth2AuthorizationCodeBearer
            OAuth2PasswordBearer OAuth2PasswordRequestForm OAuth2PasswordRequestFormStrict
            OpenIdConnect SecurityScopes""",
        fastapi__sse="EventSourceResponse ServerSentEvent",
        fastapi__utils="generate_unique_id",
    )
    | {
        "StarletteHTTPException": "starlette.exceptions.HTTPException",
        "StarletteUploadFile": "starlette.datastructures.UploadFile",
        "StarletteWebSocketException": "starlette.exceptions.WebSocketException",
    }
)

_PYDANTIC: Final = _homes(
    pydantic="""
        AfterValidator AliasChoices AliasGenerator AliasPath AllowInfNan AmqpDsn AnyHttpUrl AnyUrl
        AnyWebsocketUrl AwareDatetime Base64Bytes Base64Encoder Base64Str Base64UrlBytes
        Base64UrlStr BaseConfig BaseModel BaseSettings BeforeValidator ByteSize ClickHouseDsn
        CockroachDsn ConfigDict DirectoryPath Discriminator EmailStr EncodedBytes EncodedStr
        EncoderProtocol Extra FailFast Field FieldSerializationInfo FilePath FileUrl FiniteFloat
        FtpUrl FutureDate FutureDatetime GetCoreSchemaHandler GetJsonSchemaHandler
        GetPydanticSchema HttpUrl IPvAnyAddress IPvAnyInterface IPvAnyNetwork ImportString
        InstanceOf Json JsonValue KafkaDsn MariaDBDsn ModelWrapValidatorHandler MongoDsn MySQLDsn
        NaiveDatetime NameEmail NatsDsn NegativeFloat NegativeInt NewPath NonNegativeFloat
        NonNegativeInt NonPositiveFloat NonPositiveInt OnErrorOmit PastDate PastDatetime
        PaymentCardNumber PlainSerializer PlainValidator PositiveFloat PositiveInt PostgresDsn
        PrivateAttr PydanticDeprecatedSince20 PydanticImportError PydanticInvalidForJsonSchema
        PydanticSchemaGenerationError PydanticUndefinedAnnotation PydanticUserError RedisDsn
        RootModel Secret SecretBytes SecretStr SerializationInfo SerializeAsAny
        SerializerFunctionWrapHandler SkipValidation SnowflakeDsn SocketPath Strict StrictBool
        StrictBytes StrictFloat StrictInt StrictStr StringConstraints Tag TypeAdapter UUID1 UUID3
        UUID4 UUID5 UUID6 UUID7 UUID8 UrlConstraints ValidateAs ValidationError ValidationInfo
        ValidatorFunctionWrapHandler WebsocketUrl WithJsonSchema WrapSerializer WrapValidator
        computed_field conbytes condate condecimal confloat confrozenset conint conlist conset
        constr create_model field_serializer field_validator model_serializer model_validator
        parse_obj_as root_validator schema_json_of schema_of validate_arguments validate_call
        validate_email validator with_config"""
)

_PYDANTIC_SETTINGS: Final = _homes(
    pydantic_settings="""
        BaseSettings CliApp CliSettingsSource DotEnvSettingsSource EnvSettingsSource
        InitSettingsSource JsonConfigSettingsSource NoDecode PydanticBaseSettingsSource
        PyprojectTomlConfigSettingsSource SecretsSettingsSource SettingsConfigDict SettingsError
        TomlConfigSettingsSource YamlConfigSettingsSource"""
)

_SQLALCHEMY_ORM: Final = _homes(
    sqlalchemy__orm="""
        AppenderQuery Bundle ColumnProperty CompositeProperty DeclarativeBase
        DeclarativeBaseNoMeta DeclarativeMeta DynamicMapped InstrumentedAttribute Load Mapped
        MappedAsDataclass MappedColumn Mapper MapperProperty ORMExecuteState PropComparator Query
        QueryableAttribute Relationship RelationshipProperty Session SessionTransaction Synonym
        WriteOnlyCollection WriteOnlyMapped aliased as_declarative backref clear_mappers
        close_all_sessions column_property composite configure_mappers contains_alias
        contains_eager declarative_base declarative_mixin declared_attr defaultload defer deferred
        dynamic_loader foreign immediateload joinedload lazyload load_only make_transient
        make_transient_to_detached mapped_as_dataclass mapped_column mapper noload object_mapper
        object_session query_expression raiseload reconstructor registry relationship remote
        scoped_session selectin_polymorphic selectinload sessionmaker subqueryload synonym undefer
        undefer_group validates with_expression with_loader_criteria with_parent
        with_polymorphic"""
)

_SQLALCHEMY_ENGINE: Final = _homes(
    sqlalchemy="create_engine create_mock_engine create_pool_from_url engine_from_config make_url",
    sqlalchemy__engine="""
        Compiled Connection CursorResult Dialect Engine ExceptionContext FrozenResult Inspector
        IteratorResult MappingResult MergedResult NestedTransaction Result RootTransaction Row
        RowMapping ScalarResult Transaction TupleResult TwoPhaseTransaction URL""",
)

_SQLALCHEMY_POOL: Final = _homes(
    sqlalchemy__pool="""
        AssertionPool AsyncAdaptedQueuePool NullPool Pool PoolProxiedConnection QueuePool
        SingletonThreadPool StaticPool"""
)

_SQLALCHEMY_ROOT: Final = _homes(
    sqlalchemy="""
        ARRAY Alias BIGINT BINARY BLOB BOOLEAN BigInteger BinaryExpression BindParameter Boolean
        CHAR CLOB CTE Case Cast CheckConstraint ClauseElement ClauseList Column ColumnClause
        ColumnDefault ColumnElement ColumnOperators CompoundSelect Computed Constraint DATE
        DATETIME DDL DDLElement DECIMAL DOUBLE DOUBLE_PRECISION Date DateTime DefaultClause Delete
        Double Enum Executable Exists FLOAT FetchedValue Float ForeignKey ForeignKeyConstraint
        FromClause Function FunctionElement Grouping INT INTEGER Identity Index Insert Integer
        Interval JSON Join Label LambdaElement LargeBinary Lateral MetaData NCHAR NUMERIC NVARCHAR
        Null Numeric Operators Over PickleType PrimaryKeyConstraint REAL SMALLINT ScalarSelect
        Select SelectBase Selectable Sequence SmallInteger StatementLambdaElement String Subquery
        TEXT TIME TIMESTAMP Table TableClause TableSample Text TextClause TextualSelect Time Tuple
        TypeDecorator UUID UnaryExpression Unicode UnicodeText UniqueConstraint Update UpdateBase
        Uuid VARBINARY VARCHAR Values ValuesBase all_ and_ any_ asc between bindparam case cast
        collate column cte delete desc distinct except_ except_all exists extract false func
        funcfilter insert inspect intersect intersect_all join label lambda_stmt lateral literal
        literal_column not_ null nulls_first nulls_last nullsfirst nullslast or_ outerjoin over
        select table tablesample text true tuple_ type_coerce union union_all update values
        within_group"""
)

# sqlmodel.select and the other typed constructs of sqlmodel.sql.expression are its own.
_SQLMODEL: Final = _homes(
    sqlmodel="""
        AutoString Field Relationship SQLModel Session all_ and_ any_ asc between case cast col
        collate desc distinct extract funcfilter not_ nulls_first nulls_last or_ over select
        tuple_ type_coerce within_group"""
)
_SQLMODEL_PASSED_ON: Final = {
    name: home
    for name, home in (_SQLALCHEMY_ROOT | _SQLALCHEMY_POOL | _SQLALCHEMY_ENGINE).items()
    if name not in _SQLMODEL
}

_HTTPX: Final = _homes(
    httpx="""
        ASGITransport AsyncBaseTransport AsyncClient AsyncHTTPTransport Auth BaseTransport BasicAuth
        Client CloseError ConnectError ConnectTimeout CookieConflict Cookies DecodingError
        DigestAuth HTTPError HTTPStatusError HTTPTransport Headers InvalidURL Limits
        LocalProtocolError MockTransport NetworkError PoolTimeout ProtocolError Proxy
        ProxyError QueryParams ReadError ReadTimeout RemoteProtocolError Request RequestError
        RequestNotRead Response ResponseNotRead StreamClosed StreamConsumed StreamError Timeout
        TimeoutException TooManyRedirects TransportError URL UnsupportedProtocol WSGITransport
        WriteError WriteTimeout delete get head options patch post put request stream"""
)

_JWT_ERRORS: Final = _homes(
    jwt__exceptions="""
        DecodeError ExpiredSignatureError ImmatureSignatureError InvalidAlgorithmError
        InvalidAudienceError InvalidIssuedAtError InvalidIssuerError InvalidJTIError
        InvalidKeyError InvalidSignatureError InvalidSubjectError InvalidTokenError
        MissingRequiredClaimError PyJWKClientConnectionError PyJWKClientError PyJWKError
        PyJWKSetError PyJWTError"""
)

_REQUESTS_ERRORS: Final = _homes(
    requests__exceptions="""
        ChunkedEncodingError ConnectTimeout ConnectionError ContentDecodingError HTTPError
        InvalidHeader InvalidJSONError InvalidProxyURL InvalidSchema InvalidURL JSONDecodeError
        MissingSchema ProxyError ReadTimeout RequestException RetryError SSLError
        StreamConsumedError Timeout TooManyRedirects URLRequired UnrewindableBodyError"""
)

_REDIS_ERRORS: Final = _homes(
    redis__exceptions="""
        AuthenticationError AuthenticationWrongNumberOfArgsError AuthorizationError
        BusyLoadingError ConnectionError DataError InvalidResponse LockError LockNotOwnedError
        MaxConnectionsError NoScriptError OutOfMemoryError PubSubError ReadOnlyError RedisError
        ResponseError TimeoutError WatchError"""
)

# What lies below the key under one of the names is that name's home; the longest key that fits
# is the one asked. A dotted path between the key and the name does not matter.
_BELOW: Final[dict[str, dict[str, str]]] = {
    "aiohttp": _homes(
        aiohttp="""
            BasicAuth ClientConnectionError ClientConnectorError ClientError ClientOSError
            ClientPayloadError ClientResponse ClientResponseError ClientSession ClientTimeout
            ContentTypeError InvalidURL ServerConnectionError ServerDisconnectedError
            ServerTimeoutError TCPConnector TooManyRedirects WSServerHandshakeError request"""
    ),
    "aiomysql": _homes(aiomysql="Connection Cursor DictCursor Pool connect create_pool"),
    "aiosqlite": _homes(aiosqlite="Connection Cursor connect"),
    "anthropic": _homes(
        anthropic="""
            APIConnectionError APIError APIStatusError APITimeoutError Anthropic AnthropicBedrock
            AnthropicError AnthropicVertex AsyncAnthropic AsyncAnthropicBedrock
            AsyncAnthropicVertex AuthenticationError BadRequestError NotFoundError RateLimitError"""
    ),
    "asyncpg": _homes(asyncpg="Connection Pool Record connect create_pool"),
    "authlib.jose": _homes(authlib__jose="JsonWebToken JsonWebKey JsonWebSignature JWTClaims"),
    "beanie": _homes(
        beanie="Document Indexed Link BackLink PydanticObjectId UnionDoc View init_beanie"
    ),
    "boto3": _homes(boto3="Session"),
    "cadwyn": _homes(
        cadwyn="Cadwyn HeadVersion Version VersionBundle VersionChange VersionedAPIRouter"
    ),
    "celery": _homes(celery="Celery Task chain chord group shared_task signature"),
    "dishka": _homes(dishka="FromDishka"),
    "elasticsearch": _homes(elasticsearch="AsyncElasticsearch Elasticsearch"),
    "fastapi": _FASTAPI,
    "httpx": _HTTPX,
    "jwt": _JWT_ERRORS
    | _homes(
        jwt="PyJWK PyJWKClient PyJWKSet PyJWT decode decode_complete encode get_unverified_header"
    ),
    "jwt.api_jws": _JWT_ERRORS,
    "motor": _homes(
        motor__motor_asyncio="""
            AsyncIOMotorClient AsyncIOMotorClientSession AsyncIOMotorCollection AsyncIOMotorCursor
            AsyncIOMotorDatabase AsyncIOMotorGridFSBucket"""
    ),
    "openai": _homes(
        openai="""
            APIConnectionError APIError APIStatusError APITimeoutError AsyncAzureOpenAI AsyncOpenAI
            AuthenticationError AzureOpenAI BadRequestError NotFoundError OpenAI OpenAIError
            RateLimitError"""
    ),
    "paramiko": _homes(paramiko="SFTPClient SSHClient SSHException Transport"),
    "psycopg": _homes(psycopg="AsyncConnection AsyncCursor Connection Cursor connect"),
    "psycopg2": _homes(psycopg2__extensions="connection cursor"),
    "psycopg_pool": _homes(
        psycopg_pool="""
            AsyncConnectionPool AsyncNullConnectionPool ConnectionPool NullConnectionPool"""
    ),
    "pwdlib": _homes(pwdlib="PasswordHash"),
    "pydantic": _PYDANTIC,
    "pydantic_core": {
        "PydanticUndefined": "pydantic_core.PydanticUndefined",
        "ValidationError": "pydantic.ValidationError",
    },
    "pydantic_settings": _PYDANTIC_SETTINGS,
    "pymongo": _homes(
        pymongo="AsyncMongoClient MongoClient",
        pymongo__asynchronous__collection="AsyncCollection",
        pymongo__asynchronous__cursor="AsyncCursor",
        pymongo__asynchronous__database="AsyncDatabase",
        pymongo__collection="Collection",
        pymongo__cursor="Cursor",
        pymongo__database="Database",
    ),
    "redis": _homes(redis="Redis ConnectionPool Sentinel from_url RedisCluster") | _REDIS_ERRORS,
    "redis.asyncio": _homes(
        redis__asyncio="Redis ConnectionPool BlockingConnectionPool Sentinel from_url RedisCluster"
    )
    | _REDIS_ERRORS,
    "requests": _homes(
        requests="""
            PreparedRequest Request Response Session delete get head options patch post put
            request"""
    )
    | _REQUESTS_ERRORS,
    "slowapi": _homes(
        slowapi="Limiter _rate_limit_exceeded_handler", slowapi__errors="RateLimitExceeded"
    ),
    "sqlalchemy": _SQLALCHEMY_ROOT | _SQLALCHEMY_POOL | _SQLALCHEMY_ENGINE,
    "sqlalchemy.engine": _SQLALCHEMY_ENGINE,
    "sqlalchemy.exc": {},
    "sqlalchemy.ext": {},
    "sqlalchemy.ext.asyncio": _homes(
        sqlalchemy__ext__asyncio="""
            AsyncAttrs AsyncConnection AsyncEngine AsyncMappingResult AsyncResult
            AsyncScalarResult AsyncSession AsyncSessionTransaction AsyncTransaction
            AsyncTupleResult async_engine_from_config async_object_session async_scoped_session
            async_session async_sessionmaker close_all_sessions create_async_engine
            create_async_pool_from_url"""
    ),
    "sqlalchemy.ext.declarative": _SQLALCHEMY_ORM,
    "sqlalchemy.dialects": {},
    "sqlalchemy.orm": _SQLALCHEMY_ORM
    | _homes(sqlalchemy="join outerjoin")
    | _homes(sqlalchemy__exc="NoResultFound MultipleResultsFound"),
    "sqlmodel": _SQLMODEL_PASSED_ON | _SQLMODEL,
    "sqlmodel.ext.asyncio": _homes(sqlmodel__ext__asyncio__session="AsyncSession"),
    "sqlmodel.pool": _SQLALCHEMY_POOL,
    "starlette": _STARLETTE,
    "structlog": _homes(structlog="BoundLogger configure get_logger wrap_logger"),
    "tortoise": _homes(tortoise__models="Model", tortoise="Tortoise"),
    "urllib3": _homes(
        urllib3="""
            BaseHTTPResponse HTTPConnectionPool HTTPResponse HTTPSConnectionPool PoolManager
            ProxyManager Retry Timeout proxy_from_url request"""
    ),
    "sqlmodel.sql": _SQLMODEL,
    "sse_starlette": _homes(
        sse_starlette="EventSourceResponse JSONServerSentEvent ServerSentEvent"
    ),
    # Below these, other things bear the same names.
    "celery.backends": {},
    "celery.events": {},
    "sqlalchemy.sql.operators": {},
    "sqlalchemy.util": {},
    "structlog.stdlib": {},
    # Models of the OpenAPI document, which share names with parameters and responses.
    "fastapi.openapi.models": {},
    # Pydantic 1 as shipped in Pydantic 2: other classes under the same names.
    "pydantic.v1": _homes(
        pydantic__v1="""
            BaseModel BaseSettings Extra Field PrivateAttr SecretStr ValidationError root_validator
            validator"""
    ),
    "urllib3.util": {},
}

# Names (or whole modules) that have moved or are written differently.
_RENAMED: Final[dict[str, str]] = {
    "EnvironmentError": "builtins.OSError",
    "IOError": "builtins.OSError",
    "_asyncio": "asyncio",
    "_io.open": "builtins.open",
    "_io": "io",
    "_queue": "queue",
    "_sqlite3": "sqlite3",
    "aioredis": "redis.asyncio",
    "aiohttp.client_exceptions": "aiohttp",
    "asyncpg.exceptions": "asyncpg",
    "asyncpg.exceptions._base": "asyncpg",
    "asyncio.TimeoutError": "builtins.TimeoutError",
    "asyncio.base_events": "asyncio",
    "asyncio.coroutines": "asyncio",
    "asyncio.events": "asyncio",
    "asyncio.exceptions": "asyncio",
    "asyncio.futures": "asyncio",
    "asyncio.locks": "asyncio",
    "asyncio.queues": "asyncio",
    "asyncio.runners": "asyncio",
    "asyncio.streams": "asyncio",
    "asyncio.subprocess.create_subprocess_exec": "asyncio.create_subprocess_exec",
    "asyncio.subprocess.create_subprocess_shell": "asyncio.create_subprocess_shell",
    "asyncio.taskgroups": "asyncio",
    "asyncio.tasks": "asyncio",
    "asyncio.threads": "asyncio",
    "asyncio.timeouts": "asyncio",
    "builtins.EnvironmentError": "builtins.OSError",
    "builtins.IOError": "builtins.OSError",
    "concurrent.futures.TimeoutError": "builtins.TimeoutError",
    "concurrent.futures._base": "concurrent.futures",
    "concurrent.futures.process": "concurrent.futures",
    "concurrent.futures.thread": "concurrent.futures",
    "email_validator.exceptions": "email_validator",
    # These modules import Starlette's.
    "fastapi.applications.HTTPException": "starlette.exceptions.HTTPException",
    "fastapi.exception_handlers.HTTPException": "starlette.exceptions.HTTPException",
    "fastapi.routing.HTTPException": "starlette.exceptions.HTTPException",
    "fastapi.security.api_key.HTTPException": "starlette.exceptions.HTTPException",
    "fastapi.security.open_id_connect_url.HTTPException": "starlette.exceptions.HTTPException",
    "fastapi.status": "starlette.status",
    "fastapi_restful": "fastapi_utils",
    "httpx2": "httpx",
    "io.open": "builtins.open",
    "itsdangerous.exc": "itsdangerous",
    "jinja2.exceptions": "jinja2",
    "json.decoder.JSONDecodeError": "json.JSONDecodeError",
    "jwt.api_jwt": "jwt",
    "loguru.Logger": "loguru.logger",
    "loguru._logger.Logger": "loguru.logger",
    "nt": "os",
    "ntpath": "os.path",
    "posix": "os",
    "posixpath": "os.path",
    "psycopg2._psycopg": "psycopg2.extensions",
    "pydantic.error_wrappers.ValidationError": "pydantic.ValidationError",
    "pymysql.Connect": "pymysql.connect",
    "pymysql.Connection": "pymysql.connections.Connection",
    "pymysql.connections.Connect": "pymysql.connect",
    "python_multipart": "multipart",
    "redis.StrictRedis": "redis.Redis",
    "redis.asyncio.StrictRedis": "redis.asyncio.Redis",
    "redis.client.StrictRedis": "redis.Redis",
    "select.error": "builtins.OSError",
    "socket.error": "builtins.OSError",
    "socket.timeout": "builtins.TimeoutError",
    "sqlite3.dbapi2": "sqlite3",
    "starlette.exceptions.ExceptionMiddleware": (
        "starlette.middleware.exceptions.ExceptionMiddleware"
    ),
    "structlog.getLogger": "structlog.get_logger",
    "tortoise.Model": "tortoise.models.Model",
    "supabase._async.client.AsyncClient": "supabase.AsyncClient",
    "supabase._sync.client.Client": "supabase.Client",
    "supabase.client.AsyncClient": "supabase.AsyncClient",
    "supabase.client.Client": "supabase.Client",
    "supabase.client.create_client": "supabase.create_client",
    # typing's deprecated aliases of classes.
    "typing.AsyncContextManager": "contextlib.AbstractAsyncContextManager",
    "typing.ChainMap": "collections.ChainMap",
    "typing.ContextManager": "contextlib.AbstractContextManager",
    "typing.Counter": "collections.Counter",
    "typing.DefaultDict": "collections.defaultdict",
    "typing.Deque": "collections.deque",
    "typing.Dict": "builtins.dict",
    "typing.FrozenSet": "builtins.frozenset",
    "typing.List": "builtins.list",
    "typing.Match": "re.Match",
    "typing.OrderedDict": "collections.OrderedDict",
    "typing.Pattern": "re.Pattern",
    "typing.Set": "builtins.set",
    "typing.Text": "builtins.str",
    "typing.Tuple": "builtins.tuple",
    "typing.Type": "builtins.type",
    "typing.AbstractSet": "collections.abc.Set",
    **{
        f"typing.{name}": f"collections.abc.{name}"
        for name in name_set(
            """
            AsyncGenerator AsyncIterable AsyncIterator Awaitable ByteString Callable Collection
            Container Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping
            MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Sized
            ValuesView"""
        )
    },
    "typing_extensions": "typing",
    "typing_extensions.deprecated": "warnings.deprecated",
    "yaml.error.YAMLError": "yaml.YAMLError",
}

#: Top-level packages that are never a project's own. The resolver does not look into them, even
#: where a project has vendored or shadowed a module of the name further down.
NEVER_FIRST_PARTY: Final[frozenset[str]] = (
    frozenset(sys.stdlib_module_names)
    # CPython's own tests; projects do have a package of this name.
    - {"test"}
) | name_set(
    """
    aerich aio_pika aioboto3 aiobotocore aiocache aiofiles aiohttp aiokafka aiomysql
    aioredis aiosmtplib aiosqlite alembic anthropic anyio apscheduler argon2 arq
    asgi_correlation_id asgi_lifespan asyncer asyncpg attr attrs authlib bcrypt beanie boto3
    botocore bson cachetools cadwyn celery click cryptography databases ddtrace
    dependency_injector django dotenv dramatiq elasticsearch elasticsearch_dsl
    email_validator fakeredis fastapi fastapi_cache fastapi_class fastapi_crudrouter
    fastapi_csrf_protect fastapi_events fastapi_filter fastapi_jwt_auth fastapi_limiter
    fastapi_login fastapi_mail fastapi_pagination fastapi_restful fastapi_sqlalchemy
    fastapi_sso fastapi_users fastapi_utils fastapi_versioning fastapi_versionizer
    firebase_admin flask freezegun grpc gunicorn hishel httpcore httpx httpx2 itsdangerous
    jinja2 jose joserfc jsonschema jwt langchain langchain_core logfire loguru mangum
    markupsafe motor msgspec multipart mypy_boto3_s3 newrelic nicegui numpy odmantic openai
    opentelemetry orjson ormar pandas paramiko passlib peewee piccolo pika PIL playhouse
    prometheus_client prometheus_fastapi_instrumentator psycopg psycopg2 psycopg_pool pwdlib
    pydantic pydantic_core pydantic_settings pymongo pymysql pytest pytest_asyncio pytz
    qdrant_client redis requests requests_oauthlib respx sendgrid sentry_sdk sklearn slowapi
    snowflake sqlalchemy sqlalchemy_utils sqlmodel sse_starlette starlette starlette_context
    starlette_exporter strawberry stripe structlog svcs taskiq tenacity tensorflow torch
    tortoise tqdm transformers trio typer typing_extensions ujson urllib3 uvicorn uvloop
    watchfiles websockets werkzeug yaml yarl"""
)


#: Modules of the standard library that hold no others, with names that projects give to packages:
#: `profile.router` can only be the project's own.
STDLIB_MODULES_WITHOUT_SUBMODULES: Final = name_set(
    """
    calendar cmd code copy formatter getpass gettext graphlib inspect locale mailbox numbers
    operator parser platform profile pstats queue random resource runpy sched secrets select
    selectors shelve shlex signal site statistics string symbol token trace types uuid
    webbrowser"""
)
#: What services call their own modules, and hardly any installed package is called.
USUAL_OWN_MODULES: Final = name_set(
    """
    auth config connection constants crud database db dependencies deps enums exceptions main models
    routers routes schema schemas security services settings utils"""
)
#: The stub packages of boto3 have one class per service; boto3 makes them all when it runs.
_BOTO3_RESOURCE: Final = "boto3.resources.base.ServiceResource"
_BOTO3_STUBS: Final = re.compile(
    r"mypy_boto3_\w+(?:\.client)?\.[A-Z]\w*(?P<client>Client)\b"
    r"|mypy_boto3_\w+(?:\.service_resource)?\.[A-Z]\w*\b"
)


def _rename(name: str) -> str:
    if name.startswith("mypy_boto3_") and (match := _BOTO3_STUBS.match(name)):
        cls = "botocore.client.BaseClient" if match["client"] else _BOTO3_RESOURCE
        return cls + name[match.end() :]
    end = len(name)
    while end > 0:
        head = name[:end]
        if (new := _RENAMED.get(head)) is not None:
            return new + name[end:]
        end = head.rfind(".")
    return name


def _collapse(name: str) -> str:
    end = name.rfind(".")
    while end > 0:
        homes = _BELOW.get(name[:end])
        if homes is not None:
            parts = name[end + 1 :].split(".")
            for index, part in enumerate(parts):
                if (home := homes.get(part)) is not None:
                    return ".".join((home, *parts[index + 1 :]))
                if part[:1].isupper():
                    # A class that is not in the table; what follows are its members.
                    break
            return name
        end = name.rfind(".", 0, end)
    return name


@lru_cache(maxsize=16384)
def canonical(name: str) -> str:
    """The one name under which everything here knows what `name` refers to.

    Parameters:
        name: a qualified name as an import spells it, with or without members behind it
            (`fastapi.routing.APIRouter.get`), or a bare builtin (`open`).

    Result: the canonical name; `name` itself when nothing is known about it. The function is
    idempotent.
    """
    if "." not in name:
        if name in _BUILTINS:
            name = f"builtins.{name}"
        elif name in ("typing_extensions", "httpx2"):
            return _RENAMED[name]
    for _ in range(4):
        new = _collapse(_rename(name))
        if new == name:
            break
        name = new
    return name
