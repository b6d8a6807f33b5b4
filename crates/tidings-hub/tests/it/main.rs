//! The hub as its callers see it: real threads over a real log, with a plain encoder.

mod fixture;

mod drain;
mod failures;
mod going_away;
mod groups;
