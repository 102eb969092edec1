//! How large the next piece is, so that it takes about as long as wanted.

use std::time::Duration;

/// However fast a piece was, the next one is at most this many times as large.
const GROWTH: f64 = 2.0;

/// The largest piece, in blocks or rows.
const LARGEST: i64 = 1 << 20;

/// The size of pieces, in blocks or rows, and never less than one.
#[derive(Clone, Debug)]
pub(crate) struct PieceSize {
    size: i64,
}

impl PieceSize {
    /// Begins with `first`.
    pub fn new(first: i64) -> Self {
        Self { size: first.max(1) }
    }

    /// Blocks or rows of the next piece.
    pub fn get(&self) -> i64 {
        self.size
    }

    /// A piece of this size took so long, and should take `target`: shrinks at once where it was too slow, grows step by step where it was
    /// fast.
    pub fn took(&mut self, duration: Duration, target: Duration) {
        let factor = (target.as_secs_f64() / duration.as_secs_f64().max(1e-6)).min(GROWTH);
        self.size = ((self.size as f64 * factor) as i64).clamp(1, LARGEST);
    }

    /// A piece of this size failed: waited too long for rows that others hold, or took too long.
    pub fn halve(&mut self) {
        self.size = (self.size / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_meet_the_target() {
        let target = Duration::from_millis(500);
        let mut size = PieceSize::new(64);
        size.took(Duration::from_millis(1), target);
        assert_eq!(size.get(), 128, "it grows step by step");
        size.took(Duration::from_secs(5), target);
        assert_eq!(size.get(), 12, "and shrinks at once");
        for _ in 0..10 {
            size.took(Duration::from_secs(60), target);
            size.halve();
        }
        assert_eq!(size.get(), 1, "but not to nothing");
        for _ in 0..100 {
            size.took(Duration::ZERO, target);
        }
        assert_eq!(size.get(), LARGEST, "nor without end");
    }
}
