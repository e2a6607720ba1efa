"""Chat messages as formats write them: a list of objects with `role` and `content`."""

from ownkey.workbench.records import Message
from ownkey.workbench.suites.imports.model import quoted
from ownkey.workbench.suites.imports.nodes import Node

_MOST_MESSAGES = 1_000
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_EXAMPLES = {"example_user": "user", "example_assistant": "assistant"}
"""OpenAI's names for few-shot turns that are sent as system messages."""


def is_chat(node: Node) -> bool:
    """Whether a value is a list of objects, and so meant as messages."""
    return (
        isinstance(node.value, list) and bool(node.value) and all(isinstance(item.value, dict) for item in node.value)
    )


def chat(node: Node) -> list[tuple[str, Node]]:
    """Role and content of each message; contents may hold templates.

    Raises:
        SuiteRejected: a message has another role or other fields, or a content that is not text.
    """
    found: list[tuple[str, Node]] = []
    items = node.items("The messages")
    if len(items) > _MOST_MESSAGES:
        raise node.refuse(f"The chat has {len(items):,} messages; at most {_MOST_MESSAGES:,} are accepted.")
    for item in items:
        fields = item.object("A message")
        if "role" not in fields or "content" not in fields:
            raise item.refuse("A message needs the fields role and content.")
        for name, field in fields.items():
            if name not in {"role", "content", "name"} and not field.is_absent:
                raise field.refuse(
                    f"The field {quoted(name)} of a message is not understood; messages hold role and content."
                )
        role = fields["role"].text("The role of a message")
        if role not in _ROLES:
            raise fields["role"].refuse(f"The role {quoted(role)} is not understood; use system, user or assistant.")
        name = fields["name"].value if "name" in fields else None
        example = _EXAMPLES.get(name) if isinstance(name, str) else None
        found.append((example or _ROLES[role], _content(fields["content"])))
    if not found:
        raise node.refuse("The list of messages is empty.")
    return found


def messages(node: Node) -> tuple[Message, ...]:
    """The messages as they stand, without templates."""
    return tuple(Message(role, content.text("The content of a message")) for role, content in chat(node))


def _content(node: Node) -> Node:
    """A text, also when it comes in parts of type `text`."""
    if not isinstance(node.value, list):
        node.text("The content of a message")
        return node
    parts: list[str] = []
    for part in node.value:
        fields = part.object("A part of a message")
        if "text" not in fields or ("type" in fields and fields["type"].value != "text"):
            raise part.refuse("A part of a message is not text; only texts are sent. Remove images and files.")
        parts.append(fields["text"].text("A part of a message"))
    return Node("".join(parts), node.line, node.column)
