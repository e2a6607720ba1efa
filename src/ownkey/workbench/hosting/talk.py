"""Questions to a tested model about its own results, answered by the model as a stream."""

from collections.abc import AsyncGenerator, Sequence

from msgspec import Struct

from ownkey.domain.errors import NotFound
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.chat import Budgets, budgets, build_context, fit_history, narrower
from ownkey.workbench.endpoint import speak
from ownkey.workbench.hosting.runs import Run, RunService
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.records import Failure, FailureKind, Message, Sampling

_TIMEOUT_MS = 120_000.0
_TEMPERATURE = 0.2


class Said(Struct, frozen=True, kw_only=True):
    """How an answer ended. `left_out` prompts were not described to the model one by one, for lack of room."""

    failure: Failure | None
    left_out: int
    context_tokens: int


class TalkService:
    """Talks about runs."""

    def __init__(self, runs: RunService, targets: TargetStore) -> None:
        self._runs = runs
        self._targets = targets

    async def ask(
        self,
        session: WorkbenchSession,
        run: Run,
        place: int,
        turns: Sequence[Message],
        context_tokens: int | None,
        max_tokens: int,
        peer: str,
    ) -> AsyncGenerator[str | Said]:
        """The answer's pieces as they come, then how it ended.

        The figures are computed here and sent to the model with the prompts' ids. A model that rejects that as too long
        gets less, and less again. Raises NotFound for a place that has no model.
        """
        if place >= len(run.plan.targets):
            raise NotFound(f"The run has {len(run.plan.targets)} model(s), counted from 0.", param="target")
        # As it is known now: a later connection check may have learned more than the plan knew.
        target = await self._targets.get(session, run.plan.targets[place].id)
        transport = await self._targets.transport(session, target, self._targets.account(session, peer))
        summary = await self._runs.figures(run)
        shares: Budgets | None = budgets(context_tokens)
        while shares is not None:
            context = await build_context(run.plan, summary, self._runs.results(run), shares.context)
            messages = [Message("system", context.system), *fit_history(turns, shares.history)]
            sampling = Sampling(min(max_tokens, shares.answer), _TEMPERATURE, _TIMEOUT_MS)
            spoken = False
            failure: Failure | None = None
            async for piece in speak(transport, target, messages, sampling):
                if isinstance(piece, str):
                    spoken = True
                    yield piece
                else:
                    failure = piece
            too_long = failure is not None and failure.kind is FailureKind.CONTEXT_LENGTH
            shares = narrower(shares) if too_long and not spoken else None
            if shares is None:
                yield Said(failure=failure, left_out=context.left_out, context_tokens=context.tokens)
