"""The cases of the other vendors."""

from typing import Any

from tests.sandbox.rules.cases import LONG, OBJECT, PLAIN, USER, Case, Json, called, formatted, tool, words

PRO, FLASH, LITE, THREE = "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3-pro-preview"


def thinks(**config: Any) -> Json:
    return {"generationConfig": {"thinkingConfig": config}}


def declared(name: str = "f", **more: Any) -> Json:
    return {"tools": [{"functionDeclarations": [{"name": name} | more]}]}


def calling(mode: str, *names: str) -> Json:
    config: Json = {"mode": mode} | ({"allowedFunctionNames": list(names)} if names else {})
    return {"toolConfig": {"functionCallingConfig": config}}


def refers(**beside: Any) -> Json:
    properties = {"a": {"$ref": "#/$defs/A"} | beside}
    return {"parametersJsonSchema": {"type": "object", "properties": properties, "$defs": {"A": {"type": "string"}}}}


def parts(*given: Json) -> Json:
    return {"contents": [{"role": "user", "parts": list(given)}]}


def picture(kind: str) -> Json:
    return parts({"inlineData": {"mimeType": kind, "data": "AA=="}})


def limited(most: int) -> Json:
    return {"generationConfig": {"maxOutputTokens": most}}


GEMINI: dict[str, Case] = {
    "unknown-field": Case(FLASH, {"seed": 1}, {"labels": {}}, 'Unknown name "seed": Cannot find field.'),
    "unknown-setting": Case(
        FLASH,
        {"generationConfig": {"stop": ["x"]}},
        {"generationConfig": {"stop_sequences": ["x"]}},
        "Unknown name \"stop\" at 'generationConfig': Cannot find field.",
    ),
    "unknown-in-schema": Case(
        FLASH, declared(parameters={"type": "OBJECT", "$schema": "x"}), declared(parameters=OBJECT), '"$schema" at'
    ),
    "ref-siblings": Case(
        FLASH,
        declared(**refers(description="b")),
        declared(**refers()),
        "schema at properties.a can only contain properties starting with '$' when $ref is present",
    ),
    "tool-name": Case(FLASH, declared("9"), declared("a.b:c-d_9"), "Invalid function name. Must start with a letter"),
    "never-off": Case(PRO, thinks(thinkingBudget=0), thinks(thinkingBudget=128), "only works in thinking mode."),
    "budget-128": Case(PRO, thinks(thinkingBudget=127), thinks(thinkingBudget=-1), "a value between 128 and 32768."),
    "budget-1": Case(FLASH, thinks(thinkingBudget=24577), thinks(thinkingBudget=0), "budget (24577) is invalid."),
    "budget-512": Case(LITE, thinks(thinkingBudget=511), thinks(thinkingBudget=512), "between 512 and 24576."),
    "no-level": Case(FLASH, thinks(thinkingLevel="LOW"), thinks(thinkingBudget=9), "Thinking level is not supported"),
    "level-low-2": Case(THREE, thinks(thinkingLevel="MEDIUM"), thinks(thinkingLevel="HIGH"), "Thinking level MEDIUM"),
    "level-low-3": Case(
        "gemini-3.1-pro-preview", thinks(thinkingLevel="MINIMAL"), thinks(thinkingLevel="medium"), "level MINIMAL"
    ),
    "level-minimal-4": Case(
        "gemini-3-flash-preview", thinks(thinkingLevel="MOST"), thinks(thinkingLevel="MINIMAL"), "level MOST"
    ),
    "budget-and-level": Case(
        THREE, thinks(thinkingLevel="LOW", thinkingBudget=9), thinks(thinkingLevel="LOW"), "only one of thinking budget"
    ),
    "no-thinking": Case("gemini-2.0-flash", thinks(includeThoughts=True), thinks(), "Thinking is not supported by"),
    "forced-without-tools": Case(FLASH, calling("ANY"), calling("AUTO"), "without function_declarations."),
    "empty-part": Case(FLASH, parts({"thought": True}), parts({"text": ""}), "required oneof field 'data' must"),
    "image-type": Case(FLASH, picture("image/jpg"), picture("image/jpeg"), "Unsupported MIME type: image/jpg"),
    "largest-output-8192": Case("gemini-2.0-flash", limited(8193), limited(8192), "to 8193 (exclusive)"),
    "largest-output-65536": Case(PRO, limited(65_537), limited(65_536), "maxOutputTokens value of 65537"),
    "context": Case(
        FLASH, parts({"text": "a " * 1_048_577}), parts({"text": "a " * 1000}), "tokens allowed (1048576)."
    ),
}
M = "mistral-medium-2508"
MISTRAL: dict[str, Case] = {
    "unknown-field": Case(M, {"seed": 1}, {"random_seed": 1}, "'extra_forbidden', 'loc': ['body', 'seed']"),
    "role": Case(
        M, {"messages": [{"role": "developer", "content": "a"}, PLAIN]}, {"messages": [PLAIN]}, "union_tag_invalid"
    ),
    "tool-choice": Case(
        M,
        {"tools": [tool()], "tool_choice": {"type": "allowed_tools"}},
        {"tools": [tool()], "tool_choice": "any"},
        "Input should be 'auto', 'none', 'any' or 'required'",
    ),
    "call-id": Case(M, {"messages": called("call_1")}, {"messages": called("abcdefgh1")}, "Tool call id was call_1"),
    "user-after-tool": Case(
        M,
        {"messages": [*called(), PLAIN]},
        {"messages": [*called(), {"role": "assistant", "content": "4"}, PLAIN]},
        "Unexpected role 'user' after role 'tool'",
    ),
    "prefix": Case(
        M,
        {"messages": [PLAIN, {"role": "assistant", "content": "a"}]},
        {"messages": [PLAIN, {"role": "assistant", "content": "a", "prefix": True}]},
        "Expected last role User or Tool",
    ),
    "tool-name": Case(M, {"tools": [tool(LONG)]}, {"tools": [tool(LONG[1:])]}, "with a maximum length of 64."),
    "context": Case(M, words(131_073), words(1000), "too large for model with 131072 maximum context length"),
}
G = "llama-3.3-70b-versatile"
GROQ: dict[str, Case] = {
    "unknown-field": Case(G, {"top_k": 1}, {"top_p": 0.1}, "property 'top_k' is unsupported"),
    "unknown-in-message": Case(
        G, {"messages": [PLAIN | {"name": "a"}]}, {}, "'messages.0' : for 'role:user' the following must be satisfied"
    ),
    "tool-choice": Case(
        G,
        {"tools": [tool()], "tool_choice": {"type": "allowed_tools"}},
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        "'tool_choice' : value must be a string",
    ),
    "tool-choice-word": Case(
        G,
        {"tools": [tool()], "tool_choice": "any"},
        {"tools": [tool()], "tool_choice": "required"},
        "Only allowed string values for 'tool_choice'",
    ),
    "no-logit-bias": Case(G, {"logit_bias": {"1": 2}}, {}, "'logit_bias' is not supported"),
    "no-top-logprobs": Case(G, {"top_logprobs": 2}, {}, "'top_logprobs' is not supported"),
    "no-logprobs": Case(G, {"logprobs": True}, {"logprobs": False}, "'logprobs' is not supported"),
    "n": Case(G, {"n": 2}, {"n": 1}, "'n' : number must be at most 1"),
    "tool-name": Case(G, {"tools": [tool("a.b")]}, {"tools": [tool("a-b")]}, "'tools.0.function.name' : value must"),
    "no-effort": Case(G, {"reasoning_effort": "low"}, {}, "'reasoning_effort' is not supported with this model"),
    "effort-low": Case(
        "openai/gpt-oss-20b", {"reasoning_effort": "none"}, {"reasoning_effort": "low"}, "one of low, medium, high"
    ),
    "effort-none": Case(
        "qwen/qwen3-32b", {"reasoning_effort": "low"}, {"reasoning_effort": "none"}, "one of none, default"
    ),
}
D = "deepseek-reasoner"
DEEPSEEK: dict[str, Case] = {
    "missing-reasoning": Case(
        D,
        {"messages": called()},
        {"messages": called(reasoning_content="")},
        "Missing `reasoning_content` field in the assistant message at message index 1.",
    ),
    "role": Case(
        D, {"messages": [{"role": "developer", "content": "a"}, PLAIN]}, {}, "messages[0].role: unknown variant"
    ),
    "forced-while-thinking": Case(
        D,
        {"tools": [tool()], "tool_choice": "required"},
        {"tools": [tool()], "tool_choice": "auto"},
        "does not support this tool_choice",
    ),
    "no-schema": Case(D, formatted(), {}, "This response_format type is unavailable now"),
    "word-json": Case(
        D,
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_object"}, "messages": [USER]},
        "Prompt must contain the word 'json'",
    ),
    "long-tool-name": Case(D, {"tools": [tool(LONG)]}, {"tools": [tool(LONG[1:])]}, "with length 65 instead."),
    "tool-name": Case(D, {"tools": [tool("a b")]}, {"tools": [tool("a_b")]}, "string does not match pattern."),
}
X = "grok-4"
XAI: dict[str, Case] = {
    "no-presence_penalty": Case(
        X, {"presence_penalty": 1}, {"presence_penalty": 0}, "supported on this model: presencePenalty"
    ),
    "no-frequency_penalty": Case(X, {"frequency_penalty": 1}, {}, "supported on this model: frequencyPenalty"),
    "no-stop": Case(X, {"stop": ["x"]}, {"x-model": "grok-3", "stop": ["x"]}, "supported on this model: stop"),
    "no-reasoning_effort": Case(
        X,
        {"reasoning_effort": "low"},
        {"x-model": "grok-3-mini", "reasoning_effort": "low"},
        "supported on this model: reasoningEffort",
    ),
}
C = "command-a-03-2025"
COHERE: dict[str, Case] = {
    "unknown-field": Case(C, {"top_p": 0.9}, {"p": 0.9}, "parameter 'top_p' is not a valid field."),
    "unknown-in-tool": Case(C, {"tools": [tool(strict=True)]}, {"tools": [tool()]}, "parameter 'strict' is not a"),
    "tool-name": Case(C, {"tools": [tool("9a")]}, {"tools": [tool("a9")]}, "can't begin with a digit"),
    "largest-output": Case(C, {"max_tokens": 8001}, {"max_tokens": 8000}, "received 8001."),
    "context": Case(C, words(256_001), words(1000), "cannot exceed 256000"),
}
B = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


