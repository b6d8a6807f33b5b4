//! The client against a scripted hub.

mod hub;
mod poll;
mod publish;
mod refusals;
mod resume;
mod waiting;
