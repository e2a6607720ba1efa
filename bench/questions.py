"""The requests that are sent, and where: the same question to every contender, with what each needs around it."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

TEXT = "Please say in one sentence why a gateway between people and language models should cost next to nothing."
_PATH = "/v1/chat/completions"
PROVIDER_KEY = "sk-bench0123456789abcdef0123456789abcdef0123456789abcdef"
PASSED = "gpt-4o-mini"
"""Models that have a price, so that Ownkey reckons one; the sandbox answers all of them with the question."""
STATIC = "llama-3.3-70b-versatile"
TRANSLATED = "claude-sonnet-4-5"


class Question(Struct, frozen=True):
    """One HTTP request, always the same bytes."""

    url: str
    key: str
    body: str
    more: Mapping[str, str] = {}

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}", "content-type": "application/json", **self.more}

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def wire(self) -> str:
        """The request as it is sent."""
        parts = urlsplit(self.url)
        lines = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, f"content-length: {len(self.body)}", "", self.body])


def of_upstream(base: str, model: str = PASSED, *, stream: bool = False) -> Question:
    """As a provider is asked; `base` is the sandbox, or what stands for it."""
    return Question(f"{base}/openai{_PATH}", PROVIDER_KEY, _body(model, stream))


def of_ownkey(base: str, key: str, model: str, *, stream: bool = False) -> Question:
    """As Ownkey is asked; `model` names the provider, too."""
    return Question(base + _PATH, key, _body(model, stream))


def of_peer(base: str, key: str, model: str, more: Mapping[str, str]) -> Question:
    """As another gateway is asked; `more` are headers of its own."""
    return Question(base + _PATH, key, _body(model, False), more)


def _body(model: str, stream: bool) -> str:
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": TEXT}]}
    # Without blanks, as the vendors' SDKs write it.
    return json.dumps(body | ({"stream": True} if stream else {}), separators=(",", ":"))
