"""FAR112: module variables that requests change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.fixtures import is_stand_in
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_process import (
    holds_tied_objects,
    keeps_latest_log,
    may_be_of_each_process,
)
from flake8_fastapi_rules.semantics.scripts import is_in_command

#: What modules are called that say how a process logs.
_LOGGING = frozenset({"debug", "log", "logger", "logging", "logs"})
#: How variables are bound, rather than functions and imported names.
_VARIABLES = frozenset({"assign", "annotated"})


class MutableGlobalState(Rule):
    """Do not keep what requests change in module variables.

    ## What it does
    Reports a module-level list, dict, set or other container that an endpoint, dependency,
    middleware or exception handler changes, also from another module, and a module variable that
    one of them rebinds through `global`.

    ## Why it matters
    Every worker process has a variable of its own, so that what one request stored is missing in
    the next; everything is lost with each restart; plain `def` endpoints change it from several
    threads at once; and tests see what the tests before them left there.

    ## Example
    ```python
    from fastapi import Depends

    names: list[str] = []


    async def remember(name: str) -> str:
        names.append(name)
        return name


    Name = Depends(remember)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends

    from shop.store import NameStore, get_store


    async def remember(name: str, store: Annotated[NameStore, Depends(get_store)]) -> str:
        \"\"\"Store the name.\"\"\"
        await store.add(name)
        return name


    Name = Annotated[str, Depends(remember)]
    ```

    ## Leaves alone
    What is only read; what a lifespan or event handler alone fills and empties; objects made when
    they are first needed (`if client is None: client = ...`, or under a flag); collections of open
    WebSockets, their queues and of running tasks, which cannot leave the process; gauges of what
    goes on in it (`+= 1` and `-= 1` in one function) and what only keeps a line from being logged
    again and again, or tells when the process last tidied up; what remembers that something was
    done once; what each function adds and takes away in its `finally`; circuit breakers; what a
    comment on it, its name, or the docstring of the module or of a function that uses it, says is
    of one process, or a fallback; numbers in ids that name their worker; how a process logs, and
    the latest lines of a log; variables
    called caches
    whose entries grow old or are dropped, and what is set anew with the time when it is stale; the
    app that a command (Click, Typer) starts for itself,
    for a log-in by the browser, say; stand-ins in folders for mocks; locks, context variables, and
    caches of `functools`.

    ## Source
    The convention that shared state lives in a store, or in `app.state` as the lifespan made it;
    uvicorn's and gunicorn's worker processes share no memory.
    """

    code = "FAR112"
    message = "`{name}` is changed by `{function}` (line {line}): requests share it, workers do not"
    variants = {
        "elsewhere": "`{name}` is changed by `{function}` of `{module}`: requests share it, "
        "workers do not",
    }
    profiles = ("recommended",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the variables of a module, each once, at its first binding."""
        shared = context.model.shared_state(module)
        names = shared.names(module)
        if not names or is_stand_in(module, context.settings.root):
            return
        for name in names:
            bindings = module.index.module_scope.bindings.get(name, ())
            own = [binding for binding in bindings if not binding.deferred]
            mutations = shared.mutations(module, name)
            serving = [
                m
                for m in mutations
                if m.serves and not m.is_lazy and not is_in_command(m.module, m.function.node)
            ]
            if not own or not serving or any(b.kind not in _VARIABLES for b in own):
                continue
            if (
                holds_tied_objects(context.model, module, own, mutations)
                or may_be_of_each_process(module, name, mutations)
                or self._is_for_logging(context)
                or keeps_latest_log(context.model, shared, module, name)
            ):
                continue
            first = serving[0]
            place = next(
                (n for n in ast.walk(own[0].node) if isinstance(n, ast.Name) and n.id == name),
                own[0].node,
            )
            yield self.report(
                place,
                None if first.module is module else "elsewhere",
                related=[context.related(first.module, first.node, "changed here")],
                name=name,
                function=getattr(first.function.node, "name", "<lambda>"),
                line=getattr(first.node, "lineno", 0),
                module=first.module.name,
            )

    def _is_for_logging(self, context: Context) -> bool:
        """Whether a module without routes sets how a process logs."""
        last = context.module.name.rpartition(".")[2].strip("_").lower()
        return last in _LOGGING and not context.facts(Route)
