"""Where this installation's master keys are."""

from ownkey.config import Settings
from ownkey.vault import EnvironmentKeys, FileKeys, Keyring


def open_keyring(settings: Settings) -> Keyring:
    """The master keys: from the environment when given, else from `master.key` in the data directory."""
    if settings.master_key is not None:
        return Keyring(EnvironmentKeys(settings.master_key, settings.master_key_previous))
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Keyring(FileKeys(settings.data_dir / "master.key"))
