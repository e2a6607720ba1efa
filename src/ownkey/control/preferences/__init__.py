"""Each user's defaults."""
