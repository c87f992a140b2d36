"""What calls into libraries do: block, write, open, hand over to a thread, start a task, ...

Everything goes by canonical name (`names.canonical`). Methods are listed with the class that
defines them; the functions below the tables look through bases (`sqlmodel.Session.add` is
`sqlalchemy.orm.Session.add`). Names in `member_set`'s notation are grouped by library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from flake8_fastapi_rules.semantics.bases import external_mro
from flake8_fastapi_rules.semantics.names import member_set, name_set

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")


def spellings(name: str) -> tuple[str, ...]:
    """A name and the names it has in the bases of the classes it goes through, nearest first.

    `sqlmodel.Session.add` gives itself and `sqlalchemy.orm.Session.add`.
    """
    found = [name]
    end = name.rfind(".")
    while end > 0:
        for base in external_mro(name[:end])[1:]:
            other = base + name[end:]
            if other not in found:
                found.append(other)
        end = name.rfind(".", 0, end)
    return tuple(found)


def is_in(name: str, table: Collection[str]) -> bool:
    """Whether a table of names has a name, under one of its spellings."""
    return any(spelling in table for spelling in spellings(name))


def entry(name: str, table: Mapping[str, T]) -> T | None:
    """What a table says of a name, under the first of its spellings that it knows."""
    for spelling in spellings(name):
        if (found := table.get(spelling)) is not None:
            return found
    return None


# -- blocking calls -----------------------------------------------------------------------------


class Category(Enum):
    """Kinds of blocking calls; the value is a phrase for messages."""

    HTTP = "HTTP request"
    SLEEP = "sleep"
    INPUT = "terminal input"
    PROCESS = "subprocess"
    FILE = "file access"
    DATABASE = "database access"
    REDIS = "Redis command"
    CLOUD = "cloud service call"
    MAIL = "mail server call"
    NETWORK = "network access"
    BROKER = "message broker call"
    WAIT = "wait for a thread"


@dataclass(frozen=True, slots=True)
class Blocking:
    """Why and how a call blocks.

    Parameters:
        category: what it waits for.
        library: its library, as the project's own name spells it.
        instead: the asynchronous thing to use, as code or a short phrase.
        is_brief: it asks the file system for metadata only, or does what is over in a moment.
    """

    category: Category
    library: str
    instead: str
    is_brief: bool = False


_THREAD: Final = "run_in_threadpool"
_HTTP_VERBS: Final = "delete get head options patch post put request"
_CURSOR: Final = "callproc execute executemany fetchall fetchmany fetchone"
#: What anyio has under the same names.
_TEMPORARY: Final = "NamedTemporaryFile TemporaryDirectory TemporaryFile mkdtemp mkstemp"
_FILE_METHODS: Final = "flush read readline readlines truncate write writelines"

_SLEEP = Blocking(Category.SLEEP, "time", "asyncio.sleep")
_FILE = Blocking(Category.FILE, "builtins", "anyio.open_file")
_OS = Blocking(Category.FILE, "os", _THREAD)
_OS_BRIEF = Blocking(Category.FILE, "os", _THREAD, is_brief=True)
_PATH = Blocking(Category.FILE, "pathlib", "anyio.Path")
_PATH_BRIEF = Blocking(Category.FILE, "pathlib", "anyio.Path", is_brief=True)
_PROCESS = Blocking(Category.PROCESS, "subprocess", "asyncio.create_subprocess_exec")

# What blocks -> names.
_BLOCKING: Final[tuple[tuple[Blocking, str], ...]] = (
    (_SLEEP, "time.sleep"),
    (
        Blocking(Category.INPUT, "builtins", _THREAD),
        """
        builtins.input; getpass.getpass; click: confirm prompt; typer: confirm prompt;
        rich.prompt: Confirm.ask FloatPrompt.ask IntPrompt.ask Prompt.ask""",
    ),
    # HTTP.
    (
        Blocking(Category.HTTP, "requests", "httpx.AsyncClient"),
        f"requests: {_HTTP_VERBS}; requests.Session: {_HTTP_VERBS} send",
    ),
    (
        Blocking(Category.HTTP, "httpx", "httpx.AsyncClient"),
        f"httpx: {_HTTP_VERBS} stream; httpx.Client: {_HTTP_VERBS} send stream",
    ),
    (
        Blocking(Category.HTTP, "urllib", "httpx.AsyncClient"),
        """
        urllib.request: urlopen urlretrieve; urllib.request.OpenerDirector.open;
        http.client.HTTPConnection: connect getresponse request;
        http.client.HTTPSConnection: connect getresponse request""",
    ),
    (
        Blocking(Category.HTTP, "urllib3", "httpx.AsyncClient"),
        """
        urllib3.request; urllib3.PoolManager: request request_encode_body request_encode_url
            urlopen;
        urllib3.HTTPConnectionPool: request urlopen""",
    ),
    # Processes.
    (
        _PROCESS,
        """
        subprocess: call check_call check_output getoutput getstatusoutput run;
        subprocess.Popen: communicate wait; os: popen spawnl spawnle spawnlp spawnlpe spawnv
            spawnve spawnvp spawnvpe system wait wait3 wait4 waitid waitpid;
        git.Repo: clone_from; git.Repo.clone; plumbum.local""",
    ),
    (
        Blocking(Category.PROCESS, "subprocess", "asyncio.create_subprocess_exec", is_brief=True),
        "subprocess.Popen",
    ),
    # Files.
    (
        _FILE,
        f"""
        builtins.open; codecs.open; gzip.open; bz2.open; lzma.open; os.fdopen;
        io.TextIOWrapper: {_FILE_METHODS}; io.BufferedReader: {_FILE_METHODS};
        io.BufferedWriter: {_FILE_METHODS}; io.BufferedRandom: {_FILE_METHODS};
        io.FileIO: {_FILE_METHODS}; gzip.GzipFile: {_FILE_METHODS};
        bz2.BZ2File: read readline readlines write; lzma.LZMAFile: read readline write""",
    ),
    (
        # The file behind an upload; the upload's own methods are asynchronous.
        Blocking(Category.FILE, "UploadFile.file", "await upload.read()"),
        "typing.BinaryIO: read readline readlines write writelines",
    ),
    (
        _PATH,
        """
        pathlib.Path: copy copy_into mkdir move open read_bytes read_text rename replace rmdir
            symlink_to touch unlink write_bytes write_text hardlink_to""",
    ),
    (
        _PATH_BRIEF,
        """
        pathlib.Path: chmod exists expanduser glob group is_block_device is_char_device is_dir
            is_fifo is_file is_junction is_mount is_socket is_symlink iterdir lchmod lstat owner
            readlink resolve rglob samefile stat walk""",
    ),
    (
        Blocking(Category.FILE, "shutil", _THREAD),
        """
        shutil: chown copy copy2 copyfile copyfileobj copytree make_archive move rmtree
            unpack_archive""",
    ),
    (
        _OS,
        """
        os: fdatasync fsync link listdir makedirs mkdir open read remove removedirs rename renames
            replace rmdir scandir sendfile symlink truncate unlink walk write;
        glob.glob; configparser.ConfigParser.read; shelve.open; dbm.open;
        linecache: getline getlines; fileinput.input""",
    ),
    (
        _OS_BRIEF,
        """
        os: access chmod chown lstat readlink stat statvfs utime;
        os.path: exists getatime getctime getmtime getsize isdir isfile islink ismount lexists
            realpath samefile; shutil: disk_usage which; glob.iglob""",
    ),
    *(
        (Blocking(Category.FILE, "tempfile", f"anyio.{name}"), f"tempfile.{name}")
        for name in _TEMPORARY.split()
    ),
    (
        Blocking(Category.FILE, "zipfile", _THREAD),
        "zipfile.ZipFile; zipfile.ZipFile: extract extractall testzip write; shutil.unpack_archive",
    ),
    (
        Blocking(Category.FILE, "tarfile", _THREAD),
        "tarfile.open; tarfile.TarFile: add extract extractall open",
    ),
    # Databases: SQLAlchemy, SQLModel.
    (
        Blocking(Category.DATABASE, "sqlalchemy", "AsyncSession"),
        """
        sqlalchemy.orm.Session: bulk_insert_mappings bulk_save_objects bulk_update_mappings commit
            connection execute flush get get_one merge merge_all refresh rollback scalar scalars;
        sqlalchemy.orm.scoped_session: bulk_insert_mappings bulk_save_objects
            bulk_update_mappings commit connection execute flush get get_one merge refresh
            rollback scalar scalars;
        sqlmodel.Session.exec;
        sqlalchemy.orm.Query: all count delete first get one one_or_none scalar update""",
    ),
    (
        Blocking(Category.DATABASE, "sqlalchemy", "create_async_engine"),
        """
        sqlalchemy.engine.Engine: begin connect raw_connection;
        sqlalchemy.engine.Connection: commit exec_driver_sql execute rollback scalar scalars;
        sqlalchemy.MetaData: create_all drop_all reflect;
        sqlmodel.SQLModel.metadata: create_all drop_all reflect;
        sqlalchemy.orm.DeclarativeBase.metadata: create_all drop_all reflect;
        sqlalchemy.orm.declarative_base.metadata: create_all drop_all reflect;
        sqlalchemy.Table: create drop""",
    ),
    # Databases: drivers.
    (
        Blocking(Category.DATABASE, "sqlite3", "aiosqlite"),
        """
        sqlite3.connect; sqlite3.Connection: backup commit execute executemany executescript
            iterdump rollback;
        sqlite3.Cursor: execute executemany executescript fetchall fetchmany fetchone""",
    ),
    (
        Blocking(Category.DATABASE, "psycopg2", "psycopg.AsyncConnection"),
        f"""
        psycopg2.connect; psycopg2.extensions.connection: commit rollback;
        psycopg2.extensions.cursor: {_CURSOR} copy_expert copy_from copy_to;
        psycopg2.extras: execute_batch execute_values;
        psycopg2.pool.SimpleConnectionPool.getconn;
        psycopg2.pool.ThreadedConnectionPool.getconn""",
    ),
    (
        Blocking(Category.DATABASE, "psycopg", "psycopg.AsyncConnection"),
        """
        psycopg.connect; psycopg.Connection: commit connect execute rollback;
        psycopg.Cursor: copy execute executemany fetchall fetchmany fetchone stream;
        psycopg_pool.ConnectionPool: connection getconn wait""",
    ),
    (
        Blocking(Category.DATABASE, "pymysql", "aiomysql"),
        f"""
        pymysql.connect; pymysql.connections.Connection: begin commit ping query rollback;
        pymysql.cursors.Cursor: {_CURSOR};
        MySQLdb.connect; MySQLdb.connections.Connection: commit cursor query rollback""",
    ),
    (
        Blocking(Category.DATABASE, "mysql.connector", "mysql.connector.aio"),
        """
        mysql.connector.connect;
        mysql.connector.abstracts.MySQLConnectionAbstract: commit ping reconnect rollback;
        mysql.connector.abstracts.MySQLCursorAbstract: callproc execute executemany fetchall
            fetchmany fetchone;
        mysql.connector.pooling.MySQLConnectionPool: get_connection""",
    ),
    (
        Blocking(Category.DATABASE, "pyodbc", "aioodbc"),
        """
        pyodbc.connect; pyodbc.Connection: commit execute rollback;
        pyodbc.Cursor: execute executemany fetchall fetchmany fetchone fetchval""",
    ),
    (
        Blocking(Category.DATABASE, "oracledb", "oracledb.connect_async"),
        """
        oracledb.connect; oracledb.Connection: commit rollback;
        oracledb.Cursor: execute executemany fetchall fetchmany fetchone; cx_Oracle.connect""",
    ),
    (
        Blocking(Category.DATABASE, "duckdb", _THREAD),
        "duckdb: connect execute query sql; duckdb.DuckDBPyConnection: execute query sql",
    ),
    (Blocking(Category.DATABASE, "snowflake", _THREAD), "snowflake.connector.connect"),
    (
        Blocking(Category.DATABASE, "clickhouse", "clickhouse_connect.get_async_client"),
        """
        clickhouse_connect.get_client; clickhouse_driver.Client: execute execute_iter
            query_dataframe""",
    ),
    (Blocking(Category.DATABASE, "pymssql", _THREAD), "pymssql.connect"),
    (
        Blocking(Category.DATABASE, "peewee", _THREAD),
        """
        peewee.Model: bulk_create bulk_update create delete_by_id delete_instance get get_by_id
            get_or_create get_or_none save set_by_id truncate_table;
        peewee.Database: commit connect create_tables drop_tables execute execute_sql rollback""",
    ),
    (
        Blocking(Category.DATABASE, "pymongo", "pymongo.AsyncMongoClient"),
        """
        pymongo.cursor.Cursor: distinct explain next to_list;
        pymongo.MongoClient: drop_database list_database_names list_databases server_info;
        pymongo.database.Database: aggregate command create_collection drop_collection
            list_collection_names list_collections""",
    ),
    # Mail, files and shells over the network.
    (
        Blocking(Category.MAIL, "smtplib", "aiosmtplib"),
        """
        smtplib.SMTP: connect ehlo helo login quit send_message sendmail starttls;
        smtplib: SMTP SMTP_SSL""",
    ),
    (
        Blocking(Category.MAIL, "imaplib", "aioimaplib"),
        "imaplib: IMAP4_SSL; imaplib.IMAP4: fetch login logout search select store",
    ),
    (
        Blocking(Category.MAIL, "poplib", _THREAD),
        "poplib: POP3_SSL; poplib.POP3: list retr user",
    ),
    (
        Blocking(Category.NETWORK, "ftplib", "aioftp"),
        """
        ftplib.FTP: connect cwd delete login mkd nlst retrbinary retrlines storbinary storlines""",
    ),
    (
        Blocking(Category.NETWORK, "paramiko", "asyncssh"),
        """
        paramiko.SSHClient: connect exec_command open_sftp;
        paramiko.SFTPClient: get getfo listdir listdir_attr mkdir open put putfo remove rename
            rmdir stat""",
    ),
    (
        Blocking(Category.NETWORK, "socket", "asyncio.open_connection"),
        """
        socket: create_connection getaddrinfo gethostbyaddr gethostbyname gethostbyname_ex
            getnameinfo;
        socket.socket: accept connect recv recv_into recvfrom send sendall sendfile sendto;
        select.select""",
    ),
    (
        Blocking(Category.NETWORK, "websocket", "websockets"),
        """
        websocket.create_connection; websocket.create_connection: ping recv send;
        websocket.WebSocket: connect ping recv send; websocket.WebSocketApp.run_forever""",
    ),
    (
        Blocking(Category.NETWORK, "dns", "dns.asyncresolver"),
        "dns.resolver: query resolve resolve_address; dns.resolver.Resolver: query resolve",
    ),
    (
        Blocking(Category.NETWORK, "ldap", _THREAD),
        "ldap.initialize; ldap3.Connection: add bind delete modify open search unbind",
    ),
    # Message brokers.
    (
        Blocking(Category.BROKER, "kafka", "aiokafka"),
        """
        kafka.KafkaConsumer: commit poll; kafka.KafkaProducer: flush;
        confluent_kafka.Consumer: consume poll; confluent_kafka.Producer: flush""",
    ),
    (
        Blocking(Category.BROKER, "pika", "aio_pika"),
        """
        pika.BlockingConnection; pika.BlockingConnection: channel close process_data_events;
        pika.BlockingConnection.channel: basic_get basic_publish queue_declare start_consuming""",
    ),
    (
        Blocking(Category.BROKER, "celery", "a task id and polling"),
        "celery.result.AsyncResult: get wait; celery.result.GroupResult: get join",
    ),
    # Threads and processes.
    (
        Blocking(Category.WAIT, "threading", "asyncio primitives"),
        """
        threading.Thread.join; threading.Event.wait; threading.Barrier.wait;
        threading.Condition.wait; multiprocessing.Process.join; queue.Queue.join;
        concurrent.futures.Future.result; concurrent.futures.wait; signal: pause sigwait;
        asyncio.run_coroutine_threadsafe.result""",
    ),
    # Cloud services and APIs.
    (
        Blocking(Category.CLOUD, "sendgrid", "httpx.AsyncClient"),
        "sendgrid.SendGridAPIClient.send",
    ),
    (
        Blocking(Category.CLOUD, "firebase_admin", _THREAD),
        """
        firebase_admin.auth: create_user delete_user get_user get_user_by_email update_user
            verify_id_token;
        firebase_admin.messaging: send send_each send_each_for_multicast""",
    ),
    (
        Blocking(Category.HTTP, "feedparser", "httpx.AsyncClient and feedparser"),
        "feedparser.parse",
    ),
    (
        Blocking(Category.HTTP, "google.auth", _THREAD),
        """
        google.oauth2.id_token: fetch_id_token verify_firebase_token verify_oauth2_token
            verify_token""",
    ),
    (
        Blocking(Category.HTTP, "jwt", _THREAD),
        "jwt.PyJWKClient: fetch_data get_jwk_set get_signing_key get_signing_key_from_jwt",
    ),
)

#: Call -> why it blocks. Ask `blocking`, which also knows whole clients.
BLOCKING: Final[Mapping[str, Blocking]] = MappingProxyType(
    {name: why for why, names in _BLOCKING for name in member_set(names)}
)


@dataclass(frozen=True, slots=True)
class _Client:
    """A client object of which whole families of methods block.

    Parameters:
        methods: those that do, wherever below the object they are; empty for all.
        harmless: those that do not.
        depth: how many names must follow the class (`client.chat.completions.create` has 3).
        gives_data: what its methods give is plain data, but for the harmless ones.
    """

    why: Blocking
    methods: frozenset[str] = frozenset()
    harmless: frozenset[str] = frozenset()
    depth: int = 1
    gives_data: bool = False


_LLM_HARMLESS: Final = name_set("close copy with_options with_raw_response with_streaming_response")
_MONGO_METHODS: Final = name_set(
    """
    aggregate aggregate_raw_batches bulk_write count_documents create_index create_indexes
    delete_many delete_one distinct drop drop_index drop_indexes estimated_document_count find_one
    find_one_and_delete find_one_and_replace find_one_and_update index_information insert_many
    insert_one list_indexes rename replace_one update_many update_one"""
)
_MONGO = _Client(Blocking(Category.DATABASE, "pymongo", "pymongo.AsyncMongoClient"), _MONGO_METHODS)
_REDIS = _Client(
    Blocking(Category.REDIS, "redis", "redis.asyncio"),
    harmless=name_set(
        """
        auto_close_connection_pool client close connection_pool from_pool from_url
        get_connection_kwargs get_encoder get_retry json lock monitor parse_response pipeline
        pubsub register_script set_response_callback set_retry transaction"""
    ),
    gives_data=True,
)
_GOOGLE_CLOUD = Blocking(Category.CLOUD, "google.cloud", _THREAD)
_FIRESTORE_METHODS: Final = name_set("add create delete get list_documents set stream update")

_CLIENTS: Final[Mapping[str, _Client]] = MappingProxyType(
    {
        **{
            name: _Client(Blocking(Category.HTTP, library, instead), frozenset(), _LLM_HARMLESS, 2)
            for library, instead, names in (
                ("anthropic", "anthropic.AsyncAnthropic", "anthropic.Anthropic"),
                ("anthropic", "anthropic.AsyncAnthropicBedrock", "anthropic.AnthropicBedrock"),
                ("anthropic", "anthropic.AsyncAnthropicVertex", "anthropic.AnthropicVertex"),
                ("groq", "groq.AsyncGroq", "groq.Groq"),
                ("openai", "openai.AsyncOpenAI", "openai.OpenAI"),
                ("openai", "openai.AsyncAzureOpenAI", "openai.AzureOpenAI"),
                ("together", "together.AsyncTogether", "together.Together"),
            )
            for name in names.split()
        },
        # The module itself is a client: `openai.chat.completions.create`.
        **{
            f"openai.{resource}": _Client(
                Blocking(Category.HTTP, "openai", "openai.AsyncOpenAI"), name_set("create parse")
            )
            for resource in ("audio", "chat", "completions", "embeddings", "images", "responses")
        },
        "azure.storage.blob.BlobServiceClient": _Client(
            Blocking(Category.CLOUD, "azure.storage.blob", "azure.storage.blob.aio"),
            name_set(
                """
                create_container delete_blob delete_container download_blob exists
                get_blob_properties list_blobs list_containers upload_blob"""
            ),
        ),
        "boto3.resources.base.ServiceResource": _Client(
            Blocking(Category.CLOUD, "boto3", "aioboto3"),
            harmless=name_set(
                "all batch_writer filter generate_presigned_url get_available_subresources limit"
            ),
        ),
        "botocore.client.BaseClient": _Client(
            Blocking(Category.CLOUD, "boto3", "aioboto3"),
            harmless=name_set(
                """
                can_paginate close generate_presigned_post generate_presigned_url get_paginator
                get_waiter"""
            ),
        ),
        "cohere.Client": _Client(
            Blocking(Category.HTTP, "cohere", "cohere.AsyncClient"),
            name_set("chat chat_stream classify embed generate rerank summarize"),
        ),
        "docker.from_env": _Client(Blocking(Category.NETWORK, "docker", _THREAD), depth=2),
        "docker.DockerClient": _Client(Blocking(Category.NETWORK, "docker", _THREAD), depth=2),
        "elasticsearch.Elasticsearch": _Client(
            Blocking(Category.DATABASE, "elasticsearch", "elasticsearch.AsyncElasticsearch"),
            harmless=name_set("close options"),
        ),
        "github.Github": _Client(
            Blocking(Category.HTTP, "github", _THREAD), harmless=name_set("close")
        ),
        "google.cloud.bigquery.Client": _Client(_GOOGLE_CLOUD, harmless=name_set("close dataset")),
        "google.cloud.firestore.Client": _Client(_GOOGLE_CLOUD, _FIRESTORE_METHODS, depth=2),
        "google.cloud.storage.Blob": _Client(
            _GOOGLE_CLOUD, harmless=name_set("generate_signed_url open path_helper")
        ),
        "google.cloud.storage.Bucket": _Client(
            _GOOGLE_CLOUD, harmless=name_set("blob generate_signed_url notification")
        ),
        "google.cloud.storage.Client": _Client(
            _GOOGLE_CLOUD, harmless=name_set("batch bucket close")
        ),
        "minio.Minio": _Client(
            Blocking(Category.CLOUD, "minio", _THREAD),
            harmless=name_set("presigned_get_object presigned_put_object get_presigned_url"),
        ),
        "neo4j.GraphDatabase.driver": _Client(
            Blocking(Category.DATABASE, "neo4j", "neo4j.AsyncGraphDatabase"),
            name_set("execute_query execute_read execute_write run verify_connectivity"),
        ),
        "opensearchpy.OpenSearch": _Client(
            Blocking(Category.DATABASE, "opensearchpy", "opensearchpy.AsyncOpenSearch"),
            harmless=name_set("close"),
        ),
        "pymongo.MongoClient": _MONGO,
        "pymongo.collection.Collection": _MONGO,
        "pymongo.database.Database": _MONGO,
        "qdrant_client.QdrantClient": _Client(
            Blocking(Category.DATABASE, "qdrant_client", "qdrant_client.AsyncQdrantClient"),
            harmless=name_set("close"),
        ),
        "redis.Redis": _REDIS,
        "redis.RedisCluster": _REDIS,
        "redis.client.Pipeline": _Client(_REDIS.why, name_set("execute")),
        "slack_sdk.WebClient": _Client(
            Blocking(Category.HTTP, "slack_sdk", "slack_sdk.web.async_client.AsyncWebClient")
        ),
        "stripe": _Client(
            Blocking(Category.HTTP, "stripe", "the *_async methods of stripe"),
            name_set(
                """
                attach cancel capture confirm create create_preview delete detach finalize_invoice
                list modify pay refund retrieve search update upcoming"""
            ),
            depth=2,
        ),
        "stripe.StripeClient": _Client(
            Blocking(Category.HTTP, "stripe", "the *_async methods of stripe"),
            harmless=name_set("construct_event"),
            depth=2,
        ),
        "clickhouse_connect.driver.client.Client": _Client(
            Blocking(Category.DATABASE, "clickhouse", "clickhouse_connect.get_async_client"),
            harmless=name_set("close get_client_setting set_client_setting"),
        ),
        "supabase.Client": _Client(
            Blocking(Category.DATABASE, "supabase", "supabase.acreate_client"),
            name_set(
                """
                create_signed_url download exchange_code_for_session execute get_session get_user
                invoke list refresh_session remove reset_password_for_email sign_in_with_oauth
                sign_in_with_otp sign_in_with_password sign_out sign_up update_user upload
                verify_otp"""
            ),
            depth=2,
        ),
        "twilio.rest.Client": _Client(
            Blocking(Category.HTTP, "twilio", "the *_async methods of twilio"),
            name_set("create delete fetch list update"),
            depth=2,
        ),
        "googleapiclient.discovery.build": _Client(
            Blocking(Category.HTTP, "googleapiclient", _THREAD), name_set("execute")
        ),
        "hvac.Client": _Client(
            Blocking(Category.HTTP, "hvac", _THREAD), harmless=name_set("is_authenticated"), depth=2
        ),
    }
)


@lru_cache(maxsize=4096)
def blocking(name: str) -> Blocking | None:
    """Why a call blocks the thread that makes it; `None` when nothing is known.

    Parameters:
        name: the canonical name of what is called, a method with its class.
    """
    if (found := entry(name, BLOCKING)) is not None:
        return found
    method = name.rpartition(".")[2]
    if method.startswith("_") or method[:1].isupper() or method.endswith("_async"):
        return None
    end = name.rfind(".")
    while end > 0:
        below = name.count(".", end)
        for base in external_mro(name[:end]):
            client = _CLIENTS.get(base)
            if client is None:
                continue
            if below < client.depth or method in client.harmless:
                return None
            if client.methods and method not in client.methods:
                return None
            if client.gives_data and below > 1:
                first = name[end + 1 :].partition(".")[0]
                if first not in client.harmless:
                    return None  # `client.info().get(...)`
            return client.why
        end = name.rfind(".", 0, end)
    return None


#: Class -> the asynchronous class to use, for clients whose mere type says that they block.
ASYNC_COUNTERPART: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anthropic.Anthropic": "anthropic.AsyncAnthropic",
        "elasticsearch.Elasticsearch": "elasticsearch.AsyncElasticsearch",
        "httpx.Client": "httpx.AsyncClient",
        "openai.AzureOpenAI": "openai.AsyncAzureOpenAI",
        "openai.OpenAI": "openai.AsyncOpenAI",
        "psycopg_pool.ConnectionPool": "psycopg_pool.AsyncConnectionPool",
        "pymongo.MongoClient": "pymongo.AsyncMongoClient",
        "redis.Redis": "redis.asyncio.Redis",
        "requests.Session": "httpx.AsyncClient",
        "sqlalchemy.engine.Connection": "sqlalchemy.ext.asyncio.AsyncConnection",
        "sqlalchemy.engine.Engine": "sqlalchemy.ext.asyncio.AsyncEngine",
        "sqlalchemy.orm.Session": "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlmodel.Session": "sqlmodel.ext.asyncio.session.AsyncSession",
    }
)

#: Calls that keep the processor busy for long, by kind; they hold up the event loop all the same.
CPU_BOUND: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: kind
        for kind, names in {
            "password hashing": """
                bcrypt: checkpw hashpw kdf; argon2.PasswordHasher: hash verify;
                hashlib: pbkdf2_hmac scrypt; crypt.crypt;
                passlib.context.CryptContext: encrypt hash verify verify_and_update;
                passlib.hash.argon2: hash verify; passlib.hash.bcrypt: encrypt hash verify;
                passlib.hash.bcrypt_sha256: hash verify;
                passlib.hash.pbkdf2_sha256: encrypt hash verify;
                passlib.hash.pbkdf2_sha512: hash verify; passlib.hash.scrypt: hash verify;
                passlib.hash.sha256_crypt: hash verify; passlib.hash.sha512_crypt: hash verify;
                pwdlib.PasswordHash: hash verify verify_and_update;
                pwdlib.hashers.argon2.Argon2Hasher: hash verify;
                pwdlib.hashers.bcrypt.BcryptHasher: hash verify;
                werkzeug.security: check_password_hash generate_password_hash""",
            "image processing": """
                PIL.Image: open; PIL.Image.open: convert crop filter resize rotate save thumbnail;
                PIL.Image.Image: convert crop filter resize rotate save thumbnail transform;
                PIL.ImageOps: autocontrast contain cover equalize exif_transpose fit grayscale pad;
                cv2: GaussianBlur cvtColor imdecode imencode imread imwrite resize;
                pytesseract: image_to_data image_to_string; pdf2image: convert_from_bytes
                    convert_from_path""",
            "data frame work": """
                pandas: concat merge read_csv read_excel read_feather read_html read_json
                    read_parquet read_pickle read_sql read_sql_query read_sql_table read_xml;
                pandas.DataFrame: apply corr cov describe groupby join merge pivot pivot_table
                    sort_values to_csv to_excel to_json to_parquet to_sql;
                polars: read_csv read_excel read_json read_parquet; openpyxl.load_workbook""",
            "numeric work": """
                numpy.linalg: eig eigh inv lstsq qr solve svd; numpy.fft: fft fft2 fftn;
                sklearn.model_selection: cross_val_score train_test_split; joblib.load;
                torch.load""",
            "compression": """
                zlib: compress decompress; gzip: compress decompress; bz2: compress decompress;
                lzma: compress decompress""",
        }.items()
        for name in member_set(names)
    }
)

#: Functions that run another in a thread (or hand it the synchronous half of a session), with the
#: position of the function among their arguments.
EXECUTORS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "anyio.to_thread.run_sync": 0,
        "anyio.to_process.run_sync": 0,
        "asgiref.sync.sync_to_async": 0,
        "asyncer.asyncify": 0,
        "asyncio.AbstractEventLoop.run_in_executor": 1,
        "asyncio.to_thread": 0,
        "concurrent.futures.Executor.submit": 0,
        "concurrent.futures.ProcessPoolExecutor.submit": 0,
        "concurrent.futures.ThreadPoolExecutor.submit": 0,
        "sqlalchemy.ext.asyncio.AsyncConnection.run_sync": 0,
        "sqlalchemy.ext.asyncio.AsyncSession.run_sync": 0,
        "starlette.concurrency.run_in_threadpool": 0,
        "trio.to_thread.run_sync": 0,
    }
)
#: What starts or drives an event loop: a fault inside of a running one.
LOOP_RUNNERS: Final = member_set(
    """
    asyncio.run; asyncio.AbstractEventLoop: run_forever run_until_complete; asyncio.Runner.run;
    anyio.run; trio.run;
    uvloop.run; nest_asyncio.apply; asgiref.sync.async_to_sync"""
)
#: Locks that block the thread, to be told from those of asyncio.
THREAD_LOCKS: Final = name_set(
    """
    multiprocessing.Lock multiprocessing.RLock threading.BoundedSemaphore threading.Condition
    threading.Lock threading.RLock threading.Semaphore"""
)

#: The classes whose objects read the environment.
SETTINGS: Final = (
    "pydantic_settings.BaseSettings",
    "pydantic.BaseSettings",
    "pydantic.v1.BaseSettings",
)

# -- databases ----------------------------------------------------------------------------------

#: SQLAlchemy sessions and what makes them. Subclasses (SQLModel's) are told by `is_subclass`.
SYNC_SESSIONS: Final = name_set("sqlalchemy.orm.Session sqlalchemy.orm.scoped_session")
ASYNC_SESSIONS: Final = name_set(
    "sqlalchemy.ext.asyncio.AsyncSession sqlalchemy.ext.asyncio.async_scoped_session"
)
SESSIONS: Final = SYNC_SESSIONS | ASYNC_SESSIONS
SYNC_ENGINES: Final = name_set("sqlalchemy.engine.Connection sqlalchemy.engine.Engine")
ASYNC_ENGINES: Final = name_set(
    "sqlalchemy.ext.asyncio.AsyncConnection sqlalchemy.ext.asyncio.AsyncEngine"
)
SYNC_SESSION_FACTORIES: Final = name_set(
    "sqlalchemy.orm.create_session sqlalchemy.orm.sessionmaker"
)
ASYNC_SESSION_FACTORIES: Final = name_set("sqlalchemy.ext.asyncio.async_sessionmaker")
SESSION_FACTORIES: Final = SYNC_SESSION_FACTORIES | ASYNC_SESSION_FACTORIES
SYNC_ENGINE_FACTORIES: Final = name_set("sqlalchemy.create_engine sqlalchemy.engine_from_config")
ASYNC_ENGINE_FACTORIES: Final = name_set(
    """
    sqlalchemy.ext.asyncio.async_engine_from_config sqlalchemy.ext.asyncio.create_async_engine"""
)
#: Arguments of an engine that show that somebody thought of its pool.
POOL_ARGUMENTS: Final = name_set(
    """
    creator max_overflow pool pool_pre_ping pool_recycle pool_size pool_timeout pool_use_lifo
    poolclass"""
)

_SESSION_OWNERS: Final = tuple(sorted(SESSIONS))


def _on_sessions(methods: str) -> frozenset[str]:
    return frozenset(f"{owner}.{method}" for owner in _SESSION_OWNERS for method in methods.split())


#: Session methods that put a change into the session or the database.
SESSION_WRITES: Final = _on_sessions("add add_all delete delete_all merge merge_all") | member_set(
    """
    sqlalchemy.orm.Session: bulk_insert_mappings bulk_save_objects bulk_update_mappings;
    sqlalchemy.orm.scoped_session: bulk_insert_mappings bulk_save_objects
        bulk_update_mappings"""
)
#: Methods that send pending changes to the database.
SESSION_FLUSHES: Final = _on_sessions("flush")
#: Methods that make pending changes last; weaker evidence of a change than those above.
SESSION_COMMITS: Final = _on_sessions("commit") | member_set(
    """
    sqlalchemy.engine.Connection.commit; sqlalchemy.ext.asyncio.AsyncConnection.commit;
    sqlalchemy.orm.SessionTransaction.commit; sqlalchemy.engine.Transaction.commit;
    sqlalchemy.ext.asyncio.AsyncSessionTransaction.commit; sqlite3.Connection.commit;
    psycopg.Connection.commit; psycopg.AsyncConnection.commit;
    psycopg2.extensions.connection.commit; pymysql.connections.Connection.commit;
    aiosqlite.Connection.commit; aiomysql.Connection.commit"""
)
#: Context managers that commit when they are left without an exception.
COMMITTING_CONTEXTS: Final = _on_sessions("begin") | member_set(
    """
    sqlalchemy.engine.Engine.begin; sqlalchemy.ext.asyncio.AsyncEngine.begin;
    sqlalchemy.orm.sessionmaker.begin; sqlalchemy.ext.asyncio.async_sessionmaker.begin;
    sqlalchemy.engine.Connection.begin; sqlalchemy.ext.asyncio.AsyncConnection.begin;
    asyncpg.Connection.transaction; psycopg.Connection.transaction;
    psycopg.AsyncConnection.transaction"""
)
#: Calls that send a query; loops around them make many.
QUERIES: Final = _on_sessions("execute get get_one refresh scalar scalars") | member_set(
    """
    sqlalchemy.ext.asyncio.AsyncSession: stream stream_scalars;
    sqlalchemy.ext.asyncio.async_scoped_session: stream stream_scalars;
    sqlmodel.Session.exec; sqlmodel.ext.asyncio.session.AsyncSession.exec;
    sqlalchemy.orm.Query: all count first get one one_or_none scalar;
    sqlalchemy.engine.Connection: execute scalar scalars;
    sqlalchemy.ext.asyncio.AsyncConnection: execute scalar scalars;
    asyncpg.Connection: execute executemany fetch fetchrow fetchval;
    asyncpg.Pool: execute executemany fetch fetchrow fetchval;
    sqlite3.Connection.execute; sqlite3.Cursor.execute; aiosqlite.Connection.execute;
    psycopg.Connection.execute; psycopg.Cursor.execute; psycopg.AsyncConnection.execute;
    psycopg.AsyncCursor.execute; psycopg2.extensions.cursor.execute;
    pymysql.cursors.Cursor.execute; aiomysql.Cursor.execute;
    pymongo.collection.Collection: aggregate count_documents find_one;
    pymongo.asynchronous.collection.AsyncCollection: aggregate count_documents find_one;
    motor.motor_asyncio.AsyncIOMotorCollection: count_documents find_one;
    tortoise.models.Model: get get_or_create get_or_none; beanie.Document: find_one get"""
)

#: Statements that write, by what makes them, and those that read.
SQL_WRITES: Final = member_set(
    """
    sqlalchemy: delete insert update; sqlalchemy.Table: delete insert update;
    sqlalchemy.dialects.mysql.insert; sqlalchemy.dialects.postgresql.insert;
    sqlalchemy.dialects.sqlite.insert"""
)
SQL_WRITE_TYPES: Final = name_set("sqlalchemy.Delete sqlalchemy.Insert sqlalchemy.Update")
SQL_SELECTS: Final = name_set("sqlalchemy.select sqlmodel.select")
_SQL_FIRST: Final = _on_sessions("execute scalar scalars") | member_set(
    """
    sqlalchemy.ext.asyncio.AsyncSession: stream stream_scalars;
    sqlalchemy.ext.asyncio.async_scoped_session: stream stream_scalars;
    sqlalchemy.text; sqlalchemy.engine.Connection: exec_driver_sql execute scalar scalars;
    sqlalchemy.ext.asyncio.AsyncConnection: exec_driver_sql execute scalar scalars stream;
    sqlmodel.Session.exec; sqlmodel.ext.asyncio.session.AsyncSession.exec;
    sqlite3.Connection: execute executemany executescript;
    sqlite3.Cursor: execute executemany executescript;
    aiosqlite.Connection: execute execute_fetchall execute_insert executemany
        executescript;
    aiosqlite.Cursor: execute executemany executescript;
    asyncpg.Connection: cursor execute executemany fetch fetchrow fetchval prepare;
    asyncpg.Pool: execute executemany fetch fetchrow fetchval;
    psycopg.Connection.execute; psycopg.Cursor: execute executemany;
    psycopg.AsyncConnection.execute; psycopg.AsyncCursor: execute executemany;
    psycopg2.extensions.cursor: execute executemany mogrify;
    pymysql.cursors.Cursor: execute executemany; aiomysql.Cursor: execute executemany;
    mysql.connector.abstracts.MySQLCursorAbstract: execute executemany;
    pyodbc.Connection.execute; pyodbc.Cursor: execute executemany;
    databases.Database: execute execute_many fetch_all fetch_one fetch_val iterate;
    duckdb: execute query sql; duckdb.DuckDBPyConnection: execute query sql;
    pandas: read_sql read_sql_query;
    clickhouse_driver.Client.execute; peewee.Database.execute_sql;
    tortoise.models.Model.raw; piccolo.table.Table.raw;
    tortoise.backends.base.client.BaseDBAsyncClient: execute_insert execute_query
        execute_query_dict execute_script"""
)
#: Functions that take SQL, with the position of the text or statement.
SQL_SINKS: Final[Mapping[str, int]] = MappingProxyType(dict.fromkeys(_SQL_FIRST, 0))

_MONGO_WRITES: Final = """
    bulk_write delete_many delete_one drop find_one_and_delete find_one_and_replace
    find_one_and_update insert_many insert_one rename replace_one update_many update_one"""

#: Collections of documents.
MONGO_COLLECTIONS: Final = (
    "motor.motor_asyncio.AsyncIOMotorCollection", "pymongo.asynchronous.collection.AsyncCollection",
    "pymongo.collection.Collection",
)  # fmt: skip
#: Writes of object mappers and document stores (methods of the classes and of their subclasses).
ORM_WRITES: Final = member_set(
    f"""
    sqlalchemy.orm.Query: delete update;
    pymongo.collection.Collection: {_MONGO_WRITES};
    pymongo.asynchronous.collection.AsyncCollection: {_MONGO_WRITES};
    motor.motor_asyncio.AsyncIOMotorCollection: {_MONGO_WRITES};
    pymongo.database.Database: create_collection drop_collection;
    tortoise.models.Model: bulk_create bulk_update create delete save update_or_create;
    tortoise.queryset.QuerySet: delete update;
    beanie.Document: create dec delete delete_all inc insert insert_many insert_one replace
        replace_many save save_changes set update update_all;
    odmantic.AIOEngine: delete remove save save_all;
    odmantic.SyncEngine: delete remove save save_all;
    peewee.Model: bulk_create bulk_update create delete_by_id delete_instance insert_many save
        set_by_id truncate_table;
    fastcrud.FastCRUD: create db_delete delete update upsert upsert_multi;
    sqlalchemy_crud_plus.CRUDPlus: create_model create_models delete_model
        delete_model_by_column update_model update_model_by_column;
    ormar.Model: delete save save_related update upsert; edgy.Model: delete save update;
    asyncpg.Connection: copy_records_to_table copy_to_table;
    asyncpg.Pool: copy_records_to_table copy_to_table;
    piccolo.table.Table: remove save; django.db.models.Model: delete save;
    elasticsearch.Elasticsearch: bulk delete delete_by_query index update update_by_query;
    elasticsearch.AsyncElasticsearch: bulk delete delete_by_query index update update_by_query"""
)
#: Owners below which any attribute may be a database or collection (`client.shop.items.drop()`).
_MONGO_OWNERS: Final = name_set(
    """
    motor.motor_asyncio.AsyncIOMotorClient motor.motor_asyncio.AsyncIOMotorDatabase
    pymongo.AsyncMongoClient pymongo.MongoClient pymongo.asynchronous.database.AsyncDatabase
    pymongo.database.Database"""
)
_MONGO_WRITE_NAMES: Final = name_set(_MONGO_WRITES)

_REDIS_WRITES: Final = """
    append blpop brpop decr decrby delete expire expireat flushall flushdb getdel getset hdel
    hincrby hincrbyfloat hmset hset hsetnx incr incrby incrbyfloat linsert lpop lpush lpushx lrem
    lset ltrim move mset msetnx persist pexpire psetex publish rename renamenx rpop rpoplpush rpush
    rpushx sadd sdiffstore set setbit setex setnx setrange smove spop srem unlink xadd xdel xtrim
    zadd zincrby zpopmax zpopmin zrem zremrangebyrank zremrangebyscore"""
#: Writes to caches and key-value stores: no change of state in the sense of HTTP, as a rule.
CACHE_WRITES: Final = member_set(
    f"""
    redis.Redis: {_REDIS_WRITES}; redis.asyncio.Redis: {_REDIS_WRITES};
    redis.client.Pipeline: {_REDIS_WRITES}; redis.asyncio.client.Pipeline: {_REDIS_WRITES};
    aiocache.base.BaseCache: add clear delete increment multi_set set;
    fastapi_cache.FastAPICache: clear; pymemcache.Client: delete set;
    aiomcache.Client: delete set; diskcache.Cache: clear delete set"""
)
#: Calls that change files or directories (opening for writing is told by the mode).
FILE_WRITES: Final = member_set(
    """
    os: chmod link makedirs mkdir remove removedirs rename renames replace rmdir symlink truncate
        unlink;
    pathlib.Path: mkdir rename replace rmdir symlink_to touch unlink write_bytes write_text;
    anyio.Path: mkdir rename replace rmdir symlink_to touch unlink write_bytes write_text;
    aiofiles.os: makedirs mkdir remove removedirs rename renames replace rmdir unlink;
    shutil: copy copy2 copyfile copytree make_archive move rmtree unpack_archive;
    zipfile.ZipFile: extract extractall; tarfile.TarFile: extract extractall"""
)
#: Functions that open a file, with the positions of path and mode (`None`: cannot be given).
FILE_OPENERS: Final[Mapping[str, tuple[int | None, int | None]]] = MappingProxyType(
    {
        "aiofiles.open": (0, 1),
        "anyio.Path.open": (None, 0),
        "anyio.open_file": (0, 1),
        "builtins.open": (0, 1),
        "bz2.open": (0, 1),
        "codecs.open": (0, 1),
        "gzip.open": (0, 1),
        "lzma.open": (0, 1),
        "os.open": (0, None),
        "pathlib.Path.open": (None, 0),
        "tarfile.open": (0, 1),
        "zipfile.ZipFile": (0, 1),
    }
)
#: Writes to object stores.
OBJECT_STORE_WRITES: Final = member_set(
    """
    botocore.client.BaseClient: copy copy_object create_bucket delete_bucket delete_item
        delete_object delete_objects put_item put_object update_item upload_file upload_fileobj;
    google.cloud.storage.Blob: delete upload_from_file upload_from_filename upload_from_string;
    google.cloud.storage.Bucket: delete delete_blob delete_blobs;
    minio.Minio: fput_object make_bucket put_object remove_bucket remove_object"""
)
#: Calls that hand work or news to somebody else.
MESSAGE_SENDS: Final = member_set(
    """
    celery.Celery.send_task; celery.Task: apply_async delay; celery.shared_task: apply_async delay;
    arq.connections.ArqRedis.enqueue_job; rq.Queue.enqueue; dramatiq.Actor: send send_with_options;
    aiokafka.AIOKafkaProducer: send send_and_wait; kafka.KafkaProducer.send;
    aio_pika.abc.AbstractExchange.publish; smtplib.SMTP: send_message sendmail;
    aiosmtplib: send; fastapi_mail.FastMail.send_message"""
)


@lru_cache(maxsize=4096)
def database_write(name: str) -> bool:
    """Whether a call changes what a database holds (or will, at the next commit).

    Executed statements are not judged here: see `SQL_SINKS`, `SQL_WRITES`.
    """
    if is_in(name, SESSION_WRITES) or is_in(name, ORM_WRITES):
        return True
    if name.rpartition(".")[2] not in _MONGO_WRITE_NAMES:
        return False
    return any(name.startswith(f"{owner}.") for owner in _MONGO_OWNERS)


# -- resources ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is opened and should be closed.

    Parameters:
        kind: what it is, for messages.
        closers: methods that close it.
        connects: opening it connects at once, or it stands for one connection or session; an
            engine or pool that connects when used does not.
    """

    kind: Literal[
        "client", "connection", "engine", "file", "pool", "producer", "scheduler", "session", "task"
    ]
    closers: frozenset[str]
    connects: bool = True


