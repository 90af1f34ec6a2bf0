"""Arrays on the wire: how a JSON array becomes a NumPy column, checked value by value before it does.

Pydantic validates each array strictly (no text where a number belongs, no infinity, stops at the first wrong value) and
hands it over at once, so that only one column is ever held as Python objects.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from controller.model.cluster import BoolColumn, ByteColumn
from controller.model.sample import FloatColumn, IntColumn

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """How one column stands on the wire: its items' schema, NumPy type, number of dimensions, and what it holds.

    Each is like itself alone, so that it has a hash, which a column that may be missing needs.
    """

    items: CoreSchema
    dtype: type[np.generic]
    description: str
    nested: bool = False

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        row = core_schema.list_schema(self.items, fail_fast=True)
        rows = core_schema.list_schema(row, fail_fast=True) if self.nested else row
        return core_schema.no_info_after_validator_function(self._array, rows)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "description": self.description}

    def _array(self, values: list[Any]) -> NDArray[Any]:
        if self.nested and len({len(row) for row in values}) > 1:
            raise ValueError("every row must have the same number of entries; pad with -1")
        array = np.array(values, self.dtype)
        return array.reshape(0, 0) if self.nested and not values else array


def _integers(low: int, high: int) -> CoreSchema:
    return core_schema.int_schema(strict=True, ge=low, le=high)


def _number() -> CoreSchema:
    return core_schema.float_schema(strict=True, allow_inf_nan=False)


def _level(high: int, description: str) -> Column:
    return Column(items=_integers(0, high), dtype=np.int8, description=description)


Numbers = Annotated[FloatColumn, Column(items=_number(), dtype=np.float64, description="One number a row.")]
Amounts = Annotated[
    FloatColumn,
    Column(
        items=core_schema.float_schema(strict=True, allow_inf_nan=False, ge=0),
        dtype=np.float64,
        description="One number a row, zero or more.",
    ),
]
KnownAmounts = Annotated[
    FloatColumn,
    Column(
        items=core_schema.nullable_schema(core_schema.float_schema(strict=True, allow_inf_nan=False, ge=0)),
        dtype=np.float64,
        description="One number a row, zero or more; null where nobody says.",
    ),
]
Values = Annotated[
    FloatColumn,
    Column(
        items=core_schema.nullable_schema(_number()),
        dtype=np.float64,
        description="One number a row; null where there is none.",
    ),
]
Rows = Annotated[
    IntColumn,
    Column(
        items=_integers(-1, _INT32_MAX),
        dtype=np.int32,
        description="One row number of another table a row, from 0; -1 for none.",
    ),
]
RowTable = Annotated[
    IntColumn,
    Column(
        items=_integers(-1, _INT32_MAX),
        dtype=np.int32,
        description="For each row the row numbers of another table, padded with -1 to one length.",
        nested=True,
    ),
]
Counts = Annotated[
    IntColumn,
    Column(items=_integers(0, _INT32_MAX), dtype=np.int32, description="One count a row."),
]
Budgets = Annotated[
    IntColumn,
    Column(items=_integers(-1, _INT32_MAX), dtype=np.int32, description="One number of moves a row; -1 for no budget."),
]
Flags = Annotated[
    BoolColumn,
    Column(items=core_schema.bool_schema(strict=True), dtype=np.bool_, description="One true or false a row."),
]
Trusts = Annotated[ByteColumn, _level(3, "0 fresh, 1 stale, 2 implausible, 3 absent. Only fresh values count.")]
Levels = Annotated[ByteColumn, _level(3, "0 open, 1 internal, 2 confidential, 3 secret.")]
VmStates = Annotated[ByteColumn, _level(3, "0 active, 1 paused, 2 shut off, 3 other.")]
PowerKinds = Annotated[ByteColumn, _level(2, "0 feed, 1 PDU, 2 phase.")]
Tiers = Annotated[
    ByteColumn, Column(items=_integers(1, 3), dtype=np.int8, description="1 critical, 2 standard, 3 basic.")
]
