"""Graders of a run: a judge and embeddings go through this gateway, under the session's account."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.tenancy import Principal
from ownkey.gateway import Gateway
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.endpoint import Clock, EndpointCaller
from ownkey.workbench.engine import PayingCaller, Purse
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.hosting.gateway_transport import GatewayTransport
from ownkey.workbench.hosting.pricing import list_prices
from ownkey.workbench.records import EndpointKind, RunPlan, Target


class _Embedding(Struct):
    embedding: list[float]
    index: int = 0


class _Embeddings(Struct):
    data: list[_Embedding]


class GatewayEmbedder:
    """Vectors of texts by an embedding model of this gateway."""

    def __init__(self, gateway: Gateway, principal: Principal, model: str) -> None:
        self._gateway = gateway
        self._principal = principal
        self._model = model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in their order. Raises OwnkeyError when the model does not answer with them."""
        body = msgspec.json.encode({"model": self._model, "input": list(texts)})
        answer = await self._gateway.call(self._principal, "/v1/embeddings", body)
        raw = await answer.read()
        if answer.status != 200:
            raise OwnkeyError(f"The embedding model {self._model} answered with status {answer.status}.")
        try:
            found = msgspec.json.decode(raw, type=_Embeddings).data
        except msgspec.DecodeError:
            raise OwnkeyError(f"The embedding model {self._model} answered with something else.") from None
        if len(found) != len(texts):
            raise OwnkeyError(f"The embedding model {self._model} answered with too few vectors.")
        return [each.embedding for each in sorted(found, key=lambda each: each.index)]


class GraderFactory:
    """Makes graders for runs."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock

    async def grader(self, session: WorkbenchSession, plan: RunPlan, purse: Purse) -> Graders:
        """The graders of a run; a judge spends from its purse. Raises Unauthenticated when the account's rights have
        ended."""
        principal = await self._principal(session)
        embedder = None
        if plan.embedding_model is not None and principal is not None:
            embedder = GatewayEmbedder(self._gateway, principal, plan.embedding_model)
        return Graders(judge=await self._judge(principal, plan, purse), embedder=embedder)

    async def judge(self, session: WorkbenchSession, plan: RunPlan, purse: Purse) -> Judge | None:
        """The judge of a run's comparisons, None where it has none."""
        return await self._judge(await self._principal(session), plan, purse)

    async def _judge(self, principal: Principal | None, plan: RunPlan, purse: Purse) -> Judge | None:
        if plan.judge is None or principal is None:
            return None
        model = plan.judge.model
        target = Target(
            id="judge", label="judge", kind=EndpointKind.GATEWAY, model=model, credential=plan.judge.credential
        )
        prices = await list_prices(self._gateway, target, None, principal, "")
        target = replace(target, prices=prices)
        transport = GatewayTransport(self._gateway, principal, plan.judge.credential)
        return Judge(PayingCaller(EndpointCaller(transport, target, self._clock), target, purse), model)

    async def _principal(self, session: WorkbenchSession) -> Principal | None:
        if session.user_id is None:
            return None
        return await self._gateway.principal_for(session.user_id, session.api_key_id)
