"""What the analysis found, in sentences for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import date, duration, joined_with_and, measured, number, share
from noria.common.messages import counted
from noria.core.reporting.time_section import is_share, series_label

Document = Mapping[str, Any]
MOST_GROUPS = 8
STRONGEST = 3


def findings(analysis: Document, problem: Document) -> list[str]:
    """Say in sentences what the numbers show."""
    return [
        sentence
        for sentence in (
            rows(analysis),
            strongest(analysis),
            *seasons(analysis, problem),
            *suspicions(analysis),
            *_coverage(analysis),
            *_redundant(analysis.get("redundant") or []),
            *_missing(analysis),
            *drifted(analysis),
            *map(str, analysis.get("notes") or []),
        )
        if sentence
    ]


def rows(analysis: Document) -> str:
    """Say how many rows there are to learn from and to judge by."""
    return (
        f"{counted(analysis.get('rows', 0), 'row')}: "
        f"{analysis.get('training_rows', 0):,} for training, "
        f"{analysis.get('holdout_rows', 0):,} held out for evaluation."
    )


def strongest(analysis: Document) -> str:
    """Say how many columns go with the target, and which do most."""
    columns = analysis.get("columns") or []
    significant = [c for c in columns if (c.get("related") or {}).get("significant")]
    if not significant:
        return "No single column is significantly associated with the target." if columns else ""
    first = [
        f"{c['name']} ({measured(c['related']['measure'], c['related']['value'])})"
        for c in significant[:STRONGEST]
    ]
    verb = "is" if len(significant) == 1 else "are"
    return (
        f"{len(significant)} of {counted(len(columns), 'column')} {verb} significantly "
        f"associated with the target, most of all {joined_with_and(first)}."
    )


def seasons(analysis: Document, problem: Document) -> list[str]:
    """Say when the target is high and low, for each season that is one."""
    return [_season(season, problem) for season in analysis.get("seasons") or [] if season["named"]]


def _season(season: Document, problem: Document) -> str:
    name = str(season["name"])
    if len(season["series"]) > 1:
        return f"The target varies with the {name} ({share(season['effect'])} of its variation)."
    ((key, means),) = season["series"].items()
    known = [
        (mean, label)
        for mean, label, count in zip(means, season["labels"], season["rows"], strict=True)
        if mean is not None and count >= max(season["rows"]) / 20
    ]
    (low, first), (high, last) = min(known), max(known)
    shown = share if is_share(problem) else number
    place = " UTC" if name == "hour of day" else ""
    return (
        f"The target varies with the {name}: {series_label(problem, [key])} is {shown(high)} at "
        f"its highest ({last}{place}) and {shown(low)} at its lowest ({first}{place})."
    )


def suspicions(analysis: Document) -> list[str]:
    """Name each leakage suspect with its reason, and say what to do."""
    suspects = analysis.get("leakage") or []
    if not suspects:
        return []
    told = [f"Leakage suspect: {item['column']} {item['reason']}." for item in suspects]
    remedy = (
        "List a suspect in features.exclude, or in features.known where it is known when the "
        "prediction is made."
    )
    return [*told, remedy]


def _coverage(analysis: Document) -> list[str]:
    time = analysis.get("time")
    if not time:
        return []
    sentences = [f"From {date(time['start'])} to {date(time['end'])}."]
    if time.get("usual_pause"):
        pause = f"Rows pause regularly for about {duration(time['usual_pause'])}."
        sentences.append(pause)
    gaps = time.get("gaps") or []
    if gaps:
        longest = duration(gaps[0]["seconds"])
        sentences.append(f"{counted(len(gaps), 'gap')} in time, the longest {longest}.")
    elif time["longest_gap"]:
        sentences.append("No gaps in time.")
    missing = time.get("missing")
    if missing:
        sentences.append(
            f"{counted(missing, 'row')} {'has' if missing == 1 else 'have'} no event time."
        )
    return [" ".join(sentences)]


def _redundant(pairs: Sequence[Document]) -> list[str]:
    same = _alike([p for p in pairs if p["mutual"]])
    decided: dict[str, list[str]] = {}
    for pair in pairs:
        if not pair["mutual"]:
            decided.setdefault(str(pair["first"]), []).append(str(pair["second"]))
    most = sorted(decided.items(), key=lambda item: -len(item[1]))[:MOST_GROUPS]
    sentences = []
    if same:
        told = [joined_with_and(group) for group in same[:MOST_GROUPS]]
        sentences.append(f"Redundant columns: {'; '.join(told)}.")
    if most:
        told = [f"{first} determines {joined_with_and(names)}" for first, names in most]
        sentences.append(f"Largely determined by another column: {'; '.join(told)}.")
    return sentences


def _alike(pairs: Sequence[Document]) -> list[list[str]]:
    """Put columns that pairs link into groups."""
    groups: list[list[str]] = []
    for pair in pairs:
        names = [str(pair["first"]), str(pair["second"])]
        linked = [group for group in groups if set(group) & set(names)]
        merged = list(dict.fromkeys([name for group in linked for name in group] + names))
        groups = [group for group in groups if group not in linked] + [merged]
    return groups


def _missing(analysis: Document) -> list[str]:
    groups = (analysis.get("missing") or {}).get("groups") or []
    return [
        f"{joined_with_and(list(group['columns']))} are missing in the same rows "
        f"({share(group['share'])} of all rows)."
        for group in groups
    ]


def drifted(analysis: Document) -> list[str]:
    """Name the columns that differ between the first and the last third of the rows."""
    names = [str(name) for name in analysis.get("drifted") or []]
    if not names:
        return []
    verb = "differs" if len(names) == 1 else "differ"
    return [f"{joined_with_and(names)} {verb} between the first and the last third of the time."]
