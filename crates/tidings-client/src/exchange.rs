//! One request and its answer over HTTP/1.1, on a connection that is kept for the next ones.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::request::Builder;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{error::Elapsed, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::endpoint::Endpoint;
use crate::failure::{Refusal, RequestError};
use crate::limits::{ANSWER_BYTES_MAX, IDLE_CONNECTIONS_MAX, REFUSAL_BYTES_MAX};
use crate::trust::Trust;

type Sender = SendRequest<Full<Bytes>>;

/// Carries requests to one hub.
pub(crate) struct Exchange {
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
    tls: Option<Trust>,
    connect_timeout: Duration,
    idle: Mutex<Vec<Sender>>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer whose body is still coming. Dropping it ends its connection.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) body: Incoming,
    /// Without it the connection would end with the answer's head.
    _sender: Sender,
}

impl Answer {
    /// The answer, or the refusal that it is.
    pub(crate) fn success(self) -> Result<Self, Refusal> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(Refusal::of(self.status, &self.headers, &self.body))
        }
    }
}

impl Exchange {
    pub(crate) fn new(
        endpoint: Endpoint,
        authorization: Option<HeaderValue>,
        tls: Option<Trust>,
        connect_timeout: Duration,
    ) -> Self {
        Self {
            endpoint,
            authorization,
            tls,
            connect_timeout,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn authority(&self) -> &str {
        &self.endpoint.authority
    }

    /// The beginning of a request to a route.
    pub(crate) fn request(&self, method: Method, route: &str, query: &str) -> Builder {
        let mut builder = Request::builder()
            .method(method)
            .uri(self.endpoint.target(route, query))
            .header(HOST, &self.endpoint.host_header);
        if let Some(authorization) = &self.authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        builder
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Answer, RequestError> {
        timeout(within, self.ask_patiently(request))
            .await
            .unwrap_or_else(|_| Err(self.too_late(within)))
    }

    /// Sends a request and reads the head of the answer. Anything but 200 is read whole, as the
    /// refusal that it is.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Response<Opened>, RequestError> {
        let opened = async {
            let mut sender = self.connect().await?;
            let response = sender
                .send_request(request)
                .await
                .map_err(|cause| self.broken(cause))?;
            let (head, body) = response.into_parts();
            if head.status == StatusCode::OK {
                let opened = Opened {
                    body,
                    _sender: sender,
                };
                return Ok(Response::from_parts(head, opened));
            }
            // A refusal stays one if its words are too many, or lost.
            let words = self.read(body, REFUSAL_BYTES_MAX).await;
            let body = words.unwrap_or_default();
            Err(Refusal::of(head.status, &head.headers, &body).into())
        };
        timeout(within, opened)
            .await
            .unwrap_or_else(|_| Err(self.too_late(within)))
    }

    async fn ask_patiently(&self, request: Request<Full<Bytes>>) -> Result<Answer, RequestError> {
        let mut request = request;
        // A kept connection may have been closed by the hub in the meantime. If the request was not
        // even begun, the next connection gets it.
        while let Some(mut sender) = self.take_idle() {
            match sender.try_send_request(request).await {
                Ok(response) => return self.finish(sender, response).await,
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(self.broken(failed.into_error())),
                },
            }
        }
        let mut sender = self.connect().await?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|cause| self.broken(cause))?;
        self.finish(sender, response).await
    }

    async fn finish(
        &self,
        mut sender: Sender,
        response: Response<Incoming>,
    ) -> Result<Answer, RequestError> {
        let (head, body) = response.into_parts();
        let body = self.read(body, ANSWER_BYTES_MAX).await?;
        if sender.ready().await.is_ok() {
            let mut idle = self.lock();
            if idle.len() < IDLE_CONNECTIONS_MAX {
                idle.push(sender);
            }
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn read(&self, body: Incoming, bytes_max: usize) -> Result<Bytes, RequestError> {
        let whole = Limited::new(body, bytes_max).collect().await;
        whole
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(cause) => self.broken(*cause),
                Err(other) if other.is::<LengthLimitError>() => {
                    self.not_a_hub(format!("it has more than {bytes_max} bytes"))
                }
                Err(other) => self.not_a_hub(other.to_string()),
            })
    }

    async fn connect(&self) -> Result<Sender, RequestError> {
        let address = (self.endpoint.host.as_str(), self.endpoint.port);
        let connected = timeout(self.connect_timeout, TcpStream::connect(address)).await;
        let failed = |cause| RequestError::Connect {
            authority: self.endpoint.authority.clone(),
            cause,
        };
        let socket = connected
            .unwrap_or_else(|_: Elapsed| Err(io::Error::from(io::ErrorKind::TimedOut)))
            .and_then(|socket| socket.set_nodelay(true).map(|()| socket))
            .map_err(failed)?;
        match &self.tls {
            None => self.begin(socket).await,
            Some(trust) => {
                let stream = timeout(self.connect_timeout, self.shake_hands(trust, socket)).await;
                let stream = stream
                    .unwrap_or_else(|_: Elapsed| Err(io::Error::from(io::ErrorKind::TimedOut)));
                self.begin(stream.map_err(|cause| self.no_tls(cause))?)
                    .await
            }
        }
    }

    async fn shake_hands(
        &self,
        trust: &Trust,
        socket: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.endpoint.host.clone());
        let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let connector = TlsConnector::from(Arc::clone(&trust.0));
        connector.connect(name, socket).await
    }

    async fn begin(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Sender, RequestError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|cause| self.broken(cause))?;
        // The task moves the bytes, and ends with the sender and the last body. What goes wrong in
        // it is reported to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take_idle(&self) -> Option<Sender> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Sender>> {
        // Nothing can fail while the lock is held, so the list is whole in any case.
        self.idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn broken(&self, cause: hyper::Error) -> RequestError {
        RequestError::Broken {
            authority: self.endpoint.authority.clone(),
            cause,
        }
    }

    /// What the TLS library itself refuses, it refuses again.
    fn no_tls(&self, cause: io::Error) -> RequestError {
        let authority = self.endpoint.authority.clone();
        let refusal = cause
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if refusal.is_some() {
            RequestError::Untrusted { authority, cause }
        } else {
            RequestError::Connect { authority, cause }
        }
    }

    fn too_late(&self, within: Duration) -> RequestError {
        RequestError::Timeout {
            authority: self.endpoint.authority.clone(),
            within,
        }
    }

    pub(crate) fn not_a_hub(&self, problem: impl Into<String>) -> RequestError {
        RequestError::NotAHub {
            authority: self.endpoint.authority.clone(),
            problem: problem.into(),
        }
    }
}
