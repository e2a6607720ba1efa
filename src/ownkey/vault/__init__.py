"""Secrets at rest: envelope encryption per tenant under a master key that can rotate."""

from ownkey.vault.errors import MasterKeyError
from ownkey.vault.keyring import Keyring
from ownkey.vault.place import Place
from ownkey.vault.rotation import RotationReport, forget, rotate
from ownkey.vault.sources import EnvironmentKeys, FileKeys
from ownkey.vault.status import MasterKeyState, MasterKeyStatus, verify
from ownkey.vault.vault import Vault

__all__ = [
    "EnvironmentKeys",
    "FileKeys",
    "Keyring",
    "MasterKeyError",
    "MasterKeyState",
    "MasterKeyStatus",
    "Place",
    "RotationReport",
    "Vault",
    "forget",
    "rotate",
    "verify",
]
