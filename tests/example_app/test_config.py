"""Configuration: sources, generation, and clear errors."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI
from pydantic import ValidationError

from example_app import config_file, main
from example_app.config import Settings
from example_app.config_file import (
    ConfigurationError,
    generate_config,
    load_settings,
    load_settings_or_exit,
    resolve_config_path,
)
from tests.example_app.conftest import MakeSettings

ROOT = Path(__file__).parents[2]
MINIMAL = "auth:\n  jwt_secret: {0}\n  admin_password: {0}\n".format("s" * 40)


@pytest.fixture
def write(tmp_path: Path) -> object:
    def to_file(text: str) -> Path:
        path = tmp_path / "given.yaml"
        path.write_text(text)
        return path

    return to_file


def test_generated_once(tmp_path: Path) -> None:
    path = resolve_config_path()
    first = path.read_text()
    assert resolve_config_path().read_text() == first
    assert generate_config(path) is False
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load_settings(path)
    assert len(settings.auth.jwt_secret.get_secret_value()) >= 32
    assert settings.auth.jwt_secret.get_secret_value() not in repr(settings)
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


def test_the_first_of_several_workers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"

    def somebody_was_faster(_source: str, target: Path) -> None:
        target.write_text(MINIMAL)
        raise FileExistsError

    monkeypatch.setattr(os, "link", somebody_was_faster)
    assert generate_config(path) is False
    assert path.read_text() == MINIMAL
    assert list(tmp_path.iterdir()) == [path]


def test_nowhere_to_write_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def refuse(_source: str, _target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)  # some file systems have no links
    with pytest.raises(SystemExit) as ended:
        main.main([])
    assert ended.value.code == 2
    path = tmp_path / "config.yaml"
    assert capsys.readouterr().err == (
        f"example_app: {path} cannot be written: {os.strerror(errno.EPERM)}\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_precedence(write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = write(MINIMAL + "server: {port: 1, host: yaml, graceful_timeout: 1}\n")
    (tmp_path / ".env").write_text("EXAMPLE_APP_SERVER__PORT=2\nEXAMPLE_APP_SERVER__HOST=dotenv\n")
    monkeypatch.setenv("EXAMPLE_APP_SERVER__PORT", "3")
    server = load_settings(path).server
    assert (server.port, server.host, server.graceful_timeout) == (3, "dotenv", 1)
    assert (
        Settings(
            auth={"jwt_secret": "s" * 40, "admin_password": "s" * 12}, server={"port": 4}
        ).server.port
        == 4
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (MINIMAL + "sevrer: {}\n", "sevrer: Extra inputs are not permitted"),
        (MINIMAL + "server: {port: many}\n", "server.port: Input should be a valid integer"),
        (MINIMAL + "auth_: 1\n", "auth_"),
        ("debug: true\n", "auth: Field required"),
        ("auth: {jwt_secret: short, admin_password: short}\n", "auth.jwt_secret"),
        ("- a\n- b\n", "not a mapping"),
        ("a: [\n", "cannot be read"),
        ("\xff", "cannot be read"),
        (MINIMAL + 'cors_origins: ["*"]\n', "origins must be named"),
        (MINIMAL.replace("auth:", "auth:\n  enabled: false"), "only when debug is true"),
    ],
)
def test_errors_are_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, part: str
) -> None:
    path = tmp_path / "given.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SystemExit) as ended:
        main.main(["--config", str(path)])
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert part in output.err
    assert "short" not in output.err.replace("at least", "")


def test_missing_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EXAMPLE_APP_CONFIG", "nowhere.yaml")
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml does not exist"):
        resolve_config_path()
    with pytest.raises(SystemExit) as ended:
        load_settings_or_exit()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "example_app: configuration file nowhere.yaml does not exist\n"
    )


def test_the_example_names_every_setting() -> None:
    def keys(model: type, prefix: str = "") -> set[str]:
        found = set()
        for name, field in model.model_fields.items():  # type: ignore[attr-defined]
            nested = hasattr(field.annotation, "model_fields")
            found |= keys(field.annotation, f"{prefix}{name}.") if nested else {prefix + name}
        return found

    def flat(data: dict[str, object], prefix: str = "") -> set[str]:
        found: set[str] = set()
        for name, value in data.items():
            found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
        return found

    example = yaml.safe_load((ROOT / "config.example.yaml").read_text())
    assert flat(example) == keys(Settings)
    load_settings(ROOT / "config.example.yaml")


def test_production_has_no_documentation(make_settings: MakeSettings) -> None:
    from example_app.application import create_application

    app = create_application(make_settings(debug=False))
    assert (app.openapi_url, app.docs_url, app.redoc_url) == (None, None, None)


def test_create_app_generates_its_configuration() -> None:
    assert isinstance(main.create_app(), FastAPI)
    assert config_file.DEFAULT_CONFIG.exists()


def test_main_serves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[dict[str, object]] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **options: calls.append(options))
    main.main([])
    assert calls[0]["port"] == 8000
    output = capsys.readouterr().out
    assert "http://127.0.0.1:8000/docs" in output
    assert str(Path("config.yaml").resolve()) in output
    password = load_settings(Path("config.yaml")).auth.admin_password.get_secret_value()
    assert password not in output


def test_describe_production(make_settings: MakeSettings) -> None:
    assert "off" in main.describe(make_settings(debug=False), "x")


def test_settings_are_frozen(make_settings: MakeSettings) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_settings().debug = False  # type: ignore[misc]
