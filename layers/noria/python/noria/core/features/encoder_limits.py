"""The thresholds that encoders learn their tables by, which a plan carries from the contract."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from noria.contracts import Features


class EncoderLimits(BaseModel):
    """Fields of the contract's section `features`; the defaults are those of older plans."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    smoothing_rows: float = 20.0
    one_hot_values: int = 20
    word_features: int = 100
    word_rows: int = 5
    word_share: float = 0.001
    word_strength: float = 3.84

    @classmethod
    def of(cls, features: Features) -> Self:
        """Take the contract's values."""
        return cls(**{name: getattr(features, name) for name in cls.model_fields})


USUAL = EncoderLimits()
