"""Looking for a secret in whatever spelling it may have been written."""

import base64
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_mark() -> str:
    """Twenty characters that occur nowhere else."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def spellings(mark: str | bytes) -> dict[str, bytes]:
    """The mark as it is, reversed, in base64 at each alignment (both alphabets), URL-encoded and in hexadecimal."""
    raw = mark.encode() if isinstance(mark, str) else mark
    found = {
        "raw": raw,
        "reversed": raw[::-1],
        "UTF-16": raw.decode("latin-1").encode("utf-16-le"),
        "URL": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "URL, as needed": quote(raw, safe="").encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        # The first and the last group also depend on the neighbours.
        core = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
        found[f"base64 at {shift}"] = core
        found[f"base64 for URLs at {shift}"] = core.replace(b"+", b"-").replace(b"/", b"_")
    return found


def occurrences(mark: str | bytes, sinks: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where it stands, and how: empty is good."""
    looked_for = spellings(mark)
    return [
        f"{sink}: {spelling}"
        for sink, data in sinks
        for spelling, text in looked_for.items()
        if text in data or (spelling.startswith("base64") and text in data.replace(b"\n", b""))
    ]


def files_below(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's name and content. One that goes away meanwhile is gone."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_file():
                    yield str(path.relative_to(folder.parent)), path.read_bytes()
            except FileNotFoundError:
                continue
