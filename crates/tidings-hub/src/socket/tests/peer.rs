//! A played socket: takes what it likes of each write, and may be gone at any byte.

use std::cell::RefCell;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

/// The far end of a played socket.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// All that it was given.
    pub(super) received: Vec<u8>,
    /// How many bytes it takes before it is full.
    pub(super) room: usize,
    /// After how many bytes it is gone without a word.
    pub(super) dies_after: Option<usize>,
    /// Decides how much of one write it takes.
    pub(super) whim: u64,
    /// Whether it has failed a write.
    pub(super) is_dead: bool,
}

impl Peer {
    fn next_whim(&mut self) -> u64 {
        self.whim ^= self.whim << 13;
        self.whim ^= self.whim >> 7;
        self.whim ^= self.whim << 17;
        self.whim
    }

    fn take(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let whim = self.next_whim();
        if whim.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut left = match whim % 3 {
            0 => (whim >> 8) as usize % 40 + 1,
            1 => (whim >> 8) as usize % 20_000 + 1,
            _ => usize::MAX,
        };
        if let Some(dies_after) = self.dies_after {
            left = left.min(dies_after.saturating_sub(self.received.len()));
            if left == 0 {
                self.is_dead = true;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        left = left.min(self.room);
        if left == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut taken = 0;
        for piece in pieces {
            let some = &piece[..piece.len().min(left)];
            self.received.extend_from_slice(some);
            taken += some.len();
            left -= some.len();
        }
        self.room = self.room.saturating_sub(taken);
        Ok(taken)
    }
}

/// The near end.
#[derive(Debug)]
pub(super) struct Wire(pub(super) Rc<RefCell<Peer>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.borrow_mut().take(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
