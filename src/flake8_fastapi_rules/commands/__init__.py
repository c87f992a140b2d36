"""The subcommands of `far`, one module each.

A module has `HELP` (one line), `DESCRIPTION`, `configure(parser)` and `run(arguments) -> int`; its
name, with hyphens for underscores, is the subcommand's. To add one, add the module and its name to
`COMMANDS`.
"""

from __future__ import annotations

#: In the order of the help text.
COMMANDS = ("check", "fix", "explain", "rules", "routes", "config", "baseline")
