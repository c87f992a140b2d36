"""Lines of logs: what they show, and what a name in them stands for that sounds like a secret."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, mentions, text_items
from flake8_fastapi_rules.semantics.credentials import (
    is_secret_name,
    is_token_name,
    last_name,
    snake,
)
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.values import qualified_name

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Libraries whose tokens are words of a language.
_PARSERS = frozenset({"lark", "ply", "pygments", "sqlglot", "sqlparse", "tokenize", "tree_sitter"})
#: Methods of models that give all of their fields.
DUMPS = frozenset({"dict", "json", "model_dump", "model_dump_json"})
#: Functions whose results are numbers.
_NUMBERS = frozenset({"abs", "int", "float", "len", "max", "min", "round", "sum"})
#: What may be the key of an entry rather than a secret.
_ENTRIES = frozenset({"auth_header", "session_key"})
#: Where `token` is the address of a device.
_DEVICES = re.compile(r"(?i)push|device|fcm|apns|page token")
#: Functions that leave of a secret what may be shown.
_MASKS = re.compile(r"(?i)censor|mask|redact|obfuscat|obscure|shorten|truncat|scrub|fingerprint")
#: Calls that tell something to whoever runs the service.
_SAYING = frozenset({"print", "info", "warning", "warn", "critical", "debug", "error", "log"})
#: What is said of the first user of a service.
_FIRST_USER = re.compile(
    r"(?i)\b(?:default|initial|first|bootstrap|super)[ -]?(?:time )?"
    r"(?:admin\w*|user|superuser|account|password)"
    r"|\badmin\w* (?:user |account )?(?:was |has been )?(?:created|password|generated)"
    r"|\bgenerated (?:admin\w* )?password|\bchange (?:this|the|your) password"
)
#: What is said to whoever runs the service.
_YOURS = re.compile(r"(?i)\byour (?:\w+ )?key\b")
#: Attributes of texts, and of what holds one.
_OF_TEXTS = frozenset({*dir(str), *dir(bytes), "credentials", "get_secret_value", "token", "value"})
#: What functions speak of for which a token is a coin, and of what two are enough.
_TRADE = name_set(
    "blockchain coin coins erc20 liquidity onchain swap swaps trading usdc usdt wallet wallets"
)
_AMOUNTS = name_set("amount asset balance balances price prices rate")
#: What runs a server until it is stopped.
_SERVERS = frozenset(
    {"uvicorn.run", "uvicorn.Server.run", "hypercorn.run", "granian.Granian.serve"}
)
#: Methods whose result is what an object holds.
_TELLING = frozenset({"get_secret_value", *DUMPS})
#: Calls that show what they are given.
_SHOWING = frozenset({"str", "repr", "dict", "format", "dumps", "items"})


def shown_in_log(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions whose text gets into the log."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.Subscript(slice=ast.Constant(value=str())):
            yield node
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield from shown_in_log(value.value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from shown_in_log(left)
            yield from shown_in_log(right)
        case ast.BinOp(op=ast.Mod(), right=right):
            yield from shown_in_log(right)
        case ast.Tuple(elts=values) | ast.List(elts=values):
            for value in values:
                yield from shown_in_log(value)
        case ast.Dict(values=values):
            for value in values:
                yield from shown_in_log(value)
        case ast.BoolOp(op=ast.And(), values=[*_, last]):
            yield from shown_in_log(last)  # `token and "set"`: the others show when they are empty
        case ast.BoolOp(values=values):
            for value in values:
                yield from shown_in_log(value)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            is_method = isinstance(node.func, ast.Attribute)
            if is_method and (name in _TELLING or (name == "get" and node.args)):
                yield node
            elif name in _SHOWING:
                for value in (*node.args, *(k.value for k in node.keywords)):
                    yield from shown_in_log(value)
                if isinstance(node.func, ast.Attribute) and name == "items":
                    yield from shown_in_log(node.func.value)


def given_to_log(module: Module, call: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a log call is given, each with the text behind it: `line = f"..."`, or itself."""
    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield given, _text_behind(module, given)


def _text_behind(module: Module, node: ast.expr) -> ast.expr:
    """The text that was put together for a variable; another expression as it is."""
    found = module.index.lookup(node.id, node) if isinstance(node, ast.Name) else None
    if found is None or len(found[1]) != 1 or not isinstance(found[0].node, FUNCTIONS):
        return node
    match found[1][0].given:
        case ast.JoinedStr() | ast.BinOp() | ast.Call(func=ast.Attribute(attr="format")) as text:
            return text
    return node


