"""Graders of a run: a judge and embeddings go through this gateway, under the session's account."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway import Gateway
from ownkey.workbench.endpoint import Clock, EndpointCaller
from ownkey.workbench.engine import PayingCaller, Purse
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.hosting.account import Account
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

    def __init__(self, gateway: Gateway, account: Account, model: str) -> None:
        self._gateway = gateway
        self._account = account
        self._model = model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in their order. Raises OwnkeyError when the model does not answer with them."""
        body = msgspec.json.encode({"model": self._model, "input": list(texts)})
        principal = await self._account.principal()
        answer = await self._gateway.call(principal, "/v1/embeddings", body, peer=self._account.peer)
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

    async def grader(self, account: Account | None, plan: RunPlan, purse: Purse) -> Graders:
        """The graders of a run, paid by an account: without one there are no models among them. A judge spends from
        the run's purse. Raises Unauthenticated when the account's rights have ended."""
        embedder = None
        if plan.embedding_model is not None and account is not None:
            embedder = GatewayEmbedder(self._gateway, account, plan.embedding_model)
        return Graders(judge=await self.judge(account, plan, purse), embedder=embedder)

    async def judge(self, account: Account | None, plan: RunPlan, purse: Purse) -> Judge | None:
        """The judge of a run, None where it has none. Raises as `grader` does."""
        if plan.judge is None or account is None:
            return None
        model = plan.judge.model
        target = Target(
            id="judge", label="judge", kind=EndpointKind.GATEWAY, model=model, credential=plan.judge.credential
        )
        prices = await list_prices(self._gateway, target, None, await account.principal(), account.peer)
        target = replace(target, prices=prices)
        transport = GatewayTransport(self._gateway, account, plan.judge.credential)
        return Judge(PayingCaller(EndpointCaller(transport, target, self._clock), target, purse), model)
