"""The set-up page: plain HTML without script, so that it works before there is a user interface."""

from html import escape
from shlex import quote

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 36rem; margin: 12vh auto; padding: 0 1rem }
h1 { font-size: 1.4rem } label { display: block; margin: 1rem 0 .25rem }
input, button { font: inherit; width: 100%; padding: .6rem; box-sizing: border-box; border-radius: .4rem; border: 1px solid #8888 }
button { margin-top: 1.5rem; background: #1f6f54; color: #fff; border: 0; cursor: pointer }
p.error { color: #c0392b } code, pre { font: .85rem/1.5 ui-monospace, monospace } pre { overflow-x: auto; padding: .8rem; background: #8882; border-radius: .4rem }
"""  # noqa: E501


def form_page(token: str, error: str = "", email: str = "") -> str:
    """The form; `error` is shown above it."""
    told = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    return _page(
        "Set up Ownkey",
        f"""<h1>Set up Ownkey</h1>
<p>Make the first account. It is the operator: it may create users and platform keys.</p>
{told}<form method="post" action="/setup"><input type="hidden" name="token" value="{escape(token)}">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="{escape(email)}">
<label for="password">Password (10 characters or more)</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="10" required>
<button>Create the operator</button></form>""",
    )


def done_page(email: str, address: str) -> str:
    """What to do next."""
    commands = (
        f"export OWNKEY_URL={address}\n"
        f"export OWNKEY_API_KEY=$(ownkey api-keys create \\\n"
        f"    --email {quote(email)} \\\n"
        "    --name laptop --scope gateway --scope manage)\n"
        "ownkey keys add openai"
    )
    return _page(
        "Ownkey is set up",
        f"<h1>Ownkey is set up</h1><p>{escape(email)} is the operator. Next, in a terminal:</p>"
        f"<pre>{escape(commands)}</pre><p>Then point any OpenAI client at <code>{escape(address)}/v1</code> "
        f"and any Anthropic client at <code>{escape(address)}</code>. "
        "The API is described at <a href='/docs'>/docs</a>.</p>",
    )


def lost_page(message: str) -> str:
    """The link does not work."""
    return _page("Ownkey", f"<h1>This link does not work</h1><p>{escape(message)}</p>")


def front_page(version: str, sandbox_url: str | None) -> str:
    """What stands at the root."""
    note = (
        f"<p>Every provider is the sandbox at {escape(sandbox_url)}: answers are simulated.</p>" if sandbox_url else ""
    )
    return _page(
        "Ownkey",
        f"<h1>Ownkey {escape(version)}</h1>{note}<p>A gateway for language models where everyone brings their own keys."
        "</p><p>OpenAI clients: <code>/v1</code> · Anthropic clients: <code>/</code> · "
        "<a href='/docs'>API reference</a></p>"
        "<p><a href='/workbench'>Workbench</a>: test any model, and learn how fast, "
        "good and dear it is, without an account.</p>",
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
        f"<main>{body}</main>"
    )
