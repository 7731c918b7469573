"""The report's chapter on what was set aside, flagged and mended before the analysis."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import number, share
from noria.core.reporting import blocks, charts

Document = Mapping[str, Any]
MOST = 12
FEW = 6


def latest(verdicts: Sequence[Document], state: str) -> Document:
    """The last verdict of a state, empty where there is none."""
    found = [item for item in verdicts if item.get("state") == state]
    return found[-1] if found else {}


def quality_section(verdicts: Sequence[Document]) -> blocks.Chapter | None:
    """Render Transform's evidence: rules broken, outliers, schema, spellings, dropped columns.

    Whatever the evidence lacks is left out.
    """
    evidence = latest(verdicts, "Transform").get("evidence") or {}
    cards = [
        blocks.card("Rows quarantined", *_rules(evidence)),
        blocks.card("Outliers, flagged and kept", *_outliers(evidence.get("outliers") or [])),
        blocks.card("The schema changed since the last run", _sentences(evidence, "schema_drift")),
        blocks.card("Merged spellings", _spellings(evidence.get("spellings") or {})),
        blocks.card("Times as they were read", _ranges(evidence.get("times") or {})),
        blocks.card("Missing values", _named(evidence.get("missing_rules") or {})),
        blocks.card("Texts read as missing", _marked(evidence.get("missing_texts") or {})),
        blocks.card("Columns dropped", _named(_no_features(evidence))),
    ]
    return blocks.chapter("Data cleansing", blocks.grid(*cards))


def _rules(evidence: Document) -> list[blocks.Block | None]:
    rules = sorted((evidence.get("rules") or {}).items(), key=lambda item: -item[1])
    if not rules:
        return []
    items = [(str(rule), float(count)) for rule, count in rules[:MOST]]
    notes = [f"{count:,}" for _, count in rules[:MOST]]
    picture = charts.bars("Rows quarantined", items, "rows by violated rule", notes=notes)
    return [picture, _more(len(rules))]


def _outliers(found: Sequence[Document]) -> list[blocks.Block]:
    if not found:
        return []
    items = [(str(item["column"]), float(item["share"])) for item in found[:MOST]]
    notes = [share(value) for _, value in items]
    picture = charts.bars("Outliers", items, "share of rows beyond the fences", notes=notes)
    fences = [
        f"{item['column']}: {item['flagged']:,} below {number(item['low'])} or above "
        f"{number(item['high'])}"
        for item in found
    ]
    return [picture, blocks.Folded("The fences", [blocks.Bullets(fences)])]


def _sentences(evidence: Document, name: str) -> blocks.Bullets | None:
    return blocks.bullets(evidence.get(name) or [])


def _spellings(columns: Mapping[str, Mapping[str, str]]) -> blocks.Bullets | None:
    return blocks.bullets(
        [
            f"{column}: {variant!r} is read as {canonical!r}"
            for column, variants in columns.items()
            for variant, canonical in variants.items()
        ]
    )


def _ranges(columns: Mapping[str, Sequence[str]]) -> blocks.Bullets | None:
    return _named({name: f"{first} to {last}" for name, (first, last) in columns.items()})


def _marked(columns: Mapping[str, Mapping[str, int]]) -> blocks.Bullets | None:
    told = {
        column: ", ".join(f"{text!r} in {count:,} cells" for text, count in texts.items())
        for column, texts in columns.items()
    }
    return _named(told)


def _named(sentences: Mapping[str, str]) -> blocks.Bullets | None:
    told = [f"{column}: {sentence}" for column, sentence in sentences.items()]
    return blocks.bullets(told, FEW)


def _no_features(evidence: Document) -> Mapping[str, str]:
    return {**(evidence.get("dropped_columns") or {}), **(evidence.get("left_out") or {})}


def _more(count: int) -> blocks.Remark | None:
    more = count - MOST
    return (
        blocks.Remark(f"and {more} more {'rule' if more == 1 else 'rules'}") if more > 0 else None
    )
