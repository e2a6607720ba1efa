"""promptfoo's tests as CSV (its documentation, "Test case configuration", "Special CSV columns").

A column is a variable by its name; `__expected`, `__expected1` … are one-line checks, and `__description`,
`__threshold`, `__prefix`, `__suffix`, `__metadata:key`, `__metadata:key[]` and `__config:__expectedN:threshold` set
the rest of a test.
"""

import re
from collections.abc import Mapping, Sequence

from ownkey.workbench.suites.imports.checks import Assertion, assertion, share
from ownkey.workbench.suites.imports.delimited import Record, Table
from ownkey.workbench.suites.imports.expectations import expectation
from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.model import ImportOptions
from ownkey.workbench.suites.imports.nodes import Node
from ownkey.workbench.suites.imports.problems import quoted, refused
from ownkey.workbench.suites.imports.promptfoo_case import Case
from ownkey.workbench.suites.imports.promptfoo_config import given_templates
from ownkey.workbench.suites.imports.promptfoo_prompts import PromptTemplate, put_prompts, usual_template
from ownkey.workbench.suites.imports.rows import cells
from ownkey.workbench.suites.imports.tags import metadata_tags

SPECIAL = re.compile(
    r"__(expected\d*|prefix|suffix|description|metric|threshold|providerOutput|metadata(:.*)?|config:.*)"
)
_EXPECTED = re.compile(r"__expected\d*")
_MISSPELT = re.compile(
    r"_(expected\d*|prefix|suffix|description|metric|threshold|providerOutput|metadata:.*|config:.*)"
)
_CONFIG = re.compile(r"__config:(__expected\d*):threshold")
_ESCAPED_COMMA = re.compile(r"(?<!\\),")


def is_promptfoo_header(names: Sequence[str]) -> bool:
    return any(SPECIAL.fullmatch(name) for name in names)


def read_csv(table: Table, options: ImportOptions, gathering: Gathering) -> None:
    """Put in the prompts of every row."""
    _check_names(table, gathering)
    templates: Sequence[PromptTemplate] = given_templates(options, Node(None, table.line), gathering)
    for number, record in enumerate(table.rows, 1):
        if gathering.full:
            return
        with gathering.record():
            found = _case(cells(table, record), record, gathering)
            templates = templates or [usual_template(found, found.node)]
            put_prompts(found, number, templates, gathering)


def _check_names(table: Table, gathering: Gathering) -> None:
    for name in table.names:
        if _MISSPELT.fullmatch(name):
            raise refused(
                table.line, None, f"The column {quoted(name)} begins with one underscore; write {quoted('_' + name)}."
            )
        if name.startswith("__config:") and not _CONFIG.fullmatch(name):
            raise refused(
                table.line,
                None,
                f"The column {quoted(name)} is not understood; the form is “__config:__expected1:threshold”.",
            )
        if name == "__metadata":
            gathering.note("The column __metadata was ignored: it needs a key, such as __metadata:category.")
        if name == "__metric":
            gathering.note("The column __metric was ignored: checks are reported by their type.")


def _case(row: Mapping[str, Node], record: Record, gathering: Gathering) -> Case:
    at = Node(None, record.line)
    special = {name: node for name, node in row.items() if SPECIAL.fullmatch(name) and str(node.value).strip()}
    if "__providerOutput" in special:
        raise at.refuse("A test with __providerOutput asks no model; remove the column.")
    threshold = special.get("__threshold")
    return Case(
        node=at,
        variables={name: node for name, node in row.items() if not SPECIAL.fullmatch(name)},
        assertions=tuple(
            _assertion(name, node, special, gathering) for name, node in special.items() if _EXPECTED.fullmatch(name)
        ),
        description=special["__description"].text("A description") if "__description" in special else "",
        threshold=None if threshold is None else share(threshold, "The threshold of a test"),
        prefix=special.get("__prefix"),
        suffix=special.get("__suffix"),
        tags=metadata_tags(_metadata(special), gathering),
    )


def _assertion(name: str, node: Node, special: Mapping[str, Node], gathering: Gathering) -> Assertion:
    found = expectation(node)
    if found.doubtful:
        gathering.note(
            f"Line {node.line}: {quoted(str(node.value))} names no known check and was read as the exact answer."
        )
    threshold = special.get(f"__config:{name}:threshold", found.threshold)
    return assertion(node, found.type, found.value, threshold, None, gathering)


def _metadata(special: Mapping[str, Node]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for name, node in special.items():
        if not name.startswith("__metadata:"):
            continue
        key, text = name.removeprefix("__metadata:"), node.text("Metadata")
        if key.endswith("[]"):
            items = [item.strip().replace("\\,", ",") for item in _ESCAPED_COMMA.split(text)]
            found[key.removesuffix("[]")] = Node([Node(item, node.line) for item in items if item], node.line)
        else:
            found[key] = node
    return found
