"""Testing keys with their providers, and what must hold before a key is stored, changed or tested."""

import time
from urllib.parse import urlsplit

from msgspec import Struct

from ownkey.control.catalogue.service import unknown_provider
from ownkey.control.context import Control
from ownkey.control.key_tests.schemas import KeyTrial
from ownkey.domain.address import base_url_of, is_users_choice, needs_of, with_settings
from ownkey.domain.allowance import Pool, Refused, Taken
from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import InvalidRequest, NotFound, RateLimited, SecretUnreadable, UpstreamError
from ownkey.domain.residency import unknown_region
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import PLATFORM, Owner, Principal
from ownkey.gateway import KeyTestResult
from ownkey.providers.auth import auth_headers, signer_for
from ownkey.providers.key_hints import key_hint
from ownkey.providers.tokens import token_request
from ownkey.storage import changes, credentials

_TESTS = 5
"""Per minute and user."""

Place = tuple[str | None, dict[str, str]]
"""A key's own base URL and its settings: together they say where it is used."""


async def try_unsaved(control: Control, caller: Principal, trial: KeyTrial) -> tuple[KeyTestResult, str | None]:
    """Test a key that is not stored; also the hint for it, if there is one.

    Raises InvalidRequest, or RateLimited when the minute's tests are used up.
    """
    provider = provider_of(control, trial.provider)
    secret, config = Secret(trial.api_key.get_secret_value()), trial.config or {}
    base_url = check_endpoint(control, provider, trial.base_url, caller.owner, config)
    check_secret(provider, secret, config, base_url)
    await require_test(control, caller)
    result = await run_trial(control, Trial(provider, base_url, secret, config, of_platform=False))
    return result, hint_for(control, provider, secret, base_url)


async def retest(control: Control, credential: Credential) -> tuple[Credential, KeyTestResult]:
    """Test a stored key and record its health, unless it was changed meanwhile."""
    result = await _try_stored(control, credential)
    async with control.database.write() as connection:
        await credentials.set_status(
            connection,
            credential.id,
            result.status,
            detail_of(result),
            tested_at=time.time(),
            version=credential.version,
        )
        await changes.append(connection, changes.owner_topic(credential.owner))
        present = await credentials.get(connection, (credential.owner,), credential.id)
    if present is None:
        raise NotFound("The credential was deleted during its test.")
    control.gateway.forget_rests(credential.id)
    await control.gateway.changed()
    return present, result


class Trial(Struct, frozen=True):
    """A key to try. Without a `base_url` it is the catalogue's address, which is the operator's and so trusted."""

    provider: Provider
    base_url: str | None
    secret: Secret
    config: dict[str, str]
    of_platform: bool


async def require_test(control: Control, caller: Principal) -> None:
    """Count one test. Raises RateLimited when the minute's tests are used up."""
    outcome = await _count(control, caller)
    if isinstance(outcome, Refused):
        text = f"You can test keys {_TESTS} times per minute."
        raise RateLimited(text, retry_after=outcome.retry_after)


async def may_test(control: Control, caller: Principal) -> bool:
    """Count one test; False when the minute's tests are used up. Further keys are stored untested."""
    return isinstance(await _count(control, caller), Taken)


async def run_trial(control: Control, trial: Trial) -> KeyTestResult:
    """Call the provider's check endpoint."""
    base_url = address_of(trial.provider, trial.base_url, trial.config)
    trusted = trial.of_platform or not is_users_choice(trial.provider, trial.base_url)
    return await control.gateway.test_key(trial.provider, base_url, trial.secret, trial.config, trusted)


async def _count(control: Control, caller: Principal) -> Taken | Refused:
    return await control.allowance.acquire((Pool(f"key-test:{caller.user_id}", _TESTS, unit="tests"),), (1,))


def provider_of(control: Control, name: str) -> Provider:
    """The catalogue's row. Raises InvalidRequest for an unknown name."""
    provider = control.gateway.catalogue.provider(name)
    if provider is None:
        raise unknown_provider(control, name, "provider")
    return provider


