"""Where a request would go."""
