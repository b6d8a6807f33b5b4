//! A poll that wakes to the microsecond. On Linux the timeout of a poll has a grain of a millisecond,
//! so that a timer of the kernel's is one of its sources; elsewhere the timeout is fine enough.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::clock::now_us;

const EVENTS_AT_ONCE: usize = 256;

/// The longest wait for anything.
const WAIT_MAX_US: u64 = 1_000_000;

/// A poll over sockets with numbers.
pub(super) struct FinePoll {
    poll: Poll,
    events: Events,
    #[cfg(target_os = "linux")]
    timer: timer::Timer,
}

impl FinePoll {
    pub(super) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            timer: timer::Timer::new(&poll)?,
            poll,
            events: Events::with_capacity(EVENTS_AT_ONCE),
        })
    }

    /// Watches a socket until it is closed.
    pub(super) fn watch(&self, socket: RawFd, number: usize) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut SourceFd(&socket), Token(number), interest)
    }

    /// Waits until sockets have changed or a time has come, a second at most; the numbers of those
    /// that have.
    pub(super) fn wait(&mut self, until_us: u64, changed: &mut Vec<usize>) -> io::Result<()> {
        changed.clear();
        let left_us = until_us.saturating_sub(now_us()).min(WAIT_MAX_US);
        #[cfg(target_os = "linux")]
        if left_us > 0 && left_us < WAIT_MAX_US {
            self.timer.set(until_us)?;
        }
        match self
            .poll
            .poll(&mut self.events, Some(Duration::from_micros(left_us)))
        {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let tokens = self.events.iter().map(|event| event.token().0);
        changed.extend(tokens.filter(|number| *number != usize::MAX));
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use mio::unix::SourceFd;
    use mio::{Interest, Poll, Token};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// A timer that makes a poll return.
    pub(super) struct Timer {
        descriptor: OwnedFd,
        set_us: u64,
    }

    impl Timer {
        pub(super) fn new(poll: &Poll) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            poll.registry().register(
                &mut SourceFd(&descriptor.as_raw_fd()),
                Token(usize::MAX),
                Interest::READABLE,
            )?;
            Ok(Self {
                descriptor,
                set_us: 0,
            })
        }

        /// Sets it to a time, if it is not.
        pub(super) fn set(&mut self, due_us: u64) -> io::Result<()> {
            if self.set_us == due_us {
                return Ok(());
            }
            self.set_us = due_us;
            let once = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: (due_us / 1_000_000).cast_signed(),
                    tv_nsec: (due_us % 1_000_000).cast_signed() * 1_000,
                },
            };
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &once)?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn a_wait_ends_when_its_time_has_come_and_not_before() {
        let mut poll = FinePoll::new().expect("a poll");
        let mut changed = Vec::new();
        for after_us in [0, 150, 2_500] {
            let due_us = now_us() + after_us;
            while now_us() < due_us {
                poll.wait(due_us, &mut changed).expect("a wait");
                assert!(changed.is_empty());
            }
        }
    }

    #[test]
    fn a_wait_ends_when_a_socket_has_something() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let mut one = TcpStream::connect(address).expect("a connection");
        let (other, _) = listener.accept().expect("a connection");
        let mut poll = FinePoll::new().expect("a poll");
        poll.watch(other.as_raw_fd(), 7).expect("watched");
        one.write_all(b"x").expect("written");
        let mut changed = Vec::new();
        while changed.is_empty() {
            poll.wait(u64::MAX, &mut changed).expect("a wait");
        }
        assert_eq!(changed, [7]);
    }
}
