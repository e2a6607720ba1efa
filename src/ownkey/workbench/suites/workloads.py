"""Prompts for the benchmark: written ones of three complexities, and generated ones of four work sizes.

Sizes are in tokens by our estimate: **each word and each punctuation mark is one token.** The generated text consists
of common words of at most ten letters, which the usual tokenizers of language models know as one token each, so that
the estimate is near to what a server counts; the chat template's own tokens come on top.

Every prompt begins with a line that differs in each repetition, so that no cache of common beginnings can help.
"""

from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from random import Random

from msgspec import Struct

from ownkey.domain.errors import NotFound
from ownkey.workbench.records import Message, Prompt
from ownkey.workbench.suites.files import Suite, read_suite
from ownkey.workbench.suites.filler import Filler, estimated_tokens, read_language

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
