"""`/workbench`, all of it. What a path belongs to is in the module of that name."""

from fastapi import APIRouter

from ownkey.control.workbench import runs, sessions, suites, talk, terms

router = APIRouter()
for part in (terms, sessions, suites, runs, talk):
    router.include_router(part.router)
