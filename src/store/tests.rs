//! The store against real files, whole and broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn silent() -> Listener {
    Box::new(|_| {})
}

fn record(watermark: u64) -> Record {
    Record { watermark, epoch: 7, totals: BTreeMap::from([("detected_spam".into(), u64::MAX)]), days: Vec::new() }
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
