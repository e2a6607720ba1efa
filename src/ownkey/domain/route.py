"""A user's own names for models: clients name the route, and the user decides which model it means."""

import re

from msgspec import Struct

from ownkey.domain.ids import CredentialId

DEFAULT = "default"
"""The name of the user's preferred model."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


class Route(Struct, frozen=True):
    """`name` means `model`, with the key `credential_id` unless the request names another.

    `model` is a name that the catalogue or an own endpoint knows: it is not looked up among the routes again.
    """

    name: str
    model: str
    credential_id: CredentialId | None = None

    @property
    def permit(self) -> str:
        """The entry of an API key's models list that allows this route, whatever model it means.

        Its spelling ensures that no entry meant for a model, and no pattern, can match a route.
        """
        return f"route:{self.name}"


def name_problem(name: str) -> str | None:
    """Why `name` cannot be a route's, or None.

    A slash separates provider and model, and blanks and pattern characters would be misread in lists.
    """
    if name == DEFAULT:
        return "`default` means the model in your preferences: set it there"
    if _NAME.fullmatch(name) is None:
        return "must be 1 to 64 letters, digits, dots, colons, dashes and underscores, the first a letter or digit"
    return None
