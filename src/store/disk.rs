//! The file: an embedded database with crash-safe transactions. The only place that names it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition,
};
use ring::rand::Random;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Change, Found, OpenError};

const FILE: &str = "state.redb";
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
pub(super) const REFUSED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("refused");
const SALT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("salt");
/// The form of a record. It counts up when an older version could not read what a newer one writes; a newer one reads
/// what any older one wrote.
pub(super) const SCHEMA: u64 = 1;
/// Bytes of the digest before each record: the database holds its pages together, this holds the record itself.
const DIGEST: usize = 8;

/// The open file.
pub(super) struct Disk {
    path: PathBuf,
    /// None after a failed write: the database refuses to go on then and must be opened anew.
    database: Option<Database>,
}

impl Disk {
    pub(super) fn open(directory: &Path) -> Result<(Self, Found), OpenError> {
        let unusable = |error| OpenError::Directory(directory.to_owned(), error);
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let path = directory.join(FILE);
        let (database, found) = match load(&path) {
            Ok(loaded) => loaded,
            Err(Trouble::Damaged) => {
                let aside = free_name(&path);
                std::fs::rename(&path, &aside).map_err(unusable)?;
                let (database, found) = load(&path).map_err(|trouble| trouble.told(&path))?;
                (database, Found { set_aside: Some(aside), ..found })
            }
            Err(trouble) => return Err(trouble.told(&path)),
        };
        Ok((Self { path, database: Some(database) }, found))
    }

    /// Writes all of `changes` or none, and returns once they would survive a power cut.
    pub(super) fn write<'a>(&mut self, changes: impl Iterator<Item = (&'a str, &'a Change)>) -> Result<(), String> {
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::create(&self.path).map_err(|error| error.to_string())?,
        };
        store(&database, changes).map_err(|error| error.to_string())?;
        self.database = Some(database);
        Ok(())
    }
}

fn store<'a>(database: &Database, changes: impl Iterator<Item = (&'a str, &'a Change)>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        let mut refused = transaction.open_table(REFUSED)?;
        for (key, change) in changes {
            match change {
                Change::Record(record) => drop(records.insert(key, encode(record).as_slice())?),
                Change::Refused(tally) => drop(refused.insert(key, encode(tally).as_slice())?),
                Change::Accepted => drop(refused.remove(key)?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

enum Trouble {
    Damaged,
    InUse,
    Newer(u64),
    Other(String),
}

impl Trouble {
    fn told(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::InUse => OpenError::InUse(path),
            Self::Newer(schema) => OpenError::Newer(path, schema),
            Self::Damaged => OpenError::Other(path, "the file is damaged again right after it was made".into()),
            Self::Other(reason) => OpenError::Other(path, reason),
        }
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            redb::Error::Corrupted(_) => Self::Damaged,
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Self::Damaged,
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::Damaged,
            other => Self::Other(other.to_string()),
        }
    }
}

fn load(path: &Path) -> Result<(Database, Found), Trouble> {
    // The database asserts what a damaged page does not hold; such a panic is an answer, not our end.
    catch_unwind(AssertUnwindSafe(|| read(path))).unwrap_or(Err(Trouble::Damaged))
}

fn read(path: &Path) -> Result<(Database, Found), Trouble> {
    let mut database = Database::create(path).map_err(|error| Trouble::from(redb::Error::from(error)))?;
    match database.check_integrity() {
        // False: the last transaction had not ended and is gone, as it should.
        Ok(true | false) => {}
        Err(DatabaseError::Storage(StorageError::Corrupted(_))) => return Err(Trouble::Damaged),
        Err(error) => return Err(redb::Error::from(error).into()),
    }
    prepare(&database)?;
    let found = records(&database)?;
    Ok((database, found))
}

/// Makes the tables, or checks that they are ours. An older file becomes ours: its records are read, and the version
/// that wrote it may be unable to read the next one.
fn prepare(database: &Database) -> Result<(), Trouble> {
    let told = |error: redb::Error| Trouble::from(error);
    let transaction = database.begin_write().map_err(|error| told(error.into()))?;
    {
        let mut meta = transaction.open_table(META).map_err(|error| told(error.into()))?;
        let schema = meta.get("schema").map_err(|error| told(error.into()))?.map(|schema| schema.value());
        match schema {
            Some(newer) if newer > SCHEMA => return Err(Trouble::Newer(newer)),
            Some(SCHEMA) => {}
            Some(_) | None => {
                meta.insert("schema", SCHEMA).map_err(|error| told(error.into()))?;
            }
        }
        transaction.open_table(RECORDS).map_err(|error| told(error.into()))?;
        transaction.open_table(REFUSED).map_err(|error| told(error.into()))?;
        let mut salt = transaction.open_table(SALT).map_err(|error| told(error.into()))?;
        if salt.get("salt").map_err(|error| told(error.into()))?.is_none() {
            salt.insert("salt", random()?.as_slice()).map_err(|error| told(error.into()))?;
        }
    }
    transaction.commit().map_err(|error| told(error.into()))
}

fn records(database: &Database) -> Result<Found, redb::Error> {
    let transaction = database.begin_read()?;
    let mut found = Found::default();
    (found.records, found.damaged) = rows(&transaction.open_table(RECORDS)?)?;
    let (refused, damaged) = rows(&transaction.open_table(REFUSED)?)?;
    found.refused = refused;
    found.damaged += damaged;
    if let Some(salt) = transaction.open_table(SALT)?.get("salt")?
        && salt.value().len() == found.salt.len()
    {
        found.salt.copy_from_slice(salt.value());
    }
    Ok(found)
}

/// The rows of `table` that can be believed, and how many cannot.
fn rows<T: DeserializeOwned>(table: &ReadOnlyTable<&str, &[u8]>) -> Result<(HashMap<String, T>, usize), redb::Error> {
    let (mut found, mut damaged) = (HashMap::new(), 0);
    for row in table.iter()? {
        let (key, value) = row?;
        match decode(value.value()) {
            Some(record) => {
                found.insert(key.value().to_owned(), record);
            }
            None => damaged += 1,
        }
    }
    Ok((found, damaged))
}

fn random() -> Result<[u8; 32], Trouble> {
    let random = ring::rand::generate::<[u8; 32]>(&ring::rand::SystemRandom::new());
    random.map(Random::expose).map_err(|_| Trouble::Other("the system gives no random numbers".into()))
}

fn encode(record: &impl Serialize) -> Vec<u8> {
    // A struct of numbers and texts always has a form in JSON.
    let json = serde_json::to_vec(record).unwrap_or_default();
    let mut bytes = digest(&json).to_vec();
    bytes.extend_from_slice(&json);
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (found, json) = bytes.split_at_checked(DIGEST)?;
    if found != digest(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

pub(super) fn digest(json: &[u8]) -> [u8; DIGEST] {
    let whole = ring::digest::digest(&ring::digest::SHA256, json);
    let mut short = [0; DIGEST];
    short.copy_from_slice(&whole.as_ref()[..DIGEST]);
    short
}

/// A name beside `path` that nothing has yet.
fn free_name(path: &Path) -> PathBuf {
    let name = |number: u32| path.with_extension(format!("redb.damaged-{number}"));
    (1..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}