_RESOURCES: Final[tuple[tuple[Resource, str], ...]] = (
    (
        Resource("engine", name_set("dispose"), connects=False),
        """
        sqlalchemy.create_engine; sqlalchemy.engine_from_config;
        sqlalchemy.ext.asyncio: async_engine_from_config create_async_engine""",
    ),
    (
        Resource("session", name_set("close aclose remove")),
        """
        sqlalchemy.orm.Session; sqlalchemy.ext.asyncio.AsyncSession; sqlmodel.Session;
        sqlmodel.ext.asyncio.session.AsyncSession; sqlalchemy.orm.sessionmaker: __call__ begin;
        sqlalchemy.ext.asyncio.async_sessionmaker: __call__ begin;
        sqlalchemy.orm.scoped_session.__call__;
        sqlalchemy.ext.asyncio.async_scoped_session.__call__""",
    ),
    (
        Resource("connection", name_set("aclose close release terminate")),
        """
        aiomysql.connect; aiopg.connect; aiosqlite.connect; asyncmy.connect; asyncpg.connect;
        asyncpg.Pool.acquire; MySQLdb.connect; cx_Oracle.connect; pymssql.connect;
        snowflake.connector.connect;
        aiomysql.Pool.acquire; mysql.connector.connect; psycopg.connect;
        psycopg.AsyncConnection.connect; psycopg.Connection.connect; psycopg2.connect;
        pymysql.connect; pyodbc.connect; oracledb.connect; sqlite3.connect; duckdb.connect;
        sqlalchemy.engine.Engine: begin connect raw_connection;
        sqlalchemy.ext.asyncio.AsyncEngine: begin connect raw_connection;
        paramiko.SSHClient; ftplib: FTP FTP_TLS; smtplib: SMTP SMTP_SSL; imaplib: IMAP4 IMAP4_SSL;
        aio_pika: connect connect_robust; nats.connect; websockets.connect""",
    ),
    (
        Resource("pool", name_set("aclose close closeall disconnect terminate"), connects=False),
        """
        aiomysql.create_pool; aiopg.create_pool; asyncmy.create_pool; asyncpg.create_pool;
        databases.Database;
        psycopg_pool: AsyncConnectionPool AsyncNullConnectionPool ConnectionPool
            NullConnectionPool;
        psycopg2.pool: SimpleConnectionPool ThreadedConnectionPool;
        redis.ConnectionPool; redis.asyncio: BlockingConnectionPool ConnectionPool;
        redis.ConnectionPool.from_url; redis.asyncio.ConnectionPool.from_url;
        arq.create_pool; arq.connections.create_pool""",
    ),
    (
        Resource("client", name_set("aclose close"), connects=False),
        """
        httpx: AsyncClient Client; aiohttp.ClientSession; requests: Session session;
        urllib3.PoolManager;
        redis: Redis RedisCluster from_url; redis.Redis.from_url;
        redis.asyncio: Redis RedisCluster from_url; redis.asyncio.Redis.from_url;
        valkey: Valkey from_url;
        valkey.asyncio: Valkey from_url; opensearchpy: AsyncOpenSearch OpenSearch;
        clickhouse_connect: get_async_client get_client; influxdb_client.InfluxDBClient;
        pymongo: AsyncMongoClient MongoClient; motor.motor_asyncio.AsyncIOMotorClient;
        elasticsearch: AsyncElasticsearch Elasticsearch; qdrant_client: AsyncQdrantClient
            QdrantClient; neo4j.AsyncGraphDatabase.driver; neo4j.GraphDatabase.driver""",
    ),
    (
        Resource("producer", name_set("close stop")),
        "aiokafka: AIOKafkaConsumer AIOKafkaProducer; kafka: KafkaConsumer KafkaProducer",
    ),
    (
        Resource("scheduler", name_set("shutdown"), connects=False),
        """
        apscheduler.schedulers.asyncio.AsyncIOScheduler;
        apscheduler.schedulers.background.BackgroundScheduler""",
    ),
    (
        Resource("file", name_set("aclose close")),
        """
        aiofiles.open; anyio.open_file; builtins.open; bz2.open; codecs.open; gzip.open; lzma.open;
        pathlib.Path.open; tarfile.open; zipfile.ZipFile; tempfile: NamedTemporaryFile
            TemporaryFile""",
    ),
)
#: What opens a resource -> what is opened. `owner.__call__` means calling an object.
RESOURCE_OPENERS: Final[Mapping[str, Resource]] = MappingProxyType(
    {name: resource for resource, names in _RESOURCES for name in member_set(names)}
)
#: Arguments that give an opener the connections of somebody else, who also closes them.
LENDING_ARGUMENTS: Final = name_set("connection_pool")
#: Connections to other servers than databases; they serve one conversation.
CONVERSATIONS: Final = (
    "aio_pika", "ftplib", "imaplib", "nats", "paramiko", "poplib", "smtplib", "websockets",
)  # fmt: skip
#: Clients whose methods make HTTP requests.
HTTP_CLIENTS: Final = name_set(
    "aiohttp.ClientSession httpx.AsyncClient httpx.Client requests.Session urllib3.PoolManager"
)

