//! Precedence, as one trait.

/// Lays one layer over another.
pub trait Combine {
    /// Takes what `self` says, and where it says nothing, what `weaker` says.
    #[must_use]
    fn combine(self, weaker: Self) -> Self;
}

impl<T> Combine for Option<T> {
    fn combine(self, weaker: Self) -> Self {
        self.or(weaker)
    }
}
