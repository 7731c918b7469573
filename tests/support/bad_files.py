"""Files that are wrong, each with the words that its sentence must have."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as parquet

from tests.support.workbook_files import MAIN, workbook

TABLE = b"id,price\n1,2.5\n2,3.5\n"


@dataclass(frozen=True)
class BadFile:
    """What is wrong, the file, and what a person must be told besides its name."""

    wrong: str
    name: str
    content: bytes = field(repr=False)
    told: tuple[str, ...]


def packed(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def locked(archive: bytes) -> bytes:
    """Set the bit that says a zip's member is encrypted (APPNOTE 4.4.4), in both headers."""
    content = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def written(table: pa.Table, **options: bool) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, **options)
    return bytes(sink.getvalue())


def edited(part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """A workbook of one small sheet, with one of its parts changed."""
    source = zipfile.ZipFile(io.BytesIO(workbook(Data=[["id", "price"], [1, 2]])))
    return packed(*((name, edit(source.read(name)) if name == part else source.read(name))
                    for name in source.namelist()))  # fmt: skip


def sheet(rows: str) -> bytes:
    """A workbook whose sheet holds the given rows of XML."""
    body = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    return edited("xl/worksheets/sheet1.xml", lambda _: body.encode())


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


# As ECMA-376 part 2 has it: an encrypted workbook is no zip but a compound file.
COMPOUND = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + "EncryptedPackage".encode("utf-16-le")
)
WIDE = b",".join(b"column%d" % n for n in range(40_000)) + b"\n"
RUNS = pa.table({"a": pa.array([7]).take(pa.array([0] * 400_000)), "b": [0] * 400_000})

