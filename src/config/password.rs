//! Secrets from one of four sources, of which files are read again when the secret is refused.

use std::path::{Path as FilePath, PathBuf};

use serde_yaml::Value;

use super::file_reader::FileReader;
use super::files::Files;
use super::path::Path;
use super::problem::Problems;
use super::{Credentials, document, field};
use crate::base::secret::Secret;

/// A passphrase longer than this is another file.
const LONGEST_PASSWORD: usize = 4096;
/// The longest file that one is looked for in, in bytes.
const LONGEST_FILE: u64 = 1 << 20;
/// The variable with the directory of a unit's credentials. **Source:** systemd.exec(5), `LoadCredential=`.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

impl Credentials {
    /// Whether `other` has the same name and secrets, wherever they come from.
    #[must_use]
    pub fn are_those_of(&self, other: &Self) -> bool {
        let said = |credentials: &Self| {
            let second = credentials.second.as_ref().map(|second| second.text.clone());
            (credentials.username.clone(), credentials.password.text.clone(), second)
        };
        said(self) == said(other)
    }

    /// Whether [`Credentials::reread`] may ever return something.
    #[must_use]
    pub fn are_in_files(&self) -> bool {
        [Some(&self.password), self.second.as_ref()].into_iter().flatten().any(|secret| secret.file.is_some())
    }

    /// The credentials with the secrets that their files hold now; none where they are the same, do not come from files,
    /// or the files hold no usable ones, as while they are being replaced. Reads from the disk.
    #[must_use]
    pub fn reread(&self) -> Option<Self> {
        let (password, second) = (self.password.reread(), self.second.as_ref().and_then(Passphrase::reread));
        if password.is_none() && second.is_none() {
            return None;
        }
        let mut next = self.clone();
        next.password = password.unwrap_or(next.password);
        next.second = second.or(next.second);
        Some(next)
    }
}

/// A file that holds one secret.
#[derive(Clone, Debug)]
pub struct SecretFile {
    path: PathBuf,
    reader: FileReader,
}

impl SecretFile {
    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.path
    }

    /// The text in it without the byte order mark and the line breaks that editors and `echo` add, and whether everybody
    /// may read it.
    fn read(&self) -> Result<(String, bool), String> {
        let content = self.reader.read(&self.path, LONGEST_FILE)?;
        let text = document::decode(content.bytes)?;
        Ok((text.trim_end_matches(['\r', '\n']).to_owned(), content.is_public))
    }
}

impl PartialEq for SecretFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for SecretFile {}

/// A secret text: not empty, and of bounded length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passphrase {
    text: Secret,
    file: Option<SecretFile>,
}

/// A text that cannot be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPassphrase {
    /// There is no text.
    #[error("is empty")]
    Empty,
    /// More text than any appliance accepts: the file is probably the wrong one.
    #[error("is longer than {LONGEST_PASSWORD} bytes")]
    Long,
}

impl Passphrase {
    /// A secret that is not in a file.
    ///
    /// # Errors
    /// When the text is empty or longer than 4096 bytes.
    pub fn try_new(text: impl Into<String>) -> Result<Self, NotAPassphrase> {
        Self::of(text.into(), None)
    }

    fn of(text: String, file: Option<SecretFile>) -> Result<Self, NotAPassphrase> {
        match text.len() {
            0 => Err(NotAPassphrase::Empty),
            length if length > LONGEST_PASSWORD => Err(NotAPassphrase::Long),
            _ => Ok(Self { text: Secret::new(text), file }),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Secret {
        &self.text
    }

    /// The file with it, if it comes from one.
    #[must_use]
    pub fn file(&self) -> Option<&SecretFile> {
        self.file.as_ref()
    }

    fn reread(&self) -> Option<Self> {
        let file = self.file.as_ref()?;
        Self::of(file.read().ok()?.0, Some(file.clone())).ok().filter(|now| now.text != self.text)
    }
}

/// The keys under which one secret may be given, with what stands there.
pub(super) struct Sources<'a> {
    /// The name of the secret in messages.
    pub(super) what: &'static str,
    pub(super) inline: (&'static str, Option<&'a Value>),
    pub(super) file: (&'static str, Option<&'a Value>),
    pub(super) env: (&'static str, Option<&'a Value>),
    pub(super) credential: (&'static str, Option<&'a Value>),
}

impl Sources<'_> {
    /// Whether any of the keys is there.
    pub(super) fn are_given(&self) -> bool {
        [self.inline, self.file, self.env, self.credential].iter().any(|(_, value)| value.is_some())
    }

