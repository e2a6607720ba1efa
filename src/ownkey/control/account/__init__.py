"""The caller's own account and sessions."""
