"""What went wrong, by kind, and what to do about each."""

from ownkey.workbench.export.html.markup import quoted, text
from ownkey.workbench.summary import RunSummary


def failures(summary: RunSummary) -> str:
    rows = "".join(
        f'<tr><th scope="row">{text(failure.kind.replace("_", " "))}</th><td>{quoted(target.label)}</td>'
        f"<td>{failure.count}</td><td>{text(failure.advice)}</td>"
        f'<td class="quote" dir="auto">{text(failure.example)}</td></tr>'
        for target in summary.targets
        for failure in target.failures
    )
    if not rows:
        return ""
    return (
        '<section><h2>What went wrong</h2><div class="wide sheet"><table class="texts"><thead><tr>'
        '<th scope="col">kind</th>'
        '<th scope="col">model</th><th scope="col">requests</th><th scope="col">what to do</th>'
        f'<th scope="col">what the endpoint said</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )
