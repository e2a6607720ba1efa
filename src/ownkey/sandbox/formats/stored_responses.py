"""Responses that are kept: to retrieve, to delete, to list their input, to cancel."""

from typing import Any
from urllib.parse import parse_qs, unquote

from ownkey.sandbox.context import Context
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer
from ownkey.sandbox.reading import invalid
from ownkey.sandbox.response_book import KeptResponse, account_of


def get(context: Context) -> Answer:
    """GET …/responses/{id} and …/responses/{id}/input_items."""
    response_id, tail = _place(context)
    kept = _kept(context, response_id)
    if not tail:
        return context.json(kept.response)
    if tail != "input_items":
        raise _nothing(context)
    return context.json(_page(kept.items, context.request.head.query.decode("latin-1")))


def delete(context: Context) -> Answer:
    """DELETE …/responses/{id}."""
    response_id, tail = _place(context)
    if tail:
        raise _nothing(context)
    _kept(context, response_id)
    context.scene.responses.delete(account_of(context), response_id)
    return context.json({"id": response_id, "object": "response", "deleted": True})


def cancel(context: Context) -> Answer:
    """POST …/responses/{id}/cancel: no simulated response runs in the background."""
    response_id, tail = _place(context)
    if tail != "cancel":
        raise _nothing(context)
    _kept(context, response_id)
    raise Refused(Problem(status=400, message="Cannot cancel a synchronous response."))


def _place(context: Context) -> tuple[str, str]:
    rest = context.plan.rest
    response_id, _, tail = rest[rest.rindex("responses/") + len("responses/") :].partition("/")
    return unquote(response_id), tail


def _kept(context: Context, response_id: str) -> KeptResponse:
    kept = context.scene.responses.get(account_of(context), response_id)
    if kept is None:
        raise Refused(Problem(status=404, message=f"Response with id '{response_id}' not found."))
    return kept


def _nothing(context: Context) -> Refused:
    head = context.request.head
    text = f"Invalid URL ({head.method.decode('latin-1')} /{context.plan.rest})"
    return Refused(Problem(status=404, message=text))


def _page(items: list[dict[str, Any]], query: str) -> dict[str, Any]:
    asked = parse_qs(query)
    limit, order, after = (asked.get(name, [""])[-1] for name in ("limit", "order", "after"))
    if limit and not (limit.isdigit() and 1 <= int(limit) <= 100):
        raise invalid("limit", f"Invalid 'limit': expected a number from 1 to 100, but got {limit!r} instead.")
    rows = items if order == "asc" else items[::-1]
    if after:
        rows = rows[next((index + 1 for index, item in enumerate(rows) if item["id"] == after), 0) :]
    page = rows[: int(limit or 20)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(rows) > len(page),
    }
