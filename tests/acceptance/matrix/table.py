"""The matrix as Markdown, for docs/matrix.md."""

from collections.abc import Sequence

from tests.acceptance.matrix.expected import expected
from tests.acceptance.matrix.features import FEATURES

_HEAD = """# Which pair of formats can do what

Written by `scripts/matrix-table` from `tests/acceptance/matrix/expected.py`; `test_matrix.py` proves every cell over
real sockets, streamed and not. A column is a pair: the client's format → the provider's.

✓ passes · a field's name: refused by design, with a 400 that names it · – not applicable: the client's format cannot
ask for it, or the provider's cannot say it. [translation.md](translation.md) lists what happens to every single field.
"""


def markdown(clients: Sequence[str], providers: Sequence[str]) -> str:
    """One table a client format."""
    parts = [_HEAD]
    for client in clients:
        parts.append(f"\n## {client} →\n")
        parts.append(_row("", list(providers)))
        parts.append(_row("---", [":-:"] * len(providers)))
        parts += [
            _row(feature.name, [_cell(client, provider, feature.name) for provider in providers])
            for feature in FEATURES
        ]
    return "\n".join(parts) + "\n"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"


def _cell(client: str, provider: str, feature: str) -> str:
    match expected(client, provider, feature):
        case None:
            return "✓"
        case "-":
            return "–"
        case field:
            return f"`{field}`"
