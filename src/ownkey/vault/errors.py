"""What can be wrong with master keys."""


class MasterKeyError(Exception):
    """A master key is missing, malformed, unsafe, or not the one this database needs; the text says what to do."""
