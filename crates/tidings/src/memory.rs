//! How much memory this process may have: what its control groups and limits of the system leave of the
//! machine's.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

/// Where control groups are, in both of their versions: what a line of `/proc/self/cgroup` says of them, the
/// folder, and the file with the limit.
const GROUPS: [(&str, &str, &str); 2] = [
    ("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
    ("", "/sys/fs/cgroup", "memory.max"),
];

/// Bytes that this process may have; none if the system does not say.
pub(crate) fn limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_groups = files(&groups).filter_map(|file| number(&fs::read_to_string(file).ok()?));
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of_process = [Resource::Data, Resource::As].map(|of| getrlimit(of).current);
    let all = of_groups.chain(total(&machine));
    all.chain(of_process.into_iter().flatten()).min()
}

/// The files with the limits of the groups that a process is in, and of those around them.
fn files(groups: &str) -> impl Iterator<Item = PathBuf> {
    groups.lines().flat_map(|line| {
        let parts = line
            .split_once(':')
            .and_then(|(_, rest)| rest.split_once(':'));
        let group = parts.and_then(|(controllers, path)| {
            let is_of = |name: &str| controllers.split(',').any(|controller| controller == name);
            let group = GROUPS.iter().find(|(name, ..)| is_of(name))?;
            Some((group, path))
        });
        group.into_iter().flat_map(|((_, root, file), path)| {
            let folder = Path::new(root).join(path.trim_start_matches('/'));
            let around: Vec<PathBuf> = folder
                .ancestors()
                .take_while(|folder| folder.starts_with(root))
                .map(|folder| folder.join(file))
                .collect();
            around
        })
    })
}

/// A limit as a file says it: bytes, or a word for none.
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// What the machine has.
fn total(machine: &str) -> Option<u64> {
    let line = machine
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_both_versions_are_looked_at_up_to_their_root() {
        let found = |text: &str| {
            let files = files(text).map(|file| file.to_string_lossy().into_owned());
            files.collect::<Vec<_>>()
        };
        assert_eq!(
            found("5:cpu,cpuacct:/\n4:memory:/a/b\n"),
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            ]
        );
        assert_eq!(
            found("0::/hub.service\n"),
            [
                "/sys/fs/cgroup/hub.service/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(found(""), [""; 0]);
        assert_eq!(found("no group"), [""; 0]);
    }

    #[test]
    fn limits_are_read_in_their_units() {
        assert_eq!(number("268435456\n"), Some(268_435_456));
        assert_eq!(number("max\n"), None);
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2_097_152)
        );
        assert_eq!(total(""), None);
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(limit().is_some_and(|bytes| bytes > 0));
    }
}
