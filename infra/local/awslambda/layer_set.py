"""Which directories a function's layers and its runtime are, and the import path they make."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LayerSet:
    """Directories mounted as layers (in order), and the runtime that Lambda brings itself.

    A layer holds its packages in `python/`, and the runtime may too.
    """

    layers: tuple[Path, ...]
    runtime: Path | None

    def path(self) -> dict[str, list[str]]:
        """Give the import path that these directories make."""
        roots = [root / "python" for root in self.layers]
        nested = [site for root in roots for site in root.glob("lib/python3*/site-packages")]
        return {
            "layers": [str(root) for root in (*nested, *roots) if root.is_dir()],
            "runtime": [str(root) for root in self._runtime_roots()],
        }

    def preload(self) -> list[str]:
        """Name the modules that the layers ask to be imported once, and boto3 of the runtime."""
        listed = [
            line.strip()
            for root in (*self.layers, *([self.runtime] if self.runtime else []))
            if (root / "preload.txt").is_file()
            for line in (root / "preload.txt").read_text(encoding="utf-8").splitlines()
        ]
        if any((root / "boto3").is_dir() for root in self._runtime_roots()):
            listed.append("boto3")
        return [name for name in listed if name and not name.startswith("#")]

    def _runtime_roots(self) -> list[Path]:
        if self.runtime is None:
            return []
        inner = self.runtime / "python"
        return [inner if inner.is_dir() else self.runtime]
