import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs

from ownkey.domain.errors import InvalidRequest, SecretUnreadable, Unavailable
from ownkey.domain.secret import Secret
from ownkey.vault import EnvironmentKeys, Keyring, Place, Vault
from ownkey.vault.data_keys import DataKey, MemoryDataKeys, Use
from ownkey.vault.master_key import master_key
from ownkey.vault.vault import _mac_subkey

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
FIRST, SECOND = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (0, 50))
CANARY = "sk-canary-8f1d2c3b4a5968778695a4b3c2d1e0f"
PLACE = Place("credential", "user:one", "credentials", "cred_1", "openai")


def keyring(*keys: str) -> Keyring:
    return Keyring(EnvironmentKeys(keys[0], keys[1:]))


class WatchedKeys(MemoryDataKeys):
    """Counts what is asked of it, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.away = False

    async def get(self, key_id: str) -> DataKey | None:
        self._ask()
        await asyncio.sleep(0)
        return await super().get(key_id)

    async def current(self, tenant: str, use: str) -> DataKey | None:
        self._ask()
        await asyncio.sleep(0)
        return await super().current(tenant, use)

    def every(self) -> list[DataKey]:
        return list(self._keys.values())

    def put(self, key: DataKey) -> None:
        self._keys[key.id] = key

    def remove(self, key_id: str) -> None:
        del self._keys[key_id]

    def _ask(self) -> None:
        self.reads += 1
        if self.away:
            raise Unavailable("The database cannot serve now.")


@dataclass
class Safe:
    store: WatchedKeys
    vault: Vault


@pytest.fixture
def safe() -> Safe:
    store = WatchedKeys()
    return Safe(store, Vault(keyring(FIRST), store))


async def assert_refused(vault: Vault, sealed: bytes, place: Place, reason: str) -> None:
    with capture_logs() as logs, pytest.raises(SecretUnreadable) as refused:
        await vault.open(sealed, place)
    assert reason in refused.value.operator
    assert refused.value.public.startswith("The stored secret cannot be decrypted.")
    shown = f"{refused.value!r} {refused.value.public} {refused.value.operator} {logs}"
    assert CANARY not in shown
    for detail in (place.tenant, place.row, place.table, "data key"):
        assert detail not in refused.value.public
    assert refused.value.__cause__ is None
    assert logs


async def test_a_secret_comes_back_where_it_was_sealed(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    assert CANARY.encode() not in sealed
    assert (await safe.vault.open(sealed, PLACE)).reveal() == CANARY


async def test_another_process_opens_it(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    assert (await Vault(keyring(FIRST), safe.store).open(sealed, PLACE)).reveal() == CANARY


@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_survives(text: str) -> None:
    async def round_trip() -> str:
        vault = Vault(keyring(FIRST), MemoryDataKeys())
        return (await vault.open(await vault.seal(Secret(text), PLACE), PLACE)).reveal()

    assert asyncio.run(round_trip()) == text


async def test_equal_secrets_look_different(safe: Safe) -> None:
    sealed = {await safe.vault.seal(Secret(CANARY), PLACE) for _ in range(50)}
    assert len(sealed) == 50
    assert len({envelope[17:29] for envelope in sealed}) == 50


@pytest.mark.parametrize("field", ["purpose", "tenant", "table", "row", "provider"])
async def test_a_moved_secret_does_not_open(safe: Safe, field: str) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    elsewhere = replace(PLACE, **{field: "user:two" if field == "tenant" else "elsewhere"})
    await safe.vault.seal(Secret("their own"), elsewhere)
    reason = {"tenant": "another tenant", "purpose": "another purpose"}.get(field, "moved")
    await assert_refused(safe.vault, sealed, elsewhere, reason)


async def test_a_secret_of_one_row_copied_over_anothers_does_not_open(safe: Safe) -> None:
    other = replace(PLACE, row="cred_2")
    mine, theirs = await safe.vault.seal(Secret(CANARY), PLACE), await safe.vault.seal(Secret("theirs"), other)
    await assert_refused(safe.vault, theirs, PLACE, "moved")
    await assert_refused(safe.vault, mine[:61] + theirs[61:], PLACE, "changed")


async def test_damage_anywhere_is_refused(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    for at in range(len(sealed)):
        with pytest.raises(SecretUnreadable):
            await safe.vault.open(sealed[:at] + bytes([sealed[at] ^ 0x40]) + sealed[at + 1 :], PLACE)
        with pytest.raises(SecretUnreadable):
            await safe.vault.open(sealed[:at], PLACE)


async def test_an_unknown_data_key_is_refused(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    await assert_refused(safe.vault, sealed[:1] + bytes(16) + sealed[17:], PLACE, "does not exist")


async def test_a_key_for_hashes_opens_nothing(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    await safe.vault.fingerprint(PLACE.tenant, "openai", Secret(CANARY))
    mac = next(key for key in safe.store.every() if key.use == Use.MAC)
    await assert_refused(safe.vault, sealed[:1] + bytes.fromhex(mac.id) + sealed[17:], PLACE, "another tenant")


@pytest.mark.parametrize("change", ["tenant", "use", "id", "wrapped"])
async def test_a_tampered_data_key_fails_closed_and_is_never_replaced(safe: Safe, change: str) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    row = safe.store.every()[0]
    safe.store.remove(row.id)
    place = PLACE
    match change:
        case "tenant":
            place = replace(PLACE, tenant="user:two")
            safe.store.put(replace(row, tenant="user:two"))
        case "use":
            safe.store.put(replace(row, use="mac"))
        case "id":
            sealed = sealed[:1] + bytes(16) + sealed[17:]
            safe.store.put(replace(row, id="00" * 16))
        case _:
            safe.store.put(replace(row, wrapped=row.wrapped[:-1] + bytes([row.wrapped[-1] ^ 1])))
    fresh = Vault(keyring(FIRST), safe.store)
    with pytest.raises(SecretUnreadable, match="cannot be decrypted"):
        await fresh.open(sealed, place)
    using = fresh.fingerprint(place.tenant, "x", Secret("y")) if change == "use" else fresh.seal(Secret("new"), place)
    with pytest.raises(SecretUnreadable):
        await using
    assert len(safe.store.every()) == 1


async def test_text_that_is_not_unicode_is_a_clients_mistake_and_not_shown(safe: Safe) -> None:
    for call in (
        safe.vault.seal(Secret(CANARY + "\ud800"), PLACE),
        safe.vault.fingerprint(PLACE.tenant, "openai", Secret(CANARY + "\ud800")),
    ):
        with pytest.raises(InvalidRequest) as refused:
            await call
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        assert CANARY not in f"{refused.value!r}{refused.value.operator}"


async def test_the_wrong_master_key_is_noticed_at_the_start_and_makes_nothing(safe: Safe) -> None:
    await safe.vault.seal(Secret(CANARY), PLACE)
    await safe.vault.fingerprint(PLACE.tenant, "x", Secret("y"))
    wrong = Vault(keyring(SECOND), safe.store)
    with pytest.raises(SecretUnreadable) as refused:
        await wrong.check()
    assert master_key(base64.b64decode(FIRST)).id in refused.value.operator
    assert "OWNKEY_MASTER_KEY" in refused.value.operator
    assert FIRST not in refused.value.operator
    for call in (wrong.seal(Secret("new"), PLACE), wrong.fingerprint(PLACE.tenant, "x", Secret("y"))):
        with pytest.raises(SecretUnreadable):
            await call
    assert len(safe.store.every()) == 2


async def test_the_right_master_key_passes_the_check(safe: Safe) -> None:
    await safe.vault.check()
    await safe.vault.seal(Secret(CANARY), PLACE)
    await safe.vault.check()
    await Vault(keyring(SECOND, FIRST), safe.store).check()


async def test_a_previous_master_key_still_reads(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    assert (await Vault(keyring(SECOND, FIRST), safe.store).open(sealed, PLACE)).reveal() == CANARY


async def test_of_many_first_seals_at_once_all_open(safe: Safe) -> None:
    others = [Vault(keyring(FIRST), safe.store) for _ in range(4)]
    sealed = await asyncio.gather(*(vault.seal(Secret(CANARY), PLACE) for vault in others for _ in range(10)))
    assert [key.generation for key in safe.store.every()] == [1]
    for envelope in sealed:
        assert (await safe.vault.open(envelope, PLACE)).reveal() == CANARY


async def test_a_warm_key_asks_nothing_of_the_store(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    reads = safe.store.reads
    for _ in range(100):
        await safe.vault.open(sealed, PLACE)
        await safe.vault.seal(Secret(CANARY), PLACE)
    assert safe.store.reads == reads


async def test_of_many_cold_opens_one_reads_the_store(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    cold = Vault(keyring(FIRST), safe.store)
    safe.store.reads = 0
    opened = await asyncio.gather(*(cold.open(sealed, PLACE) for _ in range(100)))
    assert safe.store.reads == 1
    assert all(secret.reveal() == CANARY for secret in opened)


async def test_a_caller_who_gives_up_does_not_fail_the_others(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    cold = Vault(keyring(FIRST), safe.store)
    impatient, patient = asyncio.create_task(cold.open(sealed, PLACE)), asyncio.create_task(cold.open(sealed, PLACE))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).reveal() == CANARY
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_held_key_expires_with_its_lifetime(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    brief = Vault(keyring(FIRST), safe.store, lifetime=0)
    await brief.open(sealed, PLACE)
    safe.store.remove(safe.store.every()[0].id)
    await assert_refused(brief, sealed, PLACE, "does not exist")


async def test_warm_keys_keep_working_while_the_store_is_away(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    brief = Vault(keyring(FIRST), safe.store, lifetime=0)
    await brief.open(sealed, PLACE)
    safe.store.away = True
    assert (await brief.open(sealed, PLACE)).reveal() == CANARY
    reads = safe.store.reads
    assert (await brief.open(sealed, PLACE)).reveal() == CANARY
    assert safe.store.reads == reads
    with pytest.raises(Unavailable, match="database"):
        await Vault(keyring(FIRST), safe.store).open(sealed, PLACE)


async def test_few_keys_are_held(safe: Safe) -> None:
    small = Vault(keyring(FIRST), safe.store, capacity=3)
    places = [replace(PLACE, tenant=f"user:{number}") for number in range(10)]
    sealed = [await small.seal(Secret(CANARY), place) for place in places]
    assert len(small._held._held) == 3
    assert len(small._held._current) == 3
    for envelope, place in zip(sealed, places, strict=True):
        assert (await small.open(envelope, place)).reveal() == CANARY
    assert len(small._held._held) == 3


async def test_the_change_feed_empties_memory(safe: Safe) -> None:
    sealed = await safe.vault.seal(Secret(CANARY), PLACE)
    reads = safe.store.reads
    safe.vault.apply("user:one")
    await safe.vault.open(sealed, PLACE)
    assert safe.store.reads == reads
    safe.vault.apply("master-key")
    await safe.vault.open(sealed, PLACE)
    assert safe.store.reads == reads + 1


async def test_a_data_key_that_sealed_enough_gives_way_and_still_reads(safe: Safe) -> None:
    first = await safe.vault.seal(Secret("first"), PLACE)
    busy = Vault(keyring(FIRST), safe.store, seals_per_generation=1)
    second = await busy.seal(Secret("second"), PLACE)
    third = await busy.seal(Secret("third"), PLACE)
    assert [key.generation for key in safe.store.every()] == [1, 2, 3]
    assert len({envelope[1:17] for envelope in (first, second, third)}) == 3
    for vault in (safe.vault, busy, Vault(keyring(FIRST), safe.store)):
        for envelope, text in ((first, "first"), (second, "second"), (third, "third")):
            assert (await vault.open(envelope, PLACE)).reveal() == text


async def test_an_old_data_key_gives_way_once_for_all_processes(safe: Safe) -> None:
    await safe.vault.seal(Secret(CANARY), PLACE)
    row = safe.store.every()[0]
    safe.store.put(replace(row, created_at=row.created_at - 91 * 86_400))
    vaults = [Vault(keyring(FIRST), safe.store) for _ in range(5)]
    sealed = await asyncio.gather(*(vault.seal(Secret(CANARY), PLACE) for vault in vaults for _ in range(5)))
    assert [key.generation for key in safe.store.every()] == [1, 2]
    assert len({envelope[1:17] for envelope in sealed}) == 1


async def test_keys_for_hashes_do_not_age(safe: Safe) -> None:
    pepper = await safe.vault.pepper("api-key")
    row = safe.store.every()[0]
    safe.store.put(replace(row, created_at=0.0))
    assert await Vault(keyring(FIRST), safe.store, seals_per_generation=1).pepper("api-key") == pepper
    assert len(safe.store.every()) == 1


async def test_a_fingerprint_finds_the_same_secret_of_one_tenant_and_provider_only(safe: Safe) -> None:
    found = await safe.vault.fingerprint("user:one", "openai", Secret(CANARY))
    assert len(found) == 32
    assert found == await Vault(keyring(FIRST), safe.store).fingerprint("user:one", "openai", Secret(CANARY))
    others = [("user:two", "openai", CANARY), ("user:one", "groq", CANARY), ("user:one", "openai", CANARY + "x")]
    others += [("user:one", "openai" + CANARY[0], CANARY[1:])]
    for tenant, provider, text in others:
        assert await safe.vault.fingerprint(tenant, provider, Secret(text)) != found


async def test_peppers_are_stable_and_apart(safe: Safe) -> None:
    pepper = await safe.vault.pepper("api-key")
    assert len(pepper) == 32
    assert await Vault(keyring(SECOND, FIRST), safe.store).pepper("api-key") == pepper
    assert await safe.vault.pepper("session") != pepper


@pytest.mark.parametrize("vector", VECTORS["fingerprints"])
async def test_known_fingerprints(safe: Safe, vector: dict[str, str]) -> None:
    await adopt(safe, "user:one", bytes.fromhex(vector["key"]))
    found = await safe.vault.fingerprint("user:one", vector["provider"], Secret(vector["secret"]))
    assert found.hex() == vector["fingerprint"]


@pytest.mark.parametrize("vector", VECTORS["peppers"])
async def test_known_peppers(safe: Safe, vector: dict[str, str]) -> None:
    await adopt(safe, "platform:platform", bytes.fromhex(vector["key"]))
    assert (await safe.vault.pepper(vector["purpose"])).hex() == vector["pepper"]
    assert _mac_subkey(bytes.fromhex(vector["key"]), "fingerprint").hex() != vector["pepper"]


async def adopt(safe: Safe, tenant: str, key: bytes) -> None:
    id_ = "11" * 16
    wrapped, version = keyring(FIRST).wrap(id_, tenant, "mac", key)
    row = DataKey(
        id=id_, tenant=tenant, use="mac", generation=1, master_version=version, wrapped=wrapped, created_at=0.0
    )
    assert await safe.store.add(row)


async def test_nothing_that_is_held_shows_a_key(safe: Safe) -> None:
    await safe.vault.seal(Secret(CANARY), PLACE)
    held = next(iter(safe.vault._held._held.values()))
    shown = f"{held!r} {safe.vault._keyring.keys!r} {vars(safe.vault)!r} {vars(safe.vault._held)!r}"
    for secret in (held.key, base64.b64decode(FIRST)):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
        assert base64.b64encode(secret).decode() not in shown
