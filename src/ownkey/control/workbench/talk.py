"""`/workbench/runs/{id}/chat`."""

from fastapi import APIRouter

router = APIRouter(prefix="/workbench/runs", tags=["workbench"])
