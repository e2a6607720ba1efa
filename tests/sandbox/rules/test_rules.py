"""Each rule refuses its request in the vendor's words and format, and accepts the nearest fit one."""

from datetime import date

import pytest
from tests.sandbox.rules import cases, more_cases
from tests.sandbox.rules.asking import Json, ask
from tests.sandbox.rules.cases import PLAIN, Case

from ownkey.domain.formats import WireFormat
from ownkey.sandbox import Options
from ownkey.sandbox.app import Sandbox
from ownkey.sandbox.rules import RULES

_TABLES = (
    ("claude-", cases.CLAUDE),
    ("anthropic-", cases.ANTHROPIC),
    ("openai-", cases.OPENAI),
    ("responses-", cases.RESPONSES),
    ("gemini-", more_cases.GEMINI),
    ("mistral-", more_cases.MISTRAL),
    ("groq-", more_cases.GROQ),
    ("deepseek-", more_cases.DEEPSEEK),
    ("xai-", more_cases.XAI),
    ("cohere-", more_cases.COHERE),
    ("bedrock-", more_cases.BEDROCK),
)
CASES = {prefix + name: case for prefix, table in _TABLES for name, case in table.items()}
BASES: dict[WireFormat, Json] = {
    WireFormat.OPENAI_CHAT: {"messages": [PLAIN]},
    WireFormat.OPENAI_RESPONSES: {"input": "hi"},
    WireFormat.ANTHROPIC_MESSAGES: {"messages": [PLAIN], "max_tokens": 100},
    WireFormat.COHERE_CHAT: {"messages": [PLAIN]},
    WireFormat.GEMINI: {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    WireFormat.BEDROCK_CONVERSE: {"messages": [{"role": "user", "content": [{"text": "hi"}]}]},
}
BY_NAME = {rule.name: rule for rule in RULES}
ERRORS = {
    "openai": lambda found: found["error"]["message"],
    "anthropic": lambda found: found["error"]["message"],
    "gemini": lambda found: found["error"]["message"],
    "groq": lambda found: found["error"]["message"],
    "deepseek": lambda found: found["error"]["message"],
    "xai": lambda found: found["error"],
    "mistral": lambda found: str(found["message"]),
    "cohere": lambda found: found["message"],
    "bedrock": lambda found: found["message"],
}
STRICT, LENIENT = Sandbox(Options()), Sandbox(Options(lenient=True))


def asked(sandbox: Sandbox, name: str, case: Case, change: Json) -> tuple[int, Json]:
    rule = BY_NAME[name]
    (format_,) = rule.formats
    body = BASES[format_] | change
    model = body.pop("x-model", case.model)
    return ask(sandbox, rule.providers[0], format_, model, body, case.version)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_refuses_its_request_and_accepts_the_nearest_fit_one(name: str):
    case, rule = CASES[name], BY_NAME[name]
    status, found = asked(STRICT, name, case, case.broken)
    assert status == rule.status, found
    assert case.says in ERRORS[rule.providers[0]](found)
    status, found = asked(STRICT, name, case, case.fit)
    assert status == 200, found


@pytest.mark.parametrize("name", [name for name in CASES if "context" not in name])
def test_a_lenient_sandbox_answers_what_the_rules_refuse(name: str):
    status, found = asked(LENIENT, name, CASES[name], CASES[name].broken)
    assert status == 200, found


def test_every_rule_has_a_case_but_bedrocks_copies_and_names_its_source():
    missing = {rule.name for rule in RULES} - CASES.keys()
    assert {name for name in missing if not name.startswith("bedrock-claude-")} <= {
        # Under these limits stand models that do not take the old name of the field.
        "openai-largest-output-100000-max_tokens",
        "openai-largest-output-128000-max_tokens",
    }
    for rule in RULES:
        assert rule.source
        assert date.fromisoformat(rule.date)


def test_names_are_given_once():
    assert len(BY_NAME) == len(RULES)


def test_openais_errors_name_the_field_and_a_code():
    _, found = asked(STRICT, "openai-max-tokens", CASES["openai-max-tokens"], {"max_tokens": 9})
    assert (found["error"]["param"], found["error"]["code"]) == ("max_tokens", "unsupported_parameter")


def test_mistrals_errors_list_every_unknown_field_with_its_place():
    case = CASES["mistral-unknown-field"]
    assistant = {"role": "assistant", "content": "a", "reasoning_content": "b"}
    _, found = asked(STRICT, "mistral-unknown-field", case, {"user": "u", "messages": [PLAIN, assistant, PLAIN]})
    places = [each["loc"] for each in found["message"]["detail"]]
    assert places == [["body", "user"], ["body", "messages", 1, "assistant", "reasoning_content"]]
    assert (found["object"], found["type"]) == ("error", "invalid_request_error")


def test_a_models_rules_hold_for_each_segment_of_its_name_and_for_no_other_provider():
    for provider, model, status in (
        ("anthropic", "claude-sonnet-4-5/echo", 400),
        ("anthropic", "echo", 200),
        ("elsewhere", "claude-sonnet-4-5", 200),
    ):
        body = {"messages": [PLAIN], "max_tokens": 9, "temperature": 0.1, "top_p": 0.1}
        found = ask(STRICT, provider, WireFormat.ANTHROPIC_MESSAGES, model, body)
        assert found[0] == status, found
