//! What the routes work on, and the way of every request through it.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tidings_core::limits::HEARTBEAT_MS_DEFAULT;
use tidings_core::port::{Authenticator, Clock};
use tidings_hub::Hub;
use tidings_wire::problem::{Code, Problem};

use crate::body::{Budget, RequestBody};
use crate::call::Call;
use crate::cors::{self, Verdict};
use crate::metrics::{Metrics, RequestLabels, RouteLabels, method_label, status_class};
use crate::origin::Origins;
use crate::peer::Peer;
use crate::reply::{self, Body, Refusal};
use crate::request_id::RequestId;
use crate::router::{self, Endpoint, Found};
use crate::seldom::Seldom;
use crate::{head_limits, native, openapi, probe, segment};

/// The name of each request, for the client to quote.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The route label of requests that no row of the table answers.
const NO_ROUTE: &str = "none";

/// The method label of requests whose method is not known.
const NO_METHOD: &str = "other";

/// What an operator decides about the HTTP surface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which web pages may read answers.
    pub origins: Origins,
    /// Whether the `userId` query parameter of this machine's clients is handed to the
    /// authenticators, of which only the development one looks at it.
    pub development: bool,
    /// How often a stream gives a sign of life.
    pub heartbeat_ms: u32,
    /// Whether streams are compressed for those who accept it.
    pub compress: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Origins::default(),
            development: false,
            heartbeat_ms: HEARTBEAT_MS_DEFAULT as u32,
            compress: true,
        }
    }
}

/// The HTTP surface of one hub. A cheap handle.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    hub: Hub,
    authenticators: Vec<Arc<dyn Authenticator>>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    metrics: Metrics,
    bodies: Budget,
    origin_log: Seldom,
}

impl App {
    /// The surface of a hub. The first authenticator that knows a credential decides.
    pub fn new(
        hub: Hub,
        authenticators: Vec<Arc<dyn Authenticator>>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let metrics = Metrics::new(hub.clone());
        Self {
            inner: Arc::new(Inner {
                hub,
                authenticators,
                clock,
                settings,
                metrics,
                bodies: Budget::default(),
                origin_log: Seldom::default(),
            }),
        }
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn authenticators(&self) -> &[Arc<dyn Authenticator>] {
        &self.inner.authenticators
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn bodies(&self) -> &Budget {
        &self.inner.bodies
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The user that a request of this machine names in development. The request must also name
    /// this machine as its host: a page of a foreign name that was made to lead here may not.
    pub(crate) fn development_user<'a>(&self, call: &'a Call) -> Option<Cow<'a, str>> {
        let is_local = call.peer.is_loopback() && call.names_this_machine();
        if !self.settings().development || !is_local {
            return None;
        }
        let mut pairs = call.query().split('&');
        let raw = pairs.find_map(|pair| pair.strip_prefix("userId="))?;
        segment::decode(raw).ok()
    }

    /// Answers one request.
    ///
    /// # Cancel safety
    ///
    /// A dropped publish may or may not be committed; everything else has no effect.
    pub async fn respond(&self, request: Request<RequestBody>, peer: Peer) -> Response<Body> {
        let begun = Instant::now();
        let request_id = RequestId::random();
        let (parts, body) = request.into_parts();
        let verdict = self.judge(&parts, request_id);
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let call = Call {
            parts,
            body,
            peer,
            request_id,
        };

        let found = router::find(&method, &path);
        let route = match &found {
            Found::Route(route, _) => route.path,
            Found::OtherMethods(path) => path,
            Found::Nothing => NO_ROUTE,
        };
        let mut response = if method == Method::OPTIONS {
            options(&verdict, route)
        } else {
            let mut response = AssertUnwindSafe(self.answer(found, call))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(self.panicked(request_id)))
                .unwrap_or_else(|refusal| refusal.into_response(request_id));
            cors::tell(&verdict, response.headers_mut());
            response
        };
        response
            .headers_mut()
            .insert(X_REQUEST_ID, request_id.header_value());

        let took = begun.elapsed();
        self.count(&method, route, response.status(), took);
        tracing::debug!(
            request = %request_id, %method, path, status = response.status().as_u16(),
            took_us = took.as_micros() as u64, peer = %peer.ip(), "request answered"
        );
        response
    }

