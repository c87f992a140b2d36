"""Settings of the service: validated by Pydantic, read from YAML and the environment.

Precedence, highest first: arguments, environment variables (`EXAMPLE_APP_SERVER__PORT=9000`),
a `.env` file, the YAML file. Unknown keys are errors, so that a typing mistake is never ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator
from pydantic import model_validator as check_model
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

ENV_PREFIX = "EXAMPLE_APP_"
UPLOAD_CEILING = 10 * 1024 * 1024
"""No configuration may allow larger files: the route refuses longer bodies before reading them."""


class Section(BaseModel):
    """What all parts of the configuration share: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """Where `python -m example_app` listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on.")
    graceful_timeout: int = Field(
        default=5, ge=1, le=300, description="Seconds that open streams get at shut-down."
    )


class DatabaseSettings(Section):
    """Which database, and how many connections to it."""

    url: SecretStr = Field(
        default=SecretStr("sqlite+aiosqlite:///var/example_app.db"),
        description="SQLAlchemy URL with an async driver; it may hold a password, so it is secret.",
    )
    migrate: bool = Field(default=True, description="Bring the schema up to date at start-up.")
    pool_size: int = Field(default=5, ge=1, le=200, description="Connections kept open.")
    max_overflow: int = Field(default=10, ge=0, le=200, description="Extra ones under load.")
    pool_timeout: float = Field(
        default=5.0, gt=0, le=60, description="Seconds to wait for a free connection."
    )
    connect_timeout: float = Field(
        default=5.0, gt=0, le=60, description="Seconds to wait for a new connection."
    )
    slow_query_ms: float = Field(
        default=250.0, ge=0, description="Slower statements are logged as warnings."
    )


class AuthSettings(Section):
    """Tokens, sessions and passwords."""

    enabled: bool = Field(default=True, description="Only debug mode may switch this off.")
    jwt_secret: SecretStr = Field(min_length=32, description="Key that signs the tokens.")
    jwt_issuer: str = Field(default="example-app", description="Claim `iss` of the tokens.")
    jwt_audience: str = Field(default="example-app", description="Claim `aud` of the tokens.")
    access_token_minutes: int = Field(
        default=15, ge=1, le=30, description="Life of an access token in minutes."
    )
    refresh_token_days: int = Field(
        default=14, ge=1, le=90, description="Life of a refresh token in days."
    )
    session_minutes: int = Field(
        default=60, ge=1, le=1440, description="Life of a session of the RPC surface."
    )
    websocket_timeout: float = Field(
        default=5.0, gt=0, le=60, description="Seconds for a socket's first message to arrive."
    )
    password_memory_kib: int = Field(
        default=65536, ge=32, description="Memory cost of Argon2id in KiB."
    )
    admin_username: str = Field(default="admin", description="First administrator's name.")
    admin_password: SecretStr = Field(
        min_length=12, description="Password the first administrator is created with."
    )


class LimitSettings(Section):
    """Rate limits per client address, in the notation of `limits`."""

    storage_uri: str = Field(
        default="async+memory://",
        description="Where counters live; several workers share them through Redis.",
    )
    login: str = Field(default="10/minute", description="Log-ins, token requests and passwords.")
    registration: str = Field(default="20/hour", description="New accounts.")


class FileSettings(Section):
    """Where uploads go, and how large they may be."""

    directory: Path = Field(default=Path("var/files"), description="Directory of the uploads.")
    max_bytes: int = Field(
        default=5 * 1024 * 1024, ge=1, le=UPLOAD_CEILING, description="Largest upload in bytes."
    )
    orphan_minutes: int = Field(
        default=60, ge=1, description="Age at which files that no row names are removed."
    )


class WebhookSettings(Section):
    """Outgoing calls: who is told of new accounts."""

    url: HttpUrl | None = Field(default=None, description="Receiver; none switches calls off.")
    timeout: float = Field(default=5.0, gt=0, le=60, description="Seconds for one call.")


class BackgroundSettings(Section):
    """How often the routines run."""

    purge_seconds: float = Field(default=300.0, gt=0, description="Between two purges.")
    outbox_seconds: float = Field(default=5.0, gt=0, description="Between two deliveries.")


class LogSettings(Section):
    """What is logged, and how."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is written."
    )
    format: Literal["json", "console"] = Field(
        default="json", description="Shape of the lines other than the request log."
    )
    body_bytes: int = Field(
        default=2048, ge=0, le=65536, description="Longest request body that is logged."
    )


class Settings(BaseSettings):
    """The whole configuration; built once per process by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="forbid",
        frozen=True,
    )

    debug: bool = Field(default=False, description="Serve the documentation, allow less security.")
    cors_origins: list[str] = Field(
        default_factory=list, description="Origins whose scripts may call the service."
    )
    server: ServerSettings = Field(default_factory=ServerSettings, description="Listening.")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="Database.")
    auth: AuthSettings = Field(description="Authentication; holds secrets without a default.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="Rate limits.")
    files: FileSettings = Field(default_factory=FileSettings, description="Uploads.")
    webhook: WebhookSettings = Field(default_factory=WebhookSettings, description="Calls out.")
    background: BackgroundSettings = Field(
        default_factory=BackgroundSettings, description="Routines."
    )
    log: LogSettings = Field(default_factory=LogSettings, description="Logging.")

    @field_validator("cors_origins")
    @classmethod
    def origins_are_named(cls, origins: list[str]) -> list[str]:
        """Refuse the wildcard: together with credentials it would let every site in."""
        if any("*" in origin for origin in origins):
            raise ValueError("origins must be named one by one, without wildcards")
        return origins

    @check_model(mode="after")
    def authentication_is_on(self) -> Self:
        """Refuse to run open to everybody outside debug mode."""
        if not self.auth.enabled and not self.debug:
            raise ValueError("auth.enabled can be false only when debug is true")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, `.env`, YAML."""
        yaml_settings = YamlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, yaml_settings
