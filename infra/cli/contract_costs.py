"""What a contract's choices cost beyond use, told before anything is deployed."""

from noria.contracts import Problem

# AWS Lambda's public prices of SnapStart for Python in US East (November 2026), in USD.
SNAPSHOT_PER_GB_SECOND, RESTORE_PER_GB = 0.0000015046, 0.0001397998
MONTH = 30 * 24 * 3600  # seconds
ENDPOINT_MEMORY = 2048  # MB; what the stack gives it, which imports the CDK


def costs_of(problem: Problem) -> list[str]:
    """A line for each choice that is paid for while nobody calls."""
    if not problem.deployment.snap_start:
        return []
    gigabytes = ENDPOINT_MEMORY / 1024
    month = gigabytes * SNAPSHOT_PER_GB_SECOND * MONTH
    starts = gigabytes * RESTORE_PER_GB * 1000
    return [
        f"deployment.snap_start: a snapshot of {ENDPOINT_MEMORY:,} MB costs about {month:.2f} USD "
        "a month for each published version that is kept, those for a rollback included, and "
        f"{starts:.2f} USD for 1,000 fresh processes; leave it out if first answers may take longer"
    ]
