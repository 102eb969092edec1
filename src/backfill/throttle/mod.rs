//! What holds a backfill still while others need the server more.

mod active_sessions;
mod archive;
mod checkpoints;
mod lock_waiters;
mod long_transactions;
mod replica_lag;
mod retained_wal;
mod vacuum;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use coexist_core::ident::QualifiedName;

use crate::database::{Limits, Session, Transaction};
use crate::error::{Error, Result, Seconds};

/// How often the server is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A reason to hold still, and what it is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Throttle {
    /// How many seconds the standby that is furthest behind lags. One that was there and is gone lags without end.
    ReplicaLag,
    /// How many segments of WAL wait to be archived.
    ArchiveBacklog,
    /// How many bytes of WAL are kept for a replication slot.
    RetainedWal,
    /// 1 while an autovacuum is at work on the table, 2 where that is due to keep transaction numbers from wrapping around.
    Vacuum,
    /// How many sessions wait for locks that our workers hold.
    LockWaiters,
    /// How many seconds the oldest transaction in the database is open, the prepared ones among them.
    LongTransactions,
    /// How many sessions are active, ours aside.
    ActiveSessions,
    /// How many checkpoints were forced in the last five minutes, because WAL filled up.
    ForcedCheckpoints,
}

impl Throttle {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ReplicaLag,
        Self::ArchiveBacklog,
        Self::RetainedWal,
        Self::Vacuum,
        Self::LockWaiters,
        Self::LongTransactions,
        Self::ActiveSessions,
        Self::ForcedCheckpoints,
    ];

    /// As messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReplicaLag => "replica lag",
            Self::ArchiveBacklog => "archive backlog",
            Self::RetainedWal => "retained WAL",
            Self::Vacuum => "autovacuum",
            Self::LockWaiters => "lock waiters",
            Self::LongTransactions => "long transactions",
            Self::ActiveSessions => "active sessions",
            Self::ForcedCheckpoints => "forced checkpoints",
        }
    }

    /// The limit where a [`Pace`](crate::Pace) says nothing; `None` where no number suits most servers.
    pub fn usual(self) -> Option<Limit> {
        match self {
            Self::ReplicaLag => Some(Limit::above(5.0)),
            // As many as gitlab.com allows.
            Self::ArchiveBacklog => Some(Limit::above(42.0)),
            Self::RetainedWal => Some(Limit::above(8.0 * 1024.0 * 1024.0 * 1024.0)),
            Self::Vacuum => Some(Limit::above(0.0)),
            Self::LockWaiters => Some(Limit::above(10.0)),
            Self::ForcedCheckpoints => Some(Limit::above(10.0)),
            Self::LongTransactions | Self::ActiveSessions => None,
        }
    }

    fn gauge(self) -> Box<dyn Gauge> {
        match self {
            Self::ReplicaLag => Box::<replica_lag::ReplicaLag>::default(),
            Self::ArchiveBacklog => Box::<archive::Archive>::default(),
            Self::RetainedWal => Box::new(retained_wal::RetainedWal),
            Self::Vacuum => Box::new(vacuum::Vacuum),
            Self::LockWaiters => Box::new(lock_waiters::LockWaiters),
            Self::LongTransactions => Box::new(long_transactions::LongTransactions),
            Self::ActiveSessions => Box::new(active_sessions::ActiveSessions),
            Self::ForcedCheckpoints => Box::<checkpoints::Checkpoints>::default(),
        }
    }

    /// A value of it, for people.
    fn say(self, value: f64) -> String {
        match self {
            _ if value.is_infinite() => "without end".to_string(),
            Self::ReplicaLag | Self::LongTransactions => Seconds(value).to_string(),
            Self::RetainedWal => format!("{:.1} GB", value / 1e9),
            _ => format!("{value:.0}"),
        }
    }
}

/// When to hold still, when to go on, and when to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Above this, no batch begins.
    pub pause: f64,
    /// At this or below, batches begin again.
    pub resume: f64,
    /// Above this, the run ends.
    pub stop: Option<f64>,
}

impl Limit {
    /// Holds still above `pause`, and goes on at half of it.
    pub fn above(pause: f64) -> Self {
        Self { pause, resume: pause / 2.0, stop: None }
    }

    /// Goes on at `resume`.
    pub fn resume(mut self, resume: f64) -> Self {
        self.resume = resume;
        self
    }

    /// Ends the run above `stop`.
    pub fn stop(mut self, stop: f64) -> Self {
        self.stop = Some(stop);
        self
    }
}

