"""A model of a run becomes a route: a name that this gateway answers to."""

from playwright.sync_api import expect
from tests.control.people import unique
from tests.page.guests import Guest
from tests.services.stack import User


def compared(guest: Guest, *models: str) -> None:
    """A run of these models that is done."""
    guest.quiz(40)
    guest.compared(*models)
    guest.start(concurrency="8")
    guest.finished(f"Done: {40 * len(models)} of")
    expect(guest.page.locator("#promotion")).to_be_visible()


def test_the_winner_becomes_a_route_that_answers(guest: Guest, owner: User) -> None:
    page = guest.page
    compared(guest, "right-10+ttft=constant:40", "right-95+ttft=constant:5")
    expect(page.locator("#promote [name=target]")).to_have_value("1")
    expect(page.locator("#promotion-words")).to_contain_text("join your stored keys")
    name = unique("support-bot")
    page.get_by_label("Name of the route").fill(name)
    guest.button("Make it a route").click()
    told = page.locator("#promoted")
    expect(told).to_contain_text(f"Send {name} as the model’s name")
    expect(told).to_contain_text("openai/right-95+ttft=constant:5 answers")
    expect(told.locator("pre")).to_contain_text(f"{guest.url}/v1/chat/completions")
    answer = owner.chat(name, "sandbox:answer yes\nWell?")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ownkey-model"].endswith("right-95+ttft=constant:5")
    # The same name again.
    guest.button("Make it a route").click()
    expect(page.locator("#promote-told")).to_contain_text(f"A route named '{name}' already exists")
    expect(page.get_by_label("Name of the route")).to_be_focused()


def test_without_a_winner_the_model_is_chosen(guest: Guest) -> None:
    page = guest.page
    # One is right more often, the other answers sooner.
    right = "right-95+ttft=constant:60"
    compared(guest, "right-10+ttft=constant:5", right)
    page.get_by_label("Name of the route").fill(unique("chosen"))
    guest.button("Make it a route").click()
    expect(page.locator("#promote-told")).to_contain_text("Choose the model")
    page.locator("#promote [name=target]").select_option(label=right)
    guest.button("Make it a route").click()
    expect(page.locator("#promoted")).to_contain_text(f"openai/{right} answers")


def test_a_name_that_cannot_be_one_is_told_at_its_field(guest: Guest) -> None:
    page = guest.page
    compared(guest, "right-50")
    field = page.get_by_label("Name of the route")
    for name, words in (
        ("", "Give the route a name"),
        ("no spaces", "letters"),
        ("gpt-5-mini", "name of a model itself"),
    ):
        field.fill(name)
        guest.button("Make it a route").click()
        expect(page.locator("#promote-told")).to_contain_text(words)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")


def test_who_is_signed_out_meanwhile_is_told_so(guest: Guest) -> None:
    page = guest.page
    compared(guest, "right-50")
    page.get_by_label("Name of the route").fill(unique("late"))
    guest.context.clear_cookies()
    guest.button("Make it a route").click()
    expect(page.locator("#promote-told")).to_contain_text("You are no longer signed in")
    page.get_by_role("link", name="Welcome").click()
    expect(page.get_by_text("I have an account here")).to_be_visible()


def test_without_an_account_it_is_said_that_one_is_needed(stranger: Guest) -> None:
    stranger.begin()
    stranger.choose()
    stranger.connected("echo")
    stranger.start(limit="1")
    stranger.finished("Done: 1 of 1 call")
    expect(stranger.page.locator("#promotion-words")).to_contain_text("To make one you need an account")
    expect(stranger.button("Make it a route")).to_be_hidden()


def test_nothing_is_offered_before_the_run_has_ended(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("slow-2000")
    guest.start()
    expect(guest.rows().first).to_be_visible()
    expect(guest.page.locator("#promotion")).to_be_hidden()
    guest.button("Cancel").click()
    guest.finished("Cancelled")
    expect(guest.page.locator("#promotion")).to_be_visible()
    guest.button("Retry what failed").click()
    expect(guest.page.locator("#promotion")).to_be_hidden()
