//! What systemd hears from a service of `Type=notify`: `sd_notify(3)`, as a datagram to a socket.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};

/// Whoever has started the process and wants to hear of it, if there is anybody.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<PathBuf>,
}

impl ServiceManager {
    /// One that listens on this socket, as `NOTIFY_SOCKET` names it.
    pub fn new(socket: Option<&str>) -> Self {
        Self {
            socket: socket.map(PathBuf::from),
        }
    }

    /// The hub answers requests, by the settings that it was last told to read.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// Settings are read again, until the hub is ready.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// The hub is about to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = send(socket, state) {
            tracing::warn!(cause = %error, "the service manager does not hear the hub");
        }
    }
}

/// A name that begins with `@` is one of the abstract space of names, which only Linux has.
fn send(socket: &Path, state: &str) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.to_str().and_then(|text| text.strip_prefix('@')) {
        use std::os::linux::net::SocketAddrExt as _;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        sender.send_to_addr(state.as_bytes(), &address)?;
        return Ok(());
    }
    sender.send_to(state.as_bytes(), socket)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn heard(listener: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        let length = listener.recv(&mut bytes).expect("a datagram");
        String::from_utf8(bytes[..length].to_vec()).expect("text")
    }

    #[test]
    fn whoever_listens_hears_every_state() {
        let directory = tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let listener = UnixDatagram::bind(&path).expect("a socket");
        let manager = ServiceManager::new(path.to_str());
        manager.ready();
        assert_eq!(heard(&listener), "READY=1");
        manager.reloading();
        let said = heard(&listener);
        let time = said
            .strip_prefix("RELOADING=1\nMONOTONIC_USEC=")
            .expect("a time");
        assert!(time.parse::<u64>().expect("a number") > 0);
        manager.stopping();
        assert_eq!(heard(&listener), "STOPPING=1");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_without_a_file_is_heard_too() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("tidings-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a name");
        let listener = UnixDatagram::bind_addr(&address).expect("a socket");
        ServiceManager::new(Some(&format!("@{name}"))).ready();
        assert_eq!(heard(&listener), "READY=1");
    }

    #[test]
    fn nobody_who_listens_is_no_harm() {
        ServiceManager::new(None).ready();
        ServiceManager::new(Some("/nowhere/at/all")).ready();
    }
}
