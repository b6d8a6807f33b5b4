//! One connection: which protocol it speaks, and its settings.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tidings_hub::prepare_accepted;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::calm::Calm;
use super::keep_back::KeepBack;
use super::preface::{Prefixed, Protocol, recognise};
use super::secure_stream::SecureStream;
use super::stall::Stalling;
use super::take_over::{self, Desk, UntilTaken, Wanted};
use super::untaken::Untaken;
use super::wire::Wire;
use super::{Stage, handshake, unread};
use crate::app::App;
use crate::body::{BodyError, RequestBody};
use crate::limits::{
    H2_HEADER_LIST_BYTES_MAX, H2_PENDING_RESETS_MAX, H2_PING_MS, H2_SEND_BUFFER_BYTES_MAX,
    H2_STREAMS_MAX, H2_WINDOW_BYTES, HEAD_BYTES_MAX, HEAD_READ_MS_MAX, HEADERS_MAX,
    TLS_HANDSHAKE_MS_MAX,
};
use crate::peer::Peer;
use crate::reply::Body;
use crate::sink::Offer;
use crate::tls::Tls;

type Socket = Prefixed<Wire>;

/// What is left of a connection when hyper has done its part: a stream over TLS, or nothing.
pub(super) type Left = Option<SecureStream<Wire>>;

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("no request head within {HEAD_READ_MS_MAX} ms")]
    NoHead,
    #[error("the TLS handshake did not end within {TLS_HANDSHAKE_MS_MAX} ms")]
    NoHandshake,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

/// Serves a connection to its end.
pub(super) async fn serve(
    app: &App,
    stream: TcpStream,
    (peer, tls): (Peer, Option<&Tls>),
    stage: watch::Receiver<Stage>,
) -> Result<Left, ConnectionError> {
    prepare_accepted(&stream)?;
    let mut closing = stage.clone();
    let begun = tokio::select! {
        begun = begin(app, stream, peer, tls) => begun?,
        // Nothing has been asked yet, so nothing is cut.
        _ = closing.wait_for(|stage| *stage != Stage::Open) => return Ok(None),
    };
    let Some((protocol, io)) = begun else {
        return Ok(None);
    };
    let peer = if tls.is_some() { peer.over_tls() } else { peer };
    match protocol {
        Protocol::Http1 => http1(app, io, peer, stage).await,
        // Rare, and larger than everything else here.
        Protocol::Http2 => Box::pin(http2(app, io, peer, stage)).await.map(|()| None),
    }
}

/// Finds out what a connection speaks, through TLS if the port has it. None if its peer says nothing.
async fn begin(
    app: &App,
    stream: TcpStream,
    peer: Peer,
    tls: Option<&Tls>,
) -> Result<Option<(Protocol, Socket)>, ConnectionError> {
    let wire = match tls {
        None => Wire::Plain(Stalling::new(stream)),
        Some(tls) => {
            // Larger than everything that comes after it.
            let shaking_hands = Box::pin(handshake::shake_hands(app, tls, stream, peer));
            match shaking_hands.await? {
                Some(wire) => wire,
                None => return Ok(None),
            }
        }
    };
    if wire.has_agreed_on_http2() {
        return Ok(Some((Protocol::Http2, Prefixed::nothing(wire))));
    }
    let head_time = Duration::from_millis(HEAD_READ_MS_MAX);
    let recognised = timeout(head_time, recognise(wire)).await;
    Ok(recognised.map_err(|_| ConnectionError::NoHead)??)
}

