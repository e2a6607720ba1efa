"""Runs in an environment with LangChain's packages and prints what they saw as JSON.

Usage: langchain_client.py VENDOR PROVIDERS LIMITED_KEY; VENDOR (openai, anthropic or google) chooses
the package, which is pointed by that vendor's variables.
"""

# pyright: reportMissingImports=false
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

TOOL: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
STATUSES = (401, 403, 404, 429, 500, 503)


def main(vendor: str, providers: str, limited_key: str) -> dict[str, Any]:
    package = {"google": "langchain-google-genai"}.get(vendor, f"langchain-{vendor}")
    make = {"openai": openai_model, "anthropic": anthropic_model, "google": google_model}[vendor]
    saw: dict[str, Any] = {"version": version(package)}
    if vendor == "openai":
        saw["embeddings"] = openai_embeddings()
    return saw | {"providers": {name: use(make, limited_key, name) for name in providers.split(",")}}


def openai_model(model: str, **options: Any) -> Any:
    from langchain_openai import ChatOpenAI

    # With an address other than OpenAI's it asks for no usage in streams unless told to.
    return ChatOpenAI(model=model, max_retries=0, stream_usage=True, include_response_headers=True, **options)


def openai_embeddings() -> int:
    from langchain_openai import OpenAIEmbeddings

    # Texts as they are: counting tokens beforehand would download a vocabulary.
    embeddings = OpenAIEmbeddings(model="openai/text-embedding-3-small", check_embedding_ctx_length=False)
    return len(embeddings.embed_documents(["a", "b"]))


def anthropic_model(model: str, **options: Any) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=model, max_retries=0, **options)


def google_model(model: str, **options: Any) -> Any:
    from langchain_google_genai import ChatGoogleGenerativeAI

    # The package names it so: the first try counts.
    return ChatGoogleGenerativeAI(model=model, max_retries=1, **options)


def use(make: Callable[..., Any], limited_key: str, provider: str) -> dict[str, Any]:
    return {
        "chat": chat(make(f"{provider}/echo")),
        "stream": stream(make(f"{provider}/echo")),
        "tools": tools(make(f"{provider}/tool")),
        "errors": {status: failure(make(f"{provider}/error-{status}"), False) for status in STATUSES},
        "streamed_errors": {status: failure(make(f"{provider}/error-{status}"), True) for status in STATUSES},
        "broken_streams": {fault: failure(make(f"{provider}/{fault}"), True) for fault in ("cut", "stream-error")},
        "limited": failure(make(f"{provider}/echo", api_key=limited_key), False),
        "receipt": receipt(make(f"{provider}/echo")),
    }


def chat(model: Any) -> dict[str, Any]:
    answer = model.invoke([("system", "Be brief."), ("human", "Hello there")])
    metadata = answer.response_metadata
    stop = metadata.get("finish_reason") or metadata.get("stop_reason")
    return {"text": answer.text, "stop": stop, "output": answer.usage_metadata["output_tokens"]}


def stream(model: Any) -> dict[str, Any]:
    chunks = list(model.stream("one two three four"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return {"text": whole.text, "output": whole.usage_metadata["output_tokens"]}


def tools(model: Any) -> dict[str, Any]:
    from langchain_core.messages import HumanMessage, ToolMessage

    able = model.bind_tools([TOOL])
    messages: list[Any] = [HumanMessage("weather in Oslo?")]
    first = able.invoke(messages)
    call = first.tool_calls[0]
    messages += [first, ToolMessage("4 degrees", tool_call_id=call["id"])]
    final = able.invoke(messages)
    metadata = first.response_metadata
    stop = metadata.get("finish_reason") or metadata.get("stop_reason")
    return {"stop": stop, "name": call["name"], "input": sorted(call["args"]), "text": final.text}


def failure(model: Any, streamed: bool) -> dict[str, Any]:
    try:
        list(model.stream("one two three four")) if streamed else model.invoke("one two three four")
    except Exception as error:  # noqa: BLE001 (which class it is, is what we came for)
        response = getattr(error, "response", None)
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", getattr(error, "code", None)),
            "retry_after": response.headers.get("retry-after") if response is not None else None,
        }
    return {"class": None}


def receipt(model: Any) -> dict[str, Any] | None:
    headers = model.invoke("one two three four").response_metadata.get("headers")
    return headers and {name: headers.get(f"x-ownkey-{name}") for name in ("provider", "payer", "attempts")}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201
