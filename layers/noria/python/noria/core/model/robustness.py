"""What a model loses where a field of its requests is not as it should be."""

from pydantic import BaseModel, ConfigDict


class FieldRobustness(BaseModel):
    """Losses in the metric, positive where it gets worse; None where a field's kind has no such.

    `missing`: no request has the field. `noise`: numbers are off by a twentieth of their standard
    deviation. `unit`: numbers are a thousand times too large. `unseen`: the category is a new one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    missing: float | None = None
    noise: float | None = None
    unit: float | None = None
    unseen: float | None = None