def said_in_log(module: Module, call: ast.Call) -> str:
    """The literal text of a log call."""
    return " ".join(
        part.value
        for given in call.args
        for part in ast.walk(_text_behind(module, given))
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def is_name_of_thing(module: Module, node: ast.expr, call: ast.Call) -> bool:
    """Whether a plain `token` names a thing: where to push to, a profile, a page."""
    if last_name(node) != "token":
        return False
    function = module.index.function_of(call)
    if any(
        _DEVICES.search(text) for text in (said_in_log(module, call), getattr(function, "name", ""))
    ):
        return True
    if not isinstance(node, ast.Name):
        return False
    if _is_taken_from_another(module, node):
        return True
    given: list[tuple[str, ast.expr]] = []
    for each in module.index.own_nodes(function) if function is not None else ():
        if isinstance(each, ast.Dict):
            given += text_items(each)
        elif isinstance(each, ast.keyword) and each.arg:
            given.append((each.arg, each.value))
    return any(
        isinstance(value, ast.Name)
        and value.id == node.id
        and snake(name).endswith("_token")
        and not is_token_name(name)
        for name, value in given
    )


def _is_taken_from_another(module: Module, node: ast.Name) -> bool:
    """Whether `token` is a piece of a text, or has another name where it comes from."""
    found = module.index.lookup(node.id, node)
    values = [binding.value for binding in found[1]] if found else []
    while len(values) == 1 and isinstance(values[0], ast.Call):
        match values[0]:
            case ast.Call(func=ast.Attribute(attr="split" | "splitlines" | "findall")):
                return True
            case ast.Call(func=ast.Attribute(attr="strip" | "lower", value=inner)):
                found = (
                    module.index.lookup(inner.id, inner) if isinstance(inner, ast.Name) else None
                )
                values = [binding.value for binding in found[1]] if found else []
            case _:
                break
    named = [
        last_name(part) or ""
        for value in values
        if value is not None
        for part in (value.values if isinstance(value, ast.BoolOp) else [value])
    ]
    return bool(named) and all(
        name.endswith("_token") and not is_token_name(name) for name in named
    )


def is_name_of_account(module: Module, node: ast.expr) -> bool:
    """Whether an access key is the public half of a pair, whose other half is a secret key."""
    name = last_name(node) or ""
    return name.endswith("access_key") and "secret_key" in module.source.text.lower()


def is_name_of_entry(module: Module, node: ast.expr, call: ast.Call) -> bool:
    """Whether a local says which entry is meant (`headers[auth_header]`), or undoes a change.

    The latter is the token of a context variable, which `reset` takes.
    """
    index = module.index
    function = index.function_of(call)
    if not isinstance(node, ast.Name) or function is None:
        return False
    if node.id == "session_key" and "cookie" not in module.source.text.lower():
        return True  # of a conversation, not of a log-in
    is_entry = node.id in _ENTRIES
    around = (each for each in index.ancestors(call) if isinstance(each, ast.ClassDef))
    cls = next(around, None) if is_entry else None
    for each in ast.walk(cls) if cls is not None else index.own_nodes(function):
        match each:
            case (
                ast.Subscript(slice=ast.Name(id=name))
                | ast.Subscript(slice=ast.Call(func=ast.Attribute(value=ast.Name(id=name))))
                | ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Name(id=name), *_])
            ) if is_entry and name == node.id:
                return True
            case ast.Call(func=ast.Attribute(attr="reset"), args=[ast.Name(id=name)]) if (
                name == node.id
            ):
                return True
    return False


def is_masked(module: Module, node: ast.expr) -> bool:
    """Whether a variable may hold what is left of a secret: `key = censor(key)`, `key[:4]`.

    Also one of a list of such texts: `for token in [make()[:8] for _ in range(10)]`.
    """
    found = module.index.lookup(node.id, node) if isinstance(node, ast.Name) else None
    given: list[ast.expr] = []
    for binding in found[1] if found is not None else ():
        match binding.kind, binding.value, binding.node:
            case "assign" | "annotated", ast.expr() as value, _:
                given.append(value)
            case "for", _, ast.For(iter=source):
                given += _elements(module, _looped_over(source, binding.path))
    return any(_masks(part) for value in given for part in ast.walk(value))


def _looped_over(source: ast.expr, path: tuple[int, ...]) -> ast.expr:
    """What a variable of a loop comes from: `tokens`, in `enumerate(zip(names, tokens))` too."""
    match source, path:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]), (1, *rest):
            return _looped_over(inner, tuple(rest))
        case ast.Call(func=ast.Name(id="zip"), args=args), (int(at), *rest) if at < len(args):
            return _looped_over(args[at], tuple(rest))
        case _:
            return source


def _elements(module: Module, source: ast.expr) -> list[ast.expr]:
    """What a list holds that is made by a comprehension, where it is or where a local is set."""
    found = module.index.lookup(source.id, source) if isinstance(source, ast.Name) else None
    made = [binding.value for binding in found[1]] if found is not None else [source]
    return [each.elt for each in made if isinstance(each, ast.ListComp)]


