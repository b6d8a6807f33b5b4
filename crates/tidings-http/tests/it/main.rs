//! The HTTP surface over real sockets, on a real hub with the memory log.

mod client;
mod counting_store;
mod faulty_store;
mod sinks;
mod world;

mod admission;
mod authentication;
mod bodies;
mod cross_site;
mod descriptors;
mod drain;
mod half_close;
mod hostile_requests;
mod hosts;
mod http2;
mod http2_limits;
mod last_event_id;
mod leaks;
mod lines;
mod one_event;
mod orderly_end;
mod origins;
mod packed;
mod pages;
mod presented;
mod probes;
mod publish;
mod rates;
mod routes;
mod slow_reading;
mod slow_requests;
mod streams;
mod take_over;
mod topics;
mod unread_heads;
