"""What is uploaded: dependency layers, the code layer and the functions, each built once.

Every asset lives in .noria/assets/<name>-<platform>-<key>/, written beside it and renamed, so that
two processes may build at once and a broken build leaves nothing behind.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.layers import (
    LAYERS,
    RUNTIME_LAYER,
    LayerError,
    Platform,
    builder_fingerprint,
    install_layer,
    platform_tag,
)

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".noria" / "assets"
FUNCTIONS = ROOT / "functions"
CODE_LAYER = ROOT / "layers" / "noria"
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store")


@dataclass(frozen=True)
class Asset:
    """A directory to upload, and the key that changes with its content."""

    path: Path
    key: str


def build_layers(platform: str | Platform) -> dict[str, Path]:
    """The layers by name, the code layer `noria` included; each holds `python/` and preload.txt."""
    return {name: asset.path for name, asset in layer_assets(Platform(platform)).items()}


def build_runtime() -> Path:
    """What AWS's own runtime brings (boto3), for local runs; never deployed."""
    return _dependency_layer(RUNTIME_LAYER, Platform.HOST).path


def layer_assets(platform: Platform) -> dict[str, Asset]:
    """All layers, the missing ones built side by side."""
    with ThreadPoolExecutor(max_workers=len(LAYERS)) as pool:
        built = pool.map(lambda name: _dependency_layer(name, platform), LAYERS)
        layers = dict(zip(LAYERS, built, strict=True))
    return layers | {"noria": code_layer_asset()}


def code_layer_asset() -> Asset:
    """Our shared package, as a layer."""
    return _code_asset("noria", CODE_LAYER / "python", "python")


def functions_asset() -> Asset:
    """The handlers: `functions/` and nothing else, one asset for all functions."""
    return _code_asset("functions", FUNCTIONS, "functions")


def code_version() -> str:
    """Names the code that a stack runs: changes with the handlers or the shared package."""
    parts = (code_layer_asset().key, functions_asset().key)
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:12]


def source_files(*folders: Path) -> list[Path]:
    """The files below the folders that count as source, in a fixed order."""
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in files if file.suffix != ".pyc" and file.name != ".DS_Store")


def fingerprint(files: Iterable[Path], base: Path) -> str:
    """A key over names and content."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(base).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def directory_size(path: Path) -> int:
    """Bytes of all files below a directory, which is what Lambda's 250 MB limit counts."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _dependency_layer(name: str, platform: Platform) -> Asset:
    requirements = ROOT / "layers" / name / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(f"{builder_fingerprint()}{platform_tag(platform)}".encode())
    key = digest.hexdigest()[:16]
    target = f"{name}-{platform}-{key}"

    def build(folder: Path) -> None:
        install_layer(name, requirements, folder, platform, final=CACHE / target)

    return Asset(_cached(target, build), key)


def _code_asset(name: str, source: Path, folder_name: str) -> Asset:
    key = fingerprint(source_files(source), source)

    def build(folder: Path) -> None:
        copy = folder / folder_name
        shutil.copytree(source, copy, ignore=NOT_SHIPPED)
        if fingerprint(source_files(copy), copy) != key:
            raise LayerError(f"'{source}' was edited while it was copied: run the command again")

    return Asset(_cached(f"{name}-{key}", build), key)


def _cached(name: str, build: Callable[[Path], None]) -> Path:
    """Build into a temporary folder and rename: whoever comes first wins, the others use it."""
    target = CACHE / name
    if target.is_dir():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=CACHE) as temporary:
        folder = Path(temporary) / "asset"
        folder.mkdir()
        build(folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    return target
