"""One small file of each format, and the suite it must become."""

import pytest
from inline_snapshot import snapshot
from tests.workbench.imports.reading import DATA, suite

from ownkey.workbench.records import Check, Message, Prompt
from ownkey.workbench.suites.imports import Comparison, ImportOptions, Mapping, SuiteFormat


def golden(filename: str, options: ImportOptions | None = None):
    return suite((DATA / filename).read_bytes(), filename, options)


def test_promptfoo_configuration() -> None:
    found = golden("config.yaml")
    assert (found.name, found.description, found.format) == ("config", "Support answers", SuiteFormat.PROMPTFOO_YAML)
    assert found.notes == snapshot(
        (
            (
                "The field “providers” of the configuration was ignored: "
                "prompts, tests, defaultTest and description are read."
            ),
            "model-graded-closedqa was read as llm-rubric: both ask a judge whether a criterion is met.",
        )
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="test-1.prompt-1",
                messages=(Message(role="user", content="You help Acme. Customer: How do I return shoes?"),),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="icontains-any", value=["return", "Acme"], threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Names the 30 days that Acme allows", threshold=0.7, weight=2.0),
                ),
                reference=None,
                tags=("topic:returns", "easy", "shoes"),
                max_tokens=None,
                description="Return of shoes",
                threshold=0.5,
            ),
            Prompt(
                id="test-1.prompt-2",
                messages=(
                    Message(role="system", content="You work for Acme."),
                    Message(role="user", content="How do I return shoes?"),
                ),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="icontains-any", value=["return", "Acme"], threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Names the 30 days that Acme allows", threshold=0.7, weight=2.0),
                ),
                reference=None,
                tags=("topic:returns", "easy", "shoes"),
                max_tokens=None,
                description="Return of shoes",
                threshold=0.5,
            ),
            Prompt(
                id="test-2.prompt-1.case-1",
                messages=(Message(role="user", content="You help Acme. Customer: Is it open today?"),),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="not-regex", value="(?i)i don't know", threshold=None, weight=1.0),
                    Check(type="is-json", value={"type": "object", "required": ["open"]}, threshold=None, weight=1.0),
                    Check(type="word-count", value={"max": 50}, threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Says closed for Sunday", threshold=None, weight=1.0),
                ),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="test-2.prompt-1.case-2",
                messages=(Message(role="user", content="You help Acme. Customer: Is it open on Sunday?"),),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="not-regex", value="(?i)i don't know", threshold=None, weight=1.0),
                    Check(type="is-json", value={"type": "object", "required": ["open"]}, threshold=None, weight=1.0),
                    Check(type="word-count", value={"max": 50}, threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Says closed for Sunday", threshold=None, weight=1.0),
                ),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="test-2.prompt-2.case-1",
                messages=(
                    Message(role="system", content="You work for Acme."),
                    Message(role="user", content="Is it open today?"),
                ),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="not-regex", value="(?i)i don't know", threshold=None, weight=1.0),
                    Check(type="is-json", value={"type": "object", "required": ["open"]}, threshold=None, weight=1.0),
                    Check(type="word-count", value={"max": 50}, threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Says closed for Sunday", threshold=None, weight=1.0),
                ),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="test-2.prompt-2.case-2",
                messages=(
                    Message(role="system", content="You work for Acme."),
                    Message(role="user", content="Is it open on Sunday?"),
                ),
                checks=(
                    Check(type="latency", value=None, threshold=5000.0, weight=1.0),
                    Check(type="not-regex", value="(?i)i don't know", threshold=None, weight=1.0),
                    Check(type="is-json", value={"type": "object", "required": ["open"]}, threshold=None, weight=1.0),
                    Check(type="word-count", value={"max": 50}, threshold=None, weight=1.0),
                    Check(type="llm-rubric", value="Says closed for Sunday", threshold=None, weight=1.0),
                ),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_promptfoo_csv() -> None:
    found = golden("tests.csv", ImportOptions(template="In {{country}}: {{question}}"))
    assert (found.format, found.notes) == snapshot(
        (SuiteFormat.PROMPTFOO_CSV, ("Variables whose text holds {{…}} were put in as they are.",))
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="test-1",
                messages=(Message(role="user", content="In France: What is the capital\nof {{x}} and of France?"),),
                checks=(
                    Check(type="icontains", value="Paris", threshold=None, weight=1.0),
                    Check(type="similar", value="It is Paris", threshold=0.6, weight=1.0),
                ),
                reference=None,
                tags=("topic:geo", "easy", "one,two"),
                max_tokens=None,
                description="Capital",
                threshold=0.5,
            ),
            Prompt(
                id="test-2",
                messages=(Message(role="user", content="In Germany: Who wrote Faust?"),),
                checks=(
                    Check(type="contains-any", value=["Goethe", "von, Goethe"], threshold=None, weight=1.0),
                    Check(type="latency", value=None, threshold=1500.0, weight=1.0),
                ),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="test-3",
                messages=(Message(role="user", content="In : 2+2?"),),
                checks=(Check(type="equals", value="4", threshold=None, weight=1.0),),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_promptfoo_json_lines() -> None:
    found = golden("tests.jsonl", ImportOptions(template="Write {{n}} lines on {{topic}}."))
    assert (found.format, found.notes) == snapshot((SuiteFormat.PROMPTFOO_JSONL, ()))
    assert found.prompts == snapshot(
        (
            Prompt(
                id="test-1",
                messages=(Message(role="user", content="Write 3 lines on bees."),),
                checks=(Check(type="contains", value="bees", threshold=None, weight=1.0),),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="test-2",
                messages=(Message(role="user", content="Write 2 lines on ants."),),
                checks=(Check(type="cost", value=None, threshold=0.01, weight=1.0),),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_openai_evals() -> None:
    found = golden("evals.jsonl")
    assert (found.format, found.notes) == snapshot(
        (SuiteFormat.OPENAI_EVALS, ("An answer passes by the check “starts-with” against ideal.",))
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="row-1",
                messages=(
                    Message(role="system", content="Answer with a letter."),
                    Message(role="user", content="1+1? a) 2 b) 3"),
                    Message(role="assistant", content="a"),
                    Message(role="user", content="2+2? a) 3 b) 4"),
                ),
                checks=(Check(type="starts-with", value="b", threshold=None, weight=1.0),),
                reference="b",
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="row-2",
                messages=(Message(role="user", content="What is the capital of France?"),),
                checks=(Check(type="regex", value="\\A(?:Paris|paris \\(France\\))", threshold=None, weight=1.0),),
                reference="Paris",
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_plain_csv_of_a_european_spreadsheet_keeps_formulas_as_text() -> None:
    found = golden("plain.csv")
    assert (found.format, found.notes) == snapshot(
        (
            SuiteFormat.CSV,
            (
                "The cells were split at “;”.",
                "Read as prompt: “Question”, system: “System Prompt”, id: “ID”, expected: “Answer”, tags: “Tags”.",
                "Not used: “Note”.",
                "An answer passes by the check “icontains” against the expected text.",
            ),
        )
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="q1",
                messages=(Message(role="system", content="Be brief."), Message(role="user", content="What is 2+2?")),
                checks=(Check(type="icontains", value="4", threshold=None, weight=1.0),),
                reference="4",
                tags=("maths", "easy"),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="q2",
                messages=(Message(role="user", content='Say "hi"'),),
                checks=(),
                reference=None,
                tags=("greeting",),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_plain_tsv() -> None:
    found = golden("plain.tsv")
    assert (found.format, found.notes) == snapshot(
        (
            SuiteFormat.TSV,
            (
                "Read as prompt: “prompt”, expected: “expected”.",
                "An answer passes by the check “icontains” against the expected text.",
            ),
        )
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="row-1",
                messages=(Message(role="user", content="Name a colour."),),
                checks=(Check(type="icontains", value="red", threshold=None, weight=1.0),),
                reference="red",
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="row-2",
                messages=(Message(role="user", content="Name a planet."),),
                checks=(),
                reference=None,
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_plain_json() -> None:
    found = golden("plain.json")
    assert (found.format, found.notes) == snapshot(
        (
            SuiteFormat.JSON,
            (
                "Read as prompt: “prompt”, id: “id”, expected: “expected”, tags: “tags”.",
                "An answer passes by the check “icontains” against the expected text.",
                "Read as prompt: “prompt”, reference: “reference”.",
            ),
        )
    )
    assert found.prompts == snapshot(
        (
            Prompt(
                id="7",
                messages=(Message(role="user", content="Name a colour."),),
                checks=(Check(type="icontains-any", value=["red", "blue"], threshold=None, weight=1.0),),
                reference="red",
                tags=("a", "b"),
                max_tokens=None,
                description="",
                threshold=None,
            ),
            Prompt(
                id="row-2",
                messages=(
                    Message(role="user", content="Hi"),
                    Message(role="assistant", content="Hello"),
                    Message(role="user", content="Bye"),
                ),
                checks=(),
                reference="Goodbye",
                tags=(),
                max_tokens=None,
                description="",
                threshold=None,
            ),
        )
    )


def test_a_mapping_says_what_the_columns_are() -> None:
    options = ImportOptions(
        mapping=Mapping(prompt="Note", id="ID", expected="Question"), comparison=Comparison.EQUALS, name="Mine"
    )
    found = golden("plain.csv", options)
    assert found.name == "Mine"
    assert found.prompts[1].messages == (Message("user", "=cmd|'/C calc'!A0"),)
    assert found.prompts[1].checks == (Check("equals", 'Say "hi"'),)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_and_line_ends_of_every_system(codec: str) -> None:
    for end in ("\n", "\r\n", "\r"):
        text = f"prompt,expected{end}Größe?,„ja“{end}"
        assert suite(text.encode(codec), "a.csv").prompts == (
            Prompt("row-1", (Message("user", "Größe?"),), (Check("icontains", "„ja“"),), "„ja“"),
        )
