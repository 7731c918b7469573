"""What ydata-profiling runs in an environment of its own, which has pandas 2."""

from pathlib import Path

REPORT = Path(__file__).with_name("ydata") / "report.py"
# It would report its use to its makers, draw bars, and warn of its successor.
SETTINGS = {
    "YDATA_PROFILING_NO_ANALYTICS": "true",
    "TQDM_DISABLE": "1",
    "PYTHONWARNINGS": "ignore",
}
