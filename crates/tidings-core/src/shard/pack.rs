//! Packing what is handed over: text as blocks of the connection's coding.

use bytes::Bytes;

use crate::coding::{CheckSum, Coding};
use crate::port::Coder;

/// Text as it goes out, and what it is checked by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) bytes: Bytes,
    pub(super) check_sum: CheckSum,
}

/// Text of its own.
pub(super) fn one(coder: &dyn Coder, coding: Coding, text: Vec<u8>) -> Block {
    if coding == Coding::Identity {
        return Block {
            bytes: text.into(),
            check_sum: CheckSum::default(),
        };
    }
    append(coder, coding, &text, Vec::new())
}

/// The first text of a stream, behind what its coding begins with.
pub(super) fn first(coder: &dyn Coder, coding: Coding, text: Vec<u8>) -> Block {
    if coding == Coding::Identity {
        return one(coder, coding, text);
    }
    let mut out = Vec::new();
    coder.begin(coding, &mut out);
    append(coder, coding, &text, out)
}

/// The last text of a stream, before what its coding ends with. `before` is what the blocks so far
/// are checked by.
pub(super) fn last(coder: &dyn Coder, coding: Coding, text: Vec<u8>, before: CheckSum) -> Bytes {
    if coding == Coding::Identity {
        return text.into();
    }
    let mut out = Vec::new();
    let check_sum = coder.block(coding, &text, &mut out);
    coder.end(coding, coder.join(before, check_sum), &mut out);
    out.into()
}

fn append(coder: &dyn Coder, coding: Coding, text: &[u8], mut out: Vec<u8>) -> Block {
    let check_sum = coder.block(coding, text, &mut out);
    Block {
        bytes: out.into(),
        check_sum,
    }
}
