"""Platform keys from `OWNKEY_PLATFORM_KEY_<PROVIDER>`: stored like any other key, one row a variable."""

import time
from collections.abc import Mapping

import structlog

from ownkey.config import ConfigurationError
from ownkey.domain.credential import Credential
from ownkey.domain.ids import CredentialId
from ownkey.domain.pasted_key import UnclearKey, pasted_key
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import PLATFORM
from ownkey.gateway import credential_place
from ownkey.providers import ProviderCatalogue
from ownkey.providers.key_hints import key_hint
from ownkey.storage import changes, credentials
from ownkey.storage.database import Database
from ownkey.vault import Vault

_PREFIX = "cred_environment_"

log = structlog.get_logger(__name__)


async def store_environment_keys(
    keys: Mapping[str, str], database: Database, vault: Vault, catalogue: ProviderCatalogue
) -> None:
    """Make the stored rows agree with the variables: new ones appear, changed ones change, others go.

    Raises ConfigurationError for an unknown provider, and for a text that is not plainly one key.
    """
    secrets = _secrets(keys, catalogue)
    async with database.read() as connection:
        stored = await credentials.list_for_owners(connection, (PLATFORM,))
    prepared: list[tuple[Credential, bytes]] = []
    for provider, secret in secrets.items():
        id_ = CredentialId(_PREFIX + provider)
        sealed = await vault.seal(secret, credential_place(PLATFORM, id_, provider))
        fingerprint = await vault.fingerprint(PLATFORM.tenant, provider, secret)
        credential = Credential(
            id=id_,
            owner=PLATFORM,
            provider=provider,
            label=f"{provider} (environment)",
            masked_key=mask(secret.reveal()),
            sealed=sealed,
            created_at=time.time(),
        )
        prepared.append((credential, fingerprint))
    wanted = {credential.id for credential, _ in prepared}
    gone = [row for row in stored if row.id.startswith(_PREFIX) and row.id not in wanted]
    if not prepared and not gone:
        return
    async with database.write() as connection:
        touched = False
        for row in gone:
            touched |= await credentials.delete(connection, PLATFORM, row.id) is not None
        for credential, fingerprint in prepared:
            touched |= await credentials.upsert_by_id(connection, credential, fingerprint)
        if touched:
            await changes.append(connection, changes.owner_topic(PLATFORM))


def _secrets(keys: Mapping[str, str], catalogue: ProviderCatalogue) -> dict[str, Secret]:
    """The keys by the providers' own names."""
    found: dict[str, Secret] = {}
    for name, text in keys.items():
        variable, row = f"OWNKEY_PLATFORM_KEY_{name.upper()}", catalogue.provider(name)
        if row is None:
            raise ConfigurationError(f"{variable}: there is no provider {name!r}")
        try:
            secret = Secret(pasted_key(text))
        except UnclearKey as error:
            raise ConfigurationError(f"{variable}: {error}") from None
        if not secret.reveal() and row.key_required:
            raise ConfigurationError(f"{variable}: the key is empty: set it, or remove the variable")
        if found.setdefault(row.name, secret) != secret:
            raise ConfigurationError(f"{variable}: {row.title} has another key in another variable: remove one of them")
        if (hint := key_hint(catalogue.providers(), row, secret, None)) is not None:
            log.warning("a platform key looks like another provider's", variable=variable, hint=hint)
    return found
