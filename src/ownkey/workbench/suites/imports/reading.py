"""From the bytes of a file to a suite: decode, detect, read, judge."""

from collections.abc import Iterator, Sequence

from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.suites.imports.decoding import Container, container, decoded, delimiter, lines, suite_name
from ownkey.workbench.suites.imports.delimited import cells, table
from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.json_nodes import json_document, json_line
from ownkey.workbench.suites.imports.model import ImportedSuite, ImportLimits, ImportOptions, SuiteFormat, SuiteRejected
from ownkey.workbench.suites.imports.nodes import Node
from ownkey.workbench.suites.imports.plain import Columns, columns, is_sample, read_row, read_sample
from ownkey.workbench.suites.imports.promptfoo import (
    given_templates,
    is_promptfoo_header,
    read_config,
    read_csv,
    read_test,
)
from ownkey.workbench.suites.imports.promptfoo_case import Case
from ownkey.workbench.suites.imports.promptfoo_prompts import PromptTemplate

_NAME = 100
_DESCRIPTION = 2_000
_PROMPTFOO = {
    SuiteFormat.PROMPTFOO_YAML,
    SuiteFormat.PROMPTFOO_JSON,
    SuiteFormat.PROMPTFOO_JSONL,
    SuiteFormat.PROMPTFOO_CSV,
}


def read_suite(data: bytes, filename: str, options: ImportOptions, limits: ImportLimits) -> ImportedSuite:
    """Read a suite of any format of `docs/imports.md`. The filename is used for its ending and the suite's name.

    Raises:
        SuiteRejected: with every fault that could be found, each at its line.
    """
    text = decoded(data, limits)
    kind = container(filename, text, options.format)
    with SchemaWorkers(limit=1) as schemas:
        gathering = Gathering(limits, schemas)
        try:
            description, found = _read(text, kind, options, gathering)
        except SuiteRejected:
            # The rest of the text cannot be read; what was found before is reported with it.
            with gathering.record():
                raise
            gathering.finish()
            raise
    prompts = gathering.finish()
    return ImportedSuite(
        name=(options.name or suite_name(filename))[:_NAME],
        description=description[:_DESCRIPTION],
        prompts=prompts,
        format=found,
        notes=gathering.notes,
    )


def _read(text: str, kind: Container, options: ImportOptions, gathering: Gathering) -> tuple[str, SuiteFormat]:
    """The suite's description and the format that was found; the prompts go to `gathering`."""
    match kind:
        case Container.YAML:
            # The library is heavy, and most suites do without it.
            from ownkey.workbench.suites.imports.yaml_nodes import yaml_document

            return read_config(yaml_document(text, gathering.limits), options, gathering), SuiteFormat.PROMPTFOO_YAML
        case Container.CSV | Container.TSV:
            return "", _read_table(text, kind, options, gathering)
        case Container.JSONL:
            return "", _Objects(options, gathering, SuiteFormat.PROMPTFOO_JSONL, SuiteFormat.JSONL).read(
                _json_lines(text, gathering)
            )
        case Container.JSON:
            root = json_document(text, gathering.limits)
            if isinstance(root.value, dict) or options.format is SuiteFormat.PROMPTFOO_JSON:
                return read_config(root, options, gathering), SuiteFormat.PROMPTFOO_JSON
            items = iter(root.items("The file"))
            return "", _Objects(options, gathering, SuiteFormat.PROMPTFOO_JSON, SuiteFormat.JSON).read(items)


def _read_table(text: str, kind: Container, options: ImportOptions, gathering: Gathering) -> SuiteFormat:
    sign = delimiter(kind, text)
    if kind is Container.CSV and sign != ",":
        gathering.note("The cells were split at “;”." if sign == ";" else "The cells were split at tabs.")
    found = table(text, sign, gathering.limits)
    promptfoo = options.format in _PROMPTFOO or (options.format is None and is_promptfoo_header(found.names))
    if promptfoo:
        read_csv(found, options, gathering)
        return SuiteFormat.PROMPTFOO_CSV
    where = columns(found.names, options.mapping, Node(None, found.line), gathering)
    for number, record in enumerate(found.rows, 1):
        if gathering.full:
            break
        with gathering.record():
            read_row(cells(found, record), Node(None, record.line), number, where, options, gathering)
    return SuiteFormat.TSV if kind is Container.TSV else SuiteFormat.CSV


def _json_lines(text: str, gathering: Gathering) -> Iterator[Node]:
    """The object of each line that is not blank; a line that cannot be read is a fault of its own."""
    for number, line in enumerate(lines(text), 1):
        if gathering.full:
            return
        if line.strip():
            nodes: list[Node] = []
            with gathering.record():
                nodes.append(json_line(line, number, gathering.limits))
            yield from nodes


class _Objects:
    """Reads a sequence of JSON objects, which the first one shows to be promptfoo's tests, evals samples or plain."""

    def __init__(
        self, options: ImportOptions, gathering: Gathering, promptfoo: SuiteFormat, plain: SuiteFormat
    ) -> None:
        self._options, self._gathering = options, gathering
        self._promptfoo, self._plain = promptfoo, plain
        self._templates: Sequence[PromptTemplate] = ()
        self._columns: dict[tuple[str, ...], Columns] = {}

    def read(self, items: Iterator[Node]) -> SuiteFormat:
        form = self._options.format
        for number, item in enumerate(items, 1):
            if self._gathering.full:
                break
            if form is None:
                form = self._format(item)
            with self._gathering.record():
                self._item(item, number, form)
        return form or self._plain

    def _format(self, item: Node) -> SuiteFormat:
        if isinstance(item.value, dict) and item.value.keys() & {"vars", "assert"}:
            return self._promptfoo
        return SuiteFormat.OPENAI_EVALS if is_sample(item) and not self._maps() else self._plain

    def _maps(self) -> bool:
        """Whether the user said what the fields are: then they are not guessed to be another format's."""
        mapping = self._options.mapping
        return mapping.prompt is not None or mapping.expected is not None

    def _item(self, item: Node, number: int, form: SuiteFormat) -> None:
        if form in _PROMPTFOO:
            self._templates = self._templates or given_templates(self._options, item, self._gathering)
            self._templates = read_test(item, number, Case(node=item), self._templates, self._gathering)
        elif form is SuiteFormat.OPENAI_EVALS:
            read_sample(item, number, self._options, self._gathering)
        else:
            fields = item.object("A prompt")
            read_row(fields, item, number, self._known(fields, item), self._options, self._gathering)

    def _known(self, fields: dict[str, Node], item: Node) -> Columns:
        """What each field is; decided once for objects with the same fields."""
        most = self._gathering.limits.max_columns
        if len(fields) > most:
            raise item.refuse(f"The object has {len(fields):,} fields; at most {most:,} are accepted.")
        names = tuple(fields)
        found = self._columns.get(names)
        if found is None:
            found = columns(names, self._options.mapping, item, self._gathering, table=False)
            self._columns[names] = found
        return found
