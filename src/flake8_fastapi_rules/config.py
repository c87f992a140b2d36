"""Settings: what can be configured, and where it comes from."""

from __future__ import annotations

import configparser
import dataclasses
import difflib
import functools
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flake8_fastapi_rules.requirements import (
    METADATA,
    Bounds,
    Requirement,
    Version,
    newest_starlette_of,
    regular_bytes,
    requirements_in,
)

#: The table of `pyproject.toml` that holds the settings.
TABLE = "flake8-fastapi-rules"
#: What marks the top of a repository.
_REPOSITORIES = (".git", ".hg")
#: What the settings are called in flake8's options and configuration: `far-profile`, ...
PREFIX = "far-"
#: The profiles that can be chosen.
CHOOSABLE_PROFILES = ("recommended", "strict", "clean-architecture")

Kind = Literal["string", "strings", "integer", "version", "layers", "profiles", "internal"]

#: Layer name to the package or module names that belong to it, upper layers first.
DEFAULT_LAYERS: Mapping[str, tuple[str, ...]] = {
    "routers": ("routers", "routes", "api", "endpoints", "views"),
    "services": ("services",),
    "repositories": ("repositories", "repository", "crud", "dao", "database", "db"),
    "models": ("models",),
    "schemas": ("schemas",),
}


