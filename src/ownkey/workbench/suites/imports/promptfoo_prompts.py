"""promptfoo's prompts, and what comes out when the variables of a test are put in."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ownkey.workbench.records import Message, Prompt
from ownkey.workbench.suites.imports.chat import chat, is_chat
from ownkey.workbench.suites.imports.checks import check
from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.json_nodes import json_document
from ownkey.workbench.suites.imports.model import ImportLimits, quoted
from ownkey.workbench.suites.imports.nodes import Node, embedded
from ownkey.workbench.suites.imports.promptfoo_case import Case
from ownkey.workbench.suites.imports.templates import Template, template

_FILE = re.compile(
    r"(exec:|\w+://)[\s\S]*|[^\s{}]+\.(txt|md|j2|jsonl?|ya?ml|csv|[cm]?js|[cm]?ts|py|sh|bash|rb|pl|exe|bat)(:[\w.]+)?"
)
_CHAT_JSON = re.compile(r"\s*\[\s*\{\s*\"")
_CHAT_YAML = re.compile(r"\s*- role:")
_USUAL = ("prompt", "question", "input", "instruction", "query", "message", "text")


class PromptTemplate(Struct, frozen=True):
    """A prompt with variables. `turns` are role and content; a text prompt is one turn of the user, and `is_text`."""

    node: Node
    label: str
    turns: tuple[tuple[str, Template], ...]
    is_text: bool


def prompt_templates(node: Node, limits: ImportLimits) -> list[PromptTemplate]:
    """The `prompts` of a configuration: a text, or a list of texts, of chats, and of objects with `raw` and `label`.

    Raises:
        SuiteRejected: a prompt is in another file or made by code, or its template is more than variables.
    """
    if isinstance(node.value, dict):
        raise node.refuse("Prompts as an object name files; write a list of the prompts' texts.")
    if isinstance(node.value, str) or is_message_list(node):
        return [prompt_template(node, limits)]
    found = [prompt_template(item, limits) for item in node.items("prompts")]
    if not found:
        raise node.refuse("The list of prompts is empty.")
    return found


def is_message_list(node: Node) -> bool:
    return is_chat(node) and all("role" in item.object("A message") for item in node.items("The messages"))


def prompt_template(node: Node, limits: ImportLimits) -> PromptTemplate:
    """One prompt."""
    label = ""
    content = node
    if isinstance(node.value, dict):
        fields = node.value
        content = fields.get("raw") or fields.get("id") or node
        if content is node:
            raise node.refuse("A prompt object needs its text under raw.")
        label = fields["label"].written("label") if "label" in fields else ""
        for name in ("function", "config"):
            if name in fields and not fields[name].is_absent:
                raise fields[name].refuse(
                    f"The field “{name}” of a prompt is not supported; write the prompt's text under raw."
                )
    if isinstance(content.value, list):
        return _chat_template(content, label, content)
    text = content.text("A prompt")
    if _FILE.fullmatch(text.strip()):
        raise content.refuse(
            f"The prompt {quoted(text.strip())} is in another file or system, and only this file is read; "
            "write its text here."
        )
    if _CHAT_JSON.match(text):
        inner = embedded(content, text, json_document, limits, "The chat in JSON (put {{variables}} inside the quotes)")
        return _chat_template(inner, label, content)
    if _CHAT_YAML.match(text):
        from ownkey.workbench.suites.imports.yaml_nodes import yaml_document

        return _chat_template(embedded(content, text, yaml_document, limits, "The chat in YAML"), label, content)
    return PromptTemplate(content, label or text, (("user", template(text, content)),), True)


def usual_template(case: Case, node: Node) -> PromptTemplate:
    """The prompt of tests that come without one: the variable with a usual name, or the only one.

    Raises:
        SuiteRejected: none can be told.
    """
    names = [name for name in _USUAL if name in case.variables] or (
        list(case.variables) if len(case.variables) == 1 else []
    )
    if not names:
        raise node.refuse(
            "The tests come without a prompt. Give a template such as “Answer: {{question}}”, "
            "or name a column or variable “prompt”."
        )
    return PromptTemplate(node, names[0], (("user", Template(((names[0],),), node)),), True)


def put_prompts(case: Case, number: int, templates: Sequence[PromptTemplate], gathering: Gathering) -> None:
    """Add every prompt that a test makes: one for each of its prompts and each combination of listed variables.

    Raises:
        SuiteRejected: a variable has no value, a check does not fit, or a prompt is not accepted.
    """
    chosen = _chosen(case, templates)
    combinations = _combinations(case, gathering.limits)
    several = combinations > 1
    for position, one in chosen:
        for index, values in enumerate(_expanded(case)):
            if gathering.full:
                return
            name = f"test-{number}"
            name += f".prompt-{position}" if len(templates) > 1 else ""
            name += f".case-{index + 1}" if several else ""
            gathering.add(_prompt(name, case, one, values, gathering), case.node.line)


def _prompt(name: str, case: Case, one: PromptTemplate, values: Mapping[str, Node], gathering: Gathering) -> Prompt:
    limits = gathering.limits
    where = f" in the test of line {case.node.line}"
    if any(isinstance(value.value, str) and "{{" in value.value for value in values.values()):
        gathering.note("Variables whose text holds {{…}} were put in as they are.")
    return Prompt(
        id=name,
        messages=tuple(
            Message(role, content.filled(values, limits.max_prompt_characters, where))
            for role, content in _turns(case, one)
        ),
        checks=tuple(check(found, values, where, gathering) for found in case.assertions),
        tags=case.tags,
        description=case.description,
        threshold=case.threshold,
    )


def _turns(case: Case, one: PromptTemplate) -> tuple[tuple[str, Template], ...]:
    around = (case.prefix, case.suffix)
    if all(part is None or not part.value for part in around):
        return one.turns
    if not one.is_text:
        raise case.node.refuse("A prefix or suffix stands beside a chat prompt; write it into the messages.")
    before, after = (template(part.text("A prefix or suffix"), part).pieces if part else () for part in around)
    return (("user", Template((*before, *one.turns[0][1].pieces, *after), one.node)),)


def _chosen(case: Case, templates: Sequence[PromptTemplate]) -> list[tuple[int, PromptTemplate]]:
    numbered = list(enumerate(templates, 1))
    if case.prompts is None:
        return numbered
    labels = {node.text("A prompt's label"): node for node in case.prompts}
    for label, node in labels.items():
        if not any(one.label == label for one in templates):
            raise node.refuse(f"No prompt has the label {quoted(label)}.")
    return [(position, one) for position, one in numbered if one.label in labels]


def _combinations(case: Case, limits: ImportLimits) -> int:
    if not case.expands:
        return 1
    total = 1
    for name, node in case.variables.items():
        if not isinstance(node.value, list):
            continue
        if not node.value:
            raise node.refuse(f"The variable {quoted(name)} is an empty list; give it a value.")
        total *= len(node.value)
        if total > limits.max_prompts:
            raise case.node.refuse(
                f"The lists among the variables make more than {limits.max_prompts:,} combinations, "
                "and a suite has at most so many prompts. Shorten the lists."
            )
    return total


def _expanded(case: Case) -> Iterator[Mapping[str, Node]]:
    listed = [name for name, node in case.variables.items() if case.expands and isinstance(node.value, list)]
    if not listed:
        yield case.variables
        return
    for items in itertools.product(*(case.variables[name].items(name) for name in listed)):
        yield {**case.variables, **dict(zip(listed, items, strict=True))}


def _chat_template(node: Node, label: str, at: Node) -> PromptTemplate:
    turns = tuple((role, template(content.text("The content of a message"), content)) for role, content in chat(node))
    return PromptTemplate(at, label or turns[-1][0], turns, False)
