"""Making a layer small: Lambda takes 250 MB of a function with all its layers."""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

# Found unused by importing every preload module without them; the template tests do it again.
# libarrow_substrait must stay: pyarrow.dataset links it.
STRIPPED_FOLDERS = ("tests", "test", "__pycache__", "include", "bin", "share")
STRIPPED_FILES = (
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.pyi",
    "*.h",
    "*.hpp",
    "*.c",
    "*.cpp",
    "*.lib",
    "*.a",
)
STRIPPED_PATHS = (
    "pyarrow/libarrow_flight*",
    "pyarrow/_flight*",
    "pyarrow/flight*",
    "pyarrow/_orc*",
    "pyarrow/src",
    "pyarrow/_pyarrow_cpp_tests*",
    "narwhals/_arrow",
    "narwhals/_dask",
    "narwhals/_duckdb",
    "narwhals/_ibis",
    "narwhals/_polars",
    "narwhals/_spark_like",
    "numpy/_core/_*_tests.*.so",
    "numpy/_core/_simd.*.so",
    "numpy/distutils",
    "onnx/reference",
    "onnx/backend/test",
    "onnxruntime/transformers",
    "onnxruntime/tools",
    "onnxruntime/quantization",
    "onnxruntime/datasets",
    "pandas/plotting/_matplotlib",
    "pydantic/mypy.py",
    "scipy/*/_*test*.so",
    "scipy/cluster",
    "scipy/fftpack",
    "scipy/io",
    "scipy/odr",
    "scipy/signal",
    "sklearn/datasets/data",
    "sklearn/datasets/descr",
    "sklearn/datasets/images",
)


def slim(packages: Path) -> None:
    """Drop what no function imports, and what no loader reads."""
    for path in set(_stripped(packages)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for library in packages.rglob("*.so*"):
        trim_elf(library)


def trim_elf(library: Path) -> None:
    """Cut the symbols behind a 64-bit ELF file's last segment: the loader never reads them.

    `strip` breaks libraries that wheels relocated, and is not at hand for another processor.
    """
    content = bytearray(library.read_bytes())
    if content[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    ends = [table + size * count]
    for header in range(table, table + size * count, size):
        offset, _, _, length = struct.unpack_from("<4Q", content, header + 8)
        ends.append(offset + length)
    struct.pack_into("<Q", content, 40, 0)  # no section header table,
    struct.pack_into("<HHH", content, 58, 64, 0, 0)  # no entries in it, no name for them
    library.write_bytes(content[: max(ends)])


def _stripped(packages: Path) -> Iterator[Path]:
    for pattern in STRIPPED_PATHS:
        yield from packages.glob(pattern)
    for pattern in STRIPPED_FILES:
        yield from packages.rglob(pattern)
    for folder in STRIPPED_FOLDERS:
        yield from packages.rglob(f"{folder}/")
    # One shared object under three names: extensions load the one with the short version.
    yield from packages.glob("pyarrow/*.so.*.*.*")
