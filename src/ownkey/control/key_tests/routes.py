"""`POST /credentials/test`: a key that is not stored."""

from fastapi import APIRouter

from ownkey.control.identity import Caller, ControlDep
from ownkey.control.key_tests import service
from ownkey.control.key_tests.schemas import KeyTestReply, KeyTrial, show_test
from ownkey.control.shapes import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/credentials", tags=["credentials"])


@router.post("/test")
async def test_unsaved(body: KeyTrial, caller: Caller, control: ControlDep) -> KeyTestReply:
    """Test a key without storing it."""
    return show_test(*await service.try_unsaved(control, caller, body))
