"""Old validators and what the fix makes of them, run by Pydantic with the same inputs."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.apply import FixOutcome, apply_fixes
from flake8_fastapi_rules.linter import Linter

HEAD = """\
from typing import Any, Dict, List, Optional

from pydantic import BaseModel, Field, field_validator, root_validator, validator


"""

PROGRAMS = {
    "values": (
        """
        class M(BaseModel):
            a: int
            b: int = 2
            c: Optional[str] = None

            @validator("b")
            def greater(cls, v, values):
                if "a" in values and v <= values["a"]:
                    raise ValueError("b must be greater")
                return v

            @validator("b")
            def more(cls, v, *, values):
                return v + values.get("a", 0)

            @validator("c", always=True)
            def text(cls, v, values, **kwargs):
                return v or str(values.get("a"))

            @validator("c", pre=True)
            def kept(cls, v, **kwargs):
                return v
        """,
        [{"a": 1}, {"a": 3}, {"a": 1, "b": 5}, {"a": "x", "b": 5}, {"a": 1, "b": 1, "c": "x"}, {}],
    ),
    "a name that is taken": (
        """
        class M(BaseModel):
            a: int = 1
            b: int = 2

            @validator("b")
            def more(cls, v, values: Dict[str, Any]) -> int:
                info = 3
                later = lambda: values["a"]
                return v + info + later()
        """,
        [{}, {"b": 4}, {"a": "x", "b": 4}],
    ),
    "always": (
        """
        class M(BaseModel):
            a: int = 1
            b: Optional[int] = None
            c: str = Field("x", max_length=3)
            d: str
            e: list = Field(default_factory=list)

            @validator("a", always=True)
            def one(cls, v):
                return v + 1

            @validator("b", pre=True, always=True)
            def two(cls, v):
                return v or "7"

            @validator("c", "d", always=True)
            def three(cls, v):
                return v.upper()

            @validator("e", "a", always=True)
            def four(cls, v):
                return [v] if isinstance(v, list) else v + 10
        """,
        [{}, {"d": "q"}, {"d": "q", "a": 5, "b": 1, "c": "yyyyy"}, {"d": "q", "b": "x"}],
    ),
    "order": (
        """
        class M(BaseModel):
            a: List[str] = []

            @field_validator("a", mode="before")
            @classmethod
            def zero(cls, v):
                return [*v, "0"]

            @validator("a", pre=True)
            def one(cls, v):
                return [*v, "1"]

            @validator("*", pre=True)
            def two(cls, v):
                return [*v, "2"]

            @validator("a")
            def three(cls, v, values):
                return [*v, "3"]

            @validator("a")
            def four(cls, v):
                return [*v, "4"]
        """,
        [{"a": []}, {"a": 3}],
    ),
    "root": (
        """
        class Base(BaseModel):
            a: int = 1

        class M(Base):
            b: Optional[int] = None

            @root_validator(skip_on_failure=True)
            @classmethod
            def ordered(cls, values: Dict[str, Any]) -> Dict[str, Any]:
                if values.get("b") is not None and values["a"] > values["b"]:
                    raise ValueError(cls.__name__)
                return values

            @root_validator(skip_on_failure=True, allow_reuse=True)
            def small(cls, values):
                a = values.get("a", 0)
                assert a < 10
                if a == 3:
                    return values
                return values

            @root_validator(pre=True)
            def doubled(cls, values):
                return {key: value * 2 for key, value in values.items()}
        """,
        [{}, {"a": 2, "b": 1}, {"a": "x"}, {"a": 3, "b": 5}, {"a": 30}],
    ),
}


def fixed(text: str, path: Path) -> FixOutcome:
    """A program after the safe fixes of FAR509."""
    linter = Linter(SettingsLoader([Layer("the test", {"enable": "FAR509"})], isolated=True))
    return apply_fixes(Source(str(path), text), linter.check)


def results(text: str, inputs: list[dict[str, Any]]) -> list[object]:
    """What the model `M` makes of each input: its fields, or the errors."""
    names: dict[str, Any] = {"__name__": "program"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "program", "exec", dont_inherit=True), names)
    found: list[object] = [names["M"].model_json_schema()]
    for values in inputs:
        try:
            model = names["M"](**values)
            found.append((model.model_dump(), model.model_fields_set))
        except ValidationError as error:
            found.append([(e["type"], e["loc"], e["msg"]) for e in error.errors()])
        except (KeyError, TypeError) as error:
            found.append(repr(error))  # what a validator raises comes through
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_pydantic_accepts_the_same(name: str, tmp_path: Path) -> None:
    """The same values, errors and schema; nothing old is left."""
    program, inputs = PROGRAMS[name]
    before = HEAD + textwrap.dedent(program)
    outcome = fixed(before, tmp_path / "app.py")
    assert outcome.converged
    assert not outcome.left
    after = outcome.after.text.partition("class ")[2]
    assert "@validator" not in after
    assert "@root_validator" not in after
    assert results(outcome.after.text, inputs) == results(before, inputs)
