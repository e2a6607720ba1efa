"""The page at `/`: what this server is and how to use it."""

_MODELS = (
    ("echo", "answers with the last user message; so does every name not listed here"),
    ("lorem-N", "answers with N tokens"),
    ("think-N", "reasons for N tokens, then echoes"),
    ("reason-N", "the same, with the reasoning in the field <code>reasoning</code> of OpenAI's chat"),
    ("chunk-N", "echoes, N tokens in each streamed chunk"),
    ("empty", "answers with no content"),
    ("tool, tools", "call the first tool offered, or all of them; then answer with the result"),
    (
        'sandbox:call NAME {"argument": "value"}',
        "in the last user message tells tool which tool to call with which arguments; tools takes several",
    ),
    ("json", "obeys the response schema"),
    ("cached", "echoes, and reports half of the input as read from a cache"),
    ("refuse", "answers nothing, as when the vendor's filter withholds an answer"),
    ("filter", "echoes half of the text, then the vendor's filter steps in; filter-400 refuses the prompt instead"),
    ("slow-MS", "sends its first byte after MS milliseconds"),
    ("hang, hang-N", "takes the request and sends nothing, or N tokens, and then nothing more"),
    ("flaky-K, flaky-K-STATUS", "echoes, but every K-th call fails with 500 or that status; 429 with retry-after: 1"),
    ("error-STATUS", "fails with that status, 400 to 599, in the vendor's shape"),
    ("error-200", "sends an error in the vendor's shape with status 200; a stream has it as its only event"),
    ("html, html-STATUS", "answers with an HTML page, status 200 or that one"),
    ("redirect", "redirects with 307 to http://169.254.169.254/latest/meta-data/"),
    ("error-echo-key", "fails with 401 and the whole key in body and header"),
    ("cut", "breaks off in the middle of the answer by closing the connection"),
    ("garbage", "answers with malformed JSON or a malformed stream"),
    ("stream-error, stream-echo-key", "report an error in mid-stream; the latter with the key in it"),
    ("no-stream", "answers in one piece even when a stream is asked for"),
    ("no-system", "refuses system messages with 400"),
    ("no-usage", "never sends usage"),
    ("liar, liar-N", "claims 10 or N times the output tokens that it sends"),
    (
        "new-limits",
        "refuses max_tokens (OpenAI's chat wants max_completion_tokens) and any temperature but 1, as OpenAI does",
    ),
    ("small-context-N", "refuses prompts of more than N tokens with context_length_exceeded"),
    (
        "right-P",
        "answers with the line after <code>sandbox:answer</code> in P percent of prompts, always the same ones",
    ),
    (
        "judge",
        (
            "grades as JSON, as the workbench and promptfoo ask: passes what holds all that the rubric has in double "
            "quotes; of two answers prefers the one that holds the reference or what sandbox:answer tells"
        ),
    ),
    ('sandbox:verdict {"pass": false}', "in the last user message is the verdict that judge gives"),
    ("judge-first", "prefers the answer that comes first"),
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
    ("x-sandbox-ttft-ms", "time to first byte in milliseconds, for this request: a number or a distribution"),
    ("x-sandbox-gap-ms", "time before each further token, likewise"),
    ("x-sandbox-tps", "tokens per second, for this request"),
)
_TIMES = (
    ("constant:200", "always 200 milliseconds"),
    ("uniform:100:300", "evenly between 100 and 300"),
    ("exponential:200", "with mean 200"),
    ("lognormal:200:0.5", "with median 200, and 0.5 the standard deviation of the logarithm"),
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
<h2>Times</h2><p>A distribution is drawn from by the seed and the number of the request, so that the same order of
requests gives the same times:</p><table>{_rows(_TIMES)}</table>
<p>A model's name can bring its own, after pluses, for clients that send no headers:
<code>lorem-50+ttft=lognormal:200:0.5+gap=exponential:10+seed=7</code>; <code>+chunk=4</code> sends four tokens a chunk.
An answer that keeps such times says in <code>x-sandbox-ttft-ms</code> when its first byte is due after the request's
arrival, a stream in <code>x-sandbox-gap-ms</code> the mean of its gaps. <code>x-sandbox-request</code> is the number of
the request in the list below, whose <code>timing</code> tells what was planned and when the bytes were really sent.</p>
<h2>Embeddings</h2><p>The same text has the same vector, and texts that share words have near ones.</p>
<h2>For debugging</h2><p><a href="/__sandbox/requests">/__sandbox/requests</a> shows the last requests, with keys as
digests; <a href="/__sandbox/stats">/__sandbox/stats</a> the counters.</p>
</html>
""".encode()
