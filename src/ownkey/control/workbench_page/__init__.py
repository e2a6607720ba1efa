"""`GET /workbench`: the workbench for people. The page is plain files that speak to `/api/v1/workbench`."""
