//! Which secret signs and verifies tokens.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tidings_auth::limits::SECRET_BYTES_MAX;
use tidings_auth::secret::Secret;

use super::development;
use super::fault::{Fault, Faults};
use super::gather::Gathered;
use super::origin::{Origin, Sourced};
use super::sources;

const SECRET: &str = "auth.secret";
const SECRET_FILE: &str = "auth.secret_file";

/// The secret that the settings name, if they do. What is wrong with it is noted.
pub(super) fn configured(
    gathered: &Gathered,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<Secret> {
    let layer = &gathered.layer;
    let rank = |origin: &Origin| origin.rank();
    let (secret, key, origin) = match (&layer.auth_secret, &layer.auth_secret_file) {
        (None, None) => return None,
        (Some(text), Some(file)) if rank(&text.origin) == rank(&file.origin) => {
            let message = format!("both `{SECRET}` and `{SECRET_FILE}` are set");
            faults.add(
                SECRET,
                text.origin.clone(),
                message,
                "leave one of them out",
            );
            return None;
        }
        (Some(text), Some(file)) if rank(&text.origin) > rank(&file.origin) => {
            (text.value.clone(), SECRET, &text.origin)
        }
        (_, Some(file)) => {
            let secret = from_file(file, faults, warnings)?;
            (secret, SECRET_FILE, &file.origin)
        }
        (Some(text), None) => (text.value.clone(), SECRET, &text.origin),
    };
    if let Err(weak) = secret.for_signing() {
        faults.add(key, origin.clone(), weak.to_string(), weak.hint());
        return None;
    }
    Some(secret)
}

fn from_file(
    file: &Sourced<PathBuf>,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<Secret> {
    let shown = file.value.display();
    match read(&file.value) {
        Ok((secret, mode)) => {
            warnings.extend(readable_for_all(&file.value, mode));
            Some(secret)
        }
        Err(error) => {
            faults.add(
                SECRET_FILE,
                file.origin.clone(),
                format!("cannot read the secret file `{shown}`: {error}"),
                "give a file that the user of this process can read",
            );
            None
        }
    }
}

/// What is to be said of a secret file that everybody can read. Orchestrators mount secrets so, and
/// therefore it cannot be an error.
pub(super) fn readable_for_all(path: &Path, mode: u32) -> Option<String> {
    let is_readable = mode & 0o007 != 0;
    is_readable.then(|| format!("every user of this machine can read `{}`", path.display()))
}

/// A secret of a file, without its final line break, and who may read the file.
pub(super) fn read(path: &Path) -> std::io::Result<(Secret, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES_MAX as u64 + 2)
        .read_to_end(&mut bytes)?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok((Secret::new(bytes), mode))
}

/// The secret before the present one, if its tokens still count.
pub(super) fn previous(gathered: &Gathered, faults: &mut Faults) -> Option<Secret> {
    let secret = gathered.layer.auth_previous_secret.as_ref()?;
    if let Err(weak) = secret.value.for_signing() {
        let key = "auth.previous_secret";
        faults.add(key, secret.origin.clone(), weak.to_string(), weak.hint());
        return None;
    }
    Some(secret.value.clone())
}

/// The secret with which a hub starts: the configured one, or in development its own.
pub(super) fn of_hub(
    gathered: &Gathered,
    make: bool,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<Secret> {
    let secret = configured(gathered, faults, warnings);
    let may_be_elsewhere = !gathered.file_is_known;
    if secret.is_some() || may_be_elsewhere || faults.touch(&[SECRET, SECRET_FILE, "data_dir"]) {
        return secret;
    }
    let is_vouched = sources::are_there(gathered) || faults.touch(&sources::NAMES);
    if !gathered.development && is_vouched {
        return None;
    }
    if !gathered.development {
        let message = "no secret is set that signs and verifies tokens, and no issuer";
        faults.0.push(Fault {
            key: Some(SECRET),
            message: message.to_owned(),
            origin: Origin::Default,
            hint: Some(missing()),
        });
        return None;
    }
    let data_dir = gathered.data_dir();
    let found = if make {
        development::read_or_make(&development::path(data_dir)).map(Some)
    } else {
        development::read(&development::path(data_dir))
    };
    match found {
        Ok(secret) => secret,
        Err(error) => {
            faults.0.push(unreadable(data_dir, &error));
            None
        }
    }
}

/// The secret with which `tidings token` signs: the configured one, or that of the development hub
/// whose data directory is here. `faults` are those of the settings themselves.
pub(super) fn of_token(gathered: &Gathered, mut faults: Faults) -> Result<Secret, Faults> {
    let secret = configured(gathered, &mut faults, &mut Vec::new());
    faults.or(())?;
    if let Some(secret) = secret {
        return Ok(secret);
    }
    let data_dir = gathered.data_dir();
    let fault = match development::read(&development::path(data_dir)) {
        Ok(Some(secret)) => return Ok(secret),
        Ok(None) => Fault {
            key: Some(SECRET),
            message: format!(
                "no secret is set, and `{}` is not there",
                development::path(data_dir).display()
            ),
            origin: Origin::Default,
            hint: Some(format!(
                "start `tidings serve --dev` in this directory once, or {}",
                missing()
            )),
        },
        Err(error) => unreadable(data_dir, &error),
    };
    Err(Faults(vec![fault]))
}

fn missing() -> String {
    "set `TIDINGS_AUTH_SECRET`, or add these lines to `tidings.toml`, with the output of \
     `openssl rand -hex 32`:\n\n[auth]\nsecret = \"...\"\n"
        .to_owned()
}

fn unreadable(data_dir: &Path, error: &std::io::Error) -> Fault {
    let path = development::path(data_dir);
    let hint = if path.exists() {
        format!("try `chmod 600 {0}`, or remove it", path.display())
    } else {
        "give a directory that this user can write to, with `--data-dir`".to_owned()
    };
    Fault {
        key: Some(SECRET),
        message: format!(
            "cannot use the development secret `{}`: {error}",
            path.display()
        ),
        origin: Origin::Development,
        hint: Some(hint),
    }
}
