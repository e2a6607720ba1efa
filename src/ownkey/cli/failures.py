"""How commands fail: one line for the person who typed them, and the exit code."""

from collections.abc import Generator
from contextlib import contextmanager


class CommandFailed(Exception):
    """A command cannot be carried out; the text is for the person who typed it."""

    exit_code = 1


class WrongUsage(CommandFailed):
    """The command or its settings are wrong, and trying again cannot help."""

    exit_code = 2


@contextmanager
def told_in_a_line() -> Generator[None]:
    """Turn what the server's own parts raise into CommandFailed.

    The parts are imported here, not above: commands that only call a server need none of them.
    """
    from ownkey.config import ConfigurationError
    from ownkey.domain.errors import OwnkeyError
    from ownkey.vault.master_key import MasterKeyError

    try:
        yield
    except ConfigurationError as error:
        raise WrongUsage(str(error)) from None
    except MasterKeyError as error:
        raise CommandFailed(str(error)) from None
    except OwnkeyError as error:
        raise CommandFailed(error.operator or error.public) from None
