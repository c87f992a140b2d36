"""Constrained types that several schemas use.

The patterns are what makes them safe everywhere: no control characters (PostgreSQL refuses NUL,
logs and headers break at line feeds), no white space at the ends.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, StringConstraints

LINE_PATTERN: Final = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
TEXT_PATTERN: Final = r"^[^\x00]*$"

Username = Annotated[
    str, StringConstraints(min_length=3, max_length=32, pattern=r"^[a-z][a-z0-9_]+$")
]
Email = Annotated[
    str,
    StringConstraints(
        min_length=6,
        max_length=254,
        pattern=r"^[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9]{2,20}){1,3}$",
    ),
]
Password = Annotated[str, StringConstraints(min_length=12, max_length=128)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=LINE_PATTERN)]


def number_only(value: object) -> object:
    """Refuse what Pydantic would turn into an integer, but no JSON schema would: "5" and true.

    `strict=True` would refuse 5.0 too, which is an integer in JSON.
    """
    if isinstance(value, bool | str):
        raise ValueError("a number is needed")
    return value


# The bounds come first: those around a validator would not reach the JSON schema.
Cents = Annotated[int, Field(ge=0, le=1_000_000_000), BeforeValidator(number_only)]
Flag = Annotated[bool, Field(strict=True)]