    /// Refuses a request of which no method and no path is known, because its head could not be read.
    pub(crate) fn refuse_unread(&self, problem: Problem, peer: Peer) -> Response<Body> {
        let request_id = RequestId::random();
        let code = problem.code();
        let mut response = Refusal::from(problem).into_response(request_id);
        response
            .headers_mut()
            .insert(X_REQUEST_ID, request_id.header_value());
        let labels = RequestLabels {
            route: NO_ROUTE,
            method: NO_METHOD,
            status: status_class(response.status()),
        };
        self.metrics().requests.get_or_create(&labels).inc();
        tracing::debug!(request = %request_id, %code, peer = %peer.ip(), "request head refused");
        response
    }

    async fn answer(&self, found: Found<'_>, call: Call) -> Result<Response<Body>, Refusal> {
        head_limits::check(&call.parts)?;
        let (route, segment) = match found {
            Found::Route(route, segment) => (route, segment),
            Found::OtherMethods(path) => return Err(other_methods(&call.parts.method, path)),
            Found::Nothing => {
                return Err(Problem::new(Code::NotFound, "no route has this path")
                    .with_hint("`/openapi.json` lists the routes")
                    .into());
            }
        };
        match route.endpoint {
            Endpoint::Publish => native::publish::answer(self, call).await,
            Endpoint::Page => native::page::answer(self, call).await,
            Endpoint::Event => native::event::answer(self, call, segment).await,
            Endpoint::Stream => native::stream::answer(self, call).await,
            Endpoint::Topic => native::topic::answer(self, call, segment).await,
            Endpoint::Alive => Ok(probe::alive()),
            Endpoint::Ready => Ok(probe::ready(self)),
            Endpoint::Metrics => probe::metrics(self),
            Endpoint::OpenApi => Ok(openapi::answer()),
        }
    }

    /// Judges the origin, and lets the operator know of one that is refused.
    fn judge(&self, parts: &Parts, request_id: RequestId) -> Verdict {
        let verdict = cors::judge(&self.settings().origins, parts);
        if let Verdict::Refused(cause) = &verdict {
            self.metrics().origins_refused.inc();
            if let Some(suppressed) = self.inner.origin_log.say(self.clock().moment()) {
                let origin = parts.headers.get(http::header::ORIGIN);
                tracing::warn!(
                    request = %request_id, ?origin, cause = cause.as_str(), suppressed,
                    "origin refused"
                );
            }
        }
        verdict
    }

    fn panicked(&self, request_id: RequestId) -> Refusal {
        self.metrics().panics.inc();
        tracing::error!(request = %request_id, "request panicked");
        Problem::new(Code::Internal, "the request could not be answered").into()
    }

    fn count(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let labels = RequestLabels {
            route,
            method: method_label(method),
            status: status_class(status),
        };
        self.metrics().requests.get_or_create(&labels).inc();
        self.metrics()
            .answer_seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }
}

/// The answer to `OPTIONS`, a preflight or not, known path or not.
fn options(verdict: &Verdict, route: &str) -> Response<Body> {
    let methods = HeaderValue::try_from(router::allow(route))
        .unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(http::header::ALLOW, methods.clone());
    cors::tell_preflight(verdict, methods, headers);
    response
}

fn other_methods(method: &Method, path: &str) -> Refusal {
    let allow = router::allow(path);
    let detail = format!("`{path}` has no method `{method}`");
    Refusal {
        problem: Box::new(
            Problem::new(Code::MethodNotAllowed, detail).with_hint(format!("use one of {allow}")),
        ),
        allow: Some(allow),
    }
}
