import pytest
from tests.vault.store_contract import DataKeyStoreContract

from ownkey.storage import Database
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.vault.data_keys import DataKeyStore


class TestDatabaseDataKeys(DataKeyStoreContract):
    @pytest.fixture
    def store(self, database: Database) -> DataKeyStore:
        return DatabaseDataKeys(database)
