"""The six steps as people walk them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.page.guests import KEY, Guest


def test_a_stranger_walks_all_six_steps_and_leaves_nothing(stranger: Guest, tmp_path: Path) -> None:
    page = stranger.page
    page.goto("/workbench")
    facts = page.locator("#welcome-facts")
    expect(facts).to_contain_text("one hour")
    expect(facts).to_contain_text("encrypted")
    expect(page.locator("#welcome-account")).to_contain_text("simulator")
    expect(page.locator("#life")).to_be_hidden()
    stranger.button("Begin").click()
    stranger.shows("What shall it do?")
    expect(page.locator("#life")).to_contain_text(re.compile(r"59:\d\d|1:00:00"))
    expect(page.locator("#suite-cards input")).to_have_count(8)
    page.locator("input[value=qa-easy]").check()
    page.locator("#prompts-summary").click()
    expect(page.locator("#prompts > li")).to_have_count(10)
    page.locator("#task-next").click()
    stranger.connected("echo")
    expect(page.locator("#spend")).to_contain_text("10 calls")
    stranger.start(concurrency="4")
    stranger.finished("Done: 10 of 10 calls")
    expect(stranger.rows()).to_have_count(10)
    tiles = page.locator(".tiles").first
    expect(tiles).to_contain_text("10 of 10; 95 % interval 72 % to 100 %")
    expect(page.locator(".cautions")).to_contain_text("p95")
    page.locator(".model-figures summary").click()
    expect(page.locator(".model-figures table").first).to_contain_text("last content chunk − request sent")
    stranger.rows().first.get_by_role("button").click()
    expect(page.locator("#detail")).to_contain_text("Time to first token")
    page.keyboard.press("Escape")
    stranger.button("Ask about the results").click()
    page.get_by_label("Your question").fill("What about [qa-easy-03] and [nobody]?")
    stranger.button("Ask").click()
    answer = page.locator(".turn.assistant")
    expect(answer).to_contain_text("What about [qa-easy-03] and [nobody]?")
    answer.get_by_role("button", name="qa-easy-03").click()
    expect(page.locator("#detail-title")).to_have_text("qa-easy-03")
    stranger.button("Close").click()
    expect(answer.get_by_role("button")).to_have_count(1)
    stranger.button("Continue").click()
    _exports(stranger, tmp_path)
    _erases(stranger)


def _exports(stranger: Guest, folder: Path) -> None:
    stranger.shows("Take it with you, and leave nothing")
    files: dict[str, str] = {}
    for name in ("Report", "CSV", "JSON", "JSON lines", "JUnit"):
        with stranger.page.expect_download() as caught:
            stranger.button(name).click()
        caught.value.save_as(folder / name)
        files[name] = (folder / name).read_text()
        assert caught.value.suggested_filename.startswith("wrun_")
    assert json.loads(files["JSON"])["schema"].startswith("ownkey.workbench.run/")
    assert len(files["JSON lines"].splitlines()) == 10
    assert files["CSV"].count("qa-easy-") >= 10
    assert "<testsuite" in files["JUnit"]
    assert "<html" in files["Report"]


def _erases(stranger: Guest) -> None:
    kept = stranger.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
    assert KEY not in kept
    assert "wb_" in kept
    stranger.button("Erase everything").click()
    stranger.button("Yes, erase it all").click()
    receipt = stranger.page.locator("#receipt")
    for words in ("1 key", "1 run", "10 results", "1 session"):
        expect(receipt).to_contain_text(words)
    assert "wb_" not in stranger.page.evaluate("JSON.stringify({...sessionStorage})")
    expect(stranger.page.locator("#life")).to_be_hidden()
    stranger.button("Back to the beginning").click()
    stranger.shows("Learn the truth about a model")


def test_a_second_session_of_an_address_is_refused_with_what_to_do(stranger: Guest) -> None:
    stranger.begin()
    with Guest.at(stranger.context.browser, stranger.url) as second:  # pyright: ignore[reportArgumentType]
        second.page.goto("/workbench")
        second.button("Begin").click()
        expect(second.page.locator("#welcome-told")).to_contain_text("Erase it with its token, wait for its end")
        second.shows("Learn the truth about a model")


def test_who_is_signed_in_is_told_so_and_can_use_stored_keys(guest: Guest) -> None:
    page = guest.page
    page.goto("/workbench")
    expect(page.locator("#welcome-account")).to_contain_text("You are signed in as page-owner")
    expect(page.locator("#welcome-facts")).to_contain_text("30 days")
    guest.button("Begin").click()
    guest.choose()
    form = guest.model()
    form.get_by_label("Endpoint").select_option("gateway")
    expect(form.get_by_label("Stored key")).to_be_visible()
    expect(form.get_by_label("API key")).to_be_hidden()


def test_signing_in_happens_on_the_page(stranger: Guest, owner: object) -> None:
    page = stranger.page
    page.goto("/workbench")
    page.get_by_text("I have an account here").click()
    page.get_by_label("E-mail address").fill(owner.email)  # pyright: ignore[reportAttributeAccessIssue]
    page.get_by_label("Password").fill("a fine long password")
    stranger.button("Sign in").click()
    expect(page.locator("#welcome-account")).to_contain_text("You are signed in as")
    expect(page.locator("#welcome-facts")).to_contain_text("30 days")


def test_two_models_are_compared_with_a_verdict_on_top(guest: Guest) -> None:
    guest.begin()
    lines = [
        json.dumps({"id": f"q{n}", "prompt": f"Q{n}?\nsandbox:answer blue{n}", "expected": f"blue{n}"})
        for n in range(40)
    ]
    guest.upload("mine.jsonl", "\n".join(lines))
    expect(guest.page.locator("#upload-told")).to_contain_text("40 questions")
    guest.page.locator("#task-next").click()
    guest.compared("right-10", "right-95")
    expect(guest.page.locator("#spend")).to_contain_text("80 calls")
    guest.start(concurrency="8")
    guest.finished("Done: 80 of 80 calls")
    verdict = guest.page.locator(".verdict")
    expect(verdict).to_contain_text("right-95 passes more often")
    verdict.get_by_text("What carries this verdict").click()
    expect(verdict.locator("table")).to_contain_text("points")
    expect(verdict.locator("svg.interval").first).to_be_visible()
    expect(guest.page.locator("figure")).to_have_count(2)
    guest.page.locator("#filter").select_option("wrong")
    expect(guest.page.locator("#results .outcome.good")).to_have_count(0)


def test_a_reload_in_mid_run_goes_on_where_one_was(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("slow-150")
    guest.start(repeats="2")
    expect(guest.rows().nth(1)).to_be_visible()
    guest.page.reload()
    guest.shows("Run it")
    expect(guest.page.locator("#life")).to_be_visible()
    guest.finished("Done: 20 of 20 calls")
    expect(guest.rows()).to_have_count(20)


def test_a_reload_keeps_suite_forms_and_connection(guest: Guest) -> None:
    guest.begin()
    guest.choose("code-medium")
    expect(guest.connect("echo").locator(".notice.good")).to_be_visible()
    guest.page.reload()
    guest.shows("Connect a model")
    form = guest.model()
    expect(form.get_by_label("Model")).to_have_value("echo")
    expect(form.get_by_label("API key")).to_have_value("")
    expect(form.locator(".checked")).to_contain_text("The endpoint works")
    expect(form.locator(".checked")).to_contain_text("…7890")
    guest.page.locator("#connect-next").click()
    expect(guest.page.locator("#plan-words")).to_contain_text("Code")


def test_a_run_is_cancelled_and_its_rest_tried_again(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("slow-2000")
    guest.start()
    expect(guest.rows().first).to_be_visible()
    guest.button("Cancel").click()
    guest.finished("Cancelled")
    expect(guest.page.locator("#progress-words")).to_contain_text("the answers so far are kept")
    guest.button("Retry what failed").click()
    guest.finished("Done, round 2: 10 of 10 calls")
    expect(guest.rows()).to_have_count(10)
    expect(guest.button("Retry what failed")).to_be_hidden()


def test_failed_calls_are_told_with_advice_and_only_they_are_made_again(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("flaky-3-503")
    guest.start(retries="0")
    guest.finished("Done")
    expect(guest.page.locator(".model-figures .notice.bad")).to_contain_text("Wait and retry the failed requests")
    guest.page.locator("#filter").select_option("failed")
    failed = guest.rows().count()
    assert 0 < failed < 10
    for round_ in range(2, 6):
        if guest.button("Retry what failed").is_hidden():
            break
        guest.button("Retry what failed").click()
        guest.finished(f"Done, round {round_}")
    expect(guest.rows()).to_have_count(0)
    guest.page.locator("#filter").select_option("all")
    expect(guest.rows()).to_have_count(10)


def test_an_earlier_run_is_opened_again(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("echo")
    guest.start(limit="2")
    guest.finished("Done: 2 of 2 calls")
    guest.button("Another run").click()
    guest.start(limit="3")
    guest.finished("Done: 3 of 3 calls")
    guest.button("Another run").click()
    earlier = guest.page.locator("#earlier li")
    expect(earlier).to_have_count(2)
    earlier.filter(has_text="2 of 2 calls").get_by_role("button").click()
    guest.finished("Done: 2 of 2 calls")
    expect(guest.rows()).to_have_count(2)


def test_hundreds_of_results_make_a_hundred_rows(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("echo")
    guest.start(repeats="30", concurrency="20")
    guest.finished("Done: 300 of 300 calls")
    expect(guest.page.locator("#results-count")).to_contain_text("300 results")
    expect(guest.rows()).to_have_count(100)
    guest.button("Older").click()
    expect(guest.page.locator("#pager")).to_contain_text("Page 2 of 3")
    expect(guest.rows()).to_have_count(100)


def test_back_and_forward_lead_through_the_steps(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.page.go_back()
    guest.shows("What shall it do?")
    expect(guest.page.locator("#task-title")).to_be_focused()
    guest.page.go_forward()
    guest.shows("Connect a model")


@pytest.mark.parametrize("step", ["run", "ask"])
def test_a_step_that_cannot_be_taken_yet_leads_to_one_that_can(guest: Guest, step: str) -> None:
    guest.begin()
    guest.page.goto(f"/workbench#{step}")
    guest.page.reload()
    guest.shows("Connect a model")
