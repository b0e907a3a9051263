//! Core dumps, which would hold passwords and tokens, and debuggers of the same user, which could read them.

/// Turns both off for this process, as far as the system can; elsewhere than on Linux it cannot.
///
/// # Errors
/// When the system refuses.
#[cfg(target_os = "linux")]
pub(super) fn forbid() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forbid() -> std::io::Result<()> {
    Ok(())
}
