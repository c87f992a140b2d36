"""What a GET may write on the way: how often, or when, something was looked at.

Names of functions, attributes and columns tell it, and what an update sets. Counters of views and
the like are no change of state that a client asked for (see FAR201).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.intent import VERBS, is_read_flag, words_of
from flake8_fastapi_rules.semantics.names import name_set

#: Words in the names of functions, classes and variables whose writes a GET may well do.
_HARMLESS = name_set(
    """
    cache cached caches caching memo memoize memoized memory lru log logs logged logging logger
    audit audits audited auditor auditer auditing metric metrics counter counters stat stats
    statistics track tracking
    tracker telemetry analytics trace tracing span rate ratelimit limit limits limiter limited
    throttle throttling lock locks locked unlock semaphore oauth oauth2 saml sso oidc callback
    ensure lazy lazily warm warmup init initialize initialise setup bootstrap seen visit visits
    view views viewed hit hits heartbeat usage nonce csrf impression impressions touch
    profiler singleton health healthz livez readyz monitor monitoring maybe reconcile repair heal
    prune backfill
    quota quotas entitlement entitlements metering meter meters
    cleanup login signin stale stalled expire expired outdated"""
)
#: Of these, the ones that may be a thing of the domain: `delete_track`, `ItemView`.
_AMBIGUOUS = name_set(
    """
    hit hits lock locks login meter meters touch trace track view views visit visits usage"""
)
#: Verbs of operations that are there to count, or to say that something is used.
_COUNTING = name_set("decrease decrement increase increment reset touch")
_COUNTED_THINGS = name_set("counter counters touch")
#: What objects that only count do: `meter.bump(...)`, `UsageTracker.record(...)`.
_NOTING = name_set("bump charge consume count hit inc incr increment log mark note observe record")
#: Attributes that only say when or how often something was looked at.
_BOOKKEEPING = re.compile(
    r"(?:^|_)(?:views?|hits?|visits?|reads?|downloads?|clicks?|accessed|access|used|usage|seen"
    r"|viewed|visited|last_\w+|impressions?|counter|opened)(?:$|_)"
)
#: Words of attributes that count how often something was asked for.
_COUNTS = name_set("count counter counts pulls requests served shown times")
#: The same of an `UPDATE`.
_STAMPS = re.compile(
    r"(?:^|_)(?:access|accessed|check|checked|read|refreshed|seen|synced|updated|used|viewed"
    r"|visited)_at$|(?:^|_)last_\w+$"
)
#: The same in the names of functions, as words.
_COUNTED = re.compile(
    r"\b(?:views?|visits?|hits?|reads?|clicks?|downloads?) (?:num|numbers?|counts?|total|times)\b"
    r"|\b(?:num|number|count) (?:of )?(?:views|visits|hits|reads|clicks|downloads)\b"
    r"|\blast (?:access|accessed|seen|used|read|viewed|visited|visit|activity|active)\b"
)
#: Verbs of methods that only look something up, and may remember it.
READING = name_set("check fetch find get has is list load lookup read resolve search")
#: What a function does that only stores what is known already, or computed of it.
_DERIVING = name_set("recalc recalculate recompute refresh resync sync synchronize")
#: Keywords of methods that update, which name no column.
_OPTIONS = name_set(
    """
    array_filters arrayFilters bypass_document_validation collation comment execution_options hint
    let projection return_document session skip_actions skip_sync sort synchronize_session
    update_args upsert"""
)
#: Methods that are given what to set.
_SETTING = name_set(
    "find_one_and_update inc current_date max min save set update update_many update_one values"
)
#: Methods of collections whose first argument says which documents are meant.
_WITH_FILTER = name_set("update_one update_many find_one_and_update")
#: Operators of Beanie that are called: `Inc({Item.views: 1})`.
_OPERATORS = name_set("CurrentDate Inc Max Min Set")
_SQL_UPDATE = re.compile(
    r"\s*UPDATE\s+\S+\s+SET\s+(?P<set>.+?)(?:\bWHERE\b.*|\bRETURNING\b.*)?;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_SQL_COLUMN = re.compile(
    r"(?:\A|,)\s*(?:\w+\.)?[\"`\[]?(\w+)[\"`\]]?\s*=\s*(true\b|false\b)?", re.IGNORECASE
)
_SQL_ON_DEMAND = re.compile(
    r"\A\s*INSERT\s+(?:OR\s+)?IGNORE\b|\bON\s+CONFLICT\b[^;]*\bDO\s+NOTHING\b", re.IGNORECASE
)
_IN_PARENTHESES = re.compile(r"\([^()]*\)|'[^']*'")


def is_harmless(name: str) -> bool:
    """Whether a name says cache, log, metric, limit, lock or the like."""
    words = words_of(name)
    if _counts_use(words):
        return True
    named = _HARMLESS.intersection(words)
    if words[:1] and words[0] in VERBS:
        named -= _AMBIGUOUS
    if named:
        return True
    if words[:1] and words[0] in READING and words[1:2] == ["or"]:
        return True  # `get_or_attach`
    return "or" in words and not {"create", "add", "insert"}.isdisjoint(words)


def asks_for_counting(operation: str, thing: str) -> bool:
    """Whether an operation is there to count or touch something that is named for no use of it."""
    words = words_of(thing)
    return (
        not _COUNTING.isdisjoint(words_of(operation)[:1])
        and _COUNTED_THINGS.issuperset(_HARMLESS.intersection(words))
        and not _counts_use(words)
    )


def is_surely_harmless(name: str) -> bool:
    """Whether a name says so with a word that cannot be a thing of the domain as well."""
    words = words_of(name)
    return _counts_use(words) or not (_HARMLESS - _AMBIGUOUS).isdisjoint(words)


def notes_use(owner: str, method: str) -> bool:
    """Whether a method only counts, by its name and that of its class: `Meter.bump`."""
    return is_harmless(owner) and not _NOTING.isdisjoint(words_of(method)[:1])


def _counts_use(words: Iterable[str]) -> bool:
    """Whether a name says how often or when something was looked at: `add_view_number`."""
    return _COUNTED.search(" ".join(words)) is not None


def tells_of_use(name: str) -> bool:
    """Whether an attribute says when or how often something was used; not that it was read."""
    return _BOOKKEEPING.search(name) is not None and not is_read_flag(name)


def counts_one(node: ast.AugAssign) -> bool:
    """Whether a statement only counts that something was asked for: `variant.pulls += 1`."""
    return (
        isinstance(node.op, ast.Add)
        and isinstance(node.value, ast.Constant)
        and node.value.value == 1
        and isinstance(node.target, ast.Attribute)
        and not _COUNTS.isdisjoint(words_of(node.target.attr))
    )


def update_tells_of_use(call: ast.Call | None) -> bool:
    """Whether all that an update sets says how often or when something was looked at.

    `update(User).values(last_seen_at=now())`, `query.update({"views": Item.views + 1})`,
    `items.update_one(key, {"$inc": {"views": 1}})`, `item.inc({Item.views: 1})`.
    """
    found = list(_set_by(call))
    return bool(found) and all(name is not None and _is_use(name, value) for name, value in found)


def sql_tells_of_use(text: str) -> bool:
    """Whether all that an `UPDATE` sets says so: `UPDATE posts SET views = views + 1`."""
    update = _SQL_UPDATE.match(text)
    if update is None:
        return False
    assignments = update["set"]
    while (simpler := _IN_PARENTHESES.sub("_", assignments)) != assignments:
        assignments = simpler
    found = _SQL_COLUMN.findall(assignments)
    return bool(found) and all(_names_use(name) and not flag for name, flag in found)


def fills_gaps(call: ast.Call | None, text: str | None) -> bool:
    """Whether an `INSERT` leaves alone what is there already, as whatever is made on demand.

    Parameters:
        call: what makes the statement, `insert(Item).values(...).on_conflict_do_nothing()`.
        text: SQL, if it is written out.
    """
    node: ast.expr | None = call
    while isinstance(node, ast.Call):
        called = last_name(node.func)
        if called == "on_conflict_do_nothing":
            return True
        if called == "prefix_with" and any(map(_says_ignore, node.args)):
            return True
        node = node.func.value if isinstance(node.func, ast.Attribute) else None
    return text is not None and _SQL_ON_DEMAND.search(text) is not None


def _says_ignore(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and "IGNORE" in str(node.value).upper().split()


def _is_use(name: str, value: ast.expr | None) -> bool:
    """Whether a column says so; one that is set to a truth value says what a row is: `used`."""
    is_flag = isinstance(value, ast.Constant) and isinstance(value.value, bool)
    return not is_flag and _names_use(name)


def _names_use(name: str) -> bool:
    return _STAMPS.search(name) is not None or tells_of_use(name)


def _set_by(call: ast.Call | None) -> Iterator[tuple[str | None, ast.expr | None]]:
    """The columns or fields that an update sets, and to what; `None` for what cannot be told."""
    node: ast.expr | None = call
    is_last = True
    while isinstance(node, ast.Call):
        called = last_name(node.func)
        if called == "values" or (is_last and called in _SETTING):
            given = node.args[1:] if called in _WITH_FILTER else node.args
            for each in given:
                yield from _set_in(each)
            is_table = any(isinstance(each, ast.Dict) for each in given)
            for keyword in node.keywords:
                yield from _set_by_keyword(keyword, is_table)
        is_last = False
        node = node.func.value if isinstance(node.func, ast.Attribute) else None


def _set_by_keyword(
    keyword: ast.keyword, is_table: bool
) -> Iterator[tuple[str | None, ast.expr | None]]:
    if keyword.arg == "update_fields" and isinstance(keyword.value, ast.List | ast.Tuple):
        for each in keyword.value.elts:
            yield (each.value if _is_text(each) else None), None  # type: ignore[attr-defined]
    elif keyword.arg == "update" and isinstance(keyword.value, ast.Dict):
        yield from _set_in(keyword.value)
    elif keyword.arg not in _OPTIONS and not (is_table and keyword.arg is not None):
        yield keyword.arg, keyword.value


def _set_in(node: ast.expr) -> Iterator[tuple[str | None, ast.expr | None]]:
    if isinstance(node, ast.Call) and last_name(node.func) in _OPERATORS:
        for each in node.args:
            yield from _set_in(each)
        return
    if not isinstance(node, ast.Dict):
        yield None, None
        return
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            if key.value.startswith("$"):
                yield from _set_in(value)
            else:
                yield key.value.rpartition(".")[2], value
        else:
            yield (key.attr if isinstance(key, ast.Attribute) else None), value


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def brings_up_to_date(name: str) -> bool:
    """Whether a function says that it stores what is known or computed anyway: `recalc_total`."""
    return not _DERIVING.isdisjoint(words_of(name)[:2])


def says_mutation(name: str) -> bool:
    """Whether a handler's name or path has a verb that changes something."""
    return not VERBS.isdisjoint(words_of(name))
