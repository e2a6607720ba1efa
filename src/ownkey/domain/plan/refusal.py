"""Why a plan has no attempt: the one error, with the reasons of every key, that tells the user what to do."""

from ownkey.domain.errors import (
    ModelNotFound,
    NoHealthyCredential,
    OwnkeyError,
    RateLimited,
    ResidencyNotSatisfied,
    SecretUnreadable,
)
from ownkey.domain.meaning import Meaning
from ownkey.domain.plan.values import Catalogue, Dropped, DropReason, PlanRequest, Target


def refusal_of(
    meant: Meaning, target: Target | None, request: PlanRequest, dropped: list[Dropped], catalogue: Catalogue
) -> OwnkeyError:
    """The error of a plan without attempts."""
    asked = meant.model
    telling = [drop for drop in dropped if drop.reason not in (DropReason.NOT_CHOSEN, DropReason.MODEL_NOT_SERVED)]
    reasons = {drop.reason for drop in telling}
    # A key that only lacks consent does not hide why the payer's own keys may not serve.
    reasons = reasons - {DropReason.PAYER_NEEDS_CONSENT} or reasons
    listed = "; ".join(f"{drop.credential.label}: {drop.detail}" for drop in telling)
    if request.credential is not None and all(drop.reason is DropReason.NOT_CHOSEN for drop in dropped):
        return NoHealthyCredential(_no_such_key(request.credential, meant))
    if not telling:
        return _nobody_serves(asked, target, dropped, catalogue)
    if reasons == {DropReason.RESIDENCY}:
        return ResidencyNotSatisfied(f"EU processing is required, and no key for {asked!r} offers it. {listed}")
    if reasons == {DropReason.COOLING_DOWN}:
        wait = min(drop.retry_after for drop in telling if drop.retry_after is not None)
        return RateLimited(f"Every key for {asked!r} has to wait. {listed}", retry_after=wait)
    if reasons == {DropReason.UNDECRYPTABLE}:
        return SecretUnreadable(f"The stored key for {asked!r} cannot be decrypted: save it again. {listed}")
    return NoHealthyCredential(f"No key may serve {asked!r} now. {listed}")


def _no_such_key(credential: str, meant: Meaning) -> str:
    if meant.route is None or not meant.pinned:
        return f"No key has the id or label {credential!r} (header x-ownkey-credential)."
    return f"The key of the route {meant.route.name!r} is gone: give it another with PATCH /api/v1/routes/{{id}}."


def _nobody_serves(asked: str, target: Target | None, dropped: list[Dropped], catalogue: Catalogue) -> OwnkeyError:
    if target is None:
        text = f"The model {asked!r} is not known: use provider/model, a name from GET /v1/models, or default."
        return ModelNotFound(text, param="model")
    wanted = target.explicit or target.vendor
    owned = {drop.credential.provider for drop in dropped if drop.reason is DropReason.MODEL_NOT_SERVED}
    if wanted is None or wanted in owned or catalogue.provider(wanted) is None:
        return NoHealthyCredential(f"None of your keys serves {asked!r}: add a key of a router or provider that does.")
    return NoHealthyCredential(
        f"No key for {asked!r}: add one for {wanted} with `ownkey keys add {wanted}` or POST /api/v1/credentials."
    )
