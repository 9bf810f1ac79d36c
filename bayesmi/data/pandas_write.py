"""Writing cells back into pandas columns in their own dtypes; what a dtype cannot hold is refused or said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmi.data.wording import short_number
from bayesmi.errors import DataError


@dataclass(frozen=True, eq=False)
class Cells:
    """What is written into one column: rows, and numbers or labels; `whole` allows an integer dtype."""

    rows: NDArray[np.intp]
    numbers: NDArray[np.float64] | None = None
    labels: NDArray[np.object_] | None = None
    whole: bool = False


def write_series(series: pd.Series, cells: Cells) -> pd.Series:
    """Return the column with cells filled in, in its own dtype unless that cannot hold them."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _write_categorical(series, cells)
    if pd.api.types.is_object_dtype(dtype):
        return _write_objects(series, cells)
    array: Any
    if cells.labels is not None:
        array = series.array.copy()
        array[cells.rows] = cells.labels
        return pd.Series(array, index=series.index, name=series.name)
    assert cells.numbers is not None
    if pd.api.types.is_bool_dtype(dtype):
        array = series.array.copy()
        array[cells.rows] = cells.numbers.astype(bool)
    elif is_integer(dtype) and cells.whole:
        array = series.array.copy()
        array[cells.rows] = _as_integers(series, cells.numbers)
    elif is_integer(dtype):
        array = series.astype(float_dtype(dtype)).array.copy()
        array[cells.rows] = cells.numbers
    elif isinstance(dtype, np.dtype):
        array = series.to_numpy(copy=True)
        array[cells.rows] = _as_floats(series, cells.numbers, dtype)
    else:
        array = series.array.copy()
        numpy_dtype = getattr(dtype, "numpy_dtype", np.dtype(np.float64))
        array[cells.rows] = _as_floats(series, cells.numbers, numpy_dtype)
    return pd.Series(array, index=series.index, name=series.name)


def _write_categorical(series: pd.Series, cells: Cells) -> pd.Series:
    """Codes of the dtype, so that categories and orderedness stay."""
    array = series.array
    assert isinstance(array, pd.Categorical)
    assert cells.labels is not None
    codes = array.codes.copy()
    codes[cells.rows] = array.categories.get_indexer(pd.Index(cells.labels, dtype=array.categories.dtype))
    filled = pd.Categorical.from_codes(codes, dtype=array.dtype)
    return pd.Series(filled, index=series.index, name=series.name)


def _write_objects(series: pd.Series, cells: Cells) -> pd.Series:
    """Objects stay objects; booleans without a hole left become bool."""
    array = series.to_numpy(copy=True)
    if cells.labels is not None:
        array[cells.rows] = cells.labels
        return pd.Series(array, index=series.index, name=series.name, dtype=object)
    assert cells.numbers is not None
    if pd.api.types.infer_dtype(series, skipna=True) == "boolean":
        array[cells.rows] = cells.numbers.astype(bool)
        kept = object if pd.isna(array).any() else bool
        return pd.Series(array.astype(kept), index=series.index, name=series.name, dtype=kept)
    numbers = cells.numbers
    array[cells.rows] = [int(v) for v in numbers] if cells.whole else numbers.tolist()
    return pd.Series(array, index=series.index, name=series.name, dtype=object)


def float_dtype(dtype: Any) -> Any:
    """Return the float dtype of the same make as an integer dtype."""
    if isinstance(dtype, pd.ArrowDtype):
        return "double[pyarrow]"
    return np.dtype(np.float64) if isinstance(dtype, np.dtype) else "Float64"


def _as_integers(series: pd.Series, numbers: NDArray[np.float64]) -> NDArray[np.integer]:
    """Whole numbers in the integer dtype's range, or one line that says which does not fit."""
    return fit_integers(str(series.name), str(series.dtype), _numpy_integer(series.dtype), numbers)


def fit_integers(
    name: str, dtype_name: str, dtype: np.dtype[Any], numbers: NDArray[np.float64]
) -> NDArray[np.integer]:
    """Cast that refuses what does not fit, instead of wrapping around."""
    limits = np.iinfo(dtype)
    wrong = numbers[(numbers < limits.min) | (numbers > limits.max)]
    if len(wrong):
        value = short_number(wrong[0])
        raise DataError(f"column {name!r} has dtype {dtype_name}, which cannot hold {value}: widen it first")
    return numbers.astype(dtype)


def _numpy_integer(dtype: Any) -> np.dtype[Any]:
    """Return the numpy dtype behind an integer dtype."""
    return np.dtype(getattr(dtype, "numpy_dtype", dtype))


def _as_floats(series: pd.Series, numbers: NDArray[np.float64], dtype: Any) -> NDArray[np.floating]:
    """Floats of the column's width; overflow is refused."""
    return fit_floats(str(series.name), str(series.dtype), dtype, numbers)


def fit_floats(name: str, dtype_name: str, dtype: Any, numbers: NDArray[np.float64]) -> NDArray[np.floating]:
    """Cast that refuses overflow."""
    with np.errstate(over="ignore"):
        cast = numbers.astype(dtype)
    if not np.isfinite(cast).all():
        value = short_number(numbers[~np.isfinite(cast)][0])
        raise DataError(
            f"column {name!r} has dtype {dtype_name}, which cannot hold {value}: make it float64 first"
        )
    return cast


def is_integer(dtype: Any) -> bool:
    """Integer dtypes of numpy, pandas and Arrow."""
    return pd.api.types.is_integer_dtype(dtype)
