"""What a requested model name means to this user, before the catalogue is queried: `default`, a route, or itself."""

from typing import Protocol

from msgspec import Struct

from ownkey.domain.credential import Holdings
from ownkey.domain.route import DEFAULT, Route


class Meaning(Struct, frozen=True):
    """The model that is requested in the end (empty for `default` without a preference), and the key chosen for it, if
    any.

    `route` is what led there. Nothing looks `model` up among the routes again: two steps could go in circles.
    """

    model: str
    credential: str | None
    route: Route | None = None

    @property
    def pinned(self) -> bool:
        """Whether the route, and not the request, chose the key."""
        return self.route is not None and self.credential is not None and self.route.credential_id == self.credential

    @property
    def permit(self) -> str | None:
        """What, in an API key's models list, allows this request besides the model itself."""
        return None if self.route is None else self.route.permit


class ModelNames(Protocol):
    """What resolving a name needs of the catalogue."""

    def resolve(self, asked: str) -> object | None: ...


def meaning_of(asked: str, credential: str | None, holdings: Holdings) -> Meaning:
    """The meaning of a requested name. The preferred model may be a route; a route goes before other bare names."""
    name = holdings.preferences.model or "" if asked == DEFAULT else asked
    route = holdings.routes.get(name)
    if route is None:
        return Meaning(name, credential)
    return Meaning(route.model, credential or route.credential_id, route)


def names_a_model(name: str, holdings: Holdings, catalogue: ModelNames) -> bool:
    """Whether the name, no route considered, is one of a model: the catalogue's, or of one of the user's endpoints."""
    return catalogue.resolve(name) is not None or any(key.model == name for key in holdings.credentials)
