"""`GET /workbench`: the workbench for people. The page is plain files that call `/api/v1/workbench`."""
