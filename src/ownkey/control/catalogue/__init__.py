"""What there is: providers and models."""
