//! Invariants of records in the state, for any bytes: built for tests and fuzzing only.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Record, Refused, TotalsKey, disk};

/// A record, with the digest in `bytes` or with one that is right, so that what stands behind it is read too.
pub(crate) fn state(bytes: &[u8]) {
    let sealed = [disk::digest(bytes).as_slice(), bytes].concat();
    for bytes in [bytes, &sealed] {
        check::<Record>(bytes);
        check::<Refused>(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Some(key) = TotalsKey::read(&text) {
        assert_eq!(key.text(), text, "totals are kept under another key");
    }
}

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let Some(record) = disk::decode::<T>(bytes) else { return };
    let (digest, json) = bytes.split_at(disk::DIGEST);
    assert_eq!(digest, disk::digest(json), "a record whose digest is wrong");
    assert_eq!(disk::decode::<T>(&disk::encode(&record)), Some(record), "what is written again is the same");
}
