"""Prompts for the benchmark: written ones of three complexities, and generated ones of four work sizes.

Sizes are in tokens by our estimate: **each word and each punctuation mark is one token.** The generated text consists
of common words of at most ten letters, which the usual tokenizers of language models know as one token each, so that
the estimate is near to what a server counts; the chat template's own tokens come on top. It is plain English and not
"lorem ipsum": tokenizers cut unknown words into pieces, and speculative decoding guesses a text that repeats.

Every prompt begins with a line that differs in each repetition, so that no cache of common beginnings can help.
"""

import re
import tomllib
from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from random import Random

import msgspec
from msgspec import Struct

from ownkey.domain.errors import NotFound
from ownkey.workbench.records import Message, Prompt
from ownkey.workbench.suites.files import Suite, SuiteFileError, read_suite

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


_COMPLEXITIES = ("simple", "medium", "complex")


class WorkSize(Struct, frozen=True):
    """How many tokens go in and come out."""

    input: int
    output: int


WORK_SIZES = {
    "100-300": WorkSize(100, 300),
    "1k-1k": WorkSize(1_000, 1_000),
    "10k-1.5k": WorkSize(10_000, 1_500),
    "100k-2k": WorkSize(100_000, 2_000),
}


class Workloads:
    """Built once; the files are read when somebody first asks. Generated prompts are not kept."""

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The names of workloads by what they belong to: a complexity has several, a work size is its own."""
        written = {name: tuple(prompt.id for prompt in suite.prompts) for name, suite in self._suites.items()}
        return written | {name: (name,) for name in WORK_SIZES}

    def names(self) -> tuple[str, ...]:
        """Every name that `workload` takes."""
        return tuple(name for names in self.groups().values() for name in names)

    def workload(self, name: str, repetition: int = 0, seed: int = 0) -> Prompt:
        """A workload's prompt for one repetition: the same for the same arguments, on every machine.

        `max_tokens` is the wanted size of the answer. Raises NotFound for an unknown name.
        """
        if name in WORK_SIZES:
            return self._generated(name, repetition, seed)
        return _marked(self._written(name), repetition, seed)

    def _written(self, name: str) -> Prompt:
        for suite in self._suites.values():
            for prompt in suite.prompts:
                if prompt.id == name:
                    return prompt
        raise NotFound(f"There is no workload {name!r}. There are: {', '.join(self.names())}.", param="workload")

    def _generated(self, name: str, repetition: int, seed: int) -> Prompt:
        size = WORK_SIZES[name]
        beginning = _mark(name, repetition, seed) + "\n\n"
        end = "\n\n" + _task(size.output)
        rest = size.input - estimated_tokens(beginning) - estimated_tokens(end)
        text = self._filler.text(rest, Random(f"{name} {seed} {repetition}"))  # noqa: S311
        return Prompt(
            id=f"{name}/{repetition}",
            messages=(Message("user", beginning + text + end),),
            tags=("generated", name),
            max_tokens=size.output,
        )

    @cached_property
    def _suites(self) -> dict[str, Suite]:
        folder = files("ownkey.workbench.suites").joinpath("bench")
        return {name: read_suite(folder.joinpath(f"{name}.toml")) for name in _COMPLEXITIES}

    @cached_property
    def _filler(self) -> Filler:
        return Filler(read_language(files("ownkey.workbench.suites").joinpath("bench", "language.toml")))


def _marked(prompt: Prompt, repetition: int, seed: int) -> Prompt:
    first = prompt.messages[0]
    text = f"{_mark(prompt.id, repetition, seed)}\n\n{first.content}"
    return Prompt(
        id=f"{prompt.id}/{repetition}",
        messages=(Message(first.role, text), *prompt.messages[1:]),
        checks=prompt.checks,
        reference=prompt.reference,
        tags=prompt.tags,
        max_tokens=prompt.max_tokens,
    )


def _mark(name: str, repetition: int, seed: int) -> str:
    """The first line. It begins with a digest, because caches compare from the first token on, and has the repetition
    in it, so that two of one seed surely differ."""
    digest = blake2b(f"{name} {seed} {repetition}".encode(), digest_size=6).hexdigest()
    return f"{digest}-{repetition} is the number of this request and means nothing."


def _task(output: int) -> str:
    """Makes a model fill `output` tokens: as many words are more tokens than that, so the limit ends the answer."""
    return (
        f"Write a story of at least {output} words in which some of the people and things above meet. "
        "Do not stop early, do not ask anything, and begin with the story at once."
    )
