"""How a Gemini client's request calls the fields that writers name as OpenAI's chat does."""

_CONFIG = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "response_format": "responseMimeType",
    "reasoning_effort": "thinkingConfig",
    "thinking": "thinkingConfig",
    "thinking.budget_tokens": "thinkingConfig.thinkingBudget",
    "thinking.display": "thinkingConfig.includeThoughts",
}
_PARTS = {
    "reasoning_content": ".thought",
    "thought_signature": ".thoughtSignature",
    # A picture or a file is `inlineData` or `fileData`; either way it is the part that is meant.
    "image_url.url": "",
    "file.file_data": "",
    "document.source": "",
    "file.filename": ".inlineData.displayName",
    "document.title": ".inlineData.displayName",
    "messages.content": "",
    "messages.tool_call_id": ".functionResponse",
    "is_error": ".functionResponse.response.error",
}

WORDS = {
    **{name: f"generationConfig.{own}" for name, own in _CONFIG.items()},
    **{name: f"contents.parts{own}" for name, own in _PARTS.items()},
    "messages": "contents",
    "messages.prefill": "contents.prefill",
    "tools.name": "tools.functionDeclarations.name",
    "tool_choice": "toolConfig.functionCallingConfig",
}
