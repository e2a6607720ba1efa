"""The body of `/preferences`, which is also its answer."""

from typing import Annotated

from pydantic import Field, field_validator

from ownkey.control.shapes import Body, Flag, ModelName
from ownkey.domain.credential import DEFAULT_KEY_ORDER, KeySource, Mode, PaidFallback, Preferences


class PreferencesBody(Body):
    """A user's defaults; a field left out of a PUT returns to its default."""

    mode: Mode = Mode.PLATFORM
    model: ModelName | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False, strict=True)] | None = None
    max_tokens: Annotated[int, Field(ge=100, le=128_000, strict=True)] | None = None
    require_eu: Flag = False
    key_order: list[KeySource] = list(DEFAULT_KEY_ORDER)
    paid_fallback: PaidFallback = PaidFallback.WHEN_NO_KEY

    @field_validator("model")
    @classmethod
    def _not_itself(cls, value: str | None) -> str | None:
        if value == "default":
            raise ValueError("default means this preference: name a model")
        return value

    @field_validator("key_order")
    @classmethod
    def _each_once(cls, value: list[KeySource]) -> list[KeySource]:
        if sorted(value) != sorted(DEFAULT_KEY_ORDER):
            raise ValueError("name each of own_router, own_provider and platform once")
        return value

    def to_domain(self) -> Preferences:
        return Preferences(
            mode=self.mode,
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            require_eu=self.require_eu,
            key_order=tuple(self.key_order),
            paid_fallback=self.paid_fallback,
        )


def show(chosen: Preferences) -> PreferencesBody:
    return PreferencesBody(
        mode=chosen.mode,
        model=chosen.model,
        temperature=chosen.temperature,
        max_tokens=chosen.max_tokens,
        require_eu=chosen.require_eu,
        key_order=list(chosen.key_order),
        paid_fallback=chosen.paid_fallback,
    )
