"""What others report we report too, or we say why not.

Runs on checkouts below the folder that the environment variable FAR_CORPUS names, one folder
`owner__name` per repository. Without it these tests are skipped: the fixtures belong to others
and are not part of this repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.semantics.facts import Endpoint, Route
from flake8_fastapi_rules.semantics.model import Model
from tests.conformance.comparing import PeerSet, compare
from tests.conformance.explanations import EXPLANATIONS
from tests.conformance.readers import endpoint_markers, source_at
from tests.conformance.sets import CODEQL, SETS

CORPUS = os.environ.get("FAR_CORPUS")

pytestmark = pytest.mark.skipif(
    not CORPUS, reason="FAR_CORPUS names no folder with checkouts of other projects"
)


def corpus_folder(name: str = "") -> Path:
    """A folder of the corpus; skips the test when the corpus lacks it."""
    folder = Path(CORPUS or "") / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not in the corpus")
    return folder


@pytest.mark.parametrize("peers", SETS, ids=lambda peers: peers.name)
def test_differences_are_explained(peers: PeerSet, tmp_path: Path) -> None:
    """Every difference from a peer is explained."""
    assert all(peers.codes(rule) for rule in peers.rules), "a rule of ours is gone"
    reading = peers.read(corpus_folder(), tmp_path)
    if reading is None:
        pytest.skip(f"{peers.name} is not in the corpus")
    problems = []
    for row in compare(peers, reading, EXPLANATIONS):
        problems += [f"{row.rule} reports, we do not: {place}" for place in row.missing]
        problems += [f"{row.rule} is silent, we are not: {place}" for place in row.surplus]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", ["basic.py", "router.py", "taint_test.py"])
def test_routes_of_codeql(name: str) -> None:
    """Routes, endpoints and their parameters are those that CodeQL's markers name."""
    path = corpus_folder(CODEQL) / name
    routes, handlers, parameters = endpoint_markers(path)
    source = source_at(path)
    assert source
    model = Model(Settings())
    module = model.load(source)
    assert {route.node.lineno: route.path for route in model.facts(module, Route)} == routes
    endpoints = {each.node.lineno: each.node for each in model.facts(module, Endpoint)}
    assert endpoints.keys() == handlers
    for line, node in endpoints.items():
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        assert {argument.arg for argument in arguments} == parameters[line]
