"""Rules for single fields, which every format shares: what a model rejects, renames, fixes or takes one of."""

from ownkey.wire.fit.fitting import Fitting


def fit_fields(fitting: Fitting, *, thinks: bool) -> None:
    """Apply them all. `thinks` is whether the request asks the model to think. Raises UnsupportedField."""
    facts = fitting.facts
    for name, new in facts.renames.items():
        _rename(fitting, name, new)
    for name in _refused(fitting):
        fitting.leave_out(name)
    for name, value in facts.fixed.items():
        if fitting.get(name) not in (None, value):
            fitting.leave_out(name)
    if thinks:
        for name, (least, most) in facts.beside_thinking.items():
            _bound(fitting, name, least, most)
    for group in facts.one_of:
        _keep_one(fitting, group)


def fit_limit(fitting: Fitting) -> None:
    """No more output than the model can write."""
    largest, asked = fitting.facts.largest_output, fitting.get("max_tokens")
    if largest is not None and isinstance(asked, int) and asked > largest:
        fitting.put("max_tokens", largest)
        fitting.adapted("max_tokens")


def _refused(fitting: Fitting) -> list[str]:
    """The fields that are present and rejected, whatever their value."""
    facts = fitting.facts
    names = [name for name in facts.refuses if not name.startswith("messages.")]
    for first, refused in facts.refused_versions.items():
        names += refused if fitting.version >= first else ()
    found = [name for name in names if fitting.has(name)]
    return found + [name for name in fitting.fields() if name not in facts.knows] if facts.knows else found


def _rename(fitting: Fitting, name: str, new: str) -> None:
    value = fitting.get(name)
    if value is None:
        return
    fitting.remove(name)
    if fitting.get(new) is None:
        fitting.put(new, value)
        if not fitting.translated:
            fitting.adapted(name)


def _bound(fitting: Fitting, name: str, least: float, most: float) -> None:
    value = fitting.get(name)
    if value is not None and not (isinstance(value, int | float) and least <= value <= most):
        fitting.leave_out(name)


def _keep_one(fitting: Fitting, group: tuple[str, ...]) -> None:
    """The client's own field stays before one of ours; of equals the first."""
    present = [name for name in group if fitting.get(name) is not None]
    present.sort(key=lambda name: name in fitting.ours)
    for name in present[1:]:
        fitting.leave_out(name)
