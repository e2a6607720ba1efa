"""Names of tools within a provider's rule: the same in every turn, and never one for two tools."""

import pytest

from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.tools.names import NameRule, fitting
from ownkey.wire.tools.passing import ToolWatch

OPENAI = NameRule(64)
GEMINI = NameRule(64, "[a-zA-Z0-9_.:-]", first="[a-zA-Z_]")
LONG = "mcp__plugin_chrome-devtools-mcp_chrome-devtools__list_console_messages"


@pytest.mark.parametrize("name", ["shell", "a" * 64, "mcp__a-b", "9lives"])
def test_a_name_that_fits_stays(name: str) -> None:
    assert fitting([name], OPENAI) == {name: name}


@pytest.mark.parametrize("rule", [OPENAI, GEMINI, NameRule(20)])
@pytest.mark.parametrize("name", [LONG, "a.b/c d", "工具", "9" * 70, "-", "", "x" * 5000, "tool\n", "😀"])
def test_a_name_that_does_not_is_made_to(name: str, rule: NameRule) -> None:
    [sent] = fitting([name], rule).values()
    assert rule.accepts(sent)
    assert fitting(["other", name], rule)[name] == sent


def test_a_shortened_name_can_still_be_read() -> None:
    assert fitting([LONG], OPENAI)[LONG].startswith("mcp__plugin_chrome-devtools-mcp_chrome-devtools__list")


def test_gemini_takes_no_digit_first() -> None:
    assert fitting(["9lives"], GEMINI)["9lives"] != "9lives"


def test_names_that_differ_in_their_ends_alone_stay_apart() -> None:
    names = [f"{'n' * 80}{number}" for number in range(2000)] + ["a.b", "a/b", "a b", "a_b"]
    sent = fitting(names, OPENAI)
    assert len(set(sent.values())) == len(names)
    assert sent["a_b"] == "a_b"


def test_a_tool_that_has_the_shortened_name_of_another_keeps_it() -> None:
    taken = fitting([LONG], OPENAI)[LONG]
    sent = fitting([taken, LONG], OPENAI)
    assert sent[taken] == taken
    assert sent[LONG] != taken
    assert fitting([LONG, taken], OPENAI) == {LONG: sent[LONG], taken: taken}


def test_names_that_begin_with_a_digit_are_replaced_in_requests_that_pass() -> None:
    watched = ToolWatch(WireFormat.OPENAI_CHAT, Facts(tool_name_first="[a-zA-Z_]"))
    tools = [{"type": "function", "function": {"name": name}} for name in ("find", "1st")]
    found = watched.renamed({"tools": tools})
    assert found is not None
    first, second = [tool["function"]["name"] for tool in found[0]["tools"]]
    assert first == "find"
    assert second.startswith("t_1")
    assert found[1].restored(f'{{"name":"{second}"}}'.encode()) == b'{"name":"1st"}'
