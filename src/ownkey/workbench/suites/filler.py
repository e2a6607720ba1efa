"""Text of an exact size in plain English sentences, made up from a list of words.

Not "lorem ipsum": tokenizers cut unknown words into pieces, and speculative decoding guesses a text that repeats.
"""

import re
import tomllib
from importlib.resources.abc import Traversable
from random import Random

import msgspec
from msgspec import Struct

from ownkey.workbench.suites.files import SuiteFileError

_SLOT = re.compile(r"\{(\w+)\}")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONGEST_WORD = 10
_PARAGRAPH = 6
"""Sentences in one."""


def estimated_tokens(text: str) -> int:
    """Words and punctuation marks of `text`."""
    return len(_TOKEN.findall(text))


class Sentence(Struct, frozen=True):
    """A pattern with one `%s` a slot, what may fill each slot, and how many tokens it comes to."""

    pattern: str
    slots: tuple[tuple[str, ...], ...]
    tokens: int


class _Language(Struct, frozen=True, forbid_unknown_fields=True):
    sentences: list[str]
    words: dict[str, list[str]]


class Filler:
    """Makes text from sentences. Their lengths must cover everything from the shortest to twice that and one less, or
    some sizes could not be met; ValueError then."""

    def __init__(self, sentences: tuple[Sentence, ...]) -> None:
        by_length: dict[int, list[Sentence]] = {}
        for sentence in sentences:
            by_length.setdefault(sentence.tokens, []).append(sentence)
        self._shortest = min(by_length)
        self._longest = max(by_length)
        missing = set(range(self._shortest, 2 * self._shortest)) - set(by_length)
        if missing:
            raise ValueError(f"there is no sentence of {min(missing)} tokens")
        self._sentences = sentences
        self._by_length = by_length

    def text(self, tokens: int, random: Random) -> str:
        """Exactly `tokens` tokens (words and punctuation marks), in paragraphs. Raises ValueError below the length of
        the shortest sentence."""
        if tokens < self._shortest:
            raise ValueError(f"a text has at least {self._shortest} tokens")
        draw = random.random
        every, count = self._sentences, len(self._sentences)
        texts: list[str] = []
        while tokens > self._longest + self._shortest:
            sentence = every[int(draw() * count)]
            texts.append(_filled(sentence, random))
            tokens -= sentence.tokens
        while tokens:
            sentence = random.choice(self._fitting(tokens))
            texts.append(_filled(sentence, random))
            tokens -= sentence.tokens
        return "\n\n".join(" ".join(texts[i : i + _PARAGRAPH]) for i in range(0, len(texts), _PARAGRAPH))

    def _fitting(self, tokens: int) -> list[Sentence]:
        """The sentences after which nothing or enough for another one is left."""
        if tokens in self._by_length:
            return self._by_length[tokens]
        return [sentence for sentence in self._sentences if tokens - sentence.tokens >= self._shortest]


def _filled(sentence: Sentence, random: Random) -> str:
    draw = random.random
    text = sentence.pattern % tuple([words[int(draw() * len(words))] for words in sentence.slots])
    return text[0].upper() + text[1:]


def read_language(file: Traversable) -> tuple[Sentence, ...]:
    """The sentences of a file of `sentences` and lists of words. Raises SuiteFileError."""
    try:
        language = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _Language)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SuiteFileError(f"{file.name}: {error}") from error
    for name, words in language.words.items():
        for word in words:
            if not word.isalpha() or len(word) > _LONGEST_WORD:
                raise SuiteFileError(
                    f"{file.name}: words.{name}: {word!r} must be one word of at most {_LONGEST_WORD} letters"
                )
    sentences: list[Sentence] = []
    for pattern in language.sentences:
        names = _SLOT.findall(pattern)
        for name in names:
            if name not in language.words:
                raise SuiteFileError(f"{file.name}: sentences: there is no list {name!r} for {pattern!r}")
        slots = tuple(tuple(language.words[name]) for name in names)
        sentences.append(Sentence(_SLOT.sub("%s", pattern), slots, estimated_tokens(_SLOT.sub("x", pattern))))
    return tuple(sentences)
