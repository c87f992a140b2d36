"""Imports added, reused and dropped."""

from __future__ import annotations

import ast

import pytest

from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.fixes.imports import (
    ensure_import,
    ensure_imports,
    remove_unused_import,
    replace_reference,
)
from tests.unit.fixing import edited, file_text


def use(code: str, module: str = "typing", name: str = "Annotated") -> tuple[str, str] | None:
    """What to write at the name `here`, and the text with the import."""
    code = code if "here" in code else f"{code}here\n"
    text = file_text(code)
    at = next(node for node in text.index.nodes(ast.Name) if node.id == "here")
    try:
        imported = ensure_import(text, module, name, at)
    except Unfixable:
        return None
    result = edited(code, imported.edits)
    assert result is not None
    return imported.name, result.removesuffix("here\n")


REUSED = {
    "name": ("from typing import Annotated\n", "Annotated"),
    "alias": ("from typing import Annotated as A\n", "A"),
    "extensions": ("from typing_extensions import Annotated\n", "Annotated"),
    "module": ("import typing\n", "typing.Annotated"),
    "module alias": ("import typing as t\n", "t.Annotated"),
    "name before module": ("import typing\nfrom typing import Annotated\n", "Annotated"),
    "either way": (
        "try:\n    from typing import Annotated\nexcept ImportError:\n"
        "    from typing_extensions import Annotated\n",
        "Annotated",
    ),
    "in a function": ("from typing import Annotated\ndef f():\n    here\n", "Annotated"),
}


@pytest.mark.parametrize("case", REUSED)
def test_reused(case: str) -> None:
    code, name = REUSED[case]
    found = use(code)
    assert found is not None
    assert found[0] == name
    assert found[1] in (code, code.removesuffix("here\n"))


ADDED = {
    "nothing": ("x = 1\n", "from typing import Annotated\n\nx = 1\n"),
    "docstring": ('"""Doc."""\n', '"""Doc."""\n\nfrom typing import Annotated\n'),
    "shebang": ("#!/bin/x\n# c\nx\n", "#!/bin/x\n# c\nfrom typing import Annotated\n\nx\n"),
    "future": (
        "from __future__ import annotations\n\nx\n",
        "from __future__ import annotations\n\nfrom typing import Annotated\n\nx\n",
    ),
    "future and others": (
        "from __future__ import annotations\nimport fastapi\n",
        "from __future__ import annotations\n\nfrom typing import Annotated\n\nimport fastapi\n",
    ),
    "third party": (
        "from fastapi import FastAPI\n",
        "from typing import Annotated\n\nfrom fastapi import FastAPI\n",
    ),
    "behind the standard library": (
        "import os\nimport sys\n\nimport fastapi\n",
        "import os\nimport sys\nfrom typing import Annotated\n\nimport fastapi\n",
    ),
    "sorted": (
        "from os import a\nfrom uuid import b\n",
        "from os import a\nfrom typing import Annotated\nfrom uuid import b\n",
    ),
    "in front": ("from uuid import b\n", "from typing import Annotated\nfrom uuid import b\n"),
    "comment behind": ("import os  # c\n", "import os  # c\nfrom typing import Annotated\n"),
    "extended": (
        "from typing import Any, Optional\n",
        "from typing import Annotated, Any, Optional\n",
    ),
    "extended, last": ("from typing import AbC, Aa\n", "from typing import AbC, Aa, Annotated\n"),
    "extended, types first": (
        "from typing import TYPE_CHECKING, Any, cast\n",
        "from typing import TYPE_CHECKING, Annotated, Any, cast\n",
    ),
    "extended, unsorted": (
        "from typing import b, Any, a\n",
        "from typing import b, Any, a, Annotated\n",
    ),
    "extended, in brackets": (
        "from typing import (\n    Any,  # c\n    Optional,\n)\n",
        "from typing import (\n    Annotated,\n    Any,  # c\n    Optional,\n)\n",
    ),
    "extended, last in brackets": (
        "from typing import (\n    A,\n    AA  # c\n)\n",
        "from typing import (\n    A,\n    AA,  # c\n    Annotated\n)\n",
    ),
    "extended, joined lines": (
        "from typing import Any, \\\n    Optional\n",
        "from typing import Annotated, Any, \\\n    Optional\n",
    ),
    "type checkers only": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Annotated\n",
        "from typing import TYPE_CHECKING, Annotated\nif TYPE_CHECKING:\n"
        "    from typing import Annotated\n",
    ),
    "only in a function": (
        "import os\ndef f():\n    from typing import Annotated\n",
        "import os\nfrom typing import Annotated\ndef f():\n    from typing import Annotated\n",
    ),
    "imported too late": (
        "import os\nhere\nfrom typing import Annotated\n",
        "import os\nfrom typing import Annotated\nhere\nfrom typing import Annotated\n",
    ),
    "module and names": (
        "import typing\nfrom typing import Any\n",
        "import typing\nfrom typing import Annotated, Any\n",
    ),
    "star": ("from x import *\n", "from typing import Annotated\n\nfrom x import *\n"),
}  # fmt: skip


