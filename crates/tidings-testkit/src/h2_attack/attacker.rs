//! One connection of an attacker: it writes as fast as it can, and reads whatever comes.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Attack;
use super::frames::{ACK, GOAWAY, HEAD_BYTES, PING, PREFACE, SETTINGS, frame};

/// Far beyond what any hub needs to let go of a connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// No `GOAWAY` was seen.
const NONE: u32 = u32::MAX;

/// A connection that attacks.
#[derive(Debug)]
pub struct Attacker {
    attack: Attack,
    rounds: u32,
    shared: Arc<Shared>,
    reading: Option<JoinHandle<()>>,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Rounds that were sent.
    pub rounds: u32,
    /// Whether the hub has ended the connection.
    pub is_ended: bool,
    /// The error code of its `GOAWAY`, if one came.
    pub goaway: Option<u32>,
    /// Frames that came from the hub.
    pub frames_read: u64,
}

#[derive(Debug)]
struct Shared {
    socket: TcpStream,
    /// Held while a frame is written, so that frames stay whole.
    writing: Mutex<()>,
    is_ended: AtomicBool,
    goaway: AtomicU32,
    frames_read: AtomicU64,
}

/// Whether an error says that the other side has closed the connection.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}

impl Attacker {
    /// Connects and begins. `target` is where a large answer comes from.
    ///
    /// # Errors
    ///
    /// Fails if nobody listens at the address.
    pub fn begin(address: SocketAddr, attack: Attack, target: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let shared = Arc::new(Shared {
            socket,
            writing: Mutex::new(()),
            is_ended: AtomicBool::new(false),
            goaway: AtomicU32::new(NONE),
            frames_read: AtomicU64::new(0),
        });
        let reads = Arc::clone(&shared);
        let reading = thread::spawn(move || {
            // Closed in order, reset, or closed from this side.
            drop(reads.read_all());
            reads.is_ended.store(true, Ordering::SeqCst);
        });
        let attacker = Self {
            attack,
            rounds: 0,
            shared,
            reading: Some(reading),
        };
        let beginning = [
            PREFACE.to_vec(),
            frame(SETTINGS, 0, 0, &attack.settings()),
            attack.beginning(target),
        ];
        attacker.shared.write(&beginning.concat())?;
        Ok(attacker)
    }

    /// Sends the next round, and says whether the connection is still there.
    pub fn round(&mut self) -> bool {
        let bytes = self.attack.round(self.rounds);
        if self.is_ended() {
            return false;
        }
        let written = self.shared.write(&bytes);
        // Whoever writes may learn of the end before whoever reads.
        if written.as_ref().is_err_and(is_end) {
            self.shared.is_ended.store(true, Ordering::SeqCst);
        }
        self.rounds += u32::from(written.is_ok());
        written.is_ok()
    }

    /// Rounds that were sent.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Whether the hub has ended the connection.
    pub fn is_ended(&self) -> bool {
        self.shared.is_ended.load(Ordering::SeqCst)
    }

    /// Frames that have come from the hub so far.
    pub fn frames_read(&self) -> u64 {
        self.shared.frames_read.load(Ordering::SeqCst)
    }

    /// What became of it. A connection that is still there is closed.
    pub fn end(mut self) -> Outcome {
        let is_ended = self.is_ended();
        self.close();
        let goaway = self.shared.goaway.load(Ordering::SeqCst);
        Outcome {
            rounds: self.rounds,
            is_ended,
            goaway: (goaway != NONE).then_some(goaway),
            frames_read: self.frames_read(),
        }
    }

    fn close(&mut self) {
        // It may be closed already.
        drop(self.shared.socket.shutdown(Shutdown::Both));
        if let Some(reading) = self.reading.take() {
            reading.join().expect("it reads to the end");
        }
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _whole = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.socket).write_all(bytes)
    }

    /// Reads frames to the end, and says what a peer has to say that wants to stay: to settings and
    /// to pings.
    fn read_all(&self) -> io::Result<()> {
        let mut socket = io::BufReader::new(&self.socket);
        loop {
            let mut head = [0; HEAD_BYTES];
            socket.read_exact(&mut head)?;
            let [l2, l1, l0, kind, flags, ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, l2, l1, l0]) as usize];
            socket.read_exact(&mut payload)?;
            self.frames_read.fetch_add(1, Ordering::SeqCst);
            let is_question = flags & ACK == 0;
            match kind {
                SETTINGS if is_question => self.write(&frame(SETTINGS, ACK, 0, b""))?,
                PING if is_question => self.write(&frame(PING, ACK, 0, &payload))?,
                GOAWAY => {
                    let code = payload.get(4..8).and_then(|code| code.try_into().ok());
                    let code = code.map_or(0, u32::from_be_bytes);
                    self.goaway.store(code, Ordering::SeqCst);
                }
                _ => {}
            }
        }
    }
}