CSV = [
    BadFile("no bytes at all", "t.csv", b"", ("empty (0 bytes)", "upload it again")),
    BadFile("white space only", "t.csv", b" \r\n\r\n\t", ("white space", "upload")),
    BadFile("header only", "t.csv", b"id,price\n", ("header (id, price) but no rows", "add")),
    BadFile("header only, no line end", "t.csv", b"id,price", ("no rows", "add the data")),
    BadFile("header repeated among the rows", "t.csv", b"id,x\n1,2\nid,x\n3,4\nid,x\n",
            ("repeats its header", "row 2, 4", "leave those out")),
    BadFile("two columns of one name", "t.csv", b"id,x,id\n1,2,3\n",
            ("more than one column id", "rename")),
    BadFile("names that differ in spaces only", "t.csv", b"id, id\n1,2\n",
            ("more than one column id", "rename")),
    BadFile("column without a name", "t.csv", b",x\n0,1\n",
            ("column 1 of 2 has no name", "row index")),
    BadFile("title above the header", "t.csv", b"Sales 2013\nid,x\n1,2\n",
            ("line 2 (2 fields), 3 (2 fields)", "lines above the header")),
    BadFile("short and long rows", "t.csv", b"id,x\n1,2\n3\n4,5,6\n",
            ("2 rows", "line 3 (1 fields), 4 (3 fields)", "Quote values", "complete short rows")),
    BadFile("values behind the last column, and commas", "t.csv", b"id,x\n1,2,\n3,4,\n5,6,7\n",
            ("3 rows", "the header's 2 fields", "line 2 (3 fields)")),
    BadFile("values below no name", "t.csv", b"id,x,\n1,2,\n3,4,5\n",
            ("column 3 of 3 has no name", "name it in the header")),
    BadFile("decimal commas between commas", "t.csv", b"id,x\n1,2,5\n2,3,5\n",
            ("line 2 (3 fields)", "Quote values that hold the delimiter")),
    BadFile("quote that is never closed", "t.csv", b'id,x\n1,a\n2,"b\n3,c\n',
            ("line 3", "never closed", "close it")),
    BadFile("quote within a quoted value", "t.csv", b'id,x\n1,"5" pipe, long"\n2,"a"\n3,"b\n',
            ("line 2", "double the quotes")),
    BadFile("value of twenty million characters", "t.csv", b"id,x\n1," + b"x" * 20_000_000 + b"\n",
            ("line 2", "below 131072 characters")),
    BadFile("header of millions of characters", "t.csv", b"x" * 2_000_000 + b",y\n1,2\n",
            ("no readable header", "name its columns")),
    BadFile("NUL bytes far down", "t.csv", TABLE + b"3,4.5\n" * 5000 + b"4,\x00\n",
            ("NUL bytes", "line 5004", "UTF-8")),
    BadFile("Latin-1", "t.csv", "id,x\n1,a\n2,é\n".encode("latin-1"),
            ("0xe9", "line 3", "Save it as UTF-8")),
    BadFile("Windows-1252", "t.csv", "id,x\n1,€\n".encode("cp1252"),
            ("0x80", "line 2", "Save it as UTF-8")),
    BadFile("NUL bytes on both sides", "t.csv", b"id,x\n" + b"1\x00\x00,2\n" * 200,
            ("NUL bytes", "UTF-8")),
    BadFile("UTF-16 cut in half a character", "t.csv", "id,x\n1,2\n".encode("utf-16")[:-1],
            ("UTF-16-LE", "UTF-8")),
    BadFile("UTF-32", "t.csv", "id,x\n1,2\n".encode("utf-32-be"), ("UTF-16", "UTF-8")),
    BadFile("columns split by ^", "t.csv", b"id^x\n1^2\n3^4\n",
            ("one column 'id^x'", "'^'", "comma, semicolon, tab or bar")),
    BadFile("login page", "t.csv", b"<!DOCTYPE html><title>Sign in</title>",
            ("HTML page, such as a login", "export the table itself")),
    BadFile("page that starts with a script", "t.csv", b"\n <script>go()</script>",
            ("HTML page", "export the table itself")),
    BadFile("XML", "t.csv", b'<?xml version="1.0"?><rows/>', ("XML document", "export")),
    BadFile("JSON error of a service", "t.csv", b'{"error": "quota"}', ("JSON", "format")),
    BadFile("PDF", "t.csv", b"%PDF-1.7\n1 0 obj", ("PDF document", "export the table itself")),
    BadFile("picture", "t.csv", b"\x89PNG\r\n\x1a\n", ("a picture", "export the table itself")),
    BadFile("database file", "t.csv", b"SQLite format 3\x00" + bytes(90), ("SQLite", "export")),
    BadFile("workbook named csv", "t.csv", workbook(Data=[["id"], [1]]),
            ("Excel workbook", "set the source's format")),
    BadFile("Parquet named csv", "t.csv", written(pa.table({"id": [1]})),
            ("Parquet file", "set the source's format")),
    BadFile("header wider than its rows by far", "t.csv", WIDE + b"1,2\n",
            ("line 2 (2 fields)", "complete short rows")),
]  # fmt: skip

