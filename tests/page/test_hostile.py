"""Whatever a model or a file says stays text: nothing of it runs, and nothing leaves for another server."""

import json

from playwright.sync_api import expect
from tests.page.guests import Guest

_PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe><a href='javascript:alert(1)'>[q0]</a>",
    "\"><img src='http://127.0.0.2:9/leak.png'><link rel=stylesheet href='//127.0.0.2:9/leak.css'>",
    "</td></tr></table><style>@import 'http://127.0.0.2:9/x.css'</style><form action='http://127.0.0.2:9/'>",
    "${alert(1)}{{constructor.constructor('alert(1)')()}}",
    "![x](http://127.0.0.2:9/leak) [click](javascript:alert(1))",
]


def test_hostile_answers_stay_text_everywhere(guest: Guest) -> None:
    page = guest.page
    guest.begin()
    lines = [{"id": f"<b>q{n}</b>", "prompt": text, "expected": text} for n, text in enumerate(_PAYLOADS)]
    guest.upload("<img src=x onerror=alert(2)>.jsonl", "\n".join(json.dumps(line) for line in lines))
    expect(page.locator("#prompts > li")).to_have_count(len(_PAYLOADS))
    page.locator("#task-next").click()
    guest.connected("echo")
    guest.start(concurrency="4")
    guest.finished(f"Done: {len(_PAYLOADS)} of")
    for text in _PAYLOADS:
        expect(page.locator("#results")).to_contain_text(text[:30])
    for row in guest.rows().all():
        row.get_by_role("button").click()
        expect(page.locator("#detail .measured")).to_be_visible()
        assert any(text in (page.locator("#detail-body").text_content() or "") for text in _PAYLOADS)
        page.keyboard.press("Escape")
    guest.button("Ask about the results").click()
    for text in _PAYLOADS[:4]:
        said = page.locator(".turn.assistant").count()
        page.get_by_label("Your question").fill(text)
        guest.button("Ask").click()
        answer = page.locator(".turn.assistant").nth(said)
        expect(answer).to_contain_text(text)
        expect(page.get_by_label("Your question")).to_have_value("")
    page.reload()
    expect(page.locator(".turn.assistant")).to_have_count(4)
    # None of it became an element, in any step.
    made = page.evaluate(
        "document.querySelectorAll('main :is(img, script, iframe, style, link, form[action], a[href^=javascript]),"
        " dialog :is(img, script, iframe), main b').length"
    )
    assert made == 0
    assert guest.wrongs == []


def test_errors_of_hostile_endpoints_stay_text(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.connect("html")
    expect(form.locator(".checked .notice.bad")).to_contain_text("base URL")
    form = guest.connect("<img src=x onerror=alert(3)>")
    expect(form.locator(".checked")).to_contain_text("<img src=x onerror=alert(3)>")
    assert guest.wrongs == []


def test_the_policy_lets_no_inline_script_run(guest: Guest) -> None:
    """The page's own defence, should text ever become markup: the browser refuses what it would do."""
    guest.page.goto("/workbench")
    guest.shows("Learn the truth about a model")
    with guest.page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        guest.page.evaluate(
            """() => {
                const place = document.createElement("div");
                document.body.append(place);
                place.innerHTML = "<img src='x' onerror='window.ran = true'>";
            }"""
        )
    assert guest.page.evaluate("window.ran") is None
    # Provoked here, and by nothing else.
    assert all("Content Security Policy" in wrong for wrong in guest.wrongs)
    guest.wrongs.clear()