def check_endpoint(
    control: Control, provider: Provider, base_url: str | None, owner: Owner, config: dict[str, str]
) -> str | None:
    """The base URL without its final slash, checked; users' endpoints must be public or allowed by the operator.

    Raises InvalidRequest. Names are resolved and their addresses checked at each connect, for operators too.
    """
    if base_url is None:
        address_of(provider, None, config)
        return None
    try:
        control.gateway.check_endpoint(base_url)
    except UpstreamError as error:
        if owner != PLATFORM:
            raise InvalidRequest(error.public, param="base_url") from None
    if "?" in base_url:
        raise InvalidRequest(
            "A base URL cannot have a query: Ownkey appends the provider's path to it.", param="base_url"
        )
    return base_url.rstrip("/")


def address_of(provider: Provider, base_url: str | None, config: dict[str, str]) -> str:
    """Where a key is used. Raises InvalidRequest when neither it nor its settings say so."""
    address = base_url_of(provider, base_url, config)
    if address is None:
        text = f"{provider.title} has no fixed address: send {needs_of(provider)}."
        raise InvalidRequest(text, param="base_url")
    return address


def check_secret(provider: Provider, secret: Secret, config: dict[str, str], base_url: str | None) -> None:
    """Raise InvalidRequest for a missing key, one that cannot be sent or signed with, or settings that do not fit."""
    if not secret.reveal() and provider.key_required:
        raise InvalidRequest(f"{provider.title} needs a key: send api_key.", param="api_key")
    check_settings(provider, config)
    auth_headers(provider, secret, config)
    signer_for(provider, secret, config, address_of(provider, base_url, config))
    token_request(provider, secret, config)


def hint_for(control: Control, provider: Provider, secret: Secret, base_url: str | None) -> str | None:
    """A sentence when the key looks like another provider's; see `providers.key_hints`."""
    return key_hint(control.gateway.catalogue.providers(), provider, secret, base_url)


def check_settings(provider: Provider, config: dict[str, str]) -> None:
    """Raise InvalidRequest for settings that do not fit their place, and for an unknown region."""
    problem = unknown_region(provider, config)
    if problem is not None:
        raise InvalidRequest(problem, param="config.region")
    with_settings(provider, config)
    auth_headers(provider, Secret("-"), config)
    token_request(provider, Secret("-"), config)


def whereabouts(provider: Provider, place: Place) -> tuple[str | None, str | None]:
    """The address a key is sent to, and where it is exchanged for a token before, if it is.

    (None, None) for settings that were stored before and no longer fit the provider's row.
    """
    try:
        request = token_request(provider, Secret("-"), place[1])
        return base_url_of(provider, *place), request.url if request is not None else None
    except InvalidRequest:
        return None, None


def same_origin(provider: Provider, one: Place, other: Place) -> bool:
    """Whether a key is sent to the same scheme, host and port in both places, or to two of the catalogue's, and
    exchanged in the same one. A client's secret and a key that is sent as it is go to different hosts.
    """
    first, second = whereabouts(provider, one), whereabouts(provider, other)
    if first[1] != second[1]:
        return False
    if not is_users_choice(provider, one[0]) and not is_users_choice(provider, other[0]):
        return True
    urls = (urlsplit(first[0] or ""), urlsplit(second[0] or ""))
    return (urls[0].scheme, urls[0].netloc) == (urls[1].scheme, urls[1].netloc)


async def _try_stored(control: Control, credential: Credential) -> KeyTestResult:
    provider = provider_of(control, credential.provider)
    try:
        secret = await control.gateway.open_secret(credential)
    except SecretUnreadable as error:
        return KeyTestResult(CredentialStatus.UNDECRYPTABLE, error.public, None)
    of_platform = credential.owner == PLATFORM
    return await run_trial(control, Trial(provider, credential.base_url, secret, credential.config, of_platform))


def detail_of(result: KeyTestResult) -> str:
    return "" if result.status is CredentialStatus.VALID else result.message
