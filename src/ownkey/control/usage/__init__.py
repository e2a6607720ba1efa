"""What was used, and the receipt of each request."""
