"""Graders of a run: a judge and embeddings go through this gateway, under the session's account."""

from ownkey.gateway import Gateway
from ownkey.workbench.endpoint import Clock, EmbeddingCaller, EndpointCaller
from ownkey.workbench.engine import PayingCaller, PayingEmbedder, Purse
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.hosting.account import Account
from ownkey.workbench.hosting.gateway_transport import GatewayTransport
from ownkey.workbench.records import EndpointKind, RunPlan, Target


class GraderFactory:
    """Makes graders for runs."""

    def __init__(self, gateway: Gateway, clock: Clock, schemas: SchemaWorkers) -> None:
        self._gateway = gateway
        self._clock = clock
        self._schemas = schemas

    def grader(self, account: Account | None, plan: RunPlan, purse: Purse) -> Graders:
        """The graders of a run, paid by an account: without one there are no models among them. They spend from the
        run's purse."""
        embedder = None
        if plan.embedding_model is not None and account is not None:
            caller = EmbeddingCaller(GatewayTransport(self._gateway, account), plan.embedding_model)
            embedder = PayingEmbedder(caller, plan.embedding_prices, purse)
        return Graders(judge=self.judge(account, plan, purse), embedder=embedder, schemas=self._schemas)

    def judge(self, account: Account | None, plan: RunPlan, purse: Purse) -> Judge | None:
        """The judge of a run, None where it has none."""
        if plan.judge is None or account is None:
            return None
        model = plan.judge.model
        target = Target(
            id="judge",
            label="judge",
            kind=EndpointKind.GATEWAY,
            model=model,
            credential=plan.judge.credential,
            prices=plan.judge_prices,
        )
        transport = GatewayTransport(self._gateway, account, plan.judge.credential)
        return Judge(PayingCaller(EndpointCaller(transport, target, self._clock), target, purse), model)