#: Classes whose objects cannot be called. A `scoped_session` or a security scheme can.
NOT_CALLABLE: Final = (
    SESSIONS
    | SYNC_ENGINES
    | ASYNC_ENGINES
    | HTTP_CLIENTS
    | name_set(
        """
        abc.ABC builtins.bool builtins.bytes builtins.complex builtins.dict builtins.float
        builtins.frozenset builtins.int builtins.list builtins.object builtins.set builtins.str
        builtins.tuple collections.abc.AsyncGenerator collections.abc.AsyncIterator
        collections.abc.Generator collections.abc.Iterator enum.Enum enum.IntEnum enum.StrEnum
        pydantic.BaseModel pydantic_settings.BaseSettings redis.Redis redis.asyncio.Redis
        sqlmodel.SQLModel typing.Generic typing.NamedTuple uuid.UUID"""
    )
) - name_set("sqlalchemy.orm.scoped_session sqlalchemy.ext.asyncio.async_scoped_session")

# -- HTTP requests ------------------------------------------------------------------------------

_URL_FIRST: Final = "delete get head options patch post put"
#: Calls that make a request -> position of the URL (keyword `url`).
HTTP_REQUESTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        name: position
        for position, names in (
            (
                0,
                f"""
                requests: {_URL_FIRST}; requests.Session: {_URL_FIRST}; httpx: {_URL_FIRST};
                httpx.Client: {_URL_FIRST}; httpx.AsyncClient: {_URL_FIRST};
                aiohttp.ClientSession: {_URL_FIRST} ws_connect; websockets.connect;
                urllib.request: urlopen urlretrieve; urllib.request.Request""",
            ),
            (
                1,
                """
                requests.request; requests.Session.request; httpx: request stream;
                httpx.Client: build_request request stream;
                httpx.AsyncClient: build_request request stream;
                aiohttp.ClientSession.request; aiohttp.request; urllib3.request;
                urllib3.PoolManager: request urlopen""",
            ),
        )
        for name in member_set(names)
    }
)
#: Test clients: their requests go to the app under test.
TEST_CLIENTS: Final = name_set(
    "async_asgi_testclient.TestClient httpx.AsyncClient starlette.testclient.TestClient"
)