def is_searched_for(module: Module, node: ast.expr) -> bool:
    """Whether a token is a word to look for: its case does not matter, as it would of a secret."""
    function = module.index.function_of(node)
    return (
        isinstance(node, ast.Name)
        and function is not None
        and any(
            isinstance(each, ast.Attribute)
            and each.attr in {"lower", "casefold"}
            and isinstance(each.value, ast.Name)
            and each.value.id == node.id
            for each in module.index.own_nodes(function)
        )
    )


def _masks(node: ast.AST) -> bool:
    """Whether an expression shortens or hides a text."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return _MASKS.search(name) is not None
        case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.expr())):
            return True
        case ast.Subscript(slice=ast.Slice(lower=ast.UnaryOp(op=ast.USub()))):
            return True
        case _:
            return False


def is_name_of_folder(module: Module, name: str | None) -> bool:
    """Whether `pwd` is the working directory."""
    return name == "pwd" and any(word in module.source.text for word in (".pwd()", "getcwd"))


def is_told_once(module: Module, call: ast.Call, is_password: bool) -> bool:
    """Whether a function tells whoever installs the service how to get in.

    By lines that speak of the first user: no lines about a user of the service.

    Parameters:
        is_password: it is a password that is told, no key.
    """
    if _YOURS.search(said_in_log(module, call)):
        return True
    function = module.index.function_of(call)
    if not is_password or function is None:
        return False
    said = (
        said_in_log(module, each)
        for each in module.index.own_nodes(function)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute | ast.Name)
        and last_name(each.func) in _SAYING
    )
    return any(_FIRST_USER.search(text) for text in said)


def is_object(module: Module, node: ast.expr) -> bool:
    """Whether a local has attributes that no text has: the row of a token, not its text.

    One that has the text as an attribute shows it when it is logged.
    """
    function = module.index.function_of(node)
    if not isinstance(node, ast.Name) or function is None:
        return False
    asked = {
        each.attr
        for each in module.index.own_nodes(function)
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Name)
        and each.value.id == node.id
    }
    return not asked <= _OF_TEXTS and not any(is_secret_name(each) for each in asked)


def is_made_a_number(module: Module, node: ast.expr) -> bool:
    """Whether a local was made a number last: `secret = max(1, secret)`."""
    found = module.index.lookup(node.id, node) if isinstance(node, ast.Name) else None
    return found is not None and any(
        isinstance(binding.value, ast.Call)
        and isinstance(binding.value.func, ast.Name)
        and binding.value.func.id in _NUMBERS
        for binding in found[1]
    )


def is_made_here(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether a secret was made in the same function: printing hands it to whoever asked."""
    function = module.index.function_of(node)
    return (
        isinstance(node, ast.Name)
        and function is not None
        and _makes(model, module, module.index.own_nodes(function), node.id)
    )


def is_made_instead(model: Model, module: Module, node: ast.expr, call: ast.Call) -> bool:
    """Whether a key of the process is logged where it is made, as nobody has set one."""
    index = module.index
    if not isinstance(node, ast.Name) or index.scope_of(node).outer.get(node.id) != "global":
        return False
    return any(
        isinstance(above, ast.If)
        and mentions(above.test, {node.id})
        and _makes(model, module, above.body, node.id)
        for above in index.ancestors(call)
    )


def _makes(model: Model, module: Module, nodes: Iterable[ast.AST], name: str) -> bool:
    """Whether one of some nodes gives a variable what the module `secrets` makes."""
    return any(
        isinstance(each, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == name for t in each.targets)
        and any(
            (qualified_name(model.resolve(module, part.func)) or "").startswith("secrets.")
            for part in ast.walk(each.value)
            if isinstance(part, ast.Call)
        )
        for each in nodes
    )


def is_word_of_language(module: Module, name: str | None) -> bool:
    """Whether a token is a word of a language that the module parses."""
    return name in {"token", "tokens"} and any(
        imported.partition(".")[0] in _PARSERS
        for imported in (
            *(node.module or "" for node in module.index.nodes(ast.ImportFrom)),
            *(a.name for node in module.index.nodes(ast.Import) for a in node.names),
        )
    )


def is_coin(module: Module, node: ast.expr) -> bool:
    """Whether a plain `token` is what is traded, as its function speaks of wallets and prices."""
    function = module.index.function_of(node)
    if last_name(node) not in {"token", "tokens"} or function is None:
        return False
    said: set[str] = set()
    for each in ast.walk(function):
        match each:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                said.update(words_of(name))
            case ast.keyword(arg=str() as name):
                said.update(words_of(name))
    return not said.isdisjoint(_TRADE) or len(said & _AMOUNTS) > 1


def starts_server_later(model: Model, module: Module, call: ast.Call) -> bool:
    """Whether the function then starts the server: whoever starts it is told the key."""
    function = module.index.function_of(call)
    return function is not None and any(
        isinstance(each, ast.Call)
        and each.lineno > call.lineno
        and (qualified_name(model.resolve(module, each.func)) or "") in _SERVERS
        for each in module.index.own_nodes(function)
    )
