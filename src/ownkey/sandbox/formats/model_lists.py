"""Lists of models, in the shape of the vendor that is asked."""

from typing import Any, Literal, cast
from urllib.parse import parse_qs, unquote

from ownkey.sandbox.behaviours import MODEL_NAMES
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer, Context

_CREATED = 1_704_067_200
_WINDOW = 1_000_000


def list_models(context: Context) -> Answer:
    """GET …/models."""
    rows = [_row(context, name) for name in _names(context)]
    match context.vendor.models_shape:
        case "array":
            return context.json(rows)
        case "anthropic":
            return context.json(_page(context, rows))
        case "gemini":
            return context.json({"models": rows})
        case _:
            return context.json({"object": "list", "data": rows})


def get_model(context: Context) -> Answer:
    """GET …/models/<id>; an unknown name is an echo, and so exists."""
    name = unquote(f"/{context.plan.rest}".rpartition("/models/")[2])
    return context.json(_row(context, name))


def _names(context: Context) -> list[str]:
    return [*context.options.models.get(context.plan.provider, ()), *MODEL_NAMES]


def _row(context: Context, name: str) -> dict[str, Any]:
    match context.vendor.models_shape:
        case "anthropic":
            return _anthropic(name)
        case "openrouter":
            return _openrouter(name)
        case "google":
            return {"id": f"models/{name.removeprefix('models/')}", "object": "model", "owned_by": "google"}
        case "gemini":
            return _gemini(name)
        case "array":
            row = _openai(name)
            return {**row, "type": "chat", "display_name": name, "organization": "Ownkey", "context_length": _WINDOW}
        case "openai":
            return _openai(name)


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "ownkey-sandbox"}


def _openrouter(name: str) -> dict[str, Any]:
    full = name if "/" in name else f"sandbox/{name}"
    return {
        "id": full,
        "canonical_slug": full,
        "hugging_face_id": None,
        "name": f"Sandbox: {name}",
        "created": _CREATED,
        "description": "A simulated model of the Ownkey sandbox.",
        "context_length": _WINDOW,
        "architecture": {
            "modality": "text+image->text",
            "input_modalities": ["text", "image"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0.000001", "completion": "0.000001", "request": "0", "image": "0"},
        "top_provider": {"context_length": _WINDOW, "max_completion_tokens": _WINDOW, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": [
            "max_tokens",
            "response_format",
            "stop",
            "temperature",
            "tool_choice",
            "tools",
            "top_p",
        ],
    }


def _gemini(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name.removeprefix('models/')}",
        "version": "001",
        "displayName": f"Sandbox {name}",
        "description": "A simulated model of the Ownkey sandbox.",
        "inputTokenLimit": _WINDOW,
        "outputTokenLimit": _WINDOW,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _anthropic(name: str) -> dict[str, Any]:
    yes = {"supported": True}
    no = {"supported": False}
    return {
        "type": "model",
        "id": name,
        "display_name": f"Sandbox {name}",
        "created_at": "2024-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": None,
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": _WINDOW,
        "max_tokens": _WINDOW,
        "capabilities": {
            "batch": no,
            "citations": no,
            "code_execution": no,
            "context_management": {"supported": False},
            "effort": {"supported": False, "low": no, "medium": no, "high": no, "max": no},
            "image_input": yes,
            "pdf_input": no,
            "server_tools": {"supported": False, "web_search": no, "code_execution": no},
            "structured_outputs": yes,
            "thinking": {
                "supported": True,
                "types": dict.fromkeys(("adaptive", "between_tools", "disabled", "enabled"), yes),
            },
        },
    }


def _page(context: Context, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Anthropic's pages: ?limit= (20), after_id, before_id."""
    query = parse_qs(context.request.head.query.decode("latin-1"))
    limit = _limit(query.get("limit", ["20"])[-1])
    ids = [row["id"] for row in rows]
    for cursor in cast("tuple[Literal['after_id', 'before_id'], ...]", ("after_id", "before_id")):
        if cursor not in query:
            continue
        name = query[cursor][-1]
        if name not in ids:
            raise Refused(Problem(status=400, message=f"{cursor}: {name!r} is not a known model", param=cursor))
        at = ids.index(name)
        if cursor == "after_id":
            rows = rows[at + 1 :]
        else:
            more, rows = at > limit, rows[max(0, at - limit) : at]
            return _listing(rows, more=more)
    return _listing(rows[:limit], more=len(rows) > limit)


def _listing(rows: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    return {
        "data": rows,
        "has_more": more,
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
    }


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1000:
        return int(text)
    raise Refused(Problem(status=400, message="limit: Input should be from 1 to 1000", param="limit"))
