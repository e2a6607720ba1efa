"""Prompts as rows or objects with a field for each part, and OpenAI's evals samples."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from ownkey.workbench.records import Check, Message, Prompt
from ownkey.workbench.suites.imports import model
from ownkey.workbench.suites.imports.chat import messages
from ownkey.workbench.suites.imports.checks import any_of
from ownkey.workbench.suites.imports.gathering import Gathering, tags_of
from ownkey.workbench.suites.imports.model import Comparison, ImportOptions, quoted
from ownkey.workbench.suites.imports.nodes import Node, as_items

_READ = {"input", "ideal", "id"}


def is_sample(node: Node) -> bool:
    return isinstance(node.value, dict) and "input" in node.value and "ideal" in node.value


def read_sample(node: Node, number: int, options: ImportOptions, gathering: Gathering) -> None:
    """Put in one sample.

    Raises:
        SuiteRejected: it has no `input`, or a field does not fit.
    """
    fields = node.object("A sample")
    if "input" not in fields:
        raise node.refuse("A sample needs the field input, a text or a list of messages.")
    for name in fields.keys() - _READ:
        gathering.note(f"The field {quoted(name)} of the samples was ignored.")
    given = fields["input"]
    turns = messages(given) if isinstance(given.value, list) else (Message("user", given.text("input")),)
    ideals = _ideals(fields.get("ideal"))
    comparison = options.comparison or Comparison.STARTS_WITH
    if ideals:
        gathering.note(f"An answer passes by the check “{comparison}” against ideal.")
    else:
        gathering.note("Samples without ideal are asked and not checked.")
    gathering.add(
        Prompt(
            id=fields["id"].written("id") if "id" in fields else f"row-{number}",
            messages=turns,
            checks=(any_of(comparison, ideals, fields["ideal"], gathering),) if ideals else (),
            reference=ideals[0] if ideals else None,
        ),
        node.line,
    )


def _ideals(node: Node | None) -> list[str]:
    if node is None or node.is_absent:
        return []
    texts = [item.written("ideal") for item in as_items(node)]
    if not texts or not all(text.strip() for text in texts):
        raise node.refuse("ideal must be a text or a list of texts, none of them blank.")
    return texts


USUAL: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "input", "instruction", "query", "message", "messages", "text"),
    "system": ("system", "system_prompt", "system_message"),
    "id": ("id", "prompt_id", "question_id"),
    "expected": ("expected", "ideal", "answer", "expected_answer", "target", "label"),
    "reference": ("reference", "reference_answer", "expected_output", "completion", "output", "response"),
    "tags": ("tags", "tag", "category", "categories"),
}
"""The names by which a column is known when the mapping does not say; capitals, blanks and hyphens do not matter."""

_MOST_SHOWN = 10


class Columns(Struct, frozen=True, kw_only=True):
    """The mapping with every guess made; None is a role that no column has."""

    prompt: str
    system: str | None
    id: str | None
    reference: str | None
    expected: str | None
    tags: str | None


def columns(
    names: Iterable[str], mapping: model.Mapping, at: Node, gathering: Gathering, *, table: bool = True
) -> Columns:
    """Decide what each column is, and note what was guessed and left out. Objects, unlike tables, may lack any field
    but the prompt.

    Raises:
        SuiteRejected: a mapped column is not there, or no column looks like the prompt.
    """
    present = [name for name in names if name]
    given: dict[str, str | None] = structs.asdict(mapping)
    for role, name in given.items():
        if name is not None and name not in present and (table or role == "prompt"):
            raise at.refuse(
                f"There is no column {quoted(name)}, which the mapping names as {role}. {_there_are(present)}"
            )
    taken = {name for name in given.values() if name is not None}
    found = {role: name or _guess(role, present, taken) for role, name in given.items()}
    prompt = found.pop("prompt")
    if prompt is None:
        raise at.refuse(
            "No column looks like the prompt; name one “prompt”, or say in the mapping which it is. "
            + _there_are(present)
        )
    used = {prompt, *found.values()}
    unused = [name for name in present if name not in used]
    gathering.note(
        "Read as "
        + ", ".join(f"{role}: {quoted(name)}" for role, name in {"prompt": prompt, **found}.items() if name)
        + "."
    )
    if unused:
        gathering.note(f"Not used: {_listed(unused)}.")
    return Columns(prompt=prompt, **found)


def read_row(
    row: Mapping[str, Node], at: Node, number: int, where: Columns, options: ImportOptions, gathering: Gathering
) -> None:
    """Put in one row or object.

    Raises:
        SuiteRejected: the prompt is absent, or a field does not fit.
    """
    asked = _present(row, where.prompt)
    if asked is None:
        raise at.refuse(f"The prompt is blank; fill {quoted(where.prompt)}.")
    turns = messages(asked) if isinstance(asked.value, list) else (Message("user", asked.text("The prompt")),)
    system = _present(row, where.system)
    if system is not None:
        turns = (Message("system", system.text("The system prompt")), *turns)
    expected = _present(row, where.expected)
    reference = _present(row, where.reference)
    checks: tuple[Check, ...] = ()
    if expected is not None:
        texts = [item.written("The expected answer").strip() for item in as_items(expected)]
        if not texts or not all(texts):
            raise expected.refuse("The expected answer must be a text or a list of texts, none of them blank.")
        comparison = options.comparison or Comparison.ICONTAINS
        checks = (any_of(comparison, texts, expected, gathering),)
        gathering.note(f"An answer passes by the check “{comparison}” against the expected text.")
    tags = _present(row, where.tags)
    given = _present(row, where.id)
    gathering.add(
        Prompt(
            id=given.written("The id").strip() if given is not None else f"row-{number}",
            messages=turns,
            checks=checks,
            reference=_reference(reference if reference is not None else expected),
            tags=tags_of(tags) if tags is not None else (),
        ),
        at.line,
    )


def _reference(node: Node | None) -> str | None:
    if node is None:
        return None
    first = as_items(node)
    return first[0].written("The reference") if first else None


def _present(row: Mapping[str, Node], name: str | None) -> Node | None:
    """The value of a column, None where it is absent or blank."""
    node = row.get(name) if name is not None else None
    if node is None or node.is_absent or (isinstance(node.value, str) and not node.value.strip()):
        return None
    return node


def _guess(role: str, names: list[str], taken: set[str]) -> str | None:
    for usual in USUAL[role]:
        for name in names:
            if name not in taken and name.lower().replace(" ", "_").replace("-", "_") == usual:
                taken.add(name)
                return name
    return None


def _there_are(names: list[str]) -> str:
    return f"There are: {_listed(names)}." if names else "The columns have no names."


def _listed(names: list[str]) -> str:
    return ", ".join(map(quoted, names[:_MOST_SHOWN])) + (" and others" if len(names) > _MOST_SHOWN else "")
