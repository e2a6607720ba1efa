"""The client of the REST API that the commands share."""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ownkey.cli.failures import CommandFailed

if TYPE_CHECKING:
    import httpx2

Json = dict[str, Any]

UrlOption = Annotated[str, typer.Option("--url", envvar="OWNKEY_URL", help="Address of the server")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON")]
DEFAULT_URL = "http://127.0.0.1:8080"


class Client:
    """Calls `/api/v1` of one server. Errors become CommandFailed with the server's text."""

    def __init__(self, url: str, api_key: str = "") -> None:
        import httpx2  # not above: `ownkey serve` and the operator's commands do without it

        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._url = url
        self._errors = (httpx2.HTTPError, httpx2.InvalidURL)
        try:
            # Environment proxies are not used: the address is the person's own server. Certificate authorities take a
            # while to read, and plain http, which is not redirected, does not need them.
            self._http = httpx2.Client(
                base_url=url.rstrip("/"),
                headers=headers,
                timeout=60.0,
                trust_env=False,
                verify=not url.startswith("http://"),
                follow_redirects=False,
            )
        except (httpx2.InvalidURL, ValueError):
            raise CommandFailed(f"{url!r} is not an address such as {DEFAULT_URL}: see --url") from None

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Json:
        return self._call("GET", path, parameters=parameters)

    def post(self, path: str, body: Json) -> Json:
        return self._call("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        return self._call("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def every(self, path: str, parameters: Mapping[str, str] | None = None) -> list[Json]:
        """All items of a paged list."""
        items: list[Json] = []
        query = dict(parameters or {})
        while True:
            page = self.get(path, query)
            if not isinstance(page.get("items"), list):
                raise self._foreign("something that is not a list")
            items += page["items"]
            if page.get("next_cursor") is None:
                return items
            query["cursor"] = page["next_cursor"]

    def download(self, path: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """A file, piece by piece."""
        with self._http.stream("GET", f"/api/v1{path}", params=parameters) as answer:
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer)
            try:
                yield from answer.iter_bytes()
            except self._errors as error:
                raise CommandFailed(f"{self._url} broke the file off ({type(error).__name__}): try again") from None

    def sign_in(self, email: str, password: str) -> None:
        """Open a session and use it from now on."""
        answer = self._send("POST", "/auth/login", {"email": email, "password": password}, None)
        # Sent by hand: a cookie marked Secure is not returned over plain http on one's own machine.
        self._http.headers["cookie"] = answer.headers.get("set-cookie", "").partition(";")[0]

    def close(self) -> None:
        self._http.close()

    def _call(
        self, method: str, path: str, body: Json | None = None, parameters: Mapping[str, str] | None = None
    ) -> Json:
        answer = self._send(method, path, body, parameters)
        if not answer.content:
            return {}
        found = _json_object(answer)
        if found is None:
            raise self._foreign("no JSON object")
        return found

    def _send(
        self, method: str, path: str, body: Json | None, parameters: Mapping[str, str] | None
    ) -> "httpx2.Response":
        try:
            answer = self._http.request(method, f"/api/v1{path}", json=body, params=parameters)
        except self._errors as error:
            text = f"no answer from {self._url} ({type(error).__name__}): is the server running? See --url."
            raise CommandFailed(text) from None
        if answer.is_success:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: "httpx2.Response") -> CommandFailed:
        problem = _json_object(answer)
        if problem is None or "detail" not in problem:
            return self._foreign(f"{answer.status_code} without an explanation")
        return CommandFailed(f"{problem['detail']} ({answer.status_code} {problem.get('code', '')})")

    def _foreign(self, what: str) -> CommandFailed:
        return CommandFailed(f"{self._url} answered {what}: is this an Ownkey server?")


def _json_object(answer: "httpx2.Response") -> Json | None:
    try:
        found: Any = answer.json()
    except ValueError:
        return None
    return cast("Json", found) if isinstance(found, dict) else None


@contextmanager
def signed_in(url: str) -> Generator[Client]:
    """A client with the API key in OWNKEY_API_KEY. Raises CommandFailed if it is not set. There is no option for it,
    because every user of the machine can read command lines.
    """
    api_key = os.environ.get("OWNKEY_API_KEY", "").strip()
    if not api_key:
        raise CommandFailed("no API key: set OWNKEY_API_KEY, or create one with `ownkey api-keys create --email …`")
    if not api_key.isascii() or not api_key.isprintable():
        raise CommandFailed("OWNKEY_API_KEY contains characters that no API key has")
    client = Client(url, api_key)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def by_password(url: str, email: str, password: str) -> Generator[Client]:
    """A client with a session that ends with the block."""
    client = Client(url)
    try:
        client.sign_in(email, password)
        yield client
        _sign_out(client)
    finally:
        client.close()


def _sign_out(client: Client) -> None:
    try:
        client.post("/auth/logout", {})
    except CommandFailed:
        # The work is done, and the session expires by itself: a key just created must still be shown.
        return
