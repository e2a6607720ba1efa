"""`POST /credentials/test` and `POST /credentials/{id}/test`."""

from fastapi import APIRouter

from ownkey.control.credentials.service import find
from ownkey.control.identity import Caller, ControlDep
from ownkey.control.key_tests import service
from ownkey.control.key_tests.schemas import KeyTrial, TestReply, show_test
from ownkey.control.strict_body import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/credentials", tags=["credentials"])


@router.post("/test")
async def test_unsaved(body: KeyTrial, caller: Caller, control: ControlDep) -> TestReply:
    """Test a key without storing it."""
    return show_test(await service.try_unsaved(control, caller, body))


@router.post("/{credential_id}/test")
async def test_stored(credential_id: str, caller: Caller, control: ControlDep) -> TestReply:
    """Test a stored key and record its health."""
    credential = await find(control, caller, credential_id)
    await service.require_test(control, caller)
    _, result = await service.retest(control, credential)
    return show_test(result)