def _option(default: Any, kind: Kind, text: str, example: str = "", **more: Any) -> Any:
    """A field of `Settings` that knows its own documentation.

    Parameters:
        default: the default value, or a function without arguments that makes it.
        kind: how the value is written.
        text: what it does, in Markdown.
        example: a value as it is written in TOML.
    """
    metadata = {"kind": kind, "help": text, "example": example, **more}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, resolved for one file.

    Versions are tuples of integers, such as `(0, 121)`; `None` means the newest.
    """

    profile: str = _option(
        "recommended",
        "string",
        "The set of rules: `recommended`, `strict` or `clean-architecture`.",
        '"strict"',
        choices=CHOOSABLE_PROFILES,
    )
    enable: tuple[str, ...] = _option(
        (),
        "strings",
        "Rules to switch on besides the profile: codes, prefixes longer than `FAR`, or names.",
        '["FAR313", "async-without-await"]',
    )
    disable: tuple[str, ...] = _option(
        (),
        "strings",
        "Rules to switch off: codes, prefixes or names. Of two that fit a rule the longer counts.",
        '["FAR401"]',
    )
    per_path_profiles: Mapping[str, str] = _option(
        dict,
        "profiles",
        "Profiles for parts of the project: a table from glob to profile. The most specific "
        "glob counts, and counts more than `profile`, wherever that is given.",
        '{ "app/rpc/**" = "clean-architecture" }',
    )
    fastapi_version: tuple[int, ...] | None = _option(
        None,
        "version",
        "The oldest FastAPI that the project supports. Unset, it is the lower bound of `fastapi` "
        "in the nearest `pyproject.toml`, `requirements*.txt` (or `.in`), `setup.cfg` or "
        "`setup.py`, else the newest that it allows.",
        '"0.115"',
    )
    starlette_version: tuple[int, ...] | None = _option(
        None,
        "version",
        "The Starlette that the project uses. Unset, it is the lower bound of `starlette` in the "
        "project's metadata, else the newest that its FastAPI accepts.",
        '"0.48"',
    )
    src: tuple[str, ...] = _option(
        (),
        "strings",
        "Directories that hold top-level packages, for layouts that cannot be guessed.",
        '["src", "services/api"]',
    )
    exclude: tuple[str, ...] = _option(
        (),
        "strings",
        "Globs of files and directories that `far` leaves out (flake8 has its own option), besides "
        "hidden ones, virtual environments, `build`, `dist`, `node_modules` and `site-packages`.",
        '["legacy/**"]',
    )
    test_paths: tuple[str, ...] = _option(
        ("test_*.py", "*_test.py", "conftest.py", "tests/**"),
        "strings",
        "Globs of test files: conventions are not checked in them, rules about tests only there.",
        '["test_*.py", "checks/**"]',
    )
    health_paths: tuple[str, ...] = _option(
        (
            "/health", "/healthz", "/ready", "/readyz", "/readiness",
            "/live", "/livez", "/liveness", "/ping", "/status",
        ),
        "strings",
        "Paths, without prefixes, that answer health checks.",
        '["/health", "/up"]',
    )  # fmt: skip
    layers: Mapping[str, tuple[str, ...]] = _option(
        lambda: dict(DEFAULT_LAYERS),
        "layers",
        "The layers, upper ones first, and the names of packages and modules that belong to them.",
        '{ routers = ["web"], services = ["domain"], repositories = ["storage"] }',
    )
    settings_modules: tuple[str, ...] = _option(
        ("config", "settings", "conf"),
        "strings",
        "Names of modules that hold the configuration and may read the environment.",
        '["config", "env"]',
    )
    entry_points: tuple[str, ...] = _option(
        ("__main__.py", "main.py", "asgi.py", "wsgi.py"),
        "strings",
        "Names of files that start the application.",
        '["main.py", "serve.py"]',
    )
    allowed_exceptions: tuple[str, ...] = _option(
        (),
        "strings",
        "FAR401: exceptions that an endpoint may catch (qualified or bare names).",
        '["app.cache.CacheMiss"]',
    )
    allowed_writes: tuple[str, ...] = _option(
        (),
        "strings",
        "FAR201: functions or methods whose writes are meant in a GET (qualified or bare names).",
        '["app.documents.mark_read"]',
    )
    page_size_names: tuple[str, ...] = _option(
        ("limit", "page_size", "per_page", "size", "take"),
        "strings",
        "FAR222: names of query parameters that hold a page size.",
        '["limit", "count"]',
    )
    dependency_depth: int = _option(
        3, "integer", "FAR314: how deep a chain of dependencies may be.", "4"
    )
    repeated_annotations: int = _option(
        3,
        "integer",
        "FAR307: how often the same annotation may be written before it wants an alias.",
        "2",
    )
    public_paths: tuple[str, ...] = _option(
        (
            "login", "logout", "token", "refresh", "register", "signup", "sign-up",
            "password", "reset", "forgot", "hook", "hooks", "webhook", "webhooks", "callback",
        ),
        "strings",
        "FAR710: words in paths that need no authentication.",
        '["login", "feedback"]',
    )  # fmt: skip
    path_case: str = _option(
        "kebab",
        "string",
        "FAR228: how words in paths are written: `kebab`, `snake` or `camel`.",
        '"snake"',
        choices=("kebab", "snake", "camel"),
    )
    root: str | None = _option(
        None, "internal", "The project's directory: what globs and `src` are relative to."
    )
    top: str | None = _option(
        None, "internal", "The directory of the project around it, if it is a part of another."
    )

    def fastapi_at_least(self, *version: int) -> bool:
        """Whether the checked project's FastAPI is `version` or newer."""
        return self.fastapi_version is None or self.fastapi_version >= version

    def starlette_at_least(self, *version: int) -> bool:
        """Whether the checked project's Starlette is `version` or newer."""
        return self.starlette_version is None or self.starlette_version >= version

    def is_test_path(self, path: str) -> bool:
        """Whether `path` is a test file by `test_paths`.

        Tests that have a `pyproject.toml` of their own are the tests of the project around them.
        """
        if _any_matches(path, self.test_paths, self.root):
            return True
        return self.top is not None and _any_matches(path, self.test_paths, self.top)

    def is_excluded(self, path: str) -> bool:
        """Whether `exclude` names `path`."""
        return _any_matches(path, self.exclude, self.root)

    def profile_for(self, path: str) -> tuple[str, str | None]:
        """The profile for `path` and the glob that decided it (`None`: the general profile)."""
        if not self.per_path_profiles:
            return self.profile, None
        globs = [glob for glob in self.per_path_profiles if path_matches(path, glob, self.root)]
        if not globs:
            return self.profile, None
        best = max(globs, key=lambda glob: (len(re.sub(r"[*?]|\[.*?\]", "", glob)), glob))
        return self.per_path_profiles[best], best


