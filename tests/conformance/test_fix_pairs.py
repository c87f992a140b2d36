"""What others rewrite we rewrite into the same program, or we say why not.

The pairs are those of bump-pydantic's and bump-testclient's own tests, and what live ruff makes of
its fixtures for FAST001 to FAST003. Programs are compared as Python sees them: layout, the order
of imports and imports that are not used do not count.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.index import all_arguments
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.apply import apply_fixes
from flake8_fastapi_rules.linter import Linter
from tests.conformance.readers import rewrites
from tests.conformance.sets import RUFF_FIXTURES
from tests.conformance.test_conformance import CORPUS, corpus_folder

pytestmark = pytest.mark.skipif(
    not CORPUS, reason="FAR_CORPUS names no folder with checkouts of other projects"
)

#: Test of bump-pydantic (a regular expression) to why our result is another.
PYDANTIC: Mapping[str, str] = {
    r"con_func_": "`conint` and its like work in Pydantic 2 without a warning",
    r"field_test_field_env_on_base_settings": (
        "`BaseSettings` is in another package, so nothing is known of its fields here"
    ),
    r"field_test_(flip_frozen_boolean|example_list)": (
        "`BaseSettings` is in another package, so nothing is known of its fields here"
    ),
    r"field_test_replace_const_by_literal_type": (
        "the type of the field would change in the schema; it is left to a person"
    ),
    r"generic_model_from_pydantic_import_generics": (
        "the base is reached through the module `generics`, which would be left unused"
    ),
    r"replace_config_test_(multiple_)?removed_keys": (
        "`allow_mutation=True` has a successor: `frozen=False`"
    ),
    r"replace_config_test_extra_inside": "`Extra.forbid` is rewritten as well, and means the same",
    r"root_model_": "the fixture assigns `__root__`, which makes no field; annotated ones are done",
    r"validator_test_(noop_comment|comment_on_validator_with_multiple_params)": (
        "bump-pydantic leaves it to a person; what the validator does not read can go"
    ),
    r"validator_test_root_validator_after": (
        "Pydantic 2 gives an after-validator the model; `@model_validator()` fails at import"
    ),
}
#: The same for bump-testclient.
TEST_CLIENT: Mapping[str, str] = {}
#: Name of a function in ruff's fixtures to why our result is another.
RUFF: Mapping[str, str] = {
    "FAST002_0:get_users#2": "where ruff gives up, a `*` keeps the order legal",
    "FAST002_2:test_mixed_parameters#0": "where ruff gives up, a `*` keeps the order legal",
    "FAST003:double#1": "of two dependencies FastAPI takes the last, which binds nothing",
    "FAST003:read_thing#10": "FastAPI cannot call a function with positional-only parameters",
    "FAST003:read_thing_posonly#0": "FastAPI cannot call positional-only parameters",
    "FAST003:read_thing_posonly_trailing#0": "FastAPI cannot call positional-only parameters",
    "FAST003:read_thing_vararg#0": "FastAPI takes `*query` for a query parameter and cannot call",
    "FAST003:read_thing_vararg_kwarg#0": "FastAPI takes `*args` for a query parameter",
}


def fixed(text: str, codes: set[str], path: Path) -> str:
    """A program after all fixes of some rules."""
    layer = Layer("the test", {"enable": sorted(codes), "test-paths": ["test_*.py"]})
    linter = Linter(SettingsLoader([layer], isolated=True))
    outcome = apply_fixes(
        Source(str(path), text), linter.check, unsafe=True, wanted=lambda f: f.code in codes
    )
    assert outcome.converged
    return outcome.after.text


def meaning(text: str) -> tuple[list[str], set[str]]:
    """The statements of a program, and the imports that they use."""
    tree = ast.parse(textwrap.dedent(text))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    statements, imports = [], set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names = {(a.name, a.asname or a.name) for a in node.names}
            imports |= {f"{node.module}.{n} as {a}" for n, a in names if a in used or n == "*"}
        elif isinstance(node, ast.Import):
            imports |= {f"{a.name} as {a.asname}" for a in node.names}
        else:
            statements.append(ast.unparse(node))
    return statements, imports


def compare(
    folder: str, names: tuple[str, str], codes: set[str], path: Path, known: Mapping[str, str]
) -> list[str]:
    """The tests with another result than ours that nothing explains, with the results."""
    problems = []
    unused = set(known)
    for name, before, after in rewrites(corpus_folder(folder), names):
        ours = fixed(textwrap.dedent(before), codes, path)
        if meaning(ours) == meaning(after):
            continue
        reasons = [pattern for pattern in known if re.search(pattern, name)]
        unused -= set(reasons)
        if not reasons:
            problems.append(f"{name}:\n{ours}\ninstead of\n{textwrap.dedent(after)}")
    return problems + [f"nothing differs any more: {pattern}" for pattern in sorted(unused)]


def test_bump_pydantic(tmp_path: Path) -> None:
    """Pydantic 1 to 2."""
    problems = compare(
        "pydantic__bump-pydantic/tests/unit",
        ("before", "after"),
        {"FAR509"},
        tmp_path / "app.py",
        PYDANTIC,
    )
    assert not problems, "\n".join(problems)


def test_bump_testclient(tmp_path: Path) -> None:
    """Arguments of the test client."""
    problems = compare(
        "Kludex__bump-testclient/tests",
        ("input", "expected"),
        {"FAR904", "FAR907"},
        tmp_path / "test_app.py",
        TEST_CLIENT,
    )
    assert not problems, "\n".join(problems)


def functions_of(text: str, *, only_names: bool) -> dict[str, str]:
    """The functions of a program with their decorators, by name and number.

    Parameters:
        only_names: of the parameters only the names count: ruff adds them without a type.
    """
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            same = sum(name.startswith(f"{node.name}#") for name in found)
            key = f"{node.name}#{same}"
            if only_names:
                names = sorted(argument.arg for argument in all_arguments(node.args))
                arguments = [ast.arg(name) for name in names]
                node.args = ast.arguments([], arguments, None, [], [], None, [])
            found[key] = ast.unparse(node)
    return found


def test_ruff(tmp_path: Path) -> None:
    """FAST001 (FAR503), FAST002 (FAR301, FAR302) and FAST003 (FAR208)."""
    problems = []
    unused = set(RUFF)
    for path in sorted(corpus_folder(f"{RUFF_FIXTURES}/fastapi").glob("FAST*.py")):
        copy = tmp_path / path.name
        shutil.copyfile(path, copy)
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "-q"]
        options = ["--ignore-noqa", "--fix", "--unsafe-fixes", "--target-version=py312"]
        subprocess.run([*command, *options, f"--select={path.stem[:7]}", str(copy)], check=False)
        codes = {"FAST001": {"FAR503"}, "FAST002": {"FAR301", "FAR302"}, "FAST003": {"FAR208"}}
        ours = fixed(path.read_text(), codes[path.stem[:7]], tmp_path / "app.py")
        only_names = path.stem == "FAST003"
        theirs = functions_of(copy.read_text(), only_names=only_names)
        for name, code in functions_of(ours, only_names=only_names).items():
            if code == theirs[name]:
                continue
            key = f"{path.stem}:{name}"
            if key in RUFF:
                unused.discard(key)
            else:
                problems.append(f"{key}:\n{code}\ninstead of\n{theirs[name]}\n")
    problems += [f"nothing differs any more: {key}" for key in sorted(unused)]
    assert not problems, "\n".join(problems)
