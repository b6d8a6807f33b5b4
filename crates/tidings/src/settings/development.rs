//! Secrets that the hub makes for itself: made once, kept in the data directory, readable by their
//! owner only. One signs the tokens of a development hub; another signs stream tokens where nothing
//! else needs a secret.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tidings_auth::limits::SECRET_BYTES_MAX;
use tidings_auth::secret::Secret;

use super::limits::DEVELOPMENT_SECRET_BYTES;

const OWNER_ONLY: u32 = 0o600;

/// Where the development secret of a data directory is.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-secret")
}

/// The secret of stream tokens of a data directory, made now if it has none.
pub fn kept_secret(data_dir: &Path) -> io::Result<Secret> {
    read_or_make(&data_dir.join("stream-secret"))
}

/// The secret of a file, if it is there.
pub(super) fn read(path: &Path) -> io::Result<Option<Secret>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        let problem = "others than its owner may read it";
        return Err(io::Error::new(ErrorKind::PermissionDenied, problem));
    }
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(Some(Secret::new(bytes)))
}

/// The secret of a file, made now if it is not there.
pub(super) fn read_or_make(path: &Path) -> io::Result<Secret> {
    if let Some(secret) = read(path)? {
        return Ok(secret);
    }
    let mut random = [0_u8; DEVELOPMENT_SECRET_BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let text = random.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // Written aside and linked into place, so that of two processes that start together both end up
    // with the whole secret of one.
    let name = path.file_name().unwrap_or_default().display();
    let aside = path.with_file_name(format!(".{name}-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(OWNER_ONLY)
        .open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read(path)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound)),
    }
}
