//! What the routes work on, and the way of every request through it.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tidings_core::port::Clock;
use tidings_hub::Hub;
use tidings_wire::problem::{Code, Problem};
use tokio::sync::Semaphore;

use crate::access::{self, Access};
use crate::body::{Budget, RequestBody};
use crate::call::Call;
use crate::cors::{self, Verdict};
use crate::forwarded::{self, Scheme};
use crate::host::{self, HostName};
use crate::limits::{STORE_CHANGES_MAX, UNTRUSTED_PROXY_LOG_MS_MIN};
use crate::metrics::{Metrics, Reload, RequestLabels, RouteLabels, method_label, status_class};
use crate::operator::Observed;
use crate::origin::Origin;
use crate::peer::Peer;
use crate::profile::{NATIVE, Spoken};
use crate::rates::{self, Rates};
use crate::reply::{self, Body, Refusal};
use crate::request_id::RequestId;
use crate::router::{Endpoint, Found, PAGE_PATH, Row, Served};
use crate::seldom::Seldom;
use crate::settings::Settings;
use crate::tls::Certificate;
use crate::traces::{self, Incoming, Outcome, Span};
use crate::{head_limits, native, openapi, operator, probe, profile, segment};

/// The name of each request, for the client to quote.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The method label of requests whose method is not known.
const NO_METHOD: &str = "other";

/// The HTTP surface of one hub. A cheap handle, which keeps to the settings that were in force when a
/// request began: [`App::respond`] takes the present ones, and everything below it these.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
    decided: Arc<Decided>,
}

/// What is there once.
#[derive(Debug)]
struct Inner {
    hub: Hub,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    bodies: Budget,
    origin_log: Seldom,
    host_log: Seldom,
    proxy_log: Seldom,
    changes: Arc<Semaphore>,
    observed: Observed,
    decided: RwLock<Arc<Decided>>,
}

/// What an operator decides, and may decide otherwise while the hub runs.
#[derive(Debug)]
struct Decided {
    access: Access,
    settings: Settings,
    rates: Rates,
}

impl App {
    /// The surface of a hub.
    pub fn new(hub: Hub, access: Access, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let metrics = Metrics::new(hub.clone(), settings.dropped_log_lines);
        metrics.operation.set_reloaded(clock.now());
        let rates = Rates::new(settings.rates, Arc::clone(&access.store));
        let decided = Arc::new(Decided {
            access,
            settings,
            rates,
        });
        let app = Self {
            inner: Arc::new(Inner {
                hub,
                clock,
                metrics,
                bodies: Budget::default(),
                origin_log: Seldom::default(),
                host_log: Seldom::default(),
                proxy_log: Seldom::every(UNTRUSTED_PROXY_LOG_MS_MIN),
                changes: Arc::new(Semaphore::new(STORE_CHANGES_MAX)),
                observed: Observed::default(),
                decided: RwLock::new(Arc::clone(&decided)),
            }),
            decided,
        };
        app.observed().note(&app);
        app
    }

    /// What an operator is told of the hub, as far as it has to be kept.
    pub(crate) fn observed(&self) -> &Observed {
        &self.inner.observed
    }

    /// Answers what is asked from now on by these settings, over the same store. Requests that have begun
    /// keep those that they began with, and streams what they were granted. The profiles are those of
    /// the hub's encoder, and so they are no part of this.
    pub fn decide(&self, access: Access, settings: Settings) {
        let rates = self.rates().with_limits(settings.rates);
        let decided = Arc::new(Decided {
            access,
            settings: Settings {
                profiles: Arc::clone(&self.settings().profiles),
                ..settings
            },
            rates,
        });
        let held = self.inner.decided.write();
        *held.unwrap_or_else(PoisonError::into_inner) = decided;
    }

    /// Counts what became of settings that were read while the hub ran.
    pub fn count_reload(&self, outcome: Reload) {
        self.metrics()
            .operation
            .count_reload(outcome, self.clock().now());
    }

