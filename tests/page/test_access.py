"""By keyboard, by screen reader, in light and dark, on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.page.guests import KEY, Guest

_TABS = 60
_OUTLINE = """() => {
    const at = document.activeElement;
    return getComputedStyle(at.closest("label.choice") ?? at).outlineStyle;
}"""
_IS_BUTTON = (
    "(name) => { const at = document.activeElement; return at?.matches('button') && at.textContent.trim() === name }"
)


def walk(guest: Guest, look: Callable[[Page, str], None]) -> None:
    """All six steps with everything opened, looking at each."""
    page = guest.page
    page.goto("/workbench")
    expect(page.locator("#welcome-facts dt").first).to_be_visible()
    look(page, "welcome")
    guest.button("Begin").click()
    guest.shows("What shall it do?")
    guest.upload("bad.jsonl", '{"prompt": }\n')
    expect(page.locator(".faults li")).to_have_count(1)
    page.locator("input[value=support-easy]").check()
    page.locator("#prompts-summary").click()
    expect(page.locator("#prompts > li")).to_have_count(10)
    look(page, "task")
    page.locator("#task-next").click()
    expect(guest.connect("error-404").locator(".checked .notice.bad")).to_be_visible()
    look(page, "connect, failed")
    expect(guest.connect("echo+ttft=uniform:5:40").locator(".checked .notice.good")).to_be_visible()
    guest.model().get_by_text("What the endpoint can do").click()
    second = guest.add_model("right-50+ttft=uniform:20:60")
    second.get_by_role("button", name="Test the connection").click()
    expect(second.locator(".checked .notice.good")).to_be_visible()
    guest.add_model("parrot")
    look(page, "connect")
    page.locator("#connect-next").click()
    guest.shows("Run it")
    page.locator("#plan").get_by_text("More settings").click()
    look(page, "plan")
    guest.start(repeats="2", retries="0")
    guest.finished("Done")
    for summary in page.locator("#live summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    page.get_by_label("Name of the route").fill("no spaces")
    page.locator("#promote [name=target]").select_option("0")
    guest.button("Make it a route").click()
    expect(page.locator("#promote-told .notice.bad")).to_be_visible()
    look(page, "run")
    page.get_by_label("Name of the route").fill("support-bot")
    guest.button("Make it a route").click()
    expect(page.locator("#promoted .notice.good")).to_be_visible()
    look(page, "promoted")
    guest.rows().first.get_by_role("button").click()
    expect(page.locator("#detail .measured")).to_be_visible()
    look(page, "result")
    page.keyboard.press("Escape")
    guest.button("Ask about the results").click()
    page.get_by_label("Your question").fill("Look at [support-easy-01].")
    guest.button("Ask").click()
    expect(page.locator(".turn.assistant").get_by_role("button")).to_be_visible()
    look(page, "ask")
    guest.button("Continue").click()
    guest.button("Erase everything").click()
    look(page, "export")
    guest.button("Yes, erase it all").click()
    expect(page.locator("#receipt")).to_contain_text("Receipt")
    look(page, "receipt")


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        ("dark", 390),
        pytest.param("light", 390, marks=pytest.mark.long),
        pytest.param("dark", 1280, marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_in_any_step(guest_with: Callable[..., Guest], scheme: str, width: int) -> None:
    guest = guest_with(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    found: list[str] = []

    def look(page: Page, step: str) -> None:
        for violation in Axe().run(page).response["violations"]:
            nodes = [node["target"] for node in violation["nodes"]]
            found.append(f"{step}: {violation['id']}: {violation['help']}: {nodes[:3]}")

    walk(guest, look)
    assert found == []


@pytest.mark.parametrize(
    "width", [360, pytest.param(390, marks=pytest.mark.long), pytest.param(768, marks=pytest.mark.long)]
)
def test_no_step_scrolls_sideways_on_small_screens(guest_with: Callable[..., Guest], width: int) -> None:
    guest = guest_with(viewport={"width": width, "height": 780}, has_touch=True)
    wide: list[str] = []

    def look(page: Page, step: str) -> None:
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(step)

    walk(guest, look)
    assert wide == []


def test_the_whole_walk_by_keyboard_alone(guest: Guest) -> None:
    page = guest.page
    page.goto("/workbench")
    guest.shows("Learn the truth about a model")
    press(page, "Begin")
    expect(page.locator("#task-title")).to_be_focused()
    reach(page, "input[name=suite]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[name=suite]").nth(1)).to_be_checked()
    press(page, "Continue")
    expect(page.locator("#connect-title")).to_be_focused()
    expect(guest.model()).to_be_visible()
    reach(page, "#models [name=preset]")
    page.keyboard.type("OpenA")
    reach(page, "#models [name=api_key]")
    page.keyboard.type(KEY)
    reach(page, "#models [name=model]")
    page.keyboard.type("echo")
    page.keyboard.press("Enter")
    expect(page.locator("#models .notice.good")).to_be_visible()
    press(page, "Continue")
    expect(page.locator("#run-title")).to_be_focused()
    press(page, "Start the run")
    expect(page.locator("#run-title")).to_be_focused()
    guest.finished()
    expect(page.locator("#progress-spoken")).to_contain_text("Done: 10 of 10")
    reach(page, "#results button")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#results button").first).to_be_focused()
    page.keyboard.press("Home")
    press(page, "Ask about the results", backwards=True)
    expect(page.locator("#ask-title")).to_be_focused()
    reach(page, "#question")
    page.keyboard.type("Well?")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn.assistant")).to_contain_text("Well?")
    expect(page.locator("#question")).to_be_focused()
    press(page, "Continue")
    expect(page.locator("#export-title")).to_be_focused()
    press(page, "Erase everything")
    expect(guest.button("Yes, erase it all")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Receipt")).to_be_focused()
    press(page, "Back to the beginning")
    expect(page.locator("#welcome-title")).to_be_focused()


def reach(page: Page, selector: str, key: str = "Tab") -> None:
    """Tab until the element has the focus; on the way every stop is visible."""
    for _ in range(_TABS):
        page.keyboard.press(key)
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            outline = page.evaluate(_OUTLINE)
            assert outline != "none", f"the focus on {selector} cannot be seen"
            return
    raise AssertionError(f"{selector} is not reached by {key}")


def press(page: Page, name: str, *, backwards: bool = False) -> None:
    """Tab to the button with this name, and press it."""
    for _ in range(_TABS * 3):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate(_IS_BUTTON, name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the button “{name}” is not reached by keyboard")
