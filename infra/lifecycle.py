"""The lifecycle, stated once: its functions with what they may do, and the machine over them."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.stages import DISK, LARGE, LONG, MEDIUM, REGISTRY, RUNS, Row, Stages
from infra.constructs.state_machines import StateKinds, standard_machine
from infra.constructs.storage import Storage
from infra.constructs.trial_maps import TrialMaps
from noria.common.batch_keys import ANSWERS, INCOMING, WORK
from noria.lifecycle.environment import FEATURES_ONLY

VERSIONS = REGISTRY + "versions.json"  # the count of model versions
PINS = REGISTRY + "served/"  # which model a version of the endpoint serves
LEASE = REGISTRY + "lease.json"
PASSING = ("clean/", "quarantine/", "raw/", RUNS)  # what a run that stores features only leaves

#: The functions, in the order of the lifecycle: each may do what its row says, and no more.
STAGES = (
    Row(name="admit", layer="serve", reads=[RUNS, REGISTRY], writes=[RUNS, REGISTRY],
        knows=["problem"]),
    Row(name="define_problem", layer="serve", reads=[RUNS, REGISTRY, "models/"],
        writes=[RUNS, REGISTRY],
        knows=["problem"]),
    Row(name="collect", layer="data", memory=MEDIUM, timeout=LONG, powers=["read_secrets"],
        reads=["incoming/", "raw/", RUNS], writes=["raw/", RUNS]),
    Row(name="transform", layer="data", memory=LARGE, timeout=LONG,
        reads=["raw/", "clean/", RUNS], writes=["clean/", "quarantine/", RUNS]),
    Row(name="analyse", layer="model", memory=LARGE, timeout=LONG,
        reads=["clean/", RUNS, REGISTRY], writes=[RUNS]),
    Row(name="ask", layer="serve", powers=["notify"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], knows=["topic"]),
    Row(name="engineer_features", layer="features", memory=LARGE, timeout=LONG, disk=DISK,
        powers=["catalog", "serve_features"],
        reads=["clean/", "features", RUNS], writes=["features", RUNS], tags=["features"]),
    Row(name="explore", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/"], writes=[RUNS, "experiments/"]),
    Row(name="search_trials", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/"], writes=[RUNS, "experiments/"]),
    Row(name="train", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/", "models/", VERSIONS], writes=[RUNS, "models/", VERSIONS]),
    Row(name="score_holdout", layer="serve", memory=MEDIUM, timeout=LONG,
        reads=[RUNS, "clean/", "models/", REGISTRY], writes=[RUNS, "models/"]),
    Row(name="evaluate", layer="model", memory=LARGE, timeout=LONG,
        reads=[RUNS, "clean/", "models/", REGISTRY], writes=[RUNS, "models/"]),
    Row(name="publish_challenger", layer="serve", timeout=LONG,
        powers=["publish", "shift", "delete_versions"], reads=[RUNS, REGISTRY], writes=[REGISTRY],
        deletes=[PINS], knows=["endpoint_function"]),
    Row(name="replay_requests", layer="serve", timeout=LONG, powers=["replay"],
        reads=[RUNS, "models/", "predictions/", REGISTRY], writes=[RUNS],
        knows=["endpoint_function"]),
    Row(name="shift_canary", layer="serve", timeout=LONG, powers=["shift"],
        reads=[RUNS], knows=["endpoint_function"]),
    Row(name="check_canary", layer="serve", timeout=LONG,
        powers=["look_at", "read_metrics", "shadow"],
        reads=[RUNS, "models/", "predictions/", REGISTRY], writes=[RUNS, LEASE],
        knows=["endpoint_function"]),
    Row(name="promote", layer="serve", timeout=LONG, powers=["publish", "shift", "notify"],
        reads=[RUNS, "models/", REGISTRY], writes=[RUNS, REGISTRY],
        knows=["endpoint_function", "topic"]),
    Row(name="roll_back", layer="serve", timeout=LONG, powers=["shift", "notify"],
        reads=[RUNS, "models/", REGISTRY], writes=[RUNS, REGISTRY],
        knows=["endpoint_function", "topic"]),
    Row(name="change_champion", layer="serve", timeout=LONG,
        powers=["publish", "shift", "delete_versions", "notify"],
        reads=["models/", REGISTRY], writes=[REGISTRY], deletes=[PINS],
        knows=["endpoint_function", "topic"]),
    Row(name="conclude", layer="serve", powers=["notify"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], tags=PASSING, knows=["topic"]),
    Row(name="record_failure", layer="serve", powers=["notify", "shift"], reads=[RUNS, REGISTRY],
        writes=[RUNS, REGISTRY], tags=PASSING, knows=["endpoint_function", "topic"]),
    Row(name="monitor", layer="data", memory=MEDIUM, timeout=LONG,
        powers=["put_metrics", "look_at"],
        reads=["incoming/", "predictions/", "labels/", "monitoring/", "models/", RUNS, REGISTRY],
        writes=["monitoring/"], knows=["problem", "endpoint_function"]),
    Row(name="backfill", layer="features", memory=LARGE, timeout=LONG, disk=DISK,
        powers=["catalog", "serve_features"],
        reads=["clean/", "features", RUNS, REGISTRY], writes=["features"],
        tags=["features"], knows=["problem"]),
    Row(name="batch_files", layer="data", memory=LARGE, timeout=LONG,
        reads=[INCOMING, WORK, ANSWERS, "models/", REGISTRY + "champion.json"],
        writes=[WORK, ANSWERS]),
    Row(name="predict_batch", layer="serve", memory=MEDIUM, timeout=LONG, powers=["look_up"],
        reads=[WORK, "models/", REGISTRY], writes=[WORK], knows=["problem"]),
)  # fmt: skip

# A contract that a person's answer makes and that is none: the person is asked again.
NOT_A_CONTRACT = ["ContractError", "ExpressionError"]


class Lifecycle(StateKinds):
    """The state machine over the stages."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stages: Stages, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id, stages=stages)
        self._trials = TrialMaps(self, "Trials", stages=stages, storage=storage)
        self._failed = self._failure_path()
        self.machine = standard_machine(self, self._definition(), timeout=cdk.Duration.days(90))

    def _definition(self) -> sfn.IChainable:
        """Read top to bottom; a choice names where it goes when, and where else."""
        admit = self._task("Admit", "admit", result="$")
        define = self._task("DefineProblem", "define_problem", result="$.problem")
        collect = self._each("CollectSources", "collect", "$.problem.sources", "$.collected")
        transform = self._task("Transform", "transform", result="$.transform")
        analyse = self._task("Analyse", "analyse", result="$.analyse")
        reevaluate = self._ask("ReevaluateProblem", result="$.answer")
        revise = self._task("ReviseProblem", "define_problem", result="$")
        export_rule = self._task("ExportRule", "train", result="$")
        store = self._task("StoreFeatures", "engineer_features", result="$.stored")
        engineer = self._task("EngineerFeatures", "engineer_features", result="$.features")
        propose = self._task("ProposeTrials", "search_trials", result="$.search")
        explore, explore_many = self._trials.few, self._trials.many
        judge = self._task("JudgeTrials", "search_trials", result="$.judge")
        train = self._task("TrainModel", "train", result="$.train")
        score = self._task("ScoreHoldout", "score_holdout", result="$.score")
        evaluate = self._task("EvaluateModel", "evaluate", result="$.evaluate")
        fit_all = self._task("FitAllRows", "train", result="$.refit")
        check_fit = self._task("CheckFinalFit", "score_holdout", result="$.final")
        approval = self._ask("AwaitApproval", result="$.approval")
        publish = self._task("PublishChallenger", "publish_challenger", result="$.publish")
        replay = self._task("ReplayRequests", "replay_requests", result="$.replay")
        shift = self._task("ShiftCanary", "shift_canary", result="$.canary")
        observe = self._wait("ObserveCanary", "$.canary.seconds")
        check = self._task("CheckCanary", "check_canary", result="$.canary")

        skipped = self._ending("Skipped")
        halt_bad_data = self._ending("HaltBadData")
        features_stored = self._ending("FeaturesStored")
        rule_suffices = self._ending("RuleSuffices")
        halt_problem = self._ending("HaltProblem")
        halt_not_effective = self._ending("HaltNotEffective")
        keep_champion = self._ending("KeepChampion")
        promote = self._ending("Promote", "promote")
        roll_back = self._ending("RollBack", "roll_back")

        admit.next(self._choice("AdmittedToRun", "$.admit.decision", {"run": define}, skipped))
        define.next(collect)
        collect.next(transform)
        wanted = self._choice("FeaturesOnly", "$.run.only", {FEATURES_ONLY: store}, analyse)
        transform.next(
            self._choice("DataUsable", "$.transform.decision", {"usable": wanted}, halt_bad_data)
        )
        store.next(features_stored)
        analyse.next(
            self._choice(
                "IsMlNeeded",
                "$.analyse.decision",
                {"go_on": engineer, "serve_rule": export_rule, "rule_suffices": rule_suffices},
                reevaluate,
            )
        )
        reevaluate.add_catch(halt_problem, errors=["States.Timeout"], result_path="$.unanswered")
        reevaluate.next(
            self._answered(
                "ProblemRevised",
                "$.answer.decision",
                {"revise": revise, "halt": halt_problem},
                reevaluate,
            )
        )
        revise.add_catch(reevaluate, errors=NOT_A_CONTRACT, result_path="$.answer")
        revise.next(collect)
        export_rule.next(score)
        engineer.next(propose)
        propose.next(self._choice("ManyTrials", "$.search.many", {True: explore_many}, explore))
        explore.next(judge)
        explore_many.next(judge)
        judge.next(
            self._choice("AnotherRung", "$.judge.decision", {"another_rung": propose}, train)
        )
        train.next(score)
        score.next(evaluate)

        approved = self._answered(
            "Approved",
            "$.approval.decision",
            {"approve": publish, "refuse": keep_champion},
            approval,
        )
        asked = self._choice("ApprovalNeeded", "$.problem.approval", {True: approval}, publish)
        fit_all.next(check_fit)
        check_fit.next(asked)
        fitted = self._choice("FinalFitWanted", "$.evaluate.final_fit", {True: fit_all}, asked)
        beats = self._choice(
            "BeatsChampion", "$.evaluate.challenger", {"wins": fitted}, keep_champion
        )
        evaluate.next(
            self._choice(
                "MeetsObjective",
                "$.evaluate.objective",
                {
                    "met": beats,
                    "try_next_recipe": engineer,
                    "rule_falls_short": rule_suffices,
                    "too_few_rows": reevaluate,
                },
                halt_not_effective,
            )
        )
        approval.add_catch(keep_champion, errors=["States.Timeout"], result_path="$.unanswered")
        approval.next(approved)

        publish.next(replay)
        tried = self._choice("CanaryWanted", "$.publish.canary", {True: shift}, promote)
        replay.next(self._choice("ReplayPassed", "$.replay.decision", {"passed": tried}, roll_back))
        shift.next(observe)
        observe.next(check)
        check.next(
            self._choice(
                "CanaryHealthy",
                "$.canary.decision",
                {"healthy": promote, "observing": observe},
                roll_back,
            )
        )
        for fitting in (fit_all, check_fit):  # the judged model is there to serve
            fitting.add_catch(asked, errors=["States.ALL"], result_path="$.not_fitted")
        for stage in (
            *(admit, define, collect, transform, store, analyse, reevaluate, revise, engineer),
            *(propose, explore, explore_many, judge, train, export_rule, score, evaluate, approval),
            *(publish, replay, shift, check, promote, roll_back, keep_champion),
            *(skipped, halt_bad_data, features_stored, rule_suffices, halt_problem),
            halt_not_effective,
        ):
            stage.add_catch(
                self._failed, errors=["States.ALL"], result_path=f"$.failure.{stage.state_id}"
            )
        return admit

    def _failure_path(self) -> sfn.IChainable:
        """Whatever fails is recorded with its stage and cause; the champion goes on serving."""
        record = self._task("RecordFailure", "record_failure", result="$.recorded")
        failed = sfn.Fail(
            self,
            "Failed",
            error="StageFailed",
            cause="A stage failed; RecordFailure's input names it under `failure`.",
        )
        record.add_catch(failed, errors=["States.ALL"], result_path="$.failure.RecordFailure")
        record.next(failed)
        return record
