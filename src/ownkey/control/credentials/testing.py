"""Testing keys with their providers, five times per minute and user."""

from msgspec import Struct

from ownkey.control.context import Control
from ownkey.control.credentials.checks import address_of
from ownkey.domain.address import is_users_choice
from ownkey.domain.allowance import Pool, Refused, Taken
from ownkey.domain.catalogue import Provider
from ownkey.domain.errors import RateLimited
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.gateway import KeyTestResult

_TESTS = 5
"""Per minute and user."""


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
    """Count one test; False when the minute's tests are used up. Storing many keys goes on, untested."""
    return isinstance(await _count(control, caller), Taken)


async def run_trial(control: Control, trial: Trial) -> KeyTestResult:
    """Call the provider's check endpoint."""
    base_url = address_of(trial.provider, trial.base_url, trial.config)
    trusted = trial.of_platform or not is_users_choice(trial.provider, trial.base_url)
    return await control.gateway.test_key(trial.provider, base_url, trial.secret, trial.config, trusted)


async def _count(control: Control, caller: Principal) -> Taken | Refused:
    return await control.allowance.acquire((Pool(f"key-test:{caller.user_id}", _TESTS, unit="tests"),), (1,))
