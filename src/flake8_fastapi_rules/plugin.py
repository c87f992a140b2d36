"""The flake8 plugin."""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

from flake8.discover_files import expand_paths
from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from flake8_fastapi_rules import __version__
from flake8_fastapi_rules.config import (
    PREFIX,
    ConfigError,
    Layer,
    SettingsLoader,
    flake8_layer,
    key_of,
    option_fields,
)
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR, crash_finding
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.linter import Linter

#: Settings that are tables, and what flake8 has an option of its own for.
_NOT_IN_FLAKE8 = ("layers", "per_path_profiles", "exclude")


def _check_keys_in_file() -> None:
    """Refuse keys of ours in flake8's own file that flake8 passes over: no option has the name.

    Raises:
        ConfigError: as `far check` does.
    """
    layer, _ = flake8_layer(Path.cwd())
    options = {key_of(each.name) for each in option_fields() if each.name not in _NOT_IN_FLAKE8}
    if layer is not None and not layer.values.keys() <= options:
        SettingsLoader([layer]).load(os.getcwd())


def _files_for_workers(options: argparse.Namespace) -> Iterator[str]:
    """The files that flake8 will hand to worker processes forked off this one; else none.

    Workers that are spawned, or forked off a server (the default of Python 3.14 on Linux), begin
    with nothing and call `parse_options` themselves.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    method = method or multiprocessing.get_all_start_methods()[0]  # the first is the default
    if method != "fork" or multiprocessing.parent_process() is not None:
        return
    jobs = multiprocessing.cpu_count() if options.jobs.is_auto else options.jobs.n_jobs
    if jobs < 2 or "-" in options.filenames:  # flake8 reads standard input by itself
        return
    files = expand_paths(
        paths=options.filenames,
        stdin_display_name=options.stdin_display_name,
        filename_patterns=options.filename,
        exclude=(*options.exclude, *options.extend_exclude),
    )
    first = list(islice(files, 2))
    if len(first) == 2:
        yield from chain(first, files)


class FastAPIRules:
    """Reports the findings of the linter to flake8; one instance per file."""

    name: ClassVar[str] = "flake8-fastapi-rules"
    version: ClassVar[str] = __version__

    _linter: ClassVar[Linter | None] = None

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self._tree = tree
        self._source = Source(filename, "".join(lines))

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Register the settings with flake8 as `--far-...`."""
        for option in option_fields():
            if option.name in _NOT_IN_FLAKE8:
                continue
            is_list = option.metadata["kind"] == "strings"
            text = option.metadata["help"].replace("`", "").replace("%", "%%")
            manager.add_option(
                f"--{PREFIX}{key_of(option.name)}",
                default=None,
                metavar="LIST" if is_list else "VALUE",
                parse_from_config=True,
                comma_separated_list=is_list,
                help=text,
            )

    @classmethod
    def parse_options(
        cls, manager: OptionManager, options: argparse.Namespace, args: Sequence[str]
    ) -> None:
        """Build the linter from flake8's options.

        Raises:
            ExecutionError: for a mistake in the configuration, which ends flake8 with a message.
        """
        values: dict[str, Any] = {}
        for option in option_fields():
            value = getattr(options, (PREFIX + key_of(option.name)).replace("-", "_"), None)
            if value is not None:
                values[key_of(option.name)] = value
        selectors = [*(options.select or ()), *(options.extend_select or ())]
        try:
            linter = Linter(SettingsLoader([Layer("flake8's options", values)]))
            linter.configuration(os.getcwd())
            # flake8 hands these two options to nobody.
            if not any(given.startswith(("--isolated", "--config")) for given in sys.argv):
                _check_keys_in_file()
        except ConfigError as error:
            raise ExecutionError(f"flake8-fastapi-rules: {error}") from error
        linter.enable_also(selectors)
        cls._linter = linter
        with suppress(Exception):  # it saves time only: what goes wrong is met again, and reported
            linter.prepare(_files_for_workers(options))

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """The findings as flake8 wants them: line, column, text, type. Never raises."""
        for finding in self._findings():
            text = f"{finding.code} {finding.message}"
            yield finding.line, finding.column, text, type(self)

    def _findings(self) -> list[Finding]:
        try:
            if self._linter is None:
                type(self)._linter = Linter(SettingsLoader())
            assert self._linter is not None
            return self._linter.check(self._source, self._tree)
        except ConfigError as error:
            message = f"configuration error: {error}"
            return [Finding(self._source.path, Range(1, 0, 1, 0), INTERNAL_ERROR, message)]
        except Exception as error:  # an exception here would lose the results of all files
            return [crash_finding(self._source, "the linter", error)]
