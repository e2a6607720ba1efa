"""Why a server does not start, in one line for the person who started it."""

from collections.abc import Generator
from contextlib import contextmanager

from ownkey.config import ConfigurationError
from ownkey.domain.errors import OwnkeyError, SecretUnreadable
from ownkey.providers import CatalogueError
from ownkey.storage.errors import InvalidDatabaseUrl
from ownkey.vault import MasterKeyError


class StartRefused(Exception):
    """The server cannot start as things are; the text says what to do."""


@contextmanager
def start_problems_told() -> Generator[None]:
    """Turn what opening the parts raises into ConfigurationError (a setting is wrong) or StartRefused.

    Anything else is a fault of ours and passes as it is.
    """
    try:
        yield
    except InvalidDatabaseUrl as error:
        raise ConfigurationError(f"{error.operator}. {error.public}") from None
    except CatalogueError as error:
        raise ConfigurationError(str(error)) from None
    except MasterKeyError as error:
        raise StartRefused(str(error)) from None
    except SecretUnreadable as error:
        # Its public text is for users; the operator's says which key is missing.
        raise StartRefused(error.operator or error.public) from None
    except OwnkeyError as error:
        raise StartRefused(f"{error.public} ({error.operator})" if error.operator else error.public) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise StartRefused(f"{error.strerror or type(error).__name__}{where}") from None