    /// Shows in the figures until when the certificate counts that a listener shows now.
    pub fn note_certificate(&self, certificate: &Certificate) {
        self.metrics()
            .operation
            .set_certificate_end(certificate.ends_at());
    }

    /// The same with the settings that are in force now.
    fn of_now(&self) -> Self {
        let held = self.inner.decided.read();
        Self {
            inner: Arc::clone(&self.inner),
            decided: Arc::clone(&held.unwrap_or_else(PoisonError::into_inner)),
        }
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn access(&self) -> &Access {
        &self.decided.access
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Lets all bodies that are being read together have no more than so many bytes, where the machine has
    /// less than their usual limit would take. Called before the first request.
    pub fn limit_bodies(&self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.inner.bodies.limit_to(bytes);
    }

    pub(crate) fn bodies(&self) -> &Budget {
        &self.inner.bodies
    }

    /// Places for changes of the store that wait for its disk.
    pub(crate) fn changes(&self) -> &Arc<Semaphore> {
        &self.inner.changes
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.decided.rates
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.decided.settings
    }

    /// The user that a request of this machine names in development.
    pub(crate) fn development_user<'a>(&self, call: &'a Call) -> Option<Cow<'a, str>> {
        let is_taken = call.profile.profile.takes_development_user;
        if !self.settings().development || !is_taken || !call.is_of_this_machine() {
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
        self.of_now().respond_by_these(request, peer).await
    }

    async fn respond_by_these(&self, request: Request<RequestBody>, peer: Peer) -> Response<Body> {
        let begun = Instant::now();
        let request_id = RequestId::random();
        let (parts, body) = request.into_parts();
        let settings = self.settings();
        let source = forwarded::source(
            &settings.trusted_proxies,
            settings.forwarded_header,
            peer,
            &parts.headers,
        );
        self.notice_proxy(&parts, peer, request_id);
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let found = settings.profiles.router.find(&method, &path);
        let row = found.row();
        let profile = row.map_or(&settings.profiles.native, |row| &row.profile);
        let route = row.map_or(&settings.profiles.no_route, |row| &row.label);
        let span = self.begin_span(&found, &parts, request_id);
        let verdict = self.judge(profile, &parts, source.scheme, request_id);
        let call = Call {
            parts,
            body,
            peer,
            source,
            request_id,
            profile: Arc::clone(profile),
        };
        let admitted = match self.check_host(&found, &call) {
            Ok(()) => rates::count_request(self, source.client).await,
            Err(refusal) => Err(refusal),
        };
        let polling = polling(row);
        let mut response = match admitted {
            Ok(told) => {
                let mut response = if method == Method::OPTIONS {
                    options(&verdict, settings.profiles.router.allow(row))
                } else {
                    let mut response = AssertUnwindSafe(self.answer(found, call))
                        .catch_unwind()
                        .await
                        .unwrap_or_else(|_| Err(self.panicked(request_id)))
                        .unwrap_or_else(|refusal| {
                            refusal.pointing_to(polling).into_response(request_id)
                        });
                    cors::tell(&verdict, response.headers_mut());
                    response
                };
                if let Some(told) = told {
                    told.tell(response.headers_mut());
                }
                response
            }
            Err(refusal) => {
                let mut response = refusal.pointing_to(polling).into_response(request_id);
                cors::tell(&verdict, response.headers_mut());
                response
            }
        };
        response
            .headers_mut()
            .insert(X_REQUEST_ID, request_id.header_value());

        if let Some(span) = span {
            span.end(Outcome::of(&mut response));
        }
        let took = begun.elapsed();
        self.count(&method, route, response.status(), took);
        if !row.is_some_and(|row| is_probe(row.served)) {
            self.observed().count(response.status());
        }
        tracing::debug!(
            request = %request_id, %method, path, status = response.status().as_u16(),
            took_us = took.as_micros() as u64, client = %source.client, "request answered"
        );
        response
    }

    /// Begins the span of a request, if it is to have one.
    fn begin_span(
        &self,
        found: &Found<'_>,
        parts: &Parts,
        request_id: RequestId,
    ) -> Option<Box<dyn Span>> {
        let tracer = self.settings().tracer.as_ref()?;
        let Found::Route(row, _) = found else {
            return None;
        };
        let name = traces::name_of(row.served).filter(|_| parts.method == row.method)?;
        let (traceparent, tracestate) = traces::parent(&parts.headers);
        tracer.begin(&Incoming {
            name,
            method: parts.method.as_str(),
            route: &row.label,
            profile: &row.profile.profile.name,
            traceparent,
            tracestate,
            request_id,
        })
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
            route: Arc::clone(&self.settings().profiles.no_route),
            method: NO_METHOD,
            status: status_class(response.status()),
        };
        self.metrics().requests.get_or_create(&labels).inc();
        tracing::debug!(request = %request_id, %code, peer = %peer.ip(), "request head refused");
        response
    }

