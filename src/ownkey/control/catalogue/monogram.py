"""A provider's picture, drawn from its name: one or two letters on a colour. No vendor's own mark is copied."""

from hashlib import sha256
from html import escape


def monogram(title: str) -> str:
    """The picture as SVG. The same title always gives the same one."""
    letters = escape(_letters(title))
    hue = int.from_bytes(sha256(title.encode()).digest()[:2]) % 360
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="{escape(title)}">'
        f'<rect width="64" height="64" rx="14" fill="hsl({hue} 48% 38%)"/>'
        '<text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="28" font-weight="600" '
        f'text-anchor="middle" dominant-baseline="central">{letters}</text></svg>\n'
    )


def _letters(title: str) -> str:
    """At most two: the capitals of the first word (`OR` for OpenRouter), else initials (`MA` for Mistral AI)."""
    words = title.split()
    name = words[0] if words else "?"
    initials = [word[0] for word in words[:2] if word[0].isalnum()]
    capitals = [letter for letter in name if letter.isupper()]
    found = capitals if len(capitals) > 1 else initials if len(initials) > 1 else [name[0]]
    return "".join(found[:2]).upper()
