"""A tracking server as runs are sent to it: every step finds what an earlier delivery left."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from noria.core.tracking.mlflow_run import PARENT, RUN, TRIAL, MlflowRun
from noria.errors import TrackingError
from noria.tracking.mlflow_api import EXISTS, MISSING, MlflowApi, MlflowRefusal

PROXIED = "mlflow-artifacts"  # the scheme of artifacts that the server takes itself
RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
CHAMPION = "champion"
PAGE = 1000


class MlflowServer:
    """One experiment of one server."""

    def __init__(self, api: MlflowApi, experiment: str) -> None:
        self._api = api
        self.experiment = experiment
        self._experiment_id = self._find_experiment()

    def url(self, run_id: str) -> str:
        """Where people see a run."""
        return f"{self._api.tracking_uri}/#/experiments/{self._experiment_id}/runs/{run_id}"

    def runs_of(self, execution: str) -> dict[str, dict[str, Any]]:
        """What is there of an execution: the `info` of its runs by their trials, "" its own."""
        found: dict[str, dict[str, Any]] = {}
        page: dict[str, str] = {}
        while True:
            answer = self._api.post(
                "runs/search",
                experiment_ids=[self._experiment_id],
                filter=f'tags.`{RUN}` = "{execution}"',
                max_results=PAGE,
                order_by=["attributes.start_time ASC"],
                **page,
            )
            for run in answer.get("runs", []):
                tags = {one["key"]: one["value"] for one in run["data"].get("tags", [])}
                found.setdefault(tags.get(TRIAL, ""), run["info"])
            if not answer.get("next_page_token"):
                return found
            page = {"page_token": answer["next_page_token"]}

    def begin(self, run: MlflowRun, started: int, parent: str | None = None) -> dict[str, Any]:
        """Create a run with the tags by which it is found again; returns its `info`."""
        tags = {**run.found_by, **({PARENT: parent} if parent else {})}
        answer = self._api.post(
            "runs/create",
            experiment_id=self._experiment_id,
            run_name=run.name,
            start_time=started,
            tags=[{"key": key, "value": value} for key, value in tags.items() if value],
        )
        info: dict[str, Any] = answer["run"]["info"]
        return info

    def log(self, run: MlflowRun, run_id: str, timestamp: int) -> None:
        """Write parameters, metrics and tags; the same again changes nothing."""
        for batch in run.batches(timestamp):
            self._api.post("runs/log-batch", run_id=run_id, **batch)

    def log_dataset(self, run_id: str, name: str, uri: str, sha256: str) -> None:
        """Name the data that a run learnt from, by address and digest (36 letters at most)."""
        dataset = {"name": name, "digest": sha256[:36], "source_type": "s3", "source": uri}
        tags = [{"key": "mlflow.data.context", "value": "training"}]
        inputs = [{"tags": tags, "dataset": dataset}]
        self._api.post("runs/log-inputs", run_id=run_id, datasets=inputs)

    def end(self, run: MlflowRun, run_id: str, ended: int) -> None:
        """Say that a run is complete: only then it is not sent again."""
        status = FAILED if run.failed else FINISHED
        self._api.post("runs/update", run_id=run_id, status=status, end_time=ended)

    def upload(self, info: Mapping[str, Any], folder: str, files: Mapping[str, bytes]) -> str:
        """Put files into a folder of a run's artifacts; returns its address."""
        address = urlsplit(str(info["artifact_uri"]))
        if address.scheme != PROXIED:
            raise TrackingError(
                f"'{self._api.tracking_uri}' keeps artifacts at '{info['artifact_uri']}' and takes "
                "none itself; start the server with --serve-artifacts and make a new experiment"
            )
        for name, content in files.items():
            self._api.upload(f"{address.path.strip('/')}/{folder}/{name}", content)
        return f"{info['artifact_uri']}/{folder}"

    def registered(self, name: str, run_id: str) -> str | None:
        """The number of the registered model's version that is of a run, if there is one."""
        answer = self._api.get("model-versions/search", filter=f"run_id = '{run_id}'")
        versions: Iterable[Mapping[str, Any]] = answer.get("model_versions", [])
        return next((str(one["version"]) for one in versions if one["name"] == name), None)

    def register(self, name: str, run_id: str, source: str) -> str:
        """Make a version of a registered model of what a run's artifacts hold; its number."""
        self._once("registered-models/create", name=name)
        answer = self._api.post("model-versions/create", name=name, source=source, run_id=run_id)
        return str(answer["model_version"]["version"])

    def tag_version(self, name: str, number: str, tags: Mapping[str, str]) -> None:
        """Set tags of a model version."""
        for key, value in tags.items():
            self._api.post(
                "model-versions/set-tag", name=name, version=number, key=key, value=value
            )

    def name_champion(self, name: str, number: str) -> None:
        """Point the alias `champion` to a model version."""
        self._api.post("registered-models/alias", name=name, alias=CHAMPION, version=number)

    def _find_experiment(self) -> str:
        for _ in range(2):  # another may make it in between
            try:
                found = self._api.get("experiments/get-by-name", experiment_name=self.experiment)
            except MlflowRefusal as error:
                if error.code != MISSING:
                    raise
                self._once("experiments/create", name=self.experiment)
                continue
            if found["experiment"].get("lifecycle_stage") == "deleted":
                raise TrackingError(
                    f"experiment '{self.experiment}' was deleted on '{self._api.tracking_uri}'; "
                    "restore it there, or name another one in mlflow.experiment"
                )
            return str(found["experiment"]["experiment_id"])
        raise TrackingError(
            f"experiment '{self.experiment}' cannot be made on '{self._api.tracking_uri}'; make it "
            "there, or name another one in mlflow.experiment"
        )

    def _once(self, call: str, **body: Any) -> None:
        """Make what may be there already."""
        try:
            self._api.post(call, **body)
        except MlflowRefusal as error:
            if error.code != EXISTS:
                raise
