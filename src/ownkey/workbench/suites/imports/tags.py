"""Tags of a prompt, from lists, from texts between commas, and from promptfoo's metadata."""

import re
from collections.abc import Iterable, Mapping

from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.nodes import Node, as_items, written
from ownkey.workbench.suites.imports.problems import quoted

MOST_TAGS = 20
_LONGEST = 100
_SEPARATOR = re.compile(r"[,;]")


def tags_of(node: Node) -> tuple[str, ...]:
    """A list of texts, or one text with commas or semicolons between the tags."""
    if isinstance(node.value, str):
        return _accepted(node, _SEPARATOR.split(node.value))
    return _accepted(node, [item.written("A tag") for item in as_items(node) if not item.is_absent])


def metadata_tags(metadata: Mapping[str, Node], gathering: Gathering) -> tuple[str, ...]:
    """`key:value` for each value; those under the key `tags` stand alone. Nested objects are left out, and noted."""
    found: list[str] = []
    last: Node | None = None
    for key, node in metadata.items():
        for item in as_items(node):
            last = item
            if isinstance(item.value, list | dict):
                gathering.note(f"The metadata {quoted(key)} holds objects or lists in lists and was left out.")
            elif item.value is not None:
                found.append(written(item.value) if key == "tags" else f"{key}:{written(item.value)}")
    return _accepted(last, found) if last is not None else ()


def _accepted(node: Node, texts: Iterable[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(tags) > MOST_TAGS:
        raise node.refuse(f"The prompt has {len(tags)} tags; at most {MOST_TAGS} are accepted.")
    for tag in tags:
        if len(tag) > _LONGEST:
            raise node.refuse(f"The tag {quoted(tag)} has more than {_LONGEST} characters.")
    return tags
