"""Where we differ from others on purpose, and why."""

from __future__ import annotations

from tests.conformance.comparing import Explanation

EXPLANATIONS: tuple[Explanation, ...] = ()
