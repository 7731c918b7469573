"""Sending runs to the contract's tracking server, again and again until all of each is there.

A run costs nothing where the server is down: it has ended by then, and the next one sends what is
missing. What was sent is found by its tags and not sent twice.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from noria.aws.model_registry import Registry
from noria.aws.run_folder import RunFolder
from noria.aws.run_lease import LeaseBook
from noria.aws.run_log import RunLog
from noria.aws.s3 import Store
from noria.common.backoff import Backoff
from noria.common.verdict import Verdict
from noria.contracts import MlflowTracking, Problem
from noria.errors import (
    LeaseError,
    RegistryError,
    SourceError,
    TrackingError,
    TrackingUnavailableError,
)
from noria.tracking.mlflow_api import MlflowApi
from noria.tracking.mlflow_server import MlflowServer
from noria.tracking.recorded_run import RecordedRun
from noria.tracking.run_sending import RunSending

STATE = "TrackRun"
LEASE = "registry/tracking_lease.json"  # two deliveries at once would make each run twice
SECONDS = 600.0  # of an invocation, for all that it sends
MOST_MISSED = 20  # of the latest runs, those that are not there yet
RETRIES = Backoff(attempts=3, first=1.0, longest=5.0)
#: A version that is damaged, or was made by other code than this.
UNREADABLE = (RegistryError, ValueError, LookupError)
NOT_SENT, NOTHING = "not_tracked", "nothing_to_track"

Secrets = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class RunTracking:
    """One invocation: the deployed contract, the bucket, and how secrets are read."""

    problem: Problem
    store: Store
    secrets: Secrets
    retries: Backoff = RETRIES

    def track(self, run_id: str) -> Verdict:
        """Send a run, then what others left undone; the verdict is that of the run asked for.

        Raises `TrackingError` before the run has recorded its end, as its event may come first, and
        `LeaseError` while another delivery sends: Lambda then delivers this one later.
        """
        if self._is_logged(run_id) and RunFolder(self.store, run_id).ending() is None:
            raise TrackingError(f"run '{run_id}' has not ended yet; it is tried again later")
        leases = LeaseBook(self.store, timedelta(seconds=2 * SECONDS), LEASE)
        holder = uuid4().hex
        if leases.acquire(holder, datetime.now(UTC)).holder != holder:
            raise LeaseError(f"runs are being tracked already; run '{run_id}' is tried again later")
        deadline = time.monotonic() + SECONDS
        try:
            verdict = last = self._recorded(run_id, deadline)
            for other in self._others(run_id):
                if last.evidence.get("unavailable"):
                    break
                last = self._recorded(other, deadline)
        finally:
            leases.release(holder)
        return verdict

    def _others(self, run_id: str) -> list[str]:
        """The champion's run, as a person may have changed it, and those that are not sent yet."""
        champion = Registry(self.store).champion()
        latest = RunLog(self.store).entries()[-MOST_MISSED:]
        missed = [one["run_id"] for one in latest if one.get("ending") and not one.get("tracked")]
        found = dict.fromkeys([*([champion.run_id] if champion else []), *missed])
        return [one for one in found if one != run_id]

    def _recorded(self, run_id: str, deadline: float) -> Verdict:
        """Send a run and note what came of it, in its folder and in the log of runs."""
        verdict = Verdict(decision=NOTHING, reasons=["no model was tried"])
        try:
            run = RecordedRun.read(self.store, run_id)
            if run is not None and (run.trials or run.version):
                verdict = self._sent(run, deadline)
                document = verdict.model_dump(mode="json")
                RunFolder(self.store, run_id).record_verdict(STATE, run.iteration, document)
        except UNREADABLE as error:  # the other runs are sent all the same
            told = f"what run '{run_id}' recorded cannot be read: {error}"
            verdict = Verdict(decision=NOT_SENT, reasons=[told])
        if self._is_logged(run_id):
            RunLog(self.store).record(run_id, tracked=verdict.decision != NOT_SENT)
        return verdict

    def _is_logged(self, run_id: str) -> bool:
        return any(one["run_id"] == run_id for one in RunLog(self.store).entries())

    def _sent(self, run: RecordedRun, deadline: float) -> Verdict:
        """Try some times where the server is not there; each goes on where the last broke off."""
        told = ""
        for _ in self.retries:
            try:
                return self._send(run, deadline)
            except TrackingUnavailableError as error:
                told = str(error)
            except (TrackingError, SourceError) as error:
                return Verdict(decision=NOT_SENT, reasons=[str(error)])
        return Verdict(decision=NOT_SENT, reasons=[told], evidence={"unavailable": True})

    def _send(self, run: RecordedRun, deadline: float) -> Verdict:
        wanted = self._wanted
        secret = self.secrets(wanted.secret) if wanted.secret else {}
        with closing(MlflowApi(wanted.tracking_uri, secret, deadline)) as api:
            server = MlflowServer(api, wanted.experiment or self.problem.name)
            return RunSending(server, run, self.store, self.problem.name).send()

    @property
    def _wanted(self) -> MlflowTracking:
        if self.problem.mlflow is None:
            raise TrackingError("the contract has no mlflow: name its tracking_uri and deploy it")
        return self.problem.mlflow
