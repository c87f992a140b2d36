"""What a function does, itself or through the project's functions that it calls.

Every answer comes with evidence: the place that does it and the calls that lead there. Calls that
cannot be resolved are no evidence; where "no" has to be certain, the answer has three values.
"""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, Scope, argument
from flake8_fastapi_rules.semantics.bookkeeping import (
    asks_for_counting,
    is_surely_harmless,
    says_mutation,
)
from flake8_fastapi_rules.semantics.calls import CallGraph, CallSite, is_abstract, key_of
from flake8_fastapi_rules.semantics.catching import may_be_caught
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role, Route
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS
from flake8_fastapi_rules.semantics.implicit_calls import implicit_calls
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.libraries import (
    COMMITTING_CONTEXTS,
    CONVERSATIONS,
    CPU_BOUND,
    FILE_OPENERS,
    LENDING_ARGUMENTS,
    LOG_CALLS,
    RESOURCE_OPENERS,
    SESSION_WRITES,
    SESSIONS,
    SYNC_ENGINES,
    SYNC_SESSIONS,
    Blocking,
    Category,
    blocking,
    entry,
    is_in,
    is_log_call,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import NEVER_FIRST_PARTY, last_names
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
)
from flake8_fastapi_rules.semantics.writes import Found, Writes

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Longer chains of calls are not followed; nobody would read them.
_PATH_LIMIT = 12
#: After so many calls that lead too far, what was left open is not asked again.
_CUTS = 1_000
#: How many functions on the way a message names.
_SHOWN = 6
#: Libraries whose functions do not wait for anything, blocking calls aside.
_QUICK = (
    "builtins.", "starlette.", "fastapi.", "pydantic.", "pydantic_settings.", "typing.", "jwt.",
    "jose.jwt.", "datetime.", "uuid.", "hmac.", "hashlib.", "base64.", "json.", "re.", "secrets.",
    "logging.", "structlog.", "loguru.", "functools.", "itertools.", "collections.", "math.",
    "string.", "enum.", "dataclasses.", "copy.", "decimal.", "urllib.parse.", "http.", "random.",
    "contextvars.", "time.time", "time.monotonic", "time.perf_counter", "os.getenv", "os.environ.",
    "os.path.join",
)  # fmt: skip
#: The kinds of work that hold up an event loop noticeably whatever their input.
_HEAVY = frozenset({"password hashing", "image processing", "data frame work"})
#: Shorter sleeps, in seconds, only give way to other threads.
_NOTICEABLE = 0.005
#: Calls that are over in a moment; not worth a thread where they are far away.
_BRIEF = frozenset(
    {
        "os.makedirs", "os.mkdir", "pathlib.Path.mkdir", "pathlib.Path.touch",
        "tempfile.TemporaryDirectory", "tempfile.mkdtemp",
    }
)  # fmt: skip
#: Methods of a session that end its use, or only prepare it.
_SESSION_ENDS = frozenset({"close", "close_all", "expunge", "expunge_all", "remove", "__call__"})
#: Words of operations that OAuth, OpenID Connect or SAML want to be a GET.
_PROTOCOL_WORDS = frozenset(
    {
        "acs", "authorize", "authorise", "callback", "login", "logoff", "logout", "oauth",
        "oauth2", "oidc", "saml", "saml2", "signin", "signout", "sso", "token",
    }
)  # fmt: skip
#: Resources that a request should get from a dependency.
_INJECTED = frozenset({"client", "connection", "engine", "pool", "session"})
_LOG_METHODS = last_names(LOG_CALLS)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call on the way to some evidence, or what runs a method without one.

    Parameters:
        module, node: the call and where it stands.
        function: the function that it runs.
    """

    module: Module
    node: ast.expr
    function: Function

    @property
    def name(self) -> str:
        """The function's name as users know it: `load`, `Store.load`."""
        return display_name(self.function)


