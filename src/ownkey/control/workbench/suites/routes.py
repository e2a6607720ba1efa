"""`/workbench/suites`."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from ownkey.control.identity import ControlDep
from ownkey.control.problems import problem
from ownkey.control.shapes import Listing
from ownkey.control.workbench.access import VisitorDep, count, token_session
from ownkey.control.workbench.suites.schemas import SuiteDetail, SuiteReply, UploadedReply, show_suite
from ownkey.control.workbench.suites.service import read_upload
from ownkey.domain.errors import InvalidRequest, NotFound, Unauthenticated
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.hosting import ACCOUNT, limits_of, who
from ownkey.workbench.suites.imports import (
    Comparison,
    ImportLimits,
    ImportOptions,
    Mapping,
    SuiteFormat,
    SuiteRejected,
    read_suite,
)

router = APIRouter(prefix="/workbench/suites", tags=["workbench"])
_SHOWN = 1000
_MAPPING = "Which column is what, for example `prompt:question,reference:answer`"


@router.get("")
async def list_suites(visitor: VisitorDep, control: ControlDep) -> Listing[SuiteReply]:
    """The curated suites, and those you uploaded. Open to all."""
    session_id, user_id = await _owners(visitor, control)
    suites = control.workbench.suites
    found = [*suites.curated, *await suites.uploaded(session_id, user_id)]
    return Listing(items=[show_suite(info) for info in found])


@router.post("", status_code=201, response_model=UploadedReply)
async def upload_suite(
    request: Request,
    visitor: VisitorDep,
    control: ControlDep,
    filename: Annotated[str | None, Query(max_length=200)] = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
    kind: Annotated[SuiteFormat | None, Query(alias="format")] = None,
    mapping: Annotated[str | None, Query(max_length=1000, description=_MAPPING)] = None,
    template: Annotated[str | None, Query(max_length=20_000)] = None,
    comparison: Comparison | None = None,
) -> UploadedReply | JSONResponse:
    """Upload a suite: the file as the body or as `file` in a form. Promptfoo YAML, CSV and JSONL, OpenAI evals JSONL,
    and plain tables with a column mapping are understood; errors are reported by line."""
    session, user_id = await _session(visitor, control)
    limits = ACCOUNT if session is None else limits_of(session)
    uploader = user_id if session is None or user_id is not None else who(session)
    await count(control, "upload", uploader or "", limits.uploads_a_minute)
    sent = await read_upload(request, filename, limits.suite_bytes)
    options = ImportOptions(name=name, format=kind, mapping=_mapping(mapping), template=template, comparison=comparison)
    bounds = ImportLimits(
        max_bytes=limits.suite_bytes,
        max_prompts=limits.suite_prompts,
        max_prompt_characters=limits.prompt_characters,
    )
    try:
        suite = await control.workbench.suites.read(lambda: read_suite(sent.data, sent.filename, options, bounds))
    except SuiteRejected as rejected:
        return _faults(rejected)
    info = await control.workbench.suites.add(session, user_id, suite, limits)
    return UploadedReply(**msgspec.to_builtins(info), format=suite.format, notes=list(suite.notes))


@router.get("/{suite_id}")
async def get_suite(suite_id: str, visitor: VisitorDep, control: ControlDep) -> SuiteDetail:
    """A suite with its prompts, the first thousand of them."""
    session_id, user_id = await _owners(visitor, control)
    suites = control.workbench.suites
    info = await suites.get(suite_id, session_id, user_id)
    prompts = await suites.first(info, _SHOWN)
    return SuiteDetail(**msgspec.to_builtins(info), items=prompts)


@router.delete("/{suite_id}", status_code=204)
async def delete_suite(suite_id: str, visitor: VisitorDep, control: ControlDep) -> None:
    """Delete an uploaded suite. Its runs retain their results."""
    session_id, user_id = await _owners(visitor, control)
    await control.workbench.suites.delete(suite_id, session_id, user_id)


async def _session(visitor: VisitorDep, control: ControlDep) -> tuple[WorkbenchSession | None, str | None]:
    """The session whose token was sent and its user, or the user who is signed in. Raises Unauthenticated for
    neither: an upload has to belong to somebody."""
    if visitor.token is not None:
        session = await token_session(control, visitor.token)
        return session, session.user_id
    if visitor.principal is None:
        raise Unauthenticated("Send a workbench session's token as bearer, or sign in: the suite is kept for you.")
    return None, visitor.principal.user_id


async def _owners(visitor: VisitorDep, control: ControlDep) -> tuple[str | None, str | None]:
    """The session and user whose suites may be seen; with an invalid token only the curated ones."""
    if visitor.token is not None:
        try:
            session = await token_session(control, visitor.token)
        except (NotFound, Unauthenticated):
            return None, None
        return session.id, session.user_id
    return None, visitor.principal.user_id if visitor.principal is not None else None


def _faults(rejected: SuiteRejected) -> JSONResponse:
    """All errors in a suite, each with its line."""
    faults = [{"line": each.line, "column": each.column, "message": each.message} for each in rejected.problems]
    return problem(rejected.status, rejected.code, rejected.public, errors=faults)


def _mapping(text: str | None) -> Mapping:
    pairs = {
        key.strip(): column.strip() for key, _, column in (part.partition(":") for part in (text or "").split(","))
    }
    pairs.pop("", None)
    if not all(key in Mapping.__struct_fields__ and column for key, column in pairs.items()):
        fields = ", ".join(Mapping.__struct_fields__)
        raise InvalidRequest(f"{_MAPPING}; what columns can be: {fields}.", param="mapping")
    return Mapping(**pairs)
