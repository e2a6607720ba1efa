r"""The sandbox's tokenizer: deterministic, lossless, and simple enough to count by hand.

A token is one match of

    \s?\w{1,10}          up to ten letters, digits or underscores, with one white space before them
    \s?[^\w\s]{1,4}      up to four punctuation marks or symbols, likewise
    \s{1,8}              a run of white space that belongs to neither

so "Hello, world!" is `Hello` `,` ` world` `!`. The pieces joined give the text again.
"""

import re
from functools import lru_cache
from itertools import chain, islice, repeat

IMAGE_TOKENS = 85
"""What an image in a request counts as, whatever its size."""

_SHORT = 512
_TOKEN = re.compile(r"\s?\w{1,10}|\s?[^\w\s]{1,4}|\s{1,8}")

_LOREM = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua ut enim ad minim veniam quis nostrud ullamco laboris nisi ut aliquip ex ea commodo consequat"
)


def split(text: str) -> list[str]:
    """The tokens of `text`, in order."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens `text` has."""
    return _count_short(text) if len(text) <= _SHORT else len(_TOKEN.findall(text))


@lru_cache(maxsize=4096)
def _count_short(text: str) -> int:
    """Load tests say the same short things again and again."""
    return len(_TOKEN.findall(text))


def lorem(length: int) -> list[str]:
    """Exactly `length` tokens of filler text."""
    words = [" " + word[:10] for word in _LOREM.split()]
    tokens = list(islice(chain.from_iterable(repeat(words)), length))
    if tokens:
        tokens[0] = "Lorem"
    return tokens
