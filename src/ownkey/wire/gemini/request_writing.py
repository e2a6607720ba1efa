"""A Conversation into a generateContent request for a provider."""

from collections.abc import Collection
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import encode, refuse_required, unsupported
from ownkey.wire.format import Written
from ownkey.wire.gemini import thinking
from ownkey.wire.gemini.contents import write_contents
from ownkey.wire.neutral import Conversation, Sampling, Tool, ToolChoice


def write(conversation: Conversation, model: str, stream: bool, quirks: Collection[str] = ()) -> Written:
    """The address names the model and says whether to stream; the body tells neither."""
    del stream, quirks
    dropped: list[str] = []
    native = conversation.origin is WireFormat.GEMINI
    if not native:
        refuse_required(conversation.required)
        dropped += conversation.hints
    signed = native or not thinking.takes_level(model)
    system, contents = write_contents(conversation, dropped, skip_validation=not signed)
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    _tools(conversation, body, dropped)
    config = _config(conversation, dropped)
    thinking.write(conversation.thinking, model, config, dropped)
    if config:
        body["generationConfig"] = config
    if conversation.user is not None:
        dropped.append("metadata.user_id" if conversation.origin is WireFormat.ANTHROPIC_MESSAGES else "user")
    if native:
        for name, value in (conversation.required | conversation.hints).items():
            _put(body, name, value, dropped)
    return Written(encode(body), tuple(dict.fromkeys(dropped)))


def _put(body: dict[str, Any], name: str, value: Any, dropped: list[str]) -> None:
    """A field that Google alone has, in its place; those of single parts are not carried."""
    head, _, tail = name.partition(".")
    if value is None:
        dropped.append(name)
    elif head == "tools":
        body.setdefault("tools", []).append({tail: value})
    elif tail:
        inner, _, rest = tail.partition(".")
        target = body.setdefault(head, {})
        if rest:
            target.setdefault(inner, {})[rest] = value
        else:
            target[inner] = value
    else:
        body[name] = value


def _config(conversation: Conversation, dropped: list[str]) -> dict[str, Any]:
    sampling = conversation.sampling
    _refuse_unknown(sampling)
    if conversation.max_tokens is not None and conversation.max_tokens < 1:
        raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
    values: dict[str, Any] = {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "maxOutputTokens": conversation.max_tokens,
        "stopSequences": conversation.stop or None,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
    }
    config = {name: value for name, value in values.items() if value is not None}
    wanted = conversation.output
    if wanted is not None:
        config["responseMimeType"] = "application/json"
        if wanted.schema is not None:
            config["responseJsonSchema"] = wanted.schema
        if wanted.description is not None:
            dropped.append("response_format.json_schema.description")
    return config


def _refuse_unknown(sampling: Sampling) -> None:
    unknown: dict[str, Any] = {
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs,
        "n": sampling.choices if sampling.choices > 1 else None,
    }
    for name, value in unknown.items():
        if value:
            raise unsupported(name, "cannot be translated for the chosen provider, which speaks Gemini's format.")


def _tools(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    choice = conversation.tool_choice or ToolChoice("auto")
    tools = conversation.tools
    if choice.allowed is not None and choice.mode == "auto":
        # With AUTO, Google takes no list of allowed names: the tools themselves are narrowed.
        tools = tuple(tool for tool in tools if tool.name in choice.allowed)
    if not tools:
        return
    if conversation.parallel_tools is False:
        raise unsupported("parallel_tool_calls", "cannot forbid several calls at once at the chosen provider.")
    if any(tool.cache is not None for tool in tools):
        dropped.append("cache_control")
    body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in tools]}]
    calling = _calling(choice, strict=any(tool.strict for tool in tools))
    if calling is not None:
        body["toolConfig"] = {"functionCallingConfig": calling}


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.parameters is not None:
        written["parametersJsonSchema"] = tool.parameters
    return written


def _calling(choice: ToolChoice, strict: bool) -> dict[str, Any] | None:
    """VALIDATED leaves the choice to the model and holds it to the schemas, as `strict` asks."""
    if choice.mode == "auto":
        return {"mode": "VALIDATED"} if strict else None
    if choice.mode == "none":
        return {"mode": "NONE"}
    allowed = (choice.name,) if choice.mode == "tool" else choice.allowed
    return {"mode": "ANY", "allowedFunctionNames": allowed} if allowed else {"mode": "ANY"}
