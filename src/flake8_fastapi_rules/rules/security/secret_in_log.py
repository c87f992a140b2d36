"""FAR709: secrets in logs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on_calls
from flake8_fastapi_rules.semantics.credentials import SECRET_WORDS
from flake8_fastapi_rules.semantics.logged_secrets import LEVELS, logged_secret


class SecretInLog(Rule):
    """Keep secrets out of logs.

    ## What it does
    Reports passwords, tokens, keys, authorization headers, all headers or cookies of a request, and
    models with a password among their fields, that are given to a logger or to `print`.

    ## Why it matters
    Logs are copied to files, collectors and tickets, kept for years and read by many. A token in
    there works until it expires, a password for much longer.

    ## Example
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def log_in(name: str, password: str) -> None:
        logger.info("log-in of %s with %s", name, password)
    ```

    ## Use instead
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def log_in(name: str, password: str) -> None:
        logger.info("log-in of %s", name)
    ```

    ## Leaves alone
    Shortened and masked values (`token[:4]`, `mask(token)`, `len(token)`), also where a variable
    holds them, `SecretStr`, numbers, branches for development (`if settings.debug:`), names that
    only begin like a secret (`token_count`, `password_changed_at`), the tokens of parsers, the
    access key of a pair with a secret key, what scripts, main programs and commands of a command
    line tell, or classes that print what others would send (`ConsoleMailer`), lines that say that
    they only simulate, a secret that is printed where it was just made (`secrets`), a key of the
    process that is made as none was set, a first password that is logged where it was just made or
    by lines that speak of a default user or an administrator, before anything is served, what is
    told to whoever starts the server ("your key is"), also before `uvicorn.run`, and a plain
    `token` that is the address of a device, a coin, the name of a thing (`"profile_token": token`),
    a page, a piece of a text, what resets a context variable or the key of an entry.

    ## Source
    CWE-532; OWASP: logging.
    """

    code = "FAR709"
    message = "`{name}` is written to the log; leave it out or shorten it"
    variants = {
        "headers": "All headers are written to the log, with tokens and cookies in them",
        "cookies": "All cookies are written to the log, with those of sessions",
    }
    profiles = ("recommended",)
    hints = (*SECRET_WORDS, "eaders", "credentials", "cookies")

    @on_calls(LEVELS | {"print"})
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the first secret among the arguments of a log call."""
        found = logged_secret(context.model, context.module, call)
        if found is not None and found.is_headers:
            yield self.report(found.node, "headers")
        elif found is not None and found.is_cookies:
            yield self.report(found.node, "cookies")
        elif found is not None:
            yield self.report(found.node, name=found.name or context.shown(found.node))
