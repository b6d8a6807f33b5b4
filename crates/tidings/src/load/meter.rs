//! What processes cost: processor time and memory of the servers under load, and of the load itself,
//! as the system's `/proc` tells it.

use std::collections::BTreeSet;
use std::fs;
use std::str::FromStr;

use rustix::param::clock_ticks_per_second;

/// The processes whose cost is of interest.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    servers: Vec<u32>,
}

/// The state of the meter at one time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// Processor time of the servers with all their children, in microseconds.
    pub(super) server_cpu_us: f64,
    /// Memory of the servers: private, and their share of what they share.
    pub(super) server_bytes: f64,
    /// Processor time of the load generator.
    pub(super) own_cpu_us: f64,
    /// Memory that the kernel holds for sockets, and for everything else on the machine.
    pub(super) kernel_bytes: f64,
}

impl Meter {
    pub(super) fn new(servers: Vec<u32>) -> Self {
        Self { servers }
    }

    /// Whether there are servers to be measured.
    pub(super) fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    /// A server that does not run.
    pub(super) fn absent(&self) -> Option<u32> {
        let runs = |pid: &u32| cpu_us(*pid).is_some();
        self.servers.iter().copied().find(|pid| !runs(pid))
    }

    pub(super) fn read(&self) -> Reading {
        let parents = parents();
        let servers = with_descendants(&self.servers, &parents);
        let own = with_descendants(&[std::process::id()], &parents);
        let cpu = |pids: &BTreeSet<u32>| pids.iter().filter_map(|pid| cpu_us(*pid)).sum();
        Reading {
            server_cpu_us: cpu(&servers),
            server_bytes: servers.iter().filter_map(|pid| bytes(*pid)).sum(),
            own_cpu_us: cpu(&own),
            kernel_bytes: buffers(&fs::read_to_string("/proc/net/sockstat").unwrap_or_default())
                + structures(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
        }
    }
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(folders) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    folders
        .filter_map(|folder| folder.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid, 4)?)))
        .collect()
}

fn with_descendants(of: &[u32], parents: &[(u32, u32)]) -> BTreeSet<u32> {
    let mut all: BTreeSet<u32> = of.iter().copied().collect();
    loop {
        let before = all.len();
        let found: Vec<u32> = parents
            .iter()
            .filter(|(_, parent)| all.contains(parent))
            .map(|(pid, _)| *pid)
            .collect();
        all.extend(found);
        if all.len() == before {
            return all;
        }
    }
}

/// User and system time of a process, and of its children that have ended.
fn cpu_us(pid: u32) -> Option<f64> {
    let ticks: u32 = (14..=17)
        .map(|field| stat::<u32>(pid, field))
        .sum::<Option<_>>()?;
    Some(f64::from(ticks) * 1_000_000.0 / clock_ticks_per_second() as f64)
}

/// A field of `/proc/<pid>/stat`, counted as its manual does.
fn stat<T: FromStr>(pid: u32, field: usize) -> Option<T> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, is the second field and may hold anything.
    let (_, after) = text.rsplit_once(')')?;
    after.split_whitespace().nth(field - 3)?.parse().ok()
}

fn bytes(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    kibibytes(&text, "Pss:")
}

/// A row in KiB, as bytes.
fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024.0)
}

/// Objects of the kernel that it cannot do without, sockets among them, in `/proc/meminfo`.
fn structures(text: &str) -> f64 {
    kibibytes(text, "SUnreclaim:").unwrap_or(0.0)
}

/// Pages of TCP buffers in `/proc/net/sockstat`, as bytes.
fn buffers(text: &str) -> f64 {
    let pages = |line: &str| -> Option<f64> {
        let (_, after) = line.strip_prefix("TCP:")?.split_once("mem ")?;
        after.split_whitespace().next()?.parse().ok()
    };
    let pages = text.lines().find_map(pages).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_of_descendants_count() {
        let parents = [(2, 1), (3, 2), (4, 3), (5, 9)];
        let all: Vec<u32> = with_descendants(&[2], &parents).into_iter().collect();
        assert_eq!(all, [2, 3, 4]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_another_may_not_run() {
        let meter = Meter::new(vec![std::process::id()]);
        assert_eq!(meter.absent(), None);
        assert!(meter.read().server_bytes > 0.0);
        assert_eq!(Meter::new(vec![u32::MAX]).absent(), Some(u32::MAX));
    }

    #[test]
    fn memory_of_the_kernel_is_counted_in_pages_and_kibibytes() {
        let text =
            "sockets: used 9\nTCP: inuse 4 orphan 0 tw 0 alloc 5 mem 3\nUDP: inuse 1 mem 7\n";
        let page = rustix::param::page_size() as f64;
        assert!((buffers(text) - 3.0 * page).abs() < 0.5);
        let text = "Slab:  9 kB\nSUnreclaim:       2 kB\n";
        assert!((structures(text) - 2_048.0).abs() < 0.5);
    }
}
