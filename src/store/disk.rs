//! The file: an embedded database with crash-safe transactions. The only module that names the crate `redb`.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    StorageError, TableDefinition,
};
use ring::rand::Random;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Change, LoadedState, OpenError, Record, Refused, TotalsKey, private};
use crate::api::EVERY_ACCOUNT;

pub(super) const FILE: &str = "state.redb";
/// Shows that there was state when [`FILE`] is gone.
const MARKER: &str = "state.marker";
const MARKER_TEXT: &str = "\
asyncos_exporter keeps its state in state.redb, beside this file. Leave this file where it is: if state.redb is lost, it\n\
makes the exporter try each account once until it is accepted, so that a wrong password does not lock the account.\n";
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
pub(super) const REFUSED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("refused");
const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("appliances");
pub(super) const SALT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("salt");
/// The form of a record. It counts up when an older version could not read what a newer one writes; a newer one reads
/// what any older one wrote.
pub(super) const SCHEMA: u64 = 2;
/// Bytes of the digest before each record: the database holds its pages together, this holds the record itself.
pub(super) const DIGEST: usize = 8;
const SALT_LENGTH: usize = 32;
/// Bytes at the beginning of the file that are compared; the database's own header is within them.
const PAGE: usize = 4096;

/// The open file.
pub(super) struct Disk {
    path: PathBuf,
    /// A second handle to the file: it identifies the open file, and reaches it after its name is deleted.
    file: File,
    /// None after a failed write: the database refuses further use then and must be opened again.
    database: Option<Database>,
}

/// Whether the open file is the one at its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    /// It was deleted, and its content is now in a new file at its path.
    Rewritten,
    /// Another file is at its path.
    Replaced,
    /// It was deleted and cannot be recreated.
    Missing(String),
}

impl Disk {
    pub(super) fn open(directory: &Path) -> Result<(Self, LoadedState), OpenError> {
        let unusable = |error| OpenError::Directory(directory.to_owned(), error);
        private::make_directory(directory).map_err(unusable)?;
        let path = directory.join(FILE);
        let existed =
            if directory.join(MARKER).exists() || aside(&path, 1).exists() { Existed::Yes } else { Existed::No };
        let (file, database, mut found) = match load(&path, existed) {
            Ok(loaded) => loaded,
            Err(OpenFailure::Damaged) => {
                let aside = free_name(&path);
                std::fs::rename(&path, &aside).map_err(unusable)?;
                let (file, database, found) =
                    load(&path, Existed::Yes).map_err(|trouble| trouble.into_open_error(&path))?;
                (file, database, LoadedState { set_aside: Some(aside), ..found })
            }
            Err(trouble) => return Err(trouble.into_open_error(&path)),
        };
        found.unmarked = mark(directory).err();
        found.exposed = private::close_to_others(&file).err();
        Ok((Self { path, file, database: Some(database) }, found))
    }

    /// Writes all of `changes` or none, and returns once they would survive a power cut.
    pub(super) fn write<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> Result<(), String> {
        // Put back only after success: redb refuses every use of a database after a failed write.
        let database = self.take().map_err(|error| error.to_string())?;
        store(&database, changes).map_err(|error| error.to_string())?;
        self.database = Some(database);
        Ok(())
    }

    /// Compares the open file with the one at its path. Where nothing is left there, everything is written again to a new
    /// file: a deleted file can still be read for as long as it is open.
    pub(super) fn check(&mut self) -> Presence {
        match self.is_at_its_path() {
            Ok(true) => Presence::Present,
            // Never overwritten: it may be a backup that somebody has restored, or another exporter's.
            Ok(false) => Presence::Replaced,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match self.rewrite() {
                Ok(()) => Presence::Rewritten,
                Err(error) => Presence::Missing(error.to_string()),
            },
            Err(error) => Presence::Missing(error.to_string()),
        }
    }

    /// Some network and union file systems return another inode number for the same file each time. Files that begin with
    /// the same page are therefore treated as one: that page names the last transaction.
    fn is_at_its_path(&self) -> std::io::Result<bool> {
        let (there, ours) = (std::fs::metadata(&self.path)?, self.file.metadata()?);
        if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) {
            return Ok(true);
        }
        Ok(there.len() == ours.len() && first_page(&File::open(&self.path)?)? == first_page(&self.file)?)
    }

    fn rewrite(&mut self) -> Result<(), redb::Error> {
        let old = self.take()?;
        // As in `load`: a page that cannot be read must not end the writer.
        let copied = catch_unwind(AssertUnwindSafe(|| copy_to(&self.path, &old)))
            .unwrap_or_else(|_| Err(redb::Error::Corrupted("the deleted file cannot be read".into())));
        let (file, database) = match copied {
            Ok(copied) => copied,
            Err(error) => {
                self.database = Some(old);
                return Err(error);
            }
        };
        (self.file, self.database) = (file, Some(database));
        Ok(())
    }

    /// The database, opened again after a failed write. It is opened by its handle: at the path may be another file.
    fn take(&mut self) -> Result<Database, redb::Error> {
        match self.database.take() {
            Some(database) => Ok(database),
            None => database(&self.file),
        }
    }
}

