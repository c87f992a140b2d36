"""Check the knowledge of libraries against the libraries themselves.

Every name in the tables of `semantics` that belongs to an importable library must exist there.
What is not installed is counted and left out, so the more of `DISTRIBUTIONS` an environment has,
the more this proves:

    python benchmarks/verify_knowledge.py --distributions | xargs pip install
    python benchmarks/verify_knowledge.py

Exits with 1 when a name does not exist.
"""

from __future__ import annotations

import argparse
import enum
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from flake8_fastapi_rules.semantics import bases, framework, libraries, names, types
from flake8_fastapi_rules.semantics.names import name_set

#: What PyPI has of the libraries that the tables know.
DISTRIBUTIONS = sorted(
    name_set(
        """
        aio-pika aiocache aiofiles aiohttp aiokafka aiomysql aiosmtplib aiosqlite anthropic
        anyio apscheduler argon2-cffi arq asgi-correlation-id asgiref async-lru asyncer asyncpg
        authlib authx azure-storage-blob backoff bcrypt beanie boto3 cachetools cadwyn cashews
        celery circuitbreaker classy-fastapi click clickhouse-connect clickhouse-driver cohere
        confluent-kafka databases dependency-injector dishka diskcache django dnspython docker
        dramatiq duckdb elasticsearch email-validator fakeredis fastapi fastapi-azure-auth
        fastapi-cache2 fastapi-camelcase fastapi-class fastapi-crudrouter fastapi-csrf-protect
        fastapi-error-map fastapi-filter fastapi-guard fastapi-jsonrpc fastapi-jwt fastapi-limiter
        fastapi-login fastapi-mail fastapi-offline fastapi-pagination fastapi-users fastapi-
        utilities fastapi-utils faststream feedparser firebase-admin GitPython google-api-python-
        client google-cloud-bigquery google-cloud-firestore google-cloud-storage groq httpx httpx2
        itsdangerous jinja2 joblib joserfc kafka-python ldap3 logfire loguru minio motor
        mysql-connector-python neo4j nest-asyncio nicegui odmantic openai openpyxl
        opensearch-py oracledb ormar pandas paramiko passlib peewee piccolo pika pillow
        prometheus-client prometheus-fastapi-instrumentator psycopg psycopg-pool
        psycopg2-binary pwdlib[argon2,bcrypt] pydantic pydantic-settings PyGithub PyJWT
        pymemcache pymongo pymysql python-jose python-multipart pyyaml qdrant-client redis
        redis-om requests requests-oauthlib rollbar sendgrid sentry-sdk slack-sdk slowapi
        sqlalchemy[asyncio] sqlmodel sse-starlette starlette-context starlette-exporter
        strawberry-graphql stripe structlog supabase tenacity timing-asgi tortoise-orm trio
        twilio typer typing-inspect urllib3 uvicorn websockets werkzeug"""
    )
)

#: Names that the newest releases (or this Python) do not have and other supported ones do.
ELSEWHERE = {
    "apscheduler.AsyncScheduler.add_schedule": "from APScheduler 4",
    "fastapi.FastAPI.add_event_handler": "removed in Starlette 1.0",
    "fastapi.FastAPI.add_websocket_route": "removed in Starlette 1.0",
    "fastapi.FastAPI.route": "removed in Starlette 1.0",
    "pathlib.Path.copy": "from Python 3.14",
    "pathlib.Path.copy_into": "from Python 3.14",
    "pathlib.Path.is_junction": "from Python 3.12",
    "pathlib.Path.move": "from Python 3.14",
    "pathlib.Path.walk": "from Python 3.12",
    "pathlib.Path.with_segments": "from Python 3.12",
    "pydantic.BaseSettings": "Pydantic 1",
    "ratelimit.RateLimitMiddleware": "asgi-ratelimit, which shares its name with ratelimit",
    "typing.override": "from Python 3.12",
    "uuid.uuid6": "from Python 3.14",
    "uuid.uuid7": "from Python 3.14",
    "uuid.uuid8": "from Python 3.14",
    "warnings.deprecated": "from Python 3.13",
}


class Finding(enum.Enum):
    """What became of looking for a name."""

    PRESENT = "present"
    MISSING = "missing"
    NOT_INSTALLED = "not installed"
    #: What a function gives, or an attribute that only objects have.
    RESULT = "of a result"


