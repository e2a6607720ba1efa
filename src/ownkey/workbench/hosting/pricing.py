"""What models cost by the catalogue's list prices."""

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.price import Rates
from ownkey.domain.tenancy import Principal
from ownkey.gateway import Gateway
from ownkey.workbench.records import EndpointKind, Prices, Target


async def list_prices(
    gateway: Gateway, target: Target, provider: str | None, principal: Principal | None, peer: str
) -> Prices | None:
    """The prices of a gateway's model as it would be planned now, or of a direct endpoint's that is a catalogue
    provider's. None where the catalogue knows none: then no cost is shown, rather than a guess."""
    if target.kind is EndpointKind.DIRECT:
        offer = None if provider is None else gateway.catalogue.literal_offer(provider, target.model)
        return _prices(offer.rates) if offer is not None and offer.priced else None
    if principal is None:
        return None
    return await planned_prices(gateway, principal, target.model, WireFormat.OPENAI_CHAT, target.credential, peer)


async def planned_prices(
    gateway: Gateway, principal: Principal, model: str, format_: WireFormat, credential: str | None, peer: str
) -> Prices | None:
    """The prices of a gateway's model as a request of `format_` would be planned now; None where none are known."""
    try:
        plan = await gateway.explain(principal, model, format_, credential, peer)
    except OwnkeyError:
        return None
    first = next(iter(plan.attempts), None)
    return None if first is None or not first.priced else _prices(first.rates)


def _prices(rates: Rates) -> Prices:
    return Prices(rates.input, rates.output, "catalogue")
