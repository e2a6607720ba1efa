"""Before the first request: the listening socket, the first operator, and why a server does not start, in one line."""

import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager

from pydantic import ValidationError

from ownkey.config import ConfigurationError, Settings
from ownkey.control import Control
from ownkey.control.admin.schemas import NewUser
from ownkey.control.admin.service import create_user
from ownkey.control.setup.service import make_link_token, needs_operator
from ownkey.domain.errors import Conflict, OwnkeyError, SecretUnreadable
from ownkey.domain.tenancy import Role
from ownkey.main.libraries import BrokenLibrary
from ownkey.providers import CatalogueError
from ownkey.storage.errors import InvalidDatabaseUrl
from ownkey.vault import MasterKeyError

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigurationError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(f"port {port} is taken on {host}: choose another with --port") from None
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address as a URL for people; a wildcard is shown as this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(host), str(host))
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def prepare_first_operator(settings: Settings, control: Control, address: str) -> list[str]:
    """Lines for the start-up text. With both variables set the operator is created; otherwise a link is.

    Raises ConfigurationError for an address or password that cannot be used.
    """
    if not await needs_operator(control):
        return []
    if settings.admin_email is None or settings.admin_password is None:
        token = await make_link_token(control)
        return [f"First time here? Create the operator account at {settings.public_url or address}/setup?token={token}"]
    try:
        values = {"email": settings.admin_email, "password": settings.admin_password, "role": Role.OPERATOR}
        await create_user(control, NewUser.model_validate(values))
    except Conflict:
        return []
    except (ValidationError, OwnkeyError) as error:
        told = error.public if isinstance(error, OwnkeyError) else "OWNKEY_ADMIN_EMAIL is no e-mail address"
        raise ConfigurationError(f"the first operator could not be created: {told}") from None
    return [f"Operator: {settings.admin_email}"]


class StartRefused(Exception):
    """The server cannot start as things are; the text says what to do."""


@contextmanager
def start_errors_mapped() -> Generator[None]:
    """Turn what opening the parts raises into ConfigurationError (a setting is wrong) or StartRefused.

    Anything else is an error in Ownkey and passes unchanged.
    """
    try:
        yield
    except InvalidDatabaseUrl as error:
        raise ConfigurationError(f"{error.operator}. {error.public}") from None
    except CatalogueError as error:
        raise ConfigurationError(str(error)) from None
    except (MasterKeyError, BrokenLibrary) as error:
        raise StartRefused(str(error)) from None
    except SecretUnreadable as error:
        # Its public text is for users; the operator's says which key is missing.
        raise StartRefused(error.operator or error.public) from None
    except OwnkeyError as error:
        raise StartRefused(f"{error.public} ({error.operator})" if error.operator else error.public) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise StartRefused(f"{error.strerror or type(error).__name__}{where}") from None
