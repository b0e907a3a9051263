//! The store against real files, whole and broken.

use std::collections::BTreeMap;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::ReadableDatabase as _;

use super::*;
use crate::config::Scope;

fn silent() -> Listener {
    Box::new(|_| {})
}

fn record(watermark: u64) -> Record {
    Record {
        watermark,
        epoch: 7,
        totals: BTreeMap::from([(SumKey::whole("detected_spam"), u64::MAX)]),
        ..Record::default()
    }
}

fn key(appliance: &str) -> TotalsKey {
    TotalsKey { appliance: appliance.into(), scope: Scope::Appliance, group: "g".into() }
}

fn open(folder: &tempfile::TempDir) -> (Store, LoadedState) {
    Store::open(folder.path(), silent()).expect("a usable directory")
}

#[tokio::test]
async fn records_are_read_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, found) = open(&folder);
    assert!(found.records.is_empty());
    store.write(key("a"), record(1)).await.expect("written");
    store.write(key("b"), record(2)).await.expect("written");
    store.write(key("a"), record(3)).await.expect("written");
    drop(store);
    let (_store, found) = open(&folder);
    assert_eq!(found.records, HashMap::from([(key("a"), record(3)), (key("b"), record(2))]));
    assert_eq!((found.set_aside, found.damaged), (None, 0));
}

#[tokio::test]
async fn refused_logins_and_the_salt_are_read_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, first) = open(&folder);
    assert!(first.refused.is_empty() && first.salt != [0; 32]);
    let refused = |count| Refused { count, last: 1_000, in_doubt: true, ..Refused::default() };
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
async fn concurrent_writes_share_transactions() {
    let folder = tempfile::tempdir().expect("a folder");
    let batches = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&batches);
    let listener: Listener = Box::new(move |event| {
        assert!(matches!(event, Event::Written));
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let (store, _) = Store::open(folder.path(), listener).expect("a usable directory");
    let store = Arc::new(store);
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.write(key(&number.to_string()), record(number)).await });
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
        for number in 0..200 {
            store.write(key(&number.to_string()), record(number)).await.expect("written");
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
        store.write(key("a"), record(1)).await.expect("the new one works");
    }
}

/// Gives the file in `folder` another schema, and a record `old` of these bytes, as another version may have left it.
fn rewrite(folder: &tempfile::TempDir, schema: u64, bytes: &[u8]) {
    let database = redb::Database::create(folder.path().join("state.redb")).expect("the file");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(disk::META).expect("meta").insert("schema", schema).expect("written");
    transaction.open_table(disk::RECORDS).expect("records").insert(&*key("old").text(), bytes).expect("written");
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
async fn a_damaged_record_affects_no_other() {
    // Still a record, of one spam less.
    let mut flipped = sealed(OLD);
    let digit = flipped.len() - b"5}}".len();
    flipped[digit] ^= 1;
    for bytes in [flipped, sealed(r#"{"watermark":60}"#), sealed(""), vec![0; 3], Vec::new()] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = open(&folder);
        store.write(key("a"), record(1)).await.expect("written");
        drop(store);
        rewrite(&folder, disk::SCHEMA, &bytes);
        let (_store, found) = open(&folder);
        assert_eq!(found.records, HashMap::from([(key("a"), record(1))]), "{bytes:?}");
        assert_eq!((found.set_aside, found.damaged), (None, 1), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_record_under_an_unknown_key_is_reported_and_left_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(&folder);
    store.write(key("a"), record(1)).await.expect("written");
    drop(store);
    overwrite(&folder, disk::RECORDS, "of another version", &sealed(OLD));
    for start in 1..=2 {
        let (_store, found) = open(&folder);
        assert_eq!(found.records, HashMap::from([(key("a"), record(1))]), "start {start}");
        assert_eq!((found.set_aside, found.damaged), (None, 1), "start {start}");
    }
}

#[tokio::test]
async fn an_older_schema_is_read_and_upgraded() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&folder));
    rewrite(&folder, disk::SCHEMA - 1, &sealed(OLD));
    let (store, found) = open(&folder);
    let totals = BTreeMap::from([(SumKey::whole("detected_spam"), 5)]);
    let old = Record { watermark: 60, epoch: 0, totals, ..Record::default() };
    assert_eq!(found.records, HashMap::from([(key("old"), old.clone())]));
    assert_eq!((found.set_aside, found.damaged), (None, 0));
    store.write(key("new"), record(1)).await.expect("written");
    drop(store);
    assert_eq!(schema(&folder), Some(disk::SCHEMA), "the older version must not take it for its own");
    let (_store, found) = open(&folder);
    assert_eq!(found.records, HashMap::from([(key("old"), old), (key("new"), record(1))]));
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
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file").file_name()).collect();
    files.sort();
    assert_eq!(files, ["state.marker", "state.redb"], "nothing is set aside");
}

#[test]
fn an_unusable_directory_is_named_in_the_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let error = Store::open(&file.join("below"), silent()).expect_err("no directory");
    assert!(error.to_string().starts_with("--storage.path: cannot use the directory `"), "{error}");
}