#: Libraries of which it is known what commits.
_WELL_KNOWN = (
    "builtins.",
    "fastapi.",
    "logging.",
    "pydantic.",
    "sqlalchemy.",
    "sqlmodel.",
    "starlette.",
)
#: Methods after which a write may be stored.
_ENDS_TRANSACTION = (
    ".commit", ".begin", ".begin_nested", ".run_sync", ".close", ".rollback", ".expunge",
)  # fmt: skip
#: Conditions that say whether anything is to be stored at all.
_ON_PURPOSE = re.compile(r"(?i)commit|dry|preview|simulat|persist|save|store|flush|valid")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A place that does something, and the calls that lead to it.

    Parameters:
        module, node: the place.
        what: what it does, in the user's words: a callee such as `requests.get`.
        replacement: what to use instead, if there is something.
        path: the calls, outermost first; empty when the function does it itself.
        name: the canonical name behind `what`, if there is one.
    """

    module: Module
    node: ast.AST
    what: str
    replacement: str | None = None
    path: tuple[Step, ...] = ()
    name: str | None = None

    @property
    def route(self) -> str:
        """The functions on the way and what the last of them does: `load` → `open`."""
        names = [*(step.name for step in self.path), self.what]
        if len(names) > _SHOWN:
            names[_SHOWN - 2 : -1] = ["…"]
        return " → ".join(name if name == "…" else f"`{name}`" for name in names)

    def place_in(self) -> ast.AST:
        """The node to report in the function that was asked about: its own call, or the place."""
        return self.path[0].node if self.path else self.node

    def after(self, step: Step) -> Evidence:
        """The same evidence, seen from a caller."""
        return replace(self, path=(step, *self.path))


@dataclass(frozen=True, slots=True, eq=False)
class Raised:
    """An exception that leaves a function.

    Parameters:
        module, node: the `raise`.
        exception: its class.
        status: the HTTP status that it stands for; `None` when it has none or it cannot be told.
        path: the calls that lead to it, outermost first.
    """

    module: Module
    node: ast.Raise
    exception: Class | External
    status: int | None
    path: tuple[Step, ...] = ()


Direct = Callable[[Function], Evidence | None]
Follow = Callable[[Function, CallSite], bool]
Implied = Callable[[Function], Iterator[tuple[ast.expr, Function]]]


class _Search:
    """The shortest way from a function to evidence, over the call graph, each answer once.

    Parameters:
        implied: the methods that a function runs without a call, if they are followed as well.
    """

    def __init__(
        self, graph: CallGraph, direct: Direct, follow: Follow, implied: Implied | None = None
    ) -> None:
        self._graph = graph
        self._implied = implied
        self._direct = direct
        self._follow = follow
        self._own: dict[object, Evidence | None] = {}
        self._found: dict[object, Evidence] = {}
        self._clean: set[object] = set()

    def own(self, function: Function) -> Evidence | None:
        """The evidence in the function's own body."""
        key = key_of(function)
        if key not in self._own:
            self._own[key] = None
            self._own[key] = self._direct(function)
        return self._own[key]

    def find(self, function: Function) -> Evidence | None:
        """The evidence in a function or below it."""
        start = key_of(function)
        if start in self._clean:
            return None
        known = self._found.get(start)
        if known is not None:
            return known
        seen: set[object] = {start}
        queue: deque[tuple[Function, tuple[Step, ...]]] = deque([(function, ())])
        while queue:
            current, path = queue.popleft()
            key = key_of(current)
            evidence = self._found.get(key) or self.own(current)
            if evidence is not None:
                found = replace(evidence, path=(*path, *evidence.path))
                self._found[start] = found
                return found
            if key in self._clean or len(path) >= _PATH_LIMIT:
                continue
            for node, target in self._ways(current):
                below = key_of(target)
                if below not in seen:
                    seen.add(below)
                    queue.append((target, (*path, Step(current.module, node, target))))
        self._clean |= seen
        return None

    def _ways(self, function: Function) -> Iterator[tuple[ast.expr, Function]]:
        """The functions that a function runs, and where."""
        for site in self._graph.sites(function):
            if site.target is not None and self._follow(function, site):
                yield site.node, site.target
        if self._implied is not None:
            yield from self._implied(function)


#: What code that commits speaks of.
DATABASE_WORDS = re.compile(
    r"commit|session|transact|database|\bdb\b|_db\b|\buow\b|unit_of_work", re.IGNORECASE
)
#: What router classes that choose how their endpoints run speak of.
_ROUTE_WORDS = ("route_class", "add_api_route", "api_route(", "route_handler")
_QUERY = "sqlalchemy.orm.Query"
#: What goes through all that it is given.
_COLLECTING = frozenset({"enumerate", "list", "set", "sorted", "tuple"})
#: What writes the rows of a query at once, in the transaction of its session.
_QUERY_WRITES = frozenset({f"{_QUERY}.delete", f"{_QUERY}.update"})
#: Classes whose objects block when they are made with this argument: a path or a host.
_OPENING = {"smtplib.SMTP": "host", "zipfile.ZipFile": "file"}


