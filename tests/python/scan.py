"""Looks for planted values in everything that was written: scan.py planted.json [KIND=]PATH...

A path is a file or a folder. Parquet files are searched raw (footers, page headers and statistics are not compressed),
decoded value by value, and in their dictionaries, also of rows that are deleted or merged; everything else is searched raw.
With `--self-test` every kind of file that was found is searched once more in a copy with a value planted in it.
"""

import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from marks import MARKS, forms, word

FORMS = forms()
NUMBERED = {
    "word": (re.compile(rf"{MARKS['word']}(\d{{5}})".encode()), 10),
    "card": (re.compile(rf"{MARKS['card']}(\d{{5}})".encode()), 10),
    "iban": (re.compile(rf"{MARKS['iban']}(\d{{6}})".encode()), 10),
    "hex": (re.compile(rf"{MARKS['hex']}([0-9a-f]{{6}})".encode()), 16),
}


def kind_of(path):
    """What kind of file a file of the data folder is."""
    if path.suffix == ".parquet":
        return "checkpoint" if path.parent.name == "_delta_log" else "parquet"
    if path.parent.name == "_delta_log":
        return "delta log"
    return next((part for part in ("journal", "directory") if part in path.parts), "other")


def texts(value):
    """Every text and byte string inside a value."""
    if isinstance(value, str):
        yield value.encode()
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)


def dictionaries(array):
    """Dictionaries of a column and its children, values that no row uses included."""
    if isinstance(array, pa.DictionaryArray):
        yield from texts(array.dictionary.to_pylist())
    elif pa.types.is_struct(array.type):
        for child in array.flatten():
            yield from dictionaries(child)
    elif pa.types.is_map(array.type):
        yield from dictionaries(array.keys)
        yield from dictionaries(array.items)
    elif pa.types.is_list(array.type):
        yield from dictionaries(array.values)


def footer(file):
    """Key-value metadata of a Parquet file."""
    yield from texts(dict(file.schema_arrow.metadata or {}))
    yield from texts(dict(file.metadata.metadata or {}))


def statistics(file):
    """Bounds of the columns of a Parquet file."""
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                yield from texts([statistics.min, statistics.max])


def dictionary_values(path):
    """Dictionaries of a Parquet file, values that no row uses included."""
    file = pq.ParquetFile(path)
    leaves = [file.schema.column(i).path for i in range(len(file.schema))]
    for column in pq.ParquetFile(path, read_dictionary=leaves).read().columns:
        for chunk in column.chunks:
            yield from dictionaries(chunk)


def blobs(kind, path):
    """What is searched of a file: kind and bytes. Of a Parquet file, its parts are kinds of their own."""
    yield kind, path.read_bytes()
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        parts = {
            "values": texts(file.read().to_pydict()),
            "dictionaries": dictionary_values(path),
            "statistics": statistics(file),
            "footer": footer(file),
        }
        for part, found_texts in parts.items():
            yield f"{kind} {part}", b"\n".join(found_texts)


def found(blob):
    """(mark, form, number) of every mark in a blob; the number is None where its form hides it."""
    lower = blob.lower()
    for mark, form, needle in FORMS:
        exact = form == "base64"
        if needle not in blob if exact else needle.lower() not in lower:
            continue
        numbers = {None}
        if form == "plain" and mark in NUMBERED:
            pattern, base = NUMBERED[mark]
            numbers = {int(match, base) for match in pattern.findall(lower)} or {None}
        yield from ((mark, form, number) for number in numbers)


def scan(files, places):
    """Counts files by kind, and leaks by kind, mark, form and place."""
    kinds, leaks = Counter(), Counter()
    for kind, path in files:
        kinds[kind] += 1
        for part, leak in {(part, leak) for part, blob in blobs(kind, path) for leak in found(blob)}:
            mark, form, number = leak
            place = "?" if number is None or number >= len(places) else places[number]
            leaks[(part, mark, form, place)] += 1
    return kinds, leaks


def given(argument):
    """The files that an argument names."""
    kind, _, path = argument.rpartition("=")
    path = Path(path)
    paths = [path] if path.is_file() else [p for p in sorted(path.rglob("*")) if p.is_file()]
    return [(kind or kind_of(p), p) for p in paths]


def planted_copy(path, folder):
    """A copy of a file with a value in it, as its writer would have put it there."""
    value = f"ada.{word(0, 14)}@planted.example"
    copy = folder / path.name
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        column = pa.array([value] * table.num_rows, pa.string())
        pq.write_table(table.append_column("planted", column), copy, compression="zstd")
    else:
        copy.write_bytes(path.read_bytes() + json.dumps({"planted": value}).encode())
    return copy


def blind(files):
    """Kinds in which a planted value is not found."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, path in {kind: path for kind, path in files if path.stat().st_size}.items():
            copy = planted_copy(path, Path(folder))
            if not any(True for _, blob in blobs(kind, copy) for _ in found(blob)):
                missed.append(kind)
    return missed


def main():
    arguments = sys.argv[1:]
    self_test = "--self-test" in arguments
    planted, *paths = [a for a in arguments if a != "--self-test"]
    places = json.loads(Path(planted).read_text())
    files = [file for argument in paths for file in given(argument)]
    kinds, leaks = scan(files, places)
    rows = [{"kind": k, "mark": m, "form": f, "place": p, "files": n} for (k, m, f, p), n in sorted(leaks.items())]
    print(json.dumps({"files": kinds, "leaks": rows, "blind": blind(files) if self_test else []}))


if __name__ == "__main__":
    main()
