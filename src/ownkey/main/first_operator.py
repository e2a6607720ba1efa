"""The first operator: from the environment, or by a one-time link in the start-up text."""

from pydantic import ValidationError

from ownkey.config import ConfigurationError, Settings
from ownkey.control import Control
from ownkey.control.admin.schemas import NewUser
from ownkey.control.admin.service import create_user
from ownkey.control.setup.service import make_link_token, needs_operator
from ownkey.domain.errors import Conflict, OwnkeyError
from ownkey.domain.tenancy import Role


async def prepare_first_operator(settings: Settings, control: Control, address: str) -> list[str]:
    """Lines for the start-up text. With both variables set the operator is made; without, a link is.

    Raises ConfigurationError for an address or password that cannot be used.
    """
    if not await needs_operator(control):
        return []
    if settings.admin_email is None or settings.admin_password is None:
        token = await make_link_token(control)
        return [f"First time here? Make the operator account at {settings.public_url or address}/setup?token={token}"]
    try:
        values = {"email": settings.admin_email, "password": settings.admin_password, "role": Role.OPERATOR}
        await create_user(control, NewUser.model_validate(values))
    except Conflict:
        return []
    except (ValidationError, OwnkeyError) as error:
        told = error.public if isinstance(error, OwnkeyError) else "OWNKEY_ADMIN_EMAIL is no e-mail address"
        raise ConfigurationError(f"the first operator could not be made: {told}") from None
    return [f"Operator: {settings.admin_email}"]