PACKED = [
    BadFile("gzip by name only", "t.csv.gz", TABLE, ("not gzip", "rename or compress")),
    BadFile("gzip cut short", "t.csv.gz", gzip.compress(TABLE)[:-9],
            ("damaged gzip", "upload it again")),
    BadFile("gzip of nothing", "t.csv.gz", gzip.compress(b""), ("empty once unpacked", "upload")),
    BadFile("gzip with a wrong checksum", "t.csv.gz",
            gzip.compress(TABLE)[:-8] + struct.pack("<II", 1, len(TABLE)),
            ("damaged gzip", "CRC", "upload it again")),
    BadFile("gzip in gzip", "t.csv.gz", gzip.compress(gzip.compress(TABLE)),
            ("is a gzip file", "pack the table once")),
    BadFile("gzip bomb", "t.csv.gz", gzip.compress(b"id\n" + b"1\n" * 3_000_000),
            ("unpacks to more than", "split it")),
    BadFile("tar in gzip", "t.csv.gz", gzip.compress(bytes(257) + b"ustar\x0000" + bytes(247)),
            ("tar archive", "export the table itself")),
    BadFile("zip by name only", "t.zip", b"PK\x03\x04 broken", ("not a readable zip", "again")),
    BadFile("zip of nothing", "t.zip", packed(), ("holds 0 files", "put one table into a zip")),
    BadFile("zip of what systems leave", "t.zip", packed((".DS_Store", b"x"), ("__MACOSX/a", b"x")),
            ("holds 0 files but .DS_Store", "put one table into a zip")),
    BadFile("zip of two tables", "t.zip", packed(("a.csv", TABLE), ("b.csv", b"who,why\n1,2\n")),
            ("b.csv has other columns than", "it lacks id, price and also has who, why")),
    BadFile("zip with a password", "t.zip", locked(packed(("a.csv", TABLE))),
            ("locked with a password", "without one")),
    BadFile("zip with a damaged member", "t.zip",
            packed(("a.csv", TABLE)).replace(b"\x03\x00", b"\x03\x01", 1)[:-30],
            ("not a readable zip", "make it again")),
    BadFile("zip in zip", "t.zip", packed(("a.zip", packed(("a.csv", TABLE)))),
            ("is a zip archive", "pack the table once")),
    BadFile("gzip in zip", "t.zip", packed(("a.csv.gz", gzip.compress(TABLE))),
            ("is a gzip file", "pack the table once")),
    BadFile("zip bomb", "t.zip", packed(("a.csv", b"id\n" + b"1\n" * 3_000_000)),
            ("unpacks to more than", "split it")),
    BadFile("zip of a page", "t.zip", packed(("a.csv", b"<html>")), ("HTML page", "export")),
    BadFile("bzip2", "t.csv", b"BZh91AY&SY", ("bzip2", "export the table itself")),
    BadFile("7-Zip", "t.csv", b"7z\xbc\xaf\x27\x1c" + bytes(20), ("7-Zip", "export")),
]  # fmt: skip

