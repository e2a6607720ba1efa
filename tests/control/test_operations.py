"""What tools and people look at without an account: health, readiness, metrics, the API's description."""

import re
from html.parser import HTMLParser

import httpx2
import pytest
from tests.services.stack import Stack, User


def get(stack: Stack, path: str) -> httpx2.Response:
    return httpx2.get(stack.url + path, trust_env=False, verify=False)


def test_the_process_says_that_it_lives_and_serves(stack: Stack) -> None:
    assert get(stack, "/healthz").json() == {"status": "ok"}
    assert get(stack, "/readyz").json() == {"status": "ready", "problems": []}


def test_metrics_are_prometheus_text_without_names_of_anybody(stack: Stack, user: User) -> None:
    user.add_key("openai", "sk-test-metrics-0001")
    assert user.chat("openai/echo").status_code == 200
    answer = get(stack, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(r'^ownkey_requests_total\{.*provider="openai".*\} [1-9]', answer.text, re.MULTILINE)
    assert user.email not in answer.text
    assert user.id not in answer.text


class Links(HTMLParser):
    """Every address a page would load or lead to, and every script."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_pages_load_nothing_from_elsewhere_and_run_nothing(stack: Stack, path: str) -> None:
    page = get(stack, path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = Links()
    links.feed(page.text)
    assert links.scripts == 0
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links.found)
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_the_reference_names_every_call(stack: Stack) -> None:
    page = get(stack, "/docs").text
    document = get(stack, "/openapi.json").json()
    for path, calls in document["paths"].items():
        for method in calls:
            assert f"<b>{method.upper()}</b> {path}<" in page


def test_no_two_schemas_share_a_name(stack: Stack) -> None:
    """Two models with one name would be told apart by the paths of their modules, `ownkey__control__…`."""
    document = get(stack, "/openapi.json").json()
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_the_document_describes_errors_and_ways_in(stack: Stack) -> None:
    document = get(stack, "/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert {"Problem", "FieldProblem"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in str(document)
    ids: list[str] = []
    for path, calls in document["paths"].items():
        for call in calls.values():
            ids.append(call["operationId"])
            assert "422" not in call["responses"]
            assert "application/problem+json" in call["responses"]["default"]["content"]
            assert call["description"], path
            assert call["security"] or path in ("/healthz", "/readyz", "/metrics", "/api/v1/auth/login")
    assert len(ids) == len(set(ids))
    assert "credentials_create" in ids


def test_the_front_page_says_that_answers_are_simulated(stack: Stack) -> None:
    assert stack.sandbox.url in get(stack, "/").text
