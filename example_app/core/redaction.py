"""Turning request bodies into something that may stand in a log."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import parse_qsl

REPLACEMENT: Final = "***"
SECRET_KEYS: Final = re.compile(
    r"pass|secret|token|authorization|credential|api.?key|private", re.IGNORECASE
)
LINE_BREAKS: Final = re.compile("[\x7f-\x9f\u2028\u2029]")
JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None


def redact(value: JsonValue) -> JsonValue:
    """Replace the values of all keys that sound secret, at any depth."""
    if isinstance(value, dict):
        return {
            key: REPLACEMENT if SECRET_KEYS.search(key) else redact(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redact(inner) for inner in value]
    return value


def compact(value: JsonValue) -> str:
    """Return compact JSON on one line that any stream can encode."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = LINE_BREAKS.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def describe_body(kept: bytes, size: int, content_type: str) -> str:
    """Return what the log shows of a body.

    JSON and forms are shown with their secrets replaced. All else (uploads, broken or longer
    bodies) is described only: what cannot be parsed cannot be searched for secrets.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if len(kept) == size:
        if media_type == "application/x-www-form-urlencoded":
            pairs = parse_qsl(kept.decode("utf-8", "replace"), keep_blank_values=True)
            return compact(redact(dict(pairs)))
        if media_type == "application/json" or media_type.endswith("+json"):
            try:
                return compact(redact(json.loads(kept)))
            except (ValueError, RecursionError):
                return compact({"bytes": size, "invalid": True})
    return compact({"bytes": size, "type": media_type})
