"""The machine: the lifecycle, stated once, in the order in which it happens."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.stages import Stages
from infra.constructs.state_machines import CONTEXT, invoke, payload_of, retrying, standard_machine
from noria.lifecycle.environment import FEATURES_ONLY

PATIENCE = cdk.Duration.days(30)  # for a person's answer
SIDE_BY_SIDE = 4

# A contract that a person's answer makes and that is none: the person is asked again.
NOT_A_CONTRACT = ["ContractError", "ExpressionError"]

Target = sfn.IChainable


class Lifecycle(Construct):
    """The state machine over the stages."""

    def __init__(self, scope: Construct, construct_id: str, *, stages: Stages) -> None:
        super().__init__(scope, construct_id)
        self._stages = stages
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
        revise = self._task("ReviseProblem", "define_problem", result="$.problem")
        export_rule = self._task("ExportRule", "train", result="$")
        store = self._task("StoreFeatures", "engineer_features", result="$.stored")
        engineer = self._task("EngineerFeatures", "engineer_features", result="$.features")
        explore = self._each("ExploreModels", "explore", "$.features.candidates", "$.explore")
        train = self._task("TrainModel", "train", result="$.train")
        score = self._task("ScoreHoldout", "score_holdout", result="$.score")
        evaluate = self._task("EvaluateModel", "evaluate", result="$.evaluate")
        approval = self._ask("AwaitApproval", result="$.approval")
        publish = self._task("PublishChallenger", "publish_challenger", result="$.publish")
        shift = self._task("ShiftCanary", "shift_canary", result="$.shift")
        observe = self._wait("ObserveCanary", "$.publish.canary_seconds")
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
        engineer.next(explore)
        explore.next(train)
        train.next(score)
        score.next(evaluate)

        approved = self._answered(
            "Approved",
            "$.approval.decision",
            {"approve": publish, "refuse": keep_champion},
            approval,
        )
        asked = self._choice("ApprovalNeeded", "$.problem.approval", {True: approval}, publish)
        beats = self._choice(
            "BeatsChampion", "$.evaluate.challenger", {"wins": asked}, keep_champion
        )
        evaluate.next(
            self._choice(
                "MeetsObjective",
                "$.evaluate.objective",
                {"met": beats, "try_next_recipe": engineer, "rule_falls_short": rule_suffices},
                halt_not_effective,
            )
        )
        approval.add_catch(keep_champion, errors=["States.Timeout"], result_path="$.unanswered")
        approval.next(approved)

        publish.next(self._choice("CanaryWanted", "$.publish.canary", {True: shift}, promote))
        shift.next(observe)
        observe.next(check)
        check.next(
            self._choice("CanaryHealthy", "$.canary.decision", {"healthy": promote}, roll_back)
        )
        for stage in (
            *(admit, define, collect, transform, store, analyse, reevaluate, revise, engineer),
            *(explore, train, export_rule, score, evaluate, approval, publish, shift, check),
            *(skipped, halt_bad_data, features_stored, rule_suffices, halt_problem),
            *(halt_not_effective, keep_champion, promote, roll_back),
        ):
            stage.add_catch(
                self._failed, errors=["States.ALL"], result_path=f"$.failure.{stage.state_id}"
            )
        return admit

    # -- the kinds of states ---------------------------------------------------------------------

    def _task(self, name: str, handler: str, *, result: str) -> tasks.LambdaInvoke:
        """A stage: its answer is stored at `result` of the state."""
        return self._invoke(name, handler, result_path=result)

    def _ending(self, name: str, handler: str = "conclude") -> tasks.LambdaInvoke:
        """Where the machine ends as it is meant to: the reason is recorded, the lease released."""
        return self._invoke(name, handler)

    def _each(self, name: str, handler: str, items: str, result: str) -> sfn.Map:
        """The same stage for each item, side by side."""
        stage = sfn.Map(
            self,
            name,
            items_path=items,
            item_selector={
                "state.$": "$$.State.Name",
                "item.$": "$$.Map.Item.Value",
                "input.$": "$",
            },
            max_concurrency=SIDE_BY_SIDE,
            result_path=result,
        )
        payload = CONTEXT | {"state.$": "$.state", "item.$": "$.item", "input.$": "$.input"}
        return stage.item_processor(self._invoke(f"{name}Item", handler, payload=payload))

    def _ask(self, name: str, *, result: str) -> tasks.LambdaInvoke:
        """A question to a person: the machine waits for the answer that comes with the token."""
        return retrying(
            tasks.LambdaInvoke(
                self,
                name,
                lambda_function=self._stages["ask"],
                integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
                payload=payload_of(CONTEXT | {"token.$": "$$.Task.Token", "input.$": "$"}),
                task_timeout=sfn.Timeout.duration(PATIENCE),
                result_path=result,
                retry_on_service_exceptions=False,
            )
        )

    def _wait(self, name: str, seconds: str) -> sfn.Wait:
        return sfn.Wait(self, name, time=sfn.WaitTime.seconds_path(seconds))

    def _choice(
        self, name: str, field: str, ways: Mapping[str | bool, Target], otherwise: Target
    ) -> sfn.Choice:
        choice = sfn.Choice(self, name)
        for value, target in ways.items():
            choice.when(_equals(field, value), target)
        return choice.otherwise(otherwise)

    def _answered(
        self, name: str, field: str, ways: Mapping[str, Target], ask_again: Target
    ) -> sfn.Choice:
        """A person's decision; whatever is none, or is no decision at all, is asked for again."""
        choice = sfn.Choice(self, name)
        for value, target in ways.items():
            given = sfn.Condition.is_present(field)
            choice.when(sfn.Condition.and_(given, _equals(field, value)), target)
        return choice.otherwise(ask_again)

    def _invoke(
        self, name: str, handler: str, *, payload: Mapping[str, Any] | None = None, **task: Any
    ) -> tasks.LambdaInvoke:
        told = payload or CONTEXT | {"input.$": "$"}
        return invoke(self, name, self._stages[handler], told, **task)

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


def _equals(field: str, value: str | bool) -> sfn.Condition:
    if isinstance(value, bool):
        return sfn.Condition.boolean_equals(field, value)
    return sfn.Condition.string_equals(field, value)
