"""The client of the REST API that the commands share."""

from collections.abc import Mapping
from typing import Annotated, Any

import httpx2
import typer

Json = dict[str, Any]

UrlOption = Annotated[str, typer.Option("--url", envvar="OWNKEY_URL", help="Address of the server")]
KeyOption = Annotated[
    str,
    typer.Option(
        "--api-key", envvar="OWNKEY_API_KEY", help="An Ownkey API key with the scope manage", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON")]
DEFAULT_URL = "http://127.0.0.1:8080"


class CommandFailed(Exception):
    """A command cannot be carried out; the text is for the person who typed it."""


class Client:
    """Calls `/api/v1` of one server. Errors become CommandFailed with the server's own words."""

    def __init__(self, url: str, api_key: str = "") -> None:
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        # Environment proxies are not used: the address is the person's own server.
        self._http = httpx2.Client(base_url=url.rstrip("/"), headers=headers, timeout=60.0, trust_env=False)
        self._url = url

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Json:
        return self._call("GET", path, parameters=parameters)

    def post(self, path: str, body: Json) -> Json:
        return self._call("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        return self._call("PATCH", path, body)

    def put(self, path: str, body: Json) -> Json:
        return self._call("PUT", path, body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def every(self, path: str, parameters: Mapping[str, str] | None = None) -> list[Json]:
        """All items of a paged list."""
        items: list[Json] = []
        query = dict(parameters or {})
        while True:
            page = self.get(path, query)
            items += page["items"]
            if page.get("next_cursor") is None:
                return items
            query["cursor"] = page["next_cursor"]

    def _call(
        self, method: str, path: str, body: Json | None = None, parameters: Mapping[str, str] | None = None
    ) -> Json:
        try:
            answer = self._http.request(method, f"/api/v1{path}", json=body, params=parameters)
        except httpx2.HTTPError as error:
            text = f"no answer from {self._url} ({type(error).__name__}): is the server running? See --url."
            raise CommandFailed(text) from None
        if answer.is_success:
            return answer.json() if answer.content else {}
        raise CommandFailed(_told(answer))


def _told(answer: httpx2.Response) -> str:
    try:
        problem: Json = answer.json()
    except ValueError:
        return f"the server answered {answer.status_code} without an explanation: is this an Ownkey server?"
    return f"{problem.get('detail', 'refused')} ({answer.status_code} {problem.get('code', '')})"


def signed_in(url: str, api_key: str) -> Client:
    """A client with an API key. Raises CommandFailed when there is none."""
    if not api_key:
        raise CommandFailed("no API key: set OWNKEY_API_KEY, or make one with `ownkey api-keys create --email …`")
    return Client(url, api_key)
