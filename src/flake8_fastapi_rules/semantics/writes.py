"""What counts as a change of state that outlives the call, and what is left alone.

Evidence is what a body does: a write on a database session, SQL that writes, a document or an ORM
object stored, a file opened for writing, memory that all requests share. What only remembers,
counts, limits or logs is left alone, and so is what is created because it is missing.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.bookkeeping import (
    READING,
    asks_for_counting,
    counts_one,
    fills_gaps,
    is_harmless,
    is_surely_harmless,
    notes_use,
    sql_tells_of_use,
    tells_of_use,
    update_tells_of_use,
)
from flake8_fastapi_rules.semantics.bound import view_parameters
from flake8_fastapi_rules.semantics.calls import (
    CallGraph,
    CallSite,
    argument_filled,
    is_abstract,
    key_of,
)
from flake8_fastapi_rules.semantics.credentials import is_stored_class, last_name, snake
from flake8_fastapi_rules.semantics.facts import Parameter, ParameterKind, Role
from flake8_fastapi_rules.semantics.intent import (
    VERBS,
    Intent,
    asks_for_change,
    happens_on_the_way,
    is_read_flag,
    keeps_something,
    words_of,
)
from flake8_fastapi_rules.semantics.libraries import (
    ACTIVE_QUERY_WRITES,
    ACTIVE_RECORD_WRITES,
    ACTIVE_RECORDS,
    FILE_OPENERS,
    FILE_WRITES,
    OBJECT_STORE_WRITES,
    SESSION_COMMITS,
    SESSION_FLUSHES,
    SQL_WRITE_TYPES,
    database_write,
    is_in,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import NEVER_FIRST_PARTY, name_set
from flake8_fastapi_rules.semantics.resolve import arguments_of, default_of, first_argument
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding, ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model

#: Directories made on demand and permissions are no change that anybody asked for.
_FILE_WRITES = frozenset(
    name
    for name in FILE_WRITES
    if name.rpartition(".")[2] not in {"mkdir", "makedirs", "chmod", "touch"}
)
#: Archives are made to be sent, in memory as a rule.
_OPENERS = {
    name: positions
    for name, positions in FILE_OPENERS.items()
    if not name.startswith(("zipfile.", "tarfile."))
}
_EXECUTORS = frozenset({"execute", "exec", "executemany", "execute_many", "scalar", "scalars"})
_SQL_RUNNERS = _EXECUTORS | {"fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "run"}
_ATTRIBUTE_SETTERS = frozenset({"builtins.setattr", "builtins.delattr"})
_SQL_WRITE = re.compile(
    r"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|REPLACE\s+INTO"
    r"|MERGE\s+INTO|TRUNCATE\b|DROP\s+(?:TABLE|INDEX|SCHEMA|DATABASE)|ALTER\s+TABLE)\b",
    re.IGNORECASE,
)
#: What is put into a set so that it is not collected while it runs.
_TASKS = ("asyncio.Task", "asyncio.Future")
_MUTABLE = name_set(
    """
    builtins.list builtins.dict builtins.set collections.defaultdict collections.OrderedDict
    collections.deque collections.Counter"""
)
_MUTATORS = name_set(
    """
    append extend insert remove pop clear add discard update setdefault popitem appendleft popleft
    extendleft difference_update intersection_update symmetric_difference_update sort reverse"""
)
#: Verbs that name what a flag of the request destroys: `?purge=true`.
_DESTROYING = name_set("clear delete destroy drop erase purge remove reset truncate wipe")
#: Words in the names of classes whose objects tell that something was done or kept.
_RECORDS = name_set(
    "analytics audit cache cached download impression log logs metric metrics statistics telemetry"
    " visit"
)
#: Methods of document stores and sessions that no other object has.
_UNMISTAKABLE = name_set(
    """
    insert_one insert_many update_one update_many replace_one delete_one delete_many
    find_one_and_update find_one_and_replace find_one_and_delete bulk_save_objects
    bulk_insert_mappings bulk_update_mappings"""
)
#: Variables whose objects no session stores.
_NOT_STORED = frozenset({"self", "cls", "response", "request"})
_LIBRARIES = name_set("builtins google azure aws github gitlab kubernetes docker")
_OWNER_NAME = re.compile(
    r"(?:^|_)(?:services?|svc|repo|repos|repository|repositories|crud|dao|managers?|stores?"
    r"|storage|use_?cases?|uow|gateway)(?:$|_)",
    re.IGNORECASE,
)
#: The node that writes, how to speak of it, and whether it only writes a file or the memory of
#: the process, as operations that stream have to do.
Found = tuple[ast.AST, str, bool]


class Writes:
    """Finds the writes in functions' own bodies.

    Parameters:
        model: resolves names.
        graph: the calls of functions.
    """

    def __init__(self, model: Model, graph: CallGraph) -> None:
        self._model = model
        self._resolver = model.resolver
        self._graph = graph
        self._self_writes: dict[object, bool] = {}
        self._changed: dict[tuple[object, bool], frozenset[str]] = {}
        self._set: dict[object, dict[str, list[ast.Attribute]]] = {}
        self._intent = Intent(model)
        self._committing: dict[object, bool] = {}

    def own(self, function: Function, *, local: bool = True, sure: bool = False) -> Found | None:
        """The first write in a function's own body, and how to speak of it.

        Parameters:
            local: count files, and the memory of the process.
            sure: only what happens whenever the function runs, and is no result of other calls.
        """
        if self._is_allowed(function):
            return None
        module = function.module
        sites = {site.node: site for site in self._graph.sites(function)}
        for node in module.index.own_nodes(function.node):
            found: Found | None = None
            if isinstance(node, ast.Call):
                site = sites.get(node)
                found = self._call(function, site, sure) if site is not None else None
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
                found = self._assignment(function, node)
            elif isinstance(node, ast.With | ast.AsyncWith):
                found = self._changed_in_unit(function, node, sure)
            if found is None or (found[2] and not local) or self.is_lazy(function, node):
                continue
            if sure and not self._is_surely_meant(function, node, found):
                continue
            return found
        return None

    def _is_surely_meant(self, function: Function, node: ast.AST, found: Found) -> bool:
        """Whether a write happens whenever a function runs, and for its own sake.

        Files and memory that a helper changes are its own affair unless it is named for that.
        """
        if not self._intent.is_sure(function, node):
            return False
        if found[2]:
            name = getattr(function.node, "name", "")
            return Role.ENDPOINT in self._model.roles(function) or keeps_something(name)
        return not (isinstance(node, ast.Call) and self._keeps_results(function, node))

    def _keeps_results(self, function: Function, node: ast.Call) -> bool:
        """Whether a call stores a row that was there, and all that was set of it is a result.

        Or keeps what was found, be it there or not: `INSERT ... ON CONFLICT`.
        """
        given = first_argument(node, "statement") or first_argument(node, "query")
        text = None
        if given is not None and last_name(node.func) in _SQL_RUNNERS:
            value = self._resolver.resolve(function.module, given)
            text = self.sql_text(function.module, value, given)
        if self._intent.is_upsert(node, text):
            return True
        return self._hands_on(function, node, partial(self._is_no_choice, function))

    def _is_no_choice(self, function: Function, target: ast.Attribute) -> bool:
        """Whether an attribute is set to a result, or only tells of a use."""
        if tells_of_use(target.attr):
            return True
        statement = function.module.index.statement_of(target)
        return statement is None or not self._is_telling(function, statement)

    def _hands_on(
        self, function: Function, call: ast.Call, is_minor: Callable[[ast.Attribute], bool]
    ) -> bool:
        """Whether a call stores a row that was there, and all that was set of it is minor.

        `item.seen_at = now(); items.save(item)`, or `item.save()`.
        """
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        rows = [each for each in given if isinstance(each, ast.Name)]
        if not given and isinstance(call.func, ast.Attribute):
            if isinstance(call.func.value, ast.Name):
                rows = [call.func.value]
        changed = self._set_attributes(function) if rows else {}
        for row in rows:
            before = [t for t in changed.get(row.id, ()) if t.lineno <= call.lineno]
            if before and not self._intent.is_new(function, row):
                return all(is_minor(target) for target in before)
        return False

    def _set_attributes(self, function: Function) -> dict[str, list[ast.Attribute]]:
        """The attributes that a function sets, by the variable that holds the object."""
        key = key_of(function)
        if key not in self._set:
            found = self._set[key] = defaultdict(list)
            for node in function.module.index.own_nodes(function.node):
                for target in _attribute_targets(node):
                    if isinstance(target.value, ast.Name):
                        found[target.value.id].append(target)
        return self._set[key]

    def _is_telling(self, function: Function, node: ast.AST) -> bool:
        """Whether an assignment surely happens, and gives what the function or caller chose."""
        if not self._intent.is_sure(function, node):
            return False
        if isinstance(node, ast.AugAssign):
            return not counts_one(node)
        value = getattr(node, "value", None)
        return isinstance(value, ast.expr) and self._intent.is_telling(function, value)

    def is_surely_followed(self, function: Function, site: CallSite) -> bool:
        """Whether they are, and the call happens whenever its function runs, for its own sake."""
        return (
            site.target is not None
            and self.is_followed(function, site)
            and self._intent.is_sure(function, site.node)
            and not happens_on_the_way(getattr(site.target.node, "name", ""))
            and not self._hands_on(function, site.node, partial(self._is_no_choice, function))
        )

    def is_followed(self, function: Function, site: CallSite) -> bool:
        """Whether writes below a call are writes of the function that calls."""
        target = site.target
        if target is None or self._graph.is_cached(target) or self._is_allowed(target):
            return False
        if isinstance(site.callee, Class) or self._hands_on(function, site.node, _is_counting):
            return False
        roles = self._model.roles(target)
        if Role.DEPENDENCY in roles and target.module.index.is_generator(target.node):
            return False
        return not self.is_lazy(function, site.node)

    # -- what is left alone -----------------------------------------------------------------

    def _is_asked_for(self, function: Function, name: str) -> bool:
        """Whether an operation is there to count, or touch: `increment_counter`, `touch_job`.

        What it changes is no bookkeeping on the way, though it is named like that.
        """
        node = function.node
        return (
            isinstance(node, FUNCTIONS)
            and Role.ENDPOINT in self._model.roles(function)
            and asks_for_counting(node.name, name)
        )

    def _is_allowed(self, function: Function) -> bool:
        node = function.node
        if isinstance(node, ast.Lambda):
            return False
        owner = function.owner.node if function.owner else function.module.index.class_of(node)
        if is_harmless(node.name) and not self._is_asked_for(function, node.name):
            return True
        if owner is not None and (
            is_surely_harmless(owner.name) or notes_use(owner.name, node.name)
        ):
            return True
        qualified = f"{function.module.name}.{function.module.index.qualname(node)}"
        allowed = self._model.settings.allowed_writes
        return any(name == node.name or _ends_with(qualified, name) for name in allowed)

    def is_lazy(self, function: Function, node: ast.AST) -> bool:
        """Whether a node only runs because something is missing, stale or failed."""
        index = function.module.index
        child = node
        for parent in index.ancestors(node):
            if isinstance(child, ast.stmt) and _follows_hit(index, parent, child):
                return True
            if parent is function.node:
                return False
            match parent:
                case ast.If(test=test) if self._is_choice(function, test):
                    pass  # the client says that it wants the change
                case ast.If(test=asked, body=body, orelse=orelse):
                    test = index.condition(asked)
                    if child in body and (_says_missing(test) or self._is_switch(function, test)):
                        return True
                    if child in orelse and _says_present(test):
                        return True
                case ast.ExceptHandler():
                    return True
                case ast.IfExp(test=test, body=body) if child is body and _says_missing(test):
                    return True
                case ast.BoolOp(op=ast.Or(), values=[first, *_]) if child is not first:
                    return True  # `found or await Item.create()`
            child = parent
        return False

    def _is_switch(self, function: Function, test: ast.expr) -> bool:
        """Whether a test asks a flag that the caller passes, so that it may well be off."""
        if not isinstance(test, ast.Name) or isinstance(function.node, ast.Lambda):
            return False
        arguments = function.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg == test.id:
                default = default_of(arguments, argument)
                if isinstance(default, ast.Constant) and default.value is None:
                    return not self._model.roles(function)  # a file to write to, if there is one
                return (isinstance(default, ast.Constant) and isinstance(default.value, bool)) or (
                    isinstance(argument.annotation, ast.Name) and argument.annotation.id == "bool"
                )
        return False

    def _is_choice(self, function: Function, test: ast.expr) -> bool:
        """Whether a test asks a flag by which a request asks an operation for a change.

        `?purge=true`, or whatever flag there is where the operation itself is named for a change,
        as in `if not dry_run`.
        """
        flag = test.operand if isinstance(test, ast.UnaryOp) else test
        node = function.node
        if not isinstance(flag, ast.Name) or not isinstance(node, FUNCTIONS):
            return False
        if Role.ENDPOINT not in self._model.roles(function) or not self._is_switch(function, flag):
            return False
        if is_harmless(flag.id) or _speaks_of_time(flag):
            return False
        return asks_for_change(node.name) or not _DESTROYING.isdisjoint(words_of(flag.id))

    def is_once(self, function: Function, node: ast.AST) -> bool:
        """Whether a node only runs until something shared remembers its result."""
        return any(
            _is_kept_name(function, part)
            for test in self._tests_for_missing(function, node)
            for part in ast.walk(test)
        )

    def _tests_for_missing(self, function: Function, node: ast.AST) -> Iterator[ast.expr]:
        index = function.module.index
        child = node
        for parent in index.ancestors(node):
            if isinstance(parent, ast.If) and child in parent.body:
                test = index.condition(parent.test)
                if _says_missing(test):
                    yield test
            if isinstance(child, ast.stmt):
                yield from _tests_for_hits(index, parent, child)
            if parent is function.node:
                return
            child = parent

    # -- calls ------------------------------------------------------------------------------

    def _call(self, function: Function, site: CallSite, sure: bool) -> Found | None:
        node, func = site.node, site.node.func
        if (below := self._commit_below(function, site, sure)) is not None:
            return below
        if update_tells_of_use(node):
            return None
        if isinstance(site.callee, External):
            name = site.callee.name
            if database_write(name) or is_in(name, OBJECT_STORE_WRITES):
                if self._is_record_of_use(function, node) or self._keeps_books(function, node):
                    return None
                return node, _spoken(func), False
            if is_in(name, _FILE_WRITES):
                return None if self._is_temporary(function, node) else (node, _spoken(func), True)
            opener = next((s for s in self._resolver.names_of(site.callee) if s in _OPENERS), None)
            if opener is not None:
                return self._opening(function, node, _OPENERS[opener][1])
            if name in _ATTRIBUTE_SETTERS:
                return self._set_by_name(function, node)
        if not isinstance(func, ast.Attribute):
            return None
        if func.attr in _SQL_RUNNERS:
            return self.statement(function, node)
        if func.attr == "commit" or (func.attr == "flush" and site.callee):
            return self._commit(function, site, sure)
        if func.attr in _UNMISTAKABLE and site.target is None:
            return node, _spoken(func), False
        if self._is_untyped_session(function, site, func) or self._is_untyped_query(
            function, site, func
        ):
            is_record = self._is_record_of_use(function, node)
            return None if is_record else (node, _spoken(func), False)
        if func.attr in ACTIVE_QUERY_WRITES and self._is_active_record(function, func):
            return node, _spoken(func), False
        if func.attr in _MUTATORS and (found := self._mutation(function, node, func)) is not None:
            return found
        return self._method_of_shared(function, site, func)

    def _set_by_name(self, function: Function, node: ast.Call) -> Found | None:
        """`setattr(request.app.state, "version", 2)`"""
        match node.args:
            case [owner, ast.Constant(value=str(name)), *_] if is_harmless(name):
                return None
            case [owner, _, *_] if self._is_shared(function, owner):
                return node, f"{_spoken(node.func)}({_short(owner)}, ...)", True
        return None

    def _is_record_of_use(self, function: Function, node: ast.Call) -> bool:
        """`session.add(AuditLog(...))`: what is added only tells that something was done."""
        written = node.args[:1] if len(node.args) == 1 and not node.keywords else []
        if isinstance(node.func, ast.Attribute):
            written.append(node.func.value)  # `AuditEntry(...).insert()`
        for part in written:
            value = self._resolver.resolve(function.module, part)
            if isinstance(value, Instance):
                name = value.of.node.name if isinstance(value.of, Class) else value.of.name
                if not _RECORDS.isdisjoint(words_of(name.rpartition(".")[2])):
                    return True
        return False

    def _keeps_books(self, function: Function, node: ast.Call) -> bool:
        """Whether all that changed of an added row says when or how often it was used."""
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            return False
        name = node.args[0].id
        changed = [
            target
            for each in function.module.index.own_nodes(function.node)
            for target in _attribute_targets(each)
            if isinstance(target.value, ast.Name) and target.value.id == name
        ]
        return bool(changed) and all(_is_counting(target) for target in changed)

    def statement(self, function: Function, node: ast.Call) -> Found | None:
        """`execute(insert(...))` and `execute("INSERT ...")`"""
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in _SQL_RUNNERS:
            return None
        given = first_argument(node, "statement") or first_argument(node, "query")
        if given is None:
            return None
        module = function.module
        value = self._resolver.resolve(module, given)
        if func.attr in _EXECUTORS:
            for kind in SQL_WRITE_TYPES:
                if self._resolver.is_instance(value, kind):
                    made = value.call if isinstance(value, Instance) else None
                    if update_tells_of_use(made) or fills_gaps(made, None):
                        return None
                    return node, f"{_spoken(func)}({kind.rpartition('.')[2].lower()}(...))", False
        text = self.sql_text(module, value, given)
        if text is None or sql_tells_of_use(text) or fills_gaps(None, text):
            return None
        if _SQL_WRITE.match(text) and not _TEMPORARY_TABLE.match(text):
            return node, f"{func.attr}({' '.join(text.split()[:2]).upper()})", False
        return None

    def sql_text(self, module: Module, value: Value, node: ast.expr) -> str | None:
        """The SQL, or the beginning of it, that an argument is; `None` when it cannot be told."""
        if isinstance(value, Instance) and value.call is not None and value.module is not None:
            if self._resolver.is_instance(value, "sqlalchemy.TextClause", "sqlalchemy.text"):
                inner = self._text_call(value.call)
                if inner is not None:
                    module, node = value.module, inner
                    value = self._resolver.resolve(module, node)
        match value:
            case Constant(value=str() as text):
                return text
            case Expression(node=ast.JoinedStr(values=[ast.Constant(value=str() as text), *_])):
                return text
            case Expression(node=ast.BinOp() as operation):
                left: ast.expr = operation
                while isinstance(left, ast.BinOp):
                    left = left.left
                if isinstance(left, ast.Constant) and isinstance(left.value, str):
                    return left.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            receiver = node.func.value
            if node.func.attr == "format" and isinstance(receiver, ast.Constant):
                return receiver.value if isinstance(receiver.value, str) else None
        return None

    def _text_call(self, call: ast.Call) -> ast.expr | None:
        """The SQL in `text(sql)`, also behind `.bindparams(...)`."""
        current: ast.expr = call
        while isinstance(current, ast.Call):
            if isinstance(current.func, ast.Attribute) and current.func.attr in {
                "bindparams",
                "execution_options",
                "columns",
            }:
                current = current.func.value
                continue
            return first_argument(current, "text")
        return None

    def _commit(self, function: Function, site: CallSite, sure: bool) -> Found | None:
        """A commit (or flush: somebody else commits) of changes made to objects here.

        Not one that only ends a transaction.
        """
        module = function.module
        if isinstance(site.callee, External) and not is_in(
            site.callee.name, SESSION_COMMITS | SESSION_FLUSHES
        ):
            return None
        if site.callee and not isinstance(site.callee, External):
            return None
        if module.index.is_generator(function.node):
            return None
        if self._changes_objects(function, until=site.node, sure=sure):
            return site.node, _spoken(site.node.func), False
        return None

    def _commit_below(self, function: Function, site: CallSite, sure: bool) -> Found | None:
        """A call of a function that commits, after rows were changed here: `unit.commit()`."""
        if site.target is None or not self._commits(site.target):
            return None
        for node in _nodes_before(function, site.node):
            changed = self._changed_names(function, node, sure)
            if any(self._is_row(site.module, row) for row in changed):
                return site.node, _spoken(site.node.func), False
        return None

    def _changed_in_unit(
        self, function: Function, block: ast.With | ast.AsyncWith, sure: bool
    ) -> Found | None:
        """A row that is changed in a unit of work, which commits when it is left."""
        if not any(self._commits_when_left(function, item.context_expr) for item in block.items):
            return None
        for node in ast.walk(block):
            for changed in self._changed_names(function, node, sure):
                if self._is_row(function.module, changed):
                    return node, f"{changed.id}.{next(_attribute_targets(node)).attr}", False
        return None

    def _commits_when_left(self, function: Function, context: ast.expr) -> bool:
        value = self._resolver.resolve(function.module, context)
        cls = value.of if isinstance(value, Instance) else None
        if not isinstance(cls, Class):
            return False
        methods = (
            self._resolver.class_attribute(cls, name, instance=True)
            for name in ("__aexit__", "__exit__")
        )
        return any(isinstance(each, Function) and self._commits(each) for each in methods)

    def _commits(self, function: Function) -> bool:
        """Whether a commit stands in a function's own body."""
        key = key_of(function)
        if key not in self._committing:
            self._committing[key] = any(
                isinstance(site.callee, External) and is_in(site.callee.name, SESSION_COMMITS)
                for site in self._graph.sites(function)
            )
        return self._committing[key]

    def _changes_objects(self, function: Function, *, until: ast.Call, sure: bool) -> bool:
        """Whether a function sets attributes of objects, itself or through what it calls."""
        sites = {site.node: site for site in self._graph.sites(function)}
        for node in _nodes_before(function, until):
            for changed in self._changed_names(function, node, sure):
                if changed.id not in _NOT_STORED:
                    return True
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name) and node.func.id == "setattr":
                    return True
                if node in sites and self._changes_row(function, sites[node], sure):
                    return True
        return False

    def _changed_names(self, function: Function, node: ast.AST, sure: bool) -> Iterator[ast.Name]:
        """The variables on whose objects a statement sets an attribute that means something."""
        for target in _attribute_targets(node):
            root = _root_of(target)
            if root is not None and not tells_of_use(target.attr):
                if not self.is_lazy(function, node):
                    if not sure or self._is_telling(function, node):
                        yield root

    def _changes_row(self, function: Function, site: CallSite, sure: bool) -> bool:
        """Whether a call sets attributes of a row that it is given, or whose method it is."""
        target = site.target
        follow = self.is_surely_followed if sure else self.is_followed
        if target is None or not follow(function, site):
            return False
        changed = self._changed_parameters(target, sure)
        if not changed:
            return False
        call = site.node
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        rows = [
            node
            for node in given
            if (filled := argument_filled(target, call, node)) is not None and filled.arg in changed
        ]
        if target.owner is not None and isinstance(call.func, ast.Attribute) and "self" in changed:
            rows.append(call.func.value)
        return any(self._is_row(site.module, row) for row in rows)

    def _is_row(self, module: Module, node: ast.expr) -> bool:
        value = self._resolver.resolve(module, node)
        return isinstance(value, Instance) and is_stored_class(self._model, value.of)

    def _changed_parameters(self, function: Function, sure: bool) -> frozenset[str]:
        """The parameters on whose objects a function sets attributes in its own body."""
        key = key_of(function), sure
        if key not in self._changed:
            names = {argument.arg for argument in arguments_of(function.node)}
            self._changed[key] = frozenset(
                changed.id
                for node in function.module.index.own_nodes(function.node)
                for changed in self._changed_names(function, node, sure)
                if changed.id in names
            )
        return self._changed[key]

    def _is_active_record(self, function: Function, func: ast.Attribute) -> bool:
        """`Item.filter(...).delete()`, and `item.save()` after `item = await Item.get(...)`."""
        module = function.module
        root, receiver = _root_name(func.value), func.value
        while isinstance(receiver, ast.Await):
            receiver = receiver.value
        is_query = isinstance(receiver, ast.Call) or (
            isinstance(receiver, ast.Attribute) and receiver.attr == "objects"
        )
        if root is None or not (is_query or receiver is root):
            return False
        cls = self._resolver.resolve(module, root)
        if isinstance(cls, Instance) and isinstance(cls.of, Class):
            cls = UNKNOWN if is_query else cls.of
        elif not isinstance(cls, Class) and func.attr in ACTIVE_RECORD_WRITES and not is_query:
            found = module.index.lookup(root.id, root)
            for binding in found[1] if found is not None else ():
                cls = self._record_class(module, binding) or cls
        if not isinstance(cls, Class) or not self._resolver.is_subclass(cls, *ACTIVE_RECORDS):
            return False
        return _RECORDS.isdisjoint(words_of(cls.node.name))

    def _record_class(self, module: Module, binding: Binding) -> Value:
        """The class whose objects `item = await Item.get(...)` or a loop over a query gives."""
        match module.index.statement_of(binding.node):
            case ast.For(iter=made) | ast.AsyncFor(iter=made):
                pass
            case ast.Assign(value=made) | ast.AnnAssign(value=ast.expr() as made):
                pass
            case _:
                return UNKNOWN
        source = _root_name(made)
        if source is None or source.id == binding.name:
            return UNKNOWN
        return self._resolver.resolve(module, source)

    def _is_untyped_session(self, function: Function, site: CallSite, func: ast.Attribute) -> bool:
        """`db.add(x)` where `db` is not known, but is committed here or called a session."""
        if site.target is not None or func.attr not in {"add", "add_all", "delete", "merge"}:
            return False
        if site.callee and not isinstance(site.callee, External):
            return False
        if not site.callee and func.attr in {"add", "add_all"} and len(site.node.args) == 1:
            receiver = func.value
            name = receiver.attr if isinstance(receiver, ast.Attribute) else None
            name = receiver.id if isinstance(receiver, ast.Name) else name
            if name is not None and _SESSION_NAME.fullmatch(name):
                return True  # no other session has such a method
        return self._is_committed(function, func.value)

    def _is_untyped_query(self, function: Function, site: CallSite, func: ast.Attribute) -> bool:
        """`db.query(Item).filter(...).delete()` where `db` is not known, but is committed here."""
        if site.callee or func.attr not in {"delete", "update"}:
            return False
        current: ast.expr = func.value
        while isinstance(current, ast.Call) and isinstance(current.func, ast.Attribute):
            if current.func.attr == "query":
                return self._is_committed(function, current.func.value)
            current = current.func.value
        return False

    def _is_committed(self, function: Function, receiver: ast.expr) -> bool:
        text = ast.dump(receiver)
        return any(
            isinstance(site.node.func, ast.Attribute)
            and site.node.func.attr == "commit"
            and ast.dump(site.node.func.value) == text
            for site in self._graph.sites(function)
        )

    # -- files ------------------------------------------------------------------------------

    def _opening(self, function: Function, node: ast.Call, position: int | None) -> Found | None:
        mode = next((k.value for k in node.keywords if k.arg == "mode"), None)
        if mode is None and position is not None and position < len(node.args):
            mode = node.args[position]
        text = self._model.text(function.module, mode)
        if text is None or not set("wax+") & set(text):
            return None
        if self._is_temporary(function, node):
            return None
        return node, f'{_spoken(node.func)}(..., "{text}")', True

    def _is_temporary(self, function: Function, node: ast.Call) -> bool:
        """Whether a file is a temporary or cached one: made to be sent, or made again at will."""
        parts: list[ast.expr] = [*node.args[:1], *(k.value for k in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            parts.append(node.func.value)
        for part in parts:
            for inner in self._origins(function, part, 3):
                if isinstance(inner, ast.Name | ast.Attribute):
                    name = inner.id if isinstance(inner, ast.Name) else inner.attr
                    if is_harmless(name) or _TEMPORARY.search(name):
                        return True
                elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    if _TEMPORARY.search(inner.value) or "cache" in inner.value:
                        return True
        return False

    def _origins(self, function: Function, node: ast.expr, depth: int) -> Iterator[ast.AST]:
        """The nodes of an expression and of what its local names were assigned."""
        for inner in ast.walk(node):
            yield inner
            if depth and isinstance(inner, ast.Name):
                found = function.module.index.lookup(inner.id, inner)
                for binding in found[1] if found else ():
                    if binding.value is not None and binding.kind in {"assign", "with"}:
                        yield from self._origins(function, binding.value, depth - 1)

    # -- memory -----------------------------------------------------------------------------

    def _assignment(self, function: Function, node: ast.stmt) -> Found | None:
        targets: list[ast.expr] = []
        match node:
            case ast.Assign(targets=given) | ast.Delete(targets=given):
                targets = list(given)
            case ast.AugAssign(target=one):
                targets = [one]
            case ast.AnnAssign(target=one, value=value) if value is not None:
                targets = [one]
        for target in targets:
            if isinstance(target, ast.Name):
                scope = function.module.index.scope_of(target)
                if scope.outer.get(target.id) != "global":
                    continue
                if is_harmless(target.id) and not self._is_asked_for(function, target.id):
                    continue
                if not (
                    self._is_emptied(function, target, node)
                    or self._is_read_anew(function, target, node)
                ):
                    return node, f"{target.id} =", True
            elif isinstance(target, ast.Attribute | ast.Subscript):
                if isinstance(target, ast.Subscript) and self._resolver.is_instance(
                    self._resolver.resolve(function.module, target.slice), *_TASKS
                ):
                    continue  # what keeps a task alive
                if self._is_shared(function, target.value) and not (
                    (
                        _is_counting(target)
                        and not self._is_asked_for(function, last_name(target) or "")
                    )
                    or self._keeps_what_it_got(function, target, node)
                ):
                    return node, _short(target), True
        return None

    def _is_read_anew(self, function: Function, target: ast.Name, node: ast.stmt) -> bool:
        """Whether a variable gets what the module put there itself: `known = list_models()`."""
        value = getattr(node, "value", None)
        value = value.value if isinstance(value, ast.Await) else value
        bindings = function.module.index.module_scope.bindings.get(target.id, ())
        return (
            isinstance(value, ast.Call)
            and not (value.args or value.keywords)
            and any(
                isinstance(binding.value, ast.Call)
                and not binding.deferred
                and ast.dump(binding.value) == ast.dump(value)
                for binding in bindings
            )
        )

    def _keeps_what_it_got(
        self, function: Function, target: ast.Attribute | ast.Subscript, node: ast.stmt
    ) -> bool:
        """Whether the app's state is given what a getter gives, or what was there before."""
        value = getattr(node, "value", None)
        if self._is_app_state(function, target) and isinstance(target, ast.Attribute):
            for each in function.module.index.own_nodes(function.node):
                match each:
                    case ast.Call(
                        func=ast.Name(id="getattr"), args=[_, ast.Constant(value=attr), *_]
                    ):
                        if attr == target.attr:
                            return True  # what was there is kept, brought up to date perhaps
        if isinstance(value, ast.Name):
            found = function.module.index.lookup(value.id, value)
            value = found[1][0].value if found and len(found[1]) == 1 else None
        if isinstance(value, ast.Await):
            value = value.value
        return (
            isinstance(value, ast.Call)
            and self._is_app_state(function, target)
            and (last_name(value.func) or "").startswith("get_")
        )

    def _is_emptied(self, function: Function, target: ast.Name, node: ast.stmt) -> bool:
        """Whether a variable gets `None` in the function that fills it again when it is empty.

        Or what the function imports, which is there from then on.
        """
        value = getattr(node, "value", None)
        if isinstance(value, ast.Name):
            bindings = function.module.index.scope_of(value).bindings.get(value.id, ())
            return bool(bindings) and all(b.kind in {"from", "import"} for b in bindings)
        return (
            isinstance(value, ast.Constant)
            and value.value is None
            and any(
                isinstance(other, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == target.id for t in other.targets)
                and self.is_lazy(function, other)
                for other in function.module.index.own_nodes(function.node)
            )
        )

    def _mutation(self, function: Function, node: ast.Call, func: ast.Attribute) -> Found | None:
        if func.attr == "setdefault" or not self._is_shared(function, func.value):
            return None  # the former makes what is missing
        if func.attr == "add" and any(
            self._resolver.is_instance(self._resolver.resolve(function.module, given), *_TASKS)
            for given in node.args
        ):
            return None  # a reference that keeps a task alive until it is done
        value = self._resolver.resolve(function.module, func.value)
        if self._is_container(value) or _state_of(func.value):
            return node, _spoken(func), True
        if isinstance(func.value, ast.Name) and self._state_behind(function, func.value):
            return node, _spoken(func), True
        if not value and isinstance(func.value, ast.Subscript):  # `history[room].append(x)`
            if self._is_container(self._resolver.resolve(function.module, func.value.value)):
                return node, _spoken(func), True
        return None

    def _is_container(self, value: Value) -> bool:
        match value:
            case Expression(
                node=ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp()
            ):
                return True
            case Instance():
                return self._resolver.is_instance(value, *_MUTABLE)
            case _:
                return False

    def _is_shared(self, function: Function, node: ast.expr) -> bool:
        """Whether an object is one that all requests share: `app.state`, or a module's own."""
        if any(is_harmless(name) for name in _names_in(node)):
            return False
        if _state_of(node):
            return self._is_app_state(function, node)
        root, held = node, node
        while (owner := self._holder(function, root)) is not None:
            held, root = root, owner
        if not isinstance(root, ast.Name):
            return False
        if (state := self._state_behind(function, root)) is not None:
            return self._is_shared(function, state)
        value = self._resolver.resolve(function.module, root)
        if self._is_modules_own(function, root, value) or (
            # `Store.items[key] = item`
            isinstance(value, Class) and root.id != "cls" and _is_of_module(value)
        ):
            return True
        parameter = self._injected(function, held if root.id == "self" else root)
        return parameter is not None and self._is_shared_by(parameter)

    def _holder(self, function: Function, node: ast.expr) -> ast.expr | None:
        """What something is a part of: `jobs` for `jobs[key]`, `jobs.x` and `jobs.get(key)`."""
        match node:
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                return owner
            case ast.Call(func=ast.Attribute(value=owner, attr="get" | "setdefault")):
                # Only a container gives what it holds; other objects may make it anew.
                held = self._resolver.resolve(function.module, owner)
                return owner if self._is_container(held) else None
            case _:
                return None

    def _state_behind(self, function: Function, name: ast.Name) -> ast.expr | None:
        """What shared object a local name was given a part of.

        `jobs = request.app.state.jobs`, `job = JOBS[key]`, `job = JOBS.get(key)`
        """
        scope, bindings = function.module.index.lookup(name.id, name) or (None, [])
        if scope is None or scope.node is not function.node or len(bindings) != 1:
            return None
        given = bindings[0].value
        if bindings[0].kind not in {"assign", "annotated"} or bindings[0].path or given is None:
            return None
        if _state_of(given):
            return given
        holder = self._holder(function, given) if not isinstance(given, ast.Attribute) else None
        if isinstance(holder, ast.Attribute):  # `registry.flags[name]`
            held = self._resolver.resolve(function.module, holder)
            return given if self._is_container(held) else None
        return given if isinstance(holder, ast.Name) else None

    def _injected(self, function: Function, node: ast.expr) -> Parameter | None:
        """The parameter that filled a variable or `self.store`: of a view, or of `__init__`."""
        match node:
            case ast.Name(id=name):
                found = function.module.index.lookup(name, node)
                if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
                    return None
                return self._parameter(function, name)
            case ast.Attribute(value=ast.Name(id="self"), attr=attr):
                owner = function.owner
                if owner is None:
                    cls = function.module.index.class_of(function.node)
                    owner = Class(function.module, cls) if cls is not None else None
                return self._attribute(owner, attr) if owner is not None else None
        return None

    def _parameter(self, function: Function, name: str) -> Parameter | None:
        for parameter in self._model.parameters(function):
            if parameter.name == name and parameter.kind is ParameterKind.DEPENDENCY:
                return parameter
        return None

    def _attribute(self, owner: Class, attr: str) -> Parameter | None:
        """The parameter of a class-based view, or of `__init__`, that an attribute holds."""
        for parameter in view_parameters(self._model, owner):
            if parameter.name == attr:
                return parameter if self._model.dependency_of(parameter) is not None else None
        start = self._model.callable_of(owner)
        if start is None:
            return None
        for node in start.module.index.own_nodes(start.node):
            match node:
                case ast.Assign(
                    targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)],
                    value=ast.Name(id=given),
                ) if name == attr:
                    return self._parameter(start, given)
        return None

    def _is_shared_by(self, parameter: Parameter) -> bool:
        """Whether a dependency gives the same object to all requests."""
        dependency = self._model.dependency_of(parameter)
        target = dependency.function if dependency is not None else None
        if target is None:
            return False
        name = getattr(target.node, "name", "")
        if name == "__call__" and target.owner is not None:
            name = target.owner.node.name
        if is_harmless(name):
            return False
        module = target.module
        if self._graph.is_cached(target):
            value = self._resolver.provided(target)
            return isinstance(value, Instance) and isinstance(value.of, Class)
        given = [node.value for node in returns_of(module, target.node)]
        if isinstance(target.node, ast.Lambda):
            given = [target.node.body]
        return bool(given) and all(
            node is not None
            and (
                self._is_app_state(target, node)
                if _state_of(node)
                else isinstance(node, ast.Name)
                and self._is_modules_own(target, node, self._resolver.resolve(module, node))
            )
            for node in given
        )

    def _is_modules_own(self, function: Function, root: ast.Name, value: Value) -> bool:
        """Whether an object is made when a module is imported, and can be changed."""
        match value:
            case Expression(module=home, node=made) if self._is_container(value):
                return isinstance(home.index.scope_of(made).node, ast.Module)
            case Instance(call=None) if self._is_container(value):
                return self._is_module_variable(function, root)
            case Instance(module=home, call=ast.Call() as call) if home is not None:
                if not isinstance(home.index.scope_of(call).node, ast.Module):
                    return False
                return self._is_container(value) or (
                    isinstance(value.of, Class) and not self._is_settings(value)
                )
            case _:
                return False

    def _is_module_variable(self, function: Function, name: ast.Name) -> bool:
        """Whether a name is a variable of this module, or of one of the project's others."""
        found = function.module.index.lookup(name.id, name)
        if found is None or not isinstance(found[0].node, ast.Module):
            return False
        return all(b.kind in {"assign", "annotated", "from"} for b in found[1])

    def _is_settings(self, value: Instance) -> bool:
        return self._resolver.is_instance(
            value,
            "pydantic_settings.BaseSettings",
            "contextvars.ContextVar",
            "threading.local",
        )

    def _is_app_state(self, function: Function, node: ast.expr) -> bool:
        current: ast.expr = node
        while isinstance(current, ast.Attribute | ast.Subscript):
            if isinstance(current, ast.Attribute) and current.attr == "state":
                owner = self._resolver.resolve(function.module, current.value)
                return self._resolver.is_instance(
                    owner, "fastapi.FastAPI", "starlette.applications.Starlette"
                )
            current = current.value
        return False

    def _method_of_shared(
        self, function: Function, site: CallSite, func: ast.Attribute
    ) -> Found | None:
        """`store.put(x)` where `store` is a module's object and `put` changes `self`."""
        target = site.target
        if target is None or not self._is_shared(function, func.value):
            return None
        if self._is_allowed(target) or self._graph.is_cached(target):
            return None
        if words_of(func.attr)[:1] and words_of(func.attr)[0] in READING:
            return None  # what it keeps is what it has read
        return (site.node, _spoken(func), True) if self._changes_self(target, 0) else None

    def _changes_self(self, function: Function, depth: int) -> bool:
        key = key_of(function)
        known = self._self_writes.get(key)
        if known is not None:
            return known
        self._self_writes[key] = False
        node = function.node
        if not isinstance(node, FUNCTIONS) or depth > 4:
            return False
        first = next(iter((*node.args.posonlyargs, *node.args.args)), None)
        if first is None or function.module.index.class_of(node) is None:
            return False
        found = any(
            self._is_self_write(function, part, first.arg) and not self.is_lazy(function, part)
            for part in function.module.index.own_nodes(node)
        ) or any(
            site.target is not None
            and isinstance(site.node.func, ast.Attribute)
            and isinstance(site.node.func.value, ast.Name)
            and site.node.func.value.id == first.arg
            and not self._is_allowed(site.target)
            and not self.is_lazy(function, site.node)
            and self._changes_self(site.target, depth + 1)
            for site in self._graph.sites(function)
        )
        self._self_writes[key] = found
        return found

    def _is_self_write(self, function: Function, node: ast.AST, name: str) -> bool:
        targets: list[ast.expr] = []
        match node:
            case ast.Assign(targets=given) | ast.Delete(targets=given):
                targets = list(given)
            case ast.AugAssign(target=one) | ast.AnnAssign(target=one):
                targets = [one]
            case ast.Call(
                func=ast.Attribute(value=(ast.Attribute() | ast.Name()) as receiver, attr=attr)
            ):
                # Only the containers that the object holds itself.
                if attr == "setdefault" and not isinstance(
                    function.module.index.parents.get(node), ast.Attribute
                ):
                    pass  # makes what is missing, without `.append(x)` behind it
                elif attr in _MUTATORS - {"update", "add", "insert", "remove", "sort"}:
                    targets = [ast.Subscript(receiver, ast.Constant(0), ast.Store())]
        for target in targets:
            if not isinstance(target, ast.Subscript):
                continue
            root: ast.expr | None = target.value
            if isinstance(root, ast.Name):  # `names = self._names`
                found = function.module.index.lookup(root.id, root)
                root = found[1][0].given if found is not None and len(found[1]) == 1 else None
            if (
                isinstance(root, ast.Attribute)
                and isinstance(root.value, ast.Name)
                and root.value.id == name
                and not is_harmless(root.attr)
            ):
                return True
        return False

    # -- names ------------------------------------------------------------------------------

    def says_write(self, function: Function, site: CallSite) -> bool:
        """Whether a call that cannot be read is, by its names, one that writes.

        Names say so only for a method of a service, repository, CRUD or model object.
        """
        func = site.node.func
        if site.target is not None or not isinstance(func, ast.Attribute | ast.Name):
            return False
        method = func.attr if isinstance(func, ast.Attribute) else func.id
        if isinstance(site.callee, External):
            method = site.callee.name.rpartition(".")[2]  # whatever it is imported as
        words = words_of(method)
        if not words or words[0] not in VERBS or is_harmless(method):
            return False
        owner = self._unread_owner(function, site)
        return (
            owner is not None
            and not is_harmless(owner)
            and _OWNER_NAME.search(owner) is not None
            and not self.is_lazy(function, site.node)
        )

    def _unread_owner(self, function: Function, site: CallSite) -> str | None:
        """The names of the object or module whose method cannot be read; `None` if it can."""
        func = site.node.func
        callee = site.callee
        if isinstance(callee, External):
            # Something of the project's own that is not there, such as a module left out.
            top, _, rest = callee.name.partition(".")
            if top in NEVER_FIRST_PARTY or top in _LIBRARIES or not rest:
                return None
            return snake(callee.name.rpartition(".")[0].replace(".", "_"))
        if callee and not (isinstance(callee, Function) and is_abstract(callee)):
            return None
        if not isinstance(func, ast.Attribute):
            return None
        receiver = func.value
        name = receiver.attr if isinstance(receiver, ast.Attribute) else None
        name = receiver.id if isinstance(receiver, ast.Name) else name
        if name is None:
            return None
        value = self._resolver.resolve(function.module, receiver)
        if isinstance(value, Instance) and isinstance(value.of, Class):
            name = f"{name}_{snake(value.of.node.name)}"
        return name


