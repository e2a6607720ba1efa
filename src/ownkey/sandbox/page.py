"""The page at `/`: what this server is and how to use it."""

_MODELS = (
    ("echo", "answers with the last user message; so does every name not listed here"),
    ("lorem-N", "answers with N tokens"),
    ("think-N", "reasons for N tokens, then echoes"),
    ("tool, tools", "call the first tool offered, or all of them; then answer with the result"),
    (
        'sandbox:call NAME {"argument": "value"}',
        "in the last user message tells tool which tool to call with which arguments; tools takes several",
    ),
    ("json", "obeys the response schema"),
    ("cached", "echoes, and reports half of the input as read from a cache"),
    ("refuse", "answers nothing, as when the vendor's filter withholds an answer"),
    ("slow-MS", "sends its first byte after MS milliseconds"),
    ("flaky-K", "echoes, but every K-th call fails with 500"),
    ("error-STATUS", "fails with that status, 400 to 599, in the vendor's shape"),
    ("error-echo-key", "fails with 401 and the whole key in body and header"),
    ("cut", "breaks off in the middle of the answer by closing the connection"),
    ("garbage", "answers with malformed JSON or a malformed stream"),
    ("stream-error, stream-echo-key", "report an error in mid-stream; the latter with the key in it"),
)
_KEYS = (
    ("invalid", "401"),
    ("limited", "429 with retry-after: 1"),
    ("broke", "402, or what the vendor sends when the account is empty"),
    ("revoked", "403"),
    ("restricted", "403: a genuine key that lacks a permission"),
    ("rejected", "what the vendor really sends for an unknown key: 400 at some, else 401"),
)
_OPTIONS = (
    ("x-sandbox-ttft-ms", "time to first byte in milliseconds, for this request"),
    ("x-sandbox-tps", "tokens per second, for this request"),
)


def _rows(pairs: tuple[tuple[str, str], ...]) -> str:
    return "".join(f"<tr><td><code>{name}</code></td><td>{text}</td></tr>" for name, text in pairs)


PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ownkey sandbox: a simulator</title>
<style>body{{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem}}td{{padding:.1rem 1rem .1rem 0}}
code{{background:#8882;padding:0 .2em}}</style>
<h1>Ownkey sandbox</h1>
<p><strong>This is a simulator.</strong> No model answers here and nothing costs money. It speaks as the providers do,
each under <code>/&lt;provider&gt;</code> and that provider's own path, for example
<code>/openai/v1/chat/completions</code>, <code>/anthropic/v1/messages</code>, <code>/openrouter/api/v1/key</code>.
Every answer carries the header <code>x-ownkey-sandbox: simulator</code>.</p>
<h2>Models</h2><p>Any vendor prefix may stand before a name: <code>openai/echo</code> is <code>echo</code>.</p>
<table>{_rows(_MODELS)}</table>
<h2>Keys</h2><p>Any key is accepted, except those that contain one of these words:</p><table>{_rows(_KEYS)}</table>
<h2>Request headers</h2><table>{_rows(_OPTIONS)}</table>
<h2>For debugging</h2><p><a href="/__sandbox/requests">/__sandbox/requests</a> shows the last requests, with keys as
digests; <a href="/__sandbox/stats">/__sandbox/stats</a> the counters.</p>
</html>
""".encode()
