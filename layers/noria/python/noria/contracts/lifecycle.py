"""What happens to a model once it is good: deployment, watching, the next training run, growing."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from noria.common.answer_limits import MOST_CLASSES
from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.field_types import Duration, Section, format_duration, lasting


def _schedulable(value: timedelta) -> timedelta:
    if value < timedelta(minutes=1) or value.total_seconds() % 60:
        raise ValueError("every is a whole number of minutes, 1m or more")
    return value


class Canary(Section):
    """The share of live traffic that a new version gets first, and for how long."""

    share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the requests. AWS CodeDeploy's predefined canaries take a tenth."""
    minutes: float = Field(default=10, ge=0, le=1440)
    """How long, in minutes: CodeDeploy's predefined ones take 5, 10, 15 or 30."""
    minimum_requests: int = Field(default=100, ge=0)
    """Requests that it answers before it is judged. Convention: of 100 a failure rate of 3 % or
    more shows itself with a probability of 0.95 (1 - 0.97^100)."""
    patience: Duration = lasting("1h")
    """How long it waits for that many, `minutes` included; then the replay alone has judged it."""

    @property
    def longest(self) -> timedelta:
        """How long it takes at most."""
        return max(timedelta(minutes=self.minutes), self.patience)


class Deployment(Section):
    """How the endpoint is protected and how a new version reaches it."""

    auth: Literal["iam", "jwt"] = "iam"
    """Who may call: requests signed with AWS credentials (iam), or with an identity provider's
    token (jwt)."""
    jwt_issuer: str | None = None
    """The provider's address, which its tokens name as iss; for auth: jwt."""
    jwt_audience: list[str] = []
    """The audiences (aud) that a token may name; for auth: jwt."""
    approval: bool = False
    """Whether a person approves a model before it is deployed."""
    canary: Canary | None = Canary()
    """How a new version is tried on a share of live traffic first; null for all at once."""
    shadow: bool = False
    """Whether the canary gets copies of live requests in place of a share of them: its answers
    reach no caller before it is promoted."""
    most_classes: int = Field(default=MOST_CLASSES, ge=1)
    """Classes whose probability an answer names, the most probable first, where the target has
    more; the log keeps all. Convention: what a person reads at a glance."""
    snap_start: bool = False
    """Whether a fresh process of the endpoint starts from a snapshot of one with its model loaded
    (AWS Lambda SnapStart). That costs about 7.80 USD a month for each published version that is
    kept, and 0.28 USD for 1,000 such starts (AWS's public prices); a new version takes minutes."""

    @reads("auth", "jwt_issuer", "jwt_audience")
    def _jwt_is_complete(self) -> FieldErrors:
        if self.auth == "jwt" and not (self.jwt_issuer and self.jwt_audience):
            yield "", "auth: jwt needs jwt_issuer and jwt_audience"

    @reads("shadow", "canary")
    def _shadow_lasts(self) -> FieldErrors:
        if self.shadow and self.canary is None:
            told = "shadow: true needs a canary, whose minutes, minimum_requests and patience say "
            yield "", told + "how long: write for example canary: {minutes: 10}"


class Monitoring(Section):
    """How often live use is compared with training, and what is too far away."""

    every: Annotated[Duration, AfterValidator(_schedulable)] = lasting("1h")
    """How often live inputs, predictions and labels are looked at: whole minutes."""
    drift: float = Field(default=0.2, gt=0)
    """Population stability index above which live data have moved: 0.1 is called a small shift and
    0.25 a large one (Siddiqi 2006, "Credit Risk Scorecards"). Corrected for the number of rows."""
    label_delay: Duration = lasting("1d")
    """How long after a prediction its true outcome is known."""
    label_window: Duration | None = None
    """How long a prediction waits for its label, and a label for its prediction (default: 30d, or
    twice `label_delay`). Convention: a month; what comes later tells of a model that is gone."""
    minimum_predictions: int = Field(default=200, ge=20)
    """Predictions below which drift is not measured. Convention: with ten bins their chance alone
    moves the index by 0.05, a quarter of `drift` (Yurdakul and Naranjo 2020)."""
    minimum_labels: int = Field(default=200, ge=20)
    """Labelled predictions below which a metric of classes is not told. Convention: with 200 a
    share of a half is known to 0.07 (1.96 standard errors)."""
    minimum_values: int = Field(default=50, ge=10)
    """Labelled predictions below which a metric of numbers is not told. Convention: with 50 an RMSE
    is known to a tenth (1 / sqrt(2n), normal errors)."""
    quality_floor: float | None = None
    """What the objective's metric must reach on live predictions whose outcomes are known."""

    @reads("label_window", "label_delay")
    def _waits_long_enough(self) -> FieldErrors:
        if self.label_window is not None and self.label_window <= self.label_delay:
            told = (
                f"label_window {format_duration(self.label_window)} ends before labels come, after "
                f"label_delay {format_duration(self.label_delay)}: widen it"
            )
            yield "", told

    @property
    def waiting(self) -> timedelta:
        """How long a prediction waits for its label."""
        return self.label_window or max(timedelta(days=30), 2 * self.label_delay)


class Retraining(Section):
    """What starts a training run, and what holds it back."""

    on: list[Literal["drift", "quality", "new_rows", "age"]] = [
        "drift",
        "quality",
        "new_rows",
        "age",
    ]
    """The causes that start a training run."""
    new_rows: int = Field(default=20_000, ge=1)
    """Rows since the champion's training from which there are enough new ones."""
    maximum_age: Duration = lasting("90d")
    """Age of the champion from which it is trained again. Convention: a season."""
    cooldown: Duration = lasting("6h")
    """Time that passes between two training runs, whatever alarms say."""
    monthly_runs: int = Field(default=30, ge=1)
    """Training runs in 30 days, at most, whoever starts them. Convention: one a day."""
    stop_after_failed_challengers: int = Field(default=3, ge=1)
    """Challengers in a row that do not beat the champion, after which no alarm starts a training
    run until a person does."""


LARGEST_MEMORY = 10_240  # MB, Lambda's limit


class Scaling(Section):
    """When work is too large for Lambda, with its 10 GB and 15 minutes."""

    memory: int = Field(default=3008, ge=1024, le=LARGEST_MEMORY)
    """MB that the functions that hold all rows get: new AWS accounts allow 3,008, older ones up to
    10,240 (AWS Lambda's quotas)."""
    lambda_rows: int = Field(default=4_000_000, ge=1000)
    """Collected rows of all sources that 10,240 MB take, as `make bench` measured on the flights of
    2013; less memory takes proportionally fewer."""

    def rows_in(self, memory: int) -> int:
        """How many rows a function of so many MB takes."""
        return int(self.lambda_rows * min(1.0, memory / LARGEST_MEMORY))