_SESSION_NAME = re.compile(r"_*(?:db_?|async_?|sql_?)?session", re.IGNORECASE)
_TEMPORARY_TABLE = re.compile(r"\s*DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?[\w.\"]*te?mp", re.IGNORECASE)
_TEMPORARY = re.compile(r"te?mp", re.IGNORECASE)


def _ends_with(qualified: str, name: str) -> bool:
    return qualified == name or qualified.endswith(f".{name}")


def _says_missing(test: ast.expr) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Attribute(attr=attr)) if is_read_flag(attr):
            return False
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Compare(ops=[ast.NotIn()]):
            return True
        case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=None | 0)]):
            return True
        case ast.Compare(left=left, ops=[ast.Eq() | ast.GtE()], comparators=[right]) if (
            _says_failed(left, right)
        ):
            return True
        case ast.Compare(ops=[ast.Lt() | ast.Gt() | ast.LtE() | ast.GtE()]):
            return _speaks_of_time(test)
        case ast.BoolOp(values=values):
            return any(_says_missing(value) for value in values)
        case _:
            return isinstance(test, ast.Call | ast.Name | ast.Attribute) and _speaks_of_time(test)


def _says_present(test: ast.expr) -> bool:
    match test:
        case ast.Name() | ast.NamedExpr() | ast.Attribute():
            return True
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Compare(ops=[ast.In()]):
            return True
        case _:
            return False


