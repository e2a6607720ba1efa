"""`sandbox:call` in the user's words leads the `tool` and `tools` models through an agent's work."""

from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

from ownkey.sandbox.behaviours.invocation import Directive, directives_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("hello", []),
        ('sandbox:call Read {"file_path": "/tmp/x"}', [Directive("Read", '{"file_path": "/tmp/x"}')]),
        ('Please: sandbox:call Read {"a": "}"} and go on', [Directive("Read", '{"a": "}"}')]),
        (
            'sandbox:call mcp__files__read {\n  "a": {"b": 1}\n}',
            [Directive("mcp__files__read", '{\n  "a": {"b": 1}\n}')],
        ),
        ("sandbox:call A {} sandbox:call B {}", [Directive("A", "{}"), Directive("B", "{}")]),
        ("sandbox:call Read", []),
        ("sandbox:call Read [1]", []),
        ('sandbox:call Read {"a": }', []),
        ("sandbox:call A {broken sandbox:call B {}", [Directive("B", "{}")]),
        ("sandbox:call A " + '{"a":' * 100_000, []),
    ],
    ids=["empty", "none", "plain", "in-text", "lines", "two", "bare", "array", "broken", "after-broken", "deep"],
)
def test_directions_are_found(text: str, found: list[Directive]) -> None:
    assert directives_in(text) == found


def tool(name: str) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


async def calls(client: AsyncOpenAI, model: str, text: str, **more: Any) -> list[tuple[str, str]]:
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], tools=[tool("First"), tool("Read")], **more
    )
    made: list[Any] = list(answer.choices[0].message.tool_calls or ())
    return [(call.function.name, call.function.arguments) for call in made]


async def test_tool_calls_what_it_is_told_to(openai_client: AsyncOpenAI) -> None:
    told = 'Read it.\nsandbox:call Read {"path": "/x"}'
    assert await calls(openai_client, "tool", told) == [("Read", '{"path": "/x"}')]
    assert await calls(openai_client, "tool", "Read it.") == [("First", "{}")]


async def test_tools_makes_every_call_it_is_told_to(openai_client: AsyncOpenAI) -> None:
    told = 'sandbox:call Read {"path": "/x"}\nsandbox:call Read {"path": "/y"}'
    assert await calls(openai_client, "tools", told) == [("Read", '{"path": "/x"}'), ("Read", '{"path": "/y"}')]
    assert await calls(openai_client, "tools", told, parallel_tool_calls=False) == [("Read", '{"path": "/x"}')]


async def test_a_forced_tool_outranks_the_direction(openai_client: AsyncOpenAI) -> None:
    forced = {"type": "function", "function": {"name": "First"}}
    assert await calls(openai_client, "tool", "sandbox:call Read {}", tool_choice=forced) == [("First", "{}")]


async def test_a_tool_that_is_not_offered_cannot_be_called(openai_client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match="'Write'"):
        await calls(openai_client, "tool", "sandbox:call Write {}")
