"""Which classes of libraries derive from which: exceptions, responses, models, routers, sessions.

Only bases that say something are listed: mix-ins and private classes of a library are left out,
so a class listed here has at least these bases.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.semantics.values import External, Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

# Module -> base -> names of the classes in the module that derive from it (and nothing else).
_FAMILIES: Final[dict[str, dict[str, str]]] = {
    "aiohttp": {
        "aiohttp.ClientError": """
            ClientConnectionError ClientPayloadError ClientResponseError NonHttpUrlClientError
            RedirectClientError UploadAbortedError""",
        "aiohttp.ClientConnectorError": """
            ClientConnectorDNSError ClientProxyConnectionError ClientSSLError""",
        "aiohttp.ClientOSError": "ClientConnectorError",
        "builtins.Exception": "ClientError",
        "aiohttp.ClientResponseError": """
            ClientHttpProxyError ContentTypeError TooManyRedirects WSServerHandshakeError""",
        "aiohttp.ServerTimeoutError": "ConnectionTimeoutError SocketTimeoutError",
        "aiohttp.ClientConnectionError": "ServerConnectionError",
        "aiohttp.ServerConnectionError": """
            ServerDisconnectedError ServerFingerprintMismatch""",
        "builtins.TypeError": "WSMessageTypeError",
    },
    "anthropic": {
        "anthropic.APIError": """
            APIConnectionError APIResponseValidationError APIStatusError
            APIWebhookValidationError""",
        "anthropic.AnthropicError": "APIError CredentialsError RetryableError",
        "anthropic.APIConnectionError": "APITimeoutError",
        "builtins.Exception": "AnthropicError",
        "anthropic.APIStatusError": """
            AuthenticationError BadRequestError ClientClosedRequestError ConflictError
            ContentTooLargeError InternalServerError NotFoundError PaymentRequiredError
            PermissionDeniedError PreconditionFailedError RateLimitError
            RequestHeaderFieldsTooLargeError RequestTimeoutError UnprocessableEntityError""",
    },
    "anyio": {
        "builtins.Exception": """
            BrokenResourceError BrokenWorkerInterpreter BrokenWorkerProcess BusyResourceError
            ClosedResourceError DelimiterNotFound EndOfStream FutureAlreadyFinished FutureFailed
            FutureNotFinished IncompleteRead TaskFailed TaskNotFinished WouldBlock""",
        "builtins.OSError": "ConnectionFailed",
        "builtins.RuntimeError": "NoEventLoopError RunFinishedError",
        "builtins.LookupError": "TypedAttributeLookupError",
    },
    "argon2.exceptions": {
        "builtins.Exception": "Argon2Error",
        "argon2.exceptions.Argon2Error": "HashingError VerificationError",
        "builtins.ValueError": "InvalidHashError UnsupportedParametersError",
        "argon2.exceptions.VerificationError": "VerifyMismatchError",
    },
    "asyncio": {
        "builtins.RuntimeError": "BrokenBarrierError SendfileNotAvailableError",
        "builtins.BaseException": "CancelledError",
        "builtins.EOFError": "IncompleteReadError",
        "builtins.Exception": "InvalidStateError LimitOverrunError QueueEmpty QueueFull",
        "asyncio.Future": "Task",
    },
    "authlib.jose.errors": {
        "authlib.jose.errors.JoseError": """
            BadSignatureError DecodeError ExpiredTokenError InsecureClaimError
            InvalidAlgorithmForMultipleRecipientsMode InvalidClaimError
            InvalidCritHeaderParameterNameError
            InvalidEncryptionAlgorithmForECDH1PUWithKeyWrappingError
            InvalidHeaderParameterNameError InvalidTokenError InvalidUseError KeyMismatchError
            MissingAlgorithmError MissingClaimError MissingEncryptionAlgorithmError
            UnsupportedAlgorithmError UnsupportedCompressionAlgorithmError
            UnsupportedEncryptionAlgorithmError""",
        "authlib.common.errors.AuthlibBaseError": "JoseError",
    },
    "beanie.exceptions": {
        "builtins.Exception": """
            ApplyChangesException CollectionWasNotInitialized Deprecation
            DocWasNotRegisteredInUnionClass DocumentAlreadyCreated DocumentNotFound
            DocumentWasNotSaved MigrationException MongoDBVersionError NotSupported ReplaceError
            RevisionIdWasChanged StateManagementIsTurnedOff StateNotSaved UnionDocNotInited
            UnionHasNoRegisteredDocs ViewHasNoSettings ViewWasNotInitialized
            WrongDocumentUpdateStrategy""",
    },
    "binascii": {
        "builtins.ValueError": "Error",
        "builtins.Exception": "Incomplete",
    },
    "bson.errors": {
        "builtins.Exception": "BSONError",
        "bson.errors.BSONError": "InvalidDocument",
    },
    "builtins": {
        "builtins.Exception": """
            ArithmeticError AssertionError AttributeError BufferError EOFError ImportError
            LookupError MemoryError NameError OSError ReferenceError RuntimeError
            StopAsyncIteration StopIteration SyntaxError SystemError TypeError ValueError
            Warning""",
        "builtins.BaseException": """
            BaseExceptionGroup Exception GeneratorExit KeyboardInterrupt SystemExit""",
        "builtins.OSError": """
            BlockingIOError ChildProcessError ConnectionError FileExistsError FileNotFoundError
            InterruptedError IsADirectoryError NotADirectoryError PermissionError
            ProcessLookupError TimeoutError""",
        "builtins.ConnectionError": """
            BrokenPipeError ConnectionAbortedError ConnectionRefusedError ConnectionResetError""",
        "builtins.Warning": """
            BytesWarning DeprecationWarning EncodingWarning FutureWarning ImportWarning
            PendingDeprecationWarning ResourceWarning RuntimeWarning SyntaxWarning
            UnicodeWarning UserWarning""",
        "builtins.ArithmeticError": "FloatingPointError OverflowError ZeroDivisionError",
        "builtins.SyntaxError": "IndentationError",
        "builtins.LookupError": "IndexError KeyError",
        "builtins.ImportError": "ModuleNotFoundError",
        "builtins.RuntimeError": "NotImplementedError RecursionError",
        "builtins.IndentationError": "TabError",
        "builtins.NameError": "UnboundLocalError",
        "builtins.UnicodeError": """
            UnicodeDecodeError UnicodeEncodeError UnicodeTranslateError""",
        "builtins.ValueError": "UnicodeError",
        "builtins.int": "bool",
    },
    "concurrent.futures": {
        "builtins.RuntimeError": "BrokenExecutor",
        "builtins.Exception": "CancelledError",
    },
    "cryptography.exceptions": {
        "builtins.Exception": """
            AlreadyFinalized AlreadyUpdated InternalError InvalidKey InvalidSignature InvalidTag
            NotYetFinalized UnsupportedAlgorithm""",
    },
    "cryptography.fernet": {
        "builtins.Exception": "InvalidToken",
    },
    "elastic_transport": {
        "builtins.Exception": "ApiError",
    },
    "elasticsearch": {
        "elastic_transport.ApiError": "ApiError",
        "elasticsearch.ApiError": """
            AuthenticationException AuthorizationException BadRequestError ConflictError
            NotFoundError UnsupportedProductError""",
    },
    "fastapi": {
        "starlette.routing.Router": "APIRouter",
        "starlette.background.BackgroundTasks": "BackgroundTasks",
        "starlette.applications.Starlette": "FastAPI",
        "starlette.exceptions.HTTPException": "HTTPException",
        "starlette.datastructures.UploadFile": "UploadFile",
        "starlette.exceptions.WebSocketException": "WebSocketException",
    },
    "fastapi.exceptions": {
        "fastapi.exceptions.FastAPIError": """
            DependencyScopeError PydanticV1NotSupportedError""",
        "builtins.dict": "EndpointContext",
        "builtins.RuntimeError": "FastAPIError",
        "fastapi.exceptions.ValidationException": """
            RequestValidationError ResponseValidationError WebSocketRequestValidationError""",
        "builtins.Exception": "ValidationException",
    },
    "fastapi.responses": {
        "starlette.responses.JSONResponse": "ORJSONResponse UJSONResponse",
    },
    "fastapi.routing": {
        "starlette.routing.Route": "APIRoute",
        "starlette.routing.WebSocketRoute": "APIWebSocketRoute",
    },
    "fastapi.security": {
        "fastapi.security.api_key.APIKeyBase": "APIKeyCookie APIKeyHeader APIKeyQuery",
        "pydantic.BaseModel": "HTTPAuthorizationCredentials HTTPBasicCredentials",
        "fastapi.security.http.HTTPBase": "HTTPBasic HTTPBearer HTTPDigest",
        "fastapi.security.base.SecurityBase": "OAuth2 OpenIdConnect",
        "fastapi.security.OAuth2": "OAuth2AuthorizationCodeBearer OAuth2PasswordBearer",
        "fastapi.security.OAuth2PasswordRequestForm": "OAuth2PasswordRequestFormStrict",
    },
    "fastapi.security.api_key": {
        "fastapi.security.base.SecurityBase": "APIKeyBase",
    },
    "fastapi.security.http": {
        "fastapi.security.base.SecurityBase": "HTTPBase",
    },
    "fastapi.sse": {
        "starlette.responses.StreamingResponse": "EventSourceResponse",
        "pydantic.BaseModel": "ServerSentEvent",
    },
    "http.client": {
        "http.client.HTTPException": """
            BadStatusLine ImproperConnectionState IncompleteRead InvalidURL LineTooLong
            NotConnected UnimplementedFileMode UnknownProtocol UnknownTransferEncoding""",
        "http.client.ImproperConnectionState": """
            CannotSendHeader CannotSendRequest ResponseNotReady""",
        "builtins.Exception": "HTTPException",
    },
    "httpx": {
        "httpx.AsyncBaseTransport": "ASGITransport",
        "httpx._client.BaseClient": "AsyncClient Client",
        "httpx.NetworkError": "CloseError ConnectError ReadError WriteError",
        "httpx.TimeoutException": "ConnectTimeout PoolTimeout ReadTimeout WriteTimeout",
        "builtins.Exception": "CookieConflict HTTPError InvalidURL",
        "httpx.RequestError": "DecodingError TooManyRedirects TransportError",
        "httpx.HTTPError": "HTTPStatusError RequestError",
        "httpx.ProtocolError": "LocalProtocolError RemoteProtocolError",
        "httpx.TransportError": """
            NetworkError ProtocolError ProxyError TimeoutException UnsupportedProtocol""",
        "httpx.StreamError": """
            RequestNotRead ResponseNotRead StreamClosed StreamConsumed""",
        "builtins.RuntimeError": "StreamError",
    },
    "jose.exceptions": {
        "jose.exceptions.JWTError": "ExpiredSignatureError JWTClaimsError",
        "builtins.Exception": "JOSEError",
        "jose.exceptions.JWEError": """
            JWEAlgorithmUnsupportedError JWEInvalidAuth JWEParseError""",
        "jose.exceptions.JOSEError": "JWEError JWKError JWSError JWTError",
        "jose.exceptions.JWSError": "JWSAlgorithmError JWSSignatureError",
    },
    "joserfc.errors": {
        "joserfc.errors.JoseError": """
            BadSignatureError ClaimError ConflictAlgorithmError DecodeError ExceededSizeError
            InvalidEncryptedKeyError InvalidEncryptionAlgorithmError InvalidExchangeKeyError
            InvalidHeaderValueError InvalidKeyCurveError InvalidKeyIdError InvalidKeyLengthError
            InvalidPayloadError KeyParameterError MissingAlgorithmError MissingCritHeaderError
            MissingEncryptionError MissingHeaderError MissingKeyError UnsupportedAlgorithmError
            UnsupportedHeaderError""",
        "joserfc.errors.ClaimError": """
            ExpiredTokenError InsecureClaimError InvalidClaimError MissingClaimError""",
        "joserfc.errors.KeyParameterError": """
            InvalidKeyTypeError MissingKeyTypeError UnsupportedKeyAlgorithmError
            UnsupportedKeyOperationError UnsupportedKeyUseError""",
        "builtins.Exception": "JoseError",
    },
    "json": {
        "builtins.ValueError": "JSONDecodeError",
    },
    "jwt.exceptions": {
        "jwt.exceptions.InvalidTokenError": """
            DecodeError ExpiredSignatureError ImmatureSignatureError InvalidAlgorithmError
            InvalidAudienceError InvalidIssuedAtError InvalidIssuerError InvalidJTIError
            InvalidSubjectError MissingRequiredClaimError""",
        "jwt.exceptions.PyJWTError": """
            InvalidKeyError InvalidTokenError PyJWKClientError PyJWKError PyJWKSetError""",
        "jwt.exceptions.DecodeError": "InvalidSignatureError",
        "jwt.exceptions.PyJWKError": "MissingCryptographyError",
        "jwt.exceptions.PyJWKClientError": "PyJWKClientConnectionError",
        "builtins.Exception": "PyJWTError",
    },
    "openai": {
        "openai.APIError": """
            APIConnectionError APIResponseValidationError APIStatusError""",
        "openai.OpenAIError": """
            APIError ContentFilterFinishReasonError LengthFinishReasonError
            WebSocketConnectionClosedError WebSocketQueueFullError""",
        "openai.APIConnectionError": "APITimeoutError",
        "openai.APIStatusError": """
            AuthenticationError BadRequestError ConflictError InternalServerError NotFoundError
            PermissionDeniedError RateLimitError UnprocessableEntityError""",
        "builtins.ValueError": "InvalidWebhookSignatureError",
        "openai.AuthenticationError": "OAuthError",
        "builtins.Exception": "OpenAIError",
    },
    "paramiko": {
        "builtins.Exception": "SSHException",
    },
    "paramiko.ssh_exception": {
        "paramiko.SSHException": """
            AuthenticationException BadHostKeyException ChannelException ConfigParseError
            CouldNotCanonicalize IncompatiblePeer MessageOrderError ProxyCommandFailure""",
        "paramiko.ssh_exception.AuthenticationException": """
            BadAuthenticationType PasswordRequiredException""",
    },
    "peewee": {
        "peewee.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "peewee.PeeweeException": "DatabaseError ImproperlyConfigured InterfaceError",
        "builtins.Exception": "DoesNotExist PeeweeException",
        "peewee.Database": "MySQLDatabase PostgresqlDatabase SqliteDatabase",
    },
    "psycopg": {
        "psycopg.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "psycopg.Error": "DatabaseError InterfaceError",
        "builtins.Exception": "Error Rollback Warning",
    },
    "psycopg2": {
        "psycopg2.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "psycopg2.Error": "DatabaseError InterfaceError",
        "builtins.Exception": "Error Warning",
    },
    "pwdlib.exceptions": {
        "pwdlib.exceptions.PwdlibError": "HasherNotAvailable UnknownHashError",
        "builtins.Exception": "PwdlibError",
    },
    "pydantic": {
        "pydantic.PydanticUserError": """
            PydanticInvalidForJsonSchema PydanticSchemaGenerationError""",
        "pydantic.BaseModel": "BaseSettings RootModel",
        "builtins.RuntimeError": "PydanticUserError",
        "builtins.ImportError": "PydanticImportError",
        "builtins.NameError": "PydanticUndefinedAnnotation",
        "builtins.ValueError": "ValidationError",
    },
    "pydantic.errors": {
        "pydantic.PydanticUserError": "PydanticForbiddenQualifier",
    },
    "pydantic_settings": {
        "pydantic.BaseModel": "BaseSettings",
        "builtins.ValueError": "SettingsError",
    },
    "pymongo.errors": {
        "pymongo.errors.ConnectionFailure": "AutoReconnect WaitQueueTimeoutError",
        "pymongo.errors.OperationFailure": """
            BulkWriteError ClientBulkWriteException CursorNotFound ExecutionTimeout
            WriteConcernError WriteError""",
        "pymongo.errors.PyMongoError": """
            CollectionInvalid ConfigurationError ConnectionFailure EncryptionError InvalidName
            InvalidOperation OperationFailure ProtocolError""",
        "bson.errors.InvalidDocument": "DocumentTooLarge",
        "pymongo.errors.WriteError": "DuplicateKeyError",
        "pymongo.errors.EncryptionError": "EncryptedCollectionError",
        "pymongo.errors.ConfigurationError": "InvalidURI",
        "pymongo.errors.AutoReconnect": """
            NetworkTimeout NotPrimaryError ServerSelectionTimeoutError""",
        "builtins.Exception": "PyMongoError",
        "pymongo.errors.WriteConcernError": "WTimeoutError",
    },
    "pymysql.err": {
        "pymysql.err.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "pymysql.err.Error": "DatabaseError InterfaceError",
        "pymysql.err.MySQLError": "Error",
        "builtins.Exception": "MySQLError",
    },
    "queue": {
        "builtins.Exception": "Full",
    },
    "redis.exceptions": {
        "redis.exceptions.ResponseError": """
            AskError AuthenticationWrongNumberOfArgsError ClusterCrossSlotError ExecAbortError
            ModuleError NoPermissionError NoScriptError OutOfMemoryError ReadOnlyError
            TryAgainError""",
        "redis.exceptions.ConnectionError": """
            AuthenticationError AuthorizationError BusyLoadingError MaxConnectionsError""",
        "builtins.Exception": "ChildDeadlockedError RedisClusterException RedisError",
        "redis.exceptions.RedisError": """
            ClusterError ConnectionError DataError InvalidResponse PubSubError ResponseError
            TimeoutError WatchError""",
        "redis.exceptions.LockError": "LockNotOwnedError",
        "redis.exceptions.ClusterDownError": "MasterDownError",
        "redis.exceptions.AskError": "MovedError",
        "redis.exceptions.RedisClusterException": "SlotNotCoveredError",
    },
    "requests.exceptions": {
        "requests.exceptions.RequestException": """
            ChunkedEncodingError ConnectionError HTTPError InvalidJSONError RetryError Timeout
            TooManyRedirects URLRequired UnrewindableBodyError""",
        "requests.exceptions.InvalidURL": "InvalidProxyURL",
        "requests.exceptions.ConnectionError": "ProxyError SSLError",
        "requests.exceptions.Timeout": "ReadTimeout",
        "builtins.OSError": "RequestException",
    },
    "slowapi.errors": {
        "starlette.exceptions.HTTPException": "RateLimitExceeded",
    },
    "slowapi.middleware": {
        "starlette.middleware.base.BaseHTTPMiddleware": "SlowAPIMiddleware",
    },
    "smtplib": {
        "smtplib.SMTPResponseException": """
            SMTPAuthenticationError SMTPConnectError SMTPDataError SMTPHeloError
            SMTPSenderRefused""",
        "builtins.OSError": "SMTPException",
        "smtplib.SMTPException": """
            SMTPNotSupportedError SMTPRecipientsRefused SMTPResponseException
            SMTPServerDisconnected""",
    },
    "socket": {
        "builtins.OSError": "gaierror herror",
    },
    "sqlalchemy.exc": {
        "sqlalchemy.exc.InvalidRequestError": """
            AmbiguousColumnError AwaitRequired IllegalStateChangeError MissingGreenlet
            MultipleResultsFound NoDBAPILoaded NoInspectionAvailable NoReferenceError
            NoResultFound NoSuchTableError PendingRollbackError ResourceClosedError
            UnboundExecutionError UnreflectableTableError""",
        "sqlalchemy.exc.ArgumentError": """
            AmbiguousForeignKeysError ConstraintColumnNotFoundError DuplicateColumnError
            NoForeignKeysError NoSuchModuleError ObjectNotExecutableError""",
        "sqlalchemy.exc.SQLAlchemyError": """
            ArgumentError CircularDependencyError CompileError DisconnectionError
            IdentifierError InvalidRequestError StatementError TimeoutError""",
        "sqlalchemy.exc.StatementError": "DBAPIError",
        "sqlalchemy.exc.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "sqlalchemy.exc.DBAPIError": "DatabaseError InterfaceError",
        "builtins.Exception": "EmulatedDBAPIException",
        "sqlalchemy.exc.DisconnectionError": "InvalidatePoolError",
        "sqlalchemy.exc.NoReferenceError": """
            NoReferencedColumnError NoReferencedTableError""",
        "sqlalchemy.exc.CompileError": "UnsupportedCompilationError",
    },
    "sqlalchemy.orm.exc": {
        "sqlalchemy.exc.SQLAlchemyError": """
            DetachedInstanceError FlushError ObjectDereferencedError StaleDataError""",
        "sqlalchemy.exc.InvalidRequestError": """
            LoaderStrategyException ObjectDeletedError UnmappedColumnError UnmappedError""",
        "sqlalchemy.exc.ArgumentError": "MappedAnnotationError",
        "sqlalchemy.orm.exc.UnmappedError": "UnmappedClassError UnmappedInstanceError",
    },
    "sqlite3": {
        "sqlite3.DatabaseError": """
            DataError IntegrityError InternalError NotSupportedError OperationalError
            ProgrammingError""",
        "sqlite3.Error": "DatabaseError InterfaceError",
        "builtins.Exception": "Error Warning",
    },
    "ssl": {
        "ssl.SSLError": """
            SSLEOFError SSLSyscallError SSLWantReadError SSLWantWriteError SSLZeroReturnError""",
        "builtins.OSError": "SSLError",
    },
    "starlette.authentication": {
        "builtins.Exception": "AuthenticationError",
        "starlette.authentication.BaseUser": "SimpleUser UnauthenticatedUser",
    },
    "starlette.background": {
        "starlette.background.BackgroundTask": "BackgroundTasks",
    },
    "starlette.datastructures": {
        "builtins.tuple": "Address",
        "collections.abc.Sequence": "CommaSeparatedStrings",
        "starlette.datastructures.ImmutableMultiDict": "FormData MultiDict QueryParams",
        "collections.abc.Mapping": "Headers ImmutableMultiDict",
        "starlette.datastructures.Headers": "MutableHeaders",
        "builtins.str": "URLPath",
    },
    "starlette.exceptions": {
        "builtins.Exception": "HTTPException WebSocketException",
    },
    "starlette.formparsers": {
        "builtins.Exception": "MultiPartException",
    },
    "starlette.requests": {
        "builtins.Exception": "ClientDisconnect",
        "collections.abc.Mapping": "HTTPConnection",
    },
    "starlette.responses": {
        "starlette.responses.Response": """
            FileResponse HTMLResponse JSONResponse PlainTextResponse RedirectResponse
            StreamingResponse""",
        "builtins.Exception": "MalformedRangeHeader RangeNotSatisfiable",
    },
    "starlette.routing": {
        "starlette.routing.BaseRoute": "Host Mount Route WebSocketRoute",
        "enum.Enum": "Match",
        "builtins.Exception": "NoMatchFound",
    },
    "starlette.staticfiles": {
        "starlette.responses.Response": "NotModifiedResponse",
    },
    "starlette.testclient": {
        "httpx.Client": "TestClient",
    },
    "starlette.websockets": {
        "builtins.Exception": "WebSocketDisconnect",
        "builtins.RuntimeError": "WebSocketDisconnected",
        "enum.Enum": "WebSocketState",
    },
    "subprocess": {
        "subprocess.SubprocessError": "CalledProcessError TimeoutExpired",
        "builtins.Exception": "SubprocessError",
    },
    "tortoise.exceptions": {
        "builtins.Exception": "BaseORMException",
        "tortoise.exceptions.BaseORMException": """
            ConfigurationError FieldError OperationalError ParamsError
            TransactionManagementError UnSupportedError ValidationError""",
        "tortoise.exceptions.NotExistOrMultiple": "DoesNotExist MultipleObjectsReturned",
        "tortoise.exceptions.OperationalError": """
            IncompleteInstanceError IntegrityError NoValuesFetched NotExistOrMultiple""",
    },
    "urllib.error": {
        "urllib.error.URLError": "ContentTooShortError",
        "builtins.OSError": "URLError",
    },
    "urllib3.exceptions": {
        "urllib3.exceptions.HTTPError": """
            BodyNotHttplibCompatible DecodeError HeaderParsingError InvalidHeader PoolError
            ProtocolError ProxyError ResponseError SSLError TimeoutError TimeoutStateError
            UnrewindableBodyError""",
        "urllib3.exceptions.PoolError": """
            ClosedPoolError EmptyPoolError FullPoolError RequestError""",
        "urllib3.exceptions.TimeoutError": "ConnectTimeoutError",
        "builtins.Exception": "HTTPError",
        "urllib3.exceptions.RequestError": "HostChangedError MaxRetryError",
        "urllib3.exceptions.LocationValueError": "LocationParseError URLSchemeUnknown",
        "urllib3.exceptions.NewConnectionError": "NameResolutionError",
        "builtins.ValueError": "ProxySchemeUnsupported",
    },
    "websockets.exceptions": {
        "builtins.Exception": "WebSocketException",
        "websockets.exceptions.ConnectionClosed": "ConnectionClosedError ConnectionClosedOK",
        "websockets.exceptions.InvalidHandshake": "InvalidHeader InvalidMessage InvalidStatus",
        "websockets.exceptions.WebSocketException": """
            ConnectionClosed InvalidHandshake InvalidURI PayloadTooBig ProtocolError""",
    },
    "zipfile": {
        "builtins.Exception": "BadZipFile LargeZipFile",
    },
    "zlib": {
        "builtins.Exception": "error",
    },
}

# Classes with several bases, and single ones.
_SINGLE: Final[dict[str, tuple[str, ...]]] = {
    "aiohttp.ClientConnectionResetError": (
        "aiohttp.ClientConnectionError",
        "builtins.ConnectionResetError",
    ),
    "aiohttp.ClientConnectorCertificateError": (
        "aiohttp.ClientSSLError",
        "ssl.SSLCertVerificationError",
    ),
    "aiohttp.ClientConnectorSSLError": ("aiohttp.ClientSSLError", "ssl.SSLError"),
    "aiohttp.ClientOSError": ("aiohttp.ClientConnectionError", "builtins.OSError"),
    "aiohttp.InvalidURL": ("aiohttp.ClientError", "builtins.ValueError"),
    "aiohttp.ServerTimeoutError": ("aiohttp.ServerConnectionError", "builtins.TimeoutError"),
    "apscheduler.schedulers.asyncio.AsyncIOScheduler": (
        "apscheduler.schedulers.base.BaseScheduler",
    ),
    "apscheduler.schedulers.background.BackgroundScheduler": (
        "apscheduler.schedulers.blocking.BlockingScheduler",
    ),
    "apscheduler.schedulers.blocking.BlockingScheduler": (
        "apscheduler.schedulers.base.BaseScheduler",
    ),
    "asyncpg.CheckViolationError": ("asyncpg.IntegrityConstraintViolationError",),
    "asyncpg.ForeignKeyViolationError": ("asyncpg.IntegrityConstraintViolationError",),
    "asyncpg.IntegrityConstraintViolationError": ("asyncpg.PostgresError",),
    "asyncpg.InterfaceError": ("builtins.Exception",),
    "asyncpg.NotNullViolationError": ("asyncpg.IntegrityConstraintViolationError",),
    "asyncpg.PostgresError": ("builtins.Exception",),
    "asyncpg.UniqueViolationError": ("asyncpg.IntegrityConstraintViolationError",),
    "authlib.integrations.httpx_client.AsyncOAuth2Client": ("httpx.AsyncClient",),
    "authlib.integrations.httpx_client.OAuth2Client": ("httpx.Client",),
    "authlib.integrations.requests_client.OAuth2Session": ("requests.Session",),
    "authlib.common.errors.AuthlibBaseError": ("builtins.Exception",),
    "beanie.Document": ("pydantic.BaseModel",),
    "beanie.View": ("pydantic.BaseModel",),
    # Functions, but used as annotations of what they make.
    "boto3.client": ("botocore.client.BaseClient",),
    "boto3.resource": ("boto3.resources.base.ServiceResource",),
    "botocore.exceptions.BotoCoreError": ("builtins.Exception",),
    "botocore.exceptions.ClientError": ("builtins.Exception",),
    "botocore.exceptions.NoCredentialsError": ("botocore.exceptions.BotoCoreError",),
    "bson.errors.InvalidId": ("bson.errors.BSONError",),
    "builtins.ExceptionGroup": ("builtins.BaseExceptionGroup", "builtins.Exception"),
    "cadwyn.Cadwyn": ("fastapi.FastAPI",),
    "cadwyn.VersionedAPIRouter": ("fastapi.APIRouter",),
    "collections.Counter": ("builtins.dict",),
    "collections.OrderedDict": ("builtins.dict",),
    "collections.defaultdict": ("builtins.dict",),
    "concurrent.futures.ProcessPoolExecutor": ("concurrent.futures.Executor",),
    "concurrent.futures.ThreadPoolExecutor": ("concurrent.futures.Executor",),
    "datetime.datetime": ("datetime.date",),
    "dishka.integrations.fastapi.DishkaRoute": ("fastapi.routing.APIRoute",),
    "dishka.integrations.fastapi.DishkaSyncRoute": ("fastapi.routing.APIRoute",),
    "email_validator.EmailNotValidError": ("builtins.ValueError",),
    "enum.Flag": ("enum.Enum",),
    "enum.IntEnum": ("builtins.int", "enum.Enum"),
    "enum.IntFlag": ("builtins.int", "enum.Flag"),
    "enum.StrEnum": ("builtins.str", "enum.Enum"),
    "fakeredis.FakeAsyncRedis": ("redis.asyncio.Redis",),
    "fakeredis.FakeRedis": ("redis.Redis",),
    "fakeredis.FakeStrictRedis": ("redis.Redis",),
    "fakeredis.aioredis.FakeRedis": ("redis.asyncio.Redis",),
    "fastapi.sse.EventSourceResponse": ("starlette.responses.StreamingResponse",),
    "fastapi_camelcase.CamelModel": ("pydantic.BaseModel",),
    "fastapi_crudrouter.DatabasesCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.GinoCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.MemoryCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.OrmarCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.SQLAlchemyCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.TortoiseCRUDRouter": ("fastapi.APIRouter",),
    "fastapi_crudrouter.core.CRUDGenerator": ("fastapi.APIRouter",),
    "fastapi_error_map.ErrorAwareRouter": ("fastapi.APIRouter",),
    "fastapi_filter.contrib.sqlalchemy.Filter": ("pydantic.BaseModel",),
    "fastapi_jsonrpc.API": ("fastapi.FastAPI",),
    "fastapi_jsonrpc.Entrypoint": ("fastapi.APIRouter",),
    "fastapi_pagination.LimitOffsetPage": ("pydantic.BaseModel",),
    "fastapi_pagination.LimitOffsetParams": ("pydantic.BaseModel",),
    "fastapi_pagination.Page": ("pydantic.BaseModel",),
    "fastapi_pagination.Params": ("pydantic.BaseModel",),
    "fastapi_users.schemas.BaseUser": ("pydantic.BaseModel",),
    "fastapi_users.schemas.BaseUserCreate": ("pydantic.BaseModel",),
    "fastapi_users.schemas.BaseUserUpdate": ("pydantic.BaseModel",),
    "fastapi_users.schemas.CreateUpdateDictModel": ("pydantic.BaseModel",),
    "fastapi_utils.api_model.APIModel": ("pydantic.BaseModel",),
    "fastapi_utils.api_settings.APISettings": ("pydantic_settings.BaseSettings",),
    "fastapi_utils.inferring_router.InferringRouter": ("fastapi.APIRouter",),
    "faststream.confluent.fastapi.KafkaRouter": ("fastapi.APIRouter",),
    "faststream.kafka.fastapi.KafkaRouter": ("fastapi.APIRouter",),
    "faststream.nats.fastapi.NatsRouter": ("fastapi.APIRouter",),
    "faststream.rabbit.fastapi.RabbitRouter": ("fastapi.APIRouter",),
    "faststream.redis.fastapi.RedisRouter": ("fastapi.APIRouter",),
    "ftplib.FTP_TLS": ("ftplib.FTP",),
    "http.client.HTTPSConnection": ("http.client.HTTPConnection",),
    "http.client.RemoteDisconnected": (
        "builtins.ConnectionResetError",
        "http.client.BadStatusLine",
    ),
    "imaplib.IMAP4_SSL": ("imaplib.IMAP4",),
    "itsdangerous.BadData": ("builtins.Exception",),
    "itsdangerous.BadSignature": ("itsdangerous.BadData",),
    "itsdangerous.BadTimeSignature": ("itsdangerous.BadSignature",),
    "itsdangerous.SignatureExpired": ("itsdangerous.BadTimeSignature",),
    "jinja2.TemplateError": ("builtins.Exception",),
    "jinja2.TemplateNotFound": (
        "builtins.OSError",
        "builtins.LookupError",
        "jinja2.TemplateError",
    ),
    "logging.FileHandler": ("logging.StreamHandler",),
    "logging.StreamHandler": ("logging.Handler",),
    "multipart.exceptions.FormParserError": ("builtins.ValueError",),
    "nicegui.App": ("fastapi.FastAPI",),
    "odmantic.EmbeddedModel": ("pydantic.BaseModel",),
    "odmantic.Model": ("pydantic.BaseModel",),
    "openai.AsyncAzureOpenAI": ("openai.AsyncOpenAI",),
    "openai.AzureOpenAI": ("openai.OpenAI",),
    "ormar.Model": ("pydantic.BaseModel",),
    "pathlib.Path": ("pathlib.PurePath",),
    "pathlib.PosixPath": ("pathlib.Path",),
    "pathlib.WindowsPath": ("pathlib.Path",),
    "peewee.MySQLDatabase": ("peewee.Database",),
    "peewee.PostgresqlDatabase": ("peewee.Database",),
    "peewee.SqliteDatabase": ("peewee.Database",),
    "playhouse.pool.PooledMySQLDatabase": ("peewee.MySQLDatabase",),
    "playhouse.pool.PooledPostgresqlDatabase": ("peewee.PostgresqlDatabase",),
    "playhouse.pool.PooledSqliteDatabase": ("peewee.SqliteDatabase",),
    "poplib.POP3_SSL": ("poplib.POP3",),
    "psycopg2.extras.DictCursor": ("psycopg2.extensions.cursor",),
    "psycopg2.extras.NamedTupleCursor": ("psycopg2.extensions.cursor",),
    "psycopg2.extras.RealDictCursor": ("psycopg2.extensions.cursor",),
    "psycopg2.pool.SimpleConnectionPool": ("psycopg2.pool.AbstractConnectionPool",),
    "psycopg2.pool.ThreadedConnectionPool": ("psycopg2.pool.AbstractConnectionPool",),
    "pydantic.generics.GenericModel": ("pydantic.BaseModel",),
    "pydantic.v1.BaseSettings": ("pydantic.v1.BaseModel",),
    "pydantic.v1.ValidationError": ("builtins.ValueError",),
    "pymysql.cursors.DictCursor": ("pymysql.cursors.Cursor",),
    "pymysql.cursors.SSCursor": ("pymysql.cursors.Cursor",),
    "queue.Empty": ("builtins.Exception",),
    "redis.exceptions.ClusterDownError": (
        "redis.exceptions.ClusterError",
        "redis.exceptions.ResponseError",
    ),
    "redis.exceptions.LockError": ("redis.exceptions.RedisError", "builtins.ValueError"),
    "redis_om.HashModel": ("pydantic.BaseModel",),
    "redis_om.JsonModel": ("pydantic.BaseModel",),
    "requests.exceptions.ConnectTimeout": (
        "requests.exceptions.ConnectionError",
        "requests.exceptions.Timeout",
    ),
    "requests.exceptions.ContentDecodingError": (
        "requests.exceptions.RequestException",
        "urllib3.exceptions.HTTPError",
    ),
    "requests.exceptions.InvalidHeader": (
        "requests.exceptions.RequestException",
        "builtins.ValueError",
    ),
    "requests.exceptions.InvalidSchema": (
        "requests.exceptions.RequestException",
        "builtins.ValueError",
    ),
    "requests.exceptions.InvalidURL": (
        "requests.exceptions.RequestException",
        "builtins.ValueError",
    ),
    "requests.exceptions.JSONDecodeError": (
        "requests.exceptions.InvalidJSONError",
        "json.JSONDecodeError",
    ),
    "requests.exceptions.MissingSchema": (
        "requests.exceptions.RequestException",
        "builtins.ValueError",
    ),
    "requests.exceptions.StreamConsumedError": (
        "requests.exceptions.RequestException",
        "builtins.TypeError",
    ),
    "requests_oauthlib.OAuth2Session": ("requests.Session",),
    "slowapi.middleware.SlowAPIMiddleware": ("starlette.middleware.base.BaseHTTPMiddleware",),
    "smtplib.SMTP_SSL": ("smtplib.SMTP",),
    "sqlalchemy.dialects.mysql.Insert": ("sqlalchemy.Insert",),
    "sqlalchemy.dialects.postgresql.Insert": ("sqlalchemy.Insert",),
    "sqlalchemy.dialects.sqlite.Insert": ("sqlalchemy.Insert",),
    "sqlalchemy.engine.CursorResult": ("sqlalchemy.engine.Result",),
    "sqlalchemy.engine.NestedTransaction": ("sqlalchemy.engine.Transaction",),
    "sqlalchemy.engine.RootTransaction": ("sqlalchemy.engine.Transaction",),
    "sqlalchemy.engine.ScalarResult": ("sqlalchemy.engine.result.FilterResult",),
    "sqlalchemy.engine.TwoPhaseTransaction": ("sqlalchemy.engine.RootTransaction",),
    "sqlalchemy.exc.NoSuchColumnError": ("sqlalchemy.exc.InvalidRequestError", "builtins.KeyError"),
    "sqlalchemy.exc.SQLAlchemyError": ("builtins.Exception",),
    "sqlmodel.SQLModel": ("pydantic.BaseModel",),
    "sqlmodel.Session": ("sqlalchemy.orm.Session",),
    "sqlmodel.ext.asyncio.session.AsyncSession": ("sqlalchemy.ext.asyncio.AsyncSession",),
    "sse_starlette.EventSourceResponse": ("starlette.responses.Response",),
    "ssl.SSLCertVerificationError": ("ssl.SSLError", "builtins.ValueError"),
    "starlette.requests.Request": ("starlette.requests.HTTPConnection",),
    "starlette.testclient.TestClient": ("httpx.Client",),
    "starlette.testclient.WebSocketDenialResponse": (
        "httpx.Response",
        "starlette.websockets.WebSocketDisconnect",
    ),
    "starlette.websockets.WebSocket": ("starlette.requests.HTTPConnection",),
    "starlette_context.middleware.ContextMiddleware": (
        "starlette.middleware.base.BaseHTTPMiddleware",
    ),
    "strawberry.fastapi.GraphQLRouter": ("fastapi.APIRouter",),
    "threading.Timer": ("threading.Thread",),
    "tomllib.TOMLDecodeError": ("builtins.ValueError",),
    "tortoise.contrib.pydantic.PydanticModel": ("pydantic.BaseModel",),
    "tortoise.exceptions.DBConnectionError": (
        "tortoise.exceptions.BaseORMException",
        "builtins.ConnectionError",
    ),
    "tortoise.exceptions.ObjectDoesNotExistError": (
        "tortoise.exceptions.OperationalError",
        "builtins.KeyError",
    ),
    "urllib.error.HTTPError": ("urllib.error.URLError",),
    "urllib3.HTTPSConnectionPool": ("urllib3.HTTPConnectionPool",),
    "urllib3.ProxyManager": ("urllib3.PoolManager",),
    "urllib3.exceptions.IncompleteRead": (
        "urllib3.exceptions.HTTPError",
        "http.client.IncompleteRead",
    ),
    "urllib3.exceptions.InvalidChunkLength": (
        "urllib3.exceptions.HTTPError",
        "http.client.IncompleteRead",
    ),
    "urllib3.exceptions.LocationValueError": (
        "builtins.ValueError",
        "urllib3.exceptions.HTTPError",
    ),
    "urllib3.exceptions.NewConnectionError": (
        "urllib3.exceptions.ConnectTimeoutError",
        "urllib3.exceptions.HTTPError",
    ),
    "urllib3.exceptions.ProxySchemeUnknown": (
        "builtins.AssertionError",
        "urllib3.exceptions.URLSchemeUnknown",
    ),
    "urllib3.exceptions.ReadTimeoutError": (
        "urllib3.exceptions.TimeoutError",
        "urllib3.exceptions.RequestError",
    ),
    "urllib3.exceptions.ResponseNotChunked": (
        "urllib3.exceptions.ProtocolError",
        "builtins.ValueError",
    ),
    "websockets.exceptions.ConcurrencyError": (
        "websockets.exceptions.WebSocketException",
        "builtins.RuntimeError",
    ),
    "websockets.exceptions.InvalidState": (
        "websockets.exceptions.WebSocketException",
        "builtins.AssertionError",
    ),
    "yaml.YAMLError": ("builtins.Exception",),
}

#: Class -> its direct bases, all by canonical name.
EXTERNAL_BASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        f"{module}.{name}": (base,)
        for module, families in _FAMILIES.items()
        for base, names in families.items()
        for name in names.split()
    }
    | _SINGLE
)


#: Classes that no other framework has: `company.web.AuditedAPIRouter`, `fastapi_extra.SafeRouter`.
_ROUTERS: Final = re.compile(
    r"(?!fastapi\.)(?:[\w.]+\.\w*API|fastapi_\w+\.(?:\w+\.)*[A-Z]\w*)Router"
)


#: What makes models whose fields are not known: of nothing, or of an ORM's model.
MODEL_MAKERS: Final = frozenset(
    {
        "pydantic.create_model",
        "tortoise.contrib.pydantic.pydantic_model_creator",
        "tortoise.contrib.pydantic.creator.pydantic_model_creator",
        "piccolo.utils.pydantic.create_pydantic_model",
    }
)
#: How the names of such models begin.
MADE_MODEL: Final = "pydantic.create_model()."


def is_of_made_model(value: object) -> bool:
    """Whether a value is an object of a model that `create_model(...)` or the like makes."""
    return isinstance(value, Instance) and is_made_model(value.of)


def is_made_model(value: object) -> bool:
    """Whether a value is a model that `create_model(...)` or the like makes."""
    return isinstance(value, External) and value.name.startswith(MADE_MODEL)


def _told_by_name(name: str) -> tuple[str, ...]:
    """The base that only the name of a class tells, of a library or module that is not here."""
    if name.startswith(MADE_MODEL):
        return ("pydantic.BaseModel",)
    return ("fastapi.APIRouter",) if name.endswith("Router") and _ROUTERS.fullmatch(name) else ()


@cache
def external_mro(name: str) -> tuple[str, ...]:
    """A class and all its known bases, nearest first.

    Parameters:
        name: the canonical name of a class.

    Result: `(name,)` for a class that nothing is known about.
    """
    found = [name]
    for base in EXTERNAL_BASES.get(name) or _told_by_name(name):
        found.extend(each for each in external_mro(base) if each not in found)
    return tuple(found)


def is_subclass(name: str, *bases: str) -> bool:
    """Whether a class is known to be, or to derive from, one of some classes.

    `False` also means that nothing is known about the class.
    """
    mro = external_mro(name)
    return any(base in mro for base in bases)


def is_exception(name: str) -> bool:
    """Whether a class is known to be an exception."""
    return is_subclass(name, "builtins.BaseException")
