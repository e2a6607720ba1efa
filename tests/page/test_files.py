"""How the page's files are served."""

import re

import httpx2
import pytest
from tests.services.stack import Stack


@pytest.fixture
def web(stack: Stack) -> httpx2.Client:
    return httpx2.Client(base_url=stack.url, trust_env=False)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/workbench", "text/html; charset=utf-8"),
        ("/workbench/assets/main.js", "text/javascript; charset=utf-8"),
        ("/workbench/assets/style.css", "text/css; charset=utf-8"),
        ("/workbench/assets/icon.svg", "image/svg+xml"),
    ],
)
def test_files_have_their_type_their_tag_and_the_strict_policy(web: httpx2.Client, path: str, kind: str) -> None:
    with web:
        answer = web.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        again = web.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert web.get(path, headers={"if-none-match": '"old"'}).status_code == 200


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(web: httpx2.Client) -> None:
    with web:
        page = web.get("/workbench").text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
        for address in re.findall(r"(?:src|href)=\"([^\"]+)\"", page):
            assert address.startswith(("/workbench/assets/", "#")), address
            if address.startswith("/"):
                assert web.get(address).status_code == 200, address


@pytest.mark.parametrize(
    "name",
    ["../routes.py", "%2e%2e%2froutes.py", "..%5croutes.py", "index.html", "__init__.py", "none.js", ".js", "a/b.js"],
)
def test_nothing_else_of_the_package_is_served(web: httpx2.Client, name: str) -> None:
    with web:
        answer = web.get(f"/workbench/assets/{name}")
        # 400 where the path itself is one that no server should take.
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_front_page_and_the_start_up_text_lead_to_it(web: httpx2.Client, stack: Stack) -> None:
    with web:
        assert 'href="/workbench"' in web.get("/").text
    assert f"{stack.url}/workbench" in stack.ownkey.read_log()
