"""Gemini's signatures inside Anthropic's blocks, so that a client which returns its blocks returns them too.

They stand where Claude's would, behind the name of their format; Claude itself never sees them.
"""

from ownkey.wire.neutral import ANTHROPIC_REASONING, GEMINI_REASONING

_MARK = f"{GEMINI_REASONING}:"


def marked(signature: str) -> str:
    return _MARK + signature


def unmarked(signature: str) -> tuple[str, str]:
    """The signature, or the data of redacted thinking, and the format it belongs to."""
    if signature.startswith(_MARK):
        return signature.removeprefix(_MARK), GEMINI_REASONING
    return signature, ANTHROPIC_REASONING
