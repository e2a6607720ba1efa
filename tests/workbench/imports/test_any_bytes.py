"""Whatever is uploaded, the answer is a suite within the limits or a refusal with places, and nothing else."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.workbench.imports.reading import DATA

from ownkey.workbench.graders import validate_check
from ownkey.workbench.suites.imports import (
    ImportedSuite,
    ImportLimits,
    ImportOptions,
    SuiteFormat,
    SuiteRejected,
    read_suite,
)
from ownkey.workbench.suites.imports.json_nodes import json_document

LIMITS = ImportLimits(max_bytes=20_000, max_prompts=50, max_prompt_characters=2_000, max_nodes=2_000)
FILES = sorted(path.name for path in DATA.iterdir())
ENDINGS = st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl", "a.yaml", "a.txt"])
SIGNS = st.sampled_from([*"{}[]\",:;|&*!%#-\\ \n\r\t'<=>?@`", "{{", "}}", "\0", "\u2028", "\ufeff", "é", "<<: "])
FORMATS = st.sampled_from([None, *SuiteFormat])
SLOW = settings(deadline=None)
"""An import that meets a schema starts a process."""
TEMPLATES = st.sampled_from([None, "{{question}}", "{{topic}} {{n}}", "{{a.b}}", "{% x %}"])


def judge(data: bytes, filename: str, options: ImportOptions) -> None:
    outcome = read(data, filename, options)
    if isinstance(outcome, SuiteRejected):
        check_refusal(outcome, data.count(b"\n") + data.count(b"\r") + 1)
    else:
        check_suite(outcome)


def read(data: bytes, filename: str, options: ImportOptions) -> ImportedSuite | SuiteRejected:
    try:
        return read_suite(data, filename, options, LIMITS)
    except SuiteRejected as rejected:
        return rejected


def check_refusal(rejected: SuiteRejected, lines: int) -> None:
    assert rejected.public
    assert 1 <= len(rejected.problems) <= 50
    for problem in rejected.problems:
        assert 0 <= problem.line <= lines
        assert problem.column is None or problem.column >= 1
        problem.message.encode()


def check_suite(found: ImportedSuite) -> None:
    assert 1 <= len(found.prompts) <= LIMITS.max_prompts
    assert len({prompt.id for prompt in found.prompts}) == len(found.prompts)
    for prompt in found.prompts:
        assert prompt.messages
        for message in prompt.messages:
            message.content.encode()
            assert "\0" not in message.content
        for check in prompt.checks:
            assert validate_check(check) is None


@given(data=st.binary(max_size=400), filename=ENDINGS, form=FORMATS)
@example(data=b"\xff\xfe", filename="a.csv", form=None)
@example(data=b"\xef\xbb\xbf", filename="a.yaml", form=None)
def test_any_bytes(data: bytes, filename: str, form: SuiteFormat | None) -> None:
    judge(data, filename, ImportOptions(format=form))


@given(text=st.lists(st.one_of(SIGNS, st.text(max_size=5)), max_size=60).map("".join), filename=ENDINGS, form=FORMATS)
def test_any_text_of_signs_that_mean_something(text: str, filename: str, form: SuiteFormat | None) -> None:
    judge(text.encode("utf-8", "surrogatepass"), filename, ImportOptions(format=form))


@pytest.mark.parametrize("filename", FILES)
@SLOW
@given(
    cuts=st.lists(st.integers(0, 3_000), max_size=4),
    put=st.lists(st.one_of(SIGNS, st.text(max_size=3)), max_size=4),
    form=FORMATS,
    template=TEMPLATES,
)
def test_valid_files_with_parts_cut_out_doubled_and_put_in(
    filename: str, cuts: list[int], put: list[str], form: SuiteFormat | None, template: str | None
) -> None:
    text = (DATA / filename).read_text()
    for start, end in pairwise(sorted(cut % (len(text) + 1) for cut in cuts)):
        text = text[:start] + (text[start:end] * 2 if start % 2 else "") + text[end:]
    for position, sign in zip(cuts, put, strict=False):
        at = position % (len(text) + 1)
        text = text[:at] + sign + text[at:]
    judge(text.encode("utf-8", "surrogatepass"), filename, ImportOptions(format=form, template=template))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["vars", "assert", "type", "value", "threshold", "input", "ideal", "role", "content", "prompts",
                         "tests", "options", "metadata", "prompt", "id", "tags", "weight", "prefix", "raw", "x"]),
        inner | st.sampled_from(["{{x}}", "contains", "is-json", "word-count", "similar", "user", "latency", "regex"]),
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@SLOW
@given(value=JSON_VALUES, filename=st.sampled_from(["a.json", "a.jsonl", "a.yaml"]), form=FORMATS)
def test_any_values_in_the_fields_of_the_formats(value: object, filename: str, form: SuiteFormat | None) -> None:
    judge(json.dumps(value).encode(), filename, ImportOptions(format=form, template="{{x}}"))


STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
STRICT_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=25,
)


@given(value=STRICT_VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, "\t"]))
@example(value={"a": "x\u0085y \u2028 z", "k" * 1100: ["\x7f", "😀", 1e300]}, ascii_only=True, indent=None)
@example(value={"a": "x\u0085y \u2028 z", "k" * 1100: ["\x7f", "😀", 1e300]}, ascii_only=False, indent="\t")
def test_json_is_read_as_the_standard_library_reads_it(
    value: object, ascii_only: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert json_document(text, LIMITS).plain() == json.loads(text)
