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
    "EngineerFeatures": (0, 5), "ProposeTrials": (1, 5), "ManyTrials": (2, 5),
    "ExploreModels": (3, 5), "ExploreManyModels": (3, 5.95), "JudgeTrials": (4, 5.95),
    "AnotherRung": (4, 5), "TrainModel": (2, 7.3), "ScoreHoldout": (3, 7.3),
    "EvaluateModel": (4, 7.3), "MeetsObjective": (5, 7.3),
    "HaltNotEffective": (4, 8.42), "BeatsChampion": (5, 9.3), "FinalFitWanted": (4, 9.3),
    "FitAllRows": (3, 9.3), "CheckFinalFit": (2, 9.3), "ApprovalNeeded": (1, 9.3),
    "AwaitApproval": (0, 9.3), "Approved": (0, 10.5), "PublishChallenger": (1, 10.5),
    "ReplayRequests": (2, 10.5), "ReplayPassed": (3, 10.5), "CanaryWanted": (4, 10.5),
    "KeepChampion": (5, 10.5), "ShiftCanary": (4, 11.5), "ObserveCanary": (4, 12.5),
    "CheckCanary": (3, 12.5), "CanaryHealthy": (2, 12.5), "RollBack": (1, 12.5),
    "Promote": (2, 13.5), "RecordFailure": (1, 13.5), "Failed": (1, 14.5),
}  # fmt: skip
NEAR: dict[tuple[str, str], Point] = {
    ("MeetsObjective", "RuleSuffices"): (5, 6.25),
    ("MeetsObjective", "ReevaluateProblem"): (3, 8.42),
    ("Approved", "KeepChampion"): (0, 11.5),
    ("ReplayPassed", "RollBack"): (3, 11.5),
}

#: What is not a state: how live use starts the machine again.
LIVE: dict[str, Point] = {
    "HTTPS endpoint": (2, 14.5), "monitor": (3, 14.5), "alarms": (4, 14.5),
}  # fmt: skip

#: The way of a run that deploys a model, for the thick line.
HAPPY = (
    "Admit", "AdmittedToRun", "DefineProblem", "CollectSources", "Transform", "DataUsable",
    "FeaturesOnly", "Analyse", "IsMlNeeded", "EngineerFeatures", "ProposeTrials", "ManyTrials",
    "ExploreModels", "JudgeTrials", "AnotherRung", "TrainModel", "ScoreHoldout", "EvaluateModel",
    "MeetsObjective", "BeatsChampion", "FinalFitWanted", "FitAllRows", "CheckFinalFit",
    "ApprovalNeeded", "PublishChallenger", "ReplayRequests", "ReplayPassed", "CanaryWanted",
    "ShiftCanary", "ObserveCanary", "CheckCanary", "CanaryHealthy", "Promote",
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
        "bottom", "top", ((None, 4.35), (4.6, None), (None, 6.72), (3, None))
    ),
    ("ManyTrials", "ExploreManyModels"): Way("bottom", "left", ((None, 5.95),)),
    ("ExploreModels", "JudgeTrials"): Way("right", "left", ((3.5, None), (None, 5.95))),
    ("AnotherRung", "ProposeTrials"): Way("top", "top", ((None, 4.55), (1, None))),
    ("AnotherRung", "TrainModel"): Way("right", "top", ((4.45, None), (None, 6.52), (2, None))),
    ("MeetsObjective", "EngineerFeatures"): Way("bottom", "bottom", ((None, 7.9), (0, None))),
    ("MeetsObjective", "HaltNotEffective"): Way("bottom", "right", ((None, 8.42),)),
    ("MeetsObjective", "ReevaluateProblem"): Way("bottom", "bottom", ((None, 8.92), (3, None))),
    ("FinalFitWanted", "ApprovalNeeded"): Way(
        "bottom", "right", ((None, 9.85), (1.5, None), (None, 9.3))
    ),
    ("CanaryWanted", "Promote"): Way("right", "right", ((4.5, None), (None, 13.5))),
    ("CanaryHealthy", "ObserveCanary"): Way("top", "top", ((None, 12.05), (4, None))),
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
    ("ManyTrials", "True"): "more than 40", ("ManyTrials", ""): "up to 40",
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
    ("ReplayPassed", "passed"): "yes", ("ReplayPassed", ""): "no",
    ("CanaryHealthy", "observing"): "not known yet",
    ("CanaryHealthy", "healthy"): "yes", ("CanaryHealthy", ""): "no",
}  # fmt: skip

#: Arrows that also come back, so that one line with two heads stands for both.
BACK = frozenset({("ProblemRevised", "ReevaluateProblem"), ("Approved", "AwaitApproval")})
