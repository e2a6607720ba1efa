"""JSON and YAML that stand as a text inside another value. Faults in them are told at that value's place."""

from collections.abc import Callable

from ownkey.workbench.suites.imports.model import ImportLimits
from ownkey.workbench.suites.imports.nodes import Node
from ownkey.workbench.suites.imports.problems import SuiteRejected


def embedded(node: Node, text: str, read: Callable[[str, ImportLimits], Node], limits: ImportLimits, what: str) -> Node:
    """The value that a text holds, with every part placed where the text begins.

    Raises:
        SuiteRejected: it cannot be read; `what` names it.
    """
    try:
        return _placed(read(text, limits), node)
    except SuiteRejected as fault:
        raise node.refuse(f"{what}: {fault.problems[0].message}") from None


def _placed(inner: Node, at: Node) -> Node:
    match inner.value:
        case list():
            return Node([_placed(item, at) for item in inner.value], at.line, at.column)
        case dict():
            return Node({key: _placed(item, at) for key, item in inner.value.items()}, at.line, at.column)
        case value:
            return Node(value, at.line, at.column)
