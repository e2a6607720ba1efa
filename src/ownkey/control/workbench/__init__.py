"""`/workbench`: sessions with or without an account, suites, runs, questions about them, exports."""
