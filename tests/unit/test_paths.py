"""Patterns of paths, held to Starlette's own matcher."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Match, Mount, Route, compile_path

from flake8_fastapi_rules.semantics.paths import (
    format_of,
    mounted_pattern,
    names_in,
    overlaps,
    pattern_of,
    unmatched,
)

_SEGMENTS = st.one_of(
    st.sampled_from(["a", "b", "1", "me", "x-y", "v1.0", "a1"]),
    st.sampled_from(["{x}", "{x:int}", "{x:float}", "{x:uuid}", "{x:path}", "{x:str}"]),
    st.sampled_from(["a{x}", "{x}.json", "{x:int}-{y}", "v{x:int}"]),
)


def _numbered(path: str) -> str:
    parts: list[str] = []
    for count, part in enumerate(path.split("{")):
        parts.append(part if not count else f"{{p{count}" + part[1:])
    return "".join(parts)


@st.composite
def _paths(draw: st.DrawFn) -> str:
    segments = draw(st.lists(_SEGMENTS, min_size=0, max_size=4))
    slash = draw(st.sampled_from(["", "/"])) if segments else "/"
    return _numbered("".join(f"/{segment}" for segment in segments) + slash)


async def _endpoint(request: object) -> None:
    """Serves nothing."""


def _matches(path: str, text: str) -> bool:
    return compile_path(path)[0].match(text) is not None


@given(_paths(), st.lists(_paths(), max_size=4))
@settings(max_examples=300, deadline=None)
def test_what_is_called_hidden_never_matches(path: str, others: list[str]) -> None:
    """The witness is a path of ours alone; without one every example of ours is another's."""
    witness = unmatched(path, others)
    if witness is not None:
        assert _matches(path, witness)
        assert not any(_matches(other, witness) for other in others)
        return
    for value in _examples(path):
        assert any(_matches(other, value) for other in others)


def _examples(path: str) -> list[str]:
    values = {
        "str": ["a", "1", "me", "x-y.z"],
        "int": ["1", "00"],
        "float": ["1", "1.5"],
        "uuid": ["00000000-0000-0000-0000-000000000000"],
        "path": ["", "a", "a/b", "/"],
    }
    texts = [path]
    _, _, convertors = compile_path(path)
    for name, convertor in convertors.items():
        kind = type(convertor).__name__.removesuffix("Convertor").lower()
        kind = {"string": "str", "integer": "int"}.get(kind, kind)
        texts = [
            text.replace(found, value)
            for text in texts
            for found in [next(p for p in (f"{{{name}}}", f"{{{name}:{kind}}}") if p in text)]
            for value in values[kind]
        ][:200]
    return texts


@given(st.lists(st.tuples(_paths(), st.sampled_from(["GET", "POST"])), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_tables_agree_with_the_matcher(table: list[tuple[str, str]]) -> None:
    """In a table of routes, the one that Starlette picks for our witness is the one we mean."""
    routes = [Route(path, _endpoint, methods=[method]) for path, method in table]
    for position, (path, method) in enumerate(table):
        earlier = [
            other
            for other, route in zip(table[:position], routes, strict=False)
            if method in (route.methods or ())
        ]
        witness = unmatched(path, [other for other, _ in earlier])
        texts = _examples(path) if witness is None else [witness]
        for text in texts:
            scope = {"type": "http", "path": text, "method": method, "headers": []}
            chosen = next(
                i for i, route in enumerate(routes) if route.matches(scope)[0] is Match.FULL
            )
            assert (chosen == position) is (witness is not None)


@pytest.mark.parametrize("prefix", ["", "/static", "/a/{x}"])
@pytest.mark.parametrize("text", ["/", "/static", "/static/", "/static/x", "/a/b/c", "/a/b"])
def test_mounts(prefix: str, text: str) -> None:
    """A mount catches what is below it, not its own path without a slash."""
    mount = Mount(prefix, app=_endpoint)
    scope = {"type": "http", "path": text, "method": "GET", "headers": []}
    assert (mount.matches(scope)[0] is Match.FULL) is _matches(mounted_pattern(prefix), text)


@given(_paths(), _paths())
@settings(max_examples=100, deadline=None)
def test_overlap_is_mutual(first: str, second: str) -> None:
    """Overlap does not depend on the order, and every pattern overlaps itself."""
    assert overlaps(first, second) is overlaps(second, first)
    assert overlaps(first, first)


def test_names_and_formats() -> None:
    """Converters are no part of names and formats; patterns forget the names."""
    assert names_in("/a/{b:int}/{c}") == ("b", "c")
    assert format_of("/a/{b:int}/{c}") == "/a/{b}/{c}"
    assert pattern_of("/a/{b}") == pattern_of("/a/{c:str}") == "/a/{:str}"
    assert pattern_of("/a/{b:date}") is None
