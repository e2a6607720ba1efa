import pytest
from tests.vault.store_contract import DataKeyStoreContract

from ownkey.vault.memory import MemoryDataKeys
from ownkey.vault.ports import DataKeyStore


class TestMemoryDataKeys(DataKeyStoreContract):
    @pytest.fixture
    def store(self) -> DataKeyStore:
        return MemoryDataKeys()