/// Everything in `old`, in a new file at `path`, where there must be none.
fn copy_to(path: &Path, old: &Database) -> Result<(File, Database), redb::Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    private::make_directory(directory)?;
    let file = private::make_file(path)?;
    let copied = database(&file).and_then(|new| {
        copy(old, &new)?;
        // The directory too: without it a power cut may lose the name of the new file.
        File::open(directory)?.sync_all()?;
        Ok(new)
    });
    match copied {
        Ok(new) => {
            // Not essential: the next start writes the marker as well.
            let _ = mark(directory);
            Ok((file, new))
        }
        Err(error) => {
            // A partial copy would look like another exporter's file. If removing it fails, the next check reports that.
            let _ = std::fs::remove_file(path);
            Err(error)
        }
    }
}

fn copy(old: &Database, new: &Database) -> Result<(), redb::Error> {
    let (from, to) = (old.begin_read()?, new.begin_write()?);
    {
        let mut meta = to.open_table(META)?;
        for row in from.open_table(META)?.iter()? {
            let (key, value) = row?;
            meta.insert(key.value(), value.value())?;
        }
    }
    for table in [RECORDS, REFUSED, FACTS, SALT] {
        let mut copied = to.open_table(table)?;
        for row in from.open_table(table)?.iter()? {
            let (key, value) = row?;
            copied.insert(key.value(), value.value())?;
        }
    }
    to.commit()?;
    Ok(())
}

/// The database in `file`, or a new one where it is empty.
fn database(file: &File) -> Result<Database, redb::Error> {
    Ok(Database::builder().create_with_backend(FileBackend::new(file.try_clone()?)?)?)
}

fn first_page(file: &File) -> std::io::Result<[u8; PAGE]> {
    let mut page = [0; PAGE];
    file.read_exact_at(&mut page, 0)?;
    Ok(page)
}

/// Writes the marker, which survives the loss of the state file beside it.
fn mark(directory: &Path) -> std::io::Result<()> {
    let mut marker = match private::make_file(&directory.join(MARKER)) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    };
    marker.write_all(MARKER_TEXT.as_bytes())?;
    marker.sync_all()?;
    File::open(directory)?.sync_all()
}

