"""Reading multipart forms, as far as a simulated provider needs their fields."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox.context import Context
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.reading import Read

_BOUNDARY = re.compile(rb'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb';\s*name="?([^";]*)"?', re.IGNORECASE)
_FILENAME = re.compile(rb';\s*filename="?([^";]*)"?', re.IGNORECASE)


class Upload(Struct, frozen=True):
    """A file in a form."""

    name: str
    data: bytes


class Form(Struct, frozen=True):
    """The text fields, the last of a name counting, and the files of each name in order."""

    fields: dict[str, Any]
    files: dict[str, list[Upload]]

    def uploads(self, *names: str) -> list[Upload]:
        """The files under any of these names."""
        return [upload for name in names for upload in self.files.get(name, ())]


def read_form(context: Context) -> Form:
    """The request's form. Raises Refused."""
    found = _BOUNDARY.search(context.request.head.headers.get(b"content-type", b""))
    if found is None:
        text = "Unsupported content type: this endpoint takes 'multipart/form-data' with a boundary."
        raise Refused(Problem(status=415, message=text, code="unsupported_content_type"))
    form = Form({}, {})
    _, *parts = (b"\r\n" + context.request.body).split(b"\r\n--" + found[1])
    if not parts or not parts[-1].startswith(b"--"):
        raise Refused(Problem(status=400, message="Could not parse multipart form: it is cut off."))
    for part in parts[:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = _NAME.search(head)
        if named is None:
            raise Refused(Problem(status=400, message="Could not parse multipart form: a part has no name."))
        name = named[1].decode("utf-8", "replace")
        filename = _FILENAME.search(head)
        if filename is not None:
            form.files.setdefault(name, []).append(Upload(filename[1].decode("utf-8", "replace"), data))
        else:
            form.fields[name] = data.decode("utf-8", "replace")
    return form


def convert(form: Form, shape: "type[Read]") -> Read:
    """The text fields as `shape`. Raises Refused naming the field."""
    try:
        return msgspec.convert(form.fields, shape, strict=False)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        param = path.rstrip("`") or None
        raise Refused(Problem(status=400, message=text, param=param, code="invalid_type")) from error
