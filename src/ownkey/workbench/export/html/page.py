"""The report as a whole: the verdict in words first, the evidence below it."""

from collections.abc import AsyncIterator, Iterator
from importlib.resources import files

from ownkey.workbench.export.html.answers import answers
from ownkey.workbench.export.html.collected import Collected, collect
from ownkey.workbench.export.html.comparing import comparisons
from ownkey.workbench.export.html.failures import failures
from ownkey.workbench.export.html.figures import cards, charts, tables
from ownkey.workbench.export.html.markup import dollars, duration, quoted, text
from ownkey.workbench.export.run import ExportedRun
from ownkey.workbench.export.verdict import sentences
from ownkey.workbench.export.writing import public_url, utc
from ownkey.workbench.records import RunStatus, Target
from ownkey.workbench.summary import SCHEMA

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""No script, no request to anywhere: even a mistake in escaping could do nothing."""


async def export_html(run: ExportedRun) -> AsyncIterator[bytes]:
    collected = await collect(run.results, len(run.plan.targets))
    for piece in _page(run, collected):
        yield piece.encode("utf-8", "replace")


def _page(run: ExportedRun, collected: Collected) -> Iterator[str]:
    yield _head(run)
    yield _verdict(run)
    yield cards(run.summary)
    yield charts(run.summary, collected)
    yield comparisons(run.summary.comparisons, run.plan.targets, collected)
    yield failures(run.summary)
    yield tables(run.summary)
    yield answers(collected, run.plan.targets)
    yield _setup(run)
    yield f"<footer>Run {quoted(run.id)} · {SCHEMA} · This page is whole: it loads nothing and runs no script.</footer>"
    yield "</main></body></html>\n"


def _head(run: ExportedRun) -> str:
    suite = run.plan.suite
    models = ", ".join(quoted(target.label) for target in run.plan.targets)
    begun = utc(run.created_at if run.started_at is None else run.started_at).strftime("%Y-%m-%d %H:%M UTC")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f'<link rel="icon" href="data:,"><title>{text(suite.name)} · Ownkey workbench</title>'
        f"<style>{_style()}</style></head><body><main><header><p>Ownkey workbench</p><h1>{quoted(suite.name)}</h1>"
        f'<p>{models} · {begun} · <span class="status {run.status}">{run.status}</span></p></header>'
    )


def _verdict(run: ExportedRun) -> str:
    said = "".join(f"<p>{text(sentence)}</p>" for sentence in sentences(run.plan, run.summary))
    if run.status is not RunStatus.COMPLETED:
        detail = f": {run.detail}" if run.detail else ""
        said = f"<p>The run is {run.status}{text(detail)}. The figures hold for what was done.</p>{said}"
    cautions = "".join(f"<li>{text(caution)}</li>" for caution in run.summary.cautions)
    listed = f'<h2>Read with care</h2><ul class="cautions">{cautions}</ul>' if cautions else ""
    return f'<section class="verdict">{said}</section>{listed}'


def _setup(run: ExportedRun) -> str:
    plan, sampling = run.plan, run.plan.sampling
    facts = [
        ("suite", f"{quoted(plan.suite.name)}, {plan.prompts} of {plan.suite.prompts} prompts"),
        ("repeats", str(plan.repeats)),
        ("warm-up calls", str(plan.warm_up)),
        ("load", text(run.summary.load or f"{plan.arrival}, concurrency {plan.concurrency}")),
        ("answers up to", f"{sampling.max_tokens} tokens"),
        ("temperature", "the model's own" if sampling.temperature is None else f"{sampling.temperature:g}"),
        ("streamed", "yes" if sampling.stream else "no"),
        ("time-out", duration(sampling.timeout_ms)),
        ("retries", str(plan.retries)),
        ("seed", str(plan.seed)),
    ]
    if plan.max_cost is not None:
        facts.append(("spending cap", dollars(plan.max_cost / 1e9)))
    if plan.judge is not None:
        facts.append(("judge", quoted(plan.judge.model)))
    if plan.embedding_model is not None:
        facts.append(("embedding model", quoted(plan.embedding_model)))
    if run.summary.spent is not None:
        facts.append(("money", text(run.summary.spent.words)))
    facts += [(f"model {index + 1}", _target(target)) for index, target in enumerate(plan.targets)]
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<section><h2>How it was run</h2><dl class="setup">{rows}</dl></section>'


def _target(target: Target) -> str:
    parts = [quoted(target.label), quoted(target.model), target.kind.value]
    if target.base_url is not None:
        parts.append(quoted(public_url(target.base_url)))
    if target.prices is not None:
        per_million = f"{dollars(target.prices.input / 1e9)} in, {dollars(target.prices.output / 1e9)} out"
        parts.append(f"{per_million} a million tokens ({text(target.prices.source)})")
    return " · ".join(parts)


def _style() -> str:
    return files("ownkey.workbench.export.html").joinpath("report.css").read_text("utf-8")
