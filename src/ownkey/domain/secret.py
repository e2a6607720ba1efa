"""A wrapper that keeps a secret out of reprs, logs and error messages."""

import hmac
from typing import NoReturn


class Secret:
    """A decrypted secret. Only `reveal` gives the text; repr, str, format and pickle never do.

    `beside` are further texts that may be shown as little as this one: what it was exchanged for, say.
    """

    __slots__ = ("_beside", "_text")

    def __init__(self, text: str, beside: tuple[str, ...] = ()) -> None:
        self._text = text
        self._beside = beside

    def reveal(self) -> str:
        return self._text

    def reveal_all(self) -> tuple[str, ...]:
        """Every text that must not be shown: the secret, those stored with it, and the parts of each that consists of
        several (`ID:SECRET:SESSION`)."""
        whole = (self._text, *self._beside)
        parts = tuple(part for text in whole if ":" in text for part in text.split(":"))
        return whole + parts

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never serialised")


def mask(text: str) -> str:
    """Show enough of a key for its owner to recognise it: `sk-or-v1-…1234`.

    The visible head is the run of short dash-separated words before the random part; never more
    than a quarter of the key and four final characters are shown.
    """
    if len(text) < 12:
        return "…"
    head, budget = "", len(text) // 4
    for word in text.split("-")[:-1]:
        if len(word) > 6 or len(head) + len(word) + 1 > budget:
            break
        head += word + "-"
    if not head and 0 < text.find("_") < budget:
        head = text[: text.index("_") + 1]
    return f"{head}…{text[-4:]}"
