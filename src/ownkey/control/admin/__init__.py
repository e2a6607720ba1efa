"""What only operators may do."""
