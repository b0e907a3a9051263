//! Where a password comes from: one of four sources, of which files are read again when the password is refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path as FilePath, PathBuf};

use serde_yaml::Value;

use super::problem::{Path, Problems};
use super::{Credentials, field, raw};
use crate::secret::Secret;

/// A passphrase longer than this is another file.
const LONGEST_PASSWORD: usize = 4096;
/// What systemd calls the directory of the credentials of a unit. **Source:** systemd.exec(5), `LoadCredential=`.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

impl Credentials {
    /// Whether `other` says the same, wherever it has the password from.
    #[must_use]
    pub fn are_those_of(&self, other: &Self) -> bool {
        (&self.username, &self.password) == (&other.username, &other.password)
    }

    /// The credentials with the password that their file holds now; none where it is the same, does not come from a file,
    /// or the file holds no usable one, as while it is being replaced. Reads from the disk.
    #[must_use]
    pub fn reread(&self) -> Option<Self> {
        let text = read(self.file.as_ref()?).ok()?;
        let password = Secret::new(checked(text).ok()?);
        (password != self.password).then(|| Self { password, ..self.clone() })
    }
}

/// The passphrase from the one source that is given, and the file it is in. No message quotes it.
pub(super) fn password(
    raw: &raw::Appliance,
    path: &Path,
    problems: &mut Problems,
) -> Option<(Secret, Option<PathBuf>)> {
    let sources = [
        ("password", raw.password.as_ref()),
        ("password_file", raw.password_file.as_ref()),
        ("password_env", raw.password_env.as_ref()),
        ("credential", raw.credential.as_ref()),
    ];
    let given: Vec<_> = sources.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect();
    let [(key, value)] = given[..] else {
        let found = if given.is_empty() { "none" } else { "several" };
        let sources = "`password_file`, `credential`, `password_env` and `password`";
        problems.error(path, format!("give one of {sources}, found {found}"));
        return None;
    };
    let path = &path.key(key);
    let (text, file) = match key {
        "password" => {
            problems.warn(path, "a password in the file is read by whoever reads the file: use `password_file`");
            (inline(value, path, problems)?, None)
        }
        "password_file" => from_file(field::text(Some(value), path, problems)?.into(), path, problems)?,
        "credential" => {
            from_file(credential(&field::text(Some(value), path, problems)?, path, problems)?, path, problems)?
        }
        _ => (from_environment(&field::text(Some(value), path, problems)?, path, problems)?, None),
    };
    match checked(text) {
        Ok(text) => Some((Secret::new(text), file)),
        Err(reason) => {
            problems.error(path, reason);
            None
        }
    }
}

fn checked(text: String) -> Result<String, String> {
    match text.len() {
        0 => Err("the password is empty".into()),
        length if length > LONGEST_PASSWORD => Err(format!("the password is longer than {LONGEST_PASSWORD} bytes")),
        _ => Ok(text),
    }
}

fn inline(value: &Value, path: &Path, problems: &mut Problems) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => {
            problems.error(path, format!("expected text, found {} (put it in quotes)", field::kind(other)));
            None
        }
    }
}

fn from_file(file: PathBuf, path: &Path, problems: &mut Problems) -> Option<(String, Option<PathBuf>)> {
    match read(&file) {
        Ok(text) => {
            let mode = std::fs::metadata(&file).map_or(0, |found| found.permissions().mode());
            if mode & 0o004 != 0 {
                problems.warn(path, format!("`{0}` can be read by everybody: chmod o-r `{0}`", file.display()));
            }
            Some((text, Some(file)))
        }
        Err(error) => {
            problems.error(path, format!("cannot read `{}`: {error}", file.display()));
            None
        }
    }
}

/// The file without the line break that editors and `echo` put at its end.
fn read(file: &FilePath) -> std::io::Result<String> {
    let mut text = std::fs::read_to_string(file)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

/// The file of the credential `name`.
fn credential(name: &str, path: &Path, problems: &mut Problems) -> Option<PathBuf> {
    if name.contains('/') || matches!(name, "." | "..") {
        problems.error(path, "must be the name of a credential, not a path");
        return None;
    }
    match std::env::var_os(CREDENTIALS_DIRECTORY).filter(|directory| !directory.is_empty()) {
        Some(directory) => Some(PathBuf::from(directory).join(name)),
        None => {
            let reason = format!("the environment variable `{CREDENTIALS_DIRECTORY}` is not set");
            problems.error(path, format!("{reason}: systemd sets it for a unit with `LoadCredential={name}:…`"));
            None
        }
    }
}

fn from_environment(variable: &str, path: &Path, problems: &mut Problems) -> Option<String> {
    match std::env::var(variable) {
        Ok(text) => Some(text),
        Err(std::env::VarError::NotPresent) => {
            problems.error(path, format!("the environment variable `{variable}` is not set"));
            None
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            problems.error(path, format!("the environment variable `{variable}` is not UTF-8"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_and_nonsense_in_it_is_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        let of = |text: &str, file: Option<&PathBuf>| Credentials {
            username: "monitor".into(),
            password: Secret::new(text),
            file: file.cloned(),
        };
        let old = of("old", Some(&file));
        assert_eq!(old.reread(), None, "no file");
        let long = "x".repeat(LONGEST_PASSWORD + 1);
        for (text, expected) in [("old\n", None), ("", None), ("\n", None), (&*long, None), ("new\n", Some("new"))] {
            std::fs::write(&file, text).expect("a file");
            assert_eq!(old.reread(), expected.map(|text| of(text, Some(&file))), "{text:?}");
        }
        assert_eq!(of("old", None).reread(), None, "not from a file");
    }
}
