"""Providers and models as data: the rows of `providers/catalog` once read."""

from enum import StrEnum
from typing import Literal, get_args

from msgspec import Struct

from ownkey.domain.facts import NO_SHEET, FactSheet
from ownkey.domain.formats import WireFormat
from ownkey.domain.price import FREE, Rates


class AuthScheme(StrEnum):
    """How a key travels upstream."""

    BEARER = "bearer"
    X_API_KEY = "x-api-key"
    X_GOOG_API_KEY = "x-goog-api-key"
    API_KEY = "api-key"
    AZURE = "azure"
    """`api-key`, or a bearer where the key is an Entra access token or is exchanged for one."""
    AWS = "aws"
    """Signature Version 4 for an access key, a bearer for a Bedrock API key: whichever the key is."""
    NONE = "none"


class Quirk(StrEnum):
    """What a provider does differently that no other field of its row can express. Code checks the quirk, never the
    provider."""

    ORGANIZATION_HEADERS = "organization-headers"
    """OpenAI: two headers select the organization and the project of a key that has several."""
    STATELESS_RESPONSES = "stateless_responses"
    """Responses are not stored upstream, and some providers reject a request to store them: Ownkey stores them."""
    AGENT_API = "agent_api"
    """Perplexity's Agent API: output schemas are written as in chat, and `include` is unknown."""
    VENDOR_IN_NAMES = "vendor-in-names"
    """Perplexity: its agent calls its own models `perplexity/sonar`; only those named `pplx-…` stand bare."""
    VERSIONS_WITH_DASHES = "versions-with-dashes"
    """The vendor writes `claude-opus-4-1` where routers write `claude-opus-4.1`."""
    KEY_CHECK_LIMIT = "key-check-limit"
    """The key check reports what is left of the key's limit."""
    KEY_CHECK_BALANCE = "key-check-balance"
    """The key check reports the account's balance."""
    KEY_CHECK_FLAGS = "key-check-flags"
    """The key check reports whether the key, the team or its API access is blocked."""
    KEY_CHECK_VALID_FLAG = "key-check-valid-flag"
    """The key check reports in a field whether the key is valid."""
    KEY_CHECK_INFERENCE_SCOPE = "key-check-inference-scope"
    """The key check reports the token's scopes."""


class KeyCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """The cheapest authenticated call. `url` is absolute or relative to the provider's base URL."""

    method: Literal["GET", "POST"]
    url: str
    body: str = ""


class Host(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's address in one region. `eu`: it promises to process in the EU. `note` is for the key's owner.

    Models whose id matches one of `surcharge_models` (fnmatch) cost `surcharge_percent` more there.
    """

    base_url: str
    eu: bool = False
    surcharge_percent: int = 0
    surcharge_models: tuple[str, ...] = ("*",)
    note: str = ""


class Paths(Struct, frozen=True, forbid_unknown_fields=True):
    """Other paths than a provider's usual ones, and the key check that goes with them."""

    endpoints: dict[WireFormat, str]
    check: KeyCheck | None = None


class TokenGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """OAuth 2.0 client credentials: where a client's secret is exchanged for an access token, and for which `scope`.

    `{name}` in `url` stands for the field of that name in a key's `config`. Only keys whose `config` has
    every field in `requires` are exchanged; any other is sent as it is.
    """

    url: str
    scope: str
    requires: tuple[str, ...] = ("tenant_id", "client_id")


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider. `endpoints` maps each wire format it speaks to a path below `base_url`, where `{model}` stands for
    the model's id. `auth_for` names the formats whose keys travel in another way than `auth` says.

    `aliases` are other names of the provider, accepted wherever its name is; Ownkey itself says and stores `name`.
    `base_url_template` is the address of keys whose `config` holds the fields that stand in braces, each one
    label of a host name.
    `paths_with` are the paths of keys whose `config` has the field, which may stand in them in braces.
    `token` says that keys may be exchanged for access tokens.

    Where `eu` is regional, a key satisfies a need for EU processing when its region is among `eu_regions` and
    the model matches none of the patterns `roaming_models`, which are processed in other regions too.

    A `router` serves other vendors' models under `vendor/model` names. `vendor_prefixes` are the
    first segments of model ids that mean this vendor (`google/…` for gemini). `models` are
    patterns (fnmatch) of bare model names that belong to this vendor. `key_pattern` is a regular
    expression that says how this provider's keys look, `key_prefixes` what they begin with: both help a person notice a
    mistake and never reject. `price_id` is the provider's
    id in genai-prices, `price_suffixes` other ids for models that end in `:suffix`. `base_url` is None when every
    key brings its own. `base_url_ends` are ends of an address that name one of several interfaces: see
    `domain.address`.

    `eu`: `yes` when every key can be served in the EU, at the EU address of `hosts` if there is one and at
    `base_url` otherwise; `regional` when only some keys can, `hosts` holding their addresses by region.
    """

    name: str
    aliases: tuple[str, ...] = ()
    title: str
    base_url: str | None
    base_url_template: str | None = None
    base_url_ends: tuple[str, ...] = ()
    endpoints: dict[WireFormat, str]
    paths_with: dict[str, Paths] = {}
    token: TokenGrant | None = None
    auth: AuthScheme = AuthScheme.BEARER
    auth_for: dict[WireFormat, AuthScheme] = {}
    headers: dict[str, str] = {}
    check: KeyCheck | None = None
    router: bool = False
    key_required: bool = True
    vendor_prefixes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    signup_url: str | None = None
    docs_url: str | None = None
    logo: str | None = None
    key_example: str = ""
    key_pattern: str = ""
    key_prefixes: tuple[str, ...] = ()
    eu: Literal["yes", "no", "regional", "self-hosted", "unknown"] = "unknown"
    regions: tuple[str, ...] = ()
    hosts: dict[str, Host] = {}
    eu_regions: tuple[str, ...] = ()
    roaming_models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    price_id: str | None = None
    price_suffixes: dict[str, str] = {}
    quirks: tuple[Quirk, ...] = ()


Tier = Literal["flagship", "premium", "standard", "efficient", "enterprise"]
TIERS: tuple[Tier, ...] = get_args(Tier)


class StatedPrice(Struct, frozen=True, forbid_unknown_fields=True):
    """A price that somebody stated for a model, in USD per million tokens, to be held against the price list."""

    input: str
    output: str


class Model(Struct, frozen=True, kw_only=True):
    """A model offered by a vendor. `upstream_ids` maps a provider's name to its own id for the model.

    `context_window` and `max_output` are in tokens. `eu`: a provider of the catalogue serves it in the EU.
    """

    id: str
    title: str
    vendor: str
    upstream_ids: dict[str, str] = {}
    context_window: int | None = None
    max_output: int | None = None
    capabilities: tuple[str, ...] = ()
    recommended: bool = False
    tier: Tier = "standard"
    eu: bool = False
    stated_price: StatedPrice | None = None


class Offer(Struct, frozen=True):
    """What one provider offers for a requested model: its own id for it and its list price.

    `context_window` is what the price list says of the model, in tokens.
    """

    provider: Provider
    upstream_model: str
    rates: Rates = FREE
    priced: bool = False
    eu: bool = False
    context_window: int | None = None
    facts: FactSheet = NO_SHEET
