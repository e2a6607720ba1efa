"""`GET /`, `GET /setup`, `POST /setup`."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from ownkey.control.admin.schemas import NewUser
from ownkey.control.identity import ControlDep
from ownkey.control.pages import render
from ownkey.control.problems import field_problems
from ownkey.control.setup.service import needs_operator, set_up
from ownkey.domain.errors import Conflict, InvalidRequest, NotFound
from ownkey.domain.tenancy import Role

router = APIRouter(include_in_schema=False)
_FORM_LIMIT = 8192


@router.get("/", response_class=HTMLResponse)
async def front(control: ControlDep) -> str:
    """What this server is."""
    return render("front.html", version=control.settings.version, sandbox_url=control.settings.sandbox_url)


@router.get("/setup", response_class=HTMLResponse)
async def show_form(control: ControlDep, token: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """The form behind the link."""
    if not await needs_operator(control):
        return _invalid("Ownkey is set up already.")
    return _form(token)


@router.post("/setup", response_class=HTMLResponse)
async def submit(request: Request, control: ControlDep) -> HTMLResponse:
    """Create the operator; after an error the form is shown again and the link remains valid."""
    raw = await request.body()
    fields = parse_qs(raw[:_FORM_LIMIT].decode("utf-8", "replace"))
    token, email, password = (fields.get(name, [""])[0] for name in ("token", "email", "password"))
    try:
        new = NewUser.model_validate({"email": email, "password": password, "role": Role.OPERATOR})
        user = await set_up(control, token, new)
    except ValidationError as error:
        return _form(token, field_problems(error.errors())[0].message, email, status=422)
    except (InvalidRequest, Conflict) as error:
        return _form(token, error.public, email, status=422)
    except NotFound as error:
        return _invalid(error.public)
    address = control.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1:8080')}"
    return HTMLResponse(render("setup_done.html", email=user.email, address=address))


def _form(token: str, error: str = "", email: str = "", *, status: int = 200) -> HTMLResponse:
    return HTMLResponse(render("setup_form.html", token=token, error=error, email=email), status)


def _invalid(message: str) -> HTMLResponse:
    return HTMLResponse(render("setup_invalid.html", message=message), 404)
