"""Files that are no text, or too much of it."""

import pytest
from tests.workbench.imports.reading import places, problems, suite

from ownkey.workbench.suites.imports import (
    ImportLimits,
    ImportOptions,
    Problem,
    SuiteFormat,
    SuiteRejected,
    check_size,
    read_suite,
)


def test_size_is_refused_before_a_byte_is_looked_at() -> None:
    with pytest.raises(SuiteRejected, match=r"209,715,200 bytes; at most 10,000,000"):
        check_size(200 * 2**20, ImportLimits())
    with pytest.raises(SuiteRejected, match="11 bytes; at most 10"):
        read_suite(b"\xff" * 11, "a.csv", ImportOptions(), ImportLimits(max_bytes=10))


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 0, "empty"),
        (b"\xef\xbb\xbf \r\n", 0, "empty"),
        (b"prompt\nok\r\nGr\xfc\xdfe\n", 3, "Byte 14 of the file (0xfc) is not UTF-8"),
        (b"\xef\xbb\xbfprompt\n\xff", 2, "Byte 11 of the file (0xff)"),
        (b"\xff\xfep\0r\0\n\0\x00\xd8", 2, "Byte 9 is not valid UTF-16"),
        (b"\xff\xfe\x00\x00p\0\0\0", 1, "UTF-32"),
        (b"prompt\na\x00b\n", 2, "NUL"),
        (b"PK\x03\x04rest", 0, "Excel"),
        (b"\x1f\x8b\x08", 0, "gzip"),
        (b"PAR1", 0, "Parquet"),
    ],
)
def test_what_is_no_text_is_refused_at_its_place(data: bytes, line: int, words: str) -> None:
    [problem] = problems(data, "a.csv")
    assert problem.line == line
    assert words in problem.message


def test_utf16_without_a_mark_is_refused() -> None:
    [problem] = problems("prompt\nhello\n".encode("utf-16-le"), "a.csv")
    assert "NUL" in problem.message


@pytest.mark.parametrize("filename", ["suite.xyz", "suite", "", "../../etc/passwd", "a\x00b"])
def test_a_file_of_no_known_kind_is_refused_and_says_what_to_do(filename: str) -> None:
    [problem] = problems("just some words", filename)
    assert problem.line == 0
    assert "choose the format" in problem.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"prompt": "a"}\n{"prompt": "b"}', SuiteFormat.JSONL),
        ('[{"prompt": "a"}]', SuiteFormat.JSON),
        ("prompt,tags\na,b", SuiteFormat.CSV),
        ("prompt\ttags\na\tb", SuiteFormat.TSV),
        ("# ours\nprompts: [a]", SuiteFormat.PROMPTFOO_YAML),
        ('{"prompts": ["a"],\n "tests": [{}]}', SuiteFormat.PROMPTFOO_JSON),
    ],
)
def test_the_text_tells_the_format_where_the_ending_does_not(text: str, found: SuiteFormat) -> None:
    assert suite(text, "upload.txt").format is found


def test_lines_of_objects_named_json_are_read_as_lines() -> None:
    assert suite('{"prompt": "a"}\n{"prompt": "b"}\n', "a.json").format is SuiteFormat.JSONL


def test_a_forced_format_wins_over_ending_and_content() -> None:
    found = suite("question,__expected\nHi,contains: x", "a.txt", ImportOptions(format=SuiteFormat.CSV))
    assert found.format is SuiteFormat.CSV
    assert found.prompts[0].checks == ()


def test_at_most_fifty_problems_are_told_and_the_rest_counted() -> None:
    rows = "\n".join(['{"prompt": ""}'] * 60)
    with pytest.raises(SuiteRejected) as caught:
        suite(rows, "a.jsonl")
    assert len(caught.value.problems) == 50
    assert caught.value.more == 10
    assert caught.value.status == 400
    assert caught.value.public == "Line 1: The prompt is blank; fill “prompt”. (and 59 more problems)"


def test_every_faulty_record_is_told_and_good_ones_between_do_not_hide_them() -> None:
    text = 'prompt,id\n"two\nlines",a\nonly one cell\nok,b\n,c\nagain,a\n'
    assert problems(text, "a.csv") == (
        Problem(
            4,
            None,
            "The row has 1 cells, and the header names 2 columns; "
            "put a cell that holds the delimiter or a line break in double quotes.",
        ),
        Problem(6, None, "The prompt is blank; fill “prompt”."),
        Problem(7, None, "The id “a” is taken by the prompt in line 2; ids must differ."),
    )


def test_limits_on_prompts_length_checks_and_all_text() -> None:
    rows = "prompt,expected\n" + "".join(f"{'x' * 9},{'y' * 9}\n" for _ in range(5))
    assert places(rows, "a.csv", max_prompts=4) == [6]
    assert places(rows, "a.csv", max_prompt_characters=8) == [2, 3, 4, 5, 6]
    assert places(rows, "a.csv", max_characters=60) == [4]
    assert places(rows, "a.csv", max_checks=0) == [2, 3, 4, 5, 6]
    assert len(suite(rows, "a.csv", max_prompts=5, max_prompt_characters=9, max_checks=1).prompts) == 5


def test_rows_over_the_limit_are_not_read() -> None:
    """The file is wrong from the first row too many on; nothing of it is seen."""
    good = b'{"prompt": "%s"}\n' % (b"x" * 200)
    data = good * 10_000 + b"{broken\n" * 100_000
    [problem] = problems(data, "big.jsonl", max_bytes=len(data), max_prompts=9_999)
    assert (problem.line, problem.message) == (10_000, "This is prompt 10,000; a suite has at most 9,999.")


def test_faulty_rows_count_too_so_that_a_file_of_them_ends_early() -> None:
    with pytest.raises(SuiteRejected) as caught:
        suite("{broken\n" * 10_000, "a.jsonl", max_prompts=100)
    assert len(caught.value.problems) + caught.value.more == 101
