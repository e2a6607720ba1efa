"""Facts of providers and models: rows that cannot be used stop the start and name their place, the others add up."""

from pathlib import Path

import pytest

from ownkey.domain.facts import FactRow, Facts, FactSheet, check_rows, facts_of
from ownkey.domain.formats import WireFormat
from ownkey.providers.catalogue import load_catalogue
from ownkey.providers.rows import CatalogueError

CHAT, CLAUDE = WireFormat.OPENAI_CHAT, WireFormat.ANTHROPIC_MESSAGES
ROW = """
name = "acme"
title = "Acme"
base_url = "https://api.acme.test/v1"

[endpoints]
openai_chat = "/chat/completions"
"""
FACT = '\n[[facts]]\nsource = "https://acme.test/docs"\ndate = "2026-11-30"\n'


def load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(text)
    load_catalogue([file])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'{ROW}{FACT}refuzes = ["user"]\n', "refuzes"),
        (f"{ROW}{FACT}thinking = {{ leest = 5 }}\n", "leest"),
        (f'{ROW}\n[[facts]]\ndate = "2026-11-30"\nrefuses = ["user"]\n', "source"),
        (f'{ROW}\n[[facts]]\nsource = " "\ndate = "2026-11-30"\nrefuses = ["user"]\n', "facts[1].source"),
        (f'{ROW}\n[[facts]]\nsource = "x"\ndate = "lately"\nrefuses = ["user"]\n', "facts[1].date"),
        (f"{ROW}{FACT}", "facts[1]: states no fact"),
        (f'{ROW}{FACT}models = ["gpt-[45]"]\nrefuses = ["user"]\n', "gpt-[45]"),
        (f'{ROW}{FACT}refuses = ["user"]\nknows = ["user", "model"]\n', "'user'"),
        (f"{ROW}{FACT}thinking = {{ least = 9, most = 5 }}\n", "facts[1].thinking"),
        (f'{ROW}{FACT}tool_name_alphabet = "[a"\n', "tool_name_alphabet"),
        (f'{ROW}{FACT}stream_usage = "always"\n{FACT}models = ["m-1"]\nstream_usage = "asked"\n', "facts[2]"),
        (f'{ROW}{FACT}refuses = ["seed"]\n{FACT}models = ["m"]\nrenames = {{ seed = "random_seed" }}\n', "'seed'"),
        (f'{ROW}{FACT}fixed = {{ temperature = 1 }}\n{FACT}models = ["m"]\nfixed = {{ temperature = 0 }}\n', "fixed"),
        (f'{ROW}quirks = ["no_user"]\n'.replace("[endpoints]", 'quirks = ["no_usre"]\n[endpoints]'), "no_usre"),
        (ROW.replace("[endpoints]", 'facts_from = ["nobody"]\n[endpoints]'), "nobody"),
    ],
)
def test_a_row_that_cannot_be_used_stops_the_start_and_names_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, text)
    assert place in str(caught.value)
    assert "acme" in str(caught.value)


def row(**stated: object) -> FactRow:
    return FactRow(source="x", date="2026-11-30", **stated)  # type: ignore[arg-type] # facts by name


def test_patterns_that_can_meet_in_one_model_may_not_differ() -> None:
    with pytest.raises(ValueError, match="contradict each other about largest_output"):
        check_rows([row(models=("gpt-5*",), largest_output=1), row(models=("*-chat",), largest_output=2)])
    check_rows([row(models=("gpt-5*",), largest_output=1), row(models=("gpt-4*",), largest_output=2)])
    apart = row(models=("gpt-5*",), but_not=("gpt-5-chat*",), largest_output=1)
    check_rows([apart, row(models=("gpt-5-chat*",), largest_output=2)])
    chat, claude = row(formats=(CHAT,), largest_output=1), row(formats=(CLAUDE,), largest_output=2)
    check_rows([chat, claude])
    assert facts_of([chat, claude], "any", CLAUDE).largest_output == 2


def test_rows_of_one_model_add_up_whatever_stands_before_its_name() -> None:
    rows = [row(refuses=("user",)), row(models=("claude-3*",), refuses=("seed",), fixed={"n": 1})]
    both = Facts(refuses=("user", "seed"), fixed={"n": 1})
    for model in ("claude-3-opus", "anthropic/claude-3-opus", "eu.anthropic.claude-3-opus-v1:0"):
        assert facts_of(rows, model, CHAT) == both
    assert facts_of(rows, "gpt-4.1", CHAT) == Facts(refuses=("user",))
    sheet = FactSheet(rows, "claude-3-opus")
    assert sheet.in_format(CHAT) is sheet.in_format(CHAT)


def test_an_operators_file_keeps_our_facts_unless_it_states_its_own(tmp_path: Path) -> None:
    ours = load_catalogue().facts()["mistral"]
    file = tmp_path / "mistral.toml"
    file.write_text(ROW.replace("acme", "mistral"))
    assert load_catalogue([file]).facts()["mistral"] == ours
    file.write_text(ROW.replace("acme", "mistral") + FACT + 'refuses = ["user"]\n')
    (stated,) = load_catalogue([file]).facts()["mistral"]
    assert stated.refuses == ("user",)
