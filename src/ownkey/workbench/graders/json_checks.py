"""`is-json` and `contains-json`, each with an optional JSON Schema."""

from ownkey.workbench.graders.finding import Answer, Finding
from ownkey.workbench.graders.json_text import NotJson, embedded, read_json
from ownkey.workbench.graders.schema import Schema


def is_json(schema: Schema | None, answer: Answer) -> Finding:
    """The whole answer is JSON, white space around it allowed, a code fence not (`contains-json` looks inside)."""
    try:
        value = read_json(answer.text)
    except NotJson as error:
        return Finding(False, f"the answer is not JSON: {error}")
    if schema is None:
        return Finding(True, "the answer is JSON")
    work = schema.work()
    if schema.satisfied_by(value, work):
        return Finding(True, "the answer is JSON that satisfies the schema")
    return Finding(False, f"the answer is JSON that does not satisfy the schema{schema.complaint(value, work)}")


def contains_json(schema: Schema | None, answer: Answer) -> Finding:
    """Somewhere in the answer stands a JSON object; with a schema, an object or a list that satisfies it."""
    if schema is None:
        for _ in embedded(answer.text):
            return Finding(True, "the answer contains a JSON object")
        return Finding(False, "the answer contains no JSON object")
    work, complaint, seen = schema.work(), "", 0
    for value in embedded(answer.text, arrays=True):
        seen += 1
        if schema.satisfied_by(value, work):
            return Finding(True, "the answer contains JSON that satisfies the schema")
        complaint = complaint or schema.complaint(value, work)
    if not seen:
        return Finding(False, "the answer contains no JSON")
    return Finding(False, f"the answer contains JSON, and none that satisfies the schema{complaint}")
