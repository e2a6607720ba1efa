"""What operators' tools ask: health, readiness, metrics."""
