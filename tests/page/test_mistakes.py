"""What goes wrong is told where it happened, with what to do, and nothing typed is lost."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.control.people import database
from tests.page.guests import Guest
from tests.proof.servers import ForkedStack, Launcher
from tests.services.stack import Process, Stack, User


def test_a_suite_that_cannot_be_read_is_told_by_line(guest: Guest) -> None:
    guest.begin()
    guest.upload("mine.jsonl", '{"prompt": "one"}\n{"prompt": }\n{"prompt": "<b>three</b>", "expected": 3,}\n')
    faults = guest.page.locator(".faults li")
    expect(faults).to_have_count(2)
    expect(faults.first).to_contain_text("Line 2, column")
    expect(faults.first.locator("code")).to_have_text('{"prompt": }')
    expect(faults.nth(1)).to_contain_text("Line 3")
    expect(faults.nth(1).locator("code")).to_contain_text("<b>three</b>")
    guest.upload("mine.jsonl", '{"prompt": "one"}\n{"prompt": "two"}\n')
    expect(guest.page.locator("#upload-told")).to_contain_text("2 questions")
    expect(guest.page.locator("#own-cards input")).to_be_checked()
    expect(guest.page.locator("#prompts > li")).to_have_count(2)


def test_a_table_with_other_column_names_is_mapped(guest: Guest) -> None:
    guest.begin()
    guest.page.get_by_text("My table has other column names").click()
    guest.page.get_by_label("Which column is what").fill("prompt:question,reference:answer")
    guest.upload("mine.csv", "question,answer\nHow much is 1 + 1?,2\n")
    expect(guest.page.locator("#upload-told")).to_contain_text("1 question.")


def test_a_dropped_file_is_read_too(guest: Guest) -> None:
    guest.begin()
    guest.page.locator("#drop").evaluate(
        """(place) => {
            const data = new DataTransfer();
            data.items.add(new File(['{"prompt": "dropped"}'], "dropped.jsonl"));
            place.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(guest.page.locator("#upload-told")).to_contain_text("“dropped” is ready")


def test_a_suite_that_is_too_large_is_refused_before_it_is_sent(stranger: Guest) -> None:
    stranger.begin()
    stranger.upload("large.jsonl", '{"prompt": "x"}\n' * 100_000)
    expect(stranger.page.locator("#upload-told")).to_contain_text("at most 1 MB fit here")


def test_going_on_without_a_suite_says_what_is_missing(guest: Guest) -> None:
    guest.begin()
    guest.page.locator("#task-next").click()
    expect(guest.page.locator("#task-told")).to_contain_text("Choose one of the sets")


def test_a_connection_that_fails_says_what_to_do_and_is_mended(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.connect("echo", "sk-invalid-1234567")
    bad = form.locator(".checked .notice.bad")
    expect(bad).to_contain_text("does not accept the key")
    expect(bad).to_contain_text("Check that the key belongs to this endpoint")
    expect(form.locator(".check-steps .no")).to_contain_text("authenticate")
    expect(form.get_by_label("API key")).to_have_value("")
    expect(form.get_by_label("Model")).to_have_value("echo")
    guest.page.locator("#connect-next").click()
    expect(guest.page.locator("#connect-told")).to_contain_text("does not work yet")
    guest.connected("echo")


def test_another_model_name_is_tried_without_giving_the_key_again(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.connect("error-404")
    expect(form.locator(".checked .notice.bad")).to_be_visible()
    form.get_by_label("Model").fill("echo")
    form.get_by_role("button", name="Test the connection").click()
    expect(form.locator(".checked .notice.good")).to_be_visible()
    expect(form.locator(".checked")).to_contain_text("…7890")


def test_names_the_endpoint_has_are_offered_for_one_it_has_not(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.connect("error-404")
    chip = form.locator(".suggestions button").first
    expect(chip).to_be_visible()
    name = chip.text_content() or ""
    chip.click()
    expect(form.get_by_label("Model")).to_have_value(name)
    expect(form.locator(".checked > .hint")).to_contain_text(f"{name} at http")


def test_a_private_address_is_refused_at_its_field_with_the_setting_that_opens_it(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.model()
    form.get_by_label("Endpoint").select_option("ollama")
    form.get_by_label("Model").fill("llama3")
    form.get_by_role("button", name="Test the connection").click()
    expect(form.locator("[data-part=told]")).to_contain_text("private")
    expect(form.locator("[data-part=hint]")).to_contain_text("OWNKEY_ALLOW_PRIVATE_ENDPOINTS=localhost:11434")


def test_prices_make_a_spend_preview_and_a_limit_holds(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    form = guest.model()
    form.get_by_label("Endpoint").select_option("openai")
    form.get_by_text("Prices, if they are not public").click()
    form.get_by_label("USD per million input tokens").fill("1000")
    form.get_by_label("USD per million output tokens").fill("1000")
    guest.connected("lorem-50")
    expect(guest.page.locator("#spend")).to_contain_text("10 calls, likely $")
    guest.start(max_tokens="100", max_cost_usd="0.5")
    guest.finished("spending limit")


def test_numbers_beyond_the_sessions_limits_are_told_at_their_field(stranger: Guest) -> None:
    stranger.begin()
    stranger.choose()
    stranger.connected("echo")
    plan = stranger.page.locator("#plan")
    plan.locator("[name=repeats]").fill("30")
    expect(stranger.page.locator("#spend")).to_contain_text("300 calls, and 200 are the most")
    plan.locator("[name=concurrency]").fill("5")
    stranger.button("Start the run").click()
    expect(stranger.page.locator("#plan-told")).to_contain_text("At a time")
    expect(plan.locator("[name=concurrency]")).to_have_attribute("aria-invalid", "true")


def test_an_expired_session_says_so_and_keeps_what_was_typed(guest: Guest, stack: Stack) -> None:
    guest.begin()
    guest.choose()
    expect(guest.connect("echo").locator(".notice.good")).to_be_visible()
    with database(stack) as tables:
        tables.execute("UPDATE workbench_sessions SET expires_at = 1 WHERE id = ?", (guest.known()["session"]["id"],))
    guest.page.locator("#connect-next").click()
    over = guest.page.locator("#over")
    expect(over).to_contain_text("Your session is over")
    expect(guest.page.locator("#life")).to_be_hidden()
    over.get_by_role("button", name="Begin a new session").click()
    guest.button("Begin").click()
    guest.shows("What shall it do?")
    guest.choose()
    expect(guest.model().get_by_label("Model")).to_have_value("echo")


def test_a_session_erased_from_elsewhere_ends_the_run_on_the_page(guest: Guest, owner: User) -> None:
    guest.begin()
    guest.choose()
    guest.connected("slow-2000")
    guest.start()
    expect(guest.rows().first).to_be_visible()
    erased = owner.api.delete(f"/workbench/sessions/{guest.known()['session']['id']}")
    assert erased.status_code == 200
    expect(guest.page.locator("#over")).to_contain_text("Your session is over")
    expect(guest.rows()).to_have_count(0)


def test_the_countdown_ends_the_session_by_itself(guest: Guest) -> None:
    guest.page.clock.install()
    guest.begin()
    guest.page.clock.fast_forward(31 * 24 * 3600 * 1000)
    expect(guest.page.locator("#over")).to_contain_text("Your session is over")


def test_offline_is_told_where_one_is_and_the_question_stays(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("echo")
    guest.start(limit="1")
    guest.finished()
    guest.button("Ask about the results").click()
    guest.page.get_by_label("Your question").fill("Are you there?")
    guest.context.set_offline(True)
    guest.button("Ask").click()
    expect(guest.page.locator("#ask-told")).to_contain_text("cannot be reached")
    expect(guest.page.get_by_label("Your question")).to_have_value("Are you there?")
    guest.context.set_offline(False)
    guest.button("Ask").click()
    expect(guest.page.locator(".turn.assistant")).to_contain_text("Are you there?")


def test_a_model_that_fails_in_the_talk_says_what_to_do(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("small-context-60")
    guest.start(limit="1")
    guest.finished("")
    guest.button("Ask about the results").click()
    guest.page.get_by_label("Your question").fill("Why?")
    guest.button("Ask").click()
    expect(guest.page.locator("#ask-told")).to_contain_text("larger context")
    expect(guest.page.get_by_label("Your question")).to_have_value("Why?")


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()


@pytest.fixture
def restarting(launcher: Launcher, sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    running = ForkedStack(launcher, tmp_path / "data", sandbox)
    yield running
    running.close()


def test_a_server_killed_in_mid_run_is_waited_for_and_nothing_is_missed(
    browser: Browser, restarting: ForkedStack
) -> None:
    with Guest.at(browser, restarting.url) as guest:
        guest.begin()
        guest.choose()
        guest.connected("slow-500")
        guest.start(repeats="3")
        expect(guest.rows().nth(3)).to_be_visible()
        restarting.server.send_signal(signal.SIGKILL)
        restarting.server.wait()
        expect(guest.page.locator("#live-told")).to_contain_text("The connection to Ownkey is lost")
        restarting.launch()
        restarting.server.wait_until_ready()
        guest.finished("Done: 30 of 30 calls")
        expect(guest.rows()).to_have_count(30)
        expect(guest.page.locator("#live-told")).to_be_empty()


def test_windows_of_every_kind_may_be_opened(guest_with: Callable[..., Guest]) -> None:
    """Private windows may refuse storage to pages; the visit goes on without it."""
    guest = guest_with()
    guest.page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    )
    guest.begin()
    guest.choose()
    expect(guest.model()).to_be_visible()
