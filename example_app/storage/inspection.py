"""Finding out what an upload is, from its content rather than from what the client says."""

from __future__ import annotations

import codecs
import re
from typing import Final

SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
TEXT: Final = "text/plain"
CONTROL_CHARACTERS: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
UNSAFE_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029"\\/:*?<>|]+')


def sniff_media_type(head: bytes) -> str | None:
    """Return the type of content that begins like this, or None if it is of no accepted type."""
    for signature, media_type in SIGNATURES:
        if head.startswith(signature):
            return media_type
    if CONTROL_CHARACTERS.search(head):
        return None
    try:
        # Incremental, because the head may end in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return TEXT


def harmless_name(name: str | None) -> str:
    """Return a name that is safe to show and to send in a header: no directories, no controls."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    cleaned = UNSAFE_IN_NAMES.sub("_", last).strip(" .")
    printable = cleaned.encode("utf-8", "replace").decode("utf-8")
    return printable[:255] or "file"
