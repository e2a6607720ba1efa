"""A record reduced to what every store can hold."""

from msgspec.structs import asdict, replace

from ownkey.domain.usage import RequestRecord

_LARGEST = 2**63 - 1
_LONGEST = 1e15


def storable(record: RequestRecord) -> RequestRecord:
    """`record` itself when any store takes it, else a copy.

    Clients and providers choose model names, error texts and token counts: NUL characters and lone
    surrogates become U+FFFD, whole numbers are clamped to 64 bits, times that are not finite become 0.
    """
    changed = {name: kept for name, value in asdict(record).items() if (kept := _storable_value(value)) != value}
    return replace(record, **changed) if changed else record


def _storable_value(value: object) -> object:
    if isinstance(value, str):
        readable = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return readable.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return max(-_LARGEST, min(_LARGEST, value))
    if isinstance(value, float) and not -_LONGEST <= value <= _LONGEST:
        return 0.0
    return value
