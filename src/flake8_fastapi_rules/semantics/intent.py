"""Whether a write is what an operation is for, or happens while it looks something up.

An operation whose name or path has a verb of change was asked for one. One that is named for what
it reads (`get_status`, `/dashboard`) changes things by the way as a rule: it stores what it has
just computed or been told, takes away what is out of date, fills in what is missing. Of such an
operation only what surely happens, and is no result of other calls, is a change of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.credentials import snake
from flake8_fastapi_rules.semantics.facts import ParameterKind, Role
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.values import Class, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding
    from flake8_fastapi_rules.semantics.model import Model

#: Verbs that ask for a change.
VERBS: Final = name_set(
    """
    create update delete remove save insert add upsert destroy purge archive store patch modify
    edit set reset disable enable activate deactivate cancel approve reject publish unpublish"""
)
#: Verbs that do so in the name of an operation, though not of any method.
_ACTIONS: Final = VERBS | name_set(
    """
    accept apply assign ban block bulk clean clear clone complete confirm copy crawl decline
    decrement deny detach drop duplicate execute fill finalize finish follow generate grant
    import increment initialize initialise install invite join kill launch leave make mark merge
    migrate move pause populate process push reactivate rebuild recalculate recompute refresh
    regenerate register reindex reload rename reopen replace resend restart restore resume retrain
    retry revoke rollback rotate run scrape seed send shutdown signup simulate start stop submit
    subscribe switch sync synchronize terminate toggle train transfer trigger truncate unassign
    unban unblock undo unfollow uninstall unregister unsubscribe upload vote wipe write
    acknowledge borrow buy close decrease deposit dismiss enroll favorite favourite increase like
    lock pay pin promote demote redeem rent reserve ship touch unfavorite unlike unlock unpin
    withdraw adjust change deprovision downvote escalate expel freeze hide mute provision reassign
    refund release reorder requeue settle suspend swap unarchive unfreeze unhide unlink unmute
    unsuspend upvote void"""
)
#: Verbs that do so in the name of a helper, which closes clients of its own.
_KEEPING: Final = (_ACTIONS - {"close", "stop"}) | name_set(
    "append buy deposit dump enqueue extend new pay persist pop put reserve sell ship take use"
    " withdraw"
)
#: What helpers do on the way to an answer: what a request costs, what has to be there.
_ON_THE_WAY: Final = name_set(
    "attach attempt calculate charge compute consume debit deduct maybe recover renew seed spend"
    " try upsert"
)
#: Results of queries that are collections, of which a test asks whether anything is in them.
_COLLECTIONS: Final = name_set(
    "all copy fetchall fetchmany fetch_all items keys list split to_list values"
)
#: Functions of Python whose results say no more than what they are given.
_PLAIN: Final = name_set("bool bytes dict float int list round set str tuple")
#: Libraries whose functions make new values of nothing.
_MAKING: Final = ("uuid.", "secrets.", "random.")
#: Names of what was selected for being out of date.
_OUTDATED: Final = name_set(
    "cutoff dead deadline due expired expires inactive missing now orphaned outdated overdue"
    " stale stalled threshold today"
)
#: What says of a message whether it was read.
_READ_FLAG: Final = re.compile(r"(?:is_|was_|has_|been_)*(?:un)?read")
_DEPTH: Final = 3


def words_of(name: str) -> list[str]:
    """The words of an identifier or path segment, in lower case: `getOrCreate` has three."""
    return [word for word in re.split(r"[^a-z0-9]+", snake(name)) if word]


def singular(word: str) -> str:
    """A word in its singular by the common endings: `heroes`, `categories`, `users`."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("oes", "xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def asks_for_change(*named: str) -> bool:
    """Whether a name or path of an operation has a verb that asks for a change."""
    return any(not _ACTIONS.isdisjoint(words_of(each)) for each in named)


def keeps_something(name: str) -> bool:
    """Whether a function's name says that it changes something: `put`, `dump_report`."""
    return not _KEEPING.isdisjoint(words_of(name))


