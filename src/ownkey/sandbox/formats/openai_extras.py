"""What vendors add to OpenAI's chat answers, as ready JSON beginning with a comma."""

from ownkey.sandbox.vendors import CONTENT_FILTER, Vendor

_DOLLARS_PER_TOKEN = 0.000001
"""OpenRouter reports a cost with each answer; the simulated price is a dollar a million tokens."""


def usage_extras(vendor: Vendor, asked: int, answered: int, cached: int) -> str:
    """Inside `usage`."""
    match vendor.extras:
        case "openrouter":
            cost_in, cost_out = asked * _DOLLARS_PER_TOKEN, answered * _DOLLARS_PER_TOKEN
            return (
                f',"cost":{cost_in + cost_out:.6f},"is_byok":false,"cost_details":{{"upstream_inference_cost":null,'
                f'"upstream_inference_prompt_cost":{cost_in:.6f},'
                f'"upstream_inference_completions_cost":{cost_out:.6f}}}'
            )
        case "deepseek":
            return f',"prompt_cache_hit_tokens":{cached},"prompt_cache_miss_tokens":{asked - cached}'
        case "groq":
            return ',"queue_time":0.0,"prompt_time":0.0,"completion_time":0.0,"total_time":0.0'
        case _:
            return ""


def answer_extras(vendor: Vendor, ident: str) -> str:
    """At the end of a whole answer."""
    match vendor.extras:
        case "openrouter":
            return ',"provider":"Ownkey Sandbox"'
        case "groq":
            return f',"x_groq":{{"id":"req_{ident}"}}'
        case "azure":
            return f',"prompt_filter_results":[{{"prompt_index":0,{CONTENT_FILTER}}}]'
        case _:
            return ""


def chunk_extras(vendor: Vendor) -> str:
    """In every chunk of a stream."""
    return ',"provider":"Ownkey Sandbox"' if vendor.extras == "openrouter" else ""


def finish_extras(vendor: Vendor) -> str:
    """In the choice that carries the finish reason."""
    match vendor.extras:
        case "openrouter":
            return ',"native_finish_reason":"stop"'
        case "azure":
            return f",{CONTENT_FILTER}"
        case _:
            return ""


def last_chunk_extras(vendor: Vendor, ident: str) -> str:
    """In the chunk that carries the finish reason."""
    return f',"x_groq":{{"id":"req_{ident}"}}' if vendor.extras == "groq" else ""
