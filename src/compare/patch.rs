//! Makes the parts of a patch in git's format.

use crate::diff::git::{GitId, GitMode, Literal};
use crate::diff::patch::{FilePatch, FileSide, PatchContent, PatchOptions};
use crate::diff::{Body, Change, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::path::RepoPath;
use crate::repo::config::Converter;

use super::contents::MAX_IN_MEMORY;
use super::{Comparison, has_other_content};

/// 64 MiB: a patch does not contain larger binary files.
const MAX_BINARY: u64 = 64 << 20;

impl Comparison<'_> {
    /// The parts of a change that git's format can hold: content, the executable bit, links and renames. A change of
    /// type has up to two parts, any other at most one.
    pub fn file_patches(&self, change: &Change, options: PatchOptions) -> Result<Vec<FilePatch>> {
        let [old, new] =
            [&change.old, &change.new].map(|entry| entry.as_ref().filter(|entry| GitMode::of(entry).is_some()));
        let kind = |entry: Option<&Entry>| entry.map(Entry::kind);
        Ok(match (kind(old), kind(new)) {
            _ if change.status == Status::Ignored => Vec::new(),
            (None, None) => Vec::new(),
            (Some(Kind::File), Some(Kind::Symlink)) | (Some(Kind::Symlink), Some(Kind::File)) => {
                vec![self.file_patch(change, (old, None), options)?, self.file_patch(change, (None, new), options)?]
            }
            _ => {
                let patch = self.file_patch(change, (old, new), options)?;
                if patch.is_empty() { Vec::new() } else { vec![patch] }
            }
        })
    }

    fn file_patch(
        &self,
        change: &Change,
        sides: (Option<&Entry>, Option<&Entry>),
        options: PatchOptions,
    ) -> Result<FilePatch> {
        let old_path = change.renamed.as_ref().map_or(&change.path, |rename| &rename.from);
        let side = |path: &RepoPath, entry: Option<&Entry>| {
            entry.and_then(GitMode::of).map(|mode| FileSide { path: path.to_owned(), mode, id: None })
        };
        let (old, new) = (side(old_path, sides.0), side(&change.path, sides.1));
        let renamed = change.renamed.as_ref().filter(|_| old.is_some() && new.is_some());
        let similarity = renamed.map(|rename| rename.similarity);
        let mut patch = FilePatch { old, new, similarity, content: PatchContent::Same };
        if !has_other_content(change) {
            return Ok(patch);
        }
        if self.is_purged(sides) {
            return Ok(FilePatch { content: PatchContent::Purged, ..patch });
        }
        let contents = self.contents(&change.path, sides)?;
        let converter = self.repository.config.converters.iter().rfind(|converter| converter.matches(&change.path));
        let converter = converter.filter(|_| !options.binary);
        let limit = if options.binary || converter.is_some() { MAX_BINARY } else { MAX_IN_MEMORY };
        let mut loaded = contents.load(limit)?;
        if let Some([old, new]) = &loaded {
            patch.old.iter_mut().for_each(|side| side.id = Some(GitId::of(old)));
            patch.new.iter_mut().for_each(|side| side.id = Some(GitId::of(new)));
        }
        if let (Some(converter), Some([old, new])) = (converter, &mut loaded) {
            for (side, bytes) in [(&contents.old, old), (&contents.new, new)] {
                if side.is_some() {
                    *bytes = convert(converter, &change.path, bytes)?;
                }
            }
        }
        patch.content = match (contents.compare(loaded.as_ref(), options.text)?, loaded) {
            (Body::Nothing, _) => PatchContent::Same,
            (Body::Purged, _) => PatchContent::Purged,
            // Only space differs, which is ignored.
            (Body::Text(hunks), _) if hunks.is_empty() && options.text.ignore_space => PatchContent::Same,
            (Body::Text(hunks), _) => PatchContent::Text(hunks),
            (Body::Bytes { .. }, Some([old, new])) if options.binary => {
                PatchContent::Binary { old: Literal::new(&old), new: Literal::new(&new) }
            }
            (Body::Bytes { ranges, is_text, .. }, _) => PatchContent::Bytes { ranges, is_text },
        };
        Ok(patch)
    }
}

/// Converts a file to text. Fails if the command does.
fn convert(converter: &Converter, path: &RepoPath, bytes: &[u8]) -> Result<Vec<u8>> {
    match fs::convert(&converter.command, bytes)? {
        (0, text) => Ok(text),
        (exit, _) => {
            let message = format!("`{}` cannot convert `{}`: exit status {exit}", converter.command, path.display());
            Err(Error::new(ErrorKind::Usage, message).hint("to compare without converting: undo diff --binary"))
        }
    }
}
