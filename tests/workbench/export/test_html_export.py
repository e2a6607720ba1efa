"""The report: whole, quiet, harmless, and frank about what it leaves out."""

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from tests.workbench.runs import answered, failed, plan, prompt, rows_of, run, summary, target, whole

from ownkey.workbench.export import export_html
from ownkey.workbench.export.report.collected import ANSWERS, CHARACTERS
from ownkey.workbench.export.report.numbers import dollars, duration, figure, number, percent, shortened
from ownkey.workbench.records import Prompt, Result, RunStatus, Slot

_VOID = {"meta", "link", "br"}
_DRAWN = {"line", "circle", "rect"}
_ALLOWED = {
    *("html", "head", "body", "title", "style", "main", "header", "section", "article", "footer", "figure"),
    *("figcaption", "h1", "h2", "h3", "h4", "p", "b", "i", "small", "span", "bdi", "code", "pre", "ul", "li"),
    *("dl", "dt", "dd", "div", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "text"),
}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and notes every element that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID | _DRAWN:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


async def page(**fields: object) -> str:
    return (await whole(export_html(run(**fields)))).decode()  # type: ignore[arg-type]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


async def test_the_page_is_well_formed_and_holds_no_script_link_frame_or_form() -> None:
    found = read(await page())
    assert (found.wrong, found.open) == ([], [])
    assert found.tags <= _ALLOWED | _VOID | _DRAWN


async def test_the_page_asks_nobody_for_anything() -> None:
    text = await page()
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in text
    found = read(text)
    addresses = [value for name, value in found.attributes if name in {"src", "href", "srcset", "action", "xlink:href"}]
    assert addresses == ["data:,"]
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme" in style
    assert "@media print" in style


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details><h1>forged</h1>",
    "]]>",
    "<!-- ",
    "</style><script>alert(1)</script>",
    "\u202egnihton\u2066",
    "a\0b\x1b[31m",
    "\ud800",
    "&lt;b&gt;",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_anybody_wrote_is_shown_as_text(text: str) -> None:
    asked = prompt(id=text, reference=text)
    asked = replace(asked, messages=(replace(asked.messages[-1], content=text, role=text),))
    rows = [
        (asked, answered(asked, text=text, passed=False, reason=text)),
        (asked, failed(asked, Slot(1, 0, 0), message=text)),
    ]
    hostile = plan(2, targets=(target(0, label=text, model=text), target(1, label=text, base_url=text)))
    hostile = replace(hostile, suite=replace(hostile.suite, name=text))
    told = replace(summary(rows, 2, compared=True, labels=[text, text]), cautions=(text,), load=text)
    found = read(await page(rows=rows, plan=hostile, summary=told, detail=text, status=RunStatus.FAILED, id=text))
    assert (found.wrong, found.open) == ([], [])
    assert found.tags <= _ALLOWED | _VOID | _DRAWN
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    said = "".join(found.said)
    shown = re.sub(r"[\x00\x1b\ud800]", "\ufffd", text)
    assert said.count(shown) >= 5
    assert "\0" not in said


async def test_the_verdict_stands_first_in_words() -> None:
    text = await page()
    verdict = text.index("swift-small is faster on the same prompts; on quality 10 prompts cannot tell")
    assert verdict < text.index("<svg")
    assert verdict < text.index("<table")
    alone = await page(targets=1)
    assert "swift-small answered 9 of 10 requests, and 8 of 9 graded answers passed" in alone


async def test_a_run_that_ended_early_says_so_at_the_top() -> None:
    text = await page(status=RunStatus.CANCELLED, detail="the spending cap was reached")
    assert "The run is cancelled: the spending cap was reached. The figures hold for what was done." in text


async def test_every_metric_has_its_formula_its_sample_size_and_its_caution() -> None:
    text = await page()
    assert text.count("last content chunk − request sent") == 2
    assert text.count("<td>9</td>") >= 3
    assert text.count('class="unsure" title=') == 12
    assert "p95 needs 59 values, p99 needs 299" in text


