//! Pauses between tries: twice as long each time, up to a limit, and never quite the same.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The pauses of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
    limit: Duration,
}

impl Backoff {
    /// Begins with `first`, grows to `limit`.
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { next: first, limit }
    }

    /// The next pause: between half and all of what it is in turn, so that two that collided do not collide again.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + jitter() / 2.0);
        self.next = (self.next * 2).min(self.limit);
        pause
    }
}

/// Between 0 and 1. The standard library's random seed for hash maps is random enough for this.
fn jitter() -> f64 {
    let random = RandomState::new().hash_one(0u8);
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_limit() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        for most in [100, 200, 400, 400, 400] {
            let most = Duration::from_millis(most);
            let pause = backoff.pause();
            assert!(pause >= most / 2 && pause <= most, "{pause:?}, at most {most:?}");
        }
    }
}
