//! The server: a listener, its connections, and how both come to an end.

mod accept;
mod calm;
mod connection;
mod handshake;
mod head;
mod keep_back;
mod places;
mod preface;
mod stall;
mod take_over;
mod unread;
mod untaken;
mod wire;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use tidings_hub::prepare_socket;
use tidings_wire::problem::{self, Code, Problem};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::limits::{ACCEPTS_WAITING_MAX, CLOSE_MS_MAX, MINUTE_SAMPLE_MS, NO_PLACE_RETRY_MS};
use crate::peer::Peer;
use crate::tls::Tls;
use accept::AcceptPause;
use places::Place;
pub use places::Places;

/// What is written to a connection for which there is no place, before it is closed. How many there may
/// be is not told, because it is more than that of readers, and nobody's quota.
static NO_PLACE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let problem = Problem::new(Code::AtCapacity, "every connection of the hub is taken");
    let body = problem.with_retry_after_ms(NO_PLACE_RETRY_MS).to_bytes();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\n\
         retry-after: {}\r\nratelimit: \"connections\";r=0\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        problem::CONTENT_TYPE,
        body.len(),
        NO_PLACE_RETRY_MS.div_ceil(1_000),
    );
    [head.into_bytes(), body].concat()
});

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// Over how long the connections are told to leave.
    pub spread: Duration,
    /// After how long those that are left are closed.
    pub grace: Duration,
    /// When they should come back.
    pub retry_after: Duration,
}

/// What the connections are asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Serve.
    Open,
    /// End after the answers in flight.
    Closing,
    /// End at once.
    Ended,
}

/// A bound listener, not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Server {
    /// Binds an address. Port 0 takes a free one, which [`address`](Self::address) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[expect(
        clippy::unused_async,
        reason = "the listener belongs to the runtime that this is awaited on"
    )]
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A hub that starts again takes its address back at once.
        socket.set_reuseaddr(true)?;
        prepare_socket(&socket)?;
        socket.bind(address)?;
        let listener = socket.listen(ACCEPTS_WAITING_MAX)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            tls: None,
        })
    }

    /// The same, but every connection begins with TLS.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready, then ends in order: the listener closes first, so that
    /// nobody new comes; the hub says goodbye to its readers; answers in flight end; what is left
    /// is cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener; connections end when their answers do.
    pub async fn run(
        self,
        app: App,
        places: Places,
        shutdown: impl Future<Output = ()> + Send,
        drain: Drain,
    ) {
        let (stage, _) = watch::channel(Stage::Open);
        tracing::info!(address = %self.address, "listening");
        {
            let mut shutdown = std::pin::pin!(shutdown);
            let mut pause = AcceptPause::default();
            let mut samples = interval(Duration::from_millis(MINUTE_SAMPLE_MS));
            samples.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = &mut shutdown => break,
                    _ = samples.tick() => {
                        app.observed().note(&app);
                        continue;
                    }
                    accepted = self.listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, address)) => {
                        pause.reset();
                        admit(
                            &app,
                            stream,
                            (Peer::new(address), self.tls.as_ref()),
                            &places,
                            &stage,
                        );
                    }
                    Err(error) => pause.after(&app, &error).await,
                }
            }
        }
        drop(self.listener);
        tracing::info!("listener closed; draining");
        app.hub()
            .drain(drain.spread, drain.grace, drain.retry_after)
            .await;
        stage.send_replace(Stage::Closing);
        if timeout(Duration::from_millis(CLOSE_MS_MAX), stage.closed())
            .await
            .is_err()
        {
            tracing::warn!(connections = stage.receiver_count(), "connections cut");
            stage.send_replace(Stage::Ended);
            stage.closed().await;
        }
        tracing::info!("server ended");
    }
}

/// Starts serving a connection, or turns it away if there is no place for it.
fn admit(
    app: &App,
    stream: TcpStream,
    (peer, tls): (Peer, Option<&Tls>),
    places: &Places,
    stage: &watch::Sender<Stage>,
) {
    // Sockets that shards write to have left here, but have their places.
    let Some(place) = places.take(app.hub().sockets()) else {
        app.metrics().connections_refused.inc();
        // A fresh socket takes this much, or its peer is gone already. Under TLS there is no word that is
        // cheap enough.
        if tls.is_none()
            && let Err(error) = stream.try_write(&NO_PLACE)
        {
            tracing::trace!(cause = %error, "connection turned away without a word");
        }
        return;
    };
    let connection = Admitted::new(app.clone(), place);
    let stage = stage.subscribe();
    let tls = tls.cloned();
    tokio::spawn(async move {
        let serving = connection::serve(&connection.app, stream, (peer, tls.as_ref()), stage);
        if let Err(error) = serving.await {
            tracing::debug!(peer = %peer.ip(), cause = %error, "connection failed");
        }
        drop(connection);
    });
}

/// The place of an open connection, given back and counted when it ends, however it ends.
struct Admitted {
    app: App,
    _place: Place,
}

impl Admitted {
    fn new(app: App, place: Place) -> Self {
        app.metrics().connections_opened.inc();
        Self { app, _place: place }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.app.metrics().connections_closed.inc();
    }
}
