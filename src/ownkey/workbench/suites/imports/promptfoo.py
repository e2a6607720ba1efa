"""promptfoo's configuration file, lists of its tests, and its tests as CSV.

Its documentation: "Configuration reference"; "Test case configuration", "Special CSV columns". In a CSV a column is a
variable by its name; `__expected`, `__expected1` … are one-line checks, and `__description`, `__threshold`, `__prefix`,
`__suffix`, `__metadata:key`, `__metadata:key[]` and `__config:__expectedN:threshold` set the rest of a test.
"""

import re
from collections.abc import Mapping, Sequence

from ownkey.workbench.suites.imports.checks import Assertion, assertion, expectation, share
from ownkey.workbench.suites.imports.delimited import Record, Table, cells
from ownkey.workbench.suites.imports.gathering import Gathering, metadata_tags
from ownkey.workbench.suites.imports.model import ImportOptions, quoted, refused
from ownkey.workbench.suites.imports.nodes import Node, is_file
from ownkey.workbench.suites.imports.promptfoo_case import Case, case
from ownkey.workbench.suites.imports.promptfoo_prompts import (
    PromptTemplate,
    prompt_template,
    prompt_templates,
    put_prompts,
    usual_template,
)

_READ = {"description", "prompts", "tests", "defaultTest"}
_REFUSED = {
    "scenarios": "Scenarios are not supported; write each combination as a test.",
    "extensions": "Extensions run code, which is never done here; remove them.",
    "nunjucksFilters": "Filters run code, which is never done here; write the results into variables.",
    "redteam": "Generated red-team tests are not supported; write the tests out.",
    "assertionTemplates": "Templates by $ref are not followed; use a YAML anchor and alias, or write the checks out.",
}


def read_config(root: Node, options: ImportOptions, gathering: Gathering) -> str:
    """Put in the prompts of a configuration or of a list of tests; the suite's description comes back."""
    if isinstance(root.value, list):
        read_tests(root, Case(node=root), given_templates(options, root, gathering), gathering)
        return ""
    fields = root.object("A promptfoo configuration")
    for name, field in fields.items():
        if name in _REFUSED:
            with gathering.record():
                raise field.refuse(_REFUSED[name])
        elif name not in _READ:
            gathering.note(
                f"The field “{name[:60]}” of the configuration was ignored: "
                "prompts, tests, defaultTest and description are read."
            )
    if "tests" not in fields and "prompts" not in fields:
        raise root.refuse("The file has neither prompts nor tests, so it is no promptfoo configuration.")
    default, templates = Case(node=root), list[PromptTemplate]()
    with gathering.record():
        templates = (
            prompt_templates(fields["prompts"], gathering.limits)
            if "prompts" in fields
            else given_templates(options, root, gathering)
        )
    with gathering.record():
        if "defaultTest" in fields and not fields["defaultTest"].is_absent:
            default = _default(fields["defaultTest"], gathering)
    if "prompts" not in fields or templates:
        _tests(fields, root, default, templates, gathering)
    description = fields.get("description")
    return description.written("description") if description is not None and not description.is_absent else ""


def given_templates(options: ImportOptions, at: Node, gathering: Gathering) -> list[PromptTemplate]:
    """The prompt that the user gave beside the file, if any. Faults in it are the whole file's (line 0)."""
    if options.template is None:
        return []
    return [prompt_template(Node(options.template, 0), gathering.limits)]


def read_tests(tests: Node, default: Case, templates: Sequence[PromptTemplate], gathering: Gathering) -> None:
    """Put in every test of a list."""
    for number, item in enumerate(tests.items("tests"), 1):
        if gathering.full:
            return
        templates = read_test(item, number, default, templates, gathering)


def read_test(
    item: Node, number: int, default: Case, templates: Sequence[PromptTemplate], gathering: Gathering
) -> Sequence[PromptTemplate]:
    """Put in one test. Without templates the first test shows which variable is the prompt; they come back."""
    with gathering.record():
        found = case(item, default, gathering)
        templates = templates or [usual_template(found, item)]
        put_prompts(found, number, templates, gathering)
    return templates


def _tests(
    fields: dict[str, Node], root: Node, default: Case, templates: Sequence[PromptTemplate], gathering: Gathering
) -> None:
    tests = fields.get("tests")
    if tests is None or tests.is_absent:
        with gathering.record():
            put_prompts(default, 1, templates, gathering)
    elif not isinstance(tests.value, list):
        with gathering.record():
            raise tests.refuse(
                "Tests in another file are not read; import that file itself, "
                "or write the tests into this one as a list."
            )
    else:
        read_tests(tests, default, templates, gathering)


def _default(node: Node, gathering: Gathering) -> Case:
    if is_file(node):
        raise node.refuse("A defaultTest in another file is not read; write it here.")
    return case(node, Case(node=node), gathering)


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
