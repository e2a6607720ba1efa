"""The drawing that a chart stands in: as wide as its place on the page allows."""

from ownkey.workbench.export.html.markup import text

WIDTH = 360.0
LEFT = 2.0
RIGHT = WIDTH - 2.0


def drawing(height: float, description: str, content: str) -> str:
    """`description` is read out instead of the picture."""
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{text(description)}" '
        f'xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


def series(target: int) -> str:
    """The class that gives a target its colour; eight, then they come again."""
    return f"t{target % 8}"
