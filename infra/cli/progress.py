"""The machine at work, on a terminal: states with durations, decisions with reasons, loops."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from infra.cli.run_records import RunRecord
from infra.local.stepfunctions.observed_states import StateEvent
from noria.common.messages import counted
from noria.lifecycle.environment import message_of

# A Choice reads one field of one state's result; the reasons stand beside it.
CHOICES = {
    "AdmittedToRun": ("admit", "decision"),
    "DataUsable": ("transform", "decision"),
    "IsMlNeeded": ("analyse", "decision"),
    "ManyTrials": ("search", "many"),
    "AnotherRung": ("judge", "decision"),
    "ProblemRevised": ("answer", "decision"),
    "MeetsObjective": ("evaluate", "objective"),
    "BeatsChampion": ("evaluate", "challenger"),
    "FinalFitWanted": ("evaluate", "final_fit"),
    "ApprovalNeeded": ("problem", "approval"),
    "Approved": ("approval", "decision"),
    "ReplayPassed": ("replay", "decision"),
    "CanaryWanted": ("publish", "canary"),
    "CanaryHealthy": ("canary", "decision"),
}
SILENT = ("ManyTrials", "FinalFitWanted", "ApprovalNeeded", "CanaryWanted")
QUIET_REASONS = ("MeetsObjective",)  # when met, BeatsChampion gives them
SUFFIX = "Item"


class Display:
    """Prints an execution's events as they come; a spinner names the state where one can spin."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._asked: tuple[str, Any, Sequence[str]] | None = None
        self._turns = 0
        self._came: list[str] | None = None

    def __call__(self, event: StateEvent) -> None:
        """Show one event."""
        inside_map = event.item is not None
        if event.kind == "entered" and not inside_map:
            self._entered(event)
        elif event.kind == "exited":
            self._item_left(event) if inside_map else self._left(event)
        elif event.kind == "failed":
            text = f"{event.state}: {event.error}: {message_of(event.cause or '')}"[:600]
            self._print(f"[red]✗ {escape(text)}[/red]")
        elif event.kind == "waiting":
            self._print(f"[yellow]… {event.state} waits for a person[/yellow]")
        if event.kind in ("ended", "waiting"):
            self._spin(None)

    def _entered(self, event: StateEvent) -> None:
        if self._asked is not None:
            self._decided(*self._asked, event.state)
            self._asked = None
        if event.state in CHOICES:
            result, field = CHOICES[event.state]
            found = (event.data or {}).get(result, {})
            self._asked = (event.state, found.get(field), found.get("reasons", []))
            return
        if event.state == "EngineerFeatures":
            self._turns += 1
            if self._turns > 1:
                self._print(f"[yellow]↺ back to EngineerFeatures, turn {self._turns}[/yellow]")
        self._spin(event.state)

    def _decided(self, choice: str, decision: Any, reasons: Sequence[str], target: str) -> None:
        if choice in SILENT or decision == "observing":
            return
        self._print(f"[cyan]◆ {choice}? {escape(str(decision))} → {target}[/cyan]")
        if choice in QUIET_REASONS and decision == "met":
            return
        for reason in reasons:
            self._print(f"    {escape(reason)}")

    def _left(self, event: StateEvent) -> None:
        if event.state in CHOICES or event.state == "ObserveCanary":
            return
        if event.state == "CheckCanary" and self._is_known(event):
            return
        seconds = event.seconds or 0.0
        detail = escape(state_detail(event))
        self._print(f"[green]✓[/green] {event.state:<22}{seconds:6.1f} s  {detail}")

    def _is_known(self, event: StateEvent) -> bool:
        """Whether a look at a canary saw nothing new: it looks each minute, also for an hour."""
        canary = (event.data or {}).get("canary", {})
        before = self._came
        self._came = _what_came(canary.get("reasons", []))
        return canary.get("decision") == "observing" and self._came == before

    def _item_left(self, event: StateEvent) -> None:
        text = _item_text(event.data)
        if text and event.state.endswith(SUFFIX):
            self._print(f"    · {escape(text)}")

    def _spin(self, state: str | None) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if state is not None and self._console.is_terminal:
            self._status = self._console.status(f"{state} …")
            self._status.start()

    def _print(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False, soft_wrap=True)


