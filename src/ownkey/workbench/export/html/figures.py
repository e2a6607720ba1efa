"""The run's figures: a card a target, the charts, and every number with its formula."""

from collections.abc import Iterable

from ownkey.workbench.export.html.charts import Bar, Distribution, Share, bars, distributions, shares
from ownkey.workbench.export.html.charts.frame import series
from ownkey.workbench.export.html.collected import Collected
from ownkey.workbench.export.html.markup import dollars, figure, percent, quoted, text
from ownkey.workbench.summary import Definition, Rate, RunSummary, Spread, TargetSummary

_UNSURE = "Too few values to carry this percentile: read it as a rough hint."
_COLUMNS = ("avg", "p50", "p95", "p99", "min", "max", "std")
_COLD = {"e2e_ms": "latency", "latency_ms": "latency", "ttft_ms": "time to first token", "connect_ms": "connecting"}


def cards(summary: RunSummary) -> str:
    return f'<div class="cards">{"".join(map(_card, summary.targets))}</div>'


def charts(summary: RunSummary, collected: Collected) -> str:
    drawn = (
        (
            "Latency",
            "From sending to the last content. Full line p50, dashed line p95 († too few values to carry it).",
            distributions(_distributions(summary, collected, "latency_ms"), "Latency"),
        ),
        (
            "Time to first token",
            "From sending to the first content or reasoning; streamed answers only.",
            distributions(_distributions(summary, collected, "ttft_ms"), "Time to first token"),
        ),
        (
            "Success",
            "The line is where the true share lies with 95 % certainty (Wilson interval).",
            shares([Share(target.target, target.label, list(_rates(target))) for target in summary.targets]),
        ),
        (
            "Cost",
            "Tokens × price, all requests of the run.",
            bars(list(_costs(summary)), "Cost"),
        ),
    )
    shown = "".join(
        f"<figure><figcaption><h3>{title}</h3><p>{words}</p></figcaption>{svg}</figure>"
        for title, words, svg in drawn
        if svg
    )
    return f'<section><h2>At a glance</h2><div class="charts">{shown}</div></section>'


def tables(summary: RunSummary) -> str:
    definitions = {definition.name: definition for definition in summary.definitions}
    shown = "".join(_table(target, definitions) for target in summary.targets)
    note = f'<p class="note"><b class="unsure">†</b> {_UNSURE} p95 needs 59 values, p99 needs 299.</p>'
    return f"<section><h2>Every figure</h2>{shown}{note}</section>"


def _card(target: TargetSummary) -> str:
    latency, ttft = target.metrics.get("latency_ms"), target.metrics.get("ttft_ms")
    speed = target.metrics.get("tokens_per_second")
    facts = [
        ("answered", _share(target.success)),
        ("passed", _share(target.passed)),
        ("latency, median", _median(latency)),
        ("first token, median", _median(ttft)),
        ("speed, median", _median(speed)),
        ("cost", "not known" if target.cost_usd is None else dollars(float(target.cost_usd))),
    ]
    if target.cost_per_passed_usd is not None:
        facts.append(("cost per passed answer", dollars(float(target.cost_per_passed_usd))))
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return (
        f'<article class="card {series(target.target)}"><h3>{quoted(target.label)}</h3>'
        f'<p class="model">{quoted(target.model)} · {target.requests} requests</p><dl>{listed}</dl></article>'
    )


def _share(rate: Rate | None) -> str:
    if rate is None:
        return "not graded"
    return f"{percent(rate.rate)} <small>{rate.count} of {rate.total}</small>"


def _median(spread: Spread | None) -> str:
    if spread is None:
        return "—"
    return f"{figure(spread.p50, spread.unit)} <small>n = {spread.count}</small>"


def _distributions(summary: RunSummary, collected: Collected, metric: str) -> list[Distribution]:
    return [
        Distribution(target.target, target.label, values, spread.p50, spread.p95, "p95" in spread.cautions)
        for target in summary.targets
        if (spread := target.metrics.get(metric)) is not None
        for points in (collected.points[target.target],)
        for values in (points.latency if metric == "latency_ms" else points.ttft,)
    ]


def _rates(target: TargetSummary) -> Iterable[tuple[str, Rate]]:
    yield "answered", target.success
    yield "at first try", target.first_attempt
    if target.passed is not None:
        yield "passed", target.passed
    if target.good is not None:
        yield "met objectives", target.good


