"""A user's own names for models."""
