"""Secrets at rest: envelope encryption per tenant under a master key that can rotate."""

from ownkey.vault.envelope import Place
from ownkey.vault.keyring import Keyring
from ownkey.vault.master_key import MasterKeyError
from ownkey.vault.rotation import MasterKeyState, MasterKeyStatus, RotationReport, forget, rotate, verify
from ownkey.vault.sources import EnvironmentKeys, FileKeys
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
