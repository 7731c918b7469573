"""Old versions of the endpoint are deleted, with their pins: SnapStart bills for each that is left.

Beside the last ten stay those that traffic may come to: what an alias points to or weighs, what the
champion and the one before it were promoted with, and what a stack update may go back to.
"""

import logging
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from noria.aws.lambda_answers import PublishedVersion
from noria.lifecycle.champion_agreement import ServedChampion

KEPT = 10
_PROMOTIONS, _DEPLOYMENTS = 2, 2  # the one of now and the one before
logger = logging.getLogger(__name__)


def delete_old_versions(served: ServedChampion) -> list[str]:
    """Delete the versions that are old, for whoever holds the run's lease; returns their numbers.

    What serves is not held up: where Lambda or S3 refuses, the next publication tries again.
    """
    try:
        return [number for number in _old(served) if _deleted(served, number)]
    except (ClientError, BotoCoreError) as error:
        logger.warning("old versions were not deleted", extra={"reason": str(error)})
        return []


def _old(served: ServedChampion) -> list[str]:
    versions = served.endpoint.versions()
    if len(versions) <= KEPT:
        return []
    promoted = served.registry.promotions()[-_PROMOTIONS:]
    kept = {
        *(one.number for one in versions[-KEPT:]),
        *(one.function_version for one in promoted),
        *_deployed(versions, served.endpoint.latest()),
        *served.endpoint.routed(),
    }
    return [one.number for one in versions if one.number not in kept]


def _deployed(versions: Sequence[PublishedVersion], latest: PublishedVersion) -> list[str]:
    """The versions that a stack update may go back to: a failed one points the alias to them."""
    deployed = [one for one in versions if one.follows_champion]
    current = [one.number for one in deployed if one.settings == latest.settings]
    return [*current, *(one.number for one in deployed[-_DEPLOYMENTS:])]


def _deleted(served: ServedChampion, number: str) -> bool:
    if not served.endpoint.delete(number):
        return False
    served.pins.forget(number)
    return True
