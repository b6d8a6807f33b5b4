//! Small facts that outlive the process and are shared with other processes: one file of JSON lines.
//!
//! API keys and revocations are made by the running hub and by commands beside it, in any order. So
//! this is a file that any process appends to under a lock, and not a database: those that fit into a
//! program lock their file for one process as long as it runs, and `tidings key` has to work beside a
//! running hub.
//!
//! ```text
//! {"tidings":"keys","version":1,"sum":"5f0c11d2"}         what it is; a newer one is left alone
//! {"create":{...},"sum":"09ab77e1"}                       a fact with the check sum of its text
//! {"revoke":{...},"sum":"c2                               torn: the next writer drops it
//! ```
//!
//! - Whoever writes holds an exclusive `flock`, writes one line and syncs it before anybody is told.
//! - The last line without its end was never answered, so it counts for nothing. Any other line that
//!   is not what was written is an error that names it: a revocation that is silently lost lets
//!   somebody in.
//! - A file that is mostly history is written anew beside and renamed into place. Readers tell by its
//!   inode, which they hold open so that it cannot be used again.
//! - Nobody but its owner needs it; it is refused if every user of the machine can read it (a group
//!   may, because orchestrators hand volumes to groups).

use std::path::{Path, PathBuf};

mod error;
mod file;
mod line;
mod open;

use file::Wait;
use open::Open;

pub use error::JournalError;
pub use line::Line;

use crate::limits::{JOURNAL_BYTES_MAX, JOURNAL_REWRITE_LINES_MIN};

/// The directory of all journals in a data directory.
pub(crate) const DIRECTORY: &str = "auth";

/// What a journal holds, and the newest version of it that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// A word, which is also the name of the file.
    pub name: &'static str,
    /// The version.
    pub version: u32,
}

/// What was written since somebody looked last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum News {
    /// Nothing.
    #[default]
    Nothing,
    /// These lines, after those that are known.
    More(Vec<Line>),
    /// These lines, in place of all that are known.
    All(Vec<Line>),
}

/// One journal, as far as this process has read it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    kind: Kind,
    open: Option<Open>,
}

/// The right to write, which other processes wait for.
#[derive(Debug)]
pub struct Writing<'a> {
    path: &'a Path,
    kind: Kind,
    open: &'a mut Open,
    news: News,
}

// === impl Journal ===

impl Journal {
    /// The journal of a kind in a data directory. Neither needs to be there before something is
    /// written.
    pub fn new(data_dir: &Path, kind: Kind) -> Self {
        let file = format!("{}.jsonl", kind.name);
        Self {
            path: data_dir.join(DIRECTORY).join(file),
            kind,
            open: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written since the last call. Waits for a process that is writing, though not for
    /// long.
    pub fn news(&mut self) -> Result<News, JournalError> {
        self.look(Wait::Briefly)
    }

    /// The same, but finds nothing while another process is writing.
    pub fn glance(&mut self) -> Result<News, JournalError> {
        match self.look(Wait::Never) {
            Err(JournalError::Locked { .. }) => Ok(News::Nothing),
            seen => seen,
        }
    }

    /// Makes the next look find all lines, for whoever could not make sense of the last ones.
    pub fn forget(&mut self) {
        if let Some(open) = &mut self.open {
            open.forget();
        }
    }

    fn look(&mut self, wait: Wait) -> Result<News, JournalError> {
        loop {
            let Some((id, length)) = file::look(&self.path)? else {
                return match self.open {
                    None => Ok(News::Nothing),
                    Some(_) => Err(JournalError::Gone(self.path.clone())),
                };
            };
            let known = self.open.as_ref().filter(|open| open.id == id);
            if known.is_some_and(|open| open.read_to == length) {
                return Ok(News::Nothing);
            }
            let mut fresh = match known {
                Some(_) => None,
                None => Some(Open::new(file::open(&self.path)?)),
            };
            let open = fresh
                .as_mut()
                .or(self.open.as_mut())
                .expect("it is fresh where it is not known");
            file::lock_shared(&open.file, &self.path, wait)?;
            let current = file::is_at(&open.file, &self.path);
            let seen = match current {
                Ok(true) => open.catch_up(&self.path, self.kind).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(error),
            };
            if let Err(error) = file::unlock(&open.file, &self.path) {
                // Closing it gives the lock back, and what was just read will be read again.
                self.open = None;
                return Err(error);
            }
            // Between looking and locking, somebody may have put another file in its place.
            let Some(seen) = seen? else { continue };
            if fresh.is_some() {
                self.open = fresh;
            }
            return Ok(seen);
        }
    }

    /// Takes the right to write, and reads what others have written. The file is made if it is not
    /// there.
    pub fn write(&mut self) -> Result<Writing<'_>, JournalError> {
        let open = loop {
            let known = self.open.take();
            let open = match (known, file::look(&self.path)?) {
                (Some(known), Some((id, _))) if known.id == id => known,
                (Some(known), None) => {
                    self.open = Some(known);
                    return Err(JournalError::Gone(self.path.clone()));
                }
                _ => Open::new(file::open_or_make(&self.path)?),
            };
            file::lock(&open.file, &self.path)?;
            if file::is_at(&open.file, &self.path)? {
                break open;
            }
        };
        // What fails from here on closes the file: the lock is given back, and what was read of it is
        // read again.
        let mut open = open;
        let news = open.begin(&self.path, self.kind)?;
        Ok(Writing {
            path: &self.path,
            kind: self.kind,
            open: self.open.insert(open),
            news,
        })
    }
}

// === impl Writing ===

impl Writing<'_> {
    /// What others had written before.
    pub fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// As [`Journal::forget`], and lets go of the right to write.
    pub fn forget(self) {
        self.open.forget();
    }

    /// Writes one line, and returns when it cannot be lost any more. It is the text of a JSON object
    /// with at least one member.
    pub fn append(&mut self, json: &str) -> Result<(), JournalError> {
        // Before the check sum of something absurd is computed.
        if json.len() as u64 > JOURNAL_BYTES_MAX {
            return Err(JournalError::Full(self.path.to_owned()));
        }
        self.open.write(&line::seal(json), self.path)
    }

    /// Whether the file is mostly history, if so many lines still mean something.
    pub fn is_mostly_history(&self, live: usize) -> bool {
        let worth_it = (live as u64).saturating_mul(2);
        self.open.lines > worth_it.saturating_add(JOURNAL_REWRITE_LINES_MIN)
    }

    /// Puts these lines in place of all, at once or not at all.
    pub fn rewrite(&mut self, lines: impl IntoIterator<Item = String>) -> Result<(), JournalError> {
        let mut text = line::header(self.kind);
        let mut count = 1;
        for json in lines {
            text.push_str(&line::seal(&json));
            count += 1;
        }
        // The lock of the file that has gone is given back with it; the new one is locked already.
        *self.open = Open::replace(self.path, text.as_bytes(), count)?;
        Ok(())
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // A lock that cannot be given back is given back when the file is closed.
        let _still_locked = file::unlock(&self.open.file, self.path);
    }
}
