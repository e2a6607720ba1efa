"""`/workbench/suites`."""
