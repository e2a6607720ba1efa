"""Where a judge and embeddings are reached, and what they cost: at Ownkey, unless another endpoint is given."""

from msgspec import Struct

from ownkey.cli.failures import WrongUsage
from ownkey.cli.workbench.targets import OWN_KEY, OWN_URL, OWNKEY, Chooser, Way, read_price, read_prices
from ownkey.workbench.records import Prices


class GradersAsked(Struct, frozen=True, kw_only=True):
    """The options about them."""

    judge_model: str | None = None
    judge_prices: str | None = None
    embedding_model: str | None = None
    embedding_price: str | None = None
    endpoint: str | None = None
    key_env: str | None = None


class GradingModels(Struct, frozen=True):
    """How both are reached, None where neither is wanted. Prices are None where none are known."""

    way: Way | None = None
    judge_prices: Prices | None = None
    embedding_prices: Prices | None = None


def graders_of(chooser: Chooser, asked: GradersAsked) -> GradingModels:
    """Raises WrongUsage, and MissingKey."""
    if asked.judge_prices is not None and asked.judge_model is None:
        raise WrongUsage("--judge-prices goes with --judge-model")
    if asked.embedding_price is not None and asked.embedding_model is None:
        raise WrongUsage("--embedding-price goes with --embedding-model")
    models = [model for model in (asked.judge_model, asked.embedding_model) if model is not None]
    if not models:
        if asked.endpoint is not None or asked.key_env is not None:
            raise WrongUsage("--judge-endpoint and --judge-key-env go with --judge-model or --embedding-model")
        return GradingModels()
    if asked.endpoint is None and chooser.through_ownkey is None:
        raise WrongUsage(f"say where the judge is: --judge-endpoint URL, or set {OWN_URL} and {OWN_KEY}")
    preset = None if asked.endpoint else OWNKEY
    chosen = {model: chooser.at(asked.endpoint, preset, model, asked.key_env) for model in models}
    way = chosen[models[0]].way
    way.key()
    judge = None if asked.judge_model is None else chosen[asked.judge_model].target.prices
    embedding = None if asked.embedding_model is None else chosen[asked.embedding_model].target.prices
    return GradingModels(
        way,
        read_prices(asked.judge_prices, "--judge-prices") if asked.judge_prices else judge,
        read_price(asked.embedding_price, "--embedding-price") if asked.embedding_price else embedding,
    )
