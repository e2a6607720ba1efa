"""The process that compiles JSON Schemas and applies them. A script: it imports nothing of Ownkey.

It reads requests from the socket whose number is its first argument, and answers each. A message is four bytes of
length (big-endian) and JSON. A request is `{"schema": text, "values": [text, …]}`, each text being JSON; without values
the schema is only compiled. The answer has one key: `ok` (compiled), `valid` (index of the first value that satisfies
the schema), `complaint` (none does; why the first does not), `invalid` (no valid schema, or a value that the validator
does not take).

The second argument is the processor time for one request in seconds, after which the kernel ends the process; the
third bounds its address space in bytes. Processor time, unlike time on the clock, does not depend on the load.
"""

import json
import resource
import signal
import socket
import struct
import sys
from typing import Any

_PATTERN_MEMORY = 1 << 18
_SHOWN = 200


def main() -> None:
    """Serve requests until the socket closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    seconds, memory = float(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import jsonschema_rs
    except ImportError:
        sys.exit(2)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    schema, validator = None, None
    with connection, connection.makefile("rb") as incoming:
        while head := incoming.read(4):
            request = json.loads(incoming.read(struct.unpack(">I", head)[0]))
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                if validator is None or schema != request["schema"]:
                    schema, validator = request["schema"], _compiled(jsonschema_rs, request["schema"])
                answer = _applied(validator, request["values"])
            except (jsonschema_rs.ValidationError, ValueError) as error:
                validator = None
                answer = {"invalid": _line(getattr(error, "message", None) or str(error))}
            signal.setitimer(signal.ITIMER_PROF, 0)
            encoded = json.dumps(answer).encode()
            connection.sendall(struct.pack(">I", len(encoded)) + encoded)


def _compiled(library: Any, schema: str) -> Any:
    return library.validator_for(
        json.loads(schema),
        offline=True,
        validate_formats=True,
        pattern_options=library.RegexOptions(size_limit=_PATTERN_MEMORY, dfa_size_limit=_PATTERN_MEMORY),
    )


def _applied(validator: Any, texts: list[str]) -> dict[str, Any]:
    complaint = ""
    for index, text in enumerate(texts):
        value = json.loads(text)
        if validator.is_valid(value):
            return {"valid": index}
        complaint = complaint or _complaint(validator, value)
    return {"complaint": complaint} if texts else {"ok": True}


def _complaint(validator: Any, value: Any) -> str:
    error = next(validator.iter_errors(value), None)
    if error is None:
        return ""
    path = "".join(f"/{step}" for step in error.instance_path)
    return f" ({path or '/'}: {_line(error.message)})"


def _line(text: str) -> str:
    return " ".join(text[: 4 * _SHOWN].split())[:_SHOWN]


if __name__ == "__main__":
    main()
