"""`/workbench/runs`."""