fn store<'a>(database: &Database, changes: impl Iterator<Item = &'a Change>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        let mut refused = transaction.open_table(REFUSED)?;
        let mut facts = transaction.open_table(FACTS)?;
        for change in changes {
            match change {
                Change::Record(key, record) => drop(records.insert(&*key.text(), encode(record).as_slice())?),
                Change::Facts(appliance, found) => drop(facts.insert(&**appliance, encode(found).as_slice())?),
                Change::Refused(account, Some(tally)) => {
                    drop(refused.insert(&**account, encode(tally).as_slice())?);
                }
                Change::Refused(account, None) => drop(refused.remove(&**account)?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

enum OpenFailure {
    Damaged,
    InUse,
    Newer(u64),
    Other(String),
}

impl OpenFailure {
    fn into_open_error(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::InUse => OpenError::InUse(path),
            Self::Newer(schema) => OpenError::Newer(path, schema),
            Self::Damaged => OpenError::Other(path, "the file is damaged again right after its creation".into()),
            Self::Other(reason) => OpenError::Other(path, reason),
        }
    }
}

impl From<redb::Error> for OpenFailure {
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

/// Whether there was state in the directory before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existed {
    Yes,
    No,
}

fn load(path: &Path, existed: Existed) -> Result<(File, Database, LoadedState), OpenFailure> {
    // redb panics on some damaged pages. That must be treated as damage, and not end the exporter.
    catch_unwind(AssertUnwindSafe(|| read(path, existed))).unwrap_or(Err(OpenFailure::Damaged))
}

fn read(path: &Path, existed: Existed) -> Result<(File, Database, LoadedState), OpenFailure> {
    let file = private::open_file(path).map_err(|error| OpenFailure::from(redb::Error::from(error)))?;
    let mut database = database(&file)?;
    match database.check_integrity() {
        // False means that an unfinished transaction was rolled back, which is correct.
        Ok(true | false) => {}
        Err(DatabaseError::Storage(StorageError::Corrupted(_))) => return Err(OpenFailure::Damaged),
        Err(error) => return Err(redb::Error::from(error).into()),
    }
    let prepared = prepare(&database, existed)?;
    let mut found = records(&database)?;
    found.is_lost = prepared.is_lost;
    found.damaged += prepared.damaged;
    Ok((file, database, found))
}

struct Prepared {
    /// Whether the file is new although there was state before.
    is_lost: bool,
    /// Refused logins that were damaged.
    damaged: usize,
}

/// Creates the tables, or checks their schema. An older file is upgraded: its records are read, and the version that wrote
/// it may be unable to read the next ones.
///
/// If earlier refused logins may be missing, that is recorded in the same transaction: a crash before the first login must
/// not hide it.
fn prepare(database: &Database, existed: Existed) -> Result<Prepared, OpenFailure> {
    let failed = |error: redb::Error| OpenFailure::from(error);
    let transaction = database.begin_write().map_err(|error| failed(error.into()))?;
    let prepared = {
        let mut meta = transaction.open_table(META).map_err(|error| failed(error.into()))?;
        let schema = meta.get("schema").map_err(|error| failed(error.into()))?.map(|schema| schema.value());
        match schema {
            Some(newer) if newer > SCHEMA => return Err(OpenFailure::Newer(newer)),
            Some(SCHEMA) => {}
            Some(_) | None => {
                meta.insert("schema", SCHEMA).map_err(|error| failed(error.into()))?;
            }
        }
        transaction.open_table(RECORDS).map_err(|error| failed(error.into()))?;
        transaction.open_table(FACTS).map_err(|error| failed(error.into()))?;
        let mut refused = transaction.open_table(REFUSED).map_err(|error| failed(error.into()))?;
        let rows = refused.len().map_err(|error| failed(error.into()))?;
        refused.retain(|_, row| decode::<Refused>(row).is_some()).map_err(|error| failed(error.into()))?;
        let damaged = rows - refused.len().map_err(|error| failed(error.into()))?;
        let mut salt = transaction.open_table(SALT).map_err(|error| failed(error.into()))?;
        let salted = salt.get("salt").map_err(|error| failed(error.into()))?.map(|salt| salt.value().len());
        if salted != Some(SALT_LENGTH) {
            salt.insert("salt", random()?.as_slice()).map_err(|error| failed(error.into()))?;
        }
        let is_lost = schema.is_none() && existed == Existed::Yes;
        let is_resalted = schema.is_some() && salted != Some(SALT_LENGTH);
        if is_lost || is_resalted || damaged > 0 {
            let unknown = encode(&Refused { history_lost: true, ..Refused::default() });
            refused.insert(EVERY_ACCOUNT, unknown.as_slice()).map_err(|error| failed(error.into()))?;
        }
        Prepared { is_lost, damaged: usize::try_from(damaged).unwrap_or(usize::MAX) }
    };
    transaction.commit().map_err(|error| failed(error.into()))?;
    Ok(prepared)
}

fn records(database: &Database) -> Result<LoadedState, redb::Error> {
    let transaction = database.begin_read()?;
    let mut found = LoadedState::default();
    let (records, damaged) = rows::<Record>(&transaction.open_table(RECORDS)?)?;
    let intact = records.len();
    let known = records.into_iter().filter_map(|(key, record)| Some((TotalsKey::read(&key)?, record)));
    found.records = known.collect();
    found.damaged = damaged + intact - found.records.len();
    // A damaged fact is found out again from the appliance.
    (found.facts, _) = rows(&transaction.open_table(FACTS)?)?;
    // `prepare` has removed the damaged ones.
    (found.refused, _) = rows(&transaction.open_table(REFUSED)?)?;
    if let Some(salt) = transaction.open_table(SALT)?.get("salt")?
        && salt.value().len() == found.salt.len()
    {
        found.salt.copy_from_slice(salt.value());
    }
    Ok(found)
}

/// The intact rows of `table`, and the number of damaged ones.
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

fn random() -> Result<[u8; SALT_LENGTH], OpenFailure> {
    let random = ring::rand::generate::<[u8; SALT_LENGTH]>(&ring::rand::SystemRandom::new());
    random.map(Random::expose).map_err(|_| OpenFailure::Other("the system provides no random numbers".into()))
}

pub(super) fn encode(record: &impl Serialize) -> Vec<u8> {
    // A struct of numbers and texts can always be serialised.
    let json = serde_json::to_vec(record).unwrap_or_default();
    let mut bytes = digest(&json).to_vec();
    bytes.extend_from_slice(&json);
    bytes
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
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
    (1..).map(|number| aside(path, number)).find(|name| !name.exists()).unwrap_or_else(|| aside(path, 0))
}

/// The name of the damaged file `number`.
fn aside(path: &Path, number: u32) -> PathBuf {
    path.with_extension(format!("redb.damaged-{number}"))
}
