//! Every kind of file, and what is said of bad ones.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;

use super::*;

const MAX: u64 = 1 << 20;

fn cells(path: &Path, columns: &[&str]) -> Result<Vec<String>, String> {
    let mut rows = Vec::new();
    Disk.rows(path, columns, MAX, &mut |cells| {
        rows.push(cells.iter().map(|cell| cell.unwrap_or("-")).collect::<Vec<_>>().join(" | "));
        Ok(())
    })?;
    Ok(rows)
}

fn parquet() -> Vec<u8> {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(7)]), None]);
    let columns: [(&str, ArrayRef); 4] = [
        ("other", Arc::new(StringArray::from(vec!["x", "y"]))),
        ("n", Arc::new(Int64Array::from(vec![Some(5), None]))),
        ("id", Arc::new(StringArray::from(vec!["ann", "bob"]))),
        ("l", Arc::new(lists)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    out
}

#[test]
fn every_kind_of_file_has_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, Vec<u8>); 6] = [
        ("a.csv", "\u{feff}other, id,n,l\nx,ann,5,[\"7\"]\ny,\"bob\",,\n".replace("[\"7\"]", "\"[\"\"7\"\"]\"").into()),
        ("b.json", br#"[{"id": "ann", "n": 5, "l": ["7"]}, {"id": "bob", "l": null, "other": {}}]"#.to_vec()),
        ("c.json", b"{\"id\": \"ann\", \"n\": 5, \"l\": [\"7\"]}\n\n{\"id\": \"bob\"}\n".to_vec()),
        ("d.ndjson", b"{\"id\": \"ann\", \"n\": 5, \"l\": [\"7\"]}\r\n{\"id\": \"bob\"}".to_vec()),
        ("e.JSONL", b"{\"id\": \"ann\", \"n\": 5, \"l\": [\"7\"]}\n{\"id\": \"bob\"}".to_vec()),
        ("f.parquet", parquet()),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        assert_eq!(cells(&path, &["id", "n", "l"]).unwrap(), ["ann | 5 | [\"7\"]", "bob | - | -"], "{name}");
    }
}

#[test]
fn bad_files_are_told_by_their_line_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, expected) in [
        ("a.csv", "secret-ann,7\nsecret-bob,8\n", "it has no column `id`"),
        ("b.csv", "id,id\nx,y\n", "it has two columns `id`"),
        ("c.csv", "id,n\nsecret,1\nsecret,2,3\n", "line 3: it has 3 cells, the first line 2"),
        ("d.json", "[{\"id\": \"secret\"}, 7]", "entry 2: it is no object"),
        ("e.json", "[{\"id\": \"secret\"}, {\"secret\"]", "line 1, column"),
        ("f.ndjson", "{\"id\": 1}\n{secret}\n", "line 2, column 2: it is no JSON"),
        ("g.ndjson", "{\"id\": 1}\n\"secret\"\n", "line 2: it is no object"),
        ("h.parquet", "PAR1secretPAR1", "it is no Parquet"),
        ("i.txt", "secret", "its name ends in none of"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let why = cells(&path, &["id"]).unwrap_err();
        assert!(why.contains(expected) && why.contains(name), "{name}: {why}");
        assert!(!why.contains("secret"), "{name}: {why}");
    }
    let wide = folder.path().join("wide.csv");
    fs::write(&wide, "x".repeat(MAX as usize + 1)).unwrap();
    assert!(cells(&wide, &["x"]).unwrap_err().contains("of `max_bytes`"));
    assert!(cells(folder.path(), &["x"]).unwrap_err().contains("it is not a file"));
    assert!(cells(&folder.path().join("none.csv"), &["x"]).unwrap_err().contains("opening"));
}

/// A file of any kind, cut off or with a byte changed: rows or an error, never a panic.
#[test]
fn damaged_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, Vec<u8>); 3] = [
        ("a.csv", b"id,n\n\"a\"\"b\",1\nx,\n".to_vec()),
        ("b.json", br#"[{"id": "a\u00e4\n", "n": [1e3, {}]}]"#.to_vec()),
        ("c.parquet", parquet()),
    ];
    for (name, whole) in files {
        let path = folder.path().join(name);
        for place in (0..whole.len()).step_by(1 + whole.len() / 100) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            for bytes in [&damaged[..], &whole[..place]] {
                fs::write(&path, bytes).unwrap();
                drop(cells(&path, &["id", "n"]));
            }
        }
    }
}
