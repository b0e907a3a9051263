//! The file: an embedded database with crash-safe transactions. The only place that names it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition};

use super::{Found, OpenError, Record};

const FILE: &str = "state.redb";
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
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

    /// Writes all of `records` or none, and returns once they would survive a power cut.
    pub(super) fn write<'a>(&mut self, records: impl Iterator<Item = (&'a str, &'a Record)>) -> Result<(), String> {
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::create(&self.path).map_err(|error| error.to_string())?,
        };
        store(&database, records).map_err(|error| error.to_string())?;
        self.database = Some(database);
        Ok(())
    }
}

fn store<'a>(database: &Database, records: impl Iterator<Item = (&'a str, &'a Record)>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for (key, record) in records {
            table.insert(key, encode(record).as_slice())?;
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
    }
    transaction.commit().map_err(|error| told(error.into()))
}

fn records(database: &Database) -> Result<Found, redb::Error> {
    let transaction = database.begin_read()?;
    let table = transaction.open_table(RECORDS)?;
    let mut found = Found { records: HashMap::new(), ..Found::default() };
    for row in table.iter()? {
        let (key, value) = row?;
        match decode(value.value()) {
            Some(record) => {
                found.records.insert(key.value().to_owned(), record);
            }
            None => found.damaged += 1,
        }
    }
    Ok(found)
}

fn encode(record: &Record) -> Vec<u8> {
    // A struct of numbers and texts always has a form in JSON.
    let json = serde_json::to_vec(record).unwrap_or_default();
    let mut bytes = digest(&json).to_vec();
    bytes.extend_from_slice(&json);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Record> {
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
