"""Names of tools that a provider accepts, derived from the client's.

A name that a provider refuses is cut, its forbidden characters are replaced, and a digest of the whole name is
appended. The result depends on the name alone, so that a tool has the same name in every turn of a conversation and
nothing needs to be remembered between requests.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

_DIGITS = 10


class NameRule:
    """What a provider accepts: at most `most` characters that `alphabet`, a regular expression of one character,
    matches; the first must match `first` as well."""

    __slots__ = ("_forbidden", "accepts", "most")

    def __init__(self, most: int, alphabet: str = "[a-zA-Z0-9_-]", first: str | None = None) -> None:
        head = f"(?={first})" if first is not None else ""
        self.most = most
        self.accepts = re.compile(f"{head}(?:{alphabet}){{1,{most}}}").fullmatch
        self._forbidden = re.compile(f"(?!{alphabet}).", re.DOTALL).sub

    def shortened(self, name: str, salt: int = 0) -> str:
        """A name within the rule that only `name` has, but for chance (one in 10¹²) and intent."""
        digest = blake2b(f"{name}\0{salt}".encode("utf-8", "replace"), digest_size=_DIGITS // 2).hexdigest()
        plain = self._forbidden("_", name)[: self.most - _DIGITS - 1]
        candidate = f"{plain}_{digest}"
        return candidate if self.accepts(candidate) else f"t_{plain[:-2]}_{digest}"


def fitting(names: Iterable[str], rule: NameRule) -> dict[str, str]:
    """Each of `names` with the one to send, which no other of them has.

    Names that fit keep theirs; where a shortened name meets one of those, its digest is salted.
    """
    given = list(dict.fromkeys(names))
    sent = {name: name for name in given if rule.accepts(name)}
    taken = set(sent)
    for name in sorted(name for name in given if name not in sent):
        salt = 0
        while (short := rule.shortened(name, salt)) in taken:
            salt += 1
        sent[name] = short
        taken.add(short)
    return sent
