"""Strategies for programs that look like FastAPI code, most of them wrong in some way."""

from __future__ import annotations

import ast
import copy
from functools import cache

from hypothesis import strategies as st

from tests.rules.cases import FIXTURES

NAMES = st.sampled_from(
    ["app", "router", "FastAPI", "APIRouter", "Depends", "get_db", "item", "self", "é", "x", "_"]
)
PATHS = st.sampled_from(["", "/", "/items", "/{item_id}", "/{p:path}", "/{a}{", "//", "{x}", "/é"])
VERBS = st.sampled_from(
    ["get", "post", "websocket", "api_route", "on_event", "middleware", "mount"]
)
IMPORTS = st.sampled_from(
    [
        "from fastapi import *",
        "from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Path, Query",
        "from fastapi import FastAPI as app, Depends as FastAPI",
        "import fastapi, starlette.routing as router",
        "from . import app, router",
        "from .. import x as FastAPI",
        "from typing import Annotated, TYPE_CHECKING",
        "from pydantic import BaseModel",
        "from app.example import app",
        "import app.example as x",
        "from contextlib import asynccontextmanager",
        "from sqlalchemy.orm import Session",
    ]
)


def expressions() -> st.SearchStrategy[str]:
    """Expressions over a few names, so that they often mean something."""
    atoms = st.one_of(
        NAMES, PATHS.map(repr), st.sampled_from(["1", "None", "...", "[]", "b''", "f'{x}'", "''"])
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("{}({})".format, NAMES, inner),
            st.builds("{}({}, {}={})".format, NAMES, inner, NAMES, inner),
            st.builds("({}).{}".format, inner, NAMES),
            st.builds("({})[{}]".format, inner, inner),
            st.builds("({} + {})".format, inner, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("Annotated[{}, {}]".format, inner, inner),
            st.builds("Depends(lambda {}: {})".format, NAMES, inner),
            st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
            st.builds("({} := {})".format, NAMES, inner),
            st.builds("({} | {})".format, inner, inner),
        ),
        max_leaves=6,
    )


def _indented(body: list[str]) -> str:
    return "\n".join("    " + line for text in body or ["pass"] for line in text.split("\n"))


def _function(
    decorators: list[str], keyword: str, name: str, parameters: list[str], body: list[str]
) -> str:
    lines = [f"@{decorator}" for decorator in decorators]
    lines.append(f"{keyword} {name}({', '.join(parameters)}):")
    return "\n".join([*lines, _indented(body)])


def statements() -> st.SearchStrategy[str]:
    """Statements, with blocks nested a few deep."""
    expression = expressions()
    simple = st.one_of(
        IMPORTS,
        expression,
        st.builds("{} = {}".format, NAMES, expression),
        st.builds("{}: {} = {}".format, NAMES, expression, expression),
        st.builds("{0}.include_router({0}, prefix={1})".format, NAMES, PATHS.map(repr)),
        st.builds("raise {}".format, expression),
        st.builds("global {}".format, st.sampled_from(["state", "cache"])),
        st.builds("del {}".format, NAMES),
    )
    decorator = st.one_of(
        st.builds("{}.{}({})".format, NAMES, VERBS, PATHS.map(repr)),
        st.builds("{}.{}({}, {}={})".format, NAMES, VERBS, expression, NAMES, expression),
        st.builds("{}.{}".format, NAMES, VERBS),
        NAMES,
    )
    parameter = st.one_of(
        st.builds("{}: {} = {}".format, NAMES, expression, expression),
        st.builds("{}={}".format, NAMES, expression),
        NAMES,
    )

    def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        body = st.lists(inner, max_size=3)
        return st.one_of(
            st.builds(
                _function,
                st.lists(decorator, max_size=2),
                st.sampled_from(["def", "async def"]),
                NAMES,
                st.lists(parameter, max_size=3),
                body,
            ),
            st.builds("class {}({}):\n{}".format, NAMES, expression, body.map(_indented)),
            st.builds("if {}:\n{}".format, expression, body.map(_indented)),
            st.builds("try:\n{0}\nexcept {1}:\n{0}".format, body.map(_indented), expression),
            st.builds("with {} as {}:\n{}".format, expression, NAMES, body.map(_indented)),
            st.builds("for {} in {}:\n{}".format, NAMES, expression, body.map(_indented)),
            st.builds("yield {}".format, expression),
            st.builds("return {}".format, expression),
            st.builds("await {}".format, expression),
        )

    return st.recursive(simple, blocks, max_leaves=8)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def programs() -> st.SearchStrategy[str]:
    """Programs that parse."""
    return st.lists(statements(), min_size=1, max_size=8).map("\n".join).filter(_parses)


@cache
def fixture_texts() -> tuple[str, ...]:
    """All fixtures that parse, as material for mutations."""
    texts = (path.read_bytes().decode() for path in sorted(FIXTURES.rglob("*.py")))
    return tuple(text for text in texts if _parses(text))


@st.composite
def mutated_fixtures(draw: st.DrawFn) -> str:
    """A fixture in which some nodes were replaced by nodes of another fixture."""
    texts = fixture_texts()
    tree = ast.parse(draw(st.sampled_from(texts)))
    donor = ast.parse(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, tree, donor)
    text = ast.unparse(ast.fix_missing_locations(tree))
    return text if _parses(text) else ""


def _mutate(draw: st.DrawFn, tree: ast.Module, donor: ast.Module) -> None:
    """Replace one expression or statement somewhere in `tree`, or delete it."""
    places = [
        (parent, name, index)
        for parent in ast.walk(tree)
        for name, value in ast.iter_fields(parent)
        for index, item in enumerate(value if isinstance(value, list) else [value])
        if isinstance(item, ast.expr | ast.stmt)
    ]
    if not places:  # the last statement is gone
        return
    parent, name, index = draw(st.sampled_from(places))
    value = getattr(parent, name)
    old = value[index] if isinstance(value, list) else value
    kind = ast.stmt if isinstance(old, ast.stmt) else ast.expr
    candidates = [node for node in ast.walk(donor) if isinstance(node, kind)]
    if not candidates:
        return
    new = copy.deepcopy(draw(st.sampled_from(candidates)))
    if isinstance(value, list):
        if draw(st.booleans()) or len(value) == 1:
            value[index] = new
        else:
            del value[index]
    else:
        setattr(parent, name, new)
