"""Somebody in front of the page: does what people do, and notes whatever ought not to happen."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, Request, expect

KEY = "sk-visitor-1234567890"
_PATIENCE_MS = 45_000
_REFUSED = "Failed to load resource"
"""Chromium's note of every answer above 399; what the page makes of those answers is tested as such."""


class Guest:
    """A window of their own. `wrongs` holds dialogs, script errors, violations of the page's policy, and requests to
    other servers: empty, whatever a model says."""

    def __init__(self, browser: Browser, url: str, cookie: str | None = None, **options: Any) -> None:
        self.url = url
        self.wrongs: list[str] = []
        self.context = browser.new_context(base_url=url, **options)
        self.context.set_default_timeout(_PATIENCE_MS)
        if cookie is not None:
            self.context.add_cookies([{"name": "ownkey", "value": cookie, "url": url}])
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrongs.append(f"error: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", self._sent)

    @classmethod
    @contextmanager
    def at(cls, browser: Browser, url: str, cookie: str | None = None, **options: Any) -> Generator["Guest"]:
        made = cls(browser, url, cookie, **options)
        try:
            yield made
        finally:
            made.leave()

    def leave(self) -> None:
        """Erase the session if there is one, and close the window. Fails if anything was wrong."""
        session = self.known()["session"] if self.page.url.startswith(self.url) else None
        if session is not None:
            self.context.set_offline(False)
            headers = {"authorization": f"Bearer {session['token']}"}
            self.context.request.delete(f"/api/v1/workbench/sessions/{session['id']}", headers=headers)
        self.context.close()
        assert self.wrongs == []

    def known(self) -> dict[str, Any]:
        """What the tab keeps."""
        kept = self.page.evaluate("sessionStorage.getItem('ownkey-workbench')")
        return {"session": None, "run": None} | json.loads(kept or "{}")

    # The walk

    def begin(self) -> None:
        self.page.goto("/workbench")
        self.button("Begin").click()
        self.shows("What shall it do?")

    def choose(self, suite_id: str = "qa-easy") -> None:
        self.page.locator(f"input[name=suite][value={suite_id}]").check()
        self.page.locator("#task-next").click()
        self.shows("Connect a model")

    def upload(self, name: str, text: str) -> None:
        self.page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": text.encode()})

    def quiz(self, count: int) -> None:
        """Begin with questions of which `right-P` knows P percent, and go on to the third step."""
        self.begin()
        lines = [
            {"id": f"q{n}", "prompt": f"Q{n}?\nsandbox:answer blue{n}", "expected": f"blue{n}"} for n in range(count)
        ]
        self.upload("mine.jsonl", "\n".join(json.dumps(line) for line in lines))
        expect(self.page.locator("#upload-told")).to_contain_text(f"{count} questions")
        self.page.locator("#task-next").click()
        self.shows("Connect a model")

    def connect(self, model: str, key: str = KEY) -> Locator:
        """Fill in the first model's form and test it; the form."""
        form = self.model()
        form.get_by_label("Endpoint").select_option("openai")
        form.get_by_label("Model").fill(model)
        form.get_by_label("API key").fill(key)
        form.get_by_role("button", name="Test the connection").click()
        return form

    def connected(self, model: str = "echo") -> None:
        """Connect a model and go on to the run."""
        expect(self.connect(model).locator(".notice.good")).to_contain_text("The endpoint works", timeout=_PATIENCE_MS)
        self.page.locator("#connect-next").click()
        self.shows("Run it")

    def model(self, place: int = 1) -> Locator:
        """The form of a model on the third step, counted from 1."""
        return self.page.locator("#models form").nth(place - 1)

    def add_model(self, model: str) -> Locator:
        """Fill in the form of one more model, at the same endpoint; the form."""
        place = self.page.locator("#models form").count() + 1
        self.button("Add another model to compare").click()
        form = self.model(place)
        expect(form.get_by_role("textbox", name="Model", exact=True)).to_be_focused()
        form.get_by_role("textbox", name="Model", exact=True).fill(model)
        return form

    def compared(self, *models: str) -> None:
        """Connect the models and go on to the run; the first has the key."""
        expect(self.connect(models[0]).locator(".notice.good")).to_be_visible(timeout=_PATIENCE_MS)
        for model in models[1:]:
            self.add_model(model)
        self.page.locator("#connect-next").click()
        self.shows("Run it")

    def start(self, **fields: str) -> None:
        plan = self.page.locator("#plan")
        closed = plan.locator("details").get_attribute("open") is None
        if closed and set(fields) - {"limit", "repeats", "concurrency"}:
            plan.get_by_text("More settings").click()
        for name, value in fields.items():
            plan.locator(f"[name={name}]").fill(value)
        self.button("Start the run").click()
        expect(self.page.locator("#live")).to_be_visible()

    def finished(self, words: str = "Done") -> None:
        expect(self.page.locator("#progress-words")).to_contain_text(words, timeout=_PATIENCE_MS)

    # What one sees

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def shows(self, title: str) -> None:
        """The step with this title is shown, and has the focus."""
        expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible()

    def rows(self) -> Locator:
        return self.page.locator("#results tr")

    # What ought not to happen

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_REFUSED):
            self.wrongs.append(f"console: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _sent(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.wrongs.append(f"request: {request.url}")
