//! Nginx with its publish/subscribe module nchan: from Debian, with a configuration of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const PACKAGES: [&str; 2] = ["nginx-light", "libnginx-mod-nchan"];

/// Messages of a channel that nchan keeps: more than a herd misses.
const BUFFER: usize = 2_000;

/// Whether it can be started.
pub(crate) fn is_installed() -> bool {
    Path::new(MODULE).exists() && Command::new("nginx").arg("-v").output().is_ok()
}

/// Installs it with Debian's package manager. Its own service is not started.
pub(crate) fn install() -> Result<()> {
    println!("== installing {}", PACKAGES.join(" "));
    let status = Command::new("apt-get")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(PACKAGES)
        // Services of run level 1 are none: the package's start script does nothing.
        .envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")])
        .status()
        .context("cannot start `apt-get`")?;
    ensure!(
        status.success() && is_installed(),
        "nchan was not installed"
    );
    Ok(())
}

/// Writes a configuration of one worker with a store in memory, and says where it will listen.
pub(crate) fn write_config(folder: &Path) -> Result<(PathBuf, SocketAddr)> {
    // Nginx cannot be asked which port the system gave it; this one was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let path = folder.join("nginx.conf");
    fs::write(&path, config(folder, address))?;
    Ok((path, address))
}

fn config(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "load_module {MODULE};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 19900; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    nchan_shared_memory_size 1024M;
    server {{
        listen {address} backlog=4096;
        location ~ ^/sub/(.+)$ {{
            nchan_subscriber eventsource;
            nchan_channel_id $1;
            nchan_subscriber_first_message newest;
        }}
        location ~ ^/pub/(.+)$ {{
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length {BUFFER};
            nchan_message_timeout 10m;
        }}
    }}
}}
"
    )
}