async fn http1(
    app: &App,
    socket: Socket,
    peer: Peer,
    mut stage: watch::Receiver<Stage>,
) -> Result<Left, ConnectionError> {
    let desk = Arc::new(Desk::default());
    let is_plain = socket.inner().is_plain();
    let service = service_fn(|mut request| {
        let desk = &desk;
        async move {
            let offer = take_over::offer(&request);
            if let Some(offer) = offer.filter(|_| is_plain) {
                request.extensions_mut().insert(offer);
            }
            let has_body = !request.body().is_end_stream();
            let response = respond(app, request, peer).await;
            desk.set_refused_early(has_body && !response.status().is_success());
            let framing = offer.filter(|_| !is_plain).map(|Offer(framing)| framing);
            desk.pass(response, framing, app.clock().now()).await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEAD_READ_MS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // With several answers queued as pieces, hyper would write a refusal amid an earlier answer.
        .writev(false)
        .serve_connection(TokioIo::new(KeepBack::new(socket, desk.clone())), service);
    let mut driven = UntilTaken {
        connection,
        desk: desk.clone(),
    };
    let ended = until_ended(Pin::new(&mut driven), &mut stage, |driven| {
        Pin::new(&mut driven.get_mut().connection).graceful_shutdown();
    })
    .await;
    let parts = driven.connection.into_parts();
    let (socket, kept) = parts.io.into_inner().into_parts();
    if let Some(wanted) = desk.wanted() {
        let (socket, is_all_handed_out) = socket.into_parts();
        let is_read_ahead = !is_all_handed_out || !parts.read_buf.is_empty();
        // What was read after the request would be another one, which nobody will ever answer: then the
        // connection ends.
        if is_read_ahead || ended.is_err() {
            return ended.map(|()| None);
        }
        return match wanted {
            Wanted::Socket(take_over, head) => {
                if let Some(socket) = socket.into_socket() {
                    take_over.attach(socket.into_std()?, head);
                }
                Ok(None)
            }
            Wanted::Body(body, framing, head) => Ok(Some(SecureStream {
                socket,
                head,
                body,
                framing,
            })),
        };
    }
    if kept.is_empty() {
        if ended.is_ok() && desk.is_refused_early() {
            tokio::select! {
                biased;
                lingered = unread::linger(socket) => lingered?,
                _ = stage.wait_for(|stage| *stage != Stage::Open) => {}
            }
        }
        return ended.map(|()| None);
    }
    // Rare, and of no use to the connections that go well.
    Box::pin(settle(
        app,
        socket,
        kept,
        parts.read_buf,
        ended,
        peer,
        stage,
    ))
    .await
    .map(|()| None)
}

/// Sends what is owed in place of a refusal of hyper's that was held back.
async fn settle(
    app: &App,
    mut socket: Socket,
    kept: Vec<u8>,
    read: Bytes,
    ended: Result<(), ConnectionError>,
    peer: Peer,
    mut stage: watch::Receiver<Stage>,
) -> Result<(), ConnectionError> {
    match &ended {
        Err(ConnectionError::Http(error)) if error.is_parse() => {
            let response = app.refuse_unread(unread::problem(error, &read), peer);
            tokio::select! {
                biased;
                sent = unread::answer(socket, response, &kept) => sent?,
                // What the client still sends does not hold the server's end up.
                _ = stage.wait_for(|stage| *stage != Stage::Open) => {}
            }
        }
        // It was part of an answer.
        _ => {
            socket.write_all(&kept).await?;
            socket.shutdown().await?;
        }
    }
    ended
}

async fn http2(
    app: &App,
    socket: Socket,
    peer: Peer,
    mut stage: watch::Receiver<Stage>,
) -> Result<(), ConnectionError> {
    let app = app.clone();
    let untaken = Untaken::default();
    let service = service_fn(move |request| {
        let (app, untaken) = (app.clone(), untaken.clone());
        // A stream's task is as large as its largest state for as long as it lives, and what finds an
        // answer is much larger than what passes it on.
        async move {
            let answered = async { untaken.admit(respond(&app, request, peer).await).await };
            Ok::<_, Infallible>(Box::pin(answered).await)
        }
    });
    let ping = Duration::from_millis(H2_PING_MS);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS_MAX)
        .max_send_buf_size(H2_SEND_BUFFER_BYTES_MAX)
        .initial_stream_window_size(H2_WINDOW_BYTES)
        .initial_connection_window_size(H2_WINDOW_BYTES)
        .max_header_list_size(H2_HEADER_LIST_BYTES_MAX)
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping)
        .serve_connection(TokioIo::new(Calm::new(socket)), service);
    until_ended(
        pin!(connection),
        &mut stage,
        http2::Connection::graceful_shutdown,
    )
    .await
}

async fn respond(app: &App, request: Request<Incoming>, peer: Peer) -> http::Response<Body> {
    let request =
        request.map(|body| RequestBody::new(body.map_err(|error| BodyError(Box::new(error)))));
    app.respond(request, peer).await
}

/// Drives a connection, and asks it to end when its stage says so.
async fn until_ended<C>(
    mut connection: Pin<&mut C>,
    stage: &mut watch::Receiver<Stage>,
    close: impl Fn(Pin<&mut C>),
) -> Result<(), ConnectionError>
where
    C: Future<Output = hyper::Result<()>>,
{
    loop {
        tokio::select! {
            ended = &mut connection => return Ok(ended?),
            changed = stage.changed() => {
                // A server that is gone without a word ends its connections the same way.
                let now = changed.map_or(Stage::Closing, |()| *stage.borrow_and_update());
                match now {
                    Stage::Open => {}
                    Stage::Closing => {
                        close(connection.as_mut());
                        tokio::select! {
                            ended = &mut connection => return Ok(ended?),
                            () = cut(stage) => return Ok(()),
                        }
                    }
                    Stage::Ended => return Ok(()),
                }
            }
        }
    }
}

/// Waits until the server cuts what is left; for ever, if it is gone and cannot.
pub(super) async fn cut(stage: &mut watch::Receiver<Stage>) {
    if stage
        .wait_for(|stage| *stage == Stage::Ended)
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
}