class ConfigError(Exception):
    """A mistake in the configuration.

    Parameters:
        message: what is wrong and, where possible, what was meant.
        origin: the file (with the line, when known) or the command line.
    """

    def __init__(self, message: str, origin: str) -> None:
        super().__init__(f"{origin}: {message}")
        self.message = message
        self.origin = origin


class BrokenFileError(ConfigError):
    """A file that may hold settings cannot be read: nobody knows what it says."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place, by kebab-case key, as they were written there."""

    origin: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings for one file and where each comes from.

    Parameters:
        settings: the settings.
        origins: field name to its origin.
        file: the `pyproject.toml` that holds the table, if there is one.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None


def option_fields() -> list[dataclasses.Field[Any]]:
    """The fields of `Settings` that a user can set, in order."""
    return [f for f in dataclasses.fields(Settings) if f.metadata["kind"] != "internal"]


def key_of(name: str) -> str:
    """The key of a field as users write it: `test_paths` is `test-paths`."""
    return name.replace("_", "-")


class SettingsLoader:
    """Finds and merges the settings for files.

    Precedence: the layers given here, first to last (command line, then flake8's file), then the
    nearest `pyproject.toml` with our table, then the defaults.

    Parameters:
        layers: settings that count more than any `pyproject.toml`.
        isolated: read no `pyproject.toml` for settings and versions.
    """

    def __init__(self, layers: Iterable[Layer] = (), *, isolated: bool = False) -> None:
        self._layers = tuple(layers)
        self._isolated = isolated
        self._directories: dict[str, Configuration | ConfigError] = {}
        self._profiled: dict[tuple[str, str | None], Configuration] = {}
        self._read_toml = functools.cache(_read_toml)
        self._requirements = functools.cache(requirements_in)
        self._ancestors = functools.cache(_ancestors)

    def without_files(self) -> SettingsLoader:
        """The same without what files say: for code whose own settings cannot be read."""
        return SettingsLoader(self._layers, isolated=True)

    def load(self, path: str | os.PathLike[str]) -> Configuration:
        """The configuration for a file (or, for what `far config` asks, a directory).

        Raises:
            ConfigError: for a broken file, an unknown key or a wrong value.
        """
        file = os.path.abspath(path)
        # Few directories are called `x.py`, and each look at the disk counts.
        is_directory = not file.endswith(".py") and os.path.isdir(file)
        directory = file if is_directory else os.path.dirname(file)
        configuration = self._of_directory(directory)
        if isinstance(configuration, ConfigError):
            raise configuration
        profile, glob = configuration.settings.profile_for(file)
        if glob is None:
            return configuration
        key = (directory, glob)
        if key not in self._profiled:
            origin = f'{configuration.origins["per_path_profiles"]}, per-path-profiles "{glob}"'
            self._profiled[key] = Configuration(
                dataclasses.replace(configuration.settings, profile=profile),
                {**configuration.origins, "profile": origin},
                configuration.file,
            )
        return self._profiled[key]

    def _of_directory(self, directory: str) -> Configuration | ConfigError:
        found = self._directories.get(directory)
        if found is None:
            parent = os.path.dirname(directory)
            if self._adds_nothing(directory, parent):
                found = self._of_directory(parent)
            else:
                try:
                    found = self._load_directory(Path(directory))
                except ConfigError as error:
                    found = error
            self._directories[directory] = found
        return found

    def _adds_nothing(self, directory: str, parent: str) -> bool:
        """Whether the files of a directory could not change what is configured above it.

        A project without any metadata begins where packages do, and where the run does.
        """
        if parent == directory:
            return False
        try:
            names = os.listdir(directory)
        except OSError:
            return False
        if any(name.startswith(METADATA) or name in _REPOSITORIES for name in names):
            return False
        above = self._of_directory(parent)
        if not isinstance(above, Configuration):
            return False
        return _has_root_file(Path(above.settings.root or parent))

    def _load_directory(self, directory: Path) -> Configuration:
        file: Path | None = None
        table: Mapping[str, object] = {}
        if not self._isolated:
            file, table = self._nearest_table(directory)
        ancestors = self._ancestors(directory)
        root = file.parent if file else _root_of(directory, ancestors)
        layers = list(self._layers)
        if file:
            layers.append(Layer(display_path(file), table))
        fields = {key_of(f.name): f for f in option_fields()}
        values: dict[str, Any] = {"root": str(root), "top": _top_of(root, ancestors)}
        origins: dict[str, str] = {}
        for layer in layers:
            base = file.parent if file and layer is layers[-1] else Path.cwd()
            for key, raw in layer.values.items():
                if key not in fields:
                    raise ConfigError(f"unknown key `{key}`{suggestion(key, fields)}", layer.origin)
                name = fields[key].name
                value = _convert(fields[key], raw, layer.origin)
                if name == "src":
                    value = tuple(os.path.join(base, item) for item in value)
                if name not in values:
                    values[name], origins[name] = value, layer.origin
        if not self._isolated:
            self._add_versions(directory, values, origins)
        for name in (f.name for f in fields.values()):
            origins.setdefault(name, "default")
        return Configuration(Settings(**values), origins, file)

    def _add_versions(
        self, directory: Path, values: dict[str, Any], origins: dict[str, str]
    ) -> None:
        """Fill in the versions that nobody set from the project's own metadata."""
        bounds = Bounds()
        if "fastapi_version" not in values:
            fastapi = self._nearest_requirement(directory, "fastapi")
            if fastapi:
                bounds = fastapi.bounds
            if fastapi and bounds.supported:
                values["fastapi_version"] = bounds.supported
                origins["fastapi_version"] = f"requirement in {display_path(fastapi.file)}"
        elif version := values["fastapi_version"]:
            bounds = Bounds(version, (*version, 1))
        if "starlette_version" not in values:
            starlette = self._nearest_requirement(directory, "starlette")
            if starlette and starlette.bounds.lower:
                values["starlette_version"] = starlette.bounds.lower
                origins["starlette_version"] = f"requirement in {display_path(starlette.file)}"
            elif newest := newest_starlette_of(bounds):
                values["starlette_version"] = newest
                origins["starlette_version"] = "the newest that this FastAPI accepts"

    def _nearest_requirement(self, directory: Path, distribution: str) -> Requirement | None:
        for parent in self._ancestors(directory):
            requirement = self._requirements(parent).get(distribution)
            if requirement:
                return requirement
        return None

    def _nearest_table(self, directory: Path) -> tuple[Path | None, Mapping[str, object]]:
        for parent in self._ancestors(directory):
            file = parent / "pyproject.toml"
            tool = self._read_toml(file).get("tool", {})
            if isinstance(tool, dict) and TABLE in tool:
                table = tool[TABLE]
                if not isinstance(table, dict):
                    raise ConfigError(f"`tool.{TABLE}` must be a table", display_path(file))
                return file, table
        return None, {}


