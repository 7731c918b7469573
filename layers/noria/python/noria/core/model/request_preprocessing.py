"""Preprocessing of raw columns as in training, for requests and for logged predictions."""

import numpy as np

from noria.common.arrays import Array
from noria.common.categories import Spellings
from noria.core.data.dataset import is_missing, typed
from noria.core.data.text_normalization import plain_texts
from noria.core.model.signature import Field


def preprocess_column(field: Field, values: Array) -> Array:
    """Bring a column's values to the spellings of training, and fill what is missing as it did."""
    values = typed(field.kind, values, field.double)
    if field.spellings:
        spelled = Spellings(field.spellings, field.fold)
        distinct, places = np.unique(values, return_inverse=True)
        values = np.array([spelled(text) for text in distinct.tolist()], dtype=np.str_)[places]
    if field.kind == "text":
        values = plain_texts(values)
    if field.fill is None:
        return values
    filled = np.where(is_missing(field.kind, values), field.fill, values)
    return typed(field.kind, filled, field.double)
