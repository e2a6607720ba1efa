"""The first operator, by a one-time link."""
