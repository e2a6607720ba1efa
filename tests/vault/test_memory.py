import pytest

from ownkey.vault.memory import MemoryDataKeys
from ownkey.vault.ports import DataKeyStore
from tests.vault.store_contract import DataKeyStoreContract


class TestMemoryDataKeys(DataKeyStoreContract):
    @pytest.fixture
    def store(self) -> DataKeyStore:
        return MemoryDataKeys()
