"""Validation by the SDKs' own types, as strict as pydantic can be: no conversion, no unknown field."""

from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

Model = TypeVar("Model", bound=BaseModel)


def strictly(kind: type[Model], data: bytes | str, *, known_extras: frozenset[str] = frozenset()) -> Model:
    """`data` as `kind`. Raises when a type differs or a field is one the SDK does not know."""
    value = TypeAdapter(kind).validate_json(data, strict=True)
    unknown = sorted(_extras(value) - known_extras)
    assert not unknown, f"fields the SDK does not know: {unknown}"
    return value


def _extras(value: Any) -> set[str]:
    if isinstance(value, BaseModel):
        own = set(value.model_extra or {})
        return own.union(*(_extras(getattr(value, name)) for name in type(value).model_fields))
    if isinstance(value, list):
        return set[str]().union(*map(_extras, value))
    return set()