_STALE = re.compile(
    r"stale|expire|outdated|now|time|age|ttl|date|since|missing|exists|refresh|force|delta"
    r"|shortfall|deficit|lacking"
)


#: What is named for not being there, or not any more.
_MISSING = re.compile(r"(?:^|_)(?:missing|absent|stale|expired|outdated)(?:_|$)")
_FAILURE = 400


def _says_failed(left: ast.expr, right: ast.expr) -> bool:
    """Whether a comparison asks if another service refused: `response.status_code == 401`."""
    return (
        isinstance(left, ast.Attribute)
        and left.attr in {"status", "status_code"}
        and isinstance(right, ast.Constant)
        and isinstance(right.value, int)
        and right.value >= _FAILURE
    )


def _speaks_of_time(test: ast.expr) -> bool:
    """Whether a test asks if something is stale, expired or missing."""
    return any(_STALE.search(name.lower()) for name in _names_in(test))


def _is_of_module(cls: Class) -> bool:
    """Whether a class is made when its module is imported, not anew in a function."""
    index = cls.module.index
    return index.function_of(cls.node) is None


def _names_in(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def _follows_hit(index: ModuleIndex, parent: ast.AST, statement: ast.stmt) -> bool:
    """Whether an earlier `if found: return found` makes `statement` a creation on demand."""
    return any(True for _ in _tests_for_hits(index, parent, statement))


def _tests_for_hits(index: ModuleIndex, parent: ast.AST, statement: ast.stmt) -> Iterator[ast.expr]:
    """The tests of earlier `if found: return found` in the block of `statement`."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if not isinstance(block, list) or statement not in block:
            continue
        for earlier in block[: block.index(statement)]:
            if not isinstance(earlier, ast.If):
                continue
            test = index.condition(earlier.test)
            if (
                any(_says_present(part) for part in _parts_of(test))
                and not earlier.orelse
                and isinstance(last := earlier.body[-1], ast.Return)
            ):
                asked = set(_names_in(test))
                # `if done: return`, and behind it `done = ...` or a row of what was asked
                rest = block[block.index(earlier) :]
                is_hit = not asked.isdisjoint(_names_set(rest))
                if isinstance(last.value, ast.Constant) and last.value.value is not None:
                    is_hit = False  # `if running: return False` takes a turn, it keeps nothing
                elif last.value is not None:
                    given = [last.value]
                    if isinstance(last.value, ast.Name):  # `found = kept.id; return found`
                        bound = index.lookup(last.value.id, last.value)
                        given += [b.given for b in bound[1] if b.given] if bound else []
                    is_hit = is_hit or any(not asked.isdisjoint(_names_in(n)) for n in given)
                else:
                    is_hit = is_hit or _makes_what_was_asked(test, rest)
                if is_hit:
                    yield test
            elif isinstance(statement, ast.Assign) and (
                any(_names_what_is_kept(target, earlier) for target in statement.targets)
            ):
                yield test
            elif (
                isinstance(test, ast.UnaryOp)
                and isinstance(test.op, ast.Not)
                and isinstance(earlier.body[-1], ast.Return)
                and any(_MISSING.search(name.lower()) for name in _names_in(test))
            ):
                yield test  # `if not missing: return`


def _names_what_is_kept(target: ast.expr, earlier: ast.If) -> bool:
    """Whether a variable was asked for what is kept in it, which may have been given back.

    `if kept: found = get(kept); if found: return found`, and behind it `kept = found.id`.
    """
    return (
        isinstance(target, ast.Name)
        and isinstance(earlier.test, ast.Name)
        and earlier.test.id == target.id
        and any(
            isinstance(each, ast.If) and isinstance(each.body[-1], ast.Return)
            for each in earlier.body
        )
    )


def _parts_of(test: ast.expr) -> Iterable[ast.expr]:
    """A test, and what it is made of when all of that must hold."""
    is_and = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
    return (test, *(test.values if is_and and isinstance(test, ast.BoolOp) else ()))


def _makes_what_was_asked(test: ast.expr, block: Iterable[ast.stmt]) -> bool:
    """Whether something is called below that the test handed to a call: a class, to `select`."""
    handed = {
        ast.unparse(given)
        for call in ast.walk(test)
        if isinstance(call, ast.Call)
        for given in call.args
        if isinstance(given, ast.Name | ast.Attribute)
    }
    return bool(handed) and any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in handed
        for statement in block
        for node in ast.walk(statement)
    )


def _names_set(block: Iterable[ast.stmt]) -> set[str]:
    """The names that the statements of a block assign, those of blocks that may not run aside."""
    names: set[str] = set()
    for statement in block:
        if isinstance(statement, ast.Try | ast.With | ast.AsyncWith):
            names |= _names_set(statement.body)
        elif isinstance(statement, ast.Assign):
            names.update(t.id for t in statement.targets if isinstance(t, ast.Name))
    return names


def _is_kept_name(function: Function, node: ast.AST) -> bool:
    """Whether a name or attribute outlives the function: `self.x`, `cls.x`, a module's variable."""
    if isinstance(node, ast.Attribute):
        owner = node.value
        return isinstance(owner, ast.Name) and (
            owner.id in {"self", "cls"} or owner.id[:1].isupper()
        )
    if isinstance(node, ast.Name):
        found = function.module.index.lookup(node.id, node)
        return found is not None and any(
            binding.kind in {"assign", "annotated"} and isinstance(found[0].node, ast.Module)
            for binding in found[1]
        )
    return False


def _nodes_before(function: Function, end: ast.AST) -> Iterator[ast.AST]:
    """The nodes in a function's own body that stand before another one."""
    return takewhile(lambda node: node is not end, function.module.index.own_nodes(function.node))


def _attribute_targets(node: ast.AST) -> Iterator[ast.Attribute]:
    targets: list[ast.expr] = []
    match node:
        case ast.Assign(targets=given):
            targets = list(given)
        case ast.AugAssign(target=one) | ast.AnnAssign(target=one):
            targets = [one]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                yield part


def _root_of(node: ast.expr) -> ast.Name | None:
    root = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return root if isinstance(root, ast.Name) else None


def _state_of(node: ast.expr) -> bool:
    """Whether `.state` stands somewhere in an attribute chain."""
    current = node
    while isinstance(current, ast.Attribute | ast.Subscript):
        if isinstance(current, ast.Attribute) and current.attr == "state":
            return True
        current = current.value
    return False


def _name_of(target: ast.Attribute | ast.Subscript) -> str:
    return target.attr if isinstance(target, ast.Attribute) else ""


def _is_counting(target: ast.Attribute | ast.Subscript) -> bool:
    if isinstance(target, ast.Attribute):
        return is_harmless(target.attr) or tells_of_use(target.attr)
    return False


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _spoken(func: ast.expr) -> str:
    """A callee as it is written, without its arguments: `session.add`."""
    if isinstance(func, ast.Attribute):
        receiver = func.value
        if isinstance(receiver, ast.Name | ast.Attribute | ast.Subscript):
            return _short(func)
        return func.attr
    return _short(func)


def _root_name(node: ast.expr) -> ast.Name | None:
    """The name that a chain of calls and attributes begins with."""
    while not isinstance(node, ast.Name):
        match node:
            case ast.Await(value=inner) | ast.Attribute(value=inner) | ast.Call(func=inner):
                node = inner
            case _:
                return None
    return node
