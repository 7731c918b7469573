"""A model's mean answers as one field changes."""

from pydantic import BaseModel, ConfigDict


class PartialDependence(BaseModel):
    """Values of a field, in order, and the mean answer (probability or value) with each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    values: tuple[float, ...] | tuple[str, ...]
    answers: tuple[float, ...]
