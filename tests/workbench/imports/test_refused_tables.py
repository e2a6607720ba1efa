"""CSV and TSV that cannot be read, and expectations that cannot be kept."""

import pytest
from tests.workbench.imports.reading import places, problems, suite

from ownkey.workbench.records import Check
from ownkey.workbench.suites.imports import ImportOptions, Mapping


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('prompt\nok\n"a\nb\n"c', 5, "After the closing quote"),
        ('prompt\nok\n"open\nuntil\nthe end', 3, "never closed"),
        ("prompt,prompt\na,b", 1, "Two columns are named “prompt”"),
        (",".join(f"c{n}" for n in range(10_000)) + "\n", 1, "more than 200 cells"),
        ("prompt\n" + "," * 10_000, 2, "more than 200 cells"),
        ("note,number\na,1", 1, "No column looks like the prompt"),
        ("prompt,\na,b", 2, "column 2, which has no name"),
        ("prompt\n", 0, "no prompts"),
        ("prompt\n   \n\t\n", 0, "no prompts"),
        ("prompt,id\na,\x1b[2J", 2, "printable"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_at_their_line(text: str, line: int, words: str) -> None:
    [problem] = problems(text, "a.csv")
    assert (problem.line, problem.column) == (line, None)
    assert words in problem.message


def test_a_mapped_column_that_is_not_there_is_refused() -> None:
    [problem] = problems("prompt\na", "a.csv", ImportOptions(mapping=Mapping(expected="gold")))
    assert problem.message == "There is no column “gold”, which the mapping names as expected. There are: “prompt”."


def test_cells_may_be_longer_than_the_standard_reader_allows() -> None:
    assert len(suite(f'prompt\n"{"x" * 300_000}"', "a.csv").prompts[0].messages[0].content) == 300_000


def expectation(text: str) -> Check:
    cell = text.replace('"', '""')
    [check] = suite(f'prompt,__expected\nHi,"{cell}"', "a.csv").prompts[0].checks
    return check


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("Paris", Check("equals", "Paris")),
        ("Note: this", Check("equals", "Note: this")),
        ("equals: 4", Check("equals", "4")),
        ("contains: x", Check("contains", "x")),
        ("not-contains:x", Check("not-contains", "x")),
        ("icontains-any: a, b", Check("icontains-any", ["a", "b"])),
        ('not-contains-all: "a, b",c', Check("not-contains-all", ["a, b", "c"])),
        ("starts-with: Dear", Check("starts-with", "Dear")),
        ("regex: ^(a+)+$", Check("regex", "^(a+)+$")),
        ("is-json", Check("is-json")),
        ('contains-json: {"type": "object"}', Check("contains-json", {"type": "object"})),
        ("is-json: type: array", Check("is-json", {"type": "array"})),
        ("word-count: 50", Check("word-count", 50)),
        ('word-count: {"min": 2, "max": 5}', Check("word-count", {"min": 2, "max": 5})),
        ("latency(500)", Check("latency", None, 500.0)),
        ("not-cost(0.01)", Check("not-cost", None, 0.01)),
        ("similar: a b", Check("similar", "a b", 0.8)),
        ("similar(0.6): a b", Check("similar", "a b", 0.6)),
        ("similar:cosine(0.6): a b", Check("similar", "a b", 0.6)),
        ("llm-rubric: Is polite: yes", Check("llm-rubric", "Is polite: yes")),
        ("grade: Is polite", Check("llm-rubric", "Is polite")),
        ("model-graded-closedqa: Is polite", Check("llm-rubric", "Is polite")),
    ],
)
def test_one_line_expectations(text: str, check: Check) -> None:
    assert expectation(text) == check


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("javascript: output.length < 10", "“javascript” would run code"),
        ("fn: return true", "“fn” would run code"),
        ("eval: 1", "“eval” would run code"),
        ("python: len(output) < 10", "“python” would run code"),
        ("ruby: true", "“ruby” would run code"),
        ("not-javascript: 1", "“javascript” would run code"),
        ("webhook: http://169.254.169.254/", "“webhook” would run code or call an address"),
        ("file://check.js", "another file is not read, and code is never run"),
        ("file://check.py:f", "another file is not read, and code is never run"),
        ("contains: file://x.txt", "refers to a file"),
        ("factuality: Paris", "“factuality” is not supported. Use llm-rubric"),
        ("rouge-n(0.5): x", "“rouge-n” is not supported. Use similar."),
        ("similar:dot: x", "“similar:dot” is not supported"),
        ("latency: 500", "needs a threshold, such as latency(2000)"),
        ("cost", "needs a threshold, such as cost(0.01)"),
        ("latency(0)", "above 0"),
        ("similar(1.5): x", "from 0 to 1"),
        ("llm-rubric:", "needs a value"),
        ("contains-any: ,", "needs one text or more"),
        ('contains-any: "a', "quote is not closed"),
        ("regex: (?=x)", "invalid perl operator: (?="),
        (r"regex: (a)\1", r"invalid escape sequence: \1"),
        ("regex: (", "missing )"),
        ("regex: ((a{1000}){1000}){1000}", "repetition"),
        ('is-json: {"type": "objec"}', "no valid JSON schema"),
        ('is-json: {"$ref": "http://127.0.0.1:9/x"}', "only local references"),
        ('is-json: {"$ref": "file:///etc/passwd"}', "only local references"),
        ("is-json: 5", "takes a JSON schema as its value"),
        ("is-json: {", "JSON schema: The JSON is not valid"),
        ("word-count: many", "must be a number"),
        ('word-count: {"min": 5, "max": 2}', "min above its max"),
        ("contains: {{nobody}}", "“nobody” has no value"),
    ],
)
def test_expectations_that_cannot_be_kept_are_refused_by_name_at_their_row(text: str, words: str) -> None:
    cell = text.replace('"', '""')
    [problem] = problems(f'prompt,__expected\n"two\nlines",x\nHi,"{cell}"', "a.csv")
    assert problem.line == 4
    assert words in problem.message


