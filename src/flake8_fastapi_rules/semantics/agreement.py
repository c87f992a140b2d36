"""What several values are at once, as far as they agree, and how much one tells."""

from __future__ import annotations

from collections.abc import Iterable

from flake8_fastapi_rules.semantics.names import looks_like_class
from flake8_fastapi_rules.semantics.values import UNKNOWN, Constant, External, Instance, Value

#: Types that leave open what a value is.
_VAGUE = frozenset({"typing.Any", "typing.Callable", "collections.abc.Callable"})


def agreed(values: Iterable[Value]) -> Value:
    """The one thing that all known values are; `UNKNOWN` when they differ.

    `None` and what is unknown do not count against what is known. Instances of one class made in
    several places agree on the class, not on the object.
    """
    known: list[Value] = []
    none: Value = UNKNOWN
    for value in values:
        if isinstance(value, Constant) and value.value is None:
            none = value
        elif value and value not in known:
            known.append(value)
    if not known:
        return none
    if len(known) == 1:
        return known[0]
    if all(isinstance(value, Instance) for value in known):
        classes = {value.of for value in known if isinstance(value, Instance)}
        if len(classes) == 1:
            return Instance(classes.pop())
        certain = [v for v in known if not is_opaque(v)]
        if len({v.of for v in certain if isinstance(v, Instance)}) == 1:
            return certain[0] if len(certain) == 1 else Instance(certain[0].of)  # type: ignore[union-attr]
    return UNKNOWN


def is_opaque(value: Value) -> bool:
    """The result of a library's function of which no table knows the type."""
    return (
        isinstance(value, Instance)
        and isinstance(value.of, External)
        and value.call is not None
        and not looks_like_class(value.of.name)
    )


def says_nothing(value: Value) -> bool:
    """Whether all that is known of a value is that it is something, or something to call."""
    return isinstance(value, Instance) and value.call is None and library_name(value) in _VAGUE


def has_unknown_part(value: Value) -> bool:
    """Whether it is a container of nobody knows what: `list[T]`."""
    return isinstance(value, Instance) and bool(value.args) and not all(value.args)


def union_of(parts: list[Value]) -> Value:
    """The type of a union; `T | None` of which only the `None` is known is unknown."""
    found = agreed(parts)
    return UNKNOWN if found == Constant(None) and not all(parts) else found


def library_name(value: Instance) -> str | None:
    """The name of the library class that an object is of; `None` for the project's own."""
    return value.of.name if isinstance(value.of, External) else None
