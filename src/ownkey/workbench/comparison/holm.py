"""Correction for testing several things at once (Holm 1979, Scandinavian Journal of Statistics 6:65).

Whichever of the tested things are in truth alike, the chance that any of them is called different stays within the
level, however the tests depend on each other.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the same order: each smallest remaining one times the number that remain, never falling."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for done, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - done)))
        adjusted[index] = largest
    return adjusted
