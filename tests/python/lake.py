"""Reads every Delta table under a lake with readers that know nothing of Marquetry: lake.py LAKE TABLE...

Prints, per table, rows by reader, rows that count, distinct identities and a checksum of the exact times.
"""

import json
import os
import sys

import polars as pl
import pyarrow.compute as pc
from deltalake import DeltaTable

OPTIONS = {key.lower(): value for key, value in os.environ.items() if key.startswith("AWS_")}


def read(url):
    table = DeltaTable(url, storage_options=OPTIONS)
    rows = table.to_pyarrow_table()
    frame = pl.scan_delta(url, storage_options=OPTIONS)
    times = frame.select((pl.col("time_unix_nano") % 1_000_000_007).sum()).collect().item()
    return {
        "deltalake": rows.num_rows,
        "polars": frame.select(pl.len()).collect().item(),
        "files": len(table.file_uris()),
        "version": table.version(),
        "primary": pc.sum(rows["is_primary"]).as_py() or 0,
        "counting": rows["echo_of"].null_count,
        "users": pc.count_distinct(rows["user_ref"], mode="only_valid").as_py() if "user_ref" in rows.column_names else 0,
        "identities": len(set(zip(*(rows[c].to_pylist() for c in ("trace_id", "span_id", "event_index", "record_uid"))))),
        "times": times or 0,
    }


def main():
    lake, *tables = sys.argv[1:]
    print(json.dumps({table: read(f"{lake.rstrip('/')}/{table}") for table in tables}))


if __name__ == "__main__":
    main()
