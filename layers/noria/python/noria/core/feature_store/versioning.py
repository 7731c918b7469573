"""How versions of a feature set differ, and which version rows are stored under."""

from collections.abc import Collection
from typing import Any, NamedTuple

from noria.core.feature_store.feature_set import Feature, FeatureSet, FrozenModel, WindowFeature


class VersionDifference(FrozenModel):
    """How a later version of a feature set differs from an earlier one."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    rekeyed: bool = False
    described: tuple[str, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether readers of the earlier one can read the later one: columns were only added."""
        return not (self.removed or self.retyped or self.rekeyed)

    @property
    def sentences(self) -> list[str]:
        """The differences in words."""
        told = {"added": self.added, "removed": self.removed,
                "type or window changed": self.retyped,
                "description or time to live changed": self.described}  # fmt: skip
        found = [f"{what}: {', '.join(names)}" for what, names in told.items() if names]
        return [*found, "entity key changed"] if self.rekeyed else found


def compare_versions(before: FeatureSet, after: FeatureSet) -> VersionDifference:
    """Compare two definitions of a set, column by column."""
    old, new = _named(before), _named(after)
    both = [name for name in old if name in new]
    retyped = [n for n in both if _meaning(old[n], before) != _meaning(new[n], after)]
    return VersionDifference(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        retyped=tuple(retyped),
        described=tuple(n for n in both if n not in retyped and old[n] != new[n]),
        rekeyed=[(c.name, c.kind) for c in before.entity_key]
        != [(c.name, c.kind) for c in after.entity_key],
    )


def _named(one: FeatureSet) -> dict[str, Feature | WindowFeature]:
    stored: dict[str, Feature | WindowFeature] = {feature.name: feature for feature in one.features}
    return stored | {window.name: window for window in one.windows}


def _meaning(feature: Feature | WindowFeature, of: FeatureSet) -> tuple[Any, ...]:
    """What must not change under a reader: a stored column's kind, a window's definition."""
    if isinstance(feature, Feature):
        return (feature.kind,)
    return feature.source, feature.function, feature.over, of.delay


def evolve(latest: FeatureSet | None, wanted: FeatureSet) -> FeatureSet:
    """The version under which `wanted` is stored: the latest with columns added, or a new one."""
    if latest is None:
        return wanted.model_copy(update={"version": 1})
    if not compare_versions(latest, wanted).compatible:
        return wanted.model_copy(update={"version": latest.version + 1})
    wished = {feature.name: feature for feature in wanted.features}
    # The order of the earlier columns stays: Athena reads a table's columns by their order.
    ordered = [wished.pop(feature.name) for feature in latest.features]
    features = (*ordered, *wished.values())
    return wanted.model_copy(update={"version": latest.version, "features": features})


class Kept(NamedTuple):
    """A set under its latest version, and the columns whose stored values stay as they are."""

    feature_set: FeatureSet
    without: tuple[str, ...] = ()


def tells_rows_apart(feature_set: FeatureSet) -> bool:
    """Whether entity and event time name a row, so that what is stored of it can be found."""
    return bool(feature_set.entity_key) and not feature_set.repeats


def names_rows_alike(one: FeatureSet, other: FeatureSet) -> bool:
    """Whether both sets tell rows apart, and by the same key."""
    return all(map(tells_rows_apart, (one, other))) and not compare_versions(one, other).rekeyed


def keep_version(latest: FeatureSet | None, wanted: FeatureSet) -> Kept:
    """What rows are stored as that are to make no new version for want of a column.

    A column that is gone, or of another type, stays in the set. A changed key or window, which is
    the contract's doing, makes a version all the same.
    """
    if latest is None:
        return Kept(wanted)
    found, old = compare_versions(latest, wanted), {one.name: one for one in latest.features}
    without = tuple(n for n in old if n in (*found.removed, *found.retyped))
    if found.rekeyed or not without:
        return Kept(wanted)
    given = [one for one in wanted.features if one.name not in without]
    features = (*given, *(old[name] for name in without))
    return Kept(wanted.model_copy(update={"features": features}), without)


def with_known_kinds(
    wanted: FeatureSet, latest: FeatureSet | None, empty: Collection[str]
) -> FeatureSet:
    """The set with the latest version's kind for `empty` columns: no value tells what they are.

    They are named as the data names them.
    """
    known = {one.name: one.kind for one in latest.features} if latest else {}
    features = tuple(
        one.model_copy(update={"kind": known.get(one.name, one.kind)})
        if one.source_column in empty
        else one
        for one in wanted.features
    )
    return wanted.model_copy(update={"features": features})
