"""The server-rendered pages: Jinja2 with autoescape, plain HTML without script.

They work before there is a user interface, and on any browser.
"""

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """The page of a file in `templates/`. Raises jinja2.TemplateError for a value that the template misses."""
    return environment().get_template(template).render(values)


@cache
def environment() -> "Environment":
    """The compiled templates. Cached: they are constant, and Jinja2 is loaded with the first page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ownkey.control"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["shell_quoted"] = shlex.quote
    return made
