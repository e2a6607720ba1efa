"""Platform keys from `OWNKEY_PLATFORM_KEY_<PROVIDER>`: stored like any other key, one row a variable."""

import time
from collections.abc import Mapping

from ownkey.config import ConfigurationError
from ownkey.domain.credential import Credential
from ownkey.domain.ids import CredentialId
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import PLATFORM
from ownkey.gateway import credential_place
from ownkey.providers import ProviderCatalogue
from ownkey.storage import changes, credentials
from ownkey.storage.database import Database
from ownkey.vault import Vault

_PREFIX = "cred_environment_"


async def store_environment_keys(
    keys: Mapping[str, str], database: Database, vault: Vault, catalogue: ProviderCatalogue
) -> None:
    """Make the stored rows agree with the variables: new ones appear, changed ones change, others go."""
    for provider in keys:
        if catalogue.provider(provider) is None:
            raise ConfigurationError(f"OWNKEY_PLATFORM_KEY_{provider.upper()}: there is no provider {provider!r}")
    async with database.read() as connection:
        stored = await credentials.list_for_owners(connection, (PLATFORM,))
    prepared: list[tuple[Credential, bytes]] = []
    for provider, key in keys.items():
        id_, secret = CredentialId(_PREFIX + provider), Secret(key.strip())
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
