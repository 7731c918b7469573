"""The monitor's look at what serves: seen at each tick, and mended by whoever may change it.

The monitor may change nothing of the endpoint. It calls the function that changes champions by
hand, which waits for no run: while one holds the lease, the run itself is who comes next.
"""

import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from noria.aws.clients import client
from noria.aws.lambda_versions import EndpointFunction
from noria.aws.model_registry import Champion
from noria.aws.run_lease import LeaseBook
from noria.aws.s3 import Store
from noria.lifecycle.champion_agreement import Agreement, ServedChampion
from noria.lifecycle.environment import CHAMPION_MISMATCH, Environment

PAUSE = 2.0  # seconds, in which a promotion moves the alias after the registry's pointer
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChampionWatch:
    """The endpoint beside the registry, and the function that mends."""

    served: ServedChampion
    leases: LeaseBook
    lambda_client: Any
    keeper: str

    @classmethod
    def open(cls, store: Store, environment: Environment) -> "ChampionWatch":
        """Take the process's environment."""
        aws_lambda = client("lambda")
        endpoint = EndpointFunction(aws_lambda, environment.endpoint_function, environment.alias)
        served = ServedChampion.open(endpoint, store, environment)
        return cls(served, LeaseBook(store), aws_lambda, environment.keeper)

    def look(self, champion: Champion) -> dict[str, float]:
        """Compare what serves with the registry, and have it mended; returns the metric by name.

        1 says that the endpoint answered by another model than the champion when it was looked at.
        """
        seen = self.served.compare(champion)
        if not seen.holds:
            time.sleep(PAUSE)
            seen = self.served.compare(self.served.registry.champion() or champion)
        if not seen.holds:
            logger.warning("the endpoint serves another model", extra={"reason": seen.sentence()})
        if self._is_to_mend(seen):
            self._mend(seen)
        return {CHAMPION_MISMATCH: float(not seen.holds)}

    def _is_to_mend(self, seen: Agreement) -> bool:
        """Whether something is wrong that no run is in the middle of, as it is of its canary."""
        if seen.holds and seen.settled and not seen.shared:
            return False
        return not self.leases.current().is_held(datetime.now(UTC))

    def _mend(self, seen: Agreement) -> None:
        event = {
            "action": "agree", "reason": seen.sentence(), "by": "the monitor",
            "token": f"{datetime.now(UTC):%Y%m%dT%H%M%S}",
        }  # fmt: skip
        try:
            self.lambda_client.invoke(
                FunctionName=self.keeper, InvocationType="Event", Payload=json.dumps(event)
            )
        except (ClientError, BotoCoreError) as error:  # the next tick asks again, and people know
            logger.exception("nobody could be asked to mend it", extra={"reason": str(error)})
