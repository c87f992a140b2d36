"""The builtin functions, and the methods of lists, dictionaries and text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.assembly.objects import (
    AV,
    Arguments,
    Frame,
    Items,
    Maybe,
    Table,
    is_literal,
    items_of,
    may_concern_apps,
    text_method,
)
from flake8_fastapi_rules.semantics.values import UNKNOWN, Constant, Unknown

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator


class Builtins:
    """Runs builtin functions and methods on values that are known.

    Parameters:
        evaluator: the run that the calls belong to.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def call(self, name: str, node: ast.Call, frame: Frame) -> AV:
        """Call a builtin function."""
        arguments = self._evaluator.calls.arguments(node, frame)
        values = arguments.positional
        first = values[0] if values else UNKNOWN
        match name:
            case "list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed":
                if not values:
                    return Items([])
                items = items_of(first)
                if items is None:
                    return self._evaluator.ask(node, frame)
                ordered = list(reversed(items)) if name == "reversed" else list(items)
                return Items(ordered, getattr(first, "complete", True))
            case "dict":
                if not values:
                    return Table(dict(arguments.keywords), not arguments.hidden)
                if isinstance(first, Table):
                    return Table({**first.items, **arguments.keywords}, first.complete)
                return UNKNOWN
            case "enumerate":
                items = items_of(first)
                if items is None:
                    return UNKNOWN
                pairs = [Items([Constant(i), item]) for i, item in enumerate(items)]
                return Items(list(pairs), getattr(first, "complete", True))
            case "zip":
                columns = [items_of(value) for value in values]
                if not columns or any(column is None for column in columns):
                    return UNKNOWN
                rows = zip(*(column for column in columns if column is not None), strict=False)
                return Items([Items(list(row)) for row in rows])
            case "getattr" if len(values) >= 2:
                if isinstance(values[1], Constant) and isinstance(values[1].value, str):
                    found = self._evaluator.attribute(first, values[1].value)
                    return found if found is not UNKNOWN or len(values) < 3 else values[2]
                return UNKNOWN
            case "setattr" if len(values) == 3:
                if isinstance(values[1], Constant) and isinstance(values[1].value, str):
                    self._evaluator.statements.set_attribute(first, values[1].value, values[2])
                return Constant(None)
            case "str" if isinstance(first, Constant):
                return type(first)(str(first.value))
            case "super":
                return self._evaluator.calls.super(frame)
            case _:
                return self._evaluator.ask(node, frame)

    def method(self, receiver: AV, name: str, arguments: Arguments) -> AV:
        """Call a method of a list, a dictionary or a text."""
        values = arguments.positional
        first = values[0] if values else UNKNOWN
        if isinstance(receiver, Items):
            if name == "append":
                self.put_into(receiver, [first])
            elif name == "insert" and len(values) == 2:
                self.put_into(receiver, values[1:])
            elif name == "extend":
                self.put_into(receiver, items_of(first))
            elif name == "copy":
                return Items(list(receiver.items), receiver.complete)
            elif name in {"remove", "pop", "clear"}:
                receiver.complete = False
            return Constant(None)
        if isinstance(receiver, Table):
            return self._mapping_method(receiver, name, arguments)
        if isinstance(receiver, Constant) and isinstance(receiver.value, str):
            if name == "join":
                texts = self._evaluator.registry.texts(first)
                return (
                    UNKNOWN if isinstance(texts, Unknown) else Constant(receiver.value.join(texts))
                )
            plain = [self._evaluator.registry.plain(value) for value in values]
            named = {
                key: self._evaluator.registry.plain(value)
                for key, value in arguments.keywords.items()
            }
            return text_method(receiver.value, name, plain, named)
        return UNKNOWN

    def put_into(self, receiver: Items, items: Sequence[AV] | None) -> None:
        """Add elements to a list; those that a branch decides about may be missing."""
        if items is None:
            receiver.complete = False
            return
        if any(condition not in receiver.conditions for condition in self._evaluator.conditions):
            items = [item if isinstance(item, Maybe) else Maybe(item) for item in items]
        receiver.items.extend(items)
        self._evaluator.progress += any(may_concern_apps(item) for item in items)

    def _mapping_method(self, receiver: Table, name: str, arguments: Arguments) -> AV:
        values = arguments.positional
        key = values[0] if values else UNKNOWN
        literal = key.value if isinstance(key, Constant) else None
        known = isinstance(key, Constant) and is_literal(literal)
        match name:
            case "items":
                pairs = [
                    Items([k if not is_literal(k) else Constant(k), v])
                    for k, v in receiver.items.items()
                ]
                return Items(list(pairs), receiver.complete)
            case "values":
                return Items(list(receiver.items.values()), receiver.complete)
            case "keys":
                keys = [k if not is_literal(k) else Constant(k) for k in receiver.items]
                return Items(keys, receiver.complete)
            case "get" | "pop" | "setdefault" if known:
                if literal in receiver.items:
                    value = receiver.items[literal]
                    if name == "pop":
                        del receiver.items[literal]
                    return value
                if not receiver.complete:
                    return UNKNOWN
                default = values[1] if len(values) > 1 else Constant(None)
                if name == "setdefault":
                    receiver.items[literal] = default
                return default
            case "update":
                if isinstance(key, Table):
                    receiver.items.update(key.items)
                    receiver.complete = receiver.complete and key.complete
                elif values:
                    receiver.complete = False
                receiver.items.update(arguments.keywords)
                return Constant(None)
            case "copy":
                return Table(dict(receiver.items), receiver.complete)
            case _:
                return UNKNOWN
