//! Mutations without a fuzzer: the same ones in every run, for the tests that everybody runs.

/// Makes other inputs of seeds. The same number gives the same row of inputs.
#[derive(Debug, Clone)]
pub struct Mutator(u64);

/// What decoders take special care of.
const INTERESTING: [&[u8]; 24] = [
    b".",
    b"..",
    b"/",
    b"//",
    b"*",
    b"**",
    b"@",
    b"@all",
    b"@user/*",
    b"{",
    b"}",
    b"{sub}",
    b"%2F",
    b"%",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\"",
    b"\\u0000",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"\xef\xbb\xbf",
];

impl Mutator {
    /// A row of mutations.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Another input, one to four changes away from a seed. `other` is a seed to take parts of.
    pub fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, other);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        let end = at + self.below((bytes.len() - at).min(16) + 1);
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.next() as u8,
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            4 => {
                let from = self.below(other.len() + 1);
                let until = from + self.below(other.len() - from + 1);
                bytes.splice(at..end, other[from..until].iter().copied());
            }
            5 => bytes.truncate(at),
            _ => {
                let word = INTERESTING[self.below(INTERESTING.len())];
                bytes.splice(at..end, word.iter().copied());
            }
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Marsaglia's xorshift64*: good enough for choosing bytes.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}
