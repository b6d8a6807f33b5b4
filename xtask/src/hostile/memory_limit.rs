//! A limit of memory on a process that runs: a control group where the system lets us make one, else a limit of
//! its data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

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

/// A limit in force.
#[derive(Debug)]
pub(super) enum MemoryLimit {
    /// By the system, which kills the process when it needs more.
    Group {
        folder: PathBuf,
        kills: &'static str,
    },
    /// By allocations that fail.
    Data,
}

impl MemoryLimit {
    /// Puts a process under a limit.
    pub(super) fn put(process: u32, bytes: u64) -> Result<Self> {
        for (parent, limit, kills) in GROUPS {
            let folder = Path::new(parent).join(format!("tidings-m4-{process}"));
            let group = Self::Group {
                folder: folder.clone(),
                kills,
            };
            let is_made = fs::create_dir(&folder).is_ok()
                && fs::write(folder.join(limit), bytes.to_string()).is_ok()
                && fs::write(folder.join("cgroup.procs"), process.to_string()).is_ok();
            if is_made {
                return Ok(group);
            }
        }
        let status = Command::new("prlimit")
            .args(["--pid", &process.to_string(), &format!("--data={bytes}")])
            .status()
            .context("cannot start `prlimit`\nhint: it comes with util-linux")?;
        ensure!(status.success(), "`prlimit` failed: {status}");
        Ok(Self::Data)
    }

    /// What kind of limit it is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Group { .. } => "control group",
            Self::Data => "limit of data, since no control group can be made here",
        }
    }

    /// How often the system has killed for it.
    pub(super) fn kills(&self) -> u64 {
        let Self::Group { folder, kills } = self else {
            return 0;
        };
        let text = fs::read_to_string(folder.join(kills)).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let count = lines.find(|(name, _)| *name == "oom_kill");
        count
            .and_then(|(_, count)| count.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        if let Self::Group { folder, .. } = self {
            // It can only be removed once its process is gone.
            drop(fs::remove_dir(folder));
        }
    }
}
