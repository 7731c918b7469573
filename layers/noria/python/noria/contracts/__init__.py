"""The problem contract: one YAML file that says everything the machine will do.

Each field's meaning and default is stated here once; the JSON Schema, the state machine's
conditions, the alarms, the schedules and the endpoint are made from it.
"""

from noria.common.metric_table import Task
from noria.contracts.analysis import Analysis
from noria.contracts.features import Features, RecipeName, Window
from noria.contracts.field_types import Duration, Section, format_duration, parse_duration
from noria.contracts.lifecycle import (
    LARGEST_MEMORY,
    Canary,
    Deployment,
    Monitoring,
    Retraining,
    Scaling,
)
from noria.contracts.model_search import Exploration
from noria.contracts.objective import METRICS_OF, Baseline, Evaluation, Metric, Objective, Slice
from noria.contracts.problem import Problem, Target
from noria.contracts.quality import ColumnRule, Fill, Quality
from noria.contracts.sources import (
    DatabaseSource,
    Filter,
    GoogleSheetSource,
    HttpSource,
    Join,
    S3Source,
    Source,
)
from noria.contracts.tracking import MlflowTracking

__all__ = [
    "LARGEST_MEMORY",
    "METRICS_OF",
    "Analysis",
    "Baseline",
    "Canary",
    "ColumnRule",
    "DatabaseSource",
    "Deployment",
    "Duration",
    "Evaluation",
    "Exploration",
    "Features",
    "Fill",
    "Filter",
    "GoogleSheetSource",
    "HttpSource",
    "Join",
    "Metric",
    "MlflowTracking",
    "Monitoring",
    "Objective",
    "Problem",
    "Quality",
    "RecipeName",
    "Retraining",
    "S3Source",
    "Scaling",
    "Section",
    "Slice",
    "Source",
    "Target",
    "Task",
    "Window",
    "format_duration",
    "parse_duration",
]