    /// Lets the operator know of a proxy whose clients are all one for this hub, because no proxy is
    /// trusted. Anybody may have sent the header, so its value proves nothing and is not repeated.
    fn notice_proxy(&self, parts: &Parts, peer: Peer, request_id: RequestId) {
        if !self.settings().trusted_proxies.is_empty() || !forwarded::tells_for_whom(&parts.headers)
        {
            return;
        }
        if let Some(suppressed) = self.inner.proxy_log.say(self.clock().moment()) {
            tracing::warn!(
                request = %request_id, peer = %peer.ip(), setting = "http.trusted_proxies",
                suppressed,
                "a request says for whom a proxy sends it, and no proxy is trusted: limits count \
                 all its clients as one; if it is yours, list it in `http.trusted_proxies`"
            );
        }
    }

    /// Refuses a request that is not for this hub, and lets the operator know.
    fn check_host(&self, found: &Found<'_>, call: &Call) -> Result<(), Refusal> {
        let served = match found {
            Found::Route(route, _) => Some(route.served),
            Found::OtherMethods(_) | Found::Nothing => None,
        };
        if let Err(problem) = host::check(&self.settings().hosts, &call.parts, served) {
            self.metrics().hosts_refused.inc();
            if let Some(suppressed) = self.inner.host_log.say(self.clock().moment()) {
                let host = host::named(&call.parts);
                let host = host.as_ref().map_or("", HostName::as_str);
                tracing::warn!(request = %call.request_id, host, suppressed, "host refused");
            }
            return Err(problem.into());
        }
        Ok(())
    }

    async fn answer(&self, found: Found<'_>, call: Call) -> Result<Response<Body>, Refusal> {
        head_limits::check(&call.parts)?;
        let (route, segment) = match found {
            Found::Route(row, segment) => (row, segment),
            Found::OtherMethods(row) => return Err(self.other_methods(&call.parts.method, row)),
            Found::Nothing => {
                return Err(Problem::new(Code::NotFound, "no route has this path")
                    .with_hint("`/openapi.json` lists the routes")
                    .into());
            }
        };
        let endpoint = match route.served {
            Served::Own(endpoint) => endpoint,
            Served::Beside(beside) => return profile::beside::answer(self, call, beside).await,
        };
        match endpoint {
            Endpoint::Publish => native::publish::answer(self, call).await,
            Endpoint::Page => native::page::answer(self, call).await,
            Endpoint::Event => native::event::answer(self, call, segment).await,
            Endpoint::Stream => {
                let teller = native::refused_stream::teller(&call);
                let answered = native::stream::answer(self, call, segment).await;
                answered.or_else(|refusal| teller.tell(refusal))
            }
            Endpoint::Topic => native::topic::answer(self, call, segment).await,
            Endpoint::Ticket => access::issue::ticket(self, call).await,
            Endpoint::Token => access::issue::token(self, call).await,
            Endpoint::Connections => operator::connections::list(self, call).await,
            Endpoint::Connection => operator::connections::inspect(self, call, segment).await,
            Endpoint::Subscription => operator::subscription::change(self, call, segment).await,
            Endpoint::Credential => access::credential::renew(self, call, segment).await,
            Endpoint::Disconnect => access::disconnect::disconnect(self, call, segment).await,
            Endpoint::Health => operator::health::answer(self, call).await,
            Endpoint::HealthAction => operator::health::act(self, call).await,
            Endpoint::Explain => access::explain::explain(self, call).await,
            Endpoint::Revoke => access::revocations::revoke(self, call).await,
            Endpoint::Revocations => access::revocations::list(self, call).await,
            Endpoint::Lift => access::revocations::lift(self, call, segment).await,
            Endpoint::Alive => Ok(probe::alive()),
            Endpoint::Ready => Ok(probe::ready(self)),
            Endpoint::Metrics => probe::metrics(self).await,
            Endpoint::OpenApi => Ok(openapi::answer()),
            Endpoint::Profiles => Ok(profile::list::answer(self)),
        }
    }

