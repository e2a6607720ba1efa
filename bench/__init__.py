"""What Ownkey costs, beside nginx and the bare upstream, measured in one run: `python -m bench`."""
