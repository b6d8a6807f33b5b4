//! The client against a scripted hub.

mod contract;
mod hub;
mod poll;
mod publish;
mod refusals;
mod resume;
mod timeouts;
mod waiting;