# -- security -----------------------------------------------------------------------------------

#: Form dependencies of a login.
LOGIN_FORMS: Final = member_set(
    "fastapi.security: OAuth2PasswordRequestForm OAuth2PasswordRequestFormStrict"
)
#: Dependencies of libraries that refuse who is not logged in.
AUTH_DEPENDENCIES: Final = member_set(
    """
    fastapi_users.FastAPIUsers.current_user; fastapi_users.authentication.Authenticator:
        current_user current_user_token;
    fastapi_login.LoginManager; fastapi_jwt_auth.AuthJWT; fastapi_azure_auth:
        B2CMultiTenantAuthorizationCodeBearer MultiTenantAzureAuthorizationCodeBearer
        SingleTenantAzureAuthorizationCodeBearer; fastapi_cloudauth.cognito: Cognito
        CognitoCurrentUser; fastapi_cloudauth.firebase.FirebaseCurrentUser;
    fastapi_jwt: JwtAccessBearer JwtAccessBearerCookie;
    fastapi_keycloak.FastAPIKeycloak.get_current_user; authx.AuthX: access_token_required
        get_current_subject token_required"""
)


@dataclass(frozen=True, slots=True)
class TokenCall:
    """Where a function that makes or reads signed tokens takes what from.

    Parameters:
        action: `encode`, `decode` or `peek` (reads without verifying).
        key, algorithms, payload: positions of the key, the algorithm(s), and of the claims (or
            the token); `None` where there is no such argument.
        keywords: the keyword names of key, algorithms and payload, in this order.
        header: the position of a header, whose `alg` names the algorithm.
    """

    action: Literal["encode", "decode", "peek"]
    payload: int | None = 0
    key: int | None = 1
    algorithms: int | None = 2
    keywords: tuple[str, str, str] = ("key", "algorithms", "jwt")
    header: int | None = None


