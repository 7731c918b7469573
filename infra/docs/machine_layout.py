"""Where the machine's states stand in its picture, and how their arrows run.

The states and the arrows themselves come from the template: a state without a place is an error.
Places are columns and rows of a grid. The happy path winds to and fro through its rows.
"""

from dataclasses import dataclass

Point = tuple[float, float]

#: Where a state stands: its column and row. An ending may stand in several places; the arrow from
#: a state named in `NEAR` goes to its other place.
PLACES: dict[str, Point] = {
    "Admit": (0, 0), "AdmittedToRun": (1, 0), "DefineProblem": (2, 0), "CollectSources": (3, 0),
    "Transform": (4, 0), "DataUsable": (5, 0), "Skipped": (1, 1), "HaltBadData": (4, 1),
    "FeaturesOnly": (5, 2), "Analyse": (4, 2), "IsMlNeeded": (3, 2), "ReevaluateProblem": (2, 2),
    "ProblemRevised": (1, 2), "ReviseProblem": (0, 2), "HaltProblem": (1, 3),
    "RuleSuffices": (2, 3), "StoreFeatures": (5, 3), "FeaturesStored": (4, 3),
    "ExportRule": (4, 3.85),
    "EngineerFeatures": (0, 5), "ProposeTrials": (1, 5), "ExploreModels": (2, 5),
    "JudgeTrials": (3, 5), "AnotherRung": (4, 5), "TrainModel": (2, 6.4),
    "ScoreHoldout": (3, 6.4), "EvaluateModel": (4, 6.4), "MeetsObjective": (5, 6.4),
    "HaltNotEffective": (4, 7.52), "BeatsChampion": (5, 8.4), "FinalFitWanted": (4, 8.4),
    "FitAllRows": (3, 8.4), "CheckFinalFit": (2, 8.4), "ApprovalNeeded": (1, 8.4),
    "AwaitApproval": (0, 8.4), "Approved": (0, 9.6), "PublishChallenger": (1, 9.6),
    "CanaryWanted": (2, 9.6), "ShiftCanary": (3, 9.6), "ObserveCanary": (4, 9.6),
    "KeepChampion": (5, 9.6), "CheckCanary": (4, 10.6), "CanaryHealthy": (3, 10.6),
    "Promote": (2, 10.6), "RollBack": (3, 11.6), "RecordFailure": (1, 11.6), "Failed": (1, 12.6),
}  # fmt: skip
NEAR: dict[tuple[str, str], Point] = {
    ("MeetsObjective", "RuleSuffices"): (5, 5.35),
    ("MeetsObjective", "ReevaluateProblem"): (3, 7.52),
    ("Approved", "KeepChampion"): (0, 10.6),
}

#: What is not a state: how live use starts the machine again.
LIVE: dict[str, Point] = {
    "HTTPS endpoint": (2, 12.6), "monitor": (3, 12.6), "alarms": (4, 12.6),
}  # fmt: skip

#: The way of a run that deploys a model, for the thick line.
HAPPY = (
    "Admit", "AdmittedToRun", "DefineProblem", "CollectSources", "Transform", "DataUsable",
    "FeaturesOnly", "Analyse", "IsMlNeeded", "EngineerFeatures", "ProposeTrials", "ExploreModels",
    "JudgeTrials", "AnotherRung", "TrainModel", "ScoreHoldout", "EvaluateModel", "MeetsObjective",
    "BeatsChampion", "FinalFitWanted", "FitAllRows", "CheckFinalFit", "ApprovalNeeded",
    "PublishChallenger", "CanaryWanted", "ShiftCanary", "ObserveCanary", "CheckCanary",
    "CanaryHealthy", "Promote",
)  # fmt: skip

#: The way back to feature engineering.
LOOP = ("MeetsObjective", "EngineerFeatures")


@dataclass(frozen=True)
class Way:
    """How an arrow runs: the side that it leaves from, its corners, the side that it arrives at.

    A corner keeps the column or the row of the one before where it is None.
    """

    leaves: str
    arrives: str
    corners: tuple[tuple[float | None, float | None], ...] = ()


#: The arrows that are no straight line between neighbours.
WAYS: dict[tuple[str, str], Way] = {
    ("DataUsable", "HaltBadData"): Way("bottom", "right", ((None, 1),)),
    ("ReviseProblem", "CollectSources"): Way("top", "bottom", ((None, 1.5), (3, None))),
    ("IsMlNeeded", "RuleSuffices"): Way("bottom", "right", ((None, 3),)),
    ("IsMlNeeded", "ExportRule"): Way("bottom", "left", ((None, 3.85),)),
    ("IsMlNeeded", "EngineerFeatures"): Way("bottom", "top", ((None, 4.3), (0, None))),
    ("ExportRule", "ScoreHoldout"): Way(
        "bottom", "top", ((None, 4.35), (4.5, None), (None, 5.72), (3, None))
    ),
    ("AnotherRung", "ProposeTrials"): Way("top", "top", ((None, 4.55), (1, None))),
    ("AnotherRung", "TrainModel"): Way("bottom", "top", ((None, 5.56), (2, None))),
    ("MeetsObjective", "EngineerFeatures"): Way("bottom", "bottom", ((None, 7.0), (0, None))),
    ("MeetsObjective", "HaltNotEffective"): Way("bottom", "right", ((None, 7.52),)),
    ("MeetsObjective", "ReevaluateProblem"): Way("bottom", "bottom", ((None, 8.02), (3, None))),
    ("FinalFitWanted", "ApprovalNeeded"): Way(
        "bottom", "right", ((None, 8.95), (1.5, None), (None, 8.4))
    ),
}

#: What a branch means, where the verdict's own word does not say it; "" for the way otherwise.
MEANINGS: dict[tuple[str, str], str] = {
    ("AdmittedToRun", "run"): "yes", ("AdmittedToRun", ""): "no",
    ("DataUsable", "usable"): "yes", ("DataUsable", ""): "no",
    ("FeaturesOnly", "features"): "yes", ("FeaturesOnly", ""): "no",
    ("IsMlNeeded", "go_on"): "yes: there is signal",
    ("IsMlNeeded", "serve_rule"): "no: serve the rule",
    ("IsMlNeeded", "rule_suffices"): "no: a rule will do",
    ("IsMlNeeded", ""): "no signal",
    ("ProblemRevised", ""): "else: ask again",
    ("AnotherRung", "another_rung"): "yes: the best go on", ("AnotherRung", ""): "no",
    ("MeetsObjective", "met"): "yes",
    ("MeetsObjective", "try_next_recipe"): "no: the errors choose the next recipe",
    ("MeetsObjective", "rule_falls_short"): "the rule falls short",
    ("MeetsObjective", "too_few_rows"): "too few rows to tell",
    ("MeetsObjective", ""): "no recipe left",
    ("BeatsChampion", "wins"): "yes", ("BeatsChampion", ""): "no",
    ("FinalFitWanted", "True"): "yes", ("FinalFitWanted", ""): "no",
    ("ApprovalNeeded", "True"): "yes", ("ApprovalNeeded", ""): "no",
    ("Approved", ""): "else: ask again",
    ("CanaryWanted", "True"): "yes", ("CanaryWanted", ""): "no",
    ("CanaryHealthy", "healthy"): "yes", ("CanaryHealthy", ""): "no",
}  # fmt: skip

#: Arrows that also come back, so that one line with two heads stands for both.
BACK = frozenset({("ProblemRevised", "ReevaluateProblem"), ("Approved", "AwaitApproval")})
