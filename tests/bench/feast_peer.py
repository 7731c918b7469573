"""What Feast runs in an environment of its own."""

from pathlib import Path

FOLDER = Path(__file__).with_name("feast")
RETRIEVE, LOOKUP = str(FOLDER / "retrieve.py"), str(FOLDER / "lookup.py")
SETTINGS = {"FEAST_USAGE": "False", "PYTHONWARNINGS": "ignore"}
