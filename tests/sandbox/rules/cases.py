"""For each rule a request that breaks it, and its nearest neighbour that does not."""

from typing import Any, NamedTuple

Json = dict[str, Any]


class Case(NamedTuple):
    """Two changes of a plain request to `model`; `says` is a part of the vendor's words."""

    model: str
    broken: Json
    fit: Json
    says: str
    version: str = "2023-06-01"


OBJECT: Json = {"type": "object", "properties": {"a": {"type": "string"}}}
STRICT: Json = OBJECT | {"required": ["a"], "additionalProperties": False}
UNION: Json = OBJECT | {"anyOf": [{"required": ["a"]}]}
LONG = "n" * 65
USER: Json = {"role": "user", "content": "hi, as JSON"}
PLAIN: Json = {"role": "user", "content": "hi"}


def words(count: int) -> Json:
    return {"messages": [{"role": "user", "content": "a " * count}]}


def claude_tool(name: str = "f", schema: Json = OBJECT) -> Json:
    return {"name": name, "input_schema": schema}


def tool(name: str = "f", schema: Json = OBJECT, **more: Any) -> Json:
    return {"type": "function", "function": {"name": name, "parameters": schema} | more}


def response_tool(name: str = "f", schema: Json = OBJECT, **more: Any) -> Json:
    return {"type": "function", "name": name, "parameters": schema} | more


