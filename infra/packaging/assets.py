"""What is uploaded: dependency layers, the code layer and the functions, each built once.

Every asset lives in .noria/assets/<name>-<platform>-<key>/content, built beside it by one process
at a time, made read-only and renamed, so that a broken build leaves nothing behind.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.frozen import CONTENT, FOLDER, freeze, taken
from infra.packaging.layers import (
    LAYERS,
    RUNTIME_LAYER,
    LayerError,
    Platform,
    builder_fingerprint,
    compile_bytecode,
    install_layer,
    platform_tag,
    write_preload,
)
from infra.packaging.locks import building

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".noria" / "assets"
FUNCTIONS = ROOT / "functions"
CODE_LAYER = ROOT / "layers" / "noria" / "python"
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
    return layers | {"noria": code_layer_asset(platform)}


def code_layer_asset(platform: Platform) -> Asset:
    """Our shared package as a layer, with bytecode like the others."""
    source = source_key(CODE_LAYER)
    key = digest_of(source, builder_fingerprint(), platform_tag(platform))
    name = f"noria-{platform}-{key}"

    def build(folder: Path) -> None:
        _copy_source(CODE_LAYER, folder / "python", source)
        compile_bytecode(folder / "python", platform, _content(name) / "python")
        write_preload("noria", folder)

    return Asset(_cached(name, build), key)


def functions_asset() -> Asset:
    """The handlers: `functions/` and nothing else, one asset for all functions."""
    source = source_key(FUNCTIONS)
    key = digest_of(source, builder_fingerprint())

    def build(folder: Path) -> None:
        _copy_source(FUNCTIONS, folder / "functions", source)

    return Asset(_cached(f"functions-{key}", build), key)


def code_version() -> str:
    """Names the code that a stack runs: changes with the handlers or the shared package."""
    return digest_of(source_key(CODE_LAYER), source_key(FUNCTIONS))[:12]


def layer_source_key(name: str) -> str:
    """A key over what a dependency layer is made from, the same for each platform."""
    requirements = ROOT / "layers" / name / "requirements.txt"
    return digest_of(requirements.read_bytes(), builder_fingerprint())


def source_key(folder: Path) -> str:
    """A key over the names and content of a folder's source files."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return fingerprint(
        sorted(f for f in files if f.suffix != ".pyc" and f.name != ".DS_Store"), folder
    )


def fingerprint(files: Iterable[Path], base: Path) -> str:
    """A key over the names and content of files."""
    return digest_of(
        *(f"{f.relative_to(base).as_posix()}:{digest_of(f.read_bytes())}" for f in files)
    )


def digest_of(*parts: str | bytes) -> str:
    """A short key that changes with each of the parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part.encode() if isinstance(part, str) else part) + b"\0")
    return digest.hexdigest()[:16]


def directory_size(path: Path) -> int:
    """Bytes of all files below a directory, which is what Lambda's 250 MB limit counts."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _dependency_layer(name: str, platform: Platform) -> Asset:
    requirements = ROOT / "layers" / name / "requirements.txt"
    key = digest_of(requirements.read_bytes(), builder_fingerprint(), platform_tag(platform))
    target = f"{name}-{platform}-{key}"

    def build(folder: Path) -> None:
        install_layer(name, requirements, folder, platform, final=_content(target))

    return Asset(_cached(target, build), key)


def _copy_source(source: Path, copy: Path, key: str) -> None:
    shutil.copytree(source, copy, ignore=NOT_SHIPPED)
    if source_key(copy) != key:
        raise LayerError(f"'{source}' was edited while it was copied: run the command again")


def _cached(name: str, build: Callable[[Path], None]) -> Path:
    """One process builds a layer, which takes minutes; others wait for it."""
    with building(CACHE / name):
        return _built(name, build)


def _built(name: str, build: Callable[[Path], None]) -> Path:
    """Build into a temporary folder and rename, so that a broken build leaves nothing behind."""
    target = CACHE / name
    if target.is_dir():
        return taken(target)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=CACHE) as temporary:
        asset = Path(temporary) / "asset"
        (asset / CONTENT).mkdir(parents=True)
        build(asset / CONTENT)
        freeze(asset)
        asset.rename(target)
        target.chmod(FOLDER)  # not before: a read-only folder cannot be moved
    return _content(name)


def _content(name: str) -> Path:
    return CACHE / name / CONTENT
