//! The file of a journal as it was opened, and how far it is known.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::file::{self, Id, failed};
use super::{JournalError, Kind, News, line};
use crate::limits::JOURNAL_BYTES_MAX;

/// An open file. While it is open, no other file can have its inode.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) file: File,
    pub(super) id: Id,
    /// The end of the last whole line that was read.
    pub(super) read_to: u64,
    /// Whole lines up to there, the first one included.
    pub(super) lines: u64,
}

impl Open {
    pub(super) fn new((file, id): (File, Id)) -> Self {
        Self {
            file,
            id,
            read_to: 0,
            lines: 0,
        }
    }

    /// The file with these lines in place of the one at the path.
    pub(super) fn replace(path: &Path, text: &[u8], lines: u64) -> Result<Self, JournalError> {
        let file = file::replace(path, text)?;
        let id = Id::of(&file).map_err(failed("look at", path))?;
        Ok(Self {
            file,
            id,
            read_to: text.len() as u64,
            lines,
        })
    }

    /// Makes all lines unknown.
    pub(super) fn forget(&mut self) {
        self.read_to = 0;
        self.lines = 0;
    }

    /// Reads the whole lines that are not known yet. Somebody holds a lock.
    pub(super) fn catch_up(&mut self, path: &Path, kind: Kind) -> Result<News, JournalError> {
        let length = self.length(path)?;
        if length > JOURNAL_BYTES_MAX {
            return Err(JournalError::Full(path.to_owned()));
        }
        let Some(unread) = length.checked_sub(self.read_to) else {
            return Err(JournalError::Damaged {
                path: path.to_owned(),
                line: self.lines,
                problem: "was there and has been cut off",
            });
        };
        let mut bytes = vec![0; unread as usize];
        self.file
            .read_exact_at(&mut bytes, self.read_to)
            .map_err(failed("read", path))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(whole.map_or(0, |end| end + 1));
        let lines = line::read(&bytes, self.lines, path, kind)?;
        let is_anew = self.lines == 0;
        let first_line = u64::from(is_anew && !bytes.is_empty());
        self.lines += first_line + lines.len() as u64;
        self.read_to += bytes.len() as u64;
        Ok(match (is_anew, lines.is_empty()) {
            (true, _) => News::All(lines),
            (false, true) => News::Nothing,
            (false, false) => News::More(lines),
        })
    }

    /// Reads what is there, drops a torn line, and says what the file is if it is new. The caller
    /// holds the lock to write.
    pub(super) fn begin(&mut self, path: &Path, kind: Kind) -> Result<News, JournalError> {
        let news = self.catch_up(path, kind)?;
        if self.length(path)? > self.read_to {
            self.cut().map_err(failed("write to", path))?;
        }
        if self.lines == 0 {
            self.write(&line::header(kind), path)?;
            file::sync_directory(path)?;
        }
        Ok(news)
    }

    /// Writes one whole line at the end, and syncs it.
    pub(super) fn write(&mut self, text: &str, path: &Path) -> Result<(), JournalError> {
        let end = self.read_to + text.len() as u64;
        if end > JOURNAL_BYTES_MAX {
            return Err(JournalError::Full(path.to_owned()));
        }
        let written = self
            .file
            .write_all_at(text.as_bytes(), self.read_to)
            .and_then(|()| self.file.sync_all());
        if let Err(cause) = written {
            // Nobody has been told of the line, so nobody shall find it. If it cannot be cut off
            // either, whoever reads next finds it and takes it for written, or for torn.
            let _still_there = self.cut();
            return Err(failed("write to", path)(cause));
        }
        self.read_to = end;
        self.lines += 1;
        Ok(())
    }

    fn cut(&self) -> std::io::Result<()> {
        self.file.set_len(self.read_to)?;
        self.file.sync_all()
    }

    fn length(&self, path: &Path) -> Result<u64, JournalError> {
        let metadata = self.file.metadata().map_err(failed("look at", path))?;
        Ok(metadata.len())
    }
}
