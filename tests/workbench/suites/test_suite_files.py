"""Reading suite files: what is wrong is told by file, prompt and field."""

from pathlib import Path

import pytest

from ownkey.workbench.records import Check, Message
from ownkey.workbench.suites import CuratedSuites, SuiteFileError
from ownkey.workbench.suites.files import read_suite

HEAD = 'id = "s"\nname = "S"\ndescription = "d"\nlicence = "CC0-1.0"\n'


def written(folder: Path, text: str, name: str = "s.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_a_prompt_has_its_system_message_first_and_texts_without_white_space_around(tmp_path: Path):
    text = HEAD + (
        '[[prompts]]\nid = "a"\nsystem = "\\nBe brief.\\n"\nuser = """\n  Hello?\n"""\nreference = "Hi\\n"\n'
        'checks = [{ type = "latency", threshold = 900.0, weight = 2.0 }]\n'
    )
    suite = read_suite(written(tmp_path, text))
    (prompt,) = suite.prompts
    assert prompt.messages == (Message("system", "Be brief."), Message("user", "Hello?"))
    assert prompt.reference == "Hi"
    assert prompt.checks == (Check("latency", None, 900.0, 2.0),)
    assert suite.info.prompts == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id = ", r"s\.toml: Invalid value"),
        ('id = "s"\n', r"s\.toml: .*missing required field `name`"),
        (HEAD + 'author = "x"\nprompts = []', r"s\.toml: .*unknown field `author`"),
        (HEAD + '[[prompts]]\nuser = "x"', r"s\.toml: prompt number 1: .*`id`"),
        (HEAD + '[[prompts]]\nid = "a"\nuser = 5', r"s\.toml: prompt a: Expected `str`, got `int` - at `\$\.user`"),
        (HEAD + '[[prompts]]\nid = "a"\nuser = " "', r"s\.toml: prompt a: user: the message is empty"),
        (HEAD + '[[prompts]]\nid = "a"\nuser = "x"\nchekcs = []', r"s\.toml: prompt a: .*unknown field `chekcs`"),
        (
            HEAD + '[[prompts]]\nid = "a"\nuser = "x"\nchecks = [{ type = "equals", valeu = "y" }]',
            r"s\.toml: prompt a: .*unknown field `valeu` - at `\$\.checks\[0\]`",
        ),
        (HEAD + '[[prompts]]\nid = "a"\nuser = "x"\n' * 2, r"s\.toml: "),
        (
            HEAD + '[[prompts]]\nid = "a"\nuser = "x"\n' + '[[prompts]]\nid = "a"\nuser = "y"\n',
            r"s\.toml: prompt a: another prompt has this id",
        ),
    ],
)
def test_a_broken_file_is_told_by_its_name_and_the_place(tmp_path: Path, text: str, message: str):
    with pytest.raises(SuiteFileError, match=message):
        read_suite(written(tmp_path, text))


def test_a_file_that_is_not_utf_8_is_told_by_its_name(tmp_path: Path):
    (tmp_path / "s.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SuiteFileError, match=r"s\.toml: .*utf-8"):
        read_suite(tmp_path / "s.toml")


def test_two_files_of_one_suite_id_are_refused(tmp_path: Path):
    written(tmp_path, HEAD + "prompts = []", "a.toml")
    written(tmp_path, HEAD + "prompts = []", "b.toml")
    with pytest.raises(SuiteFileError, match=r"b\.toml: id: another file holds a suite 's'"):
        CuratedSuites(tmp_path).curated_suites()


def test_files_are_read_at_the_first_question_and_once(tmp_path: Path):
    suites = CuratedSuites(tmp_path)
    file = written(tmp_path, HEAD + '[[prompts]]\nid = "a"\nuser = "x"\n')
    written(tmp_path, "not a suite", "readme.md")
    (info,) = suites.curated_suites()
    file.unlink()
    assert [prompt.id for prompt in suites.curated_prompts(info.id)] == ["a"]
