"""OpenAI's chat completions, spoken by most providers and clients."""
