"""Settings: precedence, places, mistakes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import (
    ConfigError,
    Layer,
    Settings,
    SettingsLoader,
    flake8_layer,
    key_of,
    option_fields,
    path_matches,
)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def table(text: str) -> str:
    return f"[tool.flake8-fastapi-rules]\n{text}\n"


def test_defaults(tmp_path: Path) -> None:
    configuration = SettingsLoader().load(tmp_path / "app.py")
    assert configuration.settings == dataclasses.replace(Settings(), root=str(tmp_path))
    assert set(configuration.origins.values()) == {"default"}
    assert configuration.file is None


def test_nearest_table_counts_and_files_without_one_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", table('profile = "strict"'))
    write(tmp_path / "a/pyproject.toml", "[project]\nname = 'a'\n")
    write(tmp_path / "b/pyproject.toml", table('profile = "clean-architecture"'))
    loader = SettingsLoader()
    assert loader.load(tmp_path / "a/x/app.py").settings.profile == "strict"
    assert loader.load(tmp_path / "b/app.py").settings.profile == "clean-architecture"


def test_search_ends_at_the_repository(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", table('profile = "strict"'))
    (tmp_path / "repo/.git").mkdir(parents=True)
    assert SettingsLoader().load(tmp_path / "repo/app.py").settings.profile == "recommended"


def test_precedence(tmp_path: Path) -> None:
    file = write(
        tmp_path / "pyproject.toml",
        table('profile = "strict"\ndependency-depth = 5\npath-case = "snake"'),
    )
    layers = [
        Layer("command line", {"profile": "clean-architecture"}),
        Layer("tox.ini", {"profile": "recommended", "dependency-depth": "4"}),
    ]
    configuration = SettingsLoader(layers).load(tmp_path / "app.py")
    settings, origins = configuration.settings, configuration.origins
    assert (settings.profile, origins["profile"]) == ("clean-architecture", "command line")
    assert (settings.dependency_depth, origins["dependency_depth"]) == (4, "tox.ini")
    assert (settings.path_case, origins["path_case"]) == ("snake", str(file))
    assert origins["layers"] == "default"


def test_isolated_reads_nothing(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", table('profile = "strict"'))
    write(tmp_path / "requirements.txt", "fastapi==0.100.0\n")
    settings = SettingsLoader(isolated=True).load(tmp_path / "app.py").settings
    assert settings.profile == "recommended"
    assert settings.fastapi_version is None


@pytest.mark.parametrize("option", option_fields(), ids=lambda option: option.name)
def test_every_documented_example_is_accepted(tmp_path: Path, option: object) -> None:
    name, example = option.name, option.metadata["example"]  # type: ignore[attr-defined]
    write(tmp_path / "pyproject.toml", table(f"{key_of(name)} = {example}"))
    configuration = SettingsLoader().load(tmp_path / "app.py")
    assert getattr(configuration.settings, name) != getattr(Settings(), name)
    assert configuration.origins[name].endswith("pyproject.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('profil = "strict"', "unknown key `profil`; did you mean `profile`?"),
        ('test_paths = ["x"]', "unknown key `test_paths`; did you mean `test-paths`?"),
        ("zzz = 1", "unknown key `zzz`"),
        (
            'profile = "stritc"',
            "unknown profile `stritc`, expected one of `recommended`, `strict`, "
            "`clean-architecture`; did you mean `strict`?",
        ),
        ('profile = "opt-in"', "unknown profile `opt-in`"),
        ("profile = 3", "`profile` must be a string, not 3"),
        ("enable = 3", "`enable` must be a list of strings, not 3"),
        ("enable = [3]", "`enable` must be a list of strings, not [3]"),
        ('dependency-depth = "deep"', "`dependency-depth` must be a whole number, not 'deep'"),
        ("dependency-depth = true", "`dependency-depth` must be a whole number, not True"),
        ("dependency-depth = -1", "`dependency-depth` must be a whole number, not -1"),
        ("fastapi-version = 0.115", "`fastapi-version` must be a version such as"),
        ('fastapi-version = ">=0.115"', "`fastapi-version` must be a version such as"),
        ("layers = 1", "`layers` must be a table of lists of names"),
        ("layers = { a = 1 }", "`layers` must be a table of lists of names, not {'a': 1}"),
        ('per-path-profiles = "strict"', "`per-path-profiles` must be a table"),
        (
            'per-path-profiles = { "a/**" = "strikt" }',
            "unknown profile 'strikt' for \"a/**\", expected one of",
        ),
        ('path-case = "upper"', "unknown path-case `upper`, expected one of `kebab`"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "pyproject.toml", table(text))
    with pytest.raises(ConfigError) as caught:
        SettingsLoader().load(tmp_path / "app.py")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_the_table_must_be_a_table(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool]\nflake8-fastapi-rules = 3\n")
    with pytest.raises(ConfigError, match="must be a table"):
        SettingsLoader().load(tmp_path / "app.py")


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"[tool\n", ":1:6", "invalid TOML"),
        (b"a = 1\na = 2\n", ":2:6", "invalid TOML"),
        (b"[project]\nname = 'caf\xe9'\n", ":2", "not valid UTF-8"),
        (b"a = " + b"[" * 100_000, "", "invalid TOML"),
    ],
)
def test_broken_toml_names_file_and_line(
    tmp_path: Path, data: bytes, place: str, message: str
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        SettingsLoader().load(tmp_path / "app.py")
    assert str(caught.value).startswith(f"{file}{place}: {message}")


def test_a_template_of_a_file_configures_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.flake8-fastapi-rules]\nprofile = "strict"\n')
    inner = tmp_path / "{{cookiecutter.name}}"
    inner.mkdir()
    template = "[project]\nname = {{ cookiecutter.name }}\n{% if db %}\n"
    (inner / "pyproject.toml").write_text(template)
    assert SettingsLoader().load(inner / "main.py").settings.profile == "strict"
    (inner / "pyproject.toml").write_text(template + "[tool.flake8-fastapi-rules]\n")
    with pytest.raises(ConfigError, match="invalid TOML"):
        SettingsLoader().load(inner / "main.py")


def test_a_broken_file_is_reported_each_time(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool")
    loader = SettingsLoader()
    for _ in range(2):
        with pytest.raises(ConfigError):
            loader.load(tmp_path / "app.py")


def test_per_path_profiles_most_specific_wins(tmp_path: Path) -> None:
    write(
        tmp_path / "pyproject.toml",
        table(
            'profile = "strict"\n[tool.flake8-fastapi-rules.per-path-profiles]\n'
            '"app/**" = "recommended"\n"app/rpc/**" = "clean-architecture"\n'
        ),
    )
    loader = SettingsLoader([Layer("command line", {"profile": "strict"})])

    def profile(path: str) -> str:
        return loader.load(tmp_path / path).settings.profile

    assert profile("main.py") == "strict"
    assert profile("app/main.py") == "recommended"
    assert profile("app/rpc/deep/x.py") == "clean-architecture"
    assert "app/rpc/**" in loader.load(tmp_path / "app/rpc/x.py").origins["profile"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("test_*.py", "a/b/test_x.py", True),
        ("test_*.py", "a/test_x/b.py", False),
        ("conftest.py", "conftest.py", True),
        ("tests/**", "tests/a/b.py", True),
        ("tests/**", "backend/tests/a.py", True),
        ("tests/**", "contests/a.py", False),
        ("/tests/**", "backend/tests/a.py", False),
        ("**/x/*.py", "x/a.py", True),
        ("**/x/*.py", "a/b/x/a.py", True),
        ("a/*/c.py", "a/b/c.py", True),
        ("a/*/c.py", "a/b/b/c.py", False),
        ("a/[bc].py", "a/c.py", True),
        ("a/[!bc].py", "a/c.py", False),
        ("a/?.py", "a/b.py", True),
        ("a/(.py", "a/(.py", True),
    ],
)
def test_globs(tmp_path: Path, pattern: str, path: str, expected: bool) -> None:
    assert path_matches(str(tmp_path / path), pattern, str(tmp_path)) is expected


def test_the_place_of_the_project_does_not_matter_to_globs(tmp_path: Path) -> None:
    root = tmp_path / "tests" / "project"
    write(root / "pyproject.toml", "")
    settings = SettingsLoader().load(root / "app.py").settings
    assert not settings.is_test_path(str(root / "app.py"))
    assert settings.is_test_path(str(root / "tests/app.py"))


def test_tests_with_metadata_of_their_own_are_tests(tmp_path: Path) -> None:
    (tmp_path / "tests/shop/.git").mkdir(parents=True)
    root = tmp_path / "tests/shop"
    for name in ("", "tests/", "tests/load/", "billing/"):
        write(root / f"{name}pyproject.toml", "")
    loader = SettingsLoader()
    for name, expected in (
        ("app.py", False),
        ("tests/helpers.py", True),
        ("tests/load/users.py", True),
        ("tests/load/more/users.py", True),
        ("billing/app.py", False),
        ("billing/tests/helpers.py", True),
    ):
        assert loader.load(root / name).settings.is_test_path(str(root / name)) is expected, name


def test_src_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", table('src = ["lib"]'))
    settings = SettingsLoader().load(tmp_path / "a/b.py").settings
    assert settings.src == (str(tmp_path / "lib"),)


def test_flake8_file_is_found_as_flake8_does(tmp_path: Path) -> None:
    write(tmp_path / "setup.cfg", "[metadata]\nname = x\n")
    write(
        tmp_path / "tox.ini",
        "[flake8]\nfar_profile = strict\nfar-enable =\n    FAR313\n    path-case\nignore = E\n",
    )
    (tmp_path / "a/b").mkdir(parents=True)
    layer, section = flake8_layer(tmp_path / "a/b")
    assert layer is not None
    assert layer.origin.endswith("tox.ini")
    settings = SettingsLoader([layer]).load(tmp_path / "app.py").settings
    assert settings.profile == "strict"
    assert settings.enable == ("FAR313", "path-case")
    assert section["ignore"] == "E"


def test_unparsable_flake8_file_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a/tox.ini", "[flake8\nfar-profile strict")
    write(tmp_path / "setup.cfg", "[flake8]\nfar-profile = strict\n")
    layer, _ = flake8_layer(tmp_path / "a")
    assert layer is not None
    assert layer.values == {"profile": "strict"}


def test_unknown_option_in_flake8_file(tmp_path: Path) -> None:
    write(tmp_path / ".flake8", "[flake8]\nfar-profiel = strict\n")
    layer, _ = flake8_layer(tmp_path)
    assert layer is not None
    with pytest.raises(ConfigError, match=r"\.flake8: unknown key `profiel`; did you mean"):
        SettingsLoader([layer]).load(tmp_path / "app.py")


def test_settings_are_documented() -> None:
    for option in option_fields():
        assert option.metadata["help"].endswith(".")
        assert json.dumps(option.metadata["example"])


PYPROJECT = "pyproject.toml"


class TestVersions:
    @pytest.mark.parametrize(
        ("file", "text", "expected"),
        [
            (PYPROJECT, '[project]\ndependencies = ["fastapi[all]>=0.115.2,<1"]', (0, 115, 2)),
            (PYPROJECT, '[project.optional-dependencies]\na = ["FastAPI ~= 0.9.1"]', (0, 9, 1)),
            (PYPROJECT, '[dependency-groups]\na = [{include-group="x"}, "fastapi>0.99"]', (0, 99)),
            (PYPROJECT, '[tool.poetry.dependencies]\nfastapi = "^0.111"', (0, 111)),
            (PYPROJECT, '[tool.poetry.dependencies]\nfastapi = {version="~0.111.1"}', (0, 111, 1)),
            (PYPROJECT, '[tool.poetry.group.x.dependencies]\nfastapi = "0.111.0"', (0, 111, 0)),
            ("requirements.txt", "# web\nfastapi==0.95.0 ; python_version > '3'\n", (0, 95, 0)),
            ("requirements-dev.txt", "-r x.txt\nfastapi (>=0.96)\n", (0, 96)),
            ("requirements/base.txt", "fastapi===0.97.0 --hash=sha256:abc\n", (0, 97, 0)),
            ("requirements.in", "fastapi>=0.97.1\n", (0, 97, 1)),
            ("requirements/web.in", "fastapi>=0.97.2\n", (0, 97, 2)),
            ("setup.py", 'setup(install_requires=["a", "fastapi>=0.97.3"])', (0, 97, 3)),
            ("setup.py", "setup(install_requires=read(", None),
            ("setup.cfg", "[options]\ninstall_requires =\n  fastapi>=0.98,!=0.99\n", (0, 98)),
            ("setup.cfg", "[options.extras_require]\nweb = fastapi>=0.98.1\n", (0, 98, 1)),
            ("Pipfile", '[packages]\nfastapi = "==0.99.1"\n', (0, 99, 1)),
            ("Pipfile", '[packages]\nfastapi = {version = "~=0.99", index = "a"}\n', (0, 99)),
            ("Pipfile", '[packages]\nfastapi = "*"\n', None),
            ("requirements.txt", "fastapi-users>=12\n", None),
            ("requirements.txt", "fastapi\n", None),
            ("requirements.txt", "fastapi<0.100\n", (0, 99, 99_999)),
            ("requirements.txt", "fastapi<1.0\n", (0, 99_999)),
            ("requirements.txt", "fastapi @ git+https://example.org/x@0.50\n", None),
        ],
    )  # fmt: skip
    def test_lower_bound(
        self, tmp_path: Path, file: str, text: str, expected: tuple[int, ...] | None
    ) -> None:
        path = write(tmp_path / file, text)
        configuration = SettingsLoader().load(tmp_path / "app/main.py")
        assert configuration.settings.fastapi_version == expected
        if expected:
            assert configuration.origins["fastapi_version"] == f"requirement in {path}"

    def test_nearest_in_a_monorepo(self, tmp_path: Path) -> None:
        write(tmp_path / "requirements.txt", "fastapi==0.90.0")
        write(tmp_path / "services/a/requirements.txt", "fastapi==0.100.0")
        write(tmp_path / "services/b/pyproject.toml", "[project]\ndependencies = ['httpx']")
        loader = SettingsLoader()
        a = loader.load(tmp_path / "services/a/app/main.py").settings
        b = loader.load(tmp_path / "services/b/app/main.py").settings
        assert (a.fastapi_version, b.fastapi_version) == ((0, 100, 0), (0, 90, 0))

    @pytest.mark.parametrize(
        ("requirements", "expected"),
        [
            ("fastapi>=0.100", None),
            ("fastapi", None),
            ("fastapi==0.100.0", (0, 27)),
            ("fastapi<0.110", (0, 36, 3)),
            ("fastapi~=0.116.0", (0, 48)),
            ("fastapi==0.116.1", (0, 47, 3)),
            ("fastapi==0.128.3", (0, 52, 1)),
            ("fastapi==0.133.*", None),
            ("fastapi>=0.100\nstarlette>=0.40,<0.48", (0, 40)),
            ("fastapi==0.100.0\nstarlette", (0, 27)),
        ],
    )
    def test_starlette(
        self, tmp_path: Path, requirements: str, expected: tuple[int, ...] | None
    ) -> None:
        write(tmp_path / "requirements.txt", requirements)
        settings = SettingsLoader().load(tmp_path / "main.py").settings
        assert settings.starlette_version == expected

    def test_given_versions_count_more(self, tmp_path: Path) -> None:
        write(tmp_path / "requirements.txt", "fastapi>=0.90")
        write(tmp_path / "pyproject.toml", table('fastapi-version = "0.100.0"'))
        settings = SettingsLoader().load(tmp_path / "main.py").settings
        assert settings.fastapi_version == (0, 100, 0)
        assert settings.starlette_version == (0, 27)
        layer = Layer("command line", {"fastapi-version": "newest"})
        assert SettingsLoader([layer]).load(tmp_path / "main.py").settings.fastapi_version is None

    def test_broken_metadata_says_nothing(self, tmp_path: Path) -> None:
        write(tmp_path / "setup.cfg", "[options\n")
        (tmp_path / "requirements.txt").write_bytes(b"\xff\xfefastapi")
        assert SettingsLoader().load(tmp_path / "main.py").settings.fastapi_version is None


def test_folders_without_metadata_have_the_settings_above_them(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", table('profile = "strict"'))
    write(tmp_path / "a/b/requirements.txt", "fastapi>=0.100\n")
    for folder in ("a/c/d", "a/b/e"):
        (tmp_path / folder).mkdir(parents=True)
    loader = SettingsLoader()
    top = loader.load(tmp_path / "app.py")
    assert loader.load(tmp_path / "a/c/d/app.py") is top
    below = loader.load(tmp_path / "a/b/e/app.py")
    assert below is loader.load(tmp_path / "a/b/app.py")
    assert below.settings == dataclasses.replace(
        top.settings, fastapi_version=(0, 100), starlette_version=below.settings.starlette_version
    )


def test_without_metadata_each_package_is_a_project(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name / "__init__.py", "")
        (tmp_path / name / "inner").mkdir()
        write(tmp_path / name / "inner/__init__.py", "")
    loader = SettingsLoader()
    roots = {loader.load(tmp_path / name / "inner/app.py").settings.root for name in ("one", "two")}
    assert roots == {str(tmp_path)}
    (tmp_path / "one/.git").mkdir()
    assert SettingsLoader().load(tmp_path / "one/inner/app.py").settings.root == str(
        tmp_path / "one"
    )
