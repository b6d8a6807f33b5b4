//! What the encodings promise, one file per behaviour.

mod cloud_events;
mod control_events;
mod envelope;
mod native_publish;
mod ndjson;
mod pages;
mod problems;
mod queries;
mod samples;
mod sse_cases;
mod sse_round_trip;
