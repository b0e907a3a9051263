//! The store against real files, whole and broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::ReadableDatabase as _;

use super::*;

fn silent() -> Listener {
    Box::new(|_| {})
}

fn record(watermark: u64) -> Record {
    Record { watermark, epoch: 7, totals: BTreeMap::from([("detected_spam".into(), u64::MAX)]), ..Record::default() }
}

fn open(folder: &tempfile::TempDir) -> (Store, Found) {
    Store::open(folder.path(), silent()).expect("a usable directory")
}

#[tokio::test]
async fn what_was_written_is_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, found) = open(&folder);
    assert!(found.records.is_empty());
    store.write("a".into(), record(1)).await.expect("written");
    store.write("b".into(), record(2)).await.expect("written");
    store.write("a".into(), record(3)).await.expect("written");
    drop(store);
    let (_store, found) = open(&folder);
    assert_eq!(found.records, HashMap::from([("a".into(), record(3)), ("b".into(), record(2))]));
    assert_eq!((found.set_aside, found.damaged), (None, 0));
}

#[tokio::test]
async fn refused_logins_and_the_salt_are_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, first) = open(&folder);
    assert!(first.refused.is_empty() && first.salt != [0; 32]);
    let refused = |count| Refused { count, last: 1_000, in_doubt: true, history_lost: false };
    store.write_refused("a".into(), Some(refused(1))).await.expect("written");
    store.write_refused("b".into(), Some(refused(2))).await.expect("written");
    store.write_refused("a".into(), None).await.expect("written");
    store.write_refused("c".into(), None).await.expect("nothing to forget");
    drop(store);
    let (_store, found) = open(&folder);
    assert_eq!(found.refused, HashMap::from([("b".into(), refused(2))]));
    assert_eq!((found.salt, found.damaged), (first.salt, 0));
    let (_other, other) = open(&tempfile::tempdir().expect("another folder"));
    assert_ne!(other.salt, first.salt);
}

#[tokio::test]
async fn a_thousand_at_once_take_few_transactions() {
    let folder = tempfile::tempdir().expect("a folder");
    let batches = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&batches);
    let listener: Listener = Box::new(move |outcome| {
        assert!(outcome.is_ok());
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let (store, _) = Store::open(folder.path(), listener).expect("a usable directory");
    let store = Arc::new(store);
    let mut writes = tokio::task::JoinSet::new();
    for key in 0..1000 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.write(key.to_string(), record(key)).await });
    }
    assert!(writes.join_all().await.into_iter().all(|written| written.is_ok()));
    assert!(batches.load(Ordering::SeqCst) < 500, "{batches:?}");
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = open(&folder);
    let error = Store::open(folder.path(), silent()).expect_err("it is in use");
    assert!(error.to_string().contains("is in use by another process"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_kept() {
    for damage in ["all", "half", "header", "tail"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = open(&folder);
        for key in 0..200 {
            store.write(key.to_string(), record(key)).await.expect("written");
        }
        drop(store);
        let file = folder.path().join("state.redb");
        let mut bytes = std::fs::read(&file).expect("the file");
        let length = bytes.len();
        match damage {
            "all" => bytes = b"this is no database".to_vec(),
            "half" => bytes.truncate(length / 2),
            "header" => bytes[..200].fill(0xff),
            _ => bytes[4096..].fill(0x5a),
        }
        std::fs::write(&file, &bytes).expect("damage");
        let (store, found) = open(&folder);
        let aside = found.set_aside.unwrap_or_else(|| panic!("{damage}: set aside"));
        assert!(aside.exists() && found.records.is_empty(), "{damage}");
        store.write("a".into(), record(1)).await.expect("the new one works");
    }
}

/// Gives the file in `folder` another schema, and a record `old` of these bytes, as another version may have left it.
fn rewrite(folder: &tempfile::TempDir, schema: u64, bytes: &[u8]) {
    let database = redb::Database::create(folder.path().join("state.redb")).expect("the file");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(disk::META).expect("meta").insert("schema", schema).expect("written");
    transaction.open_table(disk::RECORDS).expect("records").insert("old", bytes).expect("written");
    transaction.commit().expect("committed");
}

fn schema(folder: &tempfile::TempDir) -> Option<u64> {
    let database = redb::Database::create(folder.path().join("state.redb")).expect("the file");
    let transaction = database.begin_read().expect("a transaction");
    let meta = transaction.open_table(disk::META).expect("meta");
    meta.get("schema").expect("readable").map(|schema| schema.value())
}

/// `json` behind its digest.
fn sealed(json: &str) -> Vec<u8> {
    [disk::digest(json.as_bytes()).as_slice(), json.as_bytes()].concat()
}

/// A record without what came later.
const OLD: &str = r#"{"watermark":60,"epoch":0,"totals":{"detected_spam":5}}"#;

#[tokio::test]
async fn a_damaged_record_costs_no_other() {
    // Still a record, of one spam less.
    let mut flipped = sealed(OLD);
    let digit = flipped.len() - b"5}}".len();
    flipped[digit] ^= 1;
    for bytes in [flipped, sealed(r#"{"watermark":60}"#), sealed(""), vec![0; 3], Vec::new()] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = open(&folder);
        store.write("a".into(), record(1)).await.expect("written");
        drop(store);
        rewrite(&folder, disk::SCHEMA, &bytes);
        let (_store, found) = open(&folder);
        assert_eq!(found.records, HashMap::from([("a".into(), record(1))]), "{bytes:?}");
        assert_eq!((found.set_aside, found.damaged), (None, 1), "{bytes:?}");
    }
}

#[tokio::test]
async fn an_older_schema_is_read_and_becomes_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&folder));
    rewrite(&folder, disk::SCHEMA - 1, &sealed(OLD));
    let (store, found) = open(&folder);
    let totals = BTreeMap::from([("detected_spam".into(), 5)]);
    let old = Record { watermark: 60, epoch: 0, totals, ..Record::default() };
    assert_eq!(found.records, HashMap::from([("old".into(), old.clone())]));
    assert_eq!((found.set_aside, found.damaged), (None, 0));
    store.write("new".into(), record(1)).await.expect("written");
    drop(store);
    assert_eq!(schema(&folder), Some(disk::SCHEMA), "the older version must not take it for its own");
    let (_store, found) = open(&folder);
    assert_eq!(found.records, HashMap::from([("old".into(), old), ("new".into(), record(1))]));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&folder));
    let newer = disk::SCHEMA + 1;
    rewrite(&folder, newer, b"nobody here can read this");
    let error = Store::open(folder.path(), silent()).expect_err("not ours");
    let file = folder.path().join("state.redb");
    let said = format!(
        "`{}` was written by a newer version (schema {newer}): use that version, or move the file away and lose its totals",
        file.display()
    );
    assert_eq!(error.to_string(), said);
    assert_eq!(schema(&folder), Some(newer));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is set aside");
}

#[test]
fn a_directory_that_cannot_be_had_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let error = Store::open(&file.join("below"), silent()).expect_err("no directory");
    assert!(error.to_string().starts_with("--storage.path: cannot use the directory `"), "{error}");
}

#[tokio::test]
async fn memory_keeps_nothing_and_fails_never() {
    assert!(Store::Memory.write("a".into(), record(1)).await.is_ok());
}
