"""Samples of OpenAI's evals: `input`, and for the basic templates `ideal` (docs/build-eval.md in openai/evals).

`input` is a chat or a text, `ideal` a text or a list of acceptable ones. The basic template Match asks whether the
answer begins with one of them, which is what is checked unless the import says otherwise.
"""

from ownkey.workbench.records import Message, Prompt
from ownkey.workbench.suites.imports.chat import messages
from ownkey.workbench.suites.imports.checks import any_of
from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.model import Comparison, ImportOptions
from ownkey.workbench.suites.imports.nodes import Node, as_items
from ownkey.workbench.suites.imports.problems import quoted

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
