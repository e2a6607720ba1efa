"""A small catalogue and credentials for tests of planning."""

from typing import Any

from ownkey.domain.catalogue import Offer, Provider
from ownkey.domain.credential import Credential, Holdings, Preferences
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import CredentialId
from ownkey.domain.plan import Plan, PlanRequest, Rest, RestKey, Target, make_plan
from ownkey.domain.price import Rates
from ownkey.domain.tenancy import PLATFORM, Owner, Scope, user_owner

NOW = 1_000_000.0
USER = user_owner("user_1")
TEAM = Owner(Scope.TEAM, "team_1")
ORGANIZATION = Owner(Scope.ORGANIZATION, "org_1")
CHAT = {WireFormat.OPENAI_CHAT: "/chat/completions"}
MODEL = "maker/model-1"

MAKER = Provider(
    name="maker", title="Maker", base_url="https://maker.test/v1", endpoints=CHAT, vendor_prefixes=("maker",), eu="yes"
)
ROUTER = Provider(name="router", title="Router", base_url="https://router.test/v1", endpoints=CHAT, router=True)
OWN = Provider(name="own", title="Own endpoint", base_url=None, endpoints=CHAT, key_required=False)
CLAUDE = Provider(
    name="claude",
    title="Claude",
    base_url="https://claude.test",
    endpoints={WireFormat.ANTHROPIC_MESSAGES: "/v1/messages"},
)


class SmallCatalogue:
    """One maker, a router that serves everything, an own endpoint, and a maker with another format."""

    def __init__(self, *providers: Provider) -> None:
        self._providers = {provider.name: provider for provider in (providers or (MAKER, ROUTER, OWN, CLAUDE))}

    def provider(self, name: str) -> Provider | None:
        return self._providers.get(name)

    def resolve(self, asked: str) -> Target | None:
        head, slash, rest = asked.partition("/")
        if not slash:
            return None
        if head in ("maker", "claude", "elsewhere"):
            return Target(asked, rest, vendor=head)
        return Target(asked, rest, explicit=head) if head in self._providers else None

    def offer(self, provider: str, target: Target) -> Offer | None:
        row = self._providers[provider]
        if target.explicit is not None:
            return self._at(row, target.model) if target.explicit == provider else None
        if row.router:
            return self._at(row, target.asked)
        return self._at(row, target.model) if target.vendor == provider else None

    def literal_offer(self, provider: str, model: str) -> Offer | None:
        return self._at(self._providers[provider], model)

    def _at(self, row: Provider, model: str) -> Offer:
        return Offer(row, model, Rates(input=10, output=20), priced=True, eu=row.eu == "yes")


CATALOGUE = SmallCatalogue()


def a_key(name: str, provider: str = "maker", owner: Owner = USER, **fields: Any) -> Credential:
    """A credential whose id and label are `name`."""
    return Credential(
        id=CredentialId(name), owner=owner, provider=provider, label=name, masked_key="…", sealed=b"", **fields
    )


def platform_key(name: str = "platform", provider: str = "maker", **fields: Any) -> Credential:
    return a_key(name, provider, PLATFORM, **fields)


def plan_for(
    *credentials: Credential,
    preferences: Preferences | None = None,
    resting: dict[RestKey, Rest] | None = None,
    catalogue: SmallCatalogue = CATALOGUE,
    **fields: Any,
) -> Plan:
    """The plan of a chat request for MODEL, unless `fields` say otherwise."""
    asked: dict[str, Any] = {"model": MODEL, "client_format": WireFormat.OPENAI_CHAT, "now": NOW} | fields
    holdings = Holdings(credentials, preferences or Preferences())
    return make_plan(PlanRequest(**asked), holdings, catalogue, resting or {})


def names(plan: Plan) -> list[str]:
    """The ids of the attempts' credentials, in order."""
    return [attempt.credential.id for attempt in plan.attempts]


def reasons(plan: Plan) -> dict[str, str]:
    """Why each dropped credential was dropped."""
    return {drop.credential.id: drop.reason.value for drop in plan.dropped}
