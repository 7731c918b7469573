"""What a handler opens first: its environment, its event, its run and the facades it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from noria.aws.clients import client
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import Registry
from noria.aws.run_folder import RunFolder
from noria.aws.run_lease import DURATION, LeaseBook
from noria.aws.s3 import Store
from noria.aws.sns import Topic
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.errors import LeaseError
from noria.lifecycle.champion_agreement import ServedChampion
from noria.lifecycle.environment import Environment, StageEvent
from noria.lifecycle.stage_logging import note

HISTORY = "history.json"  # of a run: how its dataset's history is looked up


@dataclass(frozen=True)
class Stage:
    """One invocation of one stage."""

    event: StageEvent
    environment: Environment

    @classmethod
    def open(cls, event: Mapping[str, Any]) -> "Stage":
        """Parse a handler's event and the process's environment."""
        return cls(StageEvent.model_validate(event), Environment.read())

    @cached_property
    def store(self) -> Store:
        """The stack's bucket."""
        return Store(client("s3"), self.environment.bucket)

    @cached_property
    def run(self) -> RunFolder:
        """The run's own folder."""
        return RunFolder(self.store, self.event.execution)

    @cached_property
    def registry(self) -> Registry:
        """The model registry."""
        return Registry(self.store)

    @cached_property
    def leases(self) -> LeaseBook:
        """The run lease."""
        return LeaseBook(self.store)

    def retake_lease(self, longer: timedelta = timedelta()) -> None:
        """Take the lease back, which a run gives up while a person decides.

        It is believed for the usual time and `longer`, as a canary may take a day.
        """
        leases = LeaseBook(self.store, DURATION + longer)
        holder = leases.acquire(self.event.execution, datetime.now(UTC)).holder
        if holder != self.event.execution:
            raise LeaseError(
                f"run '{holder}' started while this one waited for an answer; start a new "
                "execution when it has ended"
            )

    @cached_property
    def topic(self) -> Topic:
        """The topic that people listen to."""
        return Topic(client("sns"), self.environment.topic)

    @cached_property
    def endpoint(self) -> EndpointFunction:
        """The endpoint's function and alias."""
        return EndpointFunction(
            client("lambda"), self.environment.endpoint_function, self.environment.alias
        )

    @cached_property
    def served(self) -> ServedChampion:
        """What the endpoint serves, beside the registry."""
        return ServedChampion.open(self.endpoint, self.store, self.environment)

    @cached_property
    def problem(self) -> Problem:
        """The contract of this run, as DefineProblem validated it."""
        return Problem.parse(self.store.get_json(self.run.key("problem.json")))

    @property
    def feature_set(self) -> str | None:
        """The name of the feature set that this run's rows go into, if DefineProblem named it."""
        name = self.event.result("problem").get("feature_set")
        return None if name is None else str(name)

    @property
    def feature_notes(self) -> list[str]:
        """What DefineProblem has to say of the feature set."""
        return list(self.event.result("problem").get("notes", []))

    @property
    def iteration(self) -> int:
        """The iteration of the feature-engineering loop, 1 for the first."""
        return self.event.iteration

    @property
    def version(self) -> str:
        """The model version that this iteration trained."""
        return str(self.event.result("train")["version"])

    def dataset(self) -> bytes:
        """The dataset of this run, with its history once EngineerFeatures has added it."""
        return self.store.get(self.dataset_key)

    @property
    def dataset_key(self) -> str:
        """Where this run's dataset is: as Transform wrote it, without leaks, or with history."""
        later = (self.event.result(name).get("dataset") for name in ("features", "analyse"))
        return str(next(filter(None, later), self.clean_key))

    @property
    def clean_key(self) -> str:
        """Where Transform writes this run's dataset."""
        return f"clean/run={self.event.execution}/dataset.npz"

    @property
    def without_leaks_key(self) -> str:
        """Where this run's dataset without the columns that give the target away is."""
        return self.run.key("without_leaks.npz")

    @property
    def expanded_key(self) -> str:
        """Where this run's dataset with the history of its entities is."""
        return self.run.key("expanded.npz")

    @property
    def holdout_requests_key(self) -> str:
        """Where this iteration's rows of the holdout are as requests, with their answers."""
        return self.run.iteration_key(self.iteration, "holdout_requests.json")

    def plan_key(self, recipe: str, iteration: int | None = None) -> str:
        """Where an iteration's plan of a recipe is; that of the winner is `plan.json` as well."""
        name = f"plans/{recipe.replace('+', '.')}.json"
        return self.run.iteration_key(iteration or self.iteration, name)

    def final_fit_key(self, name: str) -> str:
        """Where a file of this iteration's fit on all rows is."""
        return self.run.iteration_key(self.iteration, f"final_fit/{name}")

    def decided(self, verdict: Verdict, state: str | None = None) -> dict[str, Any]:
        """Record a verdict and return the part of it that the state machine carries."""
        if state in (None, self.event.state):
            note(decision=verdict.decision)
        document = verdict.model_dump(mode="json")
        self.run.record_verdict(state or self.event.state, self.iteration, document)
        return {"decision": verdict.decision, "reasons": verdict.reasons[:3]}
