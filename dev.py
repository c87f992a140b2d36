"""Set up a private environment in `.venv` and check or test the project in it.

    python dev.py check [PATH ...]   lint the example service, or the paths given
    python dev.py test               run every check of the project, then all its tests

Nothing but Python 3.11 or newer is needed; what is installed goes to `.venv`.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = os.environ.get("FAR_DEV_ENVIRONMENT") or os.path.join(ROOT, ".venv")
SCRIPTS = os.path.join(ENVIRONMENT, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(SCRIPTS, "python.exe" if os.name == "nt" else "python")
#: Dependency groups arrived in this pip.
PIP = "pip>=25.1"

#: Options of `far check` that flake8 knows by the name `--far-...`.
SHARED = ("--profile", "--enable", "--disable", "--fastapi-version", "--src")

#: What is checked before the tests, as (what it is, command).
CHECKS = [
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("layers", ["lint-imports"]),
    ("example service by flake8", ["flake8", "--select", "FAR", "example_app"]),
    ("example service by far", ["far", "check", "--profile", "strict", "example_app"]),
    ("generated documentation", ["python", os.path.join("docs", "generate.py"), "--check"]),
]


def main():
    """Parse the command line and run a command."""
    if sys.version_info < (3, 11):
        fail("Python 3.11 or newer is needed, this is %s" % sys.version.split()[0])
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("check", "lint the example service, or the paths given (takes options of `far check`)"),
        ("test", "run all checks and tests of the project (takes arguments of pytest)"),
    ):
        commands.add_parser(name, help=text)
    options, arguments = parser.parse_known_args()
    return run_check(arguments) if options.command == "check" else run_test(arguments)


def run_check(arguments):
    """Lint paths given on the command line (relative to where the user is)."""
    prepare(())
    paths = arguments or [os.path.relpath(os.path.join(ROOT, "example_app"))]
    if not any(argument.split("=")[0] == "--profile" for argument in arguments):
        paths = ["--profile", "strict", *paths]
    command = [os.path.join(SCRIPTS, "far"), "check", *paths]
    status = subprocess.call(command)
    if status == 0:
        say("nothing found")
    shown = [os.path.relpath(ENVIRONMENT), "Scripts" if os.name == "nt" else "bin"]
    flake8 = [os.path.join(*shown, "flake8"), "--select", "FAR"]
    same = ["--far-" + item[2:] if item.startswith(SHARED) else item for item in paths]
    say("the same by flake8: %s" % " ".join([*flake8, *same]))
    return status


def run_test(arguments):
    """Run the checks quietly, then the tests; the tests' summary is the last line."""
    prepare(("dev",))
    environment = dict(os.environ, PATH=SCRIPTS + os.pathsep + os.environ.get("PATH", ""))
    environment["VIRTUAL_ENV"] = ENVIRONMENT
    environment.pop("PYTHONPATH", None)
    failed = []
    for name, command in CHECKS:
        started = time.monotonic()
        program = shutil.which(command[0], path=SCRIPTS) or command[0]
        process = subprocess.run(
            [program, *command[1:]],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        good = process.returncode == 0
        seconds = time.monotonic() - started
        say("%-28s %s (%.0f s)" % (name, "ok" if good else "FAILED", seconds))
        if not good:
            failed.append(name)
            sys.stdout.flush()
            sys.stdout.buffer.write(process.stdout)
            sys.stdout.flush()
    if failed:
        say("FAILED: %s; the tests follow" % ", ".join(failed))
    tests = [PYTHON, "-m", "pytest", "-q", "-n", "2", *arguments]
    status = subprocess.call(tests, cwd=ROOT, env=environment)
    return status or int(bool(failed))


def prepare(groups):
    """Create the environment and install the project in it, unless that was done already."""
    wanted = fingerprint(groups)
    stamp = os.path.join(ENVIRONMENT, "far-dev-%s" % ("-".join(groups) or "plain"))
    if os.path.exists(PYTHON) and read(stamp) == wanted:
        return
    if not os.path.exists(PYTHON):
        say("creating %s" % os.path.relpath(ENVIRONMENT))
        attempt([sys.executable, "-m", "venv", ENVIRONMENT], VENV_HINT)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    say("installing the project%s" % (" and what its tests need" if groups else ""))
    attempt([*pip, "install", "--upgrade", PIP], INSTALL_HINT)
    chosen = [item for group in groups for item in ("--group", group)]
    attempt([*pip, "install", "--editable", ROOT, *chosen], INSTALL_HINT, cwd=ROOT)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


VENV_HINT = (
    "Python could not create a virtual environment. On Debian and Ubuntu, its venv module is in a "
    "package of its own: apt install python3-venv"
)
INSTALL_HINT = "The packages could not be installed; is there a connection to the package index?"


def attempt(command, hint, cwd=None):
    """Run a command, showing its output and a hint only when it fails."""
    process = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, check=False
    )
    if process.returncode:
        sys.stderr.write(process.stdout.decode(errors="replace"))
        fail(hint)


def fingerprint(groups):
    """What the installation depends on."""
    digest = hashlib.sha256("|".join([sys.version, ROOT, *groups]).encode())
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


def read(path):
    """The text of a file, or nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def say(text):
    """Tell the user something without mixing it into the output of what runs."""
    sys.stderr.write("dev.py: %s\n" % text)
    sys.stderr.flush()


def fail(text):
    """End with an error message."""
    sys.stderr.write("dev.py: error: %s\n" % text)
    sys.exit(2)


if __name__ == "__main__":
    sys.exit(main())
