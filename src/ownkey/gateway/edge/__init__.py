"""The edge: HTTP in, the pipeline's own request and responder out.

    exchange     the border: Request, Responder, Handler
    limits       sizes and deadlines
    protocol     adapter on uvicorn's httptools protocol: which requests the pipeline answers
    guarded      beneath it, for every path: heads, deadlines, refusals, turns
    head, target, patience   the rules that it goes by, pure
    http1        one request and its answer on a connection
    media        content-type and content-encoding
    strict_json  the body as one JSON object, strictly

What a handler may rely on is a contract suite, `tests/gateway/edge/test_contract.py`, which also runs on an adapter
for plain ASGI beside it: nothing in the border depends on uvicorn.
"""

from ownkey.gateway.edge.exchange import Handler, HeaderList, RenderError, Request, Responder
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.media import check_json_body
from ownkey.gateway.edge.protocol import data_plane_protocol
from ownkey.gateway.edge.strict_json import read_object

__all__ = [
    "Handler",
    "HeaderList",
    "Limits",
    "RenderError",
    "Request",
    "Responder",
    "check_json_body",
    "data_plane_protocol",
    "read_object",
]
