"""What a batch came to: counts of its parts, and of all of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noria.core.model.row_outcomes import ERROR, Outcome

MOST_REASONS = 50  # a reason quotes the value, so there may be as many as rows
Document = dict[str, Any]


def counts_of(outcomes: Sequence[Outcome]) -> Document:
    """Count answered and refused rows, these by reason: the most frequent ones are named."""
    reasons = Counter(str(one[ERROR]) for one in outcomes if ERROR in one)
    refused = reasons.total()
    return {
        "rows": len(outcomes),
        "answered": len(outcomes) - refused,
        "refused": refused,
        "reasons": _named(reasons),
    }


def added(counts: Iterable[Mapping[str, Any]]) -> Document:
    """Put the counts of parts together."""
    total, reasons = Counter[str](), Counter[str]()
    for one in counts:
        total.update({name: one[name] for name in ("rows", "answered", "refused")})
        reasons.update({each["reason"]: each["rows"] for each in one["reasons"]})
    numbers = {name: total[name] for name in ("rows", "answered", "refused")}
    return numbers | {"reasons": _named(reasons)}


def _named(reasons: Counter[str]) -> list[Document]:
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return [{"reason": reason, "rows": rows} for reason, rows in ordered[:MOST_REASONS]]