def _costs(summary: RunSummary) -> Iterable[Bar]:
    for target in summary.targets:
        if target.cost_usd is not None:
            note = f"without {target.unpriced} unpriced" if target.unpriced else ""
            yield Bar(target.target, target.label, float(target.cost_usd), note)


def _table(target: TargetSummary, definitions: dict[str, Definition]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in (*_COLUMNS, "n"))
    rows = "".join(_row(name, spread, definitions.get(name)) for name, spread in _in_order(target.metrics, definitions))
    singles = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{value}</td><td class="formula">{formula}</td></tr>'
        for name, value, formula in _singles(target, definitions)
    )
    single_head = "".join(f'<th scope="col">{column}</th>' for column in ("of the whole run", "value", "formula"))
    return (
        f'<details open><summary class="{series(target.target)}"><span class="swatch"></span>{quoted(target.label)}'
        f'</summary><div class="wide"><table><thead><tr><th scope="col">metric</th>{head}</tr></thead>{rows}</table>'
        f'</div><div class="wide"><table class="singles"><thead><tr>{single_head}</tr></thead>'
        f"<tbody>{singles}</tbody></table></div></details>"
    )


def _in_order(metrics: dict[str, Spread], definitions: dict[str, Definition]) -> Iterable[tuple[str, Spread]]:
    known = [name for name in definitions if name in metrics]
    for name in [*known, *(name for name in metrics if name not in definitions)]:
        yield name, metrics[name]


def _row(name: str, spread: Spread, definition: Definition | None) -> str:
    cells = "".join(_cell(spread, column) for column in _COLUMNS)
    formula = f"<small>{text(definition.formula)}</small>" if definition else ""
    return (
        f'<tbody><tr><th scope="row">{text(_title(name))}</th>{cells}<td>{spread.count}</td></tr>'
        f'<tr class="formula"><td colspan="{len(_COLUMNS) + 2}">{formula}</td></tr></tbody>'
    )


def _cell(spread: Spread, column: str) -> str:
    shown = figure(getattr(spread, column), spread.unit)
    if column in spread.cautions:
        return f'<td class="unsure" title="{_UNSURE}">{shown}&nbsp;†</td>'
    return f"<td>{shown}</td>"


def _title(name: str) -> str:
    return name.removesuffix("_ms").removesuffix("_usd").replace("_", " ")


def _singles(target: TargetSummary, definitions: dict[str, Definition]) -> Iterable[tuple[str, str, str]]:
    rates = (("success", target.success), ("first_attempt", target.first_attempt), ("passed", target.passed))
    found = [(name, _interval(rate)) for name, rate in (*rates, ("good", target.good)) if rate is not None]
    found += [
        ("duration_ms", figure(target.duration_ms, "ms")),
        ("system_tokens_per_second", figure(target.system_tokens_per_second, "tokens/s")),
        ("requests_per_second", figure(target.requests_per_second, "requests/s")),
        ("goodput_per_second", figure(target.goodput_per_second, "requests/s")),
        ("quality_adjusted_goodput", figure(target.quality_adjusted_goodput, "requests/s")),
        ("cost_usd", "not known" if target.cost_usd is None else f"${text(target.cost_usd)}"),
        ("cost_per_passed_usd", "—" if target.cost_per_passed_usd is None else f"${text(target.cost_per_passed_usd)}"),
        ("tokens", _tokens(target)),
    ]
    if target.cold_start:
        shown = ", ".join(
            f"{text(_COLD.get(name, name))} {figure(value, 'ms' if name.endswith('_ms') else '')}"
            for name, value in target.cold_start.items()
        )
        found.append(("cold_start", f"{shown} <small>({target.warm_ups} warm-up calls)</small>"))
    for name, value in found:
        definition = definitions.get(name)
        yield _title(name), value, text(definition.formula) if definition else ""


def _interval(rate: Rate) -> str:
    return (
        f"{percent(rate.rate)} <small>{rate.count} of {rate.total}, 95 % interval "
        f"{percent(rate.low)} to {percent(rate.high)}</small>"
    )


def _tokens(target: TargetSummary) -> str:
    tokens = target.tokens
    parts = f"{figure(tokens.input, 'in')}, {figure(tokens.output, 'out')}"
    if tokens.reasoning:
        parts += f", {figure(tokens.reasoning, 'of them reasoning')}"
    if tokens.cached:
        parts += f", {figure(tokens.cached, 'of the input cached')}"
    if tokens.estimated:
        parts += f" <small>(estimated in {tokens.estimated} requests)</small>"
    return parts