_PYJWT_ENCODE = TokenCall("encode", keywords=("key", "algorithm", "payload"))
_PYJWT_DECODE = TokenCall("decode")
_AUTHLIB_ENCODE = TokenCall("encode", 1, 2, None, ("key", "", "payload"), 0)
_AUTHLIB_DECODE = TokenCall("decode", 0, 1, None, ("key", "", "s"))

#: Functions that make and read JSON Web Tokens: PyJWT, python-jose, joserfc, Authlib.
TOKEN_CALLS: Final[Mapping[str, TokenCall]] = MappingProxyType(
    {
        "authlib.jose.JsonWebToken.decode": _AUTHLIB_DECODE,
        "authlib.jose.JsonWebToken.encode": _AUTHLIB_ENCODE,
        "authlib.jose.jwt.decode": _AUTHLIB_DECODE,
        "authlib.jose.jwt.encode": _AUTHLIB_ENCODE,
        "jose.jws.get_unverified_claims": TokenCall("peek", 0, None, None, ("", "", "token")),
        "jose.jws.sign": TokenCall("encode", 0, 1, 3, ("key", "algorithm", "payload")),
        "jose.jws.verify": TokenCall("decode", 0, 1, 2, ("key", "algorithms", "token")),
        "jose.jwt.decode": TokenCall("decode", keywords=("key", "algorithms", "token")),
        "jose.jwt.encode": TokenCall("encode", keywords=("key", "algorithm", "claims")),
        "jose.jwt.get_unverified_claims": TokenCall("peek", 0, None, None, ("", "", "token")),
        "joserfc.jwt.decode": TokenCall("decode", keywords=("key", "algorithms", "value")),
        "joserfc.jwt.encode": TokenCall("encode", 1, 2, 3, ("key", "algorithms", "claims"), 0),
        "jwt.PyJWT.decode": _PYJWT_DECODE,
        "jwt.PyJWT.decode_complete": _PYJWT_DECODE,
        "jwt.PyJWT.encode": _PYJWT_ENCODE,
        "jwt.decode": _PYJWT_DECODE,
        "jwt.decode_complete": _PYJWT_DECODE,
        "jwt.encode": _PYJWT_ENCODE,
    }
)
#: Decoders that reject a `sub` that is not a string (PyJWT from 2.10).
STRING_SUBJECT_LIBRARIES: Final = name_set("jose jwt")

