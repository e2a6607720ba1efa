"""Provider keys: stored, tested, changed, deleted."""
