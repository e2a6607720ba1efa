"""A line in the log for each field that a provider teaches Ownkey to leave out."""

import structlog

from ownkey.gateway.learned import LearnedFact

log = structlog.get_logger(__name__)


def log_learned(fact: LearnedFact) -> None:
    """The catalogue lacks this fact: somebody should add it."""
    log.warning(
        "provider rejected a field that ownkey adds",
        provider=fact.provider,
        model=fact.model,
        field=fact.field,
        left_out_until=fact.until,
    )
