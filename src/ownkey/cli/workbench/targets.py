"""Which model is meant: an endpoint or a preset, the key's variable, prices."""

import os
from collections.abc import Mapping

from msgspec import Struct

from ownkey.cli.failures import CommandFailed, WrongUsage, one_line_errors
from ownkey.domain.catalogue import Offer
from ownkey.domain.errors import OwnkeyError
from ownkey.domain.money import parse_usd
from ownkey.domain.pasted_key import UnclearKey, pasted_key
from ownkey.domain.secret import Secret
from ownkey.providers import CatalogueError, ProviderCatalogue
from ownkey.workbench.endpoint import operators_base_urls, preset_named, presets, read_base_url
from ownkey.workbench.records import EndpointKind, Prices, Target

OWNKEY = "ownkey"
"""The preset that leads through Ownkey at OWNKEY_URL."""
OWN_URL, OWN_KEY = "OWNKEY_URL", "OWNKEY_API_KEY"

_HOW = "write preset:model (openai:gpt-5-mini) or URL and model (http://localhost:8000/v1 llama)"


class MissingKey(CommandFailed):
    """The endpoint requires a key, and its variable is not set."""


class Way(Struct, frozen=True, omit_defaults=True):
    """How an endpoint is reached: the part before `/chat/completions`, and the name of the variable with its key."""

    base_url: str
    key_env: str | None = None

    def key(self) -> Secret | None:
        """The key, None where the endpoint takes none. Raises MissingKey, or CommandFailed for what is no key."""
        if self.key_env is None:
            return None
        try:
            text = pasted_key(os.environ.get(self.key_env, ""))
        except UnclearKey as error:
            raise CommandFailed(f"{self.key_env}: {error}") from None
        if not text:
            raise MissingKey(f"no key for {self.base_url}: set the variable {self.key_env}, or see --api-key-env")
        return Secret(text)


class Chosen(Struct, frozen=True):
    """A model under test, the way to it, and the name by which averages group it."""

    target: Target
    way: Way
    provider: str


