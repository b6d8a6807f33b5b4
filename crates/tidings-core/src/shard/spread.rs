//! Jitter: a small generator of even numbers, seeded by the shard's owner.

/// `SplitMix64`. Spreads deadlines; decides nothing that must be hard to guess.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jitter(pub(super) u64);

impl Jitter {
    /// A number below `bound`, or zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        if bound == 0 { 0 } else { mixed % bound }
    }
}
