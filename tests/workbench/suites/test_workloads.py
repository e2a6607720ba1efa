"""Benchmark prompts: of the wanted size, the same on every machine, and different in each repetition."""

from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from tests.workbench.suites.grading import needs_judge, unmet

from ownkey.domain.errors import NotFound
from ownkey.sandbox.tokens import count
from ownkey.workbench.suites import SuiteFileError, Workloads
from ownkey.workbench.suites.workloads import WORK_SIZES, Filler, Sentence, estimated_tokens, read_language

WORKLOADS = Workloads()
LANGUAGE = read_language(files("ownkey.workbench.suites").joinpath("bench", "language.toml"))

every_size = pytest.mark.parametrize("name", WORK_SIZES)
every_name = pytest.mark.parametrize("name", WORKLOADS.names())


def text_of(name: str, repetition: int = 0, seed: int = 0) -> str:
    return "\n".join(message.content for message in WORKLOADS.workload(name, repetition, seed).messages)


def test_there_are_three_complexities_and_four_work_sizes():
    groups = WORKLOADS.groups()
    assert list(groups) == ["simple", "medium", "complex", "100-300", "1k-1k", "10k-1.5k", "100k-2k"]
    assert all(len(groups[name]) == 3 for name in ("simple", "medium", "complex"))
    assert all(groups[name] == (name,) for name in WORK_SIZES)


@every_size
@pytest.mark.parametrize("seed", range(5))
def test_a_generated_prompt_has_exactly_the_wanted_size_by_the_estimate(name: str, seed: int):
    assert estimated_tokens(text_of(name, seed * 7, seed)) == WORK_SIZES[name].input


@every_size
def test_the_sandbox_counts_nearly_as_many_tokens(name: str):
    assert count(text_of(name)) == pytest.approx(WORK_SIZES[name].input, rel=0.05)


@every_size
def test_the_answer_is_bounded_by_the_output_size_and_asked_for_at_that_length(name: str):
    prompt = WORKLOADS.workload(name)
    assert prompt.max_tokens == WORK_SIZES[name].output
    assert f"at least {WORK_SIZES[name].output} words" in prompt.messages[-1].content


@every_name
def test_repetitions_and_seeds_differ_from_the_first_word_on(name: str):
    beginnings = {text_of(name, repetition, seed).split("-")[0] for repetition in range(8) for seed in range(3)}
    assert len(beginnings) == 24


@every_name
def test_the_same_arguments_give_the_same_prompt_from_another_instance(name: str):
    assert Workloads().workload(name, 4, 9) == WORKLOADS.workload(name, 4, 9)
    assert WORKLOADS.workload(name, 4, 9).id == f"{name}/4"


def test_generated_text_is_the_same_on_every_machine():
    first = text_of("100-300", 3, 1).split("\n\n")
    assert first[0] == "217613081e79-3 is the number of this request and means nothing."
    assert first[1].startswith("Slowly, Ada forgot a judge behind the market.")


@pytest.mark.parametrize("name", [name for name in WORKLOADS.names() if name not in WORK_SIZES])
async def test_a_written_prompt_bounds_its_answer_and_its_reference_satisfies_the_checks(name: str):
    prompt = WORKLOADS.workload(name)
    assert prompt.max_tokens
    assert not all(needs_judge(check) for check in prompt.checks)
    assert await unmet(prompt, "I do not know.")
    if prompt.reference is not None:
        assert await unmet(prompt, prompt.reference) == []


def test_an_unknown_workload_is_answered_with_the_known_ones():
    with pytest.raises(NotFound, match=r"no workload 'huge'.*simple-1.*100k-2k"):
        WORKLOADS.workload("huge")


@pytest.mark.parametrize("tokens", range(4, 120))
def test_filler_text_of_every_size_is_exact(tokens: int):
    assert estimated_tokens(Filler(LANGUAGE).text(tokens, Random(tokens))) == tokens


def test_filler_text_has_varied_sentences_that_begin_with_a_capital():
    sentences = Filler(LANGUAGE).text(10_000, Random(1)).replace("\n\n", " ").split(". ")
    assert all(sentence[0].isupper() for sentence in sentences)
    assert len(set(sentences)) > 0.97 * len(sentences)


def test_less_than_a_sentence_is_refused():
    with pytest.raises(ValueError, match="at least 4 tokens"):
        Filler(LANGUAGE).text(3, Random(0))


def test_sentences_that_leave_a_size_out_are_refused():
    with pytest.raises(ValueError, match="no sentence of 3 tokens"):
        Filler((Sentence("a.", (), 2), Sentence("a b c.", (), 4)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sentences = ["A {thing}."]\n[words]\nnoun = ["cat"]', r"no list 'thing'"),
        ('sentences = []\n[words]\nnoun = ["two words"]', r"words\.noun: 'two words'"),
        ('sentences = []\n[words]\nnoun = ["extraordinary"]', r"at most 10 letters"),
        ('sentences = "x"', r"language\.toml: Expected `array`"),
    ],
)
def test_a_broken_language_file_is_told_by_the_place(tmp_path: Path, text: str, message: str):
    file = tmp_path / "language.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SuiteFileError, match=message):
        read_language(file)