def happens_on_the_way(name: str) -> bool:
    """Whether a function's name says that it only helps: `deduct_points`, `_try_refresh_token`."""
    return not _ON_THE_WAY.isdisjoint(words_of(name)[:1])


def is_read_flag(name: str) -> bool:
    """Whether an attribute says that somebody has read a message: `is_read`, but not `reads`."""
    return _READ_FLAG.fullmatch(name) is not None


class Intent:
    """Tells what a function surely does, and with what, from what it does by the way.

    Parameters:
        model: resolves names.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._resolver = model.resolver

    def is_sure(self, function: Function, node: ast.AST) -> bool:
        """Whether a node runs whenever its function does, or the request asks for it.

        That something is there at all (`if item:`) is no condition. What loops over what is out of
        date only tidies up.
        """
        index = function.module.index
        child = node
        for parent in index.ancestors(node):
            if parent is function.node:
                return True
            match parent:
                case ast.If(test=test, body=body, orelse=orelse) if child in (*body, *orelse):
                    if not self._is_plain_test(function, test) and not _moves_on(test, body):
                        return False
                    other = orelse if child in body else body
                    if other and not isinstance(other[-1], ast.Return | ast.Raise):
                        if self._asks_for_own(function, test):
                            return False  # it does one or the other, to keep what it found
                case ast.IfExp(test=test) if child is not test:
                    if not self._is_plain_test(function, test):
                        return False
                case ast.ExceptHandler() | ast.match_case():
                    return False
                case ast.BoolOp(values=[first, *_]) if child is not first:
                    return False
                case ast.For(iter=rows, body=body) | ast.AsyncFor(iter=rows, body=body) if (
                    child in body
                ):
                    if self._is_out_of_date(function, rows, _DEPTH):
                        return False
            child = parent
        return True

    def is_telling(self, function: Function, value: ast.expr) -> bool:
        """Whether a value is one that the function or its caller chose: `"done"`, `name`.

        Not what other calls gave: what was just read, computed or told by another service.
        """
        if isinstance(value, ast.Constant):
            return value.value is not None
        return not self._is_derived(function, value, _DEPTH)

    def is_upsert(self, call: ast.Call, text: str | None = None) -> bool:
        """Whether a write keeps what was found, whether or not it is there already."""
        if any(
            keyword.arg == "upsert"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value is True
            for keyword in call.keywords
        ):
            return True
        said = " ".join((text or "").upper().split())
        return said.startswith(("INSERT OR ", "REPLACE ", "MERGE ")) or any(
            clause in said for clause in ("ON CONFLICT", "ON DUPLICATE KEY")
        )

    # -- conditions -------------------------------------------------------------------------

    def _is_plain_test(self, function: Function, test: ast.expr) -> bool:
        """Whether a test asks for the presence of one thing, or for what the request says."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self._is_plain_test(function, inner)
            case ast.BoolOp(values=values):
                return all(self._is_plain_test(function, value) for value in values)
            case ast.NamedExpr(value=value):
                return not _is_collection(value)
            case ast.Name():
                return self._is_one_thing(function, test)
            case ast.Compare(
                left=ast.Name() as name, ops=[ast.Is() | ast.IsNot()], comparators=[right]
            ) if isinstance(right, ast.Constant) and right.value is None:
                return self._is_one_thing(function, name)
            case ast.Attribute(attr=attr) if is_read_flag(attr):
                return True
            case ast.Call(func=ast.Attribute(attr="exists" | "isdir" | "isfile" | "is_file")):
                return True
        return self._is_of_request(function, test)

    def _asks_for_own(self, function: Function, test: ast.expr) -> bool:
        """Whether a test asks for a variable of the function, rather than for a setting."""
        return any(
            isinstance(part, ast.Name) and any(True for _ in self._bindings(function, part))
            for part in ast.walk(test)
        )

    def _is_one_thing(self, function: Function, name: ast.Name) -> bool:
        """Whether a variable holds one thing or nothing: no flag, no collection."""
        for binding in self._bindings(function, name):
            value = binding.value
            if binding.kind == "parameter":
                continue
            if binding.kind not in {"assign", "annotated", "walrus"} or value is None:
                return False
            if isinstance(value, ast.Constant) and value.value is not None:
                return False
            if _is_collection(value):
                return False
        return True

    def _is_of_request(self, function: Function, test: ast.expr) -> bool:
        """Whether a test asks for nothing but what the request says."""
        said = self._said_by_request(function)
        names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
        return bool(names) and all(name in said for name in names)

    def _said_by_request(self, function: Function) -> frozenset[str]:
        """The parameters of an endpoint that the client fills."""
        if not self._model.roles(function) & {Role.ENDPOINT}:
            return frozenset()
        return frozenset(
            parameter.name
            for parameter in self._model.parameters(function)
            if parameter.kind is not ParameterKind.DEPENDENCY
        )

    def _is_out_of_date(self, function: Function, node: ast.expr, depth: int) -> bool:
        """Whether what is looped over was selected for its age: `Item.seen_at < cutoff`."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name | ast.Attribute):
                said = part.id if isinstance(part, ast.Name) else part.attr
                if not _OUTDATED.isdisjoint(words_of(said)):
                    return True
            if depth and isinstance(part, ast.Name):
                for binding in self._bindings(function, part):
                    value = binding.value
                    if binding.kind in {"assign", "annotated"} and value is not None:
                        if self._is_out_of_date(function, value, depth - 1):
                            return True
        return False

    # -- values -----------------------------------------------------------------------------

    def _is_derived(self, function: Function, node: ast.expr, depth: int) -> bool:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and not self._is_made_here(function, part):
                return True
            if isinstance(part, ast.Await):
                return True
            if depth and isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                for binding in self._bindings(function, part):
                    value = binding.value
                    if binding.kind in {"parameter", "import", "from", "def", "class"}:
                        continue
                    if value is not None and self._is_derived(function, value, depth - 1):
                        return True
        return False

    def _is_made_here(self, function: Function, call: ast.Call) -> bool:
        """Whether a call makes a value, or takes one out of what the request says."""
        func = call.func
        if isinstance(func, ast.Name) and func.id in _PLAIN:
            return True
        root: ast.expr = func
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        if isinstance(root, ast.Constant | ast.JoinedStr):
            return True
        if isinstance(root, ast.Name) and root is not func:
            if root.id in self._said_by_request(function):
                return True
        match self._resolver.resolve(function.module, func):
            case Class():
                return True
            case External(name=name):
                return name.startswith(_MAKING)
        return False

    def _bindings(self, function: Function, name: ast.Name) -> Iterator[Binding]:
        found = function.module.index.lookup(name.id, name)
        if found is not None and isinstance(found[0].node, FUNCTIONS):
            yield from found[1]

    def is_new(self, function: Function, name: ast.Name) -> bool:
        """Whether a variable holds an object that the function made itself: `item = Item()`."""
        return any(
            isinstance(binding.value, ast.Call)
            and isinstance(self._resolver.resolve(function.module, binding.value.func), Class)
            for binding in self._bindings(function, name)
        )


def _moves_on(test: ast.expr, body: list[ast.stmt]) -> bool:
    """Whether a condition only asks for the state that its body ends: new orders become seen.

    `if order.status == "new": order.status = "seen"`
    """
    match test:
        case ast.Compare(left=ast.Attribute() as asked, ops=[ast.Eq()]):
            return any(
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Constant | ast.Attribute)
                and any(ast.unparse(target) == ast.unparse(asked) for target in statement.targets)
                for statement in body
            )
    return False


def _is_collection(value: ast.expr) -> bool:
    while isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call):
        func = value.func
        return getattr(func, "attr", getattr(func, "id", "")) in _COLLECTIONS
    return isinstance(
        value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.SetComp | ast.DictComp
    )
