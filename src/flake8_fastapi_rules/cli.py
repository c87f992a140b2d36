"""The `far` command."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from flake8_fastapi_rules import __version__
from flake8_fastapi_rules.commands import COMMANDS, status
from flake8_fastapi_rules.config import ConfigError
from flake8_fastapi_rules.engine.baseline import BaselineError

_EPILOG = """\
examples:
  far check                      check the current directory
  far check --profile strict app
  far explain FAR301             what a rule wants, and why
  far fix --diff                 show what could be mended
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line with all subcommands."""
    parser = argparse.ArgumentParser(
        prog="far",
        description="A linter that understands FastAPI code.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"far {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"flake8_fastapi_rules.commands.{name}")
        subparser = subparsers.add_parser(
            name.replace("_", "-"),
            help=module.HELP,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    _prepare_output()
    given = sys.argv[1:] if arguments is None else arguments
    # argparse would take a path behind it for the reason, which is written `--add-noqa=REASON`.
    given = ["--add-noqa=" if argument == "--add-noqa" else argument for argument in given]
    options = build_parser().parse_args(given)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except (ConfigError, BaselineError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return status.USAGE
    except BrokenPipeError:
        # The reader is gone (`far check | head`). Python would complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except KeyboardInterrupt as stopped:
        sys.stderr.write("interrupted\n")
        return 128 + int(stopped.args[0] if stopped.args else signal.SIGINT)
    except OSError as error:
        sys.stderr.write(f"error: {_told(error)}\n")
        return status.USAGE
    except Exception:
        sys.stderr.write(f"{traceback.format_exc()}error: far itself failed; please report this\n")
        return status.INTERNAL
    return code


def _told(error: OSError) -> str:
    """What to tell of an error of the system."""
    if isinstance(error.filename, str):
        return f"{error.filename}: {error.strerror or error}"
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current directory does not exist any more"
    return error.strerror or str(error)


def _prepare_output() -> None:
    """Let standard output take every text, in whatever encoding, and even if there is none."""
    # Closed by whoever started the process (`far check >&-`).
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
