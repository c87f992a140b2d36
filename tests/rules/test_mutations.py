"""Each convention of the reference service, when broken, is reported, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from benchmarks.mutants import SERVICE, Mutation, Outcome, Workbench, mutations
from benchmarks.planting import Plant, Project, plants
from flake8_fastapi_rules.rules import all_rules

RULES = {rule.code: rule for rule in all_rules()}
#: One of each group, so that what breaks the harness is seen in every run.
SAMPLE = tuple(
    next(m for m in mutations() if m.code.startswith(f"FAR{group}")) for group in range(1, 10)
)
#: Every tenth that leaves the service whole is imported.
IMPORTED = tuple(m for m in mutations() if not m.breaks)[::10]
ENDPOINTS = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/items/{item_id}")
async def read_item(item_id: int) -> int:
    return item_id


@app.post("/items")
async def create_item(name: str) -> str:
    return name


@app.patch("/items/{item_id}")
def change_item(item_id: int, name: str) -> str:
    return name * item_id
"""


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("service"))


def assert_exact(outcome: Outcome) -> None:
    said = "\n".join(f"{f.path}:{f.line}: {f.code} {f.message}" for f in outcome.new)
    assert outcome.found, f"not found; reported:\n{said}"
    assert not outcome.extra, f"reported besides:\n{said}"
    assert not outcome.missing, f"said to come along, but not reported: {outcome.missing}"


def test_every_rule_is_mutated() -> None:
    """Two ways for each rule, three for those that are on by default."""
    ways = Counter(mutation.code for mutation in mutations())
    wanted = {code: 3 if "recommended" in rule.profiles else 2 for code, rule in RULES.items()}
    assert {code: ways[code] for code, least in wanted.items() if ways[code] < least} == {}
    assert ways.keys() <= wanted.keys()


def test_mutations_are_told_apart() -> None:
    said = Counter(map(str, mutations()))
    assert [text for text, count in said.items() if count > 1] == []


@pytest.mark.parametrize("mutation", mutations(), ids=str)
def test_mutation_can_be_applied(mutation: Mutation, workbench: Workbench) -> None:
    """Its places are found, and the result is Python that differs."""
    for file, text in workbench.texts(mutation).items():
        before = workbench.folder / file
        assert not before.exists() or before.read_text("utf-8") != text
    assert all(mutation.also.values()), "each code that comes along needs a reason"
    assert mutation.also.keys() <= RULES.keys()


@pytest.mark.parametrize("mutation", SAMPLE, ids=str)
def test_sample_is_exact(mutation: Mutation, workbench: Workbench) -> None:
    assert_exact(workbench.outcome(mutation))


@pytest.mark.slow
@pytest.mark.parametrize("mutation", mutations(), ids=str)
def test_mutation_is_exact(mutation: Mutation, workbench: Workbench) -> None:
    """The rule reports it, and nothing else is reported but what the mutation names."""
    assert_exact(workbench.outcome(mutation))


@pytest.mark.slow
@pytest.mark.parametrize("mutation", IMPORTED, ids=str)
def test_mutated_service_can_be_imported(mutation: Mutation, workbench: Workbench) -> None:
    changed = workbench.apply(mutation)
    try:
        for file in changed:
            if not file.startswith(SERVICE) or "load_settings_or_exit()" in changed[file]:
                continue  # the latter needs a configuration
            name = file.removesuffix(".py").replace("/", ".")
            done = subprocess.run(
                [sys.executable, "-c", f"import {name}"],
                cwd=workbench.folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if "ModuleNotFoundError" in done.stderr and "'example_app" not in done.stderr:
                pytest.skip(f"needs a library: {done.stderr.splitlines()[-1]}")
            assert done.returncode == 0, done.stderr
    finally:
        workbench.restore(changed)


def test_plants_have_three_spellings() -> None:
    ways = Counter(plant.code for plant in plants())
    assert {code: count for code, count in ways.items() if count < 3} == {}
    assert all("recommended" in RULES[code].profiles for code in ways)
    assert {code for code, rule in RULES.items() if rule.is_bug} <= ways.keys()


@pytest.fixture(scope="module")
def planting_ground(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("ground")
    (folder / "pyproject.toml").write_text('[project]\nname = "ground"\n')
    (folder / "app.py").write_text(ENDPOINTS)
    return Project(folder)


@pytest.mark.parametrize("plant", plants(), ids=lambda plant: f"{plant.code}: {plant.about}")
def test_plant_is_found(plant: Plant, planting_ground: Project) -> None:
    """Each fits some endpoint of a small app, and is found there."""
    trials = planting_ground.trials(plant, 1, 1)
    assert [is_found for _, is_found in trials] == [True]
