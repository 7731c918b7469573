"""The result of every decision: what was decided, why, and the numbers behind it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Verdict(BaseModel):
    """A decision for Choice states, its reasons for people, its evidence for reports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: str
    reasons: list[str] = Field(default_factory=list)
    evidence: dict[str, Any] = Field(default_factory=dict)