class Chooser:
    """Turns what a person types into models. `environment` names Ownkey's address and the keys."""

    def __init__(self, catalogue: ProviderCatalogue, environment: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._environment = environment

    @property
    def through_ownkey(self) -> Way | None:
        """The way through Ownkey, None unless both its variables are set."""
        url = self._environment.get(OWN_URL, "").strip()
        if not url or not self._environment.get(OWN_KEY, "").strip():
            return None
        return Way(f"{_base_url(url)}/v1", OWN_KEY)

    def at(
        self, endpoint: str | None, preset: str | None, model: str, key_env: str | None, prices: str | None = None
    ) -> Chosen:
        """A model at an endpoint, at a preset's, or else through Ownkey. Raises WrongUsage."""
        if endpoint is not None and preset is not None:
            raise WrongUsage("give --endpoint or --preset, not both")
        if not model.strip():
            raise WrongUsage("the model's name is empty: see --model")
        way, provider, name = self._endpoint(endpoint) if endpoint is not None else self._preset(preset or OWNKEY)
        way = Way(way.base_url, key_env or way.key_env)
        label = f"{name or _host(way.base_url)}:{model}"
        target = Target(
            id=label,
            label=label,
            kind=EndpointKind.DIRECT,
            model=model,
            base_url=way.base_url,
            preset=name,
            prices=read_prices(prices) if prices else self._list_prices(provider, name, model),
        )
        return Chosen(target, way, name or _host(way.base_url))

    def written(self, spec: str, prices: str | None = None) -> Chosen:
        """A model as it is written in one text: `preset:model` or `URL model`, either with the name of the key's
        variable behind it. Raises WrongUsage."""
        words = spec.split()
        if not words or len(words) > 3:
            raise WrongUsage(f"{spec!r} names no model: {_HOW}")
        if "://" in words[0]:
            if len(words) == 1:
                raise WrongUsage(f"{spec!r} has no model: {_HOW}")
            return self.at(words[0], None, words[1], words[2] if len(words) == 3 else None, prices)
        preset, colon, model = words[0].partition(":")
        if not colon or not model or len(words) == 3:
            raise WrongUsage(f"{spec!r} names no model: {_HOW}")
        return self.at(None, preset, model, words[1] if len(words) == 2 else None, prices)

    def _endpoint(self, url: str) -> tuple[Way, str | None, str | None]:
        """The way, the catalogue's provider and the preset. A key is sent unasked only to where it belongs."""
        base_url = _base_url(url)
        ours = self.through_ownkey
        if ours is not None and base_url == ours.base_url:
            return ours, None, OWNKEY
        provider = operators_base_urls(self._catalogue).get(base_url)
        if provider is None:
            return Way(base_url), None, None
        row = self._catalogue.provider(provider)
        needs_key = row is not None and row.key_required
        return Way(base_url, self._variable(provider, needs_key)), provider, provider

    def _preset(self, name: str) -> tuple[Way, str | None, str | None]:
        if name == OWNKEY:
            ours = self.through_ownkey
            if ours is None:
                raise WrongUsage(
                    f"say where the model is: --endpoint URL or --preset NAME, or set {OWN_URL}, {OWN_KEY}"
                )
            return ours, None, OWNKEY
        preset = preset_named(name, self._catalogue)
        if preset is None or preset.base_url is None:
            known = ", ".join([OWNKEY, *(each.name for each in presets(self._catalogue) if each.base_url)])
            raise WrongUsage(f"there is no preset {name!r}; there are: {known}")
        return Way(preset.base_url, self._variable(name, preset.needs_key)), preset.provider, name

    def _variable(self, provider: str, needs_key: bool) -> str | None:
        """The variable that vendors' own tools read, such as OPENAI_API_KEY."""
        variable = f"{provider.upper().replace('-', '_')}_API_KEY"
        return variable if needs_key or self._environment.get(variable, "").strip() else None

    def _list_prices(self, provider: str | None, preset: str | None, model: str) -> Prices | None:
        """The catalogue's prices, None where it knows none: no cost is shown then, rather than a guess."""
        if preset == OWNKEY:
            offers = self._offers_at_ownkey(model)
        elif provider is not None:
            offer = self._catalogue.literal_offer(provider, model)
            offers = [offer] if offer is not None else []
        else:
            return None
        found = {(offer.rates.input, offer.rates.output) for offer in offers if offer.priced}
        return Prices(*found.pop(), "catalogue") if len(found) == 1 else None

    def _offers_at_ownkey(self, model: str) -> list[Offer]:
        """What may serve a model there: the provider in its name, or else any, whose prices may then differ."""
        offers = self._catalogue.offers(model)
        named = [offer for offer in offers if offer.provider.name == model.partition("/")[0]]
        return named or offers


def open_chooser() -> Chooser:
    """With the catalogue as this machine's settings have it: addresses that were moved, prices that were renewed."""
    from ownkey.config import load_settings
    from ownkey.main.parts import open_catalogue

    with one_line_errors():
        try:
            return Chooser(open_catalogue(load_settings(os.environ)), os.environ)
        except CatalogueError as error:
            raise WrongUsage(str(error)) from None


def read_prices(text: str, option: str = "--prices") -> Prices:
    """`IN,OUT` in USD per million tokens. Raises WrongUsage."""
    told, comma, asked = text.partition(",")
    try:
        prices = Prices(parse_usd(told.strip()), parse_usd(asked.strip()), "user")
    except ValueError:
        prices = None
    if not comma or prices is None or min(prices.input, prices.output) < 0:
        raise WrongUsage(f"{option} {text!r} is not IN,OUT in USD per million tokens, for example 0.25,2")
    return prices


def read_price(text: str, option: str) -> Prices:
    """USD per million tokens read, where nothing is written. Raises WrongUsage."""
    try:
        price = parse_usd(text.strip())
    except ValueError:
        price = -1
    if price < 0:
        raise WrongUsage(f"{option} {text!r} is not USD per million tokens, for example 0.02")
    return Prices(price, 0, "user")


def _base_url(url: str) -> str:
    try:
        return read_base_url(url)
    except OwnkeyError as error:
        raise WrongUsage(error.public) from None


def _host(base_url: str) -> str:
    return base_url.partition("://")[2].partition("/")[0]


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
