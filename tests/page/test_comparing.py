"""Several models on one page: added, tested each, taken out again, and run together."""

import json

import pytest
from playwright.sync_api import expect
from tests.control.people import PASSWORD, unique
from tests.page.guests import Guest
from tests.services.stack import Stack


@pytest.fixture
def cookie(stack: Stack) -> str:
    """Of somebody new each time: an account has twenty connection tests a minute."""
    with stack.session(stack.user(unique("page-comparer")).email, PASSWORD) as signed_in:
        return signed_in.cookies["ownkey"]


def test_continuing_tests_every_model_as_it_stands(guest: Guest) -> None:
    """Nobody has to press a button for each model, and none runs that was changed after its test."""
    guest.begin()
    guest.choose()
    guest.compared("right-10", "right-50", "right-90")
    expect(guest.page.locator("#plan-words")).to_contain_text("for right-10, right-50, and right-90.")
    expect(guest.page.locator("#spend")).to_contain_text("30 calls")
    guest.page.go_back()
    guest.shows("Connect a model")
    expect(guest.page.locator("#models .notice.good")).to_have_count(3)
    guest.model(2).get_by_role("textbox", name="Model", exact=True).fill("right-60")
    guest.page.locator("#connect-next").click()
    expect(guest.page.locator("#plan-words")).to_contain_text("for right-10, right-60, and right-90.")


def test_each_model_has_a_test_of_its_own(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    expect(guest.connect("echo").locator(".notice.good")).to_be_visible()
    guest.add_model("error-404")
    guest.add_model("parrot").get_by_role("button", name="Test the connection").click()
    expect(guest.model(3).locator(".checked .notice.good")).to_contain_text("The endpoint works")
    expect(guest.model(2).locator(".checked")).to_be_empty()
    guest.page.locator("#connect-next").click()
    expect(guest.model(2).locator(".checked .notice.bad")).to_be_visible()
    expect(guest.page.locator("#connect-told")).to_contain_text("The connection to error-404 does not work yet")
    guest.button("Remove model 2").click()
    expect(guest.button("Add another model to compare")).to_be_focused()
    expect(guest.page.get_by_role("heading", level=2)).to_have_text(["Model 1", "Model 2"])
    guest.page.locator("#connect-next").click()
    expect(guest.page.locator("#plan-words")).to_contain_text("for echo and parrot.")


def test_a_model_without_a_name_is_asked_for_it(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    expect(guest.connect("echo").locator(".notice.good")).to_be_visible()
    guest.add_model(" ")
    guest.page.locator("#connect-next").click()
    expect(guest.model(2).locator("[data-part=told]")).to_contain_text("Give the model’s name")
    expect(guest.model(2).get_by_role("textbox", name="Model", exact=True)).to_be_focused()
    expect(guest.page.locator("#connect-told")).to_contain_text("The connection to model 2 does not work yet")


def test_models_of_the_same_name_are_told_apart(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.compared("echo", "echo")
    expect(guest.page.locator("#plan-words")).to_contain_text("for echo and echo (2).")


def test_a_reload_keeps_all_models_and_their_tests(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.compared("right-10", "right-90")
    guest.page.go_back()
    guest.shows("Connect a model")
    guest.page.reload()
    expect(guest.page.locator("#models .notice.good")).to_have_count(2)
    names = [guest.model(place).get_by_role("textbox", name="Model", exact=True) for place in (1, 2)]
    expect(names[0]).to_have_value("right-10")
    expect(names[1]).to_have_value("right-90")
    with guest.page.expect_request(lambda request: request.url.endswith("/runs/preview")) as planned:
        guest.page.locator("#connect-next").click()
    plan = json.loads(planned.value.post_data or "")
    assert len(plan["targets"]) == 2
    # Nothing was typed anew, so nothing was tested anew.
    assert set(guest.known()["tested"]) == set(plan["targets"])


def test_a_stranger_adds_as_many_models_as_a_session_takes(stranger: Guest) -> None:
    stranger.begin()
    stranger.choose()
    expect(stranger.connect("echo").locator(".notice.good")).to_be_visible()
    for place in range(2, 7):
        stranger.add_model(f"right-{place}")
    expect(stranger.button("Add another model to compare")).to_be_hidden()
    expect(stranger.page.locator("#most-models")).to_have_text("6 models are the most in one comparison here.")


def test_the_best_of_four_is_named_and_every_pair_has_its_verdict(guest: Guest) -> None:
    page = guest.page
    guest.quiz(40)
    models = [f"right-{share}+ttft=constant:40" for share in (5, 10, 12)]
    guest.compared(models[0], models[1], "right-99+ttft=constant:5", models[2])
    guest.start(concurrency="8")
    guest.finished("Done: 160 of 160 calls")
    expect(page.locator(".verdict .words").first).to_have_text(
        "right-99+ttft=constant:5 is better than each of the other 3 models."
    )
    beside = page.get_by_role("region", name="The models side by side")
    expect(beside.locator("thead th")).to_have_count(4)
    passed = beside.locator("tr", has=page.get_by_role("rowheader", name="Passed", exact=True)).locator("td")
    expect(passed.nth(2)).to_contain_text("interval")
    better = beside.locator("tr", has=page.get_by_role("rowheader", name="Better than", exact=True)).locator("td")
    expect(better.nth(0)).not_to_contain_text("right-99")
    expect(better.nth(2)).to_have_text(", ".join(models))
    page.get_by_text("All 6 pairs, one by one").click()
    expect(page.locator(".pairs .verdict")).to_have_count(6)
    expect(page.locator(".pairs .verdict").nth(1)).to_contain_text("passes more often")
    expect(page.locator(".key .dot")).to_have_count(4)
    expect(page.locator(".model-figures")).to_have_count(4)


def test_three_that_are_alike_have_no_winner(guest: Guest) -> None:
    guest.quiz(10)
    guest.compared("right-100", "right-100", "right-100")
    guest.start(concurrency="4")
    guest.finished("Done: 30 of 30 calls")
    expect(guest.page.locator(".verdict .words").first).to_contain_text("No model could be shown")
    expect(guest.page.locator(".pairs .verdict")).to_have_count(3)


def test_what_is_opened_stays_open_while_figures_are_renewed(guest: Guest) -> None:
    page = guest.page
    guest.begin()
    guest.choose()
    guest.compared("slow-150", "slow-160")
    guest.start(repeats="2")
    summary = page.get_by_text("All figures of slow-160")
    summary.click()
    table = page.get_by_role("region", name="All figures of slow-160")
    drawn = table.element_handle()
    assert drawn is not None
    page.wait_for_function("(table) => !table.isConnected", arg=drawn)
    expect(table).to_be_visible()
    expect(summary).to_be_focused()