def test_alias_and_dotted_name() -> None:
    code = "import httpx\nfrom httpx import Client\nTransport = 1\nhere\n"
    text = file_text(code)
    at = text.index.nodes(ast.Name)[-1]
    assert ensure_import(text, "httpx", "Response", at).name == "Response"
    assert ensure_import(text, "httpx", "Response", at, is_dotted=True).name == "httpx.Response"
    assert ensure_import(text, "httpx", "Transport", at, alias="Other").name == "httpx.Transport"
    imported = ensure_import(text, "http", "Transport", at, alias="HttpTransport")
    assert imported.name == "HttpTransport"
    assert "from http import Transport as HttpTransport\n" in (edited(code, imported.edits) or "")


@pytest.mark.parametrize("case", ADDED)
def test_added(case: str) -> None:
    code, after = ADDED[case]
    assert use(code) == ("Annotated", after)


CLASHES = {
    "own class": ("class Annotated: ...\n", "typing.Annotated", "import typing\n"),
    "other import": ("from x import Annotated\n", "typing.Annotated", "import typing\n"),
    "local variable": (
        "def f():\n    Annotated = 1\n    here\n",
        "typing.Annotated",
        "import typing\n",
    ),
    "parameter": ("def f(Annotated):\n    here\n", "typing.Annotated", "import typing\n"),
    "bound by a star": ("from x import *\nAnnotated\n", "typing.Annotated", "import typing\n"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_clashes(case: str) -> None:
    code, name, line = CLASHES[case]
    found = use(code)
    assert found is not None
    assert found[0] == name
    assert line in found[1]


def test_everything_is_taken() -> None:
    assert use("Annotated = typing = 1\n") is None


def test_third_party_and_modules() -> None:
    assert use("import os\n\nfrom fastapi import FastAPI\n", "fastapi", "status") == (
        "status",
        "import os\n\nfrom fastapi import FastAPI, status\n",
    )
    assert use("import os\n", "fastapi", "status") == (
        "status",
        "import os\n\nfrom fastapi import status\n\n",
    )
    assert use("import os\nimport uuid\n", "secrets", "") == (
        "secrets",
        "import os\nimport secrets\nimport uuid\n",
    )
    assert use("from .x import y\n", "starlette.requests", "Request") == (
        "Request",
        "from starlette.requests import Request\n\nfrom .x import y\n",
    )


def test_several_at_once() -> None:
    code = "import fastapi\nhere\n"
    text = file_text(code)
    wanted = [("contextlib", "asynccontextmanager"), ("collections.abc", "AsyncIterator")]
    imported = ensure_imports(text, wanted, text.tree.body[1])
    assert imported is not None
    assert edited(code, lambda: imported[1]) == (
        "from collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n\n"
        "import fastapi\nhere\n"
    )


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("from m import old\nx = 1\n", "x = 1\n"),
        ("from m import a, old, b\n", "from m import a, b\n"),
        ("from m import (\n    a,\n    old,\n)\n", "from m import (\n    a,\n)\n"),
        ("from m import z as old\n", ""),
        ("import old\n", ""),
        ("import a, old\n", "import a\n"),
        ("import old.sub\n", ""),
        ("from m import old\nold\n", None),
        ("from m import old\n__all__ = ['old']\n", None),
        ("from m import old\nx: 'list[old]'\n", None),
        ("from m import old  # noqa: F401\n", None),
        ("from m import old  # why\n", None),
        ("from m import old\nx = []  # type: list[old]\n", None),
        ('"""About old."""\nfrom m import old\n', '"""About old."""\n'),
        ("try:\n    from m import old\nexcept ImportError:\n    old = None\n", None),
    ],
)
def test_unused(code: str, after: str | None) -> None:
    text = file_text(code)
    assert edited(code, lambda: remove_unused_import(text, "old")) == (
        code if after is None else after
    )
    assert not remove_unused_import(file_text(code, "pkg/__init__.py"), "old")


def reference(code: str, module: str, name: str) -> str | None:
    text = file_text(code)
    node = next(
        node
        for kind in (ast.Attribute, ast.Name)
        for node in text.index.nodes(kind)
        if text.segment(node).endswith("Old")
    )
    return edited(code, lambda: replace_reference(text, node, module, name))


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("from m import Old\nx = Old\n", "from m import New\nx = New\n"),
        ("from m import A, Old\nx = Old, A\n", "from m import A, New\nx = New, A\n"),
        ("from m import Old, Z\nx = Old, Z\n", "from m import New, Z\nx = New, Z\n"),
        ("from m import B, Old\nx = Old, B\n", "from m import B, New\nx = New, B\n"),
        ("from m import A, Old, P\nx = Old\n", "from m import A, New, P\nx = New\n"),
        ("from m import Old\nx = Old, Old\n", "from m import New, Old\nx = New, Old\n"),
        ("from m import New, Old\nx = Old\n", "from m import New\nx = New\n"),
        ("from n import Old\nx = Old\n", "from m import New\nx = New\n"),
        ("import os\nfrom n import Old\nx = Old\n", "import os\nfrom m import New\nx = New\n"),
        ("import m\nx = m.Old\n", "import m\nx = m.New\n"),
        ("import n\nx = n.Old\n", "from m import New\nx = New\n"),
    ],
)
def test_references(code: str, after: str) -> None:
    assert reference(code, "m", "New") == after
