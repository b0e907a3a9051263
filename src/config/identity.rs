//! The keys about what an appliance is: `minimum_release` and `serial`, alone and as defaults for all.

use serde_yaml::Value;

use super::field;
use super::path::Path;
use super::problem::Problems;
use crate::base::release::Release;

/// What one table says; what it leaves open is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdentityKeys {
    pub(super) minimum_release: Option<Release>,
    pub(super) serial: Option<bool>,
}

impl IdentityKeys {
    pub(super) fn read(
        minimum_release: Option<&Value>,
        serial: Option<&Value>,
        path: &Path,
        problems: &mut Problems,
    ) -> Self {
        Self {
            minimum_release: field::release(minimum_release, &path.key("minimum_release"), problems),
            serial: field::switch(serial, &path.key("serial"), problems),
        }
    }

    /// These where they say something, then `defaults`.
    pub(super) fn or(self, defaults: Self) -> Self {
        Self {
            minimum_release: self.minimum_release.or(defaults.minimum_release),
            serial: self.serial.or(defaults.serial),
        }
    }
}
