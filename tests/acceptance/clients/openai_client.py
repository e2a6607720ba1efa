"""Runs in an environment with some `openai` package and prints what it saw as JSON.

Usage: openai_client.py PROVIDERS LIMITED_KEY, pointed by OPENAI_BASE_URL and OPENAI_API_KEY. Only what
every major of the package has is used.
"""

import json
import sys
from typing import Any

import openai

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503, 529)
QUESTION: list[Any] = [{"role": "user", "content": "one two three four"}]


def main(providers: str, limited_key: str) -> dict[str, Any]:
    client = openai.OpenAI(max_retries=0)
    limited = openai.OpenAI(max_retries=0, api_key=limited_key)
    embedded = client.embeddings.create(model="openai/text-embedding-3-small", input=["a", "b"])
    return {
        "version": openai.__version__,
        "embeddings": len(embedded.data),
        "models": [model.id for model in client.models.list()],
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
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]
    answer = client.chat.completions.create(model=f"{provider}/echo", messages=messages)
    choice = answer.choices[0]
    return {"text": choice.message.content, "stop": choice.finish_reason, "output": answer.usage.completion_tokens}


def stream(client: Any, provider: str) -> dict[str, Any]:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(model=f"{provider}/echo", messages=QUESTION, **options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return {"text": text, "output": chunks[-1].usage.completion_tokens}


def tools(client: Any, provider: str) -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": "weather in Oslo?"}]
    asked: dict[str, Any] = {"model": f"{provider}/tool", "messages": messages, "tools": [TOOL]}
    first = client.chat.completions.create(**asked).choices[0]
    call = first.message.tool_calls[0]
    messages += [
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "4 degrees"},
    ]
    final = client.chat.completions.create(**asked)
    return {
        "stop": first.finish_reason,
        "name": call.function.name,
        "input": sorted(json.loads(call.function.arguments)),
        "text": final.choices[0].message.content,
    }


def failure(client: Any, model: str, streamed: bool) -> dict[str, Any]:
    try:
        answer = client.chat.completions.create(model=model, messages=QUESTION, stream=streamed)
        if streamed:
            list(answer)
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "id": bool(error.request_id),
            "retry_after": error.response.headers.get("retry-after"),
        }
    except openai.APIError as error:
        return {"class": type(error).__name__}
    return {"class": None}


def receipt(client: Any, provider: str) -> dict[str, Any]:
    raw = client.chat.completions.with_raw_response.create(model=f"{provider}/echo", messages=QUESTION)
    return {name: raw.headers.get(f"x-ownkey-{name}") for name in ("provider", "payer", "attempts")}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201
