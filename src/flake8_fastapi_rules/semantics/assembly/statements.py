"""The statements of assembling code: names, branches, loops, definitions, imports."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.engine.index import FUNCTIONS, is_main_guard
from flake8_fastapi_rules.semantics.assembly.objects import (
    AV,
    Arguments,
    Closure,
    Decorating,
    Decorator,
    Either,
    Frame,
    Items,
    Lazy,
    Made,
    Maybe,
    Object,
    Origin,
    Routes,
    Table,
    added,
    alternatives,
    compared,
    is_literal,
    items_of,
    leaves,
    may_concern_apps,
    merged,
    to_value,
    truth_of,
    visible_from,
)
from flake8_fastapi_rules.semantics.assembly.vocabulary import WIDTH
from flake8_fastapi_rules.semantics.graph import RouteEntry
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import canonical
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Function,
    FunctionNode,
    ModuleValue,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator


class Statements:
    """Executes statements in a frame.

    Parameters:
        evaluator: the run that the statements belong to.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        #: The classes that objects of classes keep in attributes.
        self._kept_classes: set[tuple[ast.ClassDef, str, ast.ClassDef]] = set()

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """Execute statements until one of them leaves the block."""
        for statement in body:
            if frame.is_done or self._evaluator.budget <= 0:
                return
            self._evaluator.budget -= 1
            self._statement(statement, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        match node:
            case ast.Expr(value=value):
                self._effect(value, frame)
            case ast.Assign(targets=targets, value=value):
                result = self._assigned(targets, value, frame)
                for target in targets:
                    self.assign(target, result, frame)
            case ast.AnnAssign(target=target, value=given):
                if given is not None:
                    result = self._evaluator.evaluate(given, frame)
                    if result is UNKNOWN and isinstance(target, ast.Name):
                        result = self._evaluator.lift(
                            self._evaluator.resolver.annotation(frame.module, node.annotation)
                        )
                    self.assign(target, result, frame)
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                self._augmented(target, self._evaluator.evaluate(value, frame), frame)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node, frame)
            case ast.ClassDef():
                self._define_class(node, frame)
            case ast.Import(names=names):
                for alias in names:
                    self._import(alias, frame)
            case ast.ImportFrom():
                self._import_from(node, frame)
            case ast.If():
                self._if(node, frame)
            case ast.For() | ast.AsyncFor():
                self._for(node, frame)
            case ast.While(body=body):
                with_condition = self._conditional(node, body, frame, dict(frame.names))
                frame.names.update(with_condition)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._try(body, handlers, orelse, finalbody, frame)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    entered = self._evaluator.evaluate(item.context_expr, frame)
                    if item.optional_vars is not None:
                        if not isinstance(entered, Made):
                            entered = UNKNOWN
                        self.assign(item.optional_vars, entered, frame)
                self.block(body, frame)
            case ast.Return(value=value):
                frame.returned.append(
                    self._evaluator.evaluate(value, frame) if value is not None else Constant(None)
                )
                frame.is_done = True
            case ast.Raise():
                frame.is_done = True
            case ast.Break() | ast.Continue():
                frame.is_done = True
                frame.jump = "break" if isinstance(node, ast.Break) else "continue"
            case ast.Match(cases=cases):
                for case in cases:
                    frame.names.update(self._conditional(case, case.body, frame, dict(frame.names)))
            case _ if type(node).__name__ == "TryStar":
                self.block(node.body, frame)  # type: ignore[attr-defined]

    def _assigned(self, targets: list[ast.expr], value: ast.expr, frame: Frame) -> AV:
        result = self._evaluator.evaluate(value, frame)
        if isinstance(result, Made | Either) or not isinstance(value, ast.Call):
            return result
        # `app = instrument(app)`: what a library hands back for the name it was given.
        first = value.args[0] if value.args else None
        if (
            isinstance(first, ast.Name)
            and any(isinstance(t, ast.Name) and t.id == first.id for t in targets)
            and not isinstance(result, Object)
        ):
            passed = self._evaluator.evaluate(first, frame)
            if isinstance(passed, Made):
                return passed
        return result

    def _effect(self, node: ast.expr, frame: Frame) -> None:
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call):
            self._evaluator.calls.call(node, frame, is_statement=True)
        elif isinstance(node, ast.Yield):
            if node.value is not None:
                value = self._evaluator.evaluate(node.value, frame)
                if frame.yielded is None:
                    frame.returned.append(value)
                else:
                    self._yield([value], frame.yielded)
        elif isinstance(node, ast.YieldFrom) and frame.yielded is not None:
            items = items_of(self._evaluator.evaluate(node.value, frame))
            self._yield([UNKNOWN] if items is None else items, frame.yielded)
        elif isinstance(node, ast.IfExp | ast.ListComp | ast.BoolOp | ast.NamedExpr):
            self._evaluator.evaluate(node, frame)

    def _yield(self, values: list[AV], yielded: Items) -> None:
        """Give values to the loop over a generator; under a condition it may not get them."""
        is_sure = all(each in yielded.conditions for each in self._evaluator.conditions)
        for value in values:
            given = value if is_sure or isinstance(value, Maybe) else Maybe(value)
            yielded.items.append(given)

    def assign(self, target: ast.expr, value: AV, frame: Frame) -> None:
        """Bind a target: names, attributes, the parts of a tuple."""
        match target:
            case ast.Name(id=name):
                self._bind(name, value, frame)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                items = items_of(value)
                starred = any(isinstance(element, ast.Starred) for element in elements)
                for position, element in enumerate(elements):
                    if items is not None and not starred and position < len(items):
                        self.assign(element, items[position], frame)
                    elif isinstance(element, ast.Starred):
                        self.assign(element.value, UNKNOWN, frame)
                    else:
                        self.assign(element, UNKNOWN, frame)
            case ast.Attribute(value=owner, attr=attr):
                for receiver in alternatives(self._evaluator.evaluate(owner, frame)):
                    self.set_attribute(receiver, attr, value)
            case ast.Subscript(
                value=ast.Attribute(value=owner, attr="exception_handlers"), slice=index
            ):
                caught = self._evaluator.registry.plain(self._evaluator.evaluate(index, frame))
                for receiver in alternatives(self._evaluator.evaluate(owner, frame)):
                    if isinstance(receiver, Made):
                        receiver.node.handled.append(to_value(caught))
            case ast.Subscript(value=owner, slice=index):
                container = self._evaluator.evaluate(owner, frame)
                key = self._evaluator.evaluate(index, frame)
                if isinstance(container, Table):
                    if isinstance(key, Constant) and is_literal(key.value):
                        container.items[key.value] = value
                    else:
                        container.complete = False

    def _bind(self, name: str, value: AV, frame: Frame) -> None:
        scope = frame.module.index.scopes.get(frame.function) if frame.function else None
        if scope is not None and name in scope.outer:
            target: Frame | None = frame.parent
            if scope.outer[name] == "global":
                target = self._evaluator.module_frame(frame.module)
            else:
                while target and name not in target.names and target.parent:
                    target = target.parent
            if target is not None:
                target.names[name] = value
                return
        frame.names[name] = value

    def _is_news(self, receiver: AV, attr: str, value: AV) -> bool:
        """Whether an attribute gets what may concern apps, and not what such objects always get."""
        if not may_concern_apps(value):
            return False
        if not isinstance(value, Class) or not isinstance(receiver, Object):
            return True
        key = (receiver.cls.node, attr, value.node)
        if key in self._kept_classes:
            return False
        self._kept_classes.add(key)
        return True

    def set_attribute(self, receiver: AV, attr: str, value: AV) -> None:
        """`receiver.attr = value`"""
        self._evaluator.progress += isinstance(receiver, Made) or self._is_news(
            receiver, attr, value
        )
        if isinstance(receiver, Object):
            receiver.attributes[attr] = value
        elif isinstance(receiver, Made):
            node = receiver.node
            if attr in {"prefix", "tags", "dependencies"}:
                changed = self._evaluator.registry.options(Arguments([], {attr: value}))
                node.options = replace(node.options, **{attr: getattr(changed, attr)})
                if attr == "dependencies":
                    node.options = replace(
                        node.options, dependencies_complete=changed.dependencies_complete
                    )
                    node.attributes.pop(attr, None)
            elif attr == "routes":
                node.is_open = True
            else:
                node.attributes[attr] = value

    def _augmented(self, target: ast.expr, value: AV, frame: Frame) -> None:
        current = self._evaluator.evaluate(target, frame)
        if isinstance(current, Items):
            self._evaluator.builtins.put_into(current, items_of(value))
        elif isinstance(current, Routes):
            self._evaluator.registry.extend_routes(current.node, value)
        elif isinstance(target, ast.Name):
            self._bind(target.id, added(current, value), frame)

    def _conditional(
        self, key: object, body: Sequence[ast.stmt], frame: Frame, names: dict[str, Any]
    ) -> dict[str, Any]:
        """Run a block that may or may not run, on `names`; the names that it leaves behind."""
        depth = len(self._evaluator.conditions)
        self._evaluator.conditions.append(key)
        saved, frame.names = frame.names, names
        try:
            self.block(body, frame)
            result = frame.names
        finally:
            del self._evaluator.conditions[depth:]
            frame.names = saved
        # What a branch leaves does not end the function: the other branch may be taken.
        frame.is_done = False
        frame.jump = None
        return result

    def _if(self, node: ast.If, frame: Frame) -> None:
        if frame.module.index.is_for_checkers(node):
            self.block(node.orelse, frame)
            return
        verdict = self.decide(node.test, frame)
        if verdict is not None:
            self.block(node.body if verdict else node.orelse, frame)
            return
        before = dict(frame.names)
        first = self._conditional((node, True), node.body, frame, dict(before))
        if is_main_guard(node.test):
            return
        second = self._conditional((node, False), node.orelse, frame, dict(before))
        ends = leaves(node.body), leaves(node.orelse)
        if all(ends):
            frame.is_done = True
        elif any(ends):
            frame.names.update(second if ends[0] else first)
            # `if not enabled: return`: whether the rest runs at all is decided at run time.
            # What raises instead is taken for the exception that it is.
            if leaves(node.body if ends[0] else node.orelse, raising=False):
                self._evaluator.conditions.append((node, "rest"))
        else:
            frame.names.update(merged(first, second))

    def _try(
        self,
        body: Sequence[ast.stmt],
        handlers: Sequence[ast.ExceptHandler],
        orelse: Sequence[ast.stmt],
        finalbody: Sequence[ast.stmt],
        frame: Frame,
    ) -> None:
        before = dict(frame.names)
        self.block(body, frame)
        self.block(orelse, frame)
        done = frame.is_done
        for handler in handlers:
            frame.is_done = False
            names = self._conditional(handler, handler.body, frame, dict(before))
            for name, value in names.items():
                if name not in frame.names or frame.names[name] is UNKNOWN:
                    frame.names[name] = value
        frame.is_done = False
        self.block(finalbody, frame)
        frame.is_done = frame.is_done or done

    def _for(self, node: ast.For | ast.AsyncFor, frame: Frame) -> None:
        iterable = self._evaluator.evaluate(node.iter, frame)
        items = items_of(iterable)
        if items is None:
            before = dict(frame.names)
            self.assign(node.target, UNKNOWN, frame)
            after = self._conditional(node, node.body, frame, dict(frame.names))
            frame.names.update(merged(before, after))
            return
        for item in items[:WIDTH]:
            depth = len(self._evaluator.conditions)
            if isinstance(item, Maybe):
                self._evaluator.conditions.append(item)
                item = item.value
            self.assign(node.target, item, frame)
            self.block(node.body, frame)
            del self._evaluator.conditions[depth:]
            if frame.jump is not None:
                frame.is_done = False
                frame.jump, jump = None, frame.jump
                if jump == "break":
                    return
            if frame.is_done:
                return
        if isinstance(iterable, Items | Table) and not iterable.complete:
            self.assign(node.target, UNKNOWN, frame)
            self._conditional(node, node.body, frame, dict(frame.names))
        self.block(node.orelse, frame)

    def decide(self, test: ast.expr, frame: Frame) -> bool | None:
        """Whether a test holds, when only constants and arguments decide it."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                verdict = self.decide(operand, frame)
                return None if verdict is None else not verdict
            case ast.BoolOp(op=op, values=values):
                verdicts = [self.decide(value, frame) for value in values]
                stop = isinstance(op, ast.Or)
                if stop in verdicts:
                    return stop
                return None if None in verdicts else not stop
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                first = self._decidable(left, frame)
                second = self._decidable(right, frame)
                if first is None or second is None:
                    return None
                return compared(op, first, second)
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, kind]):
                value = self._decidable(subject, frame)
                if isinstance(value, Made):
                    wanted = self._evaluator.resolver.resolve(frame.module, kind)
                    if isinstance(wanted, Class | External):
                        return self._is_a(value, wanted)
                return None
            case ast.Call(func=ast.Name(id="hasattr"), args=[_, _]):
                return None
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id="inspect"), attr="isclass"))
                | ast.Call(func=ast.Name(id="isclass"))
            ) if len(test.args) == 1:
                match self._decidable(test.args[0], frame):
                    case Class():
                        return True
                    case Closure():
                        return False
                return None
            case _:
                return truth_of(self._decidable(test, frame))

    def _is_a(self, value: Made, wanted: Class | External) -> bool | None:
        of = value.node.value.of
        if isinstance(wanted, External):
            return self._evaluator.resolver.is_subclass(of, wanted.name)
        return isinstance(of, Class) and wanted in self._evaluator.resolver.mro(of)

    def _decidable(self, node: ast.expr, frame: Frame) -> AV | None:
        """The value of something that no setting and no environment can change."""
        match node:
            case ast.Constant(value=value):
                return Constant(value)
            case ast.Name(id=name):
                current: Frame | None = frame
                while current is not None and current.function is not None:
                    if name in current.names:
                        value = self._evaluator.forced(current.names[name])
                        return None if value is UNKNOWN else value
                    current = current.parent
                return None
            case ast.List() | ast.Tuple() | ast.Set():
                return self._evaluator.evaluate(node, frame)
            case ast.Attribute(value=owner, attr=attr):  # `self.endpoint` of an entry in a table
                holder = self._decidable(owner, frame)
                held = holder.attributes.get(attr) if isinstance(holder, Object) else None
                return held if isinstance(held, Closure | Class) else None
            case ast.Call(func=ast.Attribute(value=owner)) | ast.Subscript(value=owner):
                # `path.endswith("/")`, `path[-1]` of an argument
                if isinstance(self._decidable(owner, frame), Constant):
                    return self._evaluator.evaluate(node, frame)
                return None
            case _:
                return None

    def _define(self, node: FunctionNode, frame: Frame) -> None:
        owner = frame.cls if frame.is_class_body else None
        closure = Closure(Function(frame.module, node, owner), visible_from(frame))
        frame.names[node.name] = closure
        for decorator in reversed(node.decorator_list):
            self._decorate(decorator, closure, frame)

    def _decorate(self, node: ast.expr, closure: Closure, frame: Frame) -> None:
        """Apply one decorator, if it registers something."""
        call = node if isinstance(node, ast.Call) else None
        before = self._evaluator.decorating
        self._evaluator.decorating = Decorating(
            Origin(frame.module, node, call), closure.function.node
        )
        try:
            self._apply_decorator(node, closure, frame)
        finally:
            self._evaluator.decorating = before

    def _apply_decorator(self, node: ast.expr, closure: Closure, frame: Frame) -> None:
        if isinstance(node, ast.Call):
            func = node.func
            if isinstance(func, ast.Name) and not self._could_register(func, frame):
                return
            value = self._evaluator.evaluate(node, frame)
        else:
            value = self._evaluator.evaluate(node, frame)
        for alternative in alternatives(value):
            if isinstance(alternative, Decorator):
                self._evaluator.registry.apply(alternative, closure)
            elif isinstance(alternative, Closure) and self._evaluator.is_interesting(
                alternative.function.module, alternative.function.node
            ):
                self._evaluator.calls.call_function(alternative, Arguments([closure], {}))

    def _could_register(self, func: ast.Name, frame: Frame) -> bool:
        value = self._evaluator.evaluate(func, frame)
        return not isinstance(value, External)

    def _define_class(self, node: ast.ClassDef, frame: Frame) -> None:
        cls = Class(frame.module, node)
        body = Frame(
            self._evaluator, frame.module, visible_from(frame), cls=cls, is_class_body=True
        )
        body.function = None
        self._evaluator.class_frames[node] = body
        before = [len(made.entries) for made in self._evaluator.nodes]
        self.block(node.body, body)
        body.is_done = False
        frame.names[node.name] = cls
        for decorator in reversed(node.decorator_list):
            if not isinstance(decorator, ast.Call):
                continue
            arguments = [self._evaluator.evaluate(argument, frame) for argument in decorator.args]
            arguments += [self._evaluator.evaluate(k.value, frame) for k in decorator.keywords]
            if any(isinstance(argument, Made) for argument in arguments):
                self._make_view(cls, before)
            elif self._is_interesting_callee(decorator, frame):
                value = self._evaluator.evaluate(decorator, frame)
                if isinstance(value, Closure):
                    self._evaluator.calls.call_function(value, Arguments([cls], {}))

    def _is_interesting_callee(self, node: ast.Call, frame: Frame) -> bool:
        callee = self._evaluator.resolver.resolve(frame.module, node.func)
        return isinstance(callee, Function) and self._evaluator.is_interesting(
            callee.module, callee.node
        )

    def _make_view(self, cls: Class, before: list[int]) -> None:
        """`@cbv(router)`: FastAPI makes the object of the class for each request."""
        methods = {node for node in cls.node.body if isinstance(node, FUNCTIONS)}
        for position, made in enumerate(self._evaluator.nodes):
            start = before[position] if position < len(before) else 0
            for entry in made.entries[start:]:
                if (
                    isinstance(entry, RouteEntry)
                    and entry.endpoint is not None
                    and entry.endpoint.node in methods
                ):
                    entry.view = cls

    def _import(self, alias: ast.alias, frame: Frame) -> None:
        home = self._evaluator.model.modules.find(alias.name, frame.module)
        if home is not None:
            self.import_module(home)
        bound = alias.name if alias.asname else alias.name.partition(".")[0]
        top = self._evaluator.model.modules.find(bound, frame.module)
        value: AV = ModuleValue(top) if top is not None else External(canonical(bound))
        frame.names[alias.asname or bound] = value

    def import_module(self, module: Module) -> None:
        """Run a module that another one imports, if it can matter."""
        if module.mentions_framework:
            self._evaluator.module_frame(module)

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        home = self._evaluator.model.modules.home_of(node, frame.module)
        if home is None:
            if node.level:
                return
            for alias in node.names:
                if alias.name != "*":
                    name = canonical(f"{node.module}.{alias.name}")
                    frame.names[alias.asname or alias.name] = External(name)
            return
        if home is not frame.module:
            self.import_module(home)
        for alias in node.names:
            if alias.name == "*":
                if home.mentions_framework:
                    for name, value in self._evaluator.module_frame(home).names.items():
                        if not name.startswith("_"):
                            frame.names.setdefault(name, value)
                continue
            # A package that imports its own submodule binds the name by that very import.
            is_own = home is frame.module and alias.name not in frame.names
            if home.is_package and (is_own or not home.binds(alias.name)):
                submodule = self._evaluator.model.modules.submodule(home, alias.name)
                if submodule is not None:
                    self.import_module(submodule)
                    frame.names[alias.asname or alias.name] = ModuleValue(submodule)
                    continue
            frame.names[alias.asname or alias.name] = Lazy(home, alias.name)