def state_detail(event: StateEvent) -> str:
    """What is worth saying of a state beside its time: only what no decision says later."""
    data = event.data if isinstance(event.data, dict) else {}
    if event.state == "EngineerFeatures":
        features = data.get("features", {})
        recipes = features.get("recipes", [])
        named = f"{counted(len(recipes), 'recipe')} {', '.join(recipes)}"
        return f"{named}: {'; '.join(features.get('reasons', []))}"
    if event.state == "ProposeTrials":
        search = data.get("search", {})
        return f"rung {search.get('rung', 1)}: {counted(search.get('count', 0), 'trial')}"
    if event.state in ("TrainModel", "ExportRule"):
        train = data.get("train", {})
        return f"{train.get('decision')} on {counted(train.get('rows', 0), 'row')}"
    if event.state == "CheckCanary" and data.get("canary", {}).get("decision") == "observing":
        return "; ".join(data["canary"]["reasons"])
    if event.state == "CheckFinalFit":
        return "; ".join(data.get("final", {}).get("reasons", []))
    if event.state == "Transform" and "rows" in data.get("transform", {}):
        rows = counted(data["transform"]["rows"], "row")
        return f"{rows}, {data['transform']['quarantined']:,} quarantined"
    return ""


def _what_came(reasons: Sequence[str]) -> list[str]:
    """What a canary's reasons say beside the time that is over."""
    return [reason.partition(": ")[2] for reason in reasons]


def _item_text(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    if data.get("error") and "candidate" in data:
        return f"{_trial(data)}: {data['error']}"
    if data.get("score") is not None:
        spread = f" ± {data['std']:.3f}" if data.get("std") is not None else ""
        seconds = f"{data.get('seconds', 0):.1f} s"
        return f"{_trial(data)}: {data['score']:.4f}{spread} in {seconds}"
    if "rows" in data and "name" in data:
        return f"{data['name']}: {counted(data['rows'], 'row')}"
    return ""


def _trial(data: Mapping[str, Any]) -> str:
    """A candidate with its setting and its recipe, where that is another than the first."""
    setting = f" ({data['setting']})" if data.get("setting") else ""
    recipe = data.get("recipe", "basic")
    return f"{data['candidate']}{setting}" + (f" with {recipe}" if recipe != "basic" else "")


def show_record(console: Console, record: RunRecord) -> None:
    """Print a run's ending, decisions, candidates and champion."""
    _line(console, f"[bold]Ending: {record.ending}[/bold]")
    for reason in record.reasons:
        _line(console, f"  {escape(reason)}")
    _line(console, "[bold]Decisions[/bold]")
    for item in record.decisions:
        _line(console, f"  {item['state']}: {escape(str(item['decision']))}")
        for reason in item["reasons"]:
            _line(console, f"    {escape(str(reason))}")
    if record.candidates:
        _line(console, "[bold]Candidates[/bold]")
        for text in _candidates(record.candidates):
            _line(console, f"  {escape(text)}")
    if record.champion:
        _line(console, f"[bold]Champion[/bold] {version_text(record.champion)}")
        _line(console, f"  {escape(metrics_text(record.champion['metrics']))}")


def _candidates(tried: Sequence[Mapping[str, Any]]) -> list[str]:
    """The last trial of each, those of the last rung first: rungs have rows of their own."""
    ordered = sorted(tried, key=lambda one: (one.get("iteration", 1), -one.get("rung", 1)))
    several = len({one.get("rung", 1) for one in tried}) > 1
    return [
        f"turn {one.get('iteration', 1)}, "
        + (f"rung {one.get('rung', 1)}, " if several else "")
        + _item_text(one)
        for one in ordered
    ]


def version_text(champion: Mapping[str, Any]) -> str:
    """The champion's version with the run that trained it."""
    return f"{champion['version']} (run {champion['run_id']})"


def metrics_text(metrics: dict[str, float], only: Sequence[str] = ()) -> str:
    """Metrics by name."""
    chosen = {name: value for name, value in metrics.items() if not only or name in only}
    return ", ".join(f"{name} {value:.4f}" for name, value in chosen.items())


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