async def test_failures_come_with_advice() -> None:
    text = await page()
    assert "What went wrong" in text
    assert "Raise the time-out, or ask for shorter answers." in text
    asked = prompt()
    assert "What went wrong" not in await page(rows=[(asked, answered(asked))], targets=1)


async def test_the_charts_are_drawn_for_latency_first_token_success_cost_and_pairs() -> None:
    text = await page()
    labels = re.findall(r'<svg [^>]*aria-label="([^".;]+)', text)
    assert labels == ["Latency", "Time to first token", "Success with 95 % intervals", "Cost", "Latency by prompt"]
    dots = text[text.index('aria-label="Latency.') : text.index("Time to first token</h3>")]
    assert dots.count("<circle") == 19


async def test_many_answers_are_drawn_as_bars_and_values_far_apart_on_a_logarithmic_axis() -> None:
    rows = [(prompt(at), answered(prompt(at), Slot(0, at, 0), e2e_ms=10.0 + at * at)) for at in range(200)]
    text = await page(rows=rows, targets=1, plan=plan(1, prompts=200))
    chart = text[text.index('aria-label="Latency.') : text.index("Time to first token</h3>")]
    assert "<circle" not in chart
    assert chart.count("<rect") > 10
    marks = re.findall(r'text-anchor="(?:start|middle|end)">([^<]+)</text>', chart)
    assert {"100 ms", "1 s", "10 s"} <= set(marks)


async def test_a_bounded_number_of_answers_is_kept_and_the_rest_is_counted() -> None:
    rows: list[tuple[Prompt, Result]] = []
    for at in range(400):
        asked = prompt(at)
        rows.append((asked, answered(asked, Slot(0, at, 0), text=f"answer {at}!", passed=at != 7, e2e_ms=100.0 + at)))
    text = await page(rows=rows, targets=1, plan=plan(1, prompts=400))
    assert text.count('<details class="prompt">') == ANSWERS
    assert f"{400 - ANSWERS} more answers are not in this report" in text
    assert "CSV, JSON and JSONL exports" in text
    assert "answer 7!" in text
    assert "answer 399!" in text
    assert "answer 8!" not in text


async def test_a_long_answer_is_cut_and_says_where_the_rest_is() -> None:
    asked = prompt()
    text = await page(rows=[(asked, answered(asked, text="y" * (CHARACTERS + 123)))], targets=1)
    assert "[… 123 more characters are in the CSV and JSON exports]" in text
    assert "y" * (CHARACTERS + 1) not in text


async def test_a_run_without_results_or_prices_is_still_a_page() -> None:
    empty = summary([], 1)
    empty = replace(empty, targets=(replace(empty.targets[0], cost_usd=None, cost_per_passed_usd=None),))
    found = read(await page(rows=[], targets=1, summary=empty, started_at=None))
    assert (found.wrong, found.open) == ([], [])
    assert "not known" in "".join(found.said)


async def test_warm_up_calls_are_not_in_the_report() -> None:
    asked = prompt()
    rows = [(asked, replace(answered(asked, text="warming up"), warm_up=True)), *rows_of(1)]
    assert "warming up" not in await page(rows=rows, targets=1)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (duration(812.4), "812 ms"),
        (duration(1240), "1.24 s"),
        (duration(0.5), "0.5 ms"),
        (duration(1_234_567), "1\u202f235 s"),
        (dollars(0.000165), "$0.000165"),
        (dollars(1.5), "$1.50"),
        (dollars(0), "$0.00"),
        (dollars(-2.25), "−$2.25"),
        (number(12), "12"),
        (number(0.12345), "0.123"),
        (number(-3.5), "−3.5"),
        (percent(0.975), "97.5 %"),
        (percent(0.9999), "99.9 %"),
        (percent(0.0001), "0.1 %"),
        (percent(1), "100 %"),
        (figure(None, "ms"), "—"),
        (figure(float("nan"), "ms"), "—"),
        (figure(143, "tokens"), "143 tokens"),
        (shortened("support-easy-01", 9), "supp…y-01"),
    ],
)
def test_figures_read_as_people_write_them(shown: str, expected: str) -> None:
    assert shown == expected
