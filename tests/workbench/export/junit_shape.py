"""The shape of JUnit files, after `junit-10.xsd` of Jenkins' xUnit plug-in: what may stand where."""

import re
from xml.etree.ElementTree import Element

_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
_SUITE = {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"}
_VERDICT = {"type", "message"}
_ELEMENTS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        _SUITE,
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, {"name", "value"}),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"name", "time", "classname", "group"},
    ),
    "failure": (set(), set(), _VERDICT),
    "error": (set(), set(), _VERDICT),
    "skipped": (set(), set(), _VERDICT),
    "system-out": (set(), set(), set()),
}
"""Element: children, attributes that must be there, attributes that may."""


def misfits(element: Element) -> list[str]:
    children, needed, allowed = _ELEMENTS[element.tag]
    names = set(element.attrib)
    found = [f"{element.tag} without {name}" for name in needed - names]
    found += [f"{element.tag} with {name}" for name in names - allowed]
    if not _TIME.fullmatch(element.get("time", "0")):
        found.append(f"{element.tag} with time {element.get('time')}")
    for child in element:
        found += misfits(child) if child.tag in children else [f"{child.tag} in {element.tag}"]
    return found