def flake8_layer(directory: Path) -> tuple[Layer | None, Mapping[str, str]]:
    """What flake8's own configuration file says of our settings, and its `[flake8]` section.

    The file is looked for as flake8 does: `setup.cfg`, `tox.ini` and `.flake8` in `directory` and
    above, up to the home directory. Keys of the section are given with hyphens.
    """
    home = Path(os.path.expanduser("~"))
    for parent in (directory, *directory.parents):
        if parent == home and parent != directory:
            break
        for name in ("setup.cfg", "tox.ini", ".flake8"):
            parser = configparser.RawConfigParser()
            file = parent / name
            try:
                parser.read_string(regular_bytes(file).decode("utf-8"))
            except (configparser.Error, UnicodeDecodeError, OSError):
                continue
            if "flake8" in parser or "flake8:local-plugins" in parser:
                section = dict(parser["flake8"]) if parser.has_section("flake8") else {}
                keys = {key.replace("_", "-"): value for key, value in section.items()}
                ours = {
                    key.removeprefix(PREFIX): value
                    for key, value in keys.items()
                    if key.startswith(PREFIX)
                }
                return Layer(display_path(file), ours), keys
    return None, {}


def split_list(text: str) -> tuple[str, ...]:
    """The items of a list written with commas or white space between them, as in flake8."""
    return tuple(item for item in re.split(r"[,\s]+", text) if item)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` when a known word is close to `word`."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


def display_path(path: Path) -> str:
    """`path` relative to the current directory when it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def path_matches(path: str, pattern: str, root: str | None) -> bool:
    """Whether a glob fits a file or a directory above it.

    A pattern without a slash is compared with the last part only; another one may begin at any
    directory below `root` (at `root` itself when it starts with a slash). `**` crosses directories.
    """
    return _matches(_below_root(path, root), pattern)


def _any_matches(path: str, patterns: Sequence[str], root: str | None) -> bool:
    return bool(patterns) and _fits_any(os.path.abspath(path), tuple(patterns), root)


@functools.lru_cache(maxsize=100_000)
def _fits_any(absolute: str, patterns: tuple[str, ...], root: str | None) -> bool:
    parts = _below_root(absolute, root)
    return any(_matches(parts, pattern) for pattern in patterns)


def _below_root(path: str, root: str | None) -> str:
    """`path` with forward slashes, relative to `root` when it lies below it."""
    absolute = os.path.abspath(path)
    if root and absolute.startswith(root.rstrip(os.sep) + os.sep):
        absolute = absolute[len(root.rstrip(os.sep)) + 1 :]
    return absolute.replace(os.sep, "/").lstrip("/")


def _matches(parts: str, pattern: str) -> bool:
    if "/" not in pattern.rstrip("/"):
        return bool(_glob(pattern.rstrip("/")).fullmatch(parts.rpartition("/")[2]))
    expression = _glob(pattern.strip("/"))
    if pattern.startswith("/"):
        return bool(expression.fullmatch(parts))
    starts = [0, *(match.end() for match in re.finditer("/", parts))]
    return any(expression.fullmatch(parts, start) for start in starts)


@functools.lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    out = []
    for token in re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[^\]]+\]|.", pattern, re.DOTALL):
        match token:
            case "**/":
                out.append("(?:[^/]+/)*")
            case "/**":
                out.append("/.+")
            case "**":
                out.append(".*")
            case "*":
                out.append("[^/]*")
            case "?":
                out.append("[^/]")
            case _ if token.startswith("[") and len(token) > 1:
                inner = token[1:-1]
                out.append("[" + ("^" + inner[1:] if inner.startswith("!") else inner) + "]")
            case _:
                out.append(re.escape(token))
    try:
        return re.compile("".join(out))
    except re.error:
        return re.compile(re.escape(pattern))


def _ancestors(directory: Path) -> tuple[Path, ...]:
    """`directory` and those above it, up to the one that holds the repository."""
    chain: list[Path] = []
    for parent in (directory, *directory.parents):
        chain.append(parent)
        if any(os.path.exists(parent / name) for name in _REPOSITORIES):
            break
    return tuple(chain)


def _has_root_file(directory: Path) -> bool:
    names = ("pyproject.toml", "setup.cfg", *_REPOSITORIES)
    return any(os.path.exists(directory / name) for name in names)


def _root_of(directory: Path, ancestors: Iterable[Path]) -> Path:
    """The directory of the project.

    The nearest one with metadata, else the current one if `directory` lies below it, else the
    parent of the top package.
    """
    for parent in ancestors:
        if _has_root_file(parent):
            return parent
    here = Path.cwd()
    if here == directory or here in directory.parents:
        return here
    while os.path.exists(directory / "__init__.py") and directory.parent != directory:
        directory = directory.parent
    return directory


def _top_of(root: Path, ancestors: Iterable[Path]) -> str | None:
    """The outermost directory above a project, within its repository, that has metadata."""
    above = [each for each in ancestors if each in root.parents and _has_root_file(each)]
    return str(above[-1]) if above else None


def _is_template(data: bytes) -> bool:
    """Whether a file is still to be filled in (cookiecutter, copier) and configures nothing."""
    return TABLE.encode() not in data and re.search(rb"\{\{.*\}\}|\{%.*%\}", data) is not None


def _read_toml(file: Path) -> Mapping[str, Any]:
    try:
        data = regular_bytes(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BrokenFileError(f"cannot be read: {error.strerror}", display_path(file)) from error
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BrokenFileError("not valid UTF-8", f"{display_path(file)}:{line}") from error
    except tomllib.TOMLDecodeError as error:
        if _is_template(data):
            return {}
        message = str(error)
        origin = display_path(file)
        if place := re.search(r" \(at line (\d+), column (\d+)\)$", message):
            message = message[: place.start()]
            origin += f":{place.group(1)}:{place.group(2)}"
        elif message.endswith(" (at end of document)"):
            message = message.removesuffix(" (at end of document)")
            lines = data.rstrip().split(b"\n")
            origin += f":{len(lines)}:{len(lines[-1].decode()) + 1}"
        raise BrokenFileError(f"invalid TOML: {message}", origin) from error
    except RecursionError as error:
        raise BrokenFileError("invalid TOML: too deeply nested", display_path(file)) from error


def _convert(option: dataclasses.Field[Any], raw: object, origin: str) -> Any:
    """`raw` as the field wants it; strings come from flake8 and the command line too."""
    key = key_of(option.name)

    def wrong(wanted: str) -> ConfigError:
        return ConfigError(f"`{key}` must be {wanted}, not {raw!r}", origin)

    match option.metadata["kind"]:
        case "string":
            choices: Sequence[str] = option.metadata.get("choices", ())
            if not isinstance(raw, str):
                raise wrong("a string")
            if choices and raw not in choices:
                names = ", ".join(f"`{choice}`" for choice in choices)
                raise ConfigError(
                    f"unknown {key} `{raw}`, expected one of {names}{suggestion(raw, choices)}",
                    origin,
                )
            return raw
        case "strings":
            return _strings(raw, wrong)
        case "integer":
            if isinstance(raw, str) and raw.strip().isdecimal():
                return int(raw)
            if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
                raise wrong("a whole number")
            return raw
        case "version":
            return _version(raw, wrong)
        case "layers":
            if not isinstance(raw, dict) or not all(isinstance(v, list) for v in raw.values()):
                raise wrong("a table of lists of names")
            return {name: _strings(value, wrong) for name, value in raw.items()}
        case "profiles":
            return _profiles(raw, key, origin, wrong)
        case kind:
            raise AssertionError(kind)


def _strings(raw: object, wrong: Any) -> tuple[str, ...]:
    if isinstance(raw, str):
        return split_list(raw)
    if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
        raise wrong("a list of strings")
    return tuple(raw)


def _version(raw: object, wrong: Any) -> Version | None:
    if raw in ("newest", "latest"):
        return None
    if not isinstance(raw, str) or not re.fullmatch(r"\d+(\.\d+)*", raw.strip()):
        raise wrong('a version such as "0.115" (or "newest")')
    return tuple(int(part) for part in raw.strip().split("."))


def _profiles(raw: object, key: str, origin: str, wrong: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise wrong("a table from glob to profile")
    for glob, profile in raw.items():
        if profile not in CHOOSABLE_PROFILES:
            hint = suggestion(str(profile), CHOOSABLE_PROFILES)
            names = ", ".join(f"`{choice}`" for choice in CHOOSABLE_PROFILES)
            raise ConfigError(
                f'`{key}`: unknown profile {profile!r} for "{glob}", expected one of {names}{hint}',
                origin,
            )
    return dict(raw)
