"""Texts in the cells of a spreadsheet.

A program that opens a CSV file may evaluate a cell that begins like a formula. A leading apostrophe makes it text
(OWASP, "CSV Injection"). Only texts are treated so: a number keeps its sign and stays a number.
"""

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "\u2212")
_LINE_STARTS = ("\t", "\r", "\n")
_INVISIBLE = "\0\ufeff\u200b\u200c\u200d\u2060\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Neither blanks nor visible: NUL, the byte-order mark, joiners and marks of direction."""


def text_cell(text: str) -> str:
    """The text, with a leading apostrophe where a spreadsheet could take it for a formula: also after blanks and
    invisible characters, and for the full-width and small forms of the signs."""
    if text.startswith(_LINE_STARTS) or _visible(text).startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def _visible(text: str) -> str:
    start = 0
    while start < len(text) and (text[start].isspace() or text[start] in _INVISIBLE):
        start += 1
    return text[start : start + 1]
