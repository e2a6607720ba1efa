"""Bodies and replies of `/routes`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ownkey.control.shapes import Body, Flag, Line, ModelName, Reply, instant
from ownkey.domain.route import name_problem
from ownkey.storage.records import StoredRoute


def _check_name(value: str) -> str:
    problem = name_problem(value)
    if problem is not None:
        raise ValueError(problem)
    return value


RouteName = Annotated[str, Field(max_length=64), AfterValidator(_check_name)]
CredentialRef = Annotated[Line, Field(max_length=100)]


class NewRoute(Body):
    """`name` will mean `model`, with the key `credential_id` if one is given.

    A name that is also a model's own is rejected unless `shadow` is true: every request for that model by its bare name
    would use the route.
    """

    name: RouteName
    model: ModelName
    credential_id: CredentialRef | None = None
    shadow: Flag = False


class RouteChange(Body):
    """Only the fields that are sent change; `credential_id` null lets every key serve again."""

    name: RouteName | None = None
    model: ModelName | None = None
    credential_id: CredentialRef | None = None
    shadow: Flag = False


class RouteReply(Reply):
    """A route."""

    id: str
    name: str
    model: str
    credential_id: str | None
    created_at: str | None


class SavedRoute(RouteReply):
    """A route that was just saved; `note` says why it could not serve a request now, null when it could."""

    note: str | None


def fields_of(stored: StoredRoute) -> dict[str, object]:
    return {
        "id": stored.id,
        "name": stored.name,
        "model": stored.model,
        "credential_id": stored.credential_id,
        "created_at": instant(stored.created_at),
    }
