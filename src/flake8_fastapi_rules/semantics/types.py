"""Types of what libraries hand out: results of calls, targets of `with`, attributes, objects.

Names on both sides are canonical. Coroutine functions are listed with what awaiting them gives,
and context managers that yield something else with what they yield. A result that may be `None`
as well is listed with its type; one that is anything at all is not listed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.semantics.bases import EXTERNAL_BASES, external_mro
from flake8_fastapi_rules.semantics.names import member_set, name_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _by_name(names_by_type: dict[str, str]) -> dict[str, str]:
    """`{name: type}` from `{type: names}`, the names as `member_set` takes them."""
    return {name: kind for kind, names in names_by_type.items() for name in member_set(names)}


_QUERY_METHODS: Final = """
    add_columns add_entity autoflush correlate distinct enable_assertions enable_eagerloads except_
    execution_options filter filter_by from_statement group_by having intersect join limit offset
    options order_by outerjoin params populate_existing prefix_with reset_joinpoint select_from
    set_label_style slice union union_all where with_entities with_for_update yield_per"""
_SELECT_METHODS: Final = """
    add_columns column correlate distinct except_ execution_options filter filter_by group_by
    having join join_from limit offset options order_by outerjoin outerjoin_from params prefix_with
    select_from slice union union_all where with_for_update with_only_columns"""
_HTTP_METHODS: Final = "delete get head options patch post put request"

#: Function or method -> type of its result. A class's `__call__` and `__getitem__` are results of
#: calling and indexing its objects, `__getattr__` of attributes that it does not define.
RETURNS: Final[Mapping[str, str]] = MappingProxyType(
    _by_name(
        {
            # Builtins and the standard library.
            "builtins.bool": """
                os.path: exists isabs isdir isfile islink ismount samefile;
                os: access;
                pathlib.Path: exists is_dir is_file is_symlink samefile;
                pathlib.PurePath: is_absolute is_relative_to match;
                hmac.compare_digest; secrets.compare_digest;
                builtins: callable hasattr isinstance issubclass all any;
                builtins.str: endswith isalnum isalpha isascii isdecimal isdigit isidentifier
                    islower isnumeric isprintable isspace istitle isupper startswith""",
            "builtins.bytes": """
                base64: b64decode b64encode urlsafe_b64decode urlsafe_b64encode b32encode b16encode
                    standard_b64encode standard_b64decode;
                builtins.str.encode; pathlib.Path.read_bytes; secrets.token_bytes; os.urandom;
                zlib: compress decompress; gzip: compress decompress; io.BufferedReader.read;
                io.BytesIO: getvalue read; typing.BinaryIO: read readline;
                bcrypt: gensalt hashpw; pickle.dumps; builtins.bytes.fromhex;
                zipfile.ZipFile.read; hashlib: pbkdf2_hmac scrypt;
                starlette.requests.Request.body; fastapi.UploadFile.read;
                starlette.datastructures.UploadFile.read;
                starlette.websockets.WebSocket.receive_bytes;
                httpx.Response: read aread; aiohttp.ClientResponse.read""",
            "builtins.dict": """
                jwt.decode; jose.jwt: decode get_unverified_claims get_unverified_header;
                jwt: decode_complete get_unverified_header; jwt.PyJWT: decode decode_complete;
                builtins: globals locals vars; builtins.dict: copy fromkeys;
                dataclasses.asdict; pydantic.BaseModel: model_dump dict model_json_schema;
                urllib.parse.parse_qs; tomllib: load loads""",
            "tortoise.backends.base.client.BaseDBAsyncClient": """
                tortoise.Tortoise.get_connection; tortoise.connections.get""",
            "builtins.float": "time: time monotonic perf_counter; datetime.datetime.timestamp",
            "builtins.int": """
                builtins: hash id len ord; time: time_ns monotonic_ns;
                builtins.str: count find index rfind rindex; os.path.getsize; os.getpid;
                random: randint randrange; secrets: randbelow randbits""",
            "builtins.list": """
                builtins: dir sorted; builtins.str: rsplit split splitlines; os.listdir;
                builtins.list.copy; glob.glob; random.sample;
                sqlalchemy.engine.Result: all fetchall fetchmany;
                sqlalchemy.engine.ScalarResult: all fetchall fetchmany;
                sqlalchemy.engine.MappingResult: all fetchall fetchmany;
                sqlalchemy.orm.Query.all; sqlite3.Cursor: fetchall fetchmany;
                psycopg2.extensions.cursor: fetchall fetchmany; psycopg.Cursor.fetchall;
                psycopg.AsyncCursor.fetchall; asyncpg.Connection.fetch; asyncpg.Pool.fetch;
                pymysql.cursors.Cursor: fetchall fetchmany;
                aiosqlite.Cursor.fetchall; urllib.parse.parse_qsl""",
            "builtins.set": "builtins.set: copy difference intersection union",
            "builtins.str": """
                builtins: ascii bin chr format hex input oct repr;
                builtins.str: capitalize casefold center expandtabs format format_map join ljust
                    lower lstrip removeprefix removesuffix replace rjust rstrip strip swapcase
                    title translate upper zfill;
                builtins.bytes: decode hex; json.dumps; os: getcwd getenv;
                os.path: abspath basename dirname expanduser expandvars join normcase normpath
                    realpath relpath;
                pathlib.Path.read_text; pathlib.PurePath: as_posix as_uri; getpass.getuser;
                secrets: token_hex token_urlsafe;
                hashlib.md5.hexdigest; hashlib.sha1.hexdigest; hashlib.sha224.hexdigest;
                hashlib.sha256.hexdigest; hashlib.sha384.hexdigest; hashlib.sha512.hexdigest;
                hashlib.sha3_256.hexdigest; hashlib.sha3_512.hexdigest; hashlib.blake2b.hexdigest;
                hashlib.blake2s.hexdigest; hashlib.new.hexdigest; hmac.HMAC.hexdigest;
                datetime.datetime: isoformat strftime ctime; datetime.date: isoformat strftime;
                time: strftime ctime; traceback.format_exc;
                urllib.parse: quote quote_plus unquote unquote_plus urlencode urljoin urlunparse;
                html: escape unescape; io.StringIO: getvalue read; io.TextIOWrapper: read readline;
                uuid.UUID.__str__; tempfile: mkdtemp gettempdir mktemp; shutil.copy;
                shutil: copy2 copyfile move make_archive which; textwrap: dedent indent fill;
                jwt.encode; jwt.PyJWT.encode; jose.jwt.encode; joserfc.jwt.encode;
                passlib.context.CryptContext: hash encrypt; pwdlib.PasswordHash.hash;
                argon2.PasswordHasher.hash; passlib.hash.bcrypt.hash; passlib.hash.argon2.hash;
                pydantic.BaseModel: model_dump_json json; pydantic.SecretStr.get_secret_value;
                fastapi.security.OAuth2PasswordBearer.__call__;
                fastapi.security.OAuth2AuthorizationCodeBearer.__call__;
                fastapi.security.OpenIdConnect.__call__;
                fastapi.security.APIKeyCookie.__call__; fastapi.security.APIKeyHeader.__call__;
                fastapi.security.APIKeyQuery.__call__;
                starlette.datastructures.Headers: get __getitem__;
                starlette.datastructures.QueryParams: get __getitem__;
                starlette.websockets.WebSocket.receive_text;
                werkzeug.utils.secure_filename; werkzeug.security.generate_password_hash;
                aiohttp.ClientResponse.text""",
            "builtins.tuple": "os.path: split splitext; builtins.str: partition rpartition",
            "datetime.date": "datetime.date: fromisoformat today; datetime.datetime.date",
            "datetime.datetime": """
                datetime.datetime: astimezone combine fromisoformat fromtimestamp now replace
                    strptime today utcfromtimestamp utcnow""",
            "gzip.GzipFile": "gzip.open",
            "bz2.BZ2File": "bz2.open",
            "lzma.LZMAFile": "lzma.open",
            "hmac.HMAC": "hmac.new",
            "http.client.HTTPResponse": """
                urllib.request.urlopen; http.client.HTTPConnection.getresponse""",
            "io.BufferedRandom": "tempfile: NamedTemporaryFile TemporaryFile; os.fdopen",
            "io.TextIOWrapper": "builtins.open; pathlib.Path.open; codecs.open",
            "PIL.Image.Image": """
                PIL.Image: frombytes fromarray new open;
                PIL.Image.Image: convert copy crop filter resize rotate transform transpose""",
            "pandas.DataFrame": """
                pandas: concat merge read_csv read_excel read_feather read_json read_parquet
                    read_pickle read_sql read_sql_query read_sql_table read_xml;
                pandas.DataFrame: copy dropna fillna from_dict merge pivot_table reset_index
                    sort_values""",
            "pwdlib.PasswordHash": "pwdlib.PasswordHash.recommended",
            "logging.Logger": "logging.getLogger; logging.Logger.getChild",
            "pathlib.Path": """
                pathlib.Path: __rtruediv__ __truediv__ absolute cwd expanduser home joinpath
                    readlink relative_to rename replace resolve with_name with_segments with_stem
                    with_suffix;
                pathlib.Path.parents: __getitem__ __next__;
                pathlib.Path.iterdir.__next__; pathlib.Path.glob.__next__;
                pathlib.Path.rglob.__next__""",
            "pathlib.PurePath": """
                pathlib.PurePath.parents: __getitem__ __next__;
                pathlib.PurePath: __rtruediv__ __truediv__ joinpath relative_to with_name with_stem
                    with_suffix""",
            "duckdb.DuckDBPyConnection": "duckdb: connect cursor; duckdb.DuckDBPyConnection.cursor",
            "re.Match": "re: fullmatch match search; re.Pattern: fullmatch match search",
            "re.Pattern": "re.compile",
            "socket.socket": "socket: create_connection create_server socket",
            "sqlite3.Connection": "sqlite3.connect",
            "sqlite3.Cursor": """
                sqlite3.Connection: cursor execute executemany executescript;
                sqlite3.Cursor: execute executemany executescript""",
            "subprocess.CompletedProcess": "subprocess.run",
            "tarfile.TarFile": "tarfile.open; tarfile.TarFile.open",
            "urllib.parse.ParseResult": "urllib.parse.urlparse",
            "urllib.parse.SplitResult": "urllib.parse.urlsplit",
            "uuid.UUID": "uuid: uuid1 uuid3 uuid4 uuid5 uuid6 uuid7 uuid8",
            "zipfile.ZipExtFile": "zipfile.ZipFile.open",
            # Concurrency.
            "asyncio.AbstractEventLoop": "asyncio: get_event_loop get_running_loop new_event_loop",
            "asyncio.Future": """
                asyncio.AbstractEventLoop.create_future""",
            "asyncio.Task": """
                asyncio: create_task current_task ensure_future;
                asyncio.AbstractEventLoop.create_task; asyncio.TaskGroup.create_task""",
            "asyncio.subprocess.Process": "asyncio: create_subprocess_exec create_subprocess_shell",
            "concurrent.futures.Future": """
                concurrent.futures.Executor.submit; concurrent.futures.ThreadPoolExecutor.submit;
                concurrent.futures.ProcessPoolExecutor.submit; asyncio.run_coroutine_threadsafe""",
            "anyio.AsyncFile": "anyio.open_file; anyio.Path.open",
            "anyio.Path": """
                anyio.Path: __rtruediv__ __truediv__ absolute cwd expanduser home joinpath
                    relative_to rename replace resolve with_name with_stem with_suffix""",
            "anyio.abc.TaskGroup": "anyio.create_task_group",
            # FastAPI and Starlette.
            "fastapi.FastAPI": "fastapi_offline.FastAPIOffline",
            "fastapi.security.HTTPAuthorizationCredentials": """
                fastapi.security.HTTPBearer.__call__; fastapi.security.HTTPDigest.__call__""",
            "fastapi.security.HTTPBasicCredentials": "fastapi.security.HTTPBasic.__call__",
            "starlette.datastructures.FormData": "starlette.requests.Request.form",
            "starlette.datastructures.URL": """
                starlette.requests.HTTPConnection.url_for;
                starlette.datastructures.URL: include_query_params remove_query_params replace
                    replace_query_params""",
            "starlette.datastructures.URLPath": """
                fastapi.FastAPI.url_path_for; fastapi.APIRouter.url_path_for""",
            "starlette.responses.HTMLResponse": """
                starlette.templating.Jinja2Templates.TemplateResponse;
                fastapi.openapi.docs: get_redoc_html get_swagger_ui_html""",
            "starlette.testclient.WebSocketTestSession": """
                starlette.testclient.TestClient.websocket_connect""",
            # SQLAlchemy and SQLModel.
            "sqlalchemy.engine.Engine": """
                sqlalchemy: create_engine engine_from_config;
                sqlalchemy.engine.Engine.execution_options""",
            "sqlalchemy.engine.Connection": """
                sqlalchemy.engine.Engine: begin connect;
                sqlalchemy.engine.Connection.execution_options;
                sqlalchemy.orm.Session.connection; sqlalchemy.orm.scoped_session.connection""",
            "sqlalchemy.engine.CursorResult": """
                sqlalchemy.engine.Connection: exec_driver_sql execute;
                sqlalchemy.ext.asyncio.AsyncConnection: exec_driver_sql execute""",
            "sqlalchemy.engine.Result": """
                sqlalchemy.orm.Session.execute; sqlalchemy.orm.scoped_session.execute;
                sqlalchemy.ext.asyncio.AsyncSession.execute;
                sqlalchemy.ext.asyncio.async_scoped_session.execute;
                sqlalchemy.engine.Result: columns freeze unique yield_per""",
            "sqlalchemy.engine.ScalarResult": """
                sqlalchemy.orm.Session.scalars; sqlalchemy.orm.scoped_session.scalars;
                sqlalchemy.ext.asyncio.AsyncSession.scalars;
                sqlalchemy.ext.asyncio.async_scoped_session.scalars;
                sqlalchemy.ext.asyncio.AsyncConnection.scalars;
                sqlalchemy.engine.Connection.scalars; sqlalchemy.engine.Result.scalars;
                sqlalchemy.engine.ScalarResult: unique yield_per;
                sqlmodel.Session.exec; sqlmodel.ext.asyncio.session.AsyncSession.exec""",
            "sqlalchemy.engine.MappingResult": """
                sqlalchemy.engine.Result.mappings; sqlalchemy.engine.MappingResult: unique""",
            "sqlalchemy.engine.Transaction": """
                sqlalchemy.engine.Connection: begin begin_nested""",
            "sqlalchemy.ext.asyncio.AsyncConnection": """
                sqlalchemy.ext.asyncio.AsyncEngine: begin connect;
                sqlalchemy.ext.asyncio.AsyncConnection.execution_options;
                sqlalchemy.ext.asyncio.AsyncSession.connection""",
            "sqlalchemy.ext.asyncio.AsyncEngine": """
                sqlalchemy.ext.asyncio: async_engine_from_config create_async_engine""",
            "sqlalchemy.ext.asyncio.AsyncResult": """
                sqlalchemy.ext.asyncio.AsyncSession.stream;
                sqlalchemy.ext.asyncio.AsyncConnection.stream""",
            "sqlalchemy.ext.asyncio.AsyncScalarResult": """
                sqlalchemy.ext.asyncio.AsyncSession.stream_scalars;
                sqlalchemy.ext.asyncio.AsyncResult.scalars""",
            "sqlalchemy.ext.asyncio.AsyncSession": """
                sqlalchemy.ext.asyncio.async_sessionmaker: __call__ begin;
                sqlalchemy.ext.asyncio.async_scoped_session.__call__""",
            "sqlalchemy.ext.asyncio.AsyncSessionTransaction": """
                sqlalchemy.ext.asyncio.AsyncSession: begin begin_nested""",
            "sqlalchemy.orm.Query": f"""
                sqlalchemy.orm.Session.query; sqlalchemy.orm.scoped_session.query;
                sqlalchemy.orm.Query: {_QUERY_METHODS}""",
            "sqlalchemy.orm.Session": """
                sqlalchemy.orm.sessionmaker: __call__ begin;
                sqlalchemy.orm.scoped_session.__call__""",
            "sqlalchemy.orm.SessionTransaction": """
                sqlalchemy.orm.Session: begin begin_nested;
                sqlalchemy.orm.scoped_session: begin begin_nested""",
            "sqlalchemy.Select": f"""
                sqlalchemy.select; sqlmodel.select; sqlalchemy.Select: {_SELECT_METHODS}""",
            "sqlalchemy.Insert": """
                sqlalchemy.insert; sqlalchemy.Table.insert;
                sqlalchemy.Insert: from_select returning values execution_options prefix_with""",
            "sqlalchemy.dialects.mysql.Insert": """
                sqlalchemy.dialects.mysql.insert; sqlalchemy.dialects.mysql.Insert:
                    execution_options from_select on_duplicate_key_update prefix_with values""",
            "sqlalchemy.dialects.postgresql.Insert": """
                sqlalchemy.dialects.postgresql.insert; sqlalchemy.dialects.postgresql.Insert:
                    execution_options from_select on_conflict_do_nothing on_conflict_do_update
                    prefix_with returning values""",
            "sqlalchemy.dialects.sqlite.Insert": """
                sqlalchemy.dialects.sqlite.insert; sqlalchemy.dialects.sqlite.Insert:
                    execution_options from_select on_conflict_do_nothing on_conflict_do_update
                    prefix_with returning values""",
            "sqlalchemy.Update": """
                sqlalchemy.update; sqlalchemy.Table.update;
                sqlalchemy.Update: execution_options returning values where""",
            "sqlalchemy.Delete": """
                sqlalchemy.delete; sqlalchemy.Table.delete;
                sqlalchemy.Delete: execution_options returning where""",
            "sqlalchemy.TextClause": """
                sqlalchemy.text; sqlalchemy.TextClause: bindparams execution_options""",
            # Database drivers.
            "aiomysql.Connection": "aiomysql.connect; aiomysql.Pool.acquire",
            "aiomysql.Cursor": "aiomysql.Connection.cursor",
            "aiomysql.Pool": "aiomysql.create_pool",
            "aiosqlite.Connection": "aiosqlite.connect",
            "aiosqlite.Cursor": """
                aiosqlite.Connection: cursor execute executemany executescript""",
            "asyncpg.Connection": "asyncpg.connect; asyncpg.Pool.acquire",
            "asyncpg.Pool": "asyncpg.create_pool",
            "mysql.connector.abstracts.MySQLConnectionAbstract": """
                mysql.connector: connect;
                mysql.connector.pooling.MySQLConnectionPool.get_connection""",
            "mysql.connector.abstracts.MySQLCursorAbstract": """
                mysql.connector.abstracts.MySQLConnectionAbstract.cursor""",
            "psycopg.AsyncConnection": """
                psycopg.AsyncConnection.connect; psycopg_pool.AsyncConnectionPool: connection
                getconn""",
            "psycopg.AsyncCursor": """
                psycopg.AsyncConnection: cursor execute; psycopg.AsyncCursor.execute""",
            "psycopg.Connection": """
                psycopg.connect; psycopg.Connection.connect;
                psycopg_pool.ConnectionPool: connection getconn""",
            "psycopg.Cursor": "psycopg.Connection: cursor execute; psycopg.Cursor.execute",
            "psycopg2.extensions.connection": """
                psycopg2.connect; psycopg2.pool.SimpleConnectionPool.getconn;
                psycopg2.pool.ThreadedConnectionPool.getconn""",
            "psycopg2.extensions.cursor": "psycopg2.extensions.connection.cursor",
            "pymysql.connections.Connection": "pymysql.connect",
            "pymysql.cursors.Cursor": "pymysql.connections.Connection.cursor",
            "pyodbc.Connection": "pyodbc.connect",
            "pyodbc.Cursor": "pyodbc.Connection: cursor execute; pyodbc.Cursor.execute",
            # MongoDB.
            "motor.motor_asyncio.AsyncIOMotorCollection": """
                motor.motor_asyncio.AsyncIOMotorDatabase: __getattr__ __getitem__ get_collection
                    create_collection""",
            "motor.motor_asyncio.AsyncIOMotorDatabase": """
                motor.motor_asyncio.AsyncIOMotorClient: __getattr__ __getitem__ get_database
                    get_default_database""",
            "pymongo.asynchronous.collection.AsyncCollection": """
                pymongo.asynchronous.database.AsyncDatabase: __getattr__ __getitem__
                    get_collection create_collection""",
            "pymongo.asynchronous.database.AsyncDatabase": """
                pymongo.AsyncMongoClient: __getattr__ __getitem__ get_database
                    get_default_database""",
            "pymongo.collection.Collection": """
                pymongo.database.Database: __getattr__ __getitem__ get_collection
                    create_collection""",
            "pymongo.cursor.Cursor": """
                pymongo.collection.Collection: find; pymongo.cursor.Cursor: limit skip sort""",
            "pymongo.database.Database": """
                pymongo.MongoClient: __getattr__ __getitem__ get_database get_default_database""",
            # Redis and caches.
            "redis.Redis": "redis.from_url; redis.Redis.from_url; redis.RedisCluster.from_url",
            "redis.client.Pipeline": "redis.Redis.pipeline",
            "redis.asyncio.Redis": """
                redis.asyncio.from_url; redis.asyncio.Redis.from_url;
                redis.asyncio.RedisCluster.from_url""",
            "redis.asyncio.client.Pipeline": "redis.asyncio.Redis.pipeline",
            "redis.ConnectionPool": "redis.ConnectionPool.from_url",
            "redis.asyncio.ConnectionPool": """
                redis.asyncio.ConnectionPool.from_url;
                redis.asyncio.BlockingConnectionPool.from_url""",
            "aiocache.base.BaseCache": "aiocache.Cache; aiocache.Cache.from_url",
            # HTTP clients.
            "aiohttp.ClientResponse": f"""
                aiohttp.ClientSession: {_HTTP_METHODS}; aiohttp.request""",
            "httpx.Response": f"""
                httpx: {_HTTP_METHODS} stream; httpx.Client: {_HTTP_METHODS} send stream;
                httpx.AsyncClient: {_HTTP_METHODS} send stream;
                starlette.testclient.TestClient: {_HTTP_METHODS}""",
            "requests.Response": f"""
                requests: {_HTTP_METHODS}; requests.Session: {_HTTP_METHODS} send""",
            "requests.Session": "requests.session",
            "urllib3.BaseHTTPResponse": """
                urllib3.request; urllib3.PoolManager: request urlopen;
                urllib3.HTTPConnectionPool: request urlopen;
                urllib3.ProxyManager: request urlopen""",
            # Cloud.
            "clickhouse_connect.driver.client.Client": "clickhouse_connect.get_client",
            "clickhouse_connect.driver.asyncclient.AsyncClient": """
                clickhouse_connect.get_async_client""",
            "supabase.AsyncClient": "supabase: acreate_client create_async_client",
            "supabase.Client": "supabase.create_client",
            "botocore.client.BaseClient": "boto3.client; boto3.Session.client",
            "boto3.resources.base.ServiceResource": "boto3.resource; boto3.Session.resource",
            "google.cloud.storage.Bucket": """
                google.cloud.storage.Client: bucket get_bucket create_bucket""",
            "google.cloud.storage.Blob": "google.cloud.storage.Bucket: blob get_blob",
            "paramiko.SFTPClient": """
                paramiko.SSHClient.open_sftp; paramiko.SFTPClient.from_transport""",
            # Logging.
            "loguru.logger": "loguru.logger: bind opt patch",
            "structlog.stdlib.BoundLogger": """
                structlog: get_logger wrap_logger; structlog.stdlib.get_logger;
                structlog.stdlib.BoundLogger: bind new try_unbind unbind""",
            # Schedulers, tokens, templates.
            "apscheduler.job.Job": """
                apscheduler.schedulers.base.BaseScheduler: add_job get_job modify_job""",
            "jinja2.Template": "jinja2.Environment: from_string get_template",
        }
    )
)

#: Class of an object in a `with` -> class of what `as` binds, where it is not the object itself.
ENTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aiohttp.ClientSession.ws_connect": "aiohttp.ClientWebSocketResponse",
        "concurrent.futures.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
        "psycopg2.pool.AbstractConnectionPool": "psycopg2.pool.AbstractConnectionPool",
        "sqlalchemy.engine.Transaction": "sqlalchemy.engine.Transaction",
        "tempfile.TemporaryDirectory": "builtins.str",
    }
)

#: `class.attribute` -> type of its value.
ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    _by_name(
        {
            "builtins.bytes": "httpx.Response.content; requests.Response.content",
            "builtins.dict": """
                fastapi.FastAPI: dependency_overrides exception_handlers;
                starlette.requests.HTTPConnection: cookies path_params session;
                starlette.applications.Starlette.exception_handlers;
                pydantic.BaseModel: model_fields __dict__""",
            "builtins.int": """
                fastapi.UploadFile.size; starlette.datastructures.UploadFile.size;
                starlette.responses.Response.status_code; httpx.Response.status_code;
                requests.Response.status_code; aiohttp.ClientResponse.status;
                starlette.exceptions.HTTPException.status_code;
                starlette.websockets.WebSocketDisconnect.code;
                datetime.date: day month year; datetime.datetime: hour minute second""",
            "builtins.list": """
                fastapi.FastAPI: routes user_middleware; fastapi.APIRouter: routes dependencies;
                fastapi.security.SecurityScopes.scopes;
                fastapi.security.OAuth2PasswordRequestForm.scopes""",
            "builtins.str": """
                fastapi.UploadFile: content_type filename;
                starlette.datastructures.UploadFile: content_type filename;
                fastapi.security.HTTPAuthorizationCredentials: credentials scheme;
                fastapi.security.HTTPBasicCredentials: password username;
                fastapi.security.OAuth2PasswordRequestForm: client_id client_secret grant_type
                    password username;
                fastapi.security.SecurityScopes.scope_str;
                pathlib.PurePath: name stem suffix;
                starlette.datastructures.Address.host;
                starlette.datastructures.URL: fragment hostname netloc password path query scheme
                    username;
                starlette.requests.Request.method;
                httpx.Response.text; requests.Response.text; uuid.UUID: hex urn""",
            "fastapi.APIRouter": "fastapi.FastAPI.router",
            "fastapi.FastAPI": """
                starlette.requests.HTTPConnection.app; starlette.testclient.TestClient.app""",
            "fastapi.FastAPI.webhooks": "fastapi.FastAPI.webhooks",
            "httpx.Headers": """
                httpx.Response.headers; httpx.Client.headers; httpx.AsyncClient.headers""",
            "pathlib.Path": "pathlib.Path.parent",
            "pathlib.Path.parents": "pathlib.Path.parents",
            "pathlib.PurePath": "pathlib.PurePath.parent",
            "pathlib.PurePath.parents": "pathlib.PurePath.parents",
            "sqlalchemy.Table": """
                sqlalchemy.orm.DeclarativeBase.__table__; sqlmodel.SQLModel.__table__""",
            "sqlalchemy.engine.Engine": "sqlalchemy.ext.asyncio.AsyncEngine.sync_engine",
            "sqlalchemy.ext.asyncio.AsyncSession": "fastapi_async_sqlalchemy.db.session",
            "sqlalchemy.orm.Session": """
                fastapi_sqlalchemy.db.session; sqlalchemy.ext.asyncio.AsyncSession.sync_session""",
            "starlette.datastructures.Address": "starlette.requests.HTTPConnection.client",
            "starlette.datastructures.Headers": """
                starlette.requests.HTTPConnection.headers; fastapi.UploadFile.headers;
                starlette.datastructures.UploadFile.headers""",
            "starlette.datastructures.MutableHeaders": "starlette.responses.Response.headers",
            "starlette.datastructures.QueryParams": """
                starlette.requests.HTTPConnection.query_params""",
            "starlette.datastructures.State": """
                fastapi.FastAPI.state; starlette.applications.Starlette.state;
                starlette.requests.HTTPConnection.state""",
            "starlette.datastructures.URL": """
                starlette.requests.HTTPConnection: base_url url""",
            "typing.BinaryIO": "fastapi.UploadFile.file; starlette.datastructures.UploadFile.file",
        }
    )
)

#: Objects that libraries have at module level -> their class.
OBJECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fastapi.logger.logger": "logging.Logger",
        "logging.root": "logging.Logger",
        "loguru.logger": "loguru.logger",
        "nicegui.app": "nicegui.App",
        "sys.stderr": "io.TextIOWrapper",
        "sys.stdin": "io.TextIOWrapper",
        "sys.stdout": "io.TextIOWrapper",
        "uvicorn.main.logger": "logging.Logger",
    }
)

#: Factory class -> keyword that names the class of what its objects make. A `sessionmaker` with
#: `class_=AsyncSession` makes async sessions.
PRODUCT_ARGUMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sqlalchemy.ext.asyncio.async_sessionmaker": "class_",
        "sqlalchemy.orm.sessionmaker": "class_",
    }
)

_OTHER_CLASSES: Final = name_set(
    """
    aiohttp.ClientSession aiohttp.ClientTimeout aiohttp.TCPConnector aiosmtplib.SMTP
    anthropic.Anthropic anthropic.AsyncAnthropic argon2.PasswordHasher
    asgi_correlation_id.CorrelationIdMiddleware asyncio.Condition asyncio.Event asyncio.Lock
    asyncio.LifoQueue asyncio.PriorityQueue asyncio.Queue asyncio.Semaphore
    asyncio.BoundedSemaphore asyncio.TaskGroup authlib.jose.JsonWebToken boto3.Session
    builtins.bytearray builtins.bytes builtins.complex builtins.dict builtins.float
    builtins.frozenset builtins.int builtins.list builtins.memoryview builtins.object
    builtins.range builtins.set builtins.str builtins.tuple cachetools.LRUCache
    cachetools.TTLCache celery.Celery collections.deque contextlib.AsyncExitStack
    contextlib.ExitStack contextvars.ContextVar cryptography.fernet.Fernet datetime.date
    datetime.time datetime.timedelta datetime.timezone decimal.Decimal
    elasticsearch.AsyncElasticsearch elasticsearch.Elasticsearch enum.Enum fastapi.APIRouter
    fastapi.BackgroundTasks fastapi.FastAPI fastapi.security.OAuth2PasswordRequestForm
    fastapi.security.SecurityScopes fractions.Fraction ftplib.FTP ftplib.FTP_TLS
    google.cloud.storage.Client httpx.AsyncClient httpx.AsyncHTTPTransport httpx.ASGITransport
    httpx.Client httpx.Cookies httpx.HTTPTransport httpx.Headers httpx.Limits httpx.MockTransport
    httpx.QueryParams httpx.Request httpx.Timeout httpx.URL imaplib.IMAP4 imaplib.IMAP4_SSL
    io.BytesIO io.StringIO jinja2.Environment jwt.PyJWKClient jwt.PyJWT kafka.KafkaConsumer
    kafka.KafkaProducer limits.storage.MemoryStorage logging.Logger logging.LoggerAdapter
    motor.motor_asyncio.AsyncIOMotorClient multiprocessing.Process openai.AsyncOpenAI
    openai.OpenAI paramiko.SSHClient passlib.context.CryptContext pathlib.PurePath
    poplib.POP3 poplib.POP3_SSL psycopg_pool.AsyncConnectionPool psycopg_pool.ConnectionPool
    pwdlib.PasswordHash pydantic.BaseModel pydantic.SecretBytes pydantic.SecretStr
    pydantic.TypeAdapter pymongo.AsyncMongoClient pymongo.MongoClient queue.Queue
    redis.ConnectionPool redis.Redis redis.RedisCluster redis.asyncio.ConnectionPool
    redis.asyncio.Redis redis.asyncio.RedisCluster requests.Request requests.Session
    slowapi.Limiter smtplib.SMTP smtplib.SMTP_SSL sqlalchemy.Column sqlalchemy.ForeignKey
    sqlalchemy.MetaData sqlalchemy.Table sqlalchemy.engine.URL
    sqlalchemy.ext.asyncio.AsyncConnection sqlalchemy.ext.asyncio.AsyncEngine
    sqlalchemy.ext.asyncio.AsyncSession sqlalchemy.ext.asyncio.async_scoped_session
    sqlalchemy.ext.asyncio.async_sessionmaker sqlalchemy.orm.DeclarativeBase
    sqlalchemy.orm.Session sqlalchemy.orm.scoped_session sqlalchemy.orm.sessionmaker
    starlette.applications.Starlette starlette.background.BackgroundTask
    starlette.config.Config starlette.datastructures.State starlette.datastructures.URL
    starlette.datastructures.UploadFile starlette.middleware.Middleware
    starlette.middleware.authentication.AuthenticationMiddleware
    starlette.middleware.base.BaseHTTPMiddleware starlette.middleware.cors.CORSMiddleware
    starlette.middleware.errors.ServerErrorMiddleware
    starlette.middleware.exceptions.ExceptionMiddleware
    starlette.middleware.gzip.GZipMiddleware
    starlette.middleware.httpsredirect.HTTPSRedirectMiddleware
    starlette.middleware.sessions.SessionMiddleware
    starlette.middleware.trustedhost.TrustedHostMiddleware
    starlette.middleware.wsgi.WSGIMiddleware starlette.responses.Response
    starlette.routing.BaseRoute starlette.routing.Router starlette.staticfiles.StaticFiles
    starlette.templating.Jinja2Templates stripe.StripeClient subprocess.Popen
    tempfile.SpooledTemporaryFile tempfile.TemporaryDirectory threading.Condition threading.Event
    threading.Lock threading.RLock threading.Semaphore threading.Thread tortoise.models.Model
    types.SimpleNamespace typing.BinaryIO typing.NamedTuple typing.TextIO typing.TypedDict
    urllib3.HTTPConnectionPool urllib3.PoolManager urllib.request.Request weakref.WeakSet
    weakref.WeakValueDictionary zipfile.ZipFile"""
)


def _bases(classes: Iterable[str]) -> frozenset[str]:
    return frozenset(base for each in classes for base in external_mro(each))


#: Canonical names that are classes, so that calling one makes an object of it.
CLASSES: Final[frozenset[str]] = (
    frozenset(EXTERNAL_BASES)
    | _bases(EXTERNAL_BASES)
    | _OTHER_CLASSES
    | frozenset(RETURNS.values())
    | frozenset(ATTRIBUTES.values())
) - {"boto3.client", "boto3.resource", "fastapi.FastAPI.webhooks", "loguru.logger"}


def result_type(function: str) -> str | None:
    """The type that calling a function or method gives, bases of the class included."""
    found = RETURNS.get(function)
    if found is None and "." in function:
        owner, _, member = function.rpartition(".")
        for base in external_mro(owner)[1:]:
            if (found := RETURNS.get(f"{base}.{member}")) is not None:
                break
    return found


def attribute_type(cls: str, attribute: str) -> str | None:
    """The type of an attribute of a class's objects, bases and `__getattr__` included."""
    mro = external_mro(cls)
    for base in mro:
        if (found := ATTRIBUTES.get(f"{base}.{attribute}")) is not None:
            return found
    if attribute.startswith("__"):
        return None
    for base in mro:
        if (found := RETURNS.get(f"{base}.__getattr__")) is not None:
            return found
    return None
