//! Running a hub until it is told to stop.

use std::fmt;
use std::fs;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tidings_auth::mint::{Minter, TokenRequest};
use tidings_core::audience::Subject;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::port::Clock as _;
use tidings_http::{Drain, Places, Server, Tls};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::assemble::{Assembled, assemble};
use crate::cli::failure::Failure;
use crate::clock::SystemClock;
use crate::diagnostics;
use crate::limits::LAST_SPANS_WAIT_MAX;
use crate::reload::{ReadAgain, Reloader};
use crate::service_manager::ServiceManager;
use crate::settings::Settings;

/// Connections that are being opened or answer something short, besides the streams.
const SPARE_CONNECTIONS: usize = 1_024;

/// When readers that were asked to leave should come back: a restart takes about this long.
const RESTART_TIME: Duration = Duration::from_secs(1);

/// How long the token that a development hub prints is valid.
const DEVELOPMENT_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How a hub is started.
pub struct Start {
    /// What it is to be.
    pub settings: Settings,
    /// Reads the same settings again.
    pub read_again: ReadAgain,
    /// Where its address is written once it answers requests.
    pub ready_file: Option<PathBuf>,
    /// Who wants to hear how it is.
    pub manager: ServiceManager,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("settings", &self.settings)
            .field("ready_file", &self.ready_file)
            .finish_non_exhaustive()
    }
}

/// Runs a hub until it is told to stop.
pub fn run(start: Start) -> anyhow::Result<()> {
    let settings = &start.settings;
    let _written =
        diagnostics::start(&settings.diagnostics).context("log lines cannot be written")?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    runtime.block_on(serve(start))
}

async fn serve(start: Start) -> anyhow::Result<()> {
    let Start {
        settings,
        read_again,
        ready_file,
        manager,
    } = start;
    // Bound before the log is opened: an address in use is found without touching anything.
    let server = Server::bind(settings.listen)
        .await
        .map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = server.address();
    let Assembled {
        app,
        log,
        spans,
        watcher,
        changes,
    } = assemble(&settings)?;
    let tls = settings.tls.as_ref().map(|files| {
        app.note_certificate(&files.certificate);
        Tls::new(files.certificate.clone())
    });
    let tls = tls.transpose()?;
    let server = match &tls {
        Some(tls) => server.with_tls(tls.clone()),
        None => server,
    };
    // Waiting for signals begins before anybody is told that the hub is ready.
    let mut signals = StopSignals::listen()?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    greet(&settings, address)?;
    if let Some(file) = &ready_file {
        write_ready(file, address)
            .with_context(|| format!("cannot write the ready file `{}`", file.display()))?;
    }
    let drain = Drain {
        spread: settings.drain.spread,
        grace: settings.drain.grace,
        retry_after: RESTART_TIME,
    };
    let (places, manager) = (Places::new(places_max(&settings)), Arc::new(manager));
    let asking = Reloader {
        read_again,
        settings,
        changes,
        places: places.clone(),
        tls,
        manager: Arc::clone(&manager),
    }
    .start()?;
    let reloading = async {
        while hangup.recv().await.is_some() {
            asking.ask();
        }
        pending::<()>().await;
    };
    manager.ready();
    let (stop, told_to_stop) = oneshot::channel::<()>();
    let stopping = async {
        signals.next().await;
        manager.stopping();
        drop(stop);
        signals.next().await;
    };
    let shutdown = async move {
        // Ready when the other end is dropped; nothing is ever sent.
        let _dropped = told_to_stop.await;
    };
    tokio::select! {
        () = server.run(app, places, shutdown, drain) => {}
        () = reloading => {}
        () = stopping => tracing::warn!("told to stop again: open connections are cut"),
    }
    drop((watcher, asking));
    if let Some(spans) = spans {
        let sent = tokio::task::spawn_blocking(move || spans.end(LAST_SPANS_WAIT_MAX));
        sent.await.context("the last spans could not be sent")?;
    }
    if let Some(log) = log {
        log.close();
    }
    Ok(())
}

/// How many connections there may be at a time by these settings.
pub(crate) fn places_max(settings: &Settings) -> usize {
    settings.limits.connections + SPARE_CONNECTIONS
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on `{address}`: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => failure.hint(
            "is a hub running already? Stop it, or take another port with `--listen`; port 0 is \
             any free one",
        ),
        io::ErrorKind::AddrNotAvailable => {
            failure.hint("give an address of this machine with `--listen`, such as `0.0.0.0:7878`")
        }
        _ => failure.hint("give another address or port with `--listen`"),
    }
}

/// The signals that ask the process to end.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?,
        })
    }

    /// Returns when one of them comes.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Written aside and renamed, so that whoever waits for the file never reads half of it.
fn write_ready(file: &Path, address: SocketAddr) -> io::Result<()> {
    let aside = file.with_extension("incomplete");
    fs::write(&aside, format!("{address}\n"))?;
    fs::rename(aside, file)
}

/// Tells people where the hub is and, in development, how to try it.
#[expect(
    clippy::print_stdout,
    reason = "the address and the token are this command's output"
)]
fn greet(settings: &Settings, address: SocketAddr) -> anyhow::Result<()> {
    let scheme = if settings.tls.is_some() {
        "https"
    } else {
        "http"
    };
    println!("tidings listens on {scheme}://{address}");
    let Some(secret) = settings
        .auth
        .secret
        .as_ref()
        .filter(|_| settings.development)
    else {
        return Ok(());
    };
    let issued_at = SystemClock::default().now();
    let token = Minter::new(secret)?.mint(&TokenRequest {
        subject: Subject::parse("developer")?,
        roles: Vec::new(),
        grants: Grants {
            publish: ["**", "@user/*", "@role/*", "@all"]
                .into_iter()
                .map(PublishGrant::parse)
                .collect::<Result<_, _>>()?,
            subscribe: vec![Pattern::parse("**")?],
            administer: true,
            ..Grants::default()
        },
        issued_at,
        expires_at: issued_at.plus(DEVELOPMENT_TOKEN_LIFETIME),
    })?;
    println!(
        "\na token for development, valid for a day:\n\n  export TIDINGS_TOKEN={token}\n\n\
         listen in one terminal:\n\n  \
         curl -N -H \"Authorization: Bearer $TIDINGS_TOKEN\" \
         '{scheme}://{address}/v1/stream?topics=hello/**'\n\n\
         publish in another:\n\n  \
         curl -H \"Authorization: Bearer $TIDINGS_TOKEN\" -H 'Content-Type: application/json' \\\n    \
         -d '{{\"topics\":[\"hello/world\"],\"type\":\"greeting\",\"data\":\"hi\"}}' \
         {scheme}://{address}/v1/events\n"
    );
    Ok(())
}