    /// The secret from the one source that is given, with the file it is in. No message quotes it.
    pub(super) fn read(&self, files: &Files, path: &Path, problems: &mut Problems) -> Option<Passphrase> {
        let Self { what, inline, file, env, credential } = self;
        let given: Vec<_> = [inline, file, env, credential].into_iter().filter(|(_, value)| value.is_some()).collect();
        let [(key, Some(value))] = given[..] else {
            let found = if given.is_empty() { "none" } else { "several" };
            let sources = format!("`{}`, `{}`, `{}` and `{}`", file.0, credential.0, env.0, inline.0);
            problems.error(path, format!("give one of {sources}, found {found}"));
            return None;
        };
        let path = &path.key(key);
        let (text, kept) = if *key == inline.0 {
            let message = format!(
                "a {what} in the configuration can be read by anyone who can read the file: use \
            `{}`",
                file.0
            );
            problems.warn(path, message);
            (inline_text(value, path, problems)?, None)
        } else {
            let named = field::text(Some(value), path, problems)?;
            if *key == file.0 {
                from_file(named.into(), files, path, problems)?
            } else if *key == credential.0 {
                from_file(credential_file(&named, path, problems)?, files, path, problems)?
            } else {
                (from_environment(&named, path, problems)?, None)
            }
        };
        for doubt in doubts(&text, (*key == inline.0).then_some(env.0)) {
            problems.warn(path, format!("the {what} {doubt}"));
        }
        let secret = Passphrase::of(text, kept);
        secret.map_err(|reason| problems.error(path, format!("the {what} {reason}"))).ok()
    }
}

/// Probable mistakes in a secret that is sent as it is. None quotes any of it. `env` is the key for a variable in place of
/// an inline secret.
fn doubts(text: &str, env: Option<&str>) -> impl Iterator<Item = String> {
    const SENT: &str = "which is sent as part of it";
    let (inline, env) = (env.is_some(), env.unwrap_or_default());
    let is_variable = text.starts_with("${") && text.ends_with('}') && !text.contains(char::is_whitespace);
    let found = [
        (text.trim() != text).then(|| format!("begins or ends with white space, {SENT}")),
        text.contains('\u{feff}').then(|| format!("contains a byte order mark (U+FEFF), {SENT}")),
        text.contains('\0').then(|| format!("contains a NUL byte, {SENT}")),
        text.trim().contains('\n').then(|| "has several lines, all of which are sent".to_owned()),
        (inline && is_variable).then(|| format!("is `${{…}}` literally: variables are not expanded, use `{env}`")),
        (inline && document::typographic_quote(text).is_some())
            .then(|| format!("begins with a typographic quote, {SENT}")),
    ];
    found.into_iter().flatten()
}

fn inline_text(value: &Value, path: &Path, problems: &mut Problems) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => {
            problems.error(path, format!("expected text, found {} (put it in quotes)", field::kind(other)));
            None
        }
    }
}

fn from_file(
    path: PathBuf,
    files: &Files,
    place: &Path,
    problems: &mut Problems,
) -> Option<(String, Option<SecretFile>)> {
    let file = SecretFile { path, reader: files.reader().clone() };
    match file.read() {
        Ok((text, is_public)) => {
            if is_public {
                warn_of_public(&file.path, place, problems);
            }
            Some((text, Some(file)))
        }
        Err(error) => {
            problems.error(place, format!("cannot read `{}`: {error}", file.path.display()));
            None
        }
    }
}

/// Warns about a file with a secret in it that everybody may read.
pub(super) fn warn_of_public(file: &FilePath, path: &Path, problems: &mut Problems) {
    problems.warn(path, format!("`{0}` is world-readable: chmod o-r `{0}`", file.display()));
}

/// The file of the credential `name`.
fn credential_file(name: &str, path: &Path, problems: &mut Problems) -> Option<PathBuf> {
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
        let of = |text: &str, file: Option<&PathBuf>| {
            let file = file.map(|path| SecretFile { path: path.clone(), reader: FileReader::new() });
            let password = Passphrase { text: Secret::new(text), file };
            Credentials { username: "monitor".into(), password, second: None }
        };
        let old = of("old", Some(&file));
        assert_eq!(old.reread(), None, "no file");
        let long = "x".repeat(LONGEST_PASSWORD + 1);
        for (text, expected) in [
            ("old\n", None),
            ("", None),
            ("\n", None),
            (&*long, None),
            ("\u{feff}old\r\n", None),
            ("new\n", Some("new")),
        ] {
            std::fs::write(&file, text).expect("a file");
            assert_eq!(old.reread(), expected.map(|text| of(text, Some(&file))), "{text:?}");
        }
        assert_eq!(of("old", None).reread(), None, "not from a file");
        let with_second = |second: &Credentials| Credentials { second: Some(second.password.clone()), ..of("x", None) };
        assert_eq!(with_second(&old).reread(), Some(with_second(&of("new", Some(&file)))));
    }
}
