//! With what the hub speaks TLS: two files, read and checked before anything is served with them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_core::port::Clock as _;
use tidings_core::time::{Rfc3339, Timestamp};
use tidings_http::{Certificate, CertificateError};

use super::fault::Faults;
use super::gather::Gathered;
use super::limits::{CERTIFICATE_BYTES_MAX, CERTIFICATE_ENDS_SOON_DAYS};
use super::origin::Sourced;
use super::signing::readable_for_all;
use crate::clock::SystemClock;

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.key";

/// The files of a certificate and its key, and what stood in them.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsFiles {
    chain: PathBuf,
    key: PathBuf,
    /// What they hold.
    pub certificate: Certificate,
    /// What an operator should hear about them, though they can be used.
    pub warnings: Vec<String>,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// One of them cannot be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Whether it is that of the key.
        is_key: bool,
        /// Why.
        cause: io::Error,
    },
    /// What stands in one of them cannot be used.
    #[error("`{}` cannot be used: {cause}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        cause: CertificateError,
    },
}

impl TlsFilesError {
    fn is_of_key(&self) -> bool {
        match self {
            Self::Unreadable { is_key, .. } => *is_key,
            Self::Unusable { cause, .. } => cause.is_of_key(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "give a file that the user of this process can read",
            Self::Unusable { cause, .. } => match cause {
                CertificateError::NoKey => {
                    "give the key in PEM and without a passphrase; `openssl pkey -in KEY -out NEW` takes \
                     one away"
                }
                CertificateError::KeyMismatch => {
                    "the hub's own certificate stands first in its file, and the key is the one that \
                     it was asked for with"
                }
                _ => "give PEM: what `openssl x509 -in FILE -noout` and `openssl pkey` read",
            },
        }
    }
}

impl TlsFiles {
    /// Reads a certificate and its key.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, TlsFilesError> {
        let contents = |path: &Path, is_key| {
            read(path).map_err(|cause| TlsFilesError::Unreadable {
                path: path.to_owned(),
                is_key,
                cause,
            })
        };
        let ((chain_text, _), (key_text, mode)) = (contents(chain, false)?, contents(key, true)?);
        let certificate = Certificate::read(&chain_text, &key_text).map_err(|cause| {
            let path = if cause.is_of_key() { key } else { chain };
            TlsFilesError::Unusable {
                path: path.to_owned(),
                cause,
            }
        })?;
        let now = SystemClock::default().now();
        let validity = validity_warning(chain, &certificate, now);
        let warnings = validity.into_iter().chain(readable_for_all(key, mode));
        Ok(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            warnings: warnings.collect(),
            certificate,
        })
    }

    /// Reads the same files again.
    pub fn again(&self) -> Result<Self, TlsFilesError> {
        Self::read(&self.chain, &self.key)
    }

    /// The two files.
    pub fn paths(&self) -> [&Path; 2] {
        [&self.chain, &self.key]
    }
}

/// What is to be said of the time in which a certificate counts. Clients decide by their own clocks,
/// and so it is no error.
fn validity_warning(path: &Path, certificate: &Certificate, now: Timestamp) -> Option<String> {
    let path = path.display();
    let (begins, ends) = (certificate.begins_at(), certificate.ends_at());
    let soon = Duration::from_secs(CERTIFICATE_ENDS_SOON_DAYS * 24 * 60 * 60);
    if now >= ends {
        let ended = Rfc3339(ends);
        Some(format!(
            "the certificate `{path}` has expired: {ended}; clients refuse it"
        ))
    } else if now < begins {
        let begins = Rfc3339(begins);
        Some(format!(
            "the certificate `{path}` does not count before: {begins}; clients refuse it till then"
        ))
    } else if now.plus(soon) >= ends {
        let ends = Rfc3339(ends);
        Some(format!("the certificate `{path}` expires soon: {ends}"))
    } else {
        None
    }
}

fn read(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(CERTIFICATE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CERTIFICATE_BYTES_MAX {
        let problem = format!("it has more than {CERTIFICATE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok((bytes, mode))
}

/// What the settings name, if they do. What is wrong with it is noted.
pub(super) fn of(
    gathered: &Gathered,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<TlsFiles> {
    let layer = &gathered.layer;
    let mut alone = |set: &Sourced<PathBuf>, key, other: &'static str| {
        if !faults.touch(&[CERTIFICATE, KEY]) && gathered.file_is_known {
            let message = format!("`{key}` is set, and `{other}` is not");
            let hint = format!("set `{other}`, too, or neither of them");
            faults.add(key, set.origin.clone(), message, hint);
        }
        None
    };
    let (chain, key) = match (&layer.tls_certificate, &layer.tls_key) {
        (None, None) => return None,
        (Some(chain), None) => return alone(chain, CERTIFICATE, KEY),
        (None, Some(key)) => return alone(key, KEY, CERTIFICATE),
        (Some(chain), Some(key)) => (chain, key),
    };
    match TlsFiles::read(&chain.value, &key.value) {
        Ok(files) => {
            warnings.extend(files.warnings.iter().cloned());
            Some(files)
        }
        Err(error) => {
            let (name, named) = if error.is_of_key() {
                (KEY, key)
            } else {
                (CERTIFICATE, chain)
            };
            let (message, hint) = (format!("`{name}`: {error}"), error.hint());
            faults.add(name, named.origin.clone(), message, hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_testkit::certificate::{Validity, certificate};

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_told_in_time() {
        let made = certificate(&["hub.test"], Validity::Years(2026, 2027));
        let read = Certificate::read(made.chain.as_bytes(), made.key.as_bytes());
        let read = read.expect("they go together");
        let day = Duration::from_secs(24 * 60 * 60);
        let (begins, ends) = (read.begins_at(), read.ends_at());
        for (now, expected) in [
            (
                begins.minus(day),
                Some("does not count before: 2026-01-01T"),
            ),
            (begins, None),
            (ends.minus(day * 15), None),
            (ends.minus(day * 13), Some("expires soon: 2027-01-01T")),
            (ends, Some("has expired: 2027-01-01T")),
        ] {
            let said = validity_warning(Path::new("c.pem"), &read, now);
            match (&said, expected) {
                (Some(said), Some(expected)) => assert!(said.contains(expected), "{said}"),
                _ => assert_eq!(said.as_deref(), expected),
            }
        }
    }
}
