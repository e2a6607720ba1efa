"""Runs in an environment with some `anthropic` package and prints what it saw as JSON.

Usage: anthropic_client.py PROVIDERS LIMITED_KEY, pointed by ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
Only what every major of the package has is used.
"""

import json
import sys
from typing import Any

import anthropic

TOOL: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
STATUSES = (400, 401, 403, 404, 413, 422, 429, 500, 503, 529)
QUESTION: list[Any] = [{"role": "user", "content": "one two three four"}]


def main(providers: str, limited_key: str) -> dict[str, Any]:
    client = anthropic.Anthropic(max_retries=0)
    limited = anthropic.Anthropic(max_retries=0, api_key=limited_key)
    return {
        "version": anthropic.__version__,
        "models": [model.id for model in client.models.list(limit=1000)],
        "providers": {name: use(client, limited, name) for name in providers.split(",")},
    }


def use(client: Any, limited: Any, provider: str) -> dict[str, Any]:
    return {
        "chat": chat(client, provider),
        "stream": stream(client, provider),
        "tools": tools(client, provider),
        "errors": {status: failure(client, f"{provider}/error-{status}", False) for status in STATUSES},
        "streamed_errors": {status: failure(client, f"{provider}/error-{status}", True) for status in STATUSES},
        "broken_streams": {fault: failure(client, f"{provider}/{fault}", True) for fault in ("cut", "stream-error")},
        "limited": failure(limited, f"{provider}/echo", False),
        "receipt": receipt(client, provider),
    }


def chat(client: Any, provider: str) -> dict[str, Any]:
    answer = client.messages.create(
        model=f"{provider}/echo",
        max_tokens=50,
        system="Be brief.",
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hello there"}]}],
    )
    return {"text": answer.content[0].text, "stop": answer.stop_reason, "output": answer.usage.output_tokens}


def stream(client: Any, provider: str) -> dict[str, Any]:
    with client.messages.stream(model=f"{provider}/echo", max_tokens=50, messages=QUESTION) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    return {"text": text, "output": final.usage.output_tokens}


def tools(client: Any, provider: str) -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": "weather in Oslo?"}]
    asked: dict[str, Any] = {"model": f"{provider}/tool", "max_tokens": 50, "tools": [TOOL], "messages": messages}
    with client.messages.stream(**asked) as events:
        first = events.get_final_message()
    use = next(block for block in first.content if block.type == "tool_use")
    messages += [
        {"role": "assistant", "content": [{"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "4 degrees"}]},
    ]
    final = client.messages.create(**asked)
    return {"stop": first.stop_reason, "name": use.name, "input": sorted(use.input), "text": final.content[0].text}


def failure(client: Any, model: str, streamed: bool) -> dict[str, Any]:
    try:
        answer = client.messages.create(model=model, max_tokens=50, messages=QUESTION, stream=streamed)
        if streamed:
            list(answer)
    except anthropic.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "id": bool(error.request_id),
            "retry_after": error.response.headers.get("retry-after"),
        }
    except anthropic.APIError as error:
        return {"class": type(error).__name__}
    return {"class": None}


def receipt(client: Any, provider: str) -> dict[str, Any]:
    raw = client.messages.with_raw_response.create(model=f"{provider}/echo", max_tokens=50, messages=QUESTION)
    return {name: raw.headers.get(f"x-ownkey-{name}") for name in ("provider", "payer", "attempts")}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201
