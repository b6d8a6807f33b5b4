//! A program under a limit of memory: in a control group where the system lets us make one, else with a limit of
//! its data.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where control groups are, in both of their versions: the folder, the file with the limit, the file that
/// counts whom the system has killed.
const GROUPS: [(&str, &str, &str); 2] = [
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.oom_control",
    ),
    ("/sys/fs/cgroup", "memory.max", "memory.events"),
];

/// A limit that programs can be started under.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    bytes: u64,
    group: Option<Group>,
}

#[derive(Debug)]
struct Group {
    folder: PathBuf,
    kills: &'static str,
}

impl MemoryLimit {
    /// Makes a group with a limit, if that can be done here.
    pub(super) fn new(bytes: u64) -> Self {
        let name = format!("tidings-m4-{}", std::process::id());
        let group = GROUPS.iter().find_map(|(parent, limit, kills)| {
            let folder = Path::new(parent).join(&name);
            fs::create_dir(&folder).ok()?;
            let group = Group { folder, kills };
            fs::write(group.folder.join(limit), bytes.to_string()).ok()?;
            Some(group)
        });
        Self { bytes, group }
    }

    /// A program that is this one under the limit.
    pub(super) fn wrap(&self, binary: &Path, folder: &Path) -> Result<PathBuf> {
        let script = folder.join("tidings-limited");
        let limit = match &self.group {
            Some(group) => format!("echo $$ > {}/cgroup.procs", group.folder.display()),
            None => format!("ulimit -d {}", self.bytes / 1024),
        };
        let text = format!("#!/bin/sh\n{limit} && exec {} \"$@\"\n", binary.display());
        fs::write(&script, text).context("cannot write the script")?;
        fs::set_permissions(&script, Permissions::from_mode(0o755))?;
        Ok(script)
    }

    /// What kind of limit it is.
    pub(super) fn kind(&self) -> &'static str {
        match self.group {
            Some(_) => "a control group",
            None => "a limit of its data, since no control group can be made here",
        }
    }

    /// How often the system has killed for it.
    pub(super) fn kills(&self) -> u64 {
        let Some(group) = &self.group else {
            return 0;
        };
        let text = fs::read_to_string(group.folder.join(group.kills)).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let count = lines.find(|(name, _)| *name == "oom_kill");
        count
            .and_then(|(_, count)| count.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It can only be removed once its processes are gone.
        drop(fs::remove_dir(&self.folder));
    }
}