    /// Judges the origin, and lets the operator know of one that is refused.
    fn judge(
        &self,
        profile: &Spoken,
        parts: &Parts,
        scheme: Option<Scheme>,
        request_id: RequestId,
    ) -> Verdict {
        let (origins, takes_cookies) = (&self.settings().origins, profile.profile.takes_cookies);
        let verdict = cors::judge(origins, takes_cookies, parts, scheme);
        if let Verdict::Refused(cause) = &verdict {
            self.metrics().origins_refused.inc();
            if let Some(suppressed) = self.inner.origin_log.say(self.clock().moment()) {
                // What is no origin may be anything, also a credential in the wrong place.
                let sent = parts.headers.get(http::header::ORIGIN);
                let sent = sent.and_then(|sent| sent.to_str().ok());
                let origin = sent.and_then(|sent| Origin::parse(sent).ok());
                let origin = origin.as_ref().map_or("", Origin::as_str);
                tracing::warn!(
                    request = %request_id, origin, cause = cause.as_str(), suppressed,
                    "origin refused"
                );
            }
        }
        verdict
    }

    fn other_methods(&self, method: &Method, row: &Row) -> Refusal {
        let allow = self.settings().profiles.router.allow(Some(row));
        let detail = format!("`{}` has no method `{method}`", row.path);
        let problem = Problem::new(Code::MethodNotAllowed, detail);
        Refusal {
            problem: Box::new(problem.with_hint(format!("use one of {allow}"))),
            allow: Some(allow),
            told: Vec::new(),
        }
    }

    fn panicked(&self, request_id: RequestId) -> Refusal {
        self.metrics().panics.inc();
        tracing::error!(request = %request_id, "request panicked");
        Problem::new(Code::Internal, "the request could not be answered").into()
    }

    fn count(&self, method: &Method, route: &Arc<str>, status: StatusCode, took: Duration) {
        let labels = RequestLabels {
            route: Arc::clone(route),
            method: method_label(method),
            status: status_class(status),
        };
        self.metrics().requests.get_or_create(&labels).inc();
        self.metrics()
            .answer_seconds
            .get_or_create(&RouteLabels {
                route: Arc::clone(route),
            })
            .observe(took.as_secs_f64());
    }
}

/// Where whoever is refused a stream can poll meanwhile.
fn polling(row: Option<&Row>) -> Option<&'static str> {
    let row = row.filter(|row| row.served == Served::Own(Endpoint::Stream))?;
    let profile = &row.profile.profile;
    if profile.name() == NATIVE {
        return Some(PAGE_PATH);
    }
    profile.beside.polling()
}

/// Whether a machine asks there again and again, whatever the hub does.
fn is_probe(served: Served) -> bool {
    matches!(
        served,
        Served::Own(Endpoint::Alive | Endpoint::Ready | Endpoint::Metrics)
    )
}

/// The answer to `OPTIONS`, a preflight or not, known path or not.
fn options(verdict: &Verdict, allow: String) -> Response<Body> {
    let methods =
        HeaderValue::try_from(allow).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(http::header::ALLOW, methods.clone());
    cors::tell_preflight(verdict, methods, headers);
    response
}