#: Other calls that take a secret to sign with -> its keyword and position.
SIGNING_KEYS: Final[Mapping[str, tuple[str, int | None]]] = MappingProxyType(
    {
        "fastapi_login.LoginManager": ("secret", 0),
        "fastapi_users.authentication.JWTStrategy": ("secret", 0),
        "hmac.digest": ("key", 0),
        "hmac.new": ("key", 0),
        "itsdangerous.Signer": ("secret_key", 0),
        "joserfc.jwk.OctKey.import_key": ("value", 0),
        "joserfc.jwk.import_key": ("data", 0),
        "authlib.jose.OctKey.import_key": ("raw", 0),
        "itsdangerous.TimestampSigner": ("secret_key", 0),
        "itsdangerous.URLSafeSerializer": ("secret_key", 0),
        "itsdangerous.URLSafeTimedSerializer": ("secret_key", 0),
        "starlette.middleware.sessions.SessionMiddleware": ("secret_key", 1),
    }
)

#: Fast or broken hashes, unfit for passwords, salted or not.
WEAK_HASHES: Final = member_set(
    """
    hashlib: blake2b blake2s md5 new sha1 sha224 sha256 sha384 sha3_224 sha3_256 sha3_384
        sha3_512 sha512;
    Crypto.Hash: MD5.new SHA1.new SHA256.new SHA512.new; Cryptodome.Hash: MD5.new SHA1.new
        SHA256.new SHA512.new;
    passlib.hash: apr_md5_crypt des_crypt hex_md4 hex_md5 hex_sha1 hex_sha256 hex_sha512
        ldap_md5 ldap_plaintext ldap_sha1 lmhash md5_crypt mysql323 nthash plaintext
        sha1_crypt unix_disabled"""
)
#: Scheme names of passlib's `CryptContext` that are unfit.
WEAK_SCHEMES: Final = name_set(
    """
    apr_md5_crypt des_crypt hex_md4 hex_md5 hex_sha1 hex_sha256 hex_sha512 ldap_md5
    ldap_plaintext ldap_sha1 lmhash md5_crypt mysql323 nthash plaintext sha1_crypt"""
)
#: Hashes made for passwords.
PASSWORD_HASHES: Final = frozenset(
    name for name, kind in CPU_BOUND.items() if kind == "password hashing"
)

