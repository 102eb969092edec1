//! What stands in the way of a change: looked for before anything is touched, and all of it reported at once.

mod activity;
mod dependents;
mod drift;
mod kind;
mod live;
mod own;
mod pooler;
mod privileges;
mod replication;
mod room;
mod rows;
mod server;
mod statements;

use std::fmt;
use std::time::Duration;

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Phase, Plan};

use crate::backfill::throttle::Unseen;
use crate::database::{Database, Limits, Session, Transaction};
use crate::error::{Error, Result};
use crate::options::Options;

pub use kind::{Kind, Severity};
pub(crate) use own::record as record_own;

/// Something about the database that matters to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: Kind,
    /// How much it matters to what is about to be done.
    pub severity: Severity,
    /// What it is about: `view reports.totals`, `users.name`.
    pub object: String,
    /// The first phase that it stands in the way of; `None` where it stands in the way of none.
    pub phase: Option<Phase>,
    /// What is the matter, and why that matters.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Whether `name` names it: its id, or its id and its object, `view:public.totals`.
    pub fn is_named(&self, name: &str) -> bool {
        let id = self.kind.id();
        name == id || name.strip_prefix(id).and_then(|rest| rest.strip_prefix(':')) == Some(self.object.as_str())
    }
}

impl Finding {
    /// A limit of a backfill that cannot be kept.
    pub(crate) fn blind_spot(unseen: Unseen) -> Self {
        Self {
            kind: Kind::BlindSpot,
            severity: Severity::Warns,
            object: unseen.throttle.name().to_string(),
            phase: None,
            reason: format!("the backfill does not hold still for it: {}", unseen.why),
            remedy: "grant the role what it needs (pg_monitor holds all of it); with --require the run ends here"
                .into(),
        }
    }
}

/// One line for people, and the remedy on a second one.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}\n  {}", self.kind.id(), self.object, self.reason, self.remedy)
    }
}

/// What is looked at, and what was found so far.
pub(crate) struct Look<'a> {
    plan: &'a Plan,
    options: &'a Options,
    /// How far the database is.
    reached: Phase,
    /// How far it is to go: what stands in the way of a later phase only warns.
    target: Phase,
    /// 13, 14, …
    server: u32,
    findings: Vec<Finding>,
}

impl<'a> Look<'a> {
    pub fn new(plan: &'a Plan, options: &'a Options, server: u32, reached: Phase, target: Phase) -> Self {
        Self { plan, options, reached, target, server, findings: Vec::new() }
    }

    /// Everything, on behalf of a change that is not begun or somewhere on its way.
    /// Rows are looked for within a budget, but for those in the way of `now`.
    pub fn at_everything(&mut self, database: &Database, session: &mut Session, now: Option<Phase>) -> Result<()> {
        if self.reached == Phase::Contracted {
            return Ok(());
        }
        self.group(session, "the server", server::look)?;
        self.at_connection(database);
        self.group(session, "drift", drift::look)?;
        self.group(session, "dependents", dependents::look)?;
        self.group(session, "pg_stat_statements", statements::look)?;
        self.group(session, "privileges", privileges::look)?;
        self.group(session, "replication", replication::look)?;
        self.group(session, "room", room::look)?;
        self.group(session, "locks and transactions", activity::look)?;
        let reached = self.reached;
        Phase::ALL
            .into_iter()
            .filter(|phase| *phase > reached)
            .try_for_each(|phase| self.at_rows(session, phase, (Some(phase) != now).then_some(rows::BUDGET)))
    }

    /// How the server is reached.
    pub fn at_connection(&mut self, database: &Database) {
        pooler::look(self, database);
    }

    /// Whether what the change made so far is still what it was.
    pub fn at_own(&mut self, session: &mut Session) -> Result<()> {
        self.group(session, "what the change made", own::look)
    }

    /// What may have come since the change was begun, right before its contract.
    pub fn at_dependents(&mut self, session: &mut Session) -> Result<()> {
        self.group(session, "drift", drift::look)?;
        self.group(session, "dependents", dependents::look)?;
        self.group(session, "pg_stat_statements", statements::look)
    }

    /// Rows in the way of `phase`. With a budget, each search ends when that is spent, and says so.
    pub fn at_rows(&mut self, session: &mut Session, phase: Phase, budget: Option<Duration>) -> Result<()> {
        let plan = self.plan;
        for probe in plan.probes.iter().filter(|probe| probe.blocks == phase) {
            self.part(&format!("rows ({})", probe.title), |look| rows::look(look, session, probe, budget))?;
        }
        Ok(())
    }

    /// What was found, what matters most first.
    pub fn findings(mut self) -> Vec<Finding> {
        self.findings.sort_by(|a, b| {
            let order = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.kind);
            order(a).cmp(&order(b)).then_with(|| a.object.cmp(&b.object))
        });
        self.findings
    }

    /// One part, in a transaction that changes nothing.
    fn group(
        &mut self,
        session: &mut Session,
        what: &str,
        look: fn(&mut Self, &mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        self.part(what, |this| {
            let limits = Limits { lock: Some(this.options.lock_timeout), statement: Some(Duration::from_secs(30)) };
            look(this, &mut session.begin(limits)?)
        })
    }

    /// One part. What the server refuses to tell is itself a finding, and the other parts go on.
    fn part(&mut self, what: &str, look: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        match look(self) {
            Err(error @ Error::Database { .. }) if !error.is_connection_loss() => {
                self.not_checked(what, &error.to_string());
                Ok(())
            }
            other => other,
        }
    }

    fn not_checked(&mut self, what: &str, error: &str) {
        self.add(
            Kind::NotChecked,
            what,
            format!("this could not be looked at: {}", error.lines().next().unwrap_or_default()),
            "run the same command again; if it stays so, ask with a role that may see more",
        );
    }

    fn add(&mut self, kind: Kind, object: impl Into<String>, reason: impl Into<String>, remedy: impl Into<String>) {
        let next = Phase::ALL.into_iter().find(|phase| *phase > self.reached).unwrap_or(Phase::Contracted);
        self.add_at(kind, next, object, reason, remedy);
    }

    /// Something that stands in the way of `phase`, where its kind is one that does. What is in the way of nothing any more is left out.
    fn add_at(
        &mut self,
        kind: Kind,
        phase: Phase,
        object: impl Into<String>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let blocks = kind.severity() == Severity::Blocks;
        if blocks && phase <= self.reached {
            return;
        }
        self.findings.push(Finding {
            kind,
            severity: if blocks && phase > self.target { Severity::Warns } else { kind.severity() },
            object: object.into(),
            phase: blocks.then_some(phase),
            reason: reason.into(),
            remedy: remedy.into(),
        });
    }

    /// The columns that have yet to go, with their tables.
    fn going(&self) -> impl Iterator<Item = (&'a QualifiedName, &'a str, Phase)> {
        let (plan, reached) = (self.plan, self.reached);
        plan.expected.iter().flat_map(move |expected| {
            expected.columns.iter().filter_map(move |column| {
                let phase = column.goes.filter(|phase| *phase > reached)?;
                Some((&expected.table, column.name.as_str(), phase))
            })
        })
    }

    /// The plan's tables, quoted.
    fn tables(&self) -> Vec<String> {
        self.plan.tables.iter().map(QualifiedName::quoted).collect()
    }
}

/// For `map_err` in this module.
fn looking(at: &str) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("looking at {at}"))
}

/// `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
