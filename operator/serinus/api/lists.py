"""What a list in a manifest is to whoever merges or edits it: one value, a set, or a map with a key."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from serinus.api.rules import broken_rules


@dataclass(frozen=True)
class Atomic:
    """A list that is one value: who applies it owns it whole."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say so to the API server."""
        return {**handler(core), "x-kubernetes-list-type": "atomic"}


@dataclass(frozen=True)
class Distinct:
    """A list whose elements are all different; of models, in the field `key`."""

    key: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse repetitions, as the API server does."""
        return core_schema.no_info_after_validator_function(self._refuse_repetition, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say so to the API server."""
        if self.key is None:
            return {**handler(core), "x-kubernetes-list-type": "set"}
        return {**handler(core), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}

    def _refuse_repetition(self, elements: tuple[Any, ...]) -> tuple[Any, ...]:
        seen = [element if self.key is None else getattr(element, self.key) for element in elements]
        repeated = [(f"[{index}]", value) for index, value in enumerate(seen) if value in seen[:index]]
        if repeated:
            raise broken_rules((place, f"{value} appears more than once") for place, value in repeated)
        return elements
