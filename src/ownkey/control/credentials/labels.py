"""Labels choose a key by name (`x-ownkey-credential`), so one owner uses each once. Checked inside the transaction."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import Credential
from ownkey.domain.errors import Conflict
from ownkey.domain.tenancy import Owner
from ownkey.storage import credentials
from ownkey.storage.statements import lock_name

_MOST_PER_OWNER = 500


async def lock_keys(connection: AsyncConnection, owner: Owner) -> list[Credential]:
    """The owner's keys, which no other transaction adds to or renames until this one ends."""
    await lock_name(connection, f"credentials of {owner.tenant}")
    return await credentials.list_for_owners(connection, (owner,))


def check_room(existing: Sequence[Credential]) -> None:
    """Raises Conflict when the owner has as many keys as one may have."""
    if len(existing) >= _MOST_PER_OWNER:
        raise Conflict(f"There are {_MOST_PER_OWNER} keys already: delete one first.")


def check_label(existing: Sequence[Credential], label: str, but: str | None = None) -> None:
    """Raises Conflict when another of the keys (other than the one with the id `but`) has this label or id."""
    if any(label in (other.label, other.id) and other.id != but for other in existing):
        raise Conflict("Another of your keys has this label: labels choose a key, so each is used once.", param="label")


def free_label(provider: Provider, existing: Sequence[Credential]) -> str:
    """The provider's title, with the first number that makes it new."""
    taken = {credential.label for credential in existing}
    names = (provider.title if number == 1 else f"{provider.title} {number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