/// A store that looks after its file all the time, and what it says of it.
fn watched(folder: &Path) -> (Store, Receiver<String>) {
    let (said, heard) = std::sync::mpsc::channel();
    let listener: Listener = Box::new(move |event| {
        if !matches!(event, Event::Written) {
            // The test may have heard enough.
            let _ = said.send(format!("{event:?}"));
        }
    });
    (Store::open_checked(folder, listener, Duration::from_millis(1)).expect("a usable directory").0, heard)
}

fn kept(folder: &Path) -> HashMap<TotalsKey, Record> {
    Store::open(folder, silent()).expect("a usable directory").1.records
}

#[tokio::test]
async fn a_deleted_file_is_recreated_with_all_its_content() {
    for what in ["file", "directory", "moved"] {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("state");
        let (store, heard) = watched(&directory);
        let refused =
            Refused { because: RefusedBecause::SecondFactor, count: 3, last: 7, in_doubt: false, ..Refused::default() };
        store.write(key("a"), record(1)).await.expect("written");
        store.write_refused("b".into(), Some(refused)).await.expect("written");
        match what {
            "file" => std::fs::remove_file(directory.join("state.redb")).expect("deleted"),
            "directory" => {
                // In one step: the writer may look while its files are removed one by one.
                let gone = folder.path().join("gone");
                std::fs::rename(&directory, &gone).expect("moved");
                std::fs::remove_dir_all(&gone).expect("deleted");
            }
            _ => std::fs::rename(&directory, folder.path().join("old")).expect("moved"),
        }
        assert_eq!(heard.recv().expect("it is noticed by an idle writer"), "FileRewritten", "{what}");
        store.write(key("c"), record(3)).await.expect("written");
        drop(store);
        assert_eq!(heard.into_iter().count(), 0, "{what}: said once");
        let (_store, found) = Store::open(&directory, silent()).expect("a usable directory");
        assert_eq!(found.records, HashMap::from([(key("a"), record(1)), (key("c"), record(3))]), "{what}");
        assert_eq!(found.refused, HashMap::from([("b".into(), refused)]), "{what}");
        assert!(!found.is_lost && directory.join("state.marker").exists(), "{what}");
    }
}

#[tokio::test]
async fn a_file_deleted_just_before_the_shutdown_is_recreated() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(&folder);
    store.write(key("a"), record(1)).await.expect("written");
    std::fs::remove_file(folder.path().join("state.redb")).expect("deleted");
    drop(store);
    assert_eq!(kept(folder.path()), HashMap::from([(key("a"), record(1))]));
}

#[tokio::test]
async fn a_replaced_file_is_left_alone_and_totals_pause() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (store, _) = open(&other);
    store.write(key("other"), record(9)).await.expect("written");
    drop(store);
    let (path, backup) = (folder.path().join("state.redb"), other.path().join("state.redb"));
    let (store, heard) = watched(folder.path());
    store.write(key("a"), record(1)).await.expect("written");
    let bytes = std::fs::read(&backup).expect("a file");
    let ours = folder.path().join("ours");
    std::fs::rename(&path, &ours).expect("moved");
    // Between the two the path is empty, and so may be filled again: what is said of that is not the point here.
    std::fs::rename(&backup, &path).expect("replaced");
    while heard.recv().expect("it is noticed") != "FileReplaced" {}
    let refusal = store.write(key("a"), record(2)).await.expect_err("no restart would find it");
    assert_eq!(refusal.to_string(), "the state was not written: another file is at its path");
    assert_eq!(std::fs::read(&path).expect("the file"), bytes, "not ours to write");
    assert!(heard.recv().expect("said").starts_with("WriteFailed"));
    std::fs::remove_file(&path).expect("out of the way");
    let said: Vec<String> = (0..2).map(|_| heard.recv().expect("noticed")).collect();
    assert_eq!(said, ["FileRewritten", "FileFound"]);
    store.write(key("b"), record(3)).await.expect("written");
    drop(store);
    assert_eq!(kept(folder.path()), HashMap::from([(key("a"), record(1)), (key("b"), record(3))]));
}

