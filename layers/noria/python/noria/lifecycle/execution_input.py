"""Validation of an execution's input before anything is started: a sentence for each mistake."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from noria.common.messages import nearest
from noria.contracts import Problem
from noria.errors import ContractError
from noria.lifecycle.environment import FEATURES_ONLY, parse_time

AHEAD = timedelta(days=7)  # by which a clock may be played forward, to see what alarms do
KNOWN_INPUT = ("as_of", "cause", "only", "problem")


def check_input(given: Mapping[str, Any], now: datetime) -> None:
    """Check an execution's input by itself; ContractError with a line for every mistake.

    `now` has a zone: a logical time may not lie far ahead of it.
    """
    told = [*_unknown(given), *_part(given), *_time(given, now), *_kinds(given)]
    if told:
        raise ContractError("\n".join(told))


def check_variation(deployed: Problem, given: Mapping[str, Any]) -> None:
    """Check what an input's `problem` makes of the deployed contract, as DefineProblem does.

    Raises ContractError with a line for every mistake, each with its field of the contract.
    """
    deployed.merged(given.get("problem", {}))


def _unknown(given: Mapping[str, Any]) -> Iterator[str]:
    for name in given:
        if name not in KNOWN_INPUT:
            close = nearest(name, KNOWN_INPUT)
            meant = f"did you mean '{close}'? " if close else ""
            yield (
                f"input.{name}: is not known; {meant}an execution takes {{}} or "
                f"{', '.join(KNOWN_INPUT)}"
            )


def _part(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("only", FEATURES_ONLY) != FEATURES_ONLY:
        yield (
            f"input.only: {given['only']!r} is not known; the only part that runs by itself is "
            f"{FEATURES_ONLY!r}"
        )


def _kinds(given: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(given.get("cause", {}), Mapping):
        yield f"input.cause: is a mapping with kind, not {given['cause']!r}"
    if not isinstance(given.get("problem", {}), Mapping):
        yield (
            f"input.problem: is a mapping of contract fields, not {given['problem']!r}; write for "
            'example {"objective": {"threshold": 0.7}}'
        )


def _time(given: Mapping[str, Any], now: datetime) -> Iterator[str]:
    if "as_of" not in given:
        return
    value = given["as_of"]
    try:
        moment = parse_time(value)
        naive = datetime.fromisoformat(value).tzinfo is None
    except (TypeError, ValueError):
        yield f"input.as_of: {value!r} is not a time; write for example 2026-11-24T00:00:00Z"
        return
    if naive:
        yield f"input.as_of: {value!r} has no zone; write {moment:%Y-%m-%dT%H:%M:%S}Z for UTC"
    elif moment > now + AHEAD:
        yield (
            f"input.as_of: {value!r} lies ahead; what is kept and how old a model is follow from "
            "it: give a time that has come"
        )
