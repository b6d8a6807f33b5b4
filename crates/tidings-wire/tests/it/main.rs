//! What the encodings promise, one file per behaviour.

mod access;
mod cloud_events;
mod coded_streams;
mod control_events;
mod decoding;
mod dialects;
mod envelope;
mod native_publish;
mod ndjson;
mod negotiation;
mod operators;
mod pages;
mod problems;
mod queries;
mod real_clients;
mod samples;
mod sse_cases;
mod sse_round_trip;
mod test_events;
