"""The run lease: one execution at a time, held in S3 by compare and swap."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.aws.s3 import Store

KEY = "registry/lease.json"
DURATION = timedelta(hours=12)


class Lease(BaseModel):
    """Who holds the lease, and until when it is believed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    holder: str | None = None
    expires_at: datetime | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether somebody holds it; a holder that died loses it at its expiry."""
        return self.holder is not None and self.expires_at is not None and now < self.expires_at


class LeaseBook:
    """Acquire and release; both can be repeated by the same holder."""

    def __init__(self, store: Store, duration: timedelta = DURATION, key: str = KEY) -> None:
        self._store = store
        self._duration = duration
        self._key = key

    def acquire(self, holder: str, now: datetime) -> Lease:
        """Take the lease if it is free; the answer's `holder` tells who has it now."""
        wanted = Lease(holder=holder, expires_at=now + self._duration).model_dump(mode="json")

        def take(stored: Any) -> Any:
            current = Lease.model_validate(stored or {})
            return None if current.is_held(now) and current.holder != holder else wanted

        return Lease.model_validate(self._store.update(self._key, take))

    def release(self, holder: str) -> None:
        """Give the lease back if `holder` has it."""

        def give_back(stored: Any) -> Any:
            held = Lease.model_validate(stored or {}).holder == holder
            return Lease().model_dump(mode="json") if held else None

        self._store.update(self._key, give_back)

    def current(self) -> Lease:
        """The lease as it stands."""
        return Lease.model_validate(self._store.get_json(self._key, {}))
