"""The schema's history: one file a revision, never edited once released."""