#: Rate limiters, as decorators (methods of the limiter), dependencies and middleware.
RATE_LIMIT_DECORATORS: Final = member_set(
    """
    slowapi.Limiter: limit shared_limit; ratelimit.limits"""
)
RATE_LIMIT_DEPENDENCIES: Final = member_set(
    """
    fastapi_limiter.depends: RateLimiter WebSocketRateLimiter; """
)
RATE_LIMIT_MIDDLEWARE: Final = name_set(
    """
    guard.middleware.SecurityMiddleware ratelimit.RateLimitMiddleware
    slowapi.middleware.SlowAPIASGIMiddleware slowapi.middleware.SlowAPIMiddleware"""
)

#: Import -> what to use instead: libraries that nobody maintains.
UNMAINTAINED: Final[Mapping[str, str]] = MappingProxyType(
    {"jose": "PyJWT or joserfc", "passlib": "pwdlib or argon2-cffi"}
)

# -- logging ------------------------------------------------------------------------------------

_LOG_LEVELS: Final = "critical debug error exception fatal info log warn warning"
_ASYNC_LEVELS: Final = "acritical adebug aerror aexception afatal ainfo alog awarning"
#: Calls that write a log record, standard library, structlog, loguru, logfire and uvicorn's.
LOG_CALLS: Final = member_set(
    f"""
    logging: {_LOG_LEVELS}; logging.Logger: {_LOG_LEVELS}; logging.LoggerAdapter: critical debug
    error
        exception info log warn warning;
    structlog.stdlib.BoundLogger: {_LOG_LEVELS} {_ASYNC_LEVELS};
    structlog.BoundLogger: {_LOG_LEVELS} {_ASYNC_LEVELS};
    structlog.get_logger: {_LOG_LEVELS} {_ASYNC_LEVELS};
    structlog.typing.FilteringBoundLogger: {_LOG_LEVELS} {_ASYNC_LEVELS};
    structlog.stdlib.AsyncBoundLogger: {_LOG_LEVELS};
    loguru.logger: critical debug error exception info log success trace warning;
    logfire: debug error exception fatal info log notice trace warn warning"""
)
#: Of these, the ones that log the traceback without being asked.
TRACEBACK_LOG_CALLS: Final = frozenset(
    name for name in LOG_CALLS if name.rpartition(".")[2] in {"aexception", "exception"}
) | member_set(
    """
    sentry_sdk: capture_exception; rollbar.report_exc_info; traceback: print_exc print_exception;
    newrelic.agent: notice_error record_exception; opentelemetry.trace.Span.record_exception"""
)
#: Keyword arguments that add the traceback to a log call.
TRACEBACK_ARGUMENTS: Final = frozenset({"exc_info", "exception", "stack_info"})


def is_log_call(name: str) -> bool:
    """Whether a call writes a log record."""
    return is_in(name, LOG_CALLS)


# -- middleware ---------------------------------------------------------------------------------