class Effects:
    """Answers what functions do; one for a whole model.

    Parameters:
        model: resolves what the functions call.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._resolver = model.resolver
        self.graph = CallGraph(model)
        self._writes = Writes(model, self.graph)
        self._blocking = _Search(
            self.graph, self._own_blocking, self._blocks_through, self.implicit_calls
        )
        self._writing = _Search(self.graph, self._own_write, self._writes.is_followed)
        self._storing = _Search(self.graph, self._own_storing, self._writes.is_followed)
        self._surely_writing = _Search(
            self.graph, self._own_sure_write, self._writes.is_surely_followed
        )
        self._surely_storing = _Search(
            self.graph, self._own_sure_storing, self._writes.is_surely_followed
        )
        self._named_writing = _Search(self.graph, self._own_named_write, self._writes.is_followed)
        self._session_writing = _Search(
            self.graph, self._own_session_write, lambda function, site: True
        )
        self._logging = _Search(self.graph, self._own_log, lambda function, site: True)
        self._committing = _Search(self.graph, self._own_commit, lambda function, site: True)
        self._opening = _Search(self.graph, self._own_opening, self._opens_through)
        self._computing = _Search(self.graph, self._own_computing, self._blocks_through)
        self._harmless: dict[object, bool] = {}
        self._raised: dict[object, tuple[Raised, ...]] = {}
        self._raising: set[object] = set()
        #: How often exceptions were left out because a call led back to itself, or too far.
        self._cuts = 0

    def calls(self, function: Function) -> tuple[CallSite, ...]:
        """The calls in a function's own body, in source order."""
        return self.graph.sites(function)

    def calls_in_requests(self, fact: FrameworkFunction) -> Iterator[CallSite]:
        """The calls in FastAPI code that somebody waits for.

        Not what a lifespan does before its `yield`, nor event handlers.
        """
        value = self._resolver.resolve(fact.module, fact.node)
        if not isinstance(value, Function) or fact.roles <= {Role.EVENT_HANDLER}:
            return
        since = 0
        is_end = fact.node.name == "__aexit__"  # of a lifespan that is a class
        if fact.roles <= {Role.LIFESPAN, Role.EVENT_HANDLER} and not is_end:
            own = fact.module.index.own_nodes(fact.node)
            since = min((n.lineno for n in own if isinstance(n, ast.Yield)), default=0)
            if not since:
                return
        for site in self.graph.sites(value):
            if site.node.lineno > since:
                yield site

    def implicit_calls(
        self, function: Function | FrameworkFunction
    ) -> Iterator[tuple[ast.expr, Function]]:
        """The methods that a function runs without a call and waits for, and where.

        Not asynchronous FastAPI code, as a lifespan that is a class: it is reported there.
        """
        for node, method in implicit_calls(self._model, function):
            if not (isinstance(method.node, ast.AsyncFunctionDef) and self._model.roles(method)):
                yield node, method

    # -- blocking ---------------------------------------------------------------------------

    def blocking_call(self, site: CallSite) -> tuple[str, Blocking] | None:
        """The canonical name of a call that blocks its thread by itself, and why it does."""
        if site.is_awaited or not isinstance(site.callee, External):
            return None
        why = blocking(site.callee.name)
        if why is None or (why.category is Category.SLEEP and self._is_instant(site)):
            return None
        if not self._opens(site.module, site.node, site.callee.name):
            return None
        return site.callee.name, why

    def _opens(self, module: Module, call: ast.Call, callee: str) -> bool:
        """Whether a class whose objects may open a file, or connect, does so at once."""
        if callee not in _OPENING:
            return True
        name = _OPENING[callee]
        given = argument(call, name, 0)
        if given is None:
            return False
        if name == "host":
            return True
        match self._resolver.resolve(module, given):
            case Constant(value=str()) | Expression(node=ast.JoinedStr()):
                return True
            case value:
                return self._resolver.is_instance(value, "builtins.str", "pathlib.PurePath")

    def _is_instant(self, site: CallSite) -> bool:
        """Whether a sleep is over before anybody could notice."""
        value = self._resolver.resolve(site.module, argument(site.node, "seconds", 0))
        return (
            isinstance(value, Constant)
            and isinstance(value.value, int | float)
            and value.value < _NOTICEABLE
        )

    def is_on_session(self, site: CallSite) -> bool:
        """Whether a call uses a synchronous SQLAlchemy session, or a query made by one."""
        if not isinstance(site.callee, External):
            return False
        method = site.callee.name.rpartition(".")[2]
        owners = {name.rpartition(".")[0] for name in self._resolver.names_of(site.callee)}
        return method not in _SESSION_ENDS and not owners.isdisjoint({*SYNC_SESSIONS, _QUERY})

    def is_on_opened_file(self, site: CallSite) -> bool:
        """Whether a call reads or writes a file that the same function opened."""
        func = site.node.func
        if not isinstance(func, ast.Attribute):
            return False
        value = self._resolver.resolve(site.module, func.value)
        if not isinstance(value, Instance) or value.call is None or value.module is not site.module:
            return False
        index = site.module.index
        opener = self._resolver.resolve(site.module, value.call.func)
        return (
            isinstance(opener, External)
            and blocking(opener.name) is not None
            and self._opens(site.module, value.call, opener.name)
            and any(name in FILE_OPENERS for name in self._resolver.names_of(opener))
            and index.function_of(value.call) is index.function_of(site.node)
        )

    def blocks(self, function: Function) -> Evidence | None:
        """A call that blocks the thread, in a function or in what it calls and waits for.

        Not what is handed to executors, and not what asynchronous FastAPI code does that is called
        by hand: it is reported there.
        """
        return self._blocking.find(function)

    def _own_blocking(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            found = self.blocking_call(site)
            if found is None or found[1].is_brief or found[0] in _BRIEF:
                continue
            name, why = found
            if not self._writes.is_once(function, site.node):
                return Evidence(site.module, site.node, spoken(name), why.instead, (), name)
        source = self.iterated_query(function)
        if source is not None:
            name = f"{_QUERY}.__iter__"
            return Evidence(function.module, source, spoken(name), "AsyncSession", (), name)
        return None

    def iterated_query(self, function: Function) -> ast.expr | None:
        """A query of a synchronous session that a loop runs, or `list(query)`, not a call of it."""
        if not any(map(self.is_on_session, self.graph.sites(function))):
            return None
        for node in function.module.index.own_nodes(function.node):
            match node:
                case ast.For(iter=source) | ast.comprehension(iter=source):
                    pass
                case ast.Call(func=ast.Name(id=name), args=[source]) if name in _COLLECTING:
                    pass
                case _:
                    continue
            value = self._resolver.resolve(function.module, source)
            if self._resolver.is_instance(value, _QUERY):
                return source
        return None

    def _blocks_through(self, function: Function, site: CallSite) -> bool:
        return self.may_block_through(site) and not self._writes.is_once(function, site.node)

    def may_block_through(self, site: CallSite) -> bool:
        """Whether what a call runs is looked into for blocking calls."""
        target = site.target
        if target is None or self.graph.is_cached(target):
            return False
        if isinstance(target.node, ast.AsyncFunctionDef):
            return not self._model.roles(target)
        parent = site.module.index.parents.get(site.node)
        is_started = isinstance(parent, ast.Call) and getattr(parent.func, "id", "") == "next"
        # `next(get_session())` runs it to its `yield` only.
        return not (is_started and target.module.index.is_generator(target.node))

    def never_blocks(self, function: Function) -> bool:
        """Whether everything that a function calls is known, and none of it blocks."""
        key = key_of(function)
        known = self._harmless.get(key)
        if known is not None:
            return known
        self._harmless[key] = True  # a function that calls itself does not block by that
        found = all(self._is_harmless(site) for site in self.graph.sites(function)) and not any(
            isinstance(node, ast.With | ast.For)
            and not self._is_plain_context(function.module, node)
            for node in function.module.index.own_nodes(function.node)
        )
        self._harmless[key] = found
        return found

    def _is_plain_context(self, module: Module, node: ast.With | ast.For) -> bool:
        """Whether entering a `with` or iterating cannot wait for anything."""
        if isinstance(node, ast.For):
            return not isinstance(node.iter, ast.Call) or bool(
                self._resolver.resolve(module, node.iter.func)
            )
        return False

    def _is_harmless(self, site: CallSite) -> bool:
        callee = site.callee
        if site.target is not None:
            return self.never_blocks(site.target)
        if isinstance(callee, Class):
            return self._resolver.has_known_bases(callee)
        if not isinstance(callee, External) or blocking(callee.name) is not None:
            return False
        if callee.name in RESOURCE_OPENERS or callee.name.startswith("builtins.open"):
            return False
        return callee.name.startswith(_QUICK)

    def computes(self, site: CallSite) -> tuple[str, str] | None:
        """The canonical name of a call that keeps the processor busy, and its kind of work."""
        if not isinstance(site.callee, External):
            return None
        kind = entry(site.callee.name, CPU_BOUND)
        return None if kind not in _HEAVY else (site.callee.name, kind)

    def computing(self, function: Function) -> Evidence | None:
        """A call that keeps the processor busy, in a function or in what it calls."""
        return self._computing.find(function)

    def _own_computing(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            found = self.computes(site)
            if found is not None and not self._writes.is_once(function, site.node):
                return Evidence(site.module, site.node, spoken(found[0]), found[1], (), found[0])
        return None

    # -- writing ----------------------------------------------------------------------------

    def writes(
        self, function: Function, *, local: bool = True, sure: bool = False
    ) -> Evidence | None:
        """A change of state that outlives the call: in a database, a file, or shared memory.

        Parameters:
            local: count files, and the memory of the process.
            sure: only what happens whenever the function runs, and is no result of other calls.
        """
        if sure:
            return (self._surely_writing if local else self._surely_storing).find(function)
        return (self._writing if local else self._storing).find(function)

    def _own_write(self, function: Function) -> Evidence | None:
        return self._evidence_of(function, self._writes.own(function))

    def _own_sure_write(self, function: Function) -> Evidence | None:
        return self._evidence_of(function, self._writes.own(function, sure=True))

    def _own_sure_storing(self, function: Function) -> Evidence | None:
        return self._evidence_of(function, self._writes.own(function, local=False, sure=True))

    def _own_storing(self, function: Function) -> Evidence | None:
        return self._evidence_of(function, self._writes.own(function, local=False))

    def _evidence_of(self, function: Function, found: Found | None) -> Evidence | None:
        return None if found is None else Evidence(function.module, found[0], found[1])

    def session_write(self, function: Function) -> Evidence | None:
        """A write on a SQLAlchemy session that has to be committed to last."""
        return self._session_writing.find(function)

    def _own_session_write(self, function: Function) -> Evidence | None:
        return next(self._own_session_writes(function), None)

    def _own_session_writes(self, function: Function) -> Iterator[Evidence]:
        for site in self.graph.sites(function):
            if not isinstance(site.callee, External):
                continue
            if is_in(site.callee.name, SESSION_WRITES) or site.callee.name in _QUERY_WRITES:
                yield Evidence(site.module, site.node, self.spoken_call(site))
                continue
            owners = {name.rpartition(".")[0] for name in self._resolver.names_of(site.callee)}
            if owners.isdisjoint(SESSIONS):
                continue
            if found := self._writes.statement(function, site.node):
                yield Evidence(site.module, site.node, found[1])

    def write_left_behind(self, function: Function) -> Evidence | None:
        """A write on a session in a branch that returns without a call that may commit.

        It says nothing of what callers, dependencies and middleware commit.
        """
        sites = {site.node: site for site in self.graph.sites(function)}
        for evidence in self._own_session_writes(function):
            rest = _rest_of_branch(function, evidence.node)
            calls = [
                node
                for statement in rest
                for node in ast.walk(statement)
                if isinstance(node, ast.Call)
            ]
            if rest and all(
                call in sites and self._certainly_leaves_open(sites[call]) for call in calls
            ):
                return evidence
            body = getattr(function.node, "body", None)
            statement = _statement_of(function, evidence.node)
            if isinstance(body, list) and statement in body:
                following = body[body.index(statement) + 1 :]
                if _has_branch(following) and self._may_pass(following, sites):
                    return evidence
        return None

    def _may_pass(self, statements: list[ast.stmt], sites: dict[ast.Call, CallSite]) -> bool:
        """Whether some way through statements meets no call that may end a transaction.

        Branches that raise are no such way, nor are those of a condition that says whether to
        commit.
        """
        for statement in statements:
            if isinstance(statement, ast.Raise):
                return False
            if isinstance(statement, ast.If) and not _ON_PURPOSE.search(
                ast.unparse(statement.test)
            ):
                if not self._leaves_open(statement.test, sites):
                    return False
                if not any(self._may_pass(b, sites) for b in (statement.body, statement.orelse)):
                    return False
            elif not self._leaves_open(statement, sites):
                return False
            if isinstance(statement, ast.Return):
                return True
        return True

    def _leaves_open(self, node: ast.AST, sites: dict[ast.Call, CallSite]) -> bool:
        return all(
            call in sites and self._certainly_leaves_open(sites[call])
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
        )

    def _certainly_leaves_open(self, site: CallSite) -> bool:
        """Whether a call cannot commit."""
        if site.target is not None:
            return self.commits(site.target) is False
        callee = site.callee
        if isinstance(callee, Class):
            return self._resolver.has_known_bases(callee)
        return (
            isinstance(callee, External)
            and callee.name.startswith(_WELL_KNOWN)
            and not callee.name.endswith(_ENDS_TRANSACTION)
        )

    def is_forced_write(self, name: str, *paths: str) -> bool:
        """Whether an operation's name or path says that a protocol makes it a GET that writes."""
        words = set(words_of(name)).union(*(words_of(path) for path in paths))
        is_harmless = is_surely_harmless(name) and not asks_for_counting(name, name)
        if not words.isdisjoint(_PROTOCOL_WORDS) or is_harmless:
            return True
        # `/github-auth`, but not everything below `/auth/`
        ends = [words_of(name), *(words_of(path.rpartition("/")[2]) for path in paths)]
        return any("auth" in end for end in ends)

    def named_write(self, function: Function, name: str, *paths: str) -> Evidence | None:
        """A call that cannot be read but says that it writes, in an operation that says so too."""
        if not any(says_mutation(text) for text in (name, *paths)):
            return None
        return self._named_writing.find(function)

    def _own_named_write(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            if self._writes.says_write(function, site):
                return Evidence(site.module, site.node, self.spoken_call(site))
        return None

    def spoken_call(self, site: CallSite) -> str:
        """A call as it is written, without its arguments."""
        text = ast.unparse(site.node.func)
        return text if len(text) <= 40 else text.rpartition(".")[2]

    # -- commits, logs, opened resources ----------------------------------------------------

    def commits(self, function: Function) -> bool | None:
        """Whether a function commits a transaction, itself or below; `None` if it cannot be told.

        It cannot be told when something that is called cannot be resolved.
        """
        if self._committing.find(function) is not None:
            return True
        return None if self._has_unknown_calls(function) else False

    def commit(self, function: Function) -> Evidence | None:
        """The place where a function commits, itself or through what it calls."""
        return self._committing.find(function)

    def may_commit_by_route(self, route: Route) -> bool:
        """Whether a route is of a class of its own that may commit when the handler returns."""
        receiver = route.receiver
        made = receiver.of if isinstance(receiver, Instance) else None
        if isinstance(made, Class):
            if not self._resolver.has_known_bases(made) or any(
                isinstance(base, Class)
                and any(word in base.module.source.segment(base.node) for word in _ROUTE_WORDS)
                for base in self._resolver.mro(made)
            ):
                return True
        elif not isinstance(made, External):
            return True
        return any(
            node.fact is not None
            and "route_class" in node.fact.arguments
            and self._may_commit_in(node.fact.module, node.fact.arguments["route_class"])
            for node in self._model.project(route.module).nodes_of(receiver)
        )

    def _may_commit_in(self, module: Module, route_class: ast.expr) -> bool:
        """Whether a route class commits, or cannot be seen, or has to do with sessions at all.

        Those that measure, log or unpack have nothing to commit, whatever they call.
        """
        cls = self._resolver.resolve(module, route_class)
        if not isinstance(cls, Class) or not self._resolver.has_known_bases(cls):
            return True
        return any(
            isinstance(base, Class)
            and DATABASE_WORDS.search(base.module.source.segment(base.node)) is not None
            for base in self._resolver.mro(cls)
        )

    def commit_after_yield(self, function: Function) -> ast.AST | None:
        """The place where a generator function commits when it is resumed; `None` if it does not.

        That is a `commit()` behind the `yield`, or a `with` around it that commits at its end.
        """
        module = function.module
        own = module.index.own_nodes(function.node)
        yields = [node for node in own if isinstance(node, ast.Yield)]
        if not yields:
            return None
        last = yields[-1]
        for parent in module.index.ancestors(last):
            if parent is function.node:
                break
            if isinstance(parent, ast.With | ast.AsyncWith):
                for item in parent.items:
                    if self._commits_at_exit(function, item.context_expr):
                        return item.context_expr
        yielded = {each.value.id for each in yields if isinstance(each.value, ast.Name)}
        for site in self.graph.sites(function):
            if not self._commits_one_of(yielded, site):
                continue
            behind = (site.node.lineno, site.node.col_offset) > (last.lineno, last.col_offset)
            if behind and not _in_handler(module, function, site.node):
                return site.node
        return None

    def _commits_one_of(self, names: set[str], site: CallSite) -> bool:
        """Whether a call is a `commit()`, or of a function that commits what it is given."""
        func = site.node.func
        if isinstance(func, ast.Attribute) and func.attr == "commit":
            return True
        given = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
        return (
            site.target is not None
            and any(isinstance(each, ast.Name) and each.id in names for each in given)
            and self.commit(site.target) is not None
        )

    def _commits_at_exit(self, function: Function, context: ast.expr) -> bool:
        for site in self.graph.sites(function):
            if site.node is not context:
                continue
            if isinstance(site.callee, External):
                if is_in(site.callee.name, COMMITTING_CONTEXTS):
                    return True
                is_unread = site.callee.name.partition(".")[0] not in NEVER_FIRST_PARTY
                return is_unread and self._begins_what_it_yields(function, context)
            if not site.callee:
                return self._begins_what_it_yields(function, context)
            if isinstance(site.callee, Class):  # a unit of work
                return self._commits_when_left(site.callee)
            if site.target is not None and isinstance(site.callee, Function):
                return (
                    self._resolver.is_context_manager(site.target)
                    and self.commit_after_yield(site.target) is not None
                )
        return False

    def _commits_when_left(self, cls: Class) -> bool:
        """Whether a context manager of the project commits in its `__exit__`."""
        methods = (
            self._resolver.class_attribute(cls, name, instance=True)
            for name in ("__aexit__", "__exit__")
        )
        return any(isinstance(m, Function) and self.commit(m) is not None for m in methods)

    def _begins_what_it_yields(self, function: Function, context: ast.expr) -> bool:
        """Whether a session of unknown origin begins, which a dependency yields.

        What is begun and yielded itself is a session or a connection, unless another type is said.
        """
        index = function.module.index
        names = {
            node.value.id
            for node in index.own_nodes(function.node)
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.Name)
        }
        match context:
            case ast.Call(func=ast.Attribute(attr="begin", value=ast.Name(id=name))) if (
                name in names
            ):
                is_declared = getattr(function.node, "returns", None) is not None
                return names == {name} and (
                    not is_declared
                    or self._resolver.is_instance(self._resolver.yielded(function), *SESSIONS)
                )
            case ast.Call(
                func=ast.Attribute(attr="begin", value=ast.Name() | ast.Attribute() as of)
            ):
                # `request.app.state.engine.begin()`, `request.state.sessions.begin() as session`
                held = getattr(index.parents.get(context), "optional_vars", None)
                is_given = isinstance(held, ast.Name) and held.id in names
                is_of_engine = isinstance(of, ast.Attribute) and of.attr.endswith("engine")
                return (is_given or is_of_engine) and self._resolver.is_instance(
                    self._resolver.yielded(function), *SESSIONS
                )
            case _:
                return False

    def _own_commit(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            func = site.node.func
            if isinstance(func, ast.Attribute) and (
                func.attr == "commit"
                or (
                    func.attr == "begin"
                    and isinstance(site.callee, External)
                    and is_in(site.callee.name, COMMITTING_CONTEXTS)
                )
            ):
                return Evidence(site.module, site.node, ast.unparse(func))
        for node in function.module.index.own_nodes(function.node):
            if not isinstance(node, ast.With | ast.AsyncWith):
                continue
            for item in node.items:
                held = self._model.resolve(function.module, item.context_expr)
                cls = held.of if isinstance(held, Instance) else None
                if isinstance(cls, Class) and self._commits_when_left(cls):
                    what = f"{cls.node.name}.__exit__"
                    return Evidence(function.module, item.context_expr, what)
        return self._commit_around(function)

    def _commit_around(self, function: Function) -> Evidence | None:
        """A commit in a decorator of a function, which runs when the function returns."""
        if isinstance(function.node, ast.Lambda):
            return None
        for decorator in function.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            made = self._resolver.resolve(function.module, called)
            if isinstance(made, Function | Class):
                for node in ast.walk(made.node):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                        if node.func.attr == "commit":
                            return Evidence(made.module, node, ast.unparse(node.func))
        return None

    def _has_unknown_calls(self, function: Function) -> bool:
        seen = {key_of(function)}
        stack = [function]
        while stack:
            current = stack.pop()
            for site in self.graph.sites(current):
                if site.target is not None:
                    if key_of(site.target) not in seen:
                        seen.add(key_of(site.target))
                        stack.append(site.target)
                elif self._is_unknown(site):
                    return True
        return False

    def _is_unknown(self, site: CallSite) -> bool:
        """Whether a call may commit for all that can be seen."""
        match site.node.func:  # what middleware wraps is looked at by itself
            case ast.Name(id="call_next") | ast.Attribute(value=ast.Name(id="self"), attr="app"):
                return False
        return not site.callee or isinstance(site.callee, Function) or self._hands_on_session(site)

    def _hands_on_session(self, site: CallSite) -> bool:
        """Whether a session is given to a function of a library that may commit it."""
        name = site.callee.name if isinstance(site.callee, External) else ""
        if name.startswith(("builtins.", "sqlalchemy.", "sqlmodel.")):
            return False
        given = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
        return any(
            self._resolver.is_instance(self._resolver.resolve(site.module, node), *SESSIONS)
            for node in given
        )

    def is_log_call(self, site: CallSite) -> bool:
        """Whether a call writes to a log."""
        func = site.node.func
        if not isinstance(func, ast.Attribute) or func.attr not in _LOG_METHODS:
            return False
        if isinstance(site.callee, External):
            return is_log_call(site.callee.name)
        receiver = func.value
        name = receiver.attr if isinstance(receiver, ast.Attribute) else None
        name = receiver.id if isinstance(receiver, ast.Name) else name
        return not site.callee and name is not None and "log" in name.lower()

    def logs(self, function: Function) -> Evidence | None:
        """The call that writes to a log, in a function or below it."""
        return self._logging.find(function)

    def _own_log(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            if self.is_log_call(site):
                return Evidence(site.module, site.node, ast.unparse(site.node.func))
        return None

    def opening(self, site: CallSite) -> str | None:
        """The canonical name of what a call opens (a session, client, connection), if it does."""
        return self.opened_by(site.callee, site.node)

    def opened_by(self, callee: Value, call: ast.Call | None = None) -> str | None:
        """The canonical name of what calling a value opens, if it opens something.

        A `call` that is given a pool of connections only borrows from it.
        """
        if call is not None and any(k.arg in LENDING_ARGUMENTS for k in call.keywords):
            return None
        names = [*self._resolver.names_of(callee)]
        if isinstance(callee, Instance):
            names = [f"{name}.__call__" for name in names]
        return next((name for name in names if name in RESOURCE_OPENERS), None)

    def opened_at(self, module: Module, call: ast.Call) -> str | None:
        """What a call opens, or the project's function that it calls and whose result that is."""
        callee = self._resolver.resolve(module, call.func)
        if not isinstance(callee, Function):
            return self.opened_by(callee)
        made = self._resolver.resolve(module, call)
        if not isinstance(made, Instance) or made.module is None or made.call is None:
            return None
        index = made.module.index
        if index.function_of(made.call) is not callee.node or isinstance(
            index.parents.get(made.call), ast.withitem
        ):
            return None
        return self.opened_by(self._resolver.resolve(made.module, made.call.func))

    def resource_opened(self, site: CallSite) -> str | None:
        """What a call opens that dependencies should provide ("a database session"), if it does.

        Calls of the project's functions count when they give a new one to the caller.
        """
        name = self.opening(site)
        if name is None:
            name = self.opened_below(site)
        if name is None or name.startswith(CONVERSATIONS):
            return None
        resource = RESOURCE_OPENERS[name]
        if resource.kind not in _INJECTED:
            return None
        if name.startswith(("httpx.", "aiohttp.", "requests.", "urllib3.")):
            return "an HTTP client"
        if resource.kind in {"client", "pool"}:
            return "a client" if resource.kind == "client" else "a connection pool"
        return f"a database {resource.kind}"

    def opened_below(self, site: CallSite) -> str | None:
        """The opener behind a project's function that hands a new resource to its caller."""
        target = site.target
        if target is None or not isinstance(site.callee, Function):
            return None
        if isinstance(target.node, ast.Lambda) or self.graph.is_cached(target):
            return None
        is_generator = target.module.index.is_generator(target.node)
        value = self._resolver.yielded(target) if is_generator else self._resolver.returned(target)
        if not isinstance(value, Instance) or value.call is None or value.module is None:
            return None if is_generator else self._opened_either_way(target)
        home = value.module.index.function_of(value.call)
        if home is None or home is site.module.index.function_of(site.node):
            return None
        if home is not target.node and self._is_kept(value.module, value.call):
            return None
        for opening in self.graph.sites(Function(value.module, home)):
            if opening.node is value.call and not self._is_kept(value.module, value.call):
                return self.opening(opening)
        return None

    def _opened_either_way(self, function: Function) -> str | None:
        """An opener of a function that gives one of several new resources, whichever it is."""
        sites = {site.node: site for site in self.graph.sites(function)}
        found: list[str | None] = []
        for node in function.module.index.own_nodes(function.node):
            given = [node.value] if isinstance(node, ast.Return) else []
            for each in given:
                if isinstance(each, ast.IfExp):
                    given += [each.body, each.orelse]
                else:
                    made = each.value if isinstance(each, ast.Await) else each
                    site = sites.get(made) if isinstance(made, ast.Call) else None
                    found.append(None if site is None else self.opening(site))
        return found[0] if all(found) and found else None

    def _is_kept(self, module: Module, call: ast.Call) -> bool:
        """Whether what a call makes is stored for longer than the function runs."""
        parent = module.index.parents.get(call)
        if isinstance(parent, ast.Await):
            parent = module.index.parents.get(parent)
        targets: list[ast.expr] = []
        if isinstance(parent, ast.Assign):
            targets = parent.targets
        elif isinstance(parent, ast.AnnAssign):
            targets = [parent.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                return True
            scope = module.index.scope_of(target)
            if scope.outer.get(target.id) or self._is_put_away(module, target, scope):
                return True
        return False

    def _is_put_away(self, module: Module, local: ast.Name, scope: Scope) -> bool:
        """Whether a local variable is put into what was there before: `POOLS[key] = x`."""
        for node in module.index.own_nodes(scope.node):
            if not isinstance(node, ast.Assign) or not any(
                isinstance(value, ast.Name) and value.id == local.id
                for value in getattr(node.value, "elts", [node.value])
            ):
                continue
            for target in node.targets:
                root: ast.expr = target
                while isinstance(root, ast.Subscript | ast.Attribute):
                    root = root.value
                if root is target or not isinstance(root, ast.Name):
                    continue
                if root.id not in scope.bindings:
                    return True
        return False

    def session_opening(self, function: Function) -> Evidence | None:
        """The call in a function's own body that opens a synchronous session or connection."""
        for site in self.graph.sites(function):
            name = self.opening(site)
            if name is None or RESOURCE_OPENERS[name].kind not in {"session", "connection"}:
                continue
            made = self._resolver.resolve(site.module, site.node)
            if self._resolver.is_instance(made, *SYNC_SESSIONS, *SYNC_ENGINES):
                return Evidence(site.module, site.node, self.spoken_call(site), None, (), name)
        return None

    def opens(self, function: Function) -> Evidence | None:
        """The call that opens a resource, in a function or in what it calls."""
        return self._opening.find(function)

    def _own_opening(self, function: Function) -> Evidence | None:
        for site in self.graph.sites(function):
            name = self.opening(site)
            if name is not None:
                return Evidence(site.module, site.node, spoken(name), None, (), name)
        return None

    def _opens_through(self, function: Function, site: CallSite) -> bool:
        return site.target is not None and not self.graph.is_cached(site.target)

    # -- exceptions -------------------------------------------------------------------------

    def raises(self, function: Function) -> tuple[Raised, ...]:
        """The exceptions that leave a function, also those of what it calls.

        What is caught on the way is left out, and so is what may be caught.
        """
        key = key_of(function)
        known = self._raised.get(key)
        if known is not None:
            return known
        if key in self._raising or len(self._raising) > 40:
            self._cuts += 1
            return ()
        if not self._raising:
            self._cuts = 0
        cuts = self._cuts
        self._raising.add(key)
        try:
            found = tuple(self._raises(function))
        finally:
            self._raising.discard(key)
        if not self._raising or self._cuts == cuts or self._cuts > _CUTS:
            self._raised[key] = found
        return found

    def _raises(self, function: Function) -> Iterator[Raised]:
        module = function.module
        for node in module.index.own_nodes(function.node):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised = self.raised(module, node)
                if raised is not None and not may_be_caught(
                    self._resolver, function, node, raised.exception
                ):
                    yield raised
        seen: set[object] = set()
        for site in self.graph.sites(function):
            if site.target is None or isinstance(site.callee, Class):
                continue
            for raised in self.raises(site.target):
                if len(raised.path) >= _PATH_LIMIT or (site.node, raised.node) in seen:
                    continue
                if not may_be_caught(self._resolver, function, site.node, raised.exception):
                    seen.add((site.node, raised.node))
                    step = Step(site.module, site.node, site.target)
                    yield replace(raised, path=(step, *raised.path))

    def raised(self, module: Module, node: ast.Raise) -> Raised | None:
        """What a `raise` statement raises; `None` when it cannot be told."""
        value = self._resolver.resolve(module, node.exc)
        call = node.exc if isinstance(node.exc, ast.Call) else None
        home = module
        if isinstance(value, Instance):
            if value.call is not None and value.module is not None:
                call, home = value.call, value.module
            exception: Value = value.of
        else:
            exception = value
        if not isinstance(exception, Class | External):
            return None
        return Raised(module, node, exception, self._status(exception, home, call))

    def _status(
        self, exception: Class | External, module: Module, call: ast.Call | None
    ) -> int | None:
        """The HTTP status of an exception: given in the call, or by its class."""
        if isinstance(exception, External):
            if not self._resolver.is_subclass(exception, *HTTP_EXCEPTIONS) or call is None:
                return None
            return self._model.status(module, argument(call, "status_code", 0))
        init = self._resolver.class_attribute(exception, "__init__", instance=True)
        if isinstance(init, Function):
            return self._status_of_init(exception, init, module, call)
        own = self._class_status(exception)
        if own is not None:
            return own
        if call is not None and self._resolver.is_subclass(exception, *HTTP_EXCEPTIONS):
            return self._model.status(module, argument(call, "status_code", 0))
        return None

    def _class_status(self, cls: Class) -> int | None:
        for base in self._resolver.mro(cls):
            if not isinstance(base, Class):
                return None
            scope = base.module.index.scopes[base.node]
            for name in ("status_code", "http_status", "http_status_code"):
                for binding in scope.bindings.get(name, ()):
                    if binding.value is not None:
                        return self._model.status(base.module, binding.value)
        return None

    def _status_of_init(
        self, cls: Class, init: Function, module: Module, call: ast.Call | None
    ) -> int | None:
        """The status that an exception's own `__init__` hands on, or keeps in `self`."""
        if not isinstance(init.node, FUNCTIONS):
            return None
        given: ast.expr | None = None
        for node in init.module.index.own_nodes(init.node):
            match node:
                case ast.Call(func=ast.Attribute(attr="__init__", value=receiver)):
                    is_super = isinstance(receiver, ast.Call)
                    given = argument(node, "status_code", 0 if is_super else 1) or given
                case ast.Assign(targets=[ast.Attribute(attr="status_code")], value=value):
                    given = value
        if given is None:
            return self._class_status(cls)
        status = self._model.status(init.module, given)
        if status is not None:
            return status
        if isinstance(given, ast.Name):
            return self._status_of_parameter(init, given.id, module, call)
        if isinstance(given, ast.Attribute) and given.attr == "status_code":
            return self._class_status(cls)
        return None

    def _status_of_parameter(
        self, init: Function, name: str, module: Module, call: ast.Call | None
    ) -> int | None:
        arguments = init.node.args
        positional = [*arguments.posonlyargs, *arguments.args][1:]
        names = [each.arg for each in positional]
        position = names.index(name) if name in names else None
        if call is not None:
            if any(keyword.arg is None for keyword in call.keywords):
                return None
            passed = argument(call, name, position)
            if passed is not None:
                return self._model.status(module, passed)
        for each, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
            if each.arg == name:
                return self._model.status(init.module, default)
        for each, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if each.arg == name and keyword_default is not None:
                return self._model.status(init.module, keyword_default)
        return None


def _in_handler(module: Module, function: Function, node: ast.AST) -> bool:
    """Whether a node stands in an `except` clause of the function."""
    for parent in module.index.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, ast.ExceptHandler):
            return True
    return False


def display_name(function: Function) -> str:
    """A function's name as users know it: `load`, `Store.load`, `Store` for its `__init__`."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return "lambda"
    owner = function.owner.node if function.owner else function.module.index.class_of(node)
    if owner is None:
        return node.name
    if node.name in {"__init__", "__post_init__", "__call__"}:
        return owner.name
    return f"{owner.name}.{node.name}"


def advice(instead: str) -> str:
    """What to use instead, marked as code if it is code."""
    return f"`{instead}`" if re.fullmatch(r"[\w.]+|await [\w.()]+", instead) else instead


def spoken(name: str) -> str:
    """A canonical name as people say it: `open`, `time.sleep`, `Session.execute`."""
    if name.startswith("builtins."):
        return name.removeprefix("builtins.")
    parts = name.split(".")
    for position, part in enumerate(parts):
        if part[:1].isupper():
            return ".".join(parts[position:])
    return ".".join(parts[-2:]) if parts[0] not in {"os", "urllib"} else name


__all__ = [
    "Effects",
    "Evidence",
    "Raised",
    "Step",
    "advice",
    "display_name",
    "is_abstract",
    "spoken",
]


def _statement_of(function: Function, node: ast.AST) -> ast.AST | None:
    """The statement of a function's body that a node belongs to, if it is a plain one."""
    child = node
    for parent in function.module.index.ancestors(node):
        if parent is function.node:
            return child if isinstance(child, ast.Expr | ast.Assign) else None
        child = parent
    return None


def _has_branch(statements: list[ast.stmt]) -> bool:
    return any(isinstance(each, ast.If) for each in statements)


#: Statements that may do something when their body ends.
_WAITING = (ast.With, ast.AsyncWith, ast.Try, ast.TryStar)


def _rest_of_branch(function: Function, node: ast.AST) -> list[ast.stmt]:
    """The statement of a node and those behind it, in a branch that ends by returning.

    Empty when it is in no such branch, or when a `with` or `try` may do something at its end.
    """
    rest: list[ast.stmt] = []
    child = node
    for parent in function.module.index.ancestors(node):
        if isinstance(parent, _WAITING):
            return []
        if parent is function.node:
            break
        if not rest and isinstance(parent, ast.If | ast.match_case) and isinstance(child, ast.stmt):
            blocks = [parent.body, *([parent.orelse] if isinstance(parent, ast.If) else [])]
            block = next((each for each in blocks if child in each), [])
            if block and isinstance(block[-1], ast.Return):
                rest = block[block.index(child) :]
        child = parent
    return rest