def spec(name: str = "f", **more: Any) -> Json:
    return {"toolConfig": {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": OBJECT}}}]} | more}


def shown(kind: str) -> Json:
    return {"messages": [{"role": "user", "content": [{"image": {"format": kind, "source": {"bytes": "AA=="}}}]}]}


def budget(**config: Any) -> Json:
    fields = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    return {"inferenceConfig": {"maxTokens": 4000} | config, "additionalModelRequestFields": fields}


BEDROCK: dict[str, Case] = {
    "unknown-field": Case(B, {"seed": 1}, {"requestMetadata": {}}, "extraneous key [seed] is not permitted"),
    "tool-name": Case(B, spec("a.b"), spec("a-b"), "satisfy regular expression pattern: [a-zA-Z0-9_-]+"),
    "long-tool-name": Case(B, spec(LONG), spec(LONG[1:]), "have length less than or equal to 64"),
    "no-tools": Case(B, {"toolConfig": {"tools": []}}, {}, "have length greater than or equal to 1"),
    "image-type": Case(B, shown("jpg"), shown("jpeg"), "satisfy enum value set: [png, jpeg, gif, webp]"),
    "claude-temperature-beside-thinking": Case(
        B, budget(temperature=0.2), budget(temperature=1), "The model returned the following errors: `temperature` may"
    ),
    "claude-one-of-temperature-and-top-p": Case(
        B,
        {"inferenceConfig": {"temperature": 0.2, "topP": 0.9}},
        {"inferenceConfig": {"topP": 0.9}},
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified",
    ),
    "claude-forced-tool-beside-thinking": Case(
        B, budget() | spec(toolChoice={"any": {}}), budget() | spec(toolChoice={"auto": {}}), "forces tool use."
    ),
    "claude-largest-output-64000": Case(
        B, {"inferenceConfig": {"maxTokens": 64_001}}, {"inferenceConfig": {"maxTokens": 64_000}}, "64001 > 64000"
    ),
}
