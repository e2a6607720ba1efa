"""Models compared: the verdict of each pair, its statistics, and the same prompts side by side."""

from ownkey.workbench.export.html.charts import Pair, pairs
from ownkey.workbench.export.html.charts.frame import series
from ownkey.workbench.export.html.collected import Collected
from ownkey.workbench.export.html.markup import dollars, figure, number, percent, quoted, text
from ownkey.workbench.records import Target
from ownkey.workbench.summary import MetricComparison, PairComparison, Preference, Verdict

_SHOWN_PROMPTS = 30


def comparisons(found: tuple[PairComparison, ...], targets: tuple[Target, ...], collected: Collected) -> str:
    if not found:
        return ""
    shown = "".join(_comparison(pair, targets, collected) for pair in found)
    return f"<section><h2>Compared</h2>{shown}</section>"


def _comparison(pair: PairComparison, targets: tuple[Target, ...], collected: Collected) -> str:
    a, b = targets[pair.a].label, targets[pair.b].label
    rows = "".join(_row(metric, a, b) for metric in pair.metrics)
    return (
        f'<article class="pair"><h3>{_name(pair.a, a)} and {_name(pair.b, b)}</h3><p>{text(pair.words)}</p>'
        f'<div class="wide"><table><thead><tr><th scope="col">metric</th><th scope="col">{quoted(a)}</th>'
        f'<th scope="col">{quoted(b)}</th><th scope="col">difference</th><th scope="col">p, corrected</th>'
        f'<th scope="col">pairs</th><th scope="col">verdict</th></tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_beside(pair, a, b)}{_dots(pair, collected)}</article>"
    )


def _name(target: int, label: str) -> str:
    return f'<span class="{series(target)}"><span class="swatch"></span>{quoted(label)}</span>'


def _row(metric: MetricComparison, a: str, b: str) -> str:
    unit = metric.unit
    verdict = {Verdict.A: quoted(a), Verdict.B: quoted(b), Verdict.CANNOT_TELL: "cannot tell"}[metric.verdict]
    if metric.more_pairs is not None:
        verdict += f" <small>about {number(metric.more_pairs)} more pairs would tell</small>"
    reach = f"{_signed(metric.low, unit)} to {_signed(metric.high, unit)}"
    words = f'<tr class="formula"><td colspan="7">{text(metric.words)}</td></tr>' if metric.words else ""
    better = "higher is better" if metric.higher_is_better else "lower is better"
    name = f"{text(metric.metric.replace('_', ' '))} <small>{better}; {text(metric.method)}</small>"
    return (
        f'<tr><th scope="row">{name}</th>'
        f"<td>{_value(metric.a, unit)}</td><td>{_value(metric.b, unit)}</td>"
        f"<td>{_signed(metric.difference, unit)} <small>{reach}</small></td>"
        f"<td>{metric.p_adjusted:.3g}</td><td>{metric.pairs}</td><td>{verdict}</td></tr>{words}"
    )


def _value(value: float, unit: str) -> str:
    return percent(value) if unit == "share" else figure(value, unit)


def _signed(value: float, unit: str) -> str:
    shown = f"{number(abs(value) * 100)} points" if unit == "share" else figure(abs(value), unit)
    return f"{'−' if value < 0 else '+'}{shown}"


def _beside(pair: PairComparison, a: str, b: str) -> str:
    lines: list[str] = []
    if pair.preference is not None:
        lines.append(_preference(pair.preference, a, b))
    costs = [
        f"{quoted(label)} {dollars(float(cost))}"
        for label, cost in zip((a, b), pair.cost_per_passed_usd, strict=True)
        if cost is not None
    ]
    if costs:
        lines.append(f"Cost per passed answer: {', '.join(costs)}.")
    goodput = [
        f"{quoted(label)} {figure(value, 'requests/s')}"
        for label, value in zip((a, b), pair.quality_adjusted_goodput, strict=True)
        if value is not None
    ]
    if goodput:
        lines.append(f"Passed answers within the objectives: {', '.join(goodput)}.")
    return "".join(f'<p class="note">{line}</p>' for line in lines)


def _preference(found: Preference, a: str, b: str) -> str:
    return (
        f"The judge {quoted(found.judge)} saw each pair in both orders and preferred {quoted(a)} {found.a_wins} times, "
        f"{quoted(b)} {found.b_wins} times; {found.ties} ties. It contradicted itself in {percent(found.flip_rate)}."
    )


def _dots(pair: PairComparison, collected: Collected) -> str:
    first, second = collected.points[pair.a], collected.points[pair.b]
    rows = [
        Pair(prompt_id, first.mean_of(prompt_id), second.mean_of(prompt_id))
        for prompt_id in first.by_prompt
        if prompt_id in second.by_prompt
    ]
    if not rows:
        return ""
    words = "Latency by prompt, the mean of its repetitions."
    if len(rows) > _SHOWN_PROMPTS:
        words += f" The {_SHOWN_PROMPTS} of {len(rows)} prompts with the largest difference."
        rows = sorted(rows, key=lambda row: -abs(row.a - row.b))[:_SHOWN_PROMPTS]
    svg = pairs(rows, pair.a, pair.b)
    return f"<figure><figcaption><p>{words}</p></figcaption>{svg}</figure>"
