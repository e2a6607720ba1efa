"""A Conversation into a generateContent request for a provider."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import encode_text, object_raw, refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.gemini import thinking
from ownkey.wire.gemini.thinking import SKIP_VALIDATION
from ownkey.wire.neutral import (
    GEMINI_REASONING,
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)


def write(conversation: Conversation, model: str) -> Draft:
    """The address names the model and says whether to stream; the body tells neither."""
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
        for tool in conversation.hosted:
            body.setdefault("tools", []).append({tool.kind: tool.declared})
        for name, value in (conversation.required | conversation.hints).items():
            _put(body, name, value, dropped)
    return Draft(body, tuple(dict.fromkeys(dropped)))


def _put(body: dict[str, Any], name: str, value: Any, dropped: list[str]) -> None:
    """A field that Google alone has, in its place; those of single parts are not carried."""
    head, _, tail = name.partition(".")
    if value is None:
        dropped.append(name)
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


_IMAGES = {"png": "image/png", "webp": "image/webp", "heic": "image/heic", "heif": "image/heif", "gif": "image/gif"}
"""Media types by a URL's ending; Google wants one, and a photo without an ending is most likely a JPEG."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Writer:
    """Writes the turns of one conversation. `names` are those of the calls so far, by id.

    A signature without thoughts belongs to the part behind it; in chat, where all reasoning comes first and
    calls bear their own, to the text (`signs_calls` is False).
    """

    def __init__(self, dropped: list[str], skip_validation: bool, signs_calls: bool) -> None:
        self._signs_calls = signs_calls
        self._dropped = dropped
        self._skip_validation = skip_validation
        self._names: dict[str, str] = {}

    def parts(self, given: Sequence[Part]) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        behind: list[Part] = []
        signature: str | None = None
        has_call = False
        for part in given:
            if getattr(part, "cache", None) is not None:
                self._dropped.append("cache_control")
            if isinstance(part, Reasoning):
                signature = self._reasoning(part, written) or signature
                continue
            if isinstance(part, ToolResult):
                written.append(self._result(part, behind))
                continue
            signs = True
            if isinstance(part, ToolCall):
                signs = self._signs_calls and part.signature is None
                new = self._call(part, first=not (has_call or (signs and signature is not None)))
                has_call = True
            elif isinstance(part, Text | Refusal):
                if not part.text:
                    continue
                new = {"text": part.text}
            else:
                new = self._file(part)
            if signs and signature is not None:
                new["thoughtSignature"] = signature
                signature = None
            written.append(new)
        if signature is not None:
            written.append({"text": "", "thoughtSignature": signature})
        written.sort(key=_after_results)
        return written + self.parts(behind) if behind else written

    def _reasoning(self, part: Reasoning, written: list[dict[str, Any]]) -> str | None:
        """Gemini's own thoughts go back; a signature alone belongs to the next part and is returned for it."""
        if part.format != GEMINI_REASONING:
            self._dropped.append("reasoning_content")
            return None
        if part.text or part.signature is not None:
            thought: dict[str, Any] = {"text": part.text, "thought": True}
            if part.signature is not None:
                thought["thoughtSignature"] = part.signature
            written.append(thought)
        return part.redacted

    def _call(self, part: ToolCall, first: bool) -> dict[str, Any]:
        self._names[part.id] = part.name
        call = {"id": part.id, "name": part.name, "args": object_raw(part.arguments)}
        written: dict[str, Any] = {"functionCall": call}
        if part.signature is not None:
            written["thoughtSignature"] = part.signature
        elif first and self._skip_validation:
            written["thoughtSignature"] = SKIP_VALIDATION
        return written

    def _result(self, result: ToolResult, behind: list[Part]) -> dict[str, Any]:
        """Files go behind the results: only some models take them inside."""
        name = self._names.get(result.call_id)
        if name is None:
            text = f"The tool result {result.call_id[:100]!r} answers no call of this conversation."
            raise InvalidRequest(text, param="messages.tool_call_id")
        texts: list[str] = []
        files: list[Part] = []
        for part in result.parts:
            if isinstance(part, Text) or (isinstance(part, Document) and part.text is not None):
                texts.append(part.text or "")
            else:
                files.append(part)
        if files:
            behind += [Text(f"Files returned by the tool call {result.call_id}:"), *files]
        return {"functionResponse": {"id": result.call_id, "name": name, "response": _response(texts, result.is_error)}}

    def _file(self, part: Image | Document) -> dict[str, Any]:
        if isinstance(part, Image):
            if part.detail not in (None, "auto"):
                self._dropped.append("image_url.detail")
            if part.url is not None:
                ending = part.url.partition("?")[0].rpartition(".")[2].lower()
                return {"fileData": {"fileUri": part.url, "mimeType": _IMAGES.get(ending, "image/jpeg")}}
            return {"inlineData": {"mimeType": part.media_type, "data": part.data}}
        if part.name is not None:
            self._dropped.append("file.filename")
        if part.text is not None:
            return {"text": part.text}
        if part.url is not None:
            return {"fileData": {"fileUri": part.url, "mimeType": part.media_type}}
        return {"inlineData": {"mimeType": part.media_type, "data": part.data}}


def write_contents(
    conversation: Conversation, dropped: list[str], skip_validation: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The parts of the system instruction, and the contents; neighbours of one role become one content.

    `skip_validation` marks calls that come without Gemini's signature. Raises InvalidRequest.
    """
    writer = _Writer(dropped, skip_validation, signs_calls=conversation.origin is not WireFormat.OPENAI_CHAT)
    system = writer.parts(conversation.system)
    contents: list[dict[str, Any]] = []
    for turn in conversation.turns:
        if turn.name is not None:
            dropped.append("messages.name")
        parts = writer.parts(turn.parts)
        if turn.role == "system":
            dropped.append("messages.role")
            system += parts
            continue
        role = "model" if turn.role == "assistant" else "user"
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] = sorted(contents[-1]["parts"] + parts, key=_after_results)
        else:
            contents.append({"role": role, "parts": parts})
    if contents and contents[-1]["role"] == "model" and conversation.origin is WireFormat.ANTHROPIC_MESSAGES:
        # Anthropic's models go on from there; Gemini's begin a message of their own.
        dropped.append("messages.prefill")
    return system, contents


def _after_results(part: dict[str, Any]) -> bool:
    """Results must come first in the content that follows a call."""
    return "functionResponse" not in part


def _response(texts: list[str], is_error: bool) -> Any:
    """Google's keys: `output` and `error`; without them the whole object is the output."""
    text = "\n".join(texts)
    if is_error:
        return {"error": text or "The tool reported an error."}
    if text.lstrip().startswith("{"):
        data = encode_text(text)
        try:
            fields = _OBJECT.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return {"output": text}
        if "error" not in fields:
            return msgspec.Raw(data)
    return {"output": text}
