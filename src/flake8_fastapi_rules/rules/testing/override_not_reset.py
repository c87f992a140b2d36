"""FAR901: a dependency override that later tests inherit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.overrides import is_taken_back, outlives_test, overrides_in


class OverrideNotReset(Rule):
    """Take dependency overrides back after the test.

    ## What it does
    Reports `app.dependency_overrides[...] = ...` in a test or fixture that nothing clears, pops or
    restores, on an app that outlives the test.

    ## Why it matters
    The override stays for every test after it. They pass or fail by the order in which they run,
    and may test the replacement instead of the real thing.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from shop.main import app, get_user


    def test_items() -> None:
        app.dependency_overrides[get_user] = lambda: "me"
        assert app
    ```

    ## Use instead
    ```python
    # far: filename=tests/conftest.py
    from collections.abc import Iterator

    import pytest

    from shop.main import app, get_user


    @pytest.fixture
    def user() -> Iterator[str]:
        app.dependency_overrides[get_user] = lambda: "me"
        yield "me"
        app.dependency_overrides.clear()
    ```

    ## Leaves alone
    Apps that are made for the test; overrides that the same function, a fixture it uses or an
    `autouse` fixture takes back; those of a fixture of the whole session, which are for all tests;
    `monkeypatch.setitem`; `patch.dict(app.dependency_overrides)`.

    ## Source
    `dependency_overrides` is a plain dictionary of the app.
    """

    code = "FAR901"
    message = "This override outlives the test; clear `{app}.dependency_overrides` after it"
    profiles = ("recommended",)
    tests_only = True
    hints = ("dependency_overrides",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the first override of each test or fixture that is not taken back."""
        reported: set[ast.AST] = set()
        for override in overrides_in(context.model, module):
            if override.function in reported or not outlives_test(context.model, override):
                continue
            if not is_taken_back(context.model, override):
                reported.add(override.function)
                yield self.report(override.statement, app=ast.unparse(override.app))