MiddlewareKind = Literal[
    "errors", "logging", "metrics", "proxy", "request id", "security", "tracing"
]
#: Middleware of libraries that is to see everything, and so belongs outside of CORS.
OUTER_MIDDLEWARE: Final[Mapping[str, MiddlewareKind]] = MappingProxyType(
    {
        "asgi_correlation_id.CorrelationIdMiddleware": "request id",
        "asgi_correlation_id.middleware.CorrelationIdMiddleware": "request id",
        "ddtrace.contrib.asgi.TraceMiddleware": "tracing",
        "elasticapm.contrib.starlette.ElasticAPM": "tracing",
        "gatey_sdk.integrations.starlette.GateyStarletteMiddleware": "errors",
        "opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware": "tracing",
        "prometheus_fastapi_instrumentator.middleware.PrometheusInstrumentatorMiddleware": (
            "metrics"
        ),
        "rollbar.contrib.fastapi.ReporterMiddleware": "errors",
        "sentry_sdk.integrations.asgi.SentryAsgiMiddleware": "errors",
        "starlette.middleware.errors.ServerErrorMiddleware": "errors",
        "starlette.middleware.httpsredirect.HTTPSRedirectMiddleware": "security",
        "starlette.middleware.trustedhost.TrustedHostMiddleware": "security",
        "starlette_context.middleware.ContextMiddleware": "request id",
        "starlette_context.middleware.RawContextMiddleware": "request id",
        "starlette_exporter.PrometheusMiddleware": "metrics",
        "starlette_prometheus.PrometheusMiddleware": "metrics",
        "timing_asgi.TimingMiddleware": "metrics",
        "uvicorn.middleware.proxy_headers.ProxyHeadersMiddleware": "proxy",
    }
)
#: Other middleware of libraries that puts nothing on the state of requests.
STATELESS_MIDDLEWARE: Final = name_set(
    """a2wsgi.WSGIMiddleware brotli_asgi.BrotliMiddleware
    debug_toolbar.middleware.DebugToolbarMiddleware fastapi_profiler.PyInstrumentProfilerMiddleware
    hypercorn.middleware.ProxyFixMiddleware starlette_compress.CompressMiddleware
    starlette_csrf.CSRFMiddleware starlette_csrf.middleware.CSRFMiddleware
    starsessions.SessionAutoloadMiddleware starsessions.SessionMiddleware
    zstd_asgi.ZstdMiddleware"""
)
#: Functions that put tracing, metrics or logging around an app that they are given.
APP_INSTRUMENTATION: Final[Mapping[str, MiddlewareKind]] = MappingProxyType(
    {
        "logfire.instrument_fastapi": "tracing",
        "opentelemetry.instrumentation.fastapi.FastAPIInstrumentor.instrument_app": "tracing",
        "prometheus_fastapi_instrumentator.Instrumentator.instrument": "metrics",
    }
)

# -- background work ----------------------------------------------------------------------------

StarterKind = Literal["add_task", "create_task", "scheduler", "repeat_every"]


@dataclass(frozen=True, slots=True)
class Starter:
    """How a function is started to run outside of the request.

    Parameters:
        kind: as in `BackgroundRoutine.starter`.
        target: position of the function or coroutine; `None` for decorators.
        keyword: its name as a keyword argument.
        is_held: somebody else keeps the task alive and sees its exception.
    """

    kind: StarterKind
    target: int | None
    keyword: str
    is_held: bool = True


_SCHEDULERS: Final = (
    "apscheduler.schedulers.asyncio.AsyncIOScheduler",
    "apscheduler.schedulers.background.BackgroundScheduler",
    "apscheduler.schedulers.base.BaseScheduler",
    "apscheduler.schedulers.blocking.BlockingScheduler",
)
#: What starts background work, called or used as a decorator.
TASK_STARTERS: Final[Mapping[str, Starter]] = MappingProxyType(
    {
        **{f"{name}.add_job": Starter("scheduler", 0, "func") for name in _SCHEDULERS},
        **{f"{name}.scheduled_job": Starter("scheduler", None, "") for name in _SCHEDULERS},
        "anyio.abc.TaskGroup.start": Starter("create_task", 0, "func"),
        "anyio.abc.TaskGroup.start_soon": Starter("create_task", 0, "func"),
        "apscheduler.AsyncScheduler.add_schedule": Starter("scheduler", 0, "func_or_task_id"),
        "asyncio.AbstractEventLoop.create_task": Starter("create_task", 0, "coro", is_held=False),
        "asyncio.TaskGroup.create_task": Starter("create_task", 0, "coro"),
        "asyncio.create_task": Starter("create_task", 0, "coro", is_held=False),
        "asyncio.ensure_future": Starter("create_task", 0, "coro_or_future", is_held=False),
        "asyncio.run_coroutine_threadsafe": Starter("create_task", 0, "coro", is_held=False),
        "fastapi.BackgroundTasks.add_task": Starter("add_task", 0, "func"),
        "fastapi_utils.tasks.repeat_every": Starter("repeat_every", None, ""),
        "fastapi_utilities.repeat_at": Starter("repeat_every", None, ""),
        "fastapi_utilities.repeat_every": Starter("repeat_every", None, ""),
        "starlette.background.BackgroundTask": Starter("add_task", 0, "func"),
        "starlette.background.BackgroundTasks.add_task": Starter("add_task", 0, "func"),
    }
)
#: Threads started by hand.
THREADS: Final = name_set("multiprocessing.Process threading.Thread threading.Timer")

# -- decorators ---------------------------------------------------------------------------------

#: Decorators (called or not) that remember results.
CACHE_DECORATORS: Final = member_set(
    """
    aiocache: cached cached_stampede multi_cached; async_lru.alru_cache; cachetools: cached
        cachedmethod; cachetools.func: lfu_cache lru_cache rr_cache ttl_cache;
    cashews: cache; fastapi_cache.decorator.cache; functools: cache cached_property lru_cache;
    joblib.Memory.cache"""
)
#: Decorators after which FastAPI sees the function's own signature (or what stands for it).
SIGNATURE_KEEPING_DECORATORS: Final = (
    CACHE_DECORATORS - {"functools.cached_property"}
    | RATE_LIMIT_DECORATORS
    | member_set(
        """
        backoff: on_exception on_predicate; circuitbreaker.circuit; contextlib:
            asynccontextmanager contextmanager; fastapi_pagination.utils.verify_params;
        fastapi_utils.tasks.repeat_every; fastapi_versioning.version; functools.wraps;
        logfire.instrument; pydantic.validate_call; prometheus_client.Counter.count_exceptions;
        prometheus_client.Histogram.time; prometheus_client.Summary.time; sentry_sdk.trace;
        slowapi.Limiter.exempt; starlette.authentication.requires; tenacity.retry;
        typing: final no_type_check override;
        warnings.deprecated; opentelemetry.trace.Tracer.start_as_current_span;
        dishka.integrations.fastapi: inject inject_sync; dependency_injector.wiring.inject"""
    )
)

# -- errors -------------------------------------------------------------------------------------

#: Errors whose text nobody wrote for clients: anything at all, and those of databases, of the
#: operating system and of HTTP clients. Subclasses count, those of `Exception` do not.
_INTERNAL_ERRORS: Final = name_set(
    """
    builtins.OSError sqlalchemy.exc.SQLAlchemyError sqlalchemy.exc.DBAPIError
    sqlalchemy.exc.IntegrityError sqlalchemy.exc.OperationalError psycopg.Error psycopg2.Error
    asyncpg.PostgresError asyncpg.exceptions.PostgresError pymongo.errors.PyMongoError
    redis.exceptions.RedisError httpx.HTTPError requests.exceptions.RequestException
    requests.RequestException aiohttp.ClientError sqlite3.Error pymysql.err.Error
    pymysql.MySQLError tortoise.exceptions.BaseORMException botocore.exceptions.ClientError
    botocore.exceptions.BotoCoreError"""
)


def is_internal_error(name: str) -> bool:
    """Whether an exception class is `Exception` itself, or one of those for developers only."""
    if name in {"builtins.Exception", "builtins.BaseException"}:
        return True
    return not _INTERNAL_ERRORS.isdisjoint(external_mro(name))


#: Classes whose objects and queries write themselves to the database.
ACTIVE_RECORDS: Final = (
    "beanie.Document", "mongoengine.Document", "mongoengine.DynamicDocument", "ormar.Model",
    "peewee.Model", "piccolo.table.Table", "tortoise.models.Model",
)  # fmt: skip
#: Their methods that write, and that no list, text or dictionary has, which queries may give.
ACTIVE_RECORD_WRITES: Final = name_set("delete delete_instance inc save save_changes set")
ACTIVE_QUERY_WRITES: Final = ACTIVE_RECORD_WRITES | name_set(
    """
    bulk_create bulk_update create delete_all delete_many insert insert_all insert_many insert_one
    modify replace update update_all update_many update_one update_or_create upsert"""
)
#: What fills a parser of INI files.
INI_READERS: Final = member_set(
    """
    configparser.ConfigParser: read read_dict read_file read_string;
    configparser.RawConfigParser: read read_dict read_file read_string"""
)
#: Functions that read data from files of formats that configuration is written in.
CONFIG_READERS: Final = member_set(
    """
    json: load loads; tomli: load loads; toml: load loads; tomllib: load loads;
    tomlkit: load parse; yaml: full_load load safe_load unsafe_load; ruamel.yaml.YAML.load;
    orjson.loads; pyjson5: load loads; json5: load loads"""
)
