//! How large the next piece is, so that it takes about as long as wanted.

use std::time::Duration;

/// However fast a piece was, the next one is at most this many times as large.
const GROWTH: f64 = 2.0;

/// The largest piece, in blocks or rows.
const LARGEST: i64 = 1 << 20;

/// How much the last piece counts for in the average.
const WEIGHT: f64 = 0.4;

/// The size of pieces, in blocks or rows, and never less than one.
#[derive(Clone, Debug)]
pub(crate) struct PieceSize {
    size: i64,
    /// Blocks or rows per second, on the average.
    speed: Option<f64>,
}

impl PieceSize {
    /// Begins with `first`.
    pub fn new(first: i64) -> Self {
        Self { size: first.max(1), speed: None }
    }

    /// Blocks or rows of the next piece.
    pub fn get(&self) -> i64 {
        self.size
    }

    /// A piece of `done` blocks or rows took so long, and should take `target`: shrinks at once where it was too slow, grows step by step and
    /// by the average where it was fast.
    pub fn took(&mut self, done: i64, duration: Duration, target: Duration) {
        let slow = duration > target;
        // The last piece of a table says little.
        if !slow && done < self.size / 2 {
            return;
        }
        let speed = done as f64 / duration.as_secs_f64().max(1e-6);
        let average = match self.speed {
            Some(earlier) if !slow => earlier + (speed - earlier) * WEIGHT,
            _ => speed,
        };
        self.speed = Some(average);
        let wanted = (average * target.as_secs_f64()).min(self.size as f64 * GROWTH);
        self.size = (wanted as i64).clamp(1, LARGEST);
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
        size.took(64, Duration::from_millis(1), target);
        assert_eq!(size.get(), 128, "it grows step by step");
        size.took(128, Duration::from_secs(5), target);
        assert_eq!(size.get(), 12, "and shrinks at once");
        size.took(12, Duration::from_millis(250), target);
        assert!((13..24).contains(&size.get()), "grows by the average: {}", size.get());
        let before = size.get();
        size.took(1, Duration::from_millis(1), target);
        assert_eq!(size.get(), before, "the rest of a table says nothing");
        for _ in 0..10 {
            size.took(size.get(), Duration::from_secs(60), target);
            size.halve();
        }
        assert_eq!(size.get(), 1, "but not to nothing");
        for _ in 0..100 {
            size.took(size.get(), Duration::ZERO, target);
        }
        assert_eq!(size.get(), LARGEST, "nor without end");
    }
}
