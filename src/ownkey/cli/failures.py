"""How commands fail: with one line for the person who typed them, and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager


class CommandFailed(Exception):
    """A command cannot be executed; the text is for the person who typed it."""

    exit_code = 1


class WrongUsage(CommandFailed):
    """The command or its settings are wrong; a retry cannot help."""

    exit_code = 2


@contextmanager
def one_line_errors() -> Generator[None]:
    """Turn errors of the server's own parts into CommandFailed, whose text is one line.

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
