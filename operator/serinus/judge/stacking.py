"""Values of many rollouts as one value of arrays, and back.

A value is a tree: dataclasses, tuples of them and mappings are its branches, numbers and arrays its leaves. Whatever
else is in it, such as a name, a flag or the bounds of a histogram, belongs to its structure.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np

T = TypeVar("T")

# A structure is made of plain tuples, which are compared fast. The first entry says of what: a leaf, with its shape; a
# value that is the same in all; or a branch, by its type, with the structures of its parts (of a dict, its names too).
_Structure = tuple[Hashable, ...]
_LEAF: Final = "leaf"
_SAME: Final = "same"
_NUMBER: Final[_Structure] = (_LEAF,)


def likeness(value: object) -> Hashable:
    """Equal for values that can be stacked, and only for those."""
    return _structure(value, [])


def stacked(values: Sequence[T]) -> T:
    """One value whose leaves have a leading axis, in place of many that are alike."""
    trees: list[list[Any]] = [[] for _ in values]
    structures = [_structure(each, leaves) for each, leaves in zip(values, trees, strict=True)]
    made: T = _built(structures[0], map(np.array, zip(*trees, strict=True)))
    return made


def parted(value: T, size: int) -> list[T]:
    """The inverse of `stacked`, of `size` values; a number that has no leading axis is the same in all."""
    leaves: list[Any] = []
    structure = _structure(value, leaves)
    return [_built(structure, iter(row)) for row in zip(*(_column(each, size) for each in leaves), strict=True)]


def _structure(value: Any, leaves: list[Any]) -> _Structure:
    """What is left of a value without its leaves, which are appended to `leaves`."""
    if isinstance(value, np.ndarray):
        leaves.append(value)
        return (_LEAF, *value.shape)
    if isinstance(value, float | int | np.number) and not isinstance(value, bool):
        leaves.append(value)
        return _NUMBER
    kind: type = type(value)
    if is_dataclass(kind):
        return (kind, *[_structure(getattr(value, name), leaves) for name in _names(kind)])
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return (tuple, *[_structure(each, leaves) for each in value])
    if isinstance(value, Mapping):
        return (dict, tuple(value), *[_structure(each, leaves) for each in value.values()])
    return (_SAME, value)


def _built(structure: Any, leaves: Iterator[Any]) -> Any:
    """The inverse of `_structure`."""
    kind, *parts = structure
    if kind is _LEAF:
        return next(leaves)
    if kind is _SAME:
        return parts[0]
    if kind is dict:
        names, *parts = parts
        return dict(zip(names, [_built(each, leaves) for each in parts], strict=True))
    built = [_built(each, leaves) for each in parts]
    return tuple(built) if kind is tuple else kind(*built)


def _column(leaf: Any, size: int) -> list[Any]:
    """A leaf of each of the values."""
    if not isinstance(leaf, np.ndarray):
        return [leaf] * size
    # Copies: a part that is kept must not keep the others.
    return leaf.tolist() if leaf.ndim == 1 else [each.copy() for each in leaf]


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
