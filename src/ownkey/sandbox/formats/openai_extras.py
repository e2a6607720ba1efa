"""What vendors add to OpenAI's chat answers, as ready JSON beginning with a comma."""

from ownkey.sandbox.vendors import Vendor

_DOLLARS_PER_TOKEN = 0.000001
"""OpenRouter reports a cost with each answer; the simulated price is a dollar a million tokens."""


def usage_extras(vendor: Vendor, asked: int, answered: int, cached: int) -> bytes:
    """Inside `usage`."""
    if vendor.extras == "openrouter":
        cost = (asked + answered) * _DOLLARS_PER_TOKEN
        return (
            b',"cost":%.6f,"is_byok":false,"cost_details":{"upstream_inference_cost":null,'
            b'"upstream_inference_prompt_cost":%.6f,"upstream_inference_completions_cost":%.6f}'
        ) % (cost, asked * _DOLLARS_PER_TOKEN, answered * _DOLLARS_PER_TOKEN)
    if vendor.extras == "deepseek":
        return b',"prompt_cache_hit_tokens":%d,"prompt_cache_miss_tokens":%d' % (cached, asked - cached)
    if vendor.extras == "groq":
        return b',"queue_time":0.0,"prompt_time":0.0,"completion_time":0.0,"total_time":0.0'
    return b""


def answer_extras(vendor: Vendor, ident: bytes) -> bytes:
    """At the end of a whole answer."""
    if vendor.extras == "openrouter":
        return b',"provider":"Ownkey Sandbox"'
    if vendor.extras == "groq":
        return b',"x_groq":{"id":"req_%b"}' % ident
    return b""


def chunk_extras(vendor: Vendor) -> bytes:
    """In every chunk of a stream."""
    return b',"provider":"Ownkey Sandbox"' if vendor.extras == "openrouter" else b""


def final_chunk_extras(vendor: Vendor, ident: bytes) -> bytes:
    """In the chunk that carries the finish reason."""
    return b',"x_groq":{"id":"req_%b"}' % ident if vendor.extras == "groq" else b""
