//! The development secret: made once, kept in the data directory, readable by its owner only.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tidings_auth::limits::SECRET_BYTES_MAX;
use tidings_auth::secret::Secret;

use super::limits::DEVELOPMENT_SECRET_BYTES;

const OWNER_ONLY: u32 = 0o600;

/// Where the secret of a data directory is.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-secret")
}

/// The secret of a data directory, if it has one.
pub(super) fn read(data_dir: &Path) -> io::Result<Option<Secret>> {
    let file = match File::open(path(data_dir)) {
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

/// The secret of a data directory, made now if it has none.
pub(super) fn read_or_make(data_dir: &Path) -> io::Result<Secret> {
    if let Some(secret) = read(data_dir)? {
        return Ok(secret);
    }
    let mut random = [0_u8; DEVELOPMENT_SECRET_BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let text = random.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    fs::create_dir_all(data_dir)?;
    // Written aside and linked into place, so that of two processes that start together both end up
    // with the whole secret of one.
    let aside = data_dir.join(format!(".dev-secret-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(OWNER_ONLY)
        .open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path(data_dir));
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read(data_dir)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound)),
    }
}
