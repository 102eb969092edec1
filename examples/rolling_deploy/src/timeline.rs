//! When what was.

use std::time::{Duration, Instant};

/// The chapters of a run.
pub struct Timeline {
    start: Instant,
    /// Each with its beginning.
    chapters: Vec<(&'static str, Duration)>,
    end: Duration,
}

/// One chapter.
pub struct Chapter {
    pub name: &'static str,
    pub from: Duration,
    pub to: Duration,
}

impl Timeline {
    pub fn start() -> Self {
        Self { start: Instant::now(), chapters: Vec::new(), end: Duration::MAX }
    }

    /// Since the start.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// A chapter begins, and the one before it ends.
    pub fn chapter(&mut self, name: &'static str) {
        self.chapters.push((name, self.now()));
    }

    /// The last chapter ends.
    pub fn end(&mut self) {
        self.end = self.now();
    }

    /// The chapters in order.
    pub fn chapters(&self) -> Vec<Chapter> {
        let ends = self.chapters.iter().skip(1).map(|(_, from)| *from).chain([self.end]);
        self.chapters.iter().zip(ends).map(|((name, from), to)| Chapter { name, from: *from, to }).collect()
    }

    /// A moment as the time since the start.
    pub fn at(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }
}
