//! JSON as text: writing it without a tree, and looking at it without one.

mod fields;
mod scan;
mod write;

pub(crate) use fields::{Fields, RawFault, elements, kind_of, text_of};
pub(crate) use scan::{is_too_deep, one_line};
pub(crate) use write::{Object, push_number, push_position, push_string};
