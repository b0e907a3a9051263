//! `two_factor`: where passcodes come from and how the second step of a login is written.

use std::time::Duration;

use serde_yaml::Value;

use super::{Demand, Encoding, Passcode, Second, Sources, Totp, TotpHash, TwoFactor, field_name, is_program};
use crate::config::files::Files;
use crate::config::path::Path;
use crate::config::problem::Problems;
use crate::config::{field, raw};

pub(in crate::config) const DEMANDS: &[(&str, Demand)] = &[("asked", Demand::WhenAsked), ("always", Demand::Always)];
pub(in crate::config) const ENCODINGS: &[(&str, Encoding)] =
    &[("base64", Encoding::Base64), ("plain", Encoding::Plain)];
pub(in crate::config) const HASHES: &[(&str, TotpHash)] =
    &[("sha1", TotpHash::Sha1), ("sha256", TotpHash::Sha256), ("sha512", TotpHash::Sha512)];

/// The fields of the second step are not published: these are assumed, after those of the first.
const USERNAME_FIELD: &str = "userName";
const PASSCODE_FIELD: &str = "passcode";

/// Reads the table.
pub(super) fn read(value: Value, files: &Files, path: &Path, problems: &mut Problems) -> Option<(TwoFactor, Second)> {
    let is_table = value.is_mapping();
    let raw = raw::TwoFactor::read(value, path, problems);
    if !is_table {
        return None;
    }
    let when = field::choice(raw.when.as_ref(), DEMANDS, &path.key("when"), problems).unwrap_or(Demand::WhenAsked);
    let encoding = field::choice(raw.encoding.as_ref(), ENCODINGS, &path.key("encoding"), problems);
    let username_field = field_name(raw.username_field.as_ref(), USERNAME_FIELD, &path.key("username_field"), problems);
    let passcode_field = field_name(raw.passcode_field.as_ref(), PASSCODE_FIELD, &path.key("passcode_field"), problems);
    let (passcode, second) = passcode(&raw, files, path, problems)?;
    let encoding = encoding.unwrap_or(Encoding::Base64);
    Some((TwoFactor { when, passcode, username_field, passcode_field, encoding }, second))
}

fn passcode(raw: &raw::TwoFactor, files: &Files, path: &Path, problems: &mut Problems) -> Option<(Passcode, Second)> {
    let sources = Sources {
        what: "TOTP secret",
        inline: ("totp_secret", raw.totp_secret.as_ref()),
        file: ("totp_secret_file", raw.totp_secret_file.as_ref()),
        env: ("totp_secret_env", raw.totp_secret_env.as_ref()),
        credential: ("totp_secret_credential", raw.totp_secret_credential.as_ref()),
    };
    let totp = totp(raw, path, problems);
    let Some(command) = &raw.command else {
        let second = sources.read(files, path, problems)?;
        if !is_base32(second.text().expose()) {
            problems.error(path, "the TOTP secret is not Base32: letters from A to Z and digits from 2 to 7");
            return None;
        }
        return Some((Passcode::Totp(totp), Some(second)));
    };
    if sources.are_given() {
        problems.error(path, "give one of `command` and a TOTP secret, not both");
        return None;
    }
    let path = path.key("command");
    let parts = field::list(Some(command), &path, problems)?;
    let parts: Vec<String> = parts
        .iter()
        .enumerate()
        .filter_map(|(position, part)| field::text(Some(part), &path.index(position), problems))
        .collect();
    match parts.first() {
        Some(program) if is_program(program) => Some((Passcode::Command(parts), None)),
        Some(program) => {
            problems.error(&path, format!("program not found: `{program}`"));
            None
        }
        None => {
            problems.error(&path, "must be a list of the program and its arguments");
            None
        }
    }
}

fn totp(raw: &raw::TwoFactor, path: &Path, problems: &mut Problems) -> Totp {
    let period = Duration::from_secs(1)..=Duration::from_secs(300);
    let period =
        field::duration(raw.period.as_ref(), period, &path.key("period"), problems).unwrap_or(Totp::USUAL.period());
    if period.subsec_nanos() != 0 {
        problems.error(&path.key("period"), "must be whole seconds");
    }
    let digits = field::number(raw.digits.as_ref(), 6..=8, &path.key("digits"), problems);
    let algorithm = field::choice(raw.algorithm.as_ref(), HASHES, &path.key("algorithm"), problems);
    let digits = digits.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(Totp::USUAL.digits());
    // Without parameters a problem has been reported, and the value is not used.
    Totp::try_new(digits, period, algorithm.unwrap_or(Totp::USUAL.algorithm())).unwrap_or(Totp::USUAL)
}

/// Whether this is how secrets of passcodes are handed out: Base32, often in groups and in lower case.
fn is_base32(text: &str) -> bool {
    let letters = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'='));
    letters.clone().count() > 0
        && letters.into_iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'2'..=b'7'))
}
