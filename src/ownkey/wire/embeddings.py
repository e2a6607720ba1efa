"""The neutral model of embeddings: texts in, a vector for each of them out."""

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage


class EmbeddingAsk(Struct, frozen=True, kw_only=True):
    """A request without its model. `hints` are the source's fields that other formats have no place for."""

    origin: WireFormat
    texts: tuple[str, ...]
    dimensions: int | None = None
    hints: tuple[str, ...] = ()


class EmbeddingAnswer(Struct, frozen=True):
    """`vectors` are in the order of the texts. `usage` is None when the provider reported none."""

    vectors: tuple[list[float], ...]
    usage: Usage | None = None
