//! Settings and certificates that change while the hub runs.
//!
//! One thread reads them: at the signal of an operator all settings, and whenever the files of the
//! certificate have changed these two. Nothing is taken over before all of it has been checked, so a
//! mistake changes nothing but a figure and the log.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tidings_http::{Places, Reload, Tls};

use crate::assemble::Changes;
use crate::serve::places_max;
use crate::service_manager::ServiceManager;
use crate::settings::{Auth, Faults, Settings, TlsFiles};

/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Reads the settings from where they were read at the start.
pub type ReadAgain = Box<dyn Fn() -> Result<Settings, Faults> + Send>;

/// What follows the settings, and those that are in force.
pub struct Reloader {
    pub(crate) read_again: ReadAgain,
    pub(crate) settings: Settings,
    pub(crate) changes: Changes,
    pub(crate) places: Places,
    pub(crate) tls: Option<Tls>,
    pub(crate) manager: Arc<ServiceManager>,
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Asks the thread to read the settings again. The thread ends when it is dropped.
#[derive(Debug)]
pub struct Asking(SyncSender<()>);

impl Asking {
    /// Asks. If somebody has asked already and was not heard yet, that one will do.
    pub fn ask(&self) {
        match self.0.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => {}
            Err(TrySendError::Disconnected(())) => {
                tracing::error!("settings cannot be read again: the thread that does it has ended");
            }
        }
    }
}

impl Reloader {
    /// Starts the thread.
    pub fn start(mut self) -> anyhow::Result<Asking> {
        let (asking, asked) = mpsc::sync_channel(1);
        let runtime = tokio::runtime::Handle::current();
        let follow = move || {
            // Whatever is assembled may have tasks of its own.
            let _runtime = runtime.enter();
            let mut files = Watched::new(self.settings.tls.as_ref());
            loop {
                match asked.recv_timeout(LOOK) {
                    Ok(()) => {
                        if self.read_all() == Reload::Taken {
                            files = Watched::new(self.settings.tls.as_ref());
                        }
                    }
                    Err(RecvTimeoutError::Timeout) if files.have_changed() => {
                        self.read_certificate();
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("reload".to_owned());
        thread
            .spawn(follow)
            .context("a thread could not be started")?;
        Ok(Asking(asking))
    }

    /// Takes over what can be taken over of the settings, if nothing at all is wrong with them.
    fn read_all(&mut self) -> Reload {
        self.manager.reloading();
        let outcome = match (self.read_again)() {
            Ok(settings) => self.take_over(settings),
            Err(faults) => {
                for fault in &faults.0 {
                    let hint = fault.hint.as_deref().unwrap_or_default();
                    tracing::error!(at = %fault.origin, hint, "{}", fault.message);
                }
                Reload::Refused
            }
        };
        // Whoever reads the log finds it counted.
        self.changes.app().count_reload(outcome);
        match outcome {
            Reload::Taken => tracing::info!("the settings have been read again, and are in force"),
            Reload::Refused => {
                tracing::error!("the settings cannot be used; those before stay in force");
            }
        }
        self.manager.ready();
        outcome
    }

    fn take_over(&mut self, read: Settings) -> Reload {
        let before = &self.settings;
        let differing = before.fixed.differing(&read.fixed);
        let settings = Settings {
            // What keys and revocations are in stays where it is, and so does what they were read for.
            data_dir: before.data_dir.clone(),
            profiles: Arc::clone(&before.profiles),
            fixed: before.fixed.clone(),
            auth: Auth {
                // Of its own in development; then it is not read again from another place.
                secret: if read.development {
                    read.auth.secret.or_else(|| before.auth.secret.clone())
                } else {
                    read.auth.secret
                },
                ..read.auth
            },
            ..read
        };
        if let Err(error) = self.changes.take_over(&settings) {
            tracing::error!("{error:#}");
            return Reload::Refused;
        }
        self.places.set_max(places_max(&settings));
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        for name in differing {
            tracing::warn!("`{name}` is set otherwise than at the start, which needs a restart");
        }
        let tls = match (&self.tls, settings.tls) {
            (Some(shown), Some(files)) => {
                replace(shown, &self.changes, &files);
                Some(files)
            }
            (Some(_), None) => self.settings.tls.take(),
            (None, _) => None,
        };
        self.settings = Settings { tls, ..settings };
        Reload::Taken
    }

    /// Shows the certificate that its files hold now, if it can be used.
    fn read_certificate(&mut self) {
        let (Some(tls), Some(files)) = (&self.tls, &self.settings.tls) else {
            return;
        };
        let app = self.changes.app();
        match files.again() {
            Ok(files) if files.certificate == tls.certificate() => {}
            Ok(files) => {
                for warning in &files.warnings {
                    tracing::warn!("{warning}");
                }
                app.count_reload(Reload::Taken);
                replace(tls, &self.changes, &files);
                self.settings.tls = Some(files);
            }
            Err(error) => {
                app.count_reload(Reload::Refused);
                tracing::error!(
                    cause = %error, hint = error.hint(),
                    "the certificate has changed and cannot be used; the one before is shown on"
                );
            }
        }
    }
}

/// Shows another certificate, if it is another one.
fn replace(tls: &Tls, changes: &Changes, files: &TlsFiles) {
    if files.certificate == tls.certificate() {
        return;
    }
    tls.replace(files.certificate.clone());
    changes.app().note_certificate(&files.certificate);
    tracing::info!("another certificate is shown from now on");
}

/// Files that are looked at again and again. A change counts when they have come to rest: who writes
/// two files has changed one of them first. They count as changed once in any case, since they may have
/// between being read and being looked at.
struct Watched {
    paths: Vec<std::path::PathBuf>,
    taken: Vec<Stamp>,
    last: Vec<Stamp>,
}

/// What tells one content of a file from another.
type Stamp = Option<(SystemTime, u64)>;

impl Watched {
    fn new(files: Option<&TlsFiles>) -> Self {
        let paths = files.map(TlsFiles::paths).into_iter().flatten();
        let paths: Vec<_> = paths.map(Path::to_owned).collect();
        let stamps: Vec<Stamp> = paths.iter().map(|path| stamp(path)).collect();
        Self {
            paths,
            taken: Vec::new(),
            last: stamps,
        }
    }

    /// Whether the files are others than when this was last told, and no longer changing.
    fn have_changed(&mut self) -> bool {
        let now: Vec<Stamp> = self.paths.iter().map(|path| stamp(path)).collect();
        let is_at_rest = now == self.last;
        self.last = now;
        if !is_at_rest || self.last == self.taken {
            return false;
        }
        self.taken.clone_from(&self.last);
        true
    }
}

fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn files_have_changed_once_they_have_come_to_rest() {
        let directory = tempdir().expect("a directory");
        let paths = ["chain", "key"].map(|name| directory.path().join(name));
        for path in &paths {
            fs::write(path, "1").expect("written");
        }
        let mut watched = Watched {
            paths: paths.to_vec(),
            taken: Vec::new(),
            last: paths.iter().map(|path| stamp(path)).collect(),
        };
        assert!(watched.have_changed(), "nobody knows");
        assert!(!watched.have_changed());
        fs::write(&paths[0], "22").expect("written");
        assert!(!watched.have_changed(), "somebody is writing");
        fs::write(&paths[1], "22").expect("written");
        assert!(!watched.have_changed(), "somebody is still writing");
        assert!(watched.have_changed());
        assert!(!watched.have_changed(), "it is told once");
        fs::remove_file(&paths[0]).expect("removed");
        assert!(!watched.have_changed());
        assert!(watched.have_changed(), "gone is changed, too");
    }
}
