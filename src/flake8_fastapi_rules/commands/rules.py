"""`far rules`: the list of rules."""

from __future__ import annotations

import argparse
import json
import sys

from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.config import CHOOSABLE_PROFILES
from flake8_fastapi_rules.linter import in_profile
from flake8_fastapi_rules.reporters.pages import rule_data, rule_table
from flake8_fastapi_rules.rules import all_rules

HELP = "list the rules"
DESCRIPTION = "List all rules, or those of one profile."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--profile", choices=CHOOSABLE_PROFILES, help="only the rules in it")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    profile = arguments.profile
    rules = [rule for rule in all_rules() if profile is None or in_profile(rule, profile)]
    if arguments.format == "json":
        json.dump([rule_data(rule) for rule in rules], sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif arguments.format == "markdown":
        sys.stdout.write(rule_table(rules))
    else:
        width = max((len(rule.name()) for rule in rules), default=0)
        for rule in rules:
            profiles = ", ".join(rule.profiles)
            fix = f"{rule.fix} fix" if rule.fix else ""
            print(f"{rule.code}  {rule.name():{width}}  {profiles:27}  {fix}".rstrip())
    return status.CLEAN
