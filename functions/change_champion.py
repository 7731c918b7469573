"""ChangeChampion: a person decides which version serves, or that one never shall again."""

from datetime import UTC, datetime
from typing import Any

from noria.lifecycle.champion_change import ChampionChange, Change
from noria.lifecycle.stage_logging import logged, note


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Promote, roll back or retire; the same call again changes nothing more."""
    change = Change.parse(event)
    note(decision=change.action)
    return ChampionChange.open(change, datetime.now(UTC)).carry_out()
