"""Media types under the names that clients give them and the names under which they are registered."""

_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}


def registered(media_type: str) -> str:
    """The registered name (IANA) of a type that clients commonly misname; any other in lower case, as it is."""
    plain = media_type.strip().lower()
    return _ALIASES.get(plain, plain)
