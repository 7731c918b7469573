"""A run on its way to a tracking server: what is complete there is left as it is."""

from collections.abc import Mapping
from typing import Any

from noria.aws.s3 import Store
from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.core.tracking.mlflow_run import TRIAL, MlflowRun
from noria.core.tracking.model_files import DESCRIPTION, FOLDER, GRAPH, mlmodel
from noria.core.tracking.trial_runs import execution_run, trial_run
from noria.errors import TrackingError, TrackingUnavailableError
from noria.tracking.mlflow_server import RUNNING, MlflowServer
from noria.tracking.recorded_run import RecordedRun

SENT = "tracked"


class RunSending:
    """The execution, its trials below it, its model, and the model's place in the registry."""

    def __init__(self, server: MlflowServer, run: RecordedRun, store: Store, model: str) -> None:
        self._server, self._run, self._store, self._model = server, run, store, model
        self._known = server.runs_of(run.run_id)
        self._started, self._ended = (
            round(moment.timestamp() * 1000) for moment in (run.started, run.ended)
        )

    def send(self) -> Verdict:
        """Send what is not there; raises `TrackingError` where the server does not take it.

        A model that is not taken costs the trials nothing: the verdict says why.
        """
        run = self._run
        signature = run.signature.model_dump(mode="json") if run.signature else {}
        execution = execution_run(run.ending, run.problem, run.version, run.judged or {}, signature)
        info = self._begun(execution, None)
        for document in run.trials:
            trial = trial_run(document)
            begun = self._begun(trial, info["run_id"])
            self._complete(trial, begun, self._started + round(trial.seconds * 1000))
        told = self._with_model(info) if run.version else []
        self._complete(execution, info, self._ended)
        trials = counted(len(run.trials), "trial")
        at = f"experiment '{self._server.experiment}': {self._server.url(info['run_id'])}"
        return Verdict(
            decision=SENT,
            reasons=[f"{trials} in {at}", *told],
            evidence={"run": info["run_id"], "trials": len(run.trials)},
        )

    def _begun(self, run: MlflowRun, parent: str | None) -> dict[str, Any]:
        key = run.found_by[TRIAL]
        if key not in self._known:
            self._known[key] = self._server.begin(run, self._started, parent)
        return self._known[key]

    def _complete(self, run: MlflowRun, info: Mapping[str, Any], ended: int) -> None:
        """Log a run that is not complete yet, and end it."""
        if info["status"] != RUNNING:
            return
        self._server.log(run, info["run_id"], ended)
        if self._run.dataset:
            uri, sha256 = self._store.uri(self._run.dataset["key"]), self._run.dataset["sha256"]
            self._server.log_dataset(info["run_id"], self._model, uri, sha256)
        self._server.end(run, info["run_id"], ended)

    def _with_model(self, info: Mapping[str, Any]) -> list[str]:
        """Bring the version's files there, and register the version where it was promoted."""
        version = str(self._run.version)
        try:
            number = self._server.registered(self._model, info["run_id"])
            if number is None and (info["status"] == RUNNING or self._run.promoted):
                source = self._server.upload(info, FOLDER, self._files(info))
                if self._run.promoted:
                    number = self._server.register(self._model, info["run_id"], source)
            if number is None:
                return [f"version {version} was not promoted, so it is not registered"]
            self._describe(number)
        except TrackingUnavailableError:
            raise
        except TrackingError as error:
            return [f"its model is not there: {error}"]
        return [f"version {version} is version {number} of the registered model '{self._model}'"]

    def _files(self, info: Mapping[str, Any]) -> dict[str, bytes]:
        run = self._run
        if run.signature is None:
            return {}
        files = run.files(self._store)
        size = len(files[GRAPH])
        described = mlmodel(run.signature, str(info["run_id"]), run.ended, size)
        return {**files, DESCRIPTION: described}

    def _describe(self, number: str) -> None:
        """Say in the registry which version it is, whether it serves, and that it never shall."""
        run = self._run
        tags = {"noria.version": str(run.version), "noria.run": run.run_id}
        tags |= {"noria.retired": run.retired} if run.retired else {}
        self._server.tag_version(self._model, number, tags)
        if run.serving:
            self._server.name_champion(self._model, number)
