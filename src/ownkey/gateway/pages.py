"""Anthropic's pages of a list: `limit` (1 to 1000, usually 20), and `after_id` or `before_id`."""

from urllib.parse import parse_qs

from ownkey.domain.errors import InvalidRequest

_USUAL, _MOST = 20, 1000


def page_of(ids: list[str], raw_query: bytes) -> tuple[list[str], bool]:
    """(the ids of the page asked for, whether more lie beyond it in its direction). Raises InvalidRequest."""
    query = parse_qs(raw_query.decode("latin-1"), keep_blank_values=True)
    limit = _limit(query.get("limit", [str(_USUAL)])[-1])
    if "after_id" in query and "before_id" in query:
        raise InvalidRequest("Send either after_id or before_id, not both.", param="after_id")
    if "before_id" in query:
        end = _position(ids, query["before_id"][-1], "before_id")
        start = max(0, end - limit)
        return ids[start:end], start > 0
    start = _position(ids, query["after_id"][-1], "after_id") + 1 if "after_id" in query else 0
    return ids[start : start + limit], start + limit < len(ids)


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= _MOST:
        return int(text)
    raise InvalidRequest(f"limit must be a number from 1 to {_MOST}.", param="limit")


def _position(ids: list[str], id_: str, param: str) -> int:
    try:
        return ids.index(id_)
    except ValueError:
        raise InvalidRequest(f"{param} names no model of this list.", param=param) from None