def called(call_id: str = "abcdefgh1", **more: Any) -> list[Json]:
    """A question, a call and its result."""
    call = {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": call_id, "content": "4"}
    return [PLAIN, {"role": "assistant", "content": "", "tool_calls": [call]} | more, result]


def thinking(budget: int = 1024, **more: Any) -> Json:
    return {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": budget}} | more


def image(kind: str) -> Json:
    source = {"type": "base64", "media_type": kind, "data": "AA=="}
    return {"messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}


ADAPTIVE: Json = {"thinking": {"type": "adaptive"}}
FORCED: Json = {"tools": [claude_tool()], "tool_choice": {"type": "any"}}
AUTO: Json = FORCED | {"tool_choice": {"type": "auto"}}
PREFILL: Json = {"messages": [PLAIN, {"role": "assistant", "content": "It is"}]}
OLD, OF_4_6, NEW = "claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5-5"

CLAUDE: dict[str, Case] = {
    "temperature-beside-thinking": Case(
        OLD, thinking(temperature=0.2), thinking(temperature=1), "`temperature` may only be set to 1 when thinking"
    ),
    "top-k-beside-thinking": Case(OLD, thinking(top_k=40), thinking(), "`top_k` must be unset when thinking"),
    "top-p-beside-thinking": Case(
        OLD, thinking(top_p=0.5), thinking(top_p=0.95), "`top_p` must be greater than or equal to 0.95"
    ),
    "forced-tool-beside-thinking": Case(
        OLD, thinking() | FORCED, thinking() | AUTO, "Thinking may not be enabled when tool_choice forces tool use."
    ),
    "least-budget": Case(OLD, thinking(1023), thinking(1024), "budget_tokens: Input should be greater than or equal"),
    "budget-below-limit": Case(
        OLD, thinking(4000), thinking(3999), "`max_tokens` must be greater than `thinking.budget_tokens`."
    ),
    "one-of-temperature-and-top-p": Case(
        OLD, {"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2}, "`temperature` and `top_p` cannot both"
    ),
    "no-sampling": Case(NEW, {"temperature": 0.2}, {"temperature": 1}, "`temperature` is deprecated for this model."),
    "no-budget": Case(NEW, thinking(), ADAPTIVE, '"thinking.type.enabled" is not supported for this model.'),
    "no-adaptive-thinking": Case(OLD, ADAPTIVE, thinking(), "adaptive thinking is not supported on this model"),
    "no-effort": Case(OLD, {"output_config": {"effort": "low"}}, {}, "does not support the effort parameter."),
    "always-thinks": Case(NEW, {"thinking": {"type": "disabled"}}, ADAPTIVE, '"thinking.type.disabled" is not'),
    "no-forced-tool": Case(NEW, FORCED, AUTO, 'tool_choice: type "tool" and "any" are not supported for this model.'),
    "no-prefill": Case(OF_4_6, PREFILL, {}, "does not support assistant message prefill."),
    "empty-text": Case(
        OLD,
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        "text content blocks must be non-empty",
    ),
    **{
        f"largest-output-{most}": Case(
            model, {"max_tokens": most + 1}, {"max_tokens": most}, f"max_tokens: {most + 1} > {most}, which is the"
        )
        for most, model in (
            (4096, "claude-3-haiku-20240307"),
            (8192, "claude-3-5-haiku-20241022"),
            (32_000, "claude-opus-4-1"),
            (64_000, OLD),
            (128_000, NEW),
        )
    },
    "context": Case("claude-haiku-4-5", words(200_001), words(1000), "prompt is too long: 20000"),
    "long-context": Case(OLD, words(1_000_001), words(200_001), "tokens > 1000000 maximum"),
}
ANTHROPIC: dict[str, Case] = {
    "unknown-field": Case(OLD, {"seed": 1}, {"metadata": {"user_id": "u"}}, "seed: Extra inputs are not permitted"),
    "unknown-metadata": Case(OLD, {"metadata": {"team": "a"}}, {"metadata": {"user_id": "u"}}, "metadata.team: Extra"),
    "sampling-under-version": Case(
        OLD, {"temperature": 0.2}, {}, "temperature: Extra inputs are not permitted", "2026-10-21"
    ),
    "tool-name": Case(
        OLD, {"tools": [claude_tool("a.b")]}, {"tools": [claude_tool("a" * 128)]}, "tools.0.custom.name: String should"
    ),
    "root-type": Case(
        OLD,
        {"tools": [claude_tool(schema={"properties": {}})]},
        {"tools": [claude_tool()]},
        "tools.0.custom.input_schema.type: Field required",
    ),
    "root-combination": Case(
        OLD,
        {"tools": [claude_tool(schema=UNION)]},
        {"tools": [claude_tool(schema={"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}})]},
        "input_schema does not support oneOf, allOf, or anyOf at the top level",
    ),
    "choice-without-tools": Case(OLD, {"tool_choice": {"type": "auto"}}, AUTO, "only be specified while providing"),
    "image-type": Case(OLD, image("image/jpg"), image("image/jpeg"), "Input should be 'image/jpeg'"),
}


def formatted(**more: Any) -> Json:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": OBJECT} | more}}


GPT5, O3, GPT4 = "gpt-5", "o3", "gpt-4o"
OPENAI: dict[str, Case] = {
    "unknown-field": Case(GPT4, {"top_k": 4}, {"top_p": 0.4}, "Unknown parameter: 'top_k'."),
    "replayed-reasoning": Case(
        GPT4,
        {"messages": called(reasoning_content="hm"), "tools": [tool()]},
        {"messages": called(), "tools": [tool()]},
        "Unknown parameter: 'messages[1].reasoning_content'.",
    ),
    "max-tokens": Case(GPT5, {"max_tokens": 9}, {"max_completion_tokens": 9}, "Use 'max_completion_tokens' instead."),
    "temperature": Case(GPT5, {"temperature": 0.2}, {"temperature": 1}, "'temperature' does not support 0.2 with"),
    **{
        f"no-{name.replace('_', '-')}": Case(
            O3, {"tools": [tool()], name: value}, {"tools": [tool()]}, f"'{name}' is not supported with this model."
        )
        for name, value in (
            *(("top_p", 0.9), ("presence_penalty", 0.5), ("frequency_penalty", 0.5), ("logprobs", True)),
            *(("logit_bias", {"1": 2}), ("stop", ["x"]), ("parallel_tool_calls", False)),
        )
    },
    "effort-minimal-low-medium-high": Case(
        GPT5, {"reasoning_effort": "none"}, {"reasoning_effort": "minimal"}, "'minimal', 'low', 'medium', and 'high'."
    ),
    "effort-low-medium-high": Case(O3, {"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}, "'minimal' with"),
    "effort-none-low-medium-high": Case(
        "gpt-5.1", {"reasoning_effort": "minimal"}, {"reasoning_effort": "none", "temperature": 0.2}, "'minimal' with"
    ),
    "effort-none-low-medium-high-xhigh": Case(
        "gpt-5.4", {"reasoning_effort": "max"}, {"reasoning_effort": "xhigh"}, "'max' with this model."
    ),
    "no-effort": Case(GPT4, {"reasoning_effort": "low"}, {}, "argument supplied: reasoning_effort"),
    "long-tool-name": Case(GPT4, {"tools": [tool(LONG)]}, {"tools": [tool(LONG[1:])]}, "maximum length 64"),
    "tool-name": Case(GPT4, {"tools": [tool("a.b")]}, {"tools": [tool("a-b")]}, "'tools[0].function.name': string"),
    "most-tools": Case(
        GPT4,
        {"tools": [tool(f"f{index}") for index in range(129)]},
        {"tools": [tool(f"f{index}") for index in range(128)]},
        "maximum length 128, but got an array with length 129",
    ),
    "no-tools": Case(GPT4, {"tools": []}, {}, "Invalid 'tools': empty array."),
    "tool-choice-without-tools": Case(
        GPT4, {"tool_choice": "auto"}, {"tools": [tool()], "tool_choice": "auto"}, "only allowed when 'tools' are"
    ),
    "parallel-tool-calls-without-tools": Case(
        GPT4, {"parallel_tool_calls": True}, {"tools": [tool()], "parallel_tool_calls": True}, "only allowed when"
    ),
    "root-schema": Case(
        GPT4, {"tools": [tool(schema=UNION)]}, {"tools": [tool()]}, "schema must have type 'object' and not have"
    ),
    "strict-function": Case(
        GPT4, {"tools": [tool(strict=True)]}, {"tools": [tool(schema=STRICT, strict=True)]}, "'additionalProperties' is"
    ),
    "strict-format": Case(GPT4, formatted(strict=True), formatted(schema=STRICT, strict=True), "response_format 'a'"),
    "format-name": Case(GPT4, formatted(name="a b"), formatted(), "'response_format.json_schema.name': string does"),
    "word-json": Case(
        GPT4,
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_object"}, "messages": [USER]},
        "must contain the word 'json' in some form",
    ),
    "only-responses": Case("gpt-5-codex", {}, {"x-model": GPT5}, "only supported in v1/responses"),
    **{
        f"largest-output-{most}-{name}": Case(model, {name: most + 1}, {name: most}, f"{name} is too large")
        for most, model, name in (
            (4096, "gpt-3.5-turbo", "max_tokens"),
            (4096, "gpt-3.5-turbo", "max_completion_tokens"),
            (16_384, GPT4, "max_tokens"),
            (16_384, GPT4, "max_completion_tokens"),
            (32_768, "gpt-4.1", "max_tokens"),
            (32_768, "gpt-4.1", "max_completion_tokens"),
            (100_000, O3, "max_completion_tokens"),
            (128_000, GPT5, "max_completion_tokens"),
        )
    },
    "context-8192": Case("gpt-4", words(8193), words(100), "maximum context length is 8192 tokens"),
    "context-16385": Case("gpt-3.5-turbo", words(16_386), words(8193), "maximum context length is 16385 tokens"),
    "context-128000": Case(GPT4, words(128_001), words(16_386), "maximum context length is 128000 tokens"),
}
RESPONSES: dict[str, Case] = {
    "no-temperature": Case(
        GPT5, {"temperature": 0.2}, {"reasoning": {"effort": "low"}}, "'temperature' is not supported"
    ),
    "no-top-p": Case(GPT5, {"top_p": 0.2}, {}, "'top_p' is not supported with this model."),
    "no-effort": Case(GPT4, {"reasoning": {"effort": "low"}}, {"temperature": 0.2}, "'reasoning.effort' is not"),
    "long-tool-name": Case(
        GPT4,
        {"tools": [response_tool(LONG)]},
        {"tools": [response_tool(LONG[1:])]},
        "'tools[0].name': string too",
    ),
    "tool-name": Case(GPT4, {"tools": [response_tool("a.b")]}, {"tools": [response_tool()]}, "string does not match"),
    "most-tools": Case(
        GPT4,
        {"tools": [response_tool(f"f{index}") for index in range(129)]},
        {"tools": [response_tool(f"f{index}") for index in range(128)]},
        "maximum length 128",
    ),
    "root-schema": Case(
        GPT4, {"tools": [response_tool(schema={})]}, {"tools": [response_tool()]}, "got 'type: \"None\"'."
    ),
    "strict-function": Case(
        GPT4,
        {"tools": [response_tool(strict=True)]},
        {"tools": [response_tool(schema=STRICT, strict=True)]},
        "'additionalProperties' is required",
    ),
    "strict-format": Case(
        GPT4,
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": OBJECT, "strict": True}}},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": STRICT, "strict": True}}},
        "response_format 'a'",
    ),
}
