import pytest
from tests.vault.store_contract import DataKeyStoreContract

from ownkey.vault.data_keys import DataKeyStore, MemoryDataKeys


class TestMemoryDataKeys(DataKeyStoreContract):
    @pytest.fixture
    def store(self) -> DataKeyStore:
        return MemoryDataKeys()
