"""How much data there is that the champion has not learnt from."""

from collections.abc import Mapping

from noria.aws.s3 import ListedObject, Store, key_of
from noria.contracts import Source
from noria.core.ingestion.row_counts import count_rows


def new_rows(
    store: Store, source: Source, run_id: str, labelled: int, known: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """Count the rows that a run would find now and the champion's run did not.

    They are the rows of files below `incoming/<primary source>/` that the champion's run did not
    collect. A primary source of another kind has no files to compare: there, the predictions
    that got their label since the champion's first tick are counted in place. Returns the rows of
    each counted file by ETag too, so that no file is read twice.
    """
    collected = _collected(store, source, run_id)
    if source.kind != "s3" or collected is None:
        return labelled, {}
    trained, trained_rows = collected
    files = _files(store, source)
    counted = dict(known)

    def rows(file: ListedObject) -> int:
        if file.etag not in counted:
            counted[file.etag] = count_rows(store.get(file.key), file.key, source.format)
        return counted[file.etag]

    replaced = any(trained.get(file.key, file.etag) != file.etag for file in files)
    if replaced:
        found = max(0, sum(rows(file) for file in files) - trained_rows)
    else:
        found = sum(rows(file) for file in files if file.key not in trained)
    present = {file.etag for file in files}
    return found, {etag: number for etag, number in counted.items() if etag in present}


def _collected(store: Store, source: Source, run_id: str) -> tuple[dict[str, str], int] | None:
    """The files and the number of rows that a run collected from a source."""
    document = store.get_json(f"runs/{run_id}/collected.json", None) or {"sources": []}
    for item in document["sources"]:
        if item["source"] == source.name:
            files = {key_of(file["where"]): file["etag"] for file in item["files"]}
            return files, int(item.get("rows", 0))
    return None


def _files(store: Store, source: Source) -> list[ListedObject]:
    listed = store.objects(f"incoming/{source.name}/")
    return [file for file in listed if not file.key.endswith("/")]
