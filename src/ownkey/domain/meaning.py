"""What a requested model name means to this user, before the catalogue is asked: `default`, an alias, or itself."""

from typing import Protocol

from msgspec import Struct

from ownkey.domain.alias import DEFAULT, Alias
from ownkey.domain.credential import Holdings


class Meaning(Struct, frozen=True):
    """The model asked for in the end (empty for `default` without a preference), and the key chosen for it, if any.

    `alias` is what led there. Nothing looks `model` up among the aliases again: two steps could go in circles.
    """

    model: str
    credential: str | None
    alias: Alias | None = None

    @property
    def pinned(self) -> bool:
        """Whether the alias, and not the request, chose the key."""
        return self.alias is not None and self.credential is not None and self.alias.credential_id == self.credential

    @property
    def permit(self) -> str | None:
        """What, in an API key's models list, allows this request besides the model itself."""
        return None if self.alias is None else self.alias.permit


class ModelNames(Protocol):
    """What knowing a name takes of the catalogue."""

    def resolve(self, asked: str) -> object | None: ...


def meaning_of(asked: str, credential: str | None, holdings: Holdings) -> Meaning:
    """The meaning of a requested name. The preferred model may be an alias; an alias goes before other bare names."""
    name = holdings.preferences.model or "" if asked == DEFAULT else asked
    alias = holdings.aliases.get(name)
    if alias is None:
        return Meaning(name, credential)
    return Meaning(alias.model, credential or alias.credential_id, alias)


def names_a_model(name: str, holdings: Holdings, catalogue: ModelNames) -> bool:
    """Whether the name, no alias considered, is one of a model: the catalogue's, or of one of the user's endpoints."""
    return catalogue.resolve(name) is not None or any(key.model == name for key in holdings.credentials)
