"""Runs in an environment with the `google-genai` package and prints what it saw as JSON.

Usage: google_genai_client.py PROVIDERS LIMITED_KEY, pointed by GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY.
"""

import json
import sys
from typing import Any

from google import genai
from google.genai import errors, types

WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters_json_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
STATUSES = (400, 401, 403, 404, 429, 500, 503)
QUESTION = "one two three four"


def main(providers: str, limited_key: str) -> dict[str, Any]:
    with genai.Client() as client, genai.Client(api_key=limited_key) as limited:
        embedded = client.models.embed_content(model="gemini/gemini-embedding-001", contents=["a", "b"])
        counted = client.models.count_tokens(model="gemini/echo", contents=QUESTION)
        return {
            "version": genai.__version__,
            "embeddings": len(embedded.embeddings or ()),
            "counted": counted.total_tokens,
            "models": [(model.name or "").removeprefix("models/") for model in client.models.list()],
            "providers": {name: use(client, limited, name) for name in providers.split(",")},
        }


def use(client: Any, limited: Any, provider: str) -> dict[str, Any]:
    return {
        "chat": chat(client, provider),
        "stream": stream(client, provider),
        "tools": tools(client, provider),
        "errors": {status: failure(client, f"{provider}/error-{status}", False) for status in STATUSES},
        "streamed_errors": {status: failure(client, f"{provider}/error-{status}", True) for status in STATUSES},
        "broken_streams": {fault: failure(client, f"{provider}/{fault}", True) for fault in ("stream-error",)},
        "limited": failure(limited, f"{provider}/echo", False),
        "receipt": receipt(client, provider),
    }


def chat(client: Any, provider: str) -> dict[str, Any]:
    config = types.GenerateContentConfig(system_instruction="Be brief.")
    answer = client.models.generate_content(model=f"{provider}/echo", contents="Hello there", config=config)
    stop = answer.candidates[0].finish_reason.value
    return {"text": answer.text, "stop": stop, "output": answer.usage_metadata.candidates_token_count}


def stream(client: Any, provider: str) -> dict[str, Any]:
    chunks = list(client.models.generate_content_stream(model=f"{provider}/echo", contents=QUESTION))
    text = "".join(chunk.text or "" for chunk in chunks)
    return {"text": text, "output": chunks[-1].usage_metadata.candidates_token_count}


def tools(client: Any, provider: str) -> dict[str, Any]:
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])])
    contents = [types.UserContent("weather in Oslo?")]
    first = client.models.generate_content(model=f"{provider}/tool", contents=contents, config=config)
    call = first.function_calls[0]
    result = types.Part.from_function_response(name=call.name, response={"result": "4 degrees"})
    contents += [first.candidates[0].content, types.UserContent(result)]
    final = client.models.generate_content(model=f"{provider}/tool", contents=contents, config=config)
    return {
        "stop": first.candidates[0].finish_reason.value,
        "name": call.name,
        "input": sorted(call.args),
        "text": final.text,
    }


def failure(client: Any, model: str, streamed: bool) -> dict[str, Any]:
    try:
        if streamed:
            list(client.models.generate_content_stream(model=model, contents=QUESTION))
        else:
            client.models.generate_content(model=model, contents=QUESTION)
    except errors.APIError as error:
        headers = getattr(error.response, "headers", {})
        return {"class": type(error).__name__, "status": error.code, "retry_after": headers.get("retry-after")}
    return {"class": None}


def receipt(client: Any, provider: str) -> dict[str, Any]:
    headers = client.models.generate_content(model=f"{provider}/echo", contents=QUESTION).sdk_http_response.headers
    return {name: headers.get(f"x-ownkey-{name}") for name in ("provider", "payer", "attempts")}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201
