//! Snapshots beside what a run gives: the same, written, or different and how.
//!
//! It knows texts and files, no runs. What differs is left beside the snapshot for review, unless nobody reviews,
//! as in continuous integration.

use std::path::Path;

use crate::report::corpus::{SnapshotFolder, shown};
use crate::report::fingerprints::{Fingerprint, Fingerprints};
use crate::report::line_diff;
use crate::report::snapshot_file::{self, SnapshotError, SnapshotFile};

use super::Refusal;
use super::output::{painted, style};

/// Writes the snapshot, unless it says the same already; answers whether it did not.
pub(super) fn accept(golden: &str, source: &str, path: &Path) -> Result<bool, Refusal> {
    let cannot = |path: &Path, error: std::io::Error| Refusal::wrong(format!("cannot write {}: {error}", shown(path)));
    let new = match SnapshotFile::read(path) {
        Ok(Some(old)) => (!old.matches(golden)).then(|| old.with_body(golden)),
        Ok(None) | Err(SnapshotError::NotASnapshot) => Some(SnapshotFile::new(source, golden)),
        Err(SnapshotError::Io(error)) => return Err(cannot(path, error)),
    };
    if let Some(new) = &new {
        new.write(path).map_err(|error| cannot(path, error))?;
    }
    let pending = snapshot_file::pending(path);
    snapshot_file::remove(&pending).map_err(|error| cannot(&pending, error))?;
    Ok(new.is_some())
}

/// How it differs from the snapshot, if it does; it is then left beside it for review.
pub(super) fn compare(golden: &str, source: &str, path: &Path) -> Option<String> {
    let pending = snapshot_file::pending(path);
    let (mut text, new) = match SnapshotFile::read(path) {
        Ok(Some(old)) if old.matches(golden) => {
            // What is pending there is stale; that it cannot be removed changes nothing.
            if !snapshot_file::in_ci() {
                let _ = snapshot_file::remove(&pending);
            }
            return None;
        }
        Ok(Some(old)) => (diff(old.body(), golden, &shown(path)), old.with_body(golden)),
        Ok(None) => (
            format!("  {}: there is no snapshot yet; --accept writes it\n", shown(path)),
            SnapshotFile::new(source, golden),
        ),
        Err(error) => (format!("  {}: {error}\n", shown(path)), SnapshotFile::new(source, golden)),
    };
    if !snapshot_file::in_ci() {
        match new.write(&pending) {
            Ok(()) => text.push_str(&format!("  review: {} (or --accept)\n", shown(&pending))),
            Err(error) => text.push_str(&format!("  cannot write {}: {error}\n", shown(&pending))),
        }
    }
    Some(text)
}

fn diff(old: &str, new: &str, name: &str) -> String {
    let (old, new) = (format!("{old}\n"), format!("{}\n", new.trim_end()));
    let unified = line_diff::unified(&old, &new, 3, [name, "this run"]);
    let mut text = String::new();
    for line in unified.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => style::ADDED,
            Some(b'-') => style::REMOVED,
            Some(_) | None => anstyle::Style::new(),
        };
        text.push_str(&format!("  {}\n", painted(style, line)));
    }
    text
}

pub(super) fn fingerprint_moved(folder: &SnapshotFolder, old: Option<&Fingerprint>, new: &Fingerprint) -> String {
    let path = shown(&Fingerprints::path(&folder.snapshots));
    match old {
        None => format!("  {path}: there is no line for it yet; --accept writes it\n"),
        Some(old) => format!(
            "  {path}: the text is the same, the run is not\n  {}\n  {}\n",
            painted(style::REMOVED, format!("-{old}")),
            painted(style::ADDED, format!("+{new}"))
        ),
    }
}
