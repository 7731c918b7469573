"""What bytes are by their first ones, and what is packed in gzip or zip."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from noria.errors import DataError

MAXIMUM_UNPACKED = 4 * 1024**3  # a Lambda has 10 GB; an archive that unpacks to more is refused
GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
EMPTY_ZIP = b"PK\x05\x06"
WORKBOOKS = ("an Excel workbook", "an old Excel workbook")
#: What systems leave in folders, and hidden files: .DS_Store, ._table.csv, __MACOSX/, _SUCCESS.
LEFT_BEHIND = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
HIDDEN = (".", "_")
ARCHIVES = ("a zip archive", "a gzip file")
TAR_MARK = slice(257, 262)  # POSIX.1-1988: a tar header's magic
# First bytes, after each format's specification.
MARKS = {
    PARQUET: "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    GZIP: "a gzip file",
    EMPTY_ZIP: "a zip archive",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"Rar!": "a RAR archive",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<!--", b"<title", b"<meta")


def recognised(content: bytes) -> str | None:
    """Say what bytes are by their beginning; None for what may be text."""
    for mark, kind in MARKS.items():
        if content.startswith(mark):
            return kind
    if content.startswith(ZIP):
        excel = b"xl/" in content[:4096] or b"[Content_Types].xml" in content[:4096]
        return "an Excel workbook" if excel else "a zip archive"
    if content[TAR_MARK] == b"ustar":
        return "a tar archive"
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(PAGES):
        return "an HTML page, such as a login or error page"
    return "an XML document" if start.startswith(b"<?xml") else None


def is_clutter(name: str) -> bool:
    """Whether systems and tools leave such a file beside data: hidden ones, previews, markers."""
    parts = name.replace("\\", "/").split("/")
    return parts[-1].lower() in LEFT_BEHIND or any(
        part.startswith(HIDDEN) and "=" not in part for part in parts
    )


def unpacked(content: bytes, name: str, *, by_content: bool) -> Iterator[tuple[bytes, str]]:
    """Give the content without its compression, and the name without that suffix.

    Gzip is known by its first bytes; so is zip with `by_content`, else by the name. A zip gives
    each of its files, one at a time, but what systems leave beside them. Raises DataError for
    damage, passwords, an empty zip, and more than MAXIMUM_UNPACKED.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if content.startswith(GZIP):
        yield _gunzipped(content, name), name[: -len(suffix)] if suffix == ".gz" else name
    elif suffix == ".gz":
        raise DataError(f"{name} is not gzip although its name says so: rename or compress it")
    elif suffix == ".zip" or (by_content and recognised(content) == "a zip archive"):
        yield from _unzipped(content, name)
    else:
        yield content, name


def _gunzipped(content: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            plain = stream.read(MAXIMUM_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is damaged gzip ({error}): upload it again") from error
    return _bounded(plain, name)


def _unzipped(content: bytes, name: str) -> Iterator[tuple[bytes, str]]:
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in _members(archive, name):
                with archive.open(member) as stream:
                    plain = stream.read(MAXIMUM_UNPACKED + 1 - size)
                size += len(plain)
                _bounded(plain, name, size)
                yield plain, member.filename
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError,
            ValueError) as error:  # fmt: skip
        raise DataError(f"{name} is not a readable zip ({error}): make it again") from error


def _members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    files = [item for item in archive.infolist() if not item.is_dir()]
    members = [item for item in files if not is_clutter(item.filename)]
    members = members or [item for item in files if re.match(r"_(?!_MACOSX)", item.filename)]
    if not members:
        shown = ", ".join(item.filename for item in files[:5])
        raise DataError(
            f"{name} holds 0 files{f' but {shown}' if files else ''}: put one table into a zip, or "
            "several of the same columns"
        )
    if any(item.flag_bits & 1 for item in members):
        raise DataError(f"{name} is locked with a password: make the zip without one")
    return members


def _bounded(plain: bytes, name: str, size: int | None = None) -> bytes:
    if (len(plain) if size is None else size) > MAXIMUM_UNPACKED:
        raise DataError(
            f"{name} unpacks to more than {MAXIMUM_UNPACKED // 1024**3} GiB: split it into parts"
        )
    if not plain:
        raise DataError(f"{name} is empty once unpacked: upload it again")
    return plain
