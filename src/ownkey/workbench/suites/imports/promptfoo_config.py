"""promptfoo's configuration file, and lists of its tests (its documentation, "Configuration reference")."""

from collections.abc import Sequence

from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.model import ImportOptions
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
