"""Gemini's generateContent as a client speaks it."""

from typing import Any

from tests.acceptance.matrix.questions import PNG, TOOL_SCHEMA, Json, Question, Seen

_STOPS = {"STOP": "end", "MAX_TOKENS": "length", "SAFETY": "refusal"}


class Gemini:
    format = "gemini"

    def path(self, model: str, stream: bool) -> str:
        return f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")

    def body(self, question: Question, model: str, stream: bool) -> Json:
        config: Json = {"maxOutputTokens": question.max_tokens}
        body: Json = {"contents": _contents(question), "generationConfig": config}
        if question.system is not None:
            body["systemInstruction"] = {"parts": [{"text": question.system}]}
        if question.tools:
            declared = [
                {"name": name, "description": name, "parametersJsonSchema": TOOL_SCHEMA} for name in question.tools
            ]
            body["tools"] = [{"functionDeclarations": declared}]
        if question.choice is not None:
            named = {"mode": "ANY", "allowedFunctionNames": [question.choice]}
            plain = {name: {"mode": name.upper()} for name in ("auto", "any", "none")}
            body["toolConfig"] = {"functionCallingConfig": plain.get(question.choice, named)}
        if question.schema is not None or question.any_json:
            config["responseMimeType"] = "application/json"
        if question.schema is not None:
            config["responseJsonSchema"] = question.schema
        if question.think:
            config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": 1024}
        if question.stop:
            config["stopSequences"] = list(question.stop)
        if question.top_k is not None:
            config["topK"] = question.top_k
        if question.choices is not None:
            config["candidateCount"] = question.choices
        return body

    def whole(self, answer: Json) -> Seen:
        return self.streamed([answer])

    def streamed(self, events: list[Json]) -> Seen:
        parts: list[Json] = []
        usage: Json = {}
        stop, error = None, None
        for event in events:
            if "error" in event:
                error = event["error"]["message"]
            usage = event.get("usageMetadata") or usage
            for candidate in event.get("candidates") or ():
                parts += candidate.get("content", {}).get("parts") or []
                stop = candidate.get("finishReason") or stop
        return _seen(parts, stop, usage, error)

    def error(self, answer: Json) -> str:
        assert answer["error"]["status"]
        return answer["error"]["message"]

    def go_on(self, body: Json, answer: Json, results: list[str], prompt: str | None) -> Json:
        said = answer["candidates"][0]["content"]
        calls = [part["functionCall"] for part in said["parts"] if "functionCall" in part]
        parts: list[Json] = []
        for call, result in zip(calls, results, strict=False):
            named = {key: call[key] for key in ("id", "name") if key in call}
            parts.append({"functionResponse": named | {"response": {"result": result}}})
        if prompt is not None:
            parts.append({"text": prompt})
        return body | {"contents": [*body["contents"], said, {"role": "user", "parts": parts}]}


def _contents(question: Question) -> list[Json]:
    contents: list[Json] = []
    for user, model in question.history:
        contents += [{"role": "user", "parts": [{"text": user}]}, {"role": "model", "parts": [{"text": model}]}]
    parts: list[Any] = [{"text": question.prompt}]
    if question.image:
        parts.insert(0, {"inlineData": {"mimeType": "image/png", "data": PNG}})
    return [*contents, {"role": "user", "parts": parts}]


def _seen(parts: list[Json], stop: str | None, usage: Json, error: str | None) -> Seen:
    calls = tuple(
        (part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part
    )
    said = [part["text"] for part in parts if part.get("text") and not part.get("thought")]
    thoughts = usage.get("thoughtsTokenCount") or 0
    return Seen(
        text="".join(said),
        calls=calls,
        # Gemini says STOP for calls, too.
        stop="tool" if calls and stop == "STOP" else _STOPS[stop] if stop else None,
        input=usage.get("promptTokenCount"),
        output=usage["candidatesTokenCount"] + thoughts if "candidatesTokenCount" in usage else None,
        cached=usage.get("cachedContentTokenCount"),
        reasoning="".join(part["text"] for part in parts if part.get("thought")),
        signed=any(part.get("thoughtSignature") for part in parts),
        pieces=len(said),
        error=error,
    )
