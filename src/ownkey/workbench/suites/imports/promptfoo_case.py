"""One test case of promptfoo (its documentation, "Configuration reference", `TestCase` and `Assertion`)."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from ownkey.workbench.suites.imports.checks import Assertion, assertion, share
from ownkey.workbench.suites.imports.gathering import Gathering, metadata_tags
from ownkey.workbench.suites.imports.model import quoted
from ownkey.workbench.suites.imports.nodes import Node, as_items, is_file

_FIELDS = {"vars", "assert", "description", "threshold", "metadata", "options", "prompts"}
_OTHER_FIELDS = {"provider", "providers"}
_OPTIONS = {"prefix", "suffix", "disableVarExpansion", "disableDefaultAsserts"}
_ASSERT_FIELDS = {"type", "value", "threshold", "weight"}
_OTHER_ASSERT_FIELDS = {"metric", "provider", "rubricPrompt", "config"}
_CODE = {"transform", "transformVars", "postprocess", "contextTransform", "assertScoringFunction"}
_SETS_DEEP = 8


class Case(Struct, frozen=True, kw_only=True):
    """A test before its variables are put into prompts. `prompts` are labels of the prompts it is for, None for all."""

    node: Node
    variables: Mapping[str, Node] = {}
    assertions: tuple[Assertion, ...] = ()
    description: str = ""
    threshold: float | None = None
    prefix: Node | None = None
    suffix: Node | None = None
    tags: tuple[str, ...] = ()
    prompts: tuple[Node, ...] | None = None
    expands: bool = True


def case(node: Node, default: Case, gathering: Gathering) -> Case:
    """Read a test case and lay it over the default one.

    Raises:
        SuiteRejected: a field would run code, refers to a file, is not known or does not fit.
    """
    if isinstance(node.value, str):
        raise node.refuse("A test that refers to another file is not read; write the tests here.")
    fields = _known(node, "test", _FIELDS, _OTHER_FIELDS, gathering)
    options = _known(fields["options"], "test's options", _OPTIONS, None, gathering) if "options" in fields else {}
    skip = "disableDefaultAsserts" in options and options["disableDefaultAsserts"].flag("disableDefaultAsserts")
    own = tuple(_assertions(fields["assert"], gathering, 0)) if "assert" in fields else ()
    metadata = fields["metadata"].object("metadata") if "metadata" in fields else {}
    labels = fields.get("prompts")
    frozen = "disableVarExpansion" in options and options["disableVarExpansion"].flag("disableVarExpansion")
    limits = gathering.limits
    if len(default.assertions) + len(own) > limits.max_checks:
        raise node.refuse(f"The test has more than {limits.max_checks} checks, those of defaultTest included.")
    return Case(
        node=node,
        variables={**default.variables, **(_variables(fields["vars"], limits.max_columns) if "vars" in fields else {})},
        assertions=own if skip else (*default.assertions, *own),
        description=fields["description"].written("description") if "description" in fields else default.description,
        threshold=share(fields["threshold"], "The threshold of a test") if "threshold" in fields else default.threshold,
        prefix=_text(options.get("prefix")) or default.prefix,
        suffix=_text(options.get("suffix")) or default.suffix,
        tags=tuple(dict.fromkeys((*default.tags, *metadata_tags(metadata, gathering)))),
        prompts=default.prompts if labels is None else tuple(labels.items("prompts")),
        expands=default.expands and not frozen,
    )


def _known(node: Node, what: str, read: set[str], ignored: set[str] | None, gathering: Gathering) -> dict[str, Node]:
    """The fields that are read and not null. With `ignored` None every other field is left out and noted."""
    fields: dict[str, Node] = {}
    for name, field in node.object(f"A {what}").items():
        if field.is_absent:
            continue
        if name in _CODE:
            raise field.refuse(
                f"The field “{name}” would run code, which is never done here; remove it "
                "and check the answer as it comes."
            )
        if name == "providerOutput":
            raise field.refuse("A test with providerOutput asks no model; remove the field.")
        if name == "$ref":
            raise field.refuse("References by $ref are not followed; use a YAML anchor and alias, or write it out.")
        if name in read:
            fields[name] = field
        elif ignored is None or name in ignored:
            gathering.note(f"The field “{name[:60]}” of a {what} was ignored: {_why(name)}.")
        else:
            raise field.refuse(
                f"The field {quoted(name)} of a {what} is not known; known are {', '.join(sorted(read))}."
            )
    return fields


def _why(name: str) -> str:
    match name:
        case "provider" | "providers" | "rubricPrompt":
            return "models and judges are chosen with the run"
        case "metric":
            return "checks are reported by their type"
        case _:
            return "it has no meaning here"


def _variables(node: Node, most: int) -> dict[str, Node]:
    if isinstance(node.value, str) or (isinstance(node.value, list) and any(is_file(item) for item in node.value)):
        raise node.refuse("Variables from another file are not read; write them here under vars.")
    fields = node.object("vars")
    if len(fields) > most:
        raise node.refuse(f"The test has {len(fields):,} variables; at most {most:,} are accepted.")
    for name, value in fields.items():
        for item in as_items(value):
            if is_file(item):
                raise item.refuse(
                    f"The variable {quoted(name)} refers to a file, and only this one is read; write its text here."
                )
    return fields


def _assertions(node: Node, gathering: Gathering, depth: int) -> Iterator[Assertion]:
    for item in node.items("assert"):
        if isinstance(item.value, dict) and "type" in item.value and item.value["type"].value == "assert-set":
            yield from _set(item, gathering, depth)
            continue
        fields = _known(item, "check", _ASSERT_FIELDS, _OTHER_ASSERT_FIELDS, gathering)
        if "type" not in fields:
            raise item.refuse("A check needs a type, such as contains.")
        name = fields["type"].text("The type of a check")
        if name.removeprefix("not-") == "model-graded-closedqa":
            gathering.note("model-graded-closedqa was read as llm-rubric: both ask a judge whether a criterion is met.")
        yield assertion(
            fields["type"], name, fields.get("value"), fields.get("threshold"), fields.get("weight"), gathering
        )


def _set(item: Node, gathering: Gathering, depth: int) -> Iterator[Assertion]:
    """The checks of a set in which all must pass; that is what a list of them says."""
    fields = item.object("A check")
    for name in ("threshold", "weight"):
        if name in fields and not fields[name].is_absent:
            raise fields[name].refuse(
                f"An assert-set with a {name} of its own is not supported; "
                "write its checks into the test, with weights."
            )
    if "assert" not in fields or depth >= _SETS_DEEP:
        raise item.refuse(
            "An assert-set needs a list of checks under assert, and sets stand at most 8 deep in each other."
        )
    yield from _assertions(fields["assert"], gathering, depth + 1)


def _text(node: Node | None) -> Node | None:
    if node is not None:
        node.text("A prefix or suffix")
    return node
