"""FAR704: passwords that are stored as they were typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.columns import STATEMENT_METHODS, column_values
from flake8_fastapi_rules.semantics.credentials import (
    CREATING_METHODS,
    is_password_name,
    is_stored_class,
    last_name,
    snake,
)
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.resolve import literal_keywords
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    dumped_fields,
    schema_fields,
    schema_uses,
)
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

_CONFIRMATION = re.compile(r"confirm|repeat|again|verif|retype|password_?[12]$")
#: Receivers that hold what was found in a database.
_STORED = re.compile(
    r"^(?:\w+_)?(?:user|account|customer|member|admin|record|row|stored|existing|db)$|^db_\w+$"
)
#: Columns of hashes that a plain password does not belong into.
_HASH = re.compile(r"^(?:hashed_|encrypted_)(?:password|pwd)$|^(?:password|pwd)_?hash(?:ed)?$")
#: Class methods that make an object of another's attributes.
_CONVERSIONS = frozenset({"model_validate", "from_orm", "parse_obj"})
_FORMS = (
    "fastapi.security.OAuth2PasswordRequestForm",
    "fastapi.security.OAuth2PasswordRequestFormStrict",
    "fastapi.security.HTTPBasicCredentials",
)


#: `body.password = hashed(body.password)`.
_REPLACED = re.compile(
    r"\b([\w.]+)\.(password|passwd|pwd|pw)\s*=\s*(?:await\s+)?[\w.]+\(\s*\1\.\2\b"
)


class PlaintextPassword(Rule):
    """Store a hash of a password, and compare through it.

    ## What it does
    Reports a stored password that is compared with the plain one by `==` or `!=`, also in a
    query, and an object, document or row of the database whose password is set to the plain one.

    ## Why it matters
    Such a comparison only works when passwords are stored as they were typed. One leaked backup
    then gives away all of them, and with them the accounts that people have elsewhere.

    ## Example
    ```python
    from shop.models import find_user


    def authenticate(name: str, password: str) -> bool:
        user = find_user(name)
        return user.password == password
    ```

    ## Use instead
    ```python
    from pwdlib import PasswordHash

    from shop.models import find_user

    passwords = PasswordHash.recommended()


    def authenticate(name: str, password: str) -> bool:
        return passwords.verify(password, find_user(name).password_hash)
    ```

    ## Leaves alone
    Comparisons with a repeated or another password of the same form, values that were hashed
    before, also in place of the password of the body, and models that hash in a property or
    validator.

    ## Source
    OWASP: password storage; CWE-256.
    """

    code = "FAR704"
    message = "The stored password is compared as plain text; store a hash and verify that"
    variants = {"set": "A plain password is stored; store a hash of it"}
    profiles = ("recommended",)
    hints = ("password", "passwd", "pwd", "pw")

    @on(ast.Compare)
    def check_comparison(self, node: ast.Compare, context: Context) -> Iterator[Report]:
        """Report comparisons of a stored password with a plain one."""
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return
        sides = (node.left, node.comparators[0])
        for stored, plain in (sides, sides[::-1]):
            if self._is_stored(stored, context) and self._is_plain(plain, context):
                if not self._same_owner(stored, plain):
                    yield self.report(node)
                    return

    @on(ast.Call)
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report stored objects that are made with a plain password."""
        if isinstance(call.func, ast.Attribute):
            method, receiver = call.func.attr, call.func.value
            if method == "filter_by":
                for keyword in call.keywords:
                    if _is_column(keyword.arg) and self._is_plain(keyword.value, context):
                        yield self.report(keyword.value)
                return
            if method == "values":
                table = self._written_table(receiver, context)
                for name, value in self._columns_in(call, context):
                    if self._keeps(table, name, context) and self._is_plain(value, context):
                        yield self.report(value, "set")
            if method in STATEMENT_METHODS:
                columns = list(column_values(context.model, context.module, call))
                if any("salt" in column.column.lower() for column in columns):
                    return  # what is stored beside a salt is a hash
                for column in columns:
                    if not _is_column(column.column) or not self._is_plain(column.value, context):
                        continue
                    if column.is_condition:
                        yield self.report(column.value)
                    elif _comes_from_client(column.value, context):
                        yield self.report(column.value, "set")
            if method in _CONVERSIONS and call.args:
                if self._converts_plain(call, receiver, context):
                    yield self.report(call, "set")
                return
        given = [k for k in call.keywords if k.arg is None or _is_column(k.arg)]
        made = self._made(call, context) if given else UNKNOWN
        for keyword in given:
            if keyword.arg is None:
                if self._unpacks_plain(keyword.value, call, made, context):
                    yield self.report(call, "set")
            elif self._keeps(made, keyword.arg, context):
                if self._is_plain(keyword.value, context):
                    yield self.report(keyword.value, "set")

    def _made(self, call: ast.Call, context: Context) -> Value:
        """The class that a call makes a row of: `User(...)`, `insert(User).values(...)`."""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "values":
            return self._written_table(call.func.value, context)
        made = context.resolve(call.func)
        if isinstance(made, External) and made.name in CREATING_METHODS:
            return context.resolve(getattr(call.func, "value", None))
        return made

    def _written_table(self, node: ast.expr, context: Context) -> Value:
        """The table of the `insert(table)` or `update(table)` that a chain of calls begins with."""
        while isinstance(node, ast.Call):
            callee = context.library_object(node.func)
            if callee is not None and callee.name.startswith(("sqlalchemy.", "sqlmodel.")):
                if callee.name.endswith((".insert", ".update")) and node.args:
                    return context.resolve(node.args[0])
            if not isinstance(node.func, ast.Attribute):
                break
            node = node.func.value
        return UNKNOWN

    def _columns_in(self, call: ast.Call, context: Context) -> Iterator[tuple[str, ast.expr]]:
        """The columns of passwords in `values({"password": ...})`, with what they are given."""
        for given in call.args[:1]:
            written = literal_keywords(context.model.resolver, context.module, given) or {}
            for name, value in written.items():
                if _is_column(name):
                    yield name, value

    def _converts_plain(self, call: ast.Call, table: ast.expr, context: Context) -> bool:
        """Whether `Table.model_validate(body)` stores the password of the body as it is."""
        made, body = context.resolve(table), context.resolve(call.args[0])
        if not isinstance(made, Class) or not is_stored_class(context.model, made):
            return False
        if not isinstance(body, Instance) or not isinstance(body.of, Class):
            return False
        if not context.model.is_subclass(body.of, "pydantic.BaseModel"):
            return False
        update = next((k.value for k in call.keywords if k.arg == "update"), None)
        changed: set[str | None] = set()
        if update is not None:
            written = context.model.resolver.written(context.module, update)
            home, node = written or (context.module, update)
            keywords = literal_keywords(context.model.resolver, home, node)
            if keywords is None:
                return False
            changed.update(keywords)
        fields = schema_fields(context.model, body.of)
        return self._takes_plain(body, fields, changed, call, made, context)

    def _unpacks_plain(
        self, node: ast.expr, call: ast.Call, made: object, context: Context
    ) -> bool:
        """Whether `Table(**body.model_dump())` stores the password of the body as it is."""
        found = dumped_fields(context.model, context.module, node)
        if found is None or not isinstance(made, Class):
            return False
        given = {keyword.arg for keyword in call.keywords}
        return self._takes_plain(*found, given, call, made, context)

    def _takes_plain(
        self,
        body: Instance,
        fields: Iterable[SchemaField],
        given: set[str | None],
        call: ast.Call,
        made: Class,
        context: Context,
    ) -> bool:
        """Whether a table gets the password of a body with its other fields, and keeps it."""
        function = context.module.index.function_of(call)
        if not isinstance(body.of, Class) or not isinstance(function, FUNCTIONS):
            return False
        if is_stored_class(context.model, body.of) or "validator" in _text_of(body.of):
            return False
        if _is_replaced(body.of, context):
            return False
        columns = {
            name
            for base in context.model.resolver.mro(made)
            if isinstance(base, Class)
            for name in base.module.index.scopes[base.node].bindings
        }
        names = {f.name for f in fields if is_password_name(f.name)} & columns - given
        set_later = any(
            isinstance(each, ast.Attribute | ast.Subscript)
            and isinstance(each.ctx, ast.Store)
            and _is_column(last_name(each))
            for each in ast.walk(function)
        )
        return not set_later and any(self._keeps(made, name, context) for name in names)

    @on(ast.Assign)
    def check_assignment(self, node: ast.Assign, context: Context) -> Iterator[Report]:
        """Report stored objects whose password is set to a plain one."""
        for target in node.targets:
            if isinstance(target, ast.Attribute) and _is_column(target.attr):
                owner = context.resolve(target.value)
                if (
                    isinstance(owner, Instance)
                    and self._keeps(owner.of, target.attr, context)
                    and self._is_plain(node.value, context)
                    and not self._same_owner(target, node.value)
                ):
                    yield self.report(node.value, "set")

    def _keeps(self, cls: object, name: str, context: Context) -> bool:
        """Whether a class of the database stores what its attribute is given."""
        if not isinstance(cls, Class) or not is_stored_class(context.model, cls):
            return False
        if isinstance(context.model.resolver.class_attribute(cls, name, instance=False), Function):
            return False
        if self._has_type_of_its_own(cls, name, context):
            return False
        text = _text_of(cls)
        return not re.search(r"validates|validator|setter|__setattr__|def __init__|def save", text)

    def _has_type_of_its_own(self, cls: Class, name: str, context: Context) -> bool:
        """Whether a column is annotated with a class of the project, which may hash by itself."""
        for base in context.model.resolver.mro(cls):
            for statement in base.node.body if isinstance(base, Class) else ():
                match statement:
                    case ast.AnnAssign(target=ast.Name(id=column), annotation=hint):
                        if column == name and isinstance(base, Class):
                            typed = context.model.resolver.annotation(base.module, hint)
                            return isinstance(typed, Instance) and isinstance(typed.of, Class)
        return False

    def _is_stored(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is the password of an object that was stored."""
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return False
        if not _is_column(last_name(node)):
            return False
        owner = context.resolve(node.value)
        if isinstance(owner, Class):  # a condition of a query
            return is_stored_class(context.model, owner)
        if isinstance(owner, Instance):
            if isinstance(owner.of, Class):
                return is_stored_class(context.model, owner.of)
            name = qualified_name(owner) or ""
            if name.startswith(("pydantic", "fastapi.", "starlette.", "builtins.str")):
                return False
        return self._says_stored(node)

    def _says_stored(self, node: ast.Attribute | ast.Subscript) -> bool:
        """Whether the owner's name says so, and it is no parameter that a client fills."""
        return isinstance(node.value, ast.Name) and bool(_STORED.match(node.value.id.lower()))

    def _is_plain(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is a password as a client sent it."""
        match node:  # of a `SecretStr`
            case ast.Call(func=ast.Attribute(attr="get_secret_value", value=secret)):
                node = secret
            case (  # with a fixed text around it
                ast.BinOp(op=ast.Add(), left=part, right=ast.Constant(value=str()))
                | ast.BinOp(op=ast.Add(), left=ast.Constant(value=str()), right=part)
            ):
                return self._is_plain(part, context)
        name = last_name(node)
        if not is_password_name(name) or _CONFIRMATION.search(name or ""):
            return False
        if isinstance(context.resolve(node), Constant):
            return False
        function = context.module.index.function_of(node)
        if not isinstance(function, FUNCTIONS):
            return False
        text = ast.unparse(node)
        for each in ast.walk(function):
            if isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign):
                targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                if any(ast.unparse(target) == text for target in targets):
                    return False
        match node:
            case ast.Name(id=bound):
                found = context.module.index.lookup(bound, node)
                return (
                    found is not None
                    and all(b.kind == "parameter" for b in found[1])
                    and not _is_given_hashes(Function(context.module, function), bound, context)
                )
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                value = context.resolve(owner)
                if context.model.is_instance(value, *_FORMS):
                    return True
                return (
                    isinstance(value, Instance)
                    and isinstance(value.of, Class)
                    and context.model.is_subclass(value.of, "pydantic.BaseModel")
                    and not context.model.is_subclass(value.of, "pydantic_settings.BaseSettings")
                    and not is_stored_class(context.model, value.of)
                    and not _is_replaced(value.of, context)
                )
            case _:
                return False

    def _same_owner(self, first: ast.expr, second: ast.expr) -> bool:
        owners = [ast.unparse(n.value) for n in (first, second) if hasattr(n, "value")]
        return len(owners) == 2 and owners[0] == owners[1]


def _is_replaced(cls: Class, context: Context) -> bool:
    """Whether a body gets the hash in place of its password: `body.password = hashed(...)`."""
    return any(
        _REPLACED.search(module.source.text)
        for module in modules_mentioning(context.model, cls.module, cls.node.name)
    )


def _is_column(name: str | None) -> bool:
    """Whether a name is that of what is kept of a password."""
    return is_password_name(name) or (name is not None and _HASH.match(snake(name)) is not None)


def _text_of(cls: Class) -> str:
    return cls.module.source.segment(cls.node)


def _comes_from_client(node: ast.expr, context: Context) -> bool:
    """Whether a plain password is one of a request, rather than one that a caller has hashed."""
    model, module = context.model, context.module
    match node:
        case ast.Call(func=ast.Attribute(attr="get_secret_value")):
            return True
        case ast.Name(id=name):
            function = module.index.function_of(node)
            if not isinstance(function, FUNCTIONS):
                return False
            found = Function(module, function)
            return bool(model.roles(found) or model.direct_calls(found)) and (
                not _is_given_hashes(found, name, context)
            )
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            value = model.resolve(module, owner)
            if model.is_instance(value, *_FORMS):
                return True
            made = value.of if isinstance(value, Instance) else None
            return isinstance(made, Class) and made.node in schema_uses(model, module).bodies
        case _:
            return False


def _is_given_hashes(function: Function, name: str, context: Context) -> bool:
    """Whether some caller hands a hash to a parameter, or what a validator may have hashed."""
    arguments = function.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    position = names.index(name) if name in names else None
    for call in context.model.direct_calls(function):
        is_method = bool(names) and names[0] in {"self", "cls"}
        at = position - is_method if position is not None else None
        match argument(call.node, name, at):
            case ast.Name(id=given) if not is_password_name(given):
                return True
            case ast.Call(func=ast.Attribute(attr="get_secret_value")):
                continue
            case ast.Call():
                return True
            case ast.Attribute(value=owner):
                made = context.model.resolve(call.module, owner)
                if isinstance(made, Instance) and isinstance(made.of, Class):
                    if "validator" in _text_of(made.of):
                        return True
    return False
