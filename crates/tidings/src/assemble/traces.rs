//! Spans by OpenTelemetry: the port of the HTTP surface, onto OTLP/HTTP.
//!
//! A request that is not sampled costs what it takes to find that out; without `[traces]` nothing here
//! exists. Spans wait in a queue of limited length for a thread of their own, and are dropped when it is
//! full: a collector that is away harms nobody.

mod transport;

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use tidings_http::{Incoming, Outcome, Span, Tracer};

use crate::limits::{SPANS_PER_EXPORT_MAX, SPANS_WAIT_MAX, SPANS_WAITING_MAX};
use crate::settings::Traces;
use transport::Transport;

/// Makes spans, and sends them until it is ended.
#[derive(Debug, Clone)]
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// Starts to make spans. Must be called within a runtime, which sends them.
pub(super) fn start(settings: &Traces) -> anyhow::Result<Spans> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Transport::new()?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(settings.endpoint.as_str())
        .build()
        .context("spans cannot be sent")?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(SPANS_WAITING_MAX)
        .with_max_export_batch_size(SPANS_PER_EXPORT_MAX)
        .with_scheduled_delay(SPANS_WAIT_MAX)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batches)
        .build();
    let name = settings.service.as_str().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    let resource = Resource::builder_empty()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", version))
        .build();
    // Whoever is traced already decides for its own requests.
    let sampler = Sampler::TraceIdRatioBased(settings.sample.get());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("tidings");
    Ok(Spans {
        provider,
        tracer,
        propagator: TraceContextPropagator::new(),
    })
}

impl Spans {
    /// Sends what waits, for so long at most. Blocks its thread meanwhile.
    pub fn end(self, patience: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(patience) {
            tracing::warn!(cause = %error, "the last spans were not sent");
        }
    }
}

/// The headers that name the caller's trace.
struct Carrier<'a>(&'a Incoming<'a>);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.0.traceparent,
            "tracestate" => self.0.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

impl Tracer for Spans {
    fn begin(&self, incoming: &Incoming<'_>) -> Option<Box<dyn Span>> {
        let none = Context::new();
        let parent = self
            .propagator
            .extract_with_context(&none, &Carrier(incoming));
        let span = self
            .tracer
            .span_builder(incoming.name)
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", incoming.method.to_owned()),
                KeyValue::new("http.route", incoming.route.to_owned()),
                KeyValue::new("tidings.profile", incoming.profile.to_owned()),
                KeyValue::new("tidings.request", incoming.request_id.to_string()),
            ])
            .start_with_context(&self.tracer, &parent);
        let is_recorded = span.is_recording();
        is_recorded.then(|| Box::new(Begun(span)) as Box<dyn Span>)
    }
}

/// A span that has begun.
struct Begun(opentelemetry_sdk::trace::Span);

impl Span for Begun {
    fn end(mut self: Box<Self>, outcome: Outcome) {
        let span = &mut self.0;
        let status = i64::from(outcome.status);
        span.set_attribute(KeyValue::new("http.response.status_code", status));
        if let Some(events) = outcome.events {
            let events = i64::try_from(events).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new("messaging.batch.message_count", events));
        }
        if let Some(addressee) = outcome.addressee {
            span.set_attribute(KeyValue::new("messaging.destination.name", addressee));
        }
        if outcome.status >= 500 {
            // The status says it; what a message would add may have been sent in confidence.
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
