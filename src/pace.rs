//! How fast a backfill goes, and when it holds still.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::backfill::throttle::{Limit, Throttle, Unseen};
use crate::error::{Error, Result};

/// How fast a backfill goes, and when it holds still. The defaults are right for a busy production database.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    pub(crate) batch: Duration,
    pub(crate) rest: f64,
    pub(crate) workers: usize,
    pub(crate) rows_per_second: Option<f64>,
    pub(crate) wal_per_second: Option<f64>,
    pub(crate) growth: Option<f64>,
    pub(crate) limits: BTreeMap<Throttle, Limit>,
    pub(crate) patience: Option<Duration>,
    required: Required,
}

/// What of its limits must be visible.
#[derive(Clone, Debug, PartialEq)]
enum Required {
    All,
    Any(BTreeSet<Throttle>),
}

impl Default for Pace {
    /// One worker, batches of about a fortieth of a second, no rest between them, and the [limits](Throttle::usual) that suit most servers.
    fn default() -> Self {
        Self {
            batch: Duration::from_millis(25),
            rest: 0.0,
            workers: 1,
            rows_per_second: None,
            wal_per_second: None,
            growth: None,
            limits: Throttle::ALL.into_iter().filter_map(|throttle| Some((throttle, throttle.usual()?))).collect(),
            patience: None,
            required: Required::Any(BTreeSet::new()),
        }
    }
}

impl Pace {
    /// How long one batch should take: the next ones are made larger or smaller to meet it. Rows are locked that long. Default: 25 ms.
    pub fn batch(mut self, target: Duration) -> Self {
        self.batch = target;
        self
    }

    /// How long to rest after a batch, in proportion to the time that it took: 1.0 works half of the time. Default: 0.
    pub fn rest(mut self, proportion: f64) -> Self {
        self.rest = proportion;
        self
    }

    /// How many sessions fill rows at the same time, in this process. Default: 1, because a backfill shares the server with those who cannot
    /// wait: one session keeps at most one processor and one disk queue busy. Other processes [join](crate::Runner::join) with workers of
    /// their own.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How many rows may be filled in a second, by all workers of this process. Default: as many as can be.
    pub fn rows_per_second(mut self, rows: f64) -> Self {
        self.rows_per_second = Some(rows);
        self
    }

    /// How many bytes of WAL may be written in a second while batches of this process run, those of others among them. Default: no limit.
    pub fn wal_per_second(mut self, bytes: f64) -> Self {
        self.wal_per_second = Some(bytes);
        self
    }

    /// To how many times its size, what the new values take aside, a table may grow while rows of it are copied in place, 1.2 for instance: the backfill waits for `VACUUM`, which it
    /// runs itself, so that free space is used again. Default: no bound, and a table in which all rows are copied doubles, as with one
    /// plain `UPDATE`.
    pub fn growth(mut self, times: f64) -> Self {
        self.growth = Some(times);
        self
    }

    /// When to hold still because of `throttle`, instead of its [usual](Throttle::usual) limit.
    pub fn limit(mut self, throttle: Throttle, limit: Limit) -> Self {
        self.limits.insert(throttle, limit);
        self
    }

    /// Does not look at `throttle`.
    pub fn without(mut self, throttle: Throttle) -> Self {
        self.limits.remove(&throttle);
        self
    }

    /// For how long a throttle may hold the backfill still before the run ends. Default: for ever.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Ends the run before it begins where the role's rights do not let it see what the limit of `throttle` is about. Default: says so, and
    /// goes on without that limit. May be called several times.
    pub fn require(mut self, throttle: Throttle) -> Self {
        if let Required::Any(required) = &mut self.required {
            required.insert(throttle);
        }
        self
    }

    /// The same for all limits.
    pub fn require_all(mut self) -> Self {
        self.required = Required::All;
        self
    }

    /// Fails where something cannot be seen that must be.
    pub(crate) fn must_see(&self, change: &str, unseen: &[Unseen]) -> Result<()> {
        let unseen = unseen.iter().filter(|unseen| match &self.required {
            Required::All => true,
            Required::Any(required) => required.contains(&unseen.throttle),
        });
        let unseen: Vec<String> = unseen.map(ToString::to_string).collect();
        if unseen.is_empty() { Ok(()) } else { Err(Error::Blind { change: change.to_string(), unseen }) }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::Options(message));
        if self.workers == 0 {
            return refuse("a backfill needs at least one worker".into());
        }
        if self.batch.is_zero() {
            return refuse("a batch cannot take no time: give a target of at least 1 ms".into());
        }
        if !(self.rest.is_finite() && self.rest >= 0.0) {
            return refuse(format!("the rest after a batch must be 0 or more times its duration, not {}", self.rest));
        }
        for (what, rate) in [("rows", self.rows_per_second), ("bytes of WAL", self.wal_per_second)] {
            if let Some(rate) = rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
                return refuse(format!(
                    "the most {what} in a second must be more than 0, not {rate}; a pause stops it"
                ));
            }
        }
        if let Some(growth) = self.growth.filter(|growth| !(growth.is_finite() && *growth >= 1.05)) {
            return refuse(format!("a table must be allowed to grow to 1.05 times its size at least, not {growth}"));
        }
        if let Required::Any(required) = &self.required
            && let Some(throttle) = required.iter().find(|throttle| !self.limits.contains_key(throttle))
        {
            return refuse(format!("{} is required to be seen, and has no limit: give it one", throttle.name()));
        }
        for (throttle, limit) in &self.limits {
            if !(limit.pause >= limit.resume && limit.stop.is_none_or(|stop| stop >= limit.pause)) {
                return refuse(format!(
                    "{}: it must go on at or below the value at which it holds still, and end at or above it",
                    throttle.name()
                ));
            }
        }
        Ok(())
    }

    /// The same with what somebody wants to be otherwise.
    pub(crate) fn changed(&self, change: &PaceChange) -> Self {
        let mut pace = self.clone();
        pace.batch = change.batch.unwrap_or(pace.batch);
        pace.rest = change.rest.unwrap_or(pace.rest);
        pace.workers = change.workers.unwrap_or(pace.workers);
        pace.rows_per_second = change.rows_per_second.or(pace.rows_per_second);
        pace.wal_per_second = change.wal_per_second.or(pace.wal_per_second);
        pace
    }
}

/// What is to be otherwise in the pace of a backfill that runs; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaceChange {
    /// See [`Pace::batch`].
    pub batch: Option<Duration>,
    /// See [`Pace::rest`].
    pub rest: Option<f64>,
    /// See [`Pace::workers`]; of the process that leads.
    pub workers: Option<usize>,
    /// See [`Pace::rows_per_second`].
    pub rows_per_second: Option<f64>,
    /// See [`Pace::wal_per_second`].
    pub wal_per_second: Option<f64>,
}
