"""A rule as documentation: a page, a row, data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flake8_fastapi_rules.rules.base import Rule

_FIXES = {"safe": "safe", "unsafe": "unsafe", None: "-"}


def rule_page(rule: type[Rule]) -> str:
    """The page of a rule in Markdown."""
    page = rule.documentation()
    where = "tests" if rule.tests_only else ("bug" if rule.is_bug else "convention")
    head = [
        f"# {rule.code} {rule.name()}",
        "",
        page.summary,
        "",
        f"Profiles: {profiles_text(rule)} · group: {rule.group()} · kind: {where}"
        f" · fix: {_FIXES[rule.fix]} · scope: {rule.scope}",
        "",
    ]
    for title, body in page.sections.items():
        head += [f"## {title}", "", body, ""]
    return "\n".join(head)


def rule_table(rules: Iterable[type[Rule]], link: Callable[[str], str] | None = None) -> str:
    """The rules as a Markdown table; `link` makes the address of a code's page."""
    lines = ["| Code | Name | What it reports | Profile | Fix |", "|---|---|---|---|---|"]
    for rule in rules:
        code = f"[{rule.code}]({link(rule.code)})" if link else rule.code
        summary = rule.documentation().summary.replace("\n", " ").replace("|", "\\|")
        lines.append(
            f"| {code} | {rule.name()} | {summary} | {profiles_text(rule)} | {_FIXES[rule.fix]} |"
        )
    return "\n".join(lines) + "\n"


def profiles_text(rule: type[Rule]) -> str:
    """The profiles of a rule, with those that leave it out."""
    text = ", ".join(rule.profiles)
    return text + "".join(f" (not {profile})" for profile in rule.not_in)


def rule_data(rule: type[Rule]) -> dict[str, Any]:
    """A rule as plain data."""
    page = rule.documentation()
    return {
        "code": rule.code,
        "name": rule.name(),
        "group": rule.group(),
        "summary": page.summary,
        "message": rule.message,
        "variants": dict(rule.variants),
        "profiles": list(rule.profiles),
        "not_in": list(rule.not_in),
        "is_bug": rule.is_bug,
        "tests_only": rule.tests_only,
        "scope": rule.scope,
        "fix": rule.fix,
        "sections": dict(page.sections),
    }