#[tokio::test]
async fn totals_pause_while_a_deleted_file_cannot_be_recreated() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("state");
    let (store, heard) = watched(&directory);
    store.write(key("a"), record(1)).await.expect("written");
    std::fs::rename(&directory, folder.path().join("old")).expect("moved");
    std::fs::write(&directory, "in the way").expect("a file");
    while !heard.recv().expect("it is noticed").starts_with("FileMissing") {}
    let refusal = store.write(key("a"), record(2)).await.expect_err("nowhere to write").to_string();
    assert!(refusal.contains("its file was deleted and cannot be recreated: "), "{refusal}");
    std::fs::remove_file(&directory).expect("out of the way");
    while heard.recv().expect("it is noticed") != "FileFound" {}
    store.write(key("b"), record(2)).await.expect("written");
    drop(store);
    assert_eq!(kept(&directory), HashMap::from([(key("a"), record(1)), (key("b"), record(2))]));
}

#[tokio::test]
async fn a_copy_with_the_same_content_counts_as_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let (store, heard) = watched(folder.path());
    store.write(key("a"), record(1)).await.expect("written");
    // As a file system does that gives one file several numbers.
    std::fs::copy(&path, folder.path().join("copy")).expect("copied");
    std::fs::rename(folder.path().join("copy"), &path).expect("replaced");
    store.write(key("b"), record(2)).await.expect("the first bytes are the same so far");
    assert_eq!(heard.recv().expect("noticed"), "FileReplaced", "one transaction later they are not");
}

#[tokio::test]
async fn a_lost_login_failure_history_is_reported_until_it_is_cleared() {
    let unknown = Refused { history_lost: true, ..Refused::default() };
    for loss in ["deleted", "emptied", "damaged", "refused row", "salt"] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.redb");
        let (store, found) = open(&folder);
        assert!(!found.is_lost && found.refused.is_empty(), "{loss}: the first start knows of nothing that is lost");
        let refused = Refused { count: 3, ..Refused::default() };
        store.write_refused("a".into(), Some(refused)).await.expect("written");
        drop(store);
        match loss {
            "deleted" => std::fs::remove_file(&file).expect("deleted"),
            "emptied" => std::fs::write(&file, "").expect("emptied"),
            "damaged" => std::fs::write(&file, "this is no database").expect("damaged"),
            "refused row" => overwrite(&folder, disk::REFUSED, "a", b"not ours"),
            _ => overwrite(&folder, disk::SALT, "salt", b"too short"),
        }
        let is_file = ["deleted", "emptied", "damaged"].contains(&loss);
        for start in 1..=2 {
            let (_, found) = open(&folder);
            assert_eq!(found.refused.get("*"), Some(&unknown), "{loss}, start {start}: a crash does not hide it");
            assert_eq!(found.is_lost, is_file && start == 1, "{loss}, start {start}");
            assert_eq!(found.set_aside.is_some(), loss == "damaged" && start == 1, "{loss}, start {start}");
            assert_eq!(found.damaged, usize::from(loss == "refused row" && start == 1), "{loss}, start {start}");
            assert_ne!(found.salt, [0; 32], "{loss}");
        }
        let (store, _) = open(&folder);
        store.write_refused("*".into(), None).await.expect("dealt with");
        drop(store);
        assert!(!open(&folder).1.refused.contains_key("*"), "{loss}");
    }
}

fn overwrite(folder: &tempfile::TempDir, table: redb::TableDefinition<'_, &str, &[u8]>, key: &str, bytes: &[u8]) {
    let database = redb::Database::create(folder.path().join("state.redb")).expect("the file");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(table).expect("a table").insert(key, bytes).expect("written");
    transaction.commit().expect("committed");
}

#[tokio::test]
async fn writes_without_a_file_always_succeed() {
    assert!(Store::Memory.write(key("a"), record(1)).await.is_ok());
}
