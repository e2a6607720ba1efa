"""`/workbench`, all of it. What a path belongs to is in the module of that name."""

from fastapi import APIRouter

from ownkey.control.workbench import runs, sessions, suites, talk

router = APIRouter()
for part in (sessions, suites, runs, talk):
    router.include_router(part.router)