def test_a_text_that_looks_like_an_unknown_check_is_read_as_the_answer_and_noted() -> None:
    found = suite("prompt,__expected\nHi,contains-most: a", "a.csv")
    assert found.prompts[0].checks == (Check("equals", "contains-most: a"),)
    assert found.notes == ("Line 2: “contains-most: a” names no known check and was read as the exact answer.",)


@pytest.mark.parametrize(
    ("header", "row", "line", "words"),
    [
        ("prompt,_expected,__metric", "a,b,c", 1, "write “__expected”"),
        ("prompt,__config:__expected:weight", "a,1", 1, "__config:__expected1:threshold"),
        ("prompt,__threshold", "a,2", 2, "from 0 to 1"),
        ("prompt,__threshold", "a,nan", 2, "must be a number"),
        ("prompt,__providerOutput", "a,b", 2, "asks no model"),
        ("a,b,__expected", "x,y,z", 2, "come without a prompt"),
    ],
)
def test_special_columns_that_cannot_be_kept(header: str, row: str, line: int, words: str) -> None:
    [problem] = problems(f"{header}\n{row}\n", "a.csv")
    assert problem.line == line
    assert words in problem.message


def test_prefix_and_suffix_stand_around_the_prompt() -> None:
    found = suite('q,__prefix,__suffix\n2+2?,Reckon: ," For {{q}}"\n', "a.csv")
    assert found.prompts[0].messages[0].content == "Reckon: 2+2? For 2+2?"


def test_an_explosive_pattern_is_harmless_for_it_runs_in_linear_time() -> None:
    import re2

    pattern = expectation("regex: ^(a+)+$").value
    assert re2.search(pattern, "a" * 100_000 + "!") is None


def test_faults_before_an_unreadable_place_are_told_with_it() -> None:
    assert places('prompt,id\n,a\nok,b\n"open', "a.csv") == [2, 4]
