"""The text of a free-form tool's call, however its arguments are cut and whatever the model wrote."""

import json

import pytest

from ownkey.wire.neutral import Freeform, Tool
from ownkey.wire.tools.freeform import InputDecoder, as_arguments, as_function, text_of

PATCH = "*** Begin Patch\n*** Update File: \"a.py\"\n-\tx = '\\d'\n+é 漢 😀 \u2028\n*** End Patch\r\n"


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_text_comes_out_as_it_went_in_at_every_cut(ascii_only: bool) -> None:
    arguments = json.dumps({"input": PATCH}, ensure_ascii=ascii_only)
    assert text_of(arguments) == PATCH
    for cut in range(len(arguments) + 1):
        decoder = InputDecoder()
        pieces = [decoder.feed(arguments[:cut]), decoder.feed(arguments[cut:]), decoder.finish()]
        assert "".join(pieces) == PATCH
    decoder = InputDecoder()
    assert "".join(decoder.feed(character) for character in arguments) + decoder.finish() == PATCH


def test_text_streams_before_its_end_is_known() -> None:
    decoder = InputDecoder()
    assert decoder.feed('{"in') == ""
    assert decoder.feed('put": "one') == "one"
    assert decoder.feed("\\n") == "\n"
    assert decoder.feed("two\\u00") == "two"
    assert decoder.feed('e9" }') == "é"
    assert decoder.feed("ignored") == ""
    assert decoder.finish() == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", ""),
        ("{}", ""),
        ('{"patch": "p"}', "p"),
        ('{"why": "w", "input": "i"}', "i"),
        ('{"a": "1", "b": "2"}', '{"a": "1", "b": "2"}'),
        ('{"input": 7}', '{"input": 7}'),
        ('"p"', "p"),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"input": "line\nline"}', "line\nline"),
        ('{"input": "cut\\', "cut"),
        ('{"input": "half \\ud83d"}', "half \ufffd"),
        ('{"input": "\\d"}', "\\d"),
        ("[" * 3000, "[" * 3000),
    ],
)
def test_what_models_write_instead(arguments: str, text: str) -> None:
    assert text_of(arguments) == text


def test_the_function_names_the_grammar() -> None:
    tool = Tool("apply_patch", "Edits files", freeform=Freeform("lark", "start: /.+/s"))
    assert tool.freeform is not None
    written = as_function(tool, tool.freeform)
    assert written.description is not None
    assert written.freeform is None
    assert "start: /.+/s" in written.description
    assert written.description.startswith("Edits files")
    assert written.parameters is not None
    assert list(written.parameters["properties"]) == ["input"]
    assert json.loads(as_arguments(PATCH)) == {"input": PATCH}