PARQUET = [
    BadFile("CSV named Parquet", "t.parquet", TABLE, ("no PAR1 mark", "format")),
    BadFile("Parquet cut short", "t.parquet", written(pa.table({"id": [1]}))[:-10],
            ("damaged Parquet", "upload it again")),
    BadFile("Parquet with a damaged footer", "t.parquet", b"PAR1" + bytes(20) + b"PAR1",
            ("damaged Parquet", "upload it again")),
    BadFile("Parquet that is encrypted", "t.parquet", b"PARE" + bytes(20) + b"PARE",
            ("encrypted", "write it without encryption")),
    BadFile("Parquet without rows", "t.parquet", written(pa.table({"id": pa.array([], "int64")})),
            ("columns (id) but no rows", "add the data")),
    BadFile("Parquet without columns", "t.parquet", written(pa.table({})), ("no rows", "add")),
    BadFile("Parquet with two columns of one name", "t.parquet",
            written(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"])),
            ("more than one column id", "rename")),
    BadFile("Parquet with lists", "t.parquet", written(pa.table({"id": [1], "tags": [["a"]]})),
            ("'tags' is nested", "features.exclude", "flatten")),
    BadFile("Parquet with lists, maps and structures", "t.parquet", written(pa.table(
        {"id": [1], "tags": [["a"]], "at": [{"x": 1}]})),
            ("columns 'tags', 'at' are nested", "list them in features.exclude")),
    BadFile("Parquet with structures", "t.parquet", written(pa.table({"at": [{"x": 1}]})),
            ("'at' is nested", "flatten")),
    BadFile("Parquet with maps", "t.parquet",
            written(pa.table({"m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))})),
            ("'m' is nested", "flatten")),
    BadFile("Parquet with bytes that are no text", "t.parquet",
            written(pa.table({"raw": [b"\xff\xfe"]})),
            ("'raw' (binary)", "write it as text, or leave it out")),
    BadFile("Parquet of endless runs", "t.parquet", written(RUNS),
            ("400000 rows of 2 columns", "split it")),
]  # fmt: skip

JSON = [
    BadFile("JSON cut short", "t.json", b'[{"id": 1}, {"id":', ("not valid JSON", "write one")),
    BadFile("JSON that is a number", "t.json", b"3", ("a number", "one object per line")),
    BadFile("JSON that is null", "t.json", b"null", ("null", "one object per line")),
    BadFile("JSON without records", "t.json", b"[]", ("no records", "add the data")),
    BadFile("JSON records without fields", "t.json", b"[{}, {}]", ("2 records", "name")),
    BadFile("JSON with other records between", "t.json", b'[{"id": 1}, [2], {"id": 3}]',
            ("record 2", "an array", "array of objects")),
    BadFile("JSON wrapped in a service's answer", "t.json", b'{"n": 2, "data": [{"id": 1}]}',
            ("'data' holds 1 records", "give that array alone")),
    BadFile("JSON over several lines", "t.json", b'{\n  "id": 1\n}', ("line 1", "one object per")),
    BadFile("JSON with nested objects", "t.json", b'[{"id": 1, "at": {"x": 2}}]',
            ("'at' is nested", "flatten")),
    BadFile("JSON with a field twice", "t.json", b'[{"id": 1, "id": 2}]',
            ("'id' more than once", "keep one")),
    BadFile("JSON with a field without a name", "t.json", b'[{"": 1}]', ("no name", "name it")),
    BadFile("JSON with half a character", "t.json", b'[{"id": 1}, {"x": "\\ud83d"}]',
            ("'x'", "record 2", "half a character", "write the whole one")),
    BadFile("JSON with a number of 5,000 digits", "t.json", b'[{"id": ' + b"9" * 5000 + b"}]",
            ("not valid JSON", "digits")),
    BadFile("JSON nested without end", "t.json", b"[" * 100_000, ("not valid JSON", "write one")),
    BadFile("JSON lines, one cut short", "t.jsonl", b'{"id": 1}\n{"id": 2}\n{"id":\n',
            ("line 3", "one object per line")),
    BadFile("JSON in UTF-16, cut in half a character", "t.json",
            '[{"id": 1}]'.encode("utf-16-le")[:-1], ("UTF-16", "UTF-8")),
]  # fmt: skip

EXCEL = [
    BadFile("workbook with a password", "t.xlsx", COMPOUND,
            ("no readable workbook", "without a password")),
    BadFile("workbook cut short", "t.xlsx", workbook(Data=[["id"], [1]])[:900],
            ("no readable workbook", "save it again")),
    BadFile("workbook with damaged XML", "t.xlsx",
            edited("xl/worksheets/sheet1.xml", lambda part: part[:-30]),
            ("no readable workbook", "save it again")),
    BadFile("workbook without data", "t.xlsx", workbook(Data=[], More=[]),
            ("0 sheets with data (none)", "keep one table")),
    BadFile("workbook with two tables", "t.xlsx", workbook(May=[["id"], [1]], June=[["id"], [2]]),
            ("2 sheets with data (May, June)", "export its sheet as CSV")),
    BadFile("workbook with a header only", "t.xlsx", workbook(Data=[["id", "x"]]),
            ("header (id, x) but no rows", "add the data")),
    BadFile("workbook with merged header cells", "t.xlsx",
            sheet(f"<row>{cell('A1', 'name')}</row><row>{cell('A2', 'a')}{cell('B2', 'b')}</row>"),
            ("column 2 of 2 has no name", "merged cell", "name each column")),
    BadFile("workbook with a title", "t.xlsx",
            workbook(Data=[["Sales", None], ["id", "x"], [1, 2]]),
            ("column 2 of 2 has no name", "leave out titles")),
    BadFile("workbook with notes beside the table", "t.xlsx",
            workbook(Data=[["id"], [1, None, "see below"]]), ("column 2, 3 of 3", "notes beside")),
    BadFile("workbook with two columns of one name", "t.xlsx",
            workbook(Data=[["id", "id"], [1, 2]]),
            ("more than one column id", "rename")),
    BadFile("workbook with a stray cell far away", "t.xlsx",
            sheet(f'<row r="1">{cell("A1", "id")}</row>'
                  f'<row r="1048576">{cell("XFD1048576", "x")}</row>'),
            ("row 1048576 and column 16384", "delete what stands far away")),
    BadFile("workbook that is a bomb", "t.xlsx", sheet("<row/>" * 1_000_000),
            ("unpacks to too much", "Parquet or CSV")),
    BadFile("CSV named xlsx", "t.xlsx", TABLE, ("no readable workbook", "save it again")),
    BadFile("page named xlsx", "t.xlsx", b"<html>", ("HTML page", "export the table itself")),
]  # fmt: skip

BAD_FILES = [*CSV, *PACKED, *PARQUET, *JSON, *EXCEL]

DAY = datetime(2026, 1, 31, tzinfo=UTC)
# Unusual, but there is one way to read it: the file's bytes, then its only column's values.
ODD_FILES: dict[str, tuple[str, bytes, list[object]]] = {
    "UTF-16 without its mark": ("t.csv", "x,y\n1,é\n2,ü\n".encode("utf-16-le"), [1, 2]),
    "UTF-16 without its mark, the other way": ("t.csv", "x\té\n1\tö\n".encode("utf-16-be"), [1]),
    "UTF-16 of another alphabet": ("t.csv", "都市;x\n東京;1\n大阪;2\n".encode("utf-16-le"),
                                   ["東京", "大阪"]),
    "UTF-16 in JSON": ("t.json", '[{"x": 1}, {"x": 2}]'.encode("utf-16-be"), [1, 2]),
    "UTF-8 mark before JSON": ("upload", b'\xef\xbb\xbf[{"x": 1}]', [1]),
    "comma at the end of each row": ("t.csv", b"x,y\n1,2,\n3,4,\n", [1, 3]),
    "comma at the end of every line": ("t.csv", b"x,y,\n1,2,\n3,4,\n", [1, 3]),
    "comma at the end of the header": ("t.csv", b"x,y,\n1,2\n3,4\n", [1, 3]),
    "commas at the end of some rows": ("t.csv", b'x,y\n1,"2\n"\n3,4,,\n5,,\n', [1, 3, 5]),
    "empty column of no name between": ("t.csv", b"x,,y\n1,,2\n3,,4\n", [1, 3]),
    "codes beside numbers": ("t.csv", b"x,y\n0123,1\n123,2\n", ["0123", "123"]),
    "codes in quotes": ("t.csv", b'y;x\n"007";1\n"7";2\n', ["007", "7"]),
    "hexadecimal codes": ("t.csv", b"x\n0x1F\n0x20\n", ["0x1F", "0x20"]),
    "digits beyond 64 bits": ("t.csv", b"x\n89490200001234567000\n89490200001234567001\n",
                              ["89490200001234567000", "89490200001234567001"]),
    "digits beyond a double, one missing": ("t.csv", b"x,y\n12345678901234567,1\n,2\n",
                                            ["12345678901234567", None]),
    "clock times": ("t.csv", b"x\n10:30\n11:45\n", ["10:30", "11:45"]),
    "JSON identifiers with a fraction of zeros": (
        "t.json", b'[{"x": 9007199254740993.0}, {"x": 1.0}]', ["9007199254740993", "1"]),
    "JSON whole numbers in several forms": (
        "t.json", b'[{"x": 1.0}, {"x": 1e3}, {"x": 2}]', [1, 1000, 2]),
    "Excel with an empty column of no name": (
        "t.xlsx", workbook(Data=[["x", None, "y"], [1, None, 2]]), [1]),
    "several tables in a zip": ("t.zip", packed(
        ("2024/", b""), ("2024/a.csv", b"x,y\n1,a\n"), ("2024/b.csv", b"y,x\nb,2\n"),
        ("2024/.DS_Store", b"\x00"), ("__MACOSX/2024/._a.csv", b"\x00"), ("2024/Thumbs.db", b"d"),
        ("desktop.ini", b"[d]")), [1, 2]),
    "Parquet decimals beyond a double": ("t.parquet", written(pa.table({"x": pa.array(
        ["123456789012345678.01"]).cast(pa.decimal128(38, 2))})),
        [Decimal("123456789012345678.01")]),
    "Parquet halves": ("t.parquet", written(pa.table({"x": pa.array([1.5, 2.5], pa.float16())})),
                       [1.5, 2.5]),
    "old Mac line ends": ("t.csv", b"x\r1\r2\r", [1, 2]),
    "decimal commas between semicolons": ("t.csv", b"x;y\n1,5;\n-1.234,5;\n2;\n",
                                          ["1,5", "-1.234,5", "2"]),
    "inch marks": ("t.csv", b'x,y\n5" pipe,\n6" pipe,\n', ['5" pipe', '6" pipe']),
    "names too large for a float, one missing": (
        "t.csv", b"x,y\n9007199254740993,1\n,2\n", ["9007199254740993", None]),
    "zip without a suffix": ("download", packed(("a.csv", b"x\n1\n")), [1]),
    "Mac's shadows in a zip": ("t.zip", packed(("a.csv", b"x\n1\n"), ("__MACOSX/a.csv", b"")), [1]),
    "Parquet decimals": ("t.parquet", written(pa.table({"x": pa.array(["1.50", None]).cast(
        pa.decimal128(9, 2))})), [1.5, None]),
    "Parquet whole decimals": ("t.parquet", written(pa.table({"x": pa.array(["12"]).cast(
        pa.decimal128(38, 0))})), [12]),
    "Parquet decimals beyond a float": ("t.parquet", written(pa.table({"x": pa.array(
        ["12345678901234567890"]).cast(pa.decimal128(38, 0))})), ["12345678901234567890"]),
    "Parquet dictionaries": ("t.parquet", written(pa.table({"x": pa.array(
        ["a", "b", "a"]).dictionary_encode()})), ["a", "b", "a"]),
    "Parquet times of 96 bits": ("t.parquet", written(
        pa.table({"x": pa.array([DAY], pa.timestamp("ns", "UTC"))}),
        use_deprecated_int96_timestamps=True), [DAY.replace(tzinfo=None)]),
    "Parquet durations": ("t.parquet", written(pa.table({"x": pa.array(
        [1500], pa.duration("ms"))})), [1.5]),
    "Parquet identifiers of 16 bytes": ("t.parquet", written(pa.table({"x": pa.array(
        [b"\xa0" * 16], pa.uuid())})), ["a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"]),
    "Parquet bytes of one length": ("t.parquet", written(pa.table({"x": pa.array(
        [b"\xff\x00"], pa.binary(2))})), ["ff00"]),
    "JSON's NaN": ("t.json", b'[{"x": NaN}, {"x": 1.5}]', [None, 1.5]),
    "JSON with a line separator in a text": (
        "t.jsonl", '{"x": "a\u2028b"}\n{"x": "c"}\n'.encode(), ["a\u2028b", "c"]),
    "JSON identifiers beyond a float": (
        "t.json", b'[{"x": 9007199254740993}, {"x": null}]', ["9007199254740993", None]),
    "Excel errors": ("t.xlsx", sheet(f'<row>{cell("A1", "x")}</row><row><c t="e"><v>#REF!</v></c>'
                                     "</row><row><c><v>2</v></c></row><row><c><v>3</v></c></row>"),
                     [2, 3]),
    "Excel years as names": ("t.xlsx", workbook(Data=[[2013], [5]]), [5]),
    "Excel with an empty first sheet": ("t.xlsx", workbook(Empty=[], Data=[["x"], [1]]), [1]),
}  # fmt: skip
