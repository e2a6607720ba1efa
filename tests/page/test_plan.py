"""How a run is planned: objectives, and models that grade."""

import json

from playwright.sync_api import Locator, expect
from tests.page.guests import Guest
from tests.services.stack import User


def tile(guest: Guest, name: str) -> Locator:
    """A figure of the only model by its name."""
    return guest.page.locator(".tiles > div", has=guest.page.get_by_text(name, exact=True))


def test_objectives_make_goodput_with_and_without_quality(guest: Guest) -> None:
    page = guest.page
    guest.quiz(20)
    expect(guest.connect("right-50+ttft=constant:20+gap=constant:2").locator(".notice.good")).to_be_visible()
    page.locator("#connect-next").click()
    expect(page.get_by_label("First token within, ms")).to_be_hidden()
    guest.start(objective_ttft="5000", objective_tpot="5000", objective_e2e="10000", concurrency="4")
    guest.finished("Done: 20 of 20 calls")
    expect(tile(guest, "Met all objectives")).to_contain_text("20 of 20; 95 % interval")
    expect(tile(guest, "Goodput").locator("strong")).to_contain_text("/s")
    expect(tile(guest, "Goodput of passed answers")).to_contain_text("requests that passed and met all objectives")
    page.get_by_text("All figures of").click()
    expect(page.get_by_role("row", name="Goodput of passed answers")).to_contain_text("requests/s")


def test_objectives_that_no_answer_keeps_leave_no_goodput(guest: Guest) -> None:
    guest.quiz(5)
    expect(guest.connect("right-50+ttft=constant:20").locator(".notice.good")).to_be_visible()
    guest.page.locator("#connect-next").click()
    guest.start(objective_e2e="1")
    guest.finished("Done: 5 of 5 calls")
    expect(tile(guest, "Met all objectives")).to_contain_text("0 of 5")


def test_without_objectives_nothing_is_said_of_goodput(guest: Guest) -> None:
    guest.quiz(5)
    expect(guest.connect("right-50").locator(".notice.good")).to_be_visible()
    guest.page.locator("#connect-next").click()
    guest.start(warm_up="1")
    guest.finished("Done: 5 of 5 calls")
    expect(guest.page.locator(".tiles")).not_to_contain_text("oodput")
    guest.page.get_by_text("All figures of").click()
    cold = guest.page.get_by_role("row", name="First call of all, cold")
    expect(cold).to_contain_text(" ms")


def test_what_a_folded_field_holds_wrongly_is_unfolded(guest: Guest) -> None:
    guest.begin()
    guest.choose()
    guest.connected("echo")
    plan = guest.page.locator("#plan")
    plan.get_by_text("More settings").click()
    plan.get_by_label("Whole answer within, ms").fill("-5")
    plan.get_by_text("More settings").click()
    guest.button("Start the run").click()
    expect(guest.page.locator("#plan-told")).to_contain_text("Whole answer within, ms")
    expect(plan.get_by_label("Whole answer within, ms")).to_be_visible()


def test_a_judge_and_an_embedding_model_grade_for_an_account(owner: User, guest: Guest) -> None:
    owner.add_key("openai", "sk-judging-1234567890")
    page = guest.page
    guest.begin()
    line = {
        "vars": {"question": "Say it.\nsandbox:answer the sky is blue"},
        "assert": [
            {"type": "llm-rubric", "value": 'The answer says "blue".'},
            {"type": "similar", "value": "the sky is blue", "threshold": 0.8},
        ],
    }
    guest.upload("mine.jsonl", json.dumps(line))
    expect(page.locator("#upload-told")).to_contain_text("1 question")
    page.locator("#task-next").click()
    guest.connected("right-100")
    page.locator("#plan").get_by_text("More settings").click()
    page.get_by_label("Judge model").fill("openai/judge")
    page.get_by_label("Embedding model").fill("openai/text-embedding-3-small")
    expect(page.locator("#spend")).to_contain_text("The judge is asked 1 time on top, at a price that is not known.")
    expect(page.locator("#spend")).to_contain_text("Texts are embedded 1 time, likely $")
    guest.start()
    guest.finished("Done: 1 of 1 call")
    expect(page.locator("#figures")).to_contain_text("on 2 calls for grading; what 2 calls cost is not known.")
    guest.rows().first.get_by_role("button").click()
    checks = page.locator("#detail .check-steps li")
    expect(checks).to_have_count(2)
    expect(page.locator("#detail .check-steps li.yes")).to_have_count(2)


def test_a_stranger_is_offered_no_models_that_an_account_pays(stranger: Guest) -> None:
    stranger.begin()
    stranger.choose()
    stranger.connected("echo")
    stranger.page.locator("#plan").get_by_text("More settings").click()
    expect(stranger.page.get_by_label("Whole answer within, ms")).to_be_visible()
    expect(stranger.page.get_by_label("Judge model")).to_be_hidden()
    expect(stranger.page.get_by_label("Embedding model")).to_be_hidden()
