"""`python -m flake8_fastapi_rules` is the `far` command."""

from __future__ import annotations

import sys

from flake8_fastapi_rules.cli import main

sys.exit(main())
