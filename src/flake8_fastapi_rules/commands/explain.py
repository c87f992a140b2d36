"""`far explain`: a rule's documentation."""

from __future__ import annotations

import argparse
import json
import sys

from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.config import ConfigError, suggestion
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.linter import best_match, normalized
from flake8_fastapi_rules.reporters.pages import rule_data, rule_page
from flake8_fastapi_rules.rules import all_rules

HELP = "show what a rule is about"
DESCRIPTION = "Show the documentation of rules, named by code (FAR301), prefix (FAR3) or name."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("rules", nargs="+", metavar="RULE", help="code, prefix or name")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")


def run(arguments: argparse.Namespace) -> int:
    """Print the pages."""
    rules = all_rules()
    chosen = []
    for selector in arguments.rules:
        matches = [rule for rule in rules if best_match(rule, (normalized(selector),))]
        if normalized(selector) == INTERNAL_ERROR:
            message = "FAR000 is no rule: it reports that the linter itself failed"
            raise ConfigError(message, "explain")
        if not matches:
            known = [name for rule in rules for name in (rule.code, rule.name())]
            raise ConfigError(f"unknown rule `{selector}`{suggestion(selector, known)}", "explain")
        chosen += [rule for rule in matches if rule not in chosen]
    if arguments.format == "json":
        json.dump([rule_data(rule) for rule in chosen], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("\n".join(rule_page(rule) for rule in chosen))
    return status.CLEAN