/// What a gauge shows.
#[derive(Clone, Debug, PartialEq)]
enum Reading {
    /// How much, and of what in particular: ` of standby a`.
    Level { value: f64, of: String },
    /// There is nothing of the kind on this server.
    Absent,
    /// The role has no rights to see it, or not all of it.
    Blind(&'static str),
}

impl Reading {
    fn level(value: f64, of: impl Into<String>) -> Self {
        Self::Level { value, of: of.into() }
    }
}

/// Measures one thing.
trait Gauge {
    fn read(&mut self, tx: &mut Transaction<'_>, about: &About) -> Result<Reading>;
}

/// What the measures are about.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    /// The tables that rows are written to.
    pub tables: Vec<QualifiedName>,
    pub server: u32,
}

/// One reason to hold still now, as people read it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reason {
    throttle: Throttle,
    text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All that a pace wants looked at.
pub(super) struct Throttles {
    watched: Vec<Watched>,
    read: Option<Instant>,
    reasons: Vec<Reason>,
}

struct Watched {
    throttle: Throttle,
    limit: Limit,
    gauge: Box<dyn Gauge>,
    /// As it was read last.
    level: Option<f64>,
    holds: bool,
    blind: bool,
}

/// What the role's rights do not let it see.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unseen {
    pub throttle: Throttle,
    pub why: &'static str,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.throttle.name(), self.why)
    }
}

/// What a look at the server came to.
pub(super) enum Look {
    /// Nothing new is known yet.
    Soon,
    /// These are the reasons to hold still; and what was found, for the first time, not to be visible.
    Found { reasons: Vec<String>, blind: Vec<Unseen> },
    /// The run must end.
    Stop(String),
}

impl Throttles {
    pub fn new<'a>(limits: impl IntoIterator<Item = (&'a Throttle, &'a Limit)>) -> Self {
        let watched = |(throttle, limit): (&Throttle, &Limit)| Watched {
            throttle: *throttle,
            limit: *limit,
            gauge: throttle.gauge(),
            level: None,
            holds: false,
            blind: false,
        };
        Self { watched: limits.into_iter().map(watched).collect(), read: None, reasons: Vec::new() }
    }

    /// Looks at the server, where the last look is some time ago. What cannot be measured holds still as well.
    pub fn look(&mut self, session: &mut Session, about: &About) -> Result<Look> {
        if self.read.is_some_and(|read| read.elapsed() < EVERY) {
            return Ok(Look::Soon);
        }
        self.read = Some(Instant::now());
        self.reasons.clear();
        let mut unseen = Vec::new();
        for watched in self.watched.iter_mut().filter(|watched| !watched.blind) {
            // A transaction of its own for each: a query that fails must not keep the others from being asked.
            let reading = session.begin(Limits::LEDGER).and_then(|mut tx| watched.gauge.read(&mut tx, about));
            let name = watched.throttle.name();
            match reading {
                Err(error) if error.is_connection_loss() => return Err(error),
                Err(error) => {
                    let text = format!("{name} cannot be measured: {error}");
                    self.reasons.push(Reason { throttle: watched.throttle, text });
                }
                Ok(Reading::Blind(why)) => {
                    watched.blind = true;
                    unseen.push(Unseen { throttle: watched.throttle, why });
                }
                Ok(Reading::Absent) => (watched.holds, watched.level) = (false, None),
                Ok(Reading::Level { value, of }) => {
                    watched.level = Some(value);
                    let text = format!("{name} is {}{of}", watched.throttle.say(value));
                    if let Some(stop) = watched.limit.stop.filter(|stop| value > *stop) {
                        return Ok(Look::Stop(format!("{text}, more than {}", watched.throttle.say(stop))));
                    }
                    let most = if watched.holds { watched.limit.resume } else { watched.limit.pause };
                    watched.holds = value > most;
                    if watched.holds {
                        self.reasons.push(Reason { throttle: watched.throttle, text });
                    }
                }
            }
        }
        let reasons = self.reasons.iter().map(ToString::to_string).collect();
        Ok(Look::Found { reasons, blind: unseen })
    }

    /// What a throttle was at the last look; `None` where it is not looked at, or there is nothing to look at.
    pub fn level(&self, throttle: Throttle) -> Option<f64> {
        self.watched.iter().find(|watched| watched.throttle == throttle)?.level
    }

    /// The throttles that hold, by name: they stay the same while their values change.
    pub fn holding(&self) -> Vec<&'static str> {
        self.reasons.iter().map(|reason| reason.throttle.name()).collect()
    }
}

/// Which of the limits are about what the role's rights do not let it see.
pub(crate) fn unseen(session: &mut Session, limits: &BTreeMap<Throttle, Limit>) -> Result<Vec<Unseen>> {
    let about = About { tables: Vec::new(), server: session.server };
    let mut unseen = Vec::new();
    for throttle in limits.keys().copied() {
        let mut gauge = throttle.gauge();
        match session.begin(Limits::LEDGER).and_then(|mut tx| gauge.read(&mut tx, &about)) {
            Ok(Reading::Blind(why)) => unseen.push(Unseen { throttle, why }),
            Err(error) if error.is_connection_loss() => return Err(error),
            // What cannot be measured holds the backfill still.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(unseen)
}

fn reading(throttle: Throttle) -> impl FnOnce(postgres::Error) -> Error {
    Error::database(format!("measuring {}", throttle.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_go_on_below_where_they_hold() {
        for throttle in Throttle::ALL {
            if let Some(limit) = throttle.usual() {
                assert!(limit.resume <= limit.pause, "{}", throttle.name());
            }
        }
        assert_eq!(Limit::above(5.0).resume(4.0).stop(60.0), Limit { pause: 5.0, resume: 4.0, stop: Some(60.0) });
    }
}