@cache
def module(name: str) -> Any:
    """The module of a name; `None` when there is none, the error when it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        return None if error.name and name.startswith(error.name) else error
    except BaseException as error:  # libraries raise anything when imported
        return error


def look_up(name: str) -> tuple[Finding, Any]:
    """Look for a qualified name; gives the object as well when it is there."""
    parts = name.split(".")
    top = module(parts[0])
    if top is None or isinstance(top, BaseException):
        return Finding.NOT_INSTALLED, None
    found = top
    for count, part in enumerate(parts[1:], 2):
        try:
            following = getattr(found, part, None)
        except Exception:  # a module's __getattr__ may raise anything
            following = None
        if following is None and inspect.ismodule(found):
            following = module(".".join(parts[:count]))
            is_namespace = getattr(found, "__file__", None) is None and hasattr(found, "__path__")
            if isinstance(following, BaseException) or (following is None and is_namespace):
                return Finding.NOT_INSTALLED, None
        if following is None:
            if inspect.isclass(found):
                present = _on_instances(found, part)
                return (Finding.RESULT if present else Finding.MISSING), None
            # What a function returns, and what a property gives, may have more.
            is_result = isinstance(found, property) or (
                not inspect.ismodule(found) and callable(found)
            )
            return (Finding.RESULT if is_result else Finding.MISSING), None
        found = following
    return Finding.PRESENT, found


def _on_instances(cls: type, attribute: str) -> bool:
    """Whether only the objects of a class have an attribute, as far as its source shows."""
    for base in cls.__mro__[:-1]:
        if attribute in getattr(base, "__annotations__", {}) or hasattr(base, "__getattr__"):
            return True
        for written in (base, base.__init__):
            try:
                source = inspect.getsource(written)
            except (OSError, TypeError):
                continue
            if re.search(rf"self\.{attribute}\b|^    +{attribute}:|\"{attribute}\"", source, re.M):
                return True
    return False


def known_names() -> dict[str, set[str]]:
    """Every qualified name in the tables, with the tables that have it."""
    found: dict[str, set[str]] = {}

    def add(table: str, values: Any) -> None:
        for value in values:
            if isinstance(value, str) and "." in value and " " not in value and "(" not in value:
                found.setdefault(value.removesuffix(".__getattr__"), set()).add(table)

    for home in names._BELOW.values():
        add("names", home.values())
    for owner in (bases, framework, libraries, types):
        short = owner.__name__.rpartition(".")[2]
        for table, value in vars(owner).items():
            if table.startswith("_") or not table.isupper() or table in {"MESSAGES", "CHANGES"}:
                continue
            if isinstance(value, str):
                add(f"{short}.{table}", [value])
            elif isinstance(value, Mapping):
                add(f"{short}.{table}", value)
                if table in {"RETURNS", "ATTRIBUTES", "ENTER", "OBJECTS", "ASYNC_COUNTERPART"}:
                    add(f"{short}.{table}", value.values())
                if table == "EXTERNAL_BASES":
                    add(f"{short}.{table}", (base for each in value.values() for base in each))
            elif isinstance(value, frozenset | set | tuple):
                add(f"{short}.{table}", value)
    return found


def unknown_names() -> tuple[dict[str, set[str]], dict[str, int]]:
    """Names that do not exist, with their tables, and how many ended how."""
    missing: dict[str, set[str]] = {}
    counts = dict.fromkeys((finding.value for finding in Finding), 0)
    for name, tables in sorted(known_names().items()):
        finding = Finding.RESULT if name in ELSEWHERE else look_up(name)[0]
        counts[finding.value] += 1
        if finding is Finding.MISSING:
            missing[name] = tables
    return missing, counts


def wrong_bases() -> list[str]:
    """Classes of `EXTERNAL_BASES` that do not derive from what the table says."""
    wrong = []
    for name, parents in bases.EXTERNAL_BASES.items():
        _, cls = look_up(name)
        for parent in parents:
            _, base = look_up(parent)
            if not (inspect.isclass(cls) and inspect.isclass(base)):
                continue
            mro = {
                names.canonical(f"{each.__module__}.{each.__qualname__}") for each in cls.__mro__
            }
            if parent not in mro and not issubclass(cls, base):
                wrong.append(f"{name}: {parent}")
    return wrong


def main() -> int:
    """Report; see the module's documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--distributions", action="store_true", help="print what to install and stop"
    )
    if parser.parse_args().distributions:
        print("\n".join(DISTRIBUTIONS))
        return 0
    warnings.simplefilter("ignore")
    missing, counts = unknown_names()
    for name, tables in missing.items():
        print(f"{name}  ({', '.join(sorted(tables))})")
    wrong = wrong_bases()
    for line in wrong:
        print(f"not a base: {line}")
    print(", ".join(f"{count} {finding}" for finding, count in counts.items()))
    tops = {name.partition(".")[0] for name in known_names()}
    absent = sorted(top for top in tops if module(top) is None)
    print(f"not installed: {' '.join(absent)}")
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
