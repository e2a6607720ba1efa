"""The plan of a run, from what was asked for."""

from ownkey.control.context import Control
from ownkey.control.workbench.access import Entry
from ownkey.control.workbench.schemas import NewRun
from ownkey.domain.formats import WireFormat
from ownkey.domain.money import parse_usd
from ownkey.workbench.hosting import planned_prices
from ownkey.workbench.records import Judge, Objectives, Prices, RunPlan, Sampling, SuiteInfo, Target


async def plan_of(
    control: Control, entry: Entry, peer: str, body: NewRun, suite: SuiteInfo, targets: tuple[Target, ...]
) -> RunPlan:
    """The plan of a run. The address it is asked for from is kept where an account's rights may depend on it; of
    others none is."""
    objectives = body.objectives

    async def prices(model: str, format_: WireFormat, credential: str | None) -> Prices | None:
        if entry.principal is None:
            return None
        return await planned_prices(control.gateway, entry.principal, model, format_, credential, peer)

    judge, embedding = body.judge, body.embedding_model
    return RunPlan(
        suite=suite,
        targets=targets,
        limit=body.limit,
        concurrency=body.concurrency,
        repeats=body.repeats,
        warm_up=body.warm_up,
        sampling=Sampling(body.max_tokens, body.temperature, body.timeout_ms, body.stream),
        retries=body.retries,
        max_cost=None if body.max_cost_usd is None else parse_usd(body.max_cost_usd),
        judge=judge and Judge(judge.model, judge.credential),
        judge_prices=judge and await prices(judge.model, WireFormat.OPENAI_CHAT, judge.credential),
        embedding_model=embedding,
        embedding_prices=await prices(embedding, WireFormat.OPENAI_EMBEDDINGS, None) if embedding else None,
        objectives=Objectives()
        if objectives is None
        else Objectives(objectives.ttft_ms, objectives.tpot_ms, objectives.e2e_ms),
        seed=body.seed,
        peer="" if entry.session.user_id is None else peer,
    )
