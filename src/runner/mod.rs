//! Carries out plans against a live server.

mod adopt;
mod alone;
mod backoff;
mod blocker;
mod building;
mod contract;
mod gate;
mod rollback;
mod run;
mod status;
mod step;
mod watch;

use coexist_core::plan::{Phase, Plan, Stage};

use crate::backfill;
use crate::database::{Database, Limits, Session, Transaction};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::log::{self, Level};
use crate::ledger::{self, Direction, PauseReason, Reconciliation};
use crate::options::Options;
use crate::pace::{Pace, PaceChange};
use crate::preflight::{Finding, Look};
use crate::trace::{self, Span};
use crate::verify;

pub use blocker::Blocker;
pub(crate) use blocker::holders as lock_holders;
pub use building::Building;
pub(crate) use run::{Run, Seat};
pub use status::{BackfillStatus, Rate, Recorded, Running, Status, StepStatus, StoppedRunner};
pub(crate) use watch::Watched;

/// Carries out plans against one database, one change at a time.
///
/// Whatever ends it, in the middle of a statement or between two, the database is left in a state from which the same call goes on and
/// [`rollback`](Self::rollback) goes back.
///
/// ```no_run
/// # fn example(plan: &coexist::plan::Plan) -> Result<(), coexist::Error> {
/// let database = coexist::Database::at("postgres://owner@localhost/shop")?;
/// let mut runner = coexist::Runner::new(database, coexist::Options::default())?;
/// runner.up(plan, &coexist::Pace::default())?;
/// runner.contract(plan, "rename_user_name")?;
/// # Ok(())
/// # }
/// ```
pub struct Runner {
    database: Database,
    options: Options,
    session: Session,
    name: String,
}

impl Runner {
    /// A runner on an open session of its own. On a standby it can look: at the status, at what stands in the way.
    ///
    /// # Errors
    ///
    /// Where an option cannot work, or no connection can be had.
    pub fn new(database: Database, options: Options) -> Result<Self> {
        options.check()?;
        let session = Session::open_anywhere(&database, "coexist")?;
        let name = format!("process {} on {}, session {}", std::process::id(), host(), session.pid);
        Ok(Self { database, options, session, name })
    }

    /// Takes the change as far as it can go while old and new code are both in use: through expand, dual-writing and backfill to validated.
    ///
    /// # Errors
    ///
    /// See [`Error`]; where a step fails, those before it stay done.
    pub fn up(&mut self, plan: &Plan, pace: &Pace) -> Result<()> {
        self.reach(plan, Phase::Validated, pace)
    }

    /// Makes the after shape, empty.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn expand(&mut self, plan: &Plan) -> Result<()> {
        self.reach(plan, Phase::Expanded, &Pace::default())
    }

    /// From here on, every write through one shape reaches the other.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::OutOfOrder`] where the change is not expanded.
    pub fn dual_write(&mut self, plan: &Plan) -> Result<()> {
        self.after(plan, Phase::Expanded)?.reach(plan, Phase::DualWriting, &Pace::default())
    }

    /// Fills the after shape of the rows that were there before.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::OutOfOrder`] where nothing fills the rows that are written meanwhile.
    pub fn backfill(&mut self, plan: &Plan, pace: &Pace) -> Result<()> {
        self.after(plan, Phase::DualWriting)?.reach(plan, Phase::Backfilled, pace)
    }

    /// Takes part, with the workers of `pace`, in a backfill that a runner of another process leads. Ends when that is over.
    ///
    /// # Errors
    ///
    /// [`Error::NobodyLeads`] where none is under way, or its runner is gone; else see [`Error`].
    pub fn join(&mut self, plan: &Plan, pace: &Pace) -> Result<()> {
        pace.check()?;
        self.must_be_known(&plan.change)?;
        self.after(plan, Phase::DualWriting)?;
        self.must_fit(plan)?;
        self.must_be_direct(plan)?;
        self.look_for_blind_spots(plan, pace)?;
        let _span = Span::change(&plan.change).enter();
        let mut run = Run::join(plan, &self.options, &self.database, &mut self.session, &self.name);
        adopt::check(&mut run)?;
        backfill::join(&mut run, pace)
    }

    /// Builds the indexes and constraints of the after shape, and compares every row.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::Mismatch`] where rows differ.
    pub fn validate(&mut self, plan: &Plan) -> Result<()> {
        self.after(plan, Phase::Backfilled)?.reach(plan, Phase::Validated, &Pace::default())
    }

    /// Compares every row of the two shapes, and records the result. Nothing is changed.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::OutOfOrder`] where the after shape is not filled yet. Rows that differ are part of the answer.
    pub fn verify(&mut self, plan: &Plan) -> Result<Reconciliation> {
        let phase = self.phase(&plan.change)?;
        if !(Phase::Backfilled..=Phase::Validated).contains(&phase) {
            return Err(out_of_order(plan, phase, Phase::Backfilled));
        }
        self.hold(plan, |run| {
            adopt::adopt(run)?;
            verify::release_mended(run)?;
            verify::verify(run)
        })
    }

    /// Removes the before shape. There is no way back from here. `confirmed` must be the name of the change.
    ///
    /// # Errors
    ///
    /// [`Error::NoEvidence`] where the source still uses the before shape, rows differ, or values did not convert; else see [`Error`].
    pub fn contract(&mut self, plan: &Plan, confirmed: &str) -> Result<()> {
        self.must_be_known(&plan.change)?;
        let overridden = self.must_be_direct(plan)?;
        self.hold(plan, |run| {
            gate::record(run, &overridden);
            forward(run)?;
            if run.record()?.phase == Phase::Contracted {
                return Ok(());
            }
            contract::contract(run, confirmed)
        })
    }

    /// Takes everything back that was done for a change, from any phase before contracted, also from the middle of a step. `confirmed` is
    /// needed for a change that loses what new code wrote, and must be its name.
    ///
    /// # Errors
    ///
    /// [`Error::PointOfNoReturn`] once the contract removed something; else see [`Error`].
    pub fn rollback(&mut self, plan: &Plan, confirmed: Option<&str>) -> Result<()> {
        self.must_be_known(&plan.change)?;
        let overridden = self.must_be_direct(plan)?;
        self.hold(plan, |run| {
            gate::record(run, &overridden);
            rollback::roll_back(run, confirmed)
        })
    }

    /// Takes away what is left of a contracted change: the views that its accessors use, and what the ledger knows of it but its log. For
    /// when no code uses its accessors any more: there are no proofs of it from then on. Does nothing where nothing is left.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfOrder`] before the contract; else see [`Error`]. What somebody else built on a view keeps it, and the server says what
    /// that is.
    pub fn retire(&mut self, plan: &Plan) -> Result<()> {
        match self.find(&plan.change)? {
            None => return Ok(()),
            Some(record) if record.phase != Phase::Contracted => {
                return Err(out_of_order(plan, record.phase, Phase::Contracted));
            }
            Some(_) => {}
        }
        self.hold(plan, |run| {
            forward(run)?;
            plan.retire.iter().try_for_each(|step| step::perform(run, step))?;
            let (change, runner) = (run.change(), run.runner);
            run.ledger("retiring the change", |tx| {
                ledger::evidence::clear(tx, change)?;
                ledger::change::forget(tx, change)?;
                log::write(tx, change, runner, Level::Info, "the change is retired")
            })
        })
    }

    /// Holds the backfill of a change still, in whatever processes it runs, until [`resume`](Self::resume): within a second or one batch, also
    /// where one waits for a lock.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownChange`] where it was never begun.
    pub fn pause(&mut self, change: &str) -> Result<()> {
        self.set_paused(change, Some(PauseReason::Asked))
    }

    /// Lets a paused backfill go on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownChange`] where it was never begun.
    pub fn resume(&mut self, change: &str) -> Result<()> {
        self.set_paused(change, None)
    }

    /// Ends the backfill of a change, in whatever processes it runs, within a second or one batch. It goes on when it is run again.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownChange`] where it was never begun.
    pub fn stop(&mut self, change: &str) -> Result<()> {
        self.control(change, "stop requested", |tx| ledger::control::stop(tx, change))
    }

    /// Changes the pace of a backfill that runs, here or elsewhere, within a second or one batch. The next run begins with its own pace.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownChange`] where the change was never begun, [`Error::Options`] where a value cannot work.
    pub fn set_pace(&mut self, change: &str, pace: &PaceChange) -> Result<()> {
        Pace::default().changed(pace).check()?;
        self.control(change, "another pace requested", |tx| ledger::control::set_pace(tx, change, pace))
    }

    /// How far a change is; [`Phase::Declared`] where it was never begun.
    ///
    /// # Errors
    ///
    /// Where the ledger cannot be read.
    pub fn phase(&mut self, change: &str) -> Result<Phase> {
        Ok(self.find(change)?.map_or(Phase::Declared, |record| record.phase))
    }

    /// All that the ledger knows of a change.
    ///
    /// # Errors
    ///
    /// Where the ledger cannot be read.
    pub fn status(&mut self, plan: &Plan) -> Result<Status> {
        self.reconnect_if_gone()?;
        status::status(&mut self.session, plan)
    }

    /// What stands in the way of a change, or is worth knowing about it, what matters most first. Nothing is changed.
    ///
    /// [`up`](Self::up) and [`expand`](Self::expand) look at the same before they begin, and refuse what blocks.
    ///
    /// # Errors
    ///
    /// Where the database cannot be asked. What a role may not look at is a finding of its own.
    pub fn check(&mut self, plan: &Plan) -> Result<Vec<Finding>> {
        let reached = self.phase(&plan.change)?;
        let target = if plan.stage == Stage::Contract { Phase::Contracted } else { Phase::Validated };
        self.session.serve(plan);
        let mut look = Look::new(plan, &self.options, self.session.server, reached, target);
        look.at_everything(&self.database, &mut self.session, None)?;
        if reached > Phase::Declared {
            look.at_own(&mut self.session)?;
        }
        Ok(look.findings())
    }

    /// Every change that was ever begun in this database, by name.
    ///
    /// # Errors
    ///
    /// Where the ledger cannot be read.
    pub fn recorded(&mut self) -> Result<Vec<Recorded>> {
        self.reconnect_if_gone()?;
        status::recorded(&mut self.session)
    }

    fn find(&mut self, change: &str) -> Result<Option<ledger::change::ChangeRecord>> {
        self.reconnect_if_gone()?;
        let mut tx = self.session.begin(Limits::LEDGER)?;
        if ledger::exists(&mut tx)? { ledger::change::find(&mut tx, change) } else { Ok(None) }
    }

    fn must_be_known(&mut self, change: &str) -> Result<()> {
        match self.find(change)? {
            Some(_) => Ok(()),
            None => Err(Error::UnknownChange { change: change.to_string() }),
        }
    }

    /// Opens the session again where it is gone, and fails where its server is a standby, or too old for the plan.
    fn must_fit(&mut self, plan: &Plan) -> Result<()> {
        self.reconnect_if_gone()?;
        self.session.must_be_primary()?;
        let (change, needed, found) = (plan.change.clone(), plan.server, self.session.server);
        if found < needed { Err(Error::ServerTooOld { change, needed, found }) } else { Ok(()) }
    }

    /// Fails where a pooler gives a session's transactions to several server processes, unless that is overridden.
    fn must_be_direct(&mut self, plan: &Plan) -> Result<Vec<Finding>> {
        self.session.must_be_primary()?;
        gate::directly(plan, &self.options, &self.database, self.session.server)
    }

    /// Says, before anything begins, which limits of a backfill that is still to be made are about what the role cannot see.
    fn look_for_blind_spots(&mut self, plan: &Plan, pace: &Pace) -> Result<()> {
        if plan.backfill.is_empty() || self.phase(&plan.change)? >= Phase::Backfilled {
            return Ok(());
        }
        let unseen = backfill::throttle::unseen(&mut self.session, &pace.limits)?;
        pace.must_see(&plan.change, &unseen)?;
        for unseen in unseen {
            self.options.tell(Event::Finding(Finding::blind_spot(unseen)));
        }
        Ok(())
    }

    fn set_paused(&mut self, change: &str, reason: Option<PauseReason>) -> Result<()> {
        let what = if reason.is_some() { "paused" } else { "resumed" };
        self.control(change, what, |tx| ledger::change::set_paused(tx, change, reason).map(drop))
    }

    /// Records what is wanted of a change, which another process may be at work on.
    fn control(
        &mut self,
        change: &str,
        what: &str,
        record: impl FnOnce(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        self.must_be_known(change)?;
        self.session.must_be_primary()?;
        let mut tx = self.session.begin(Limits::LEDGER)?;
        record(&mut tx)?;
        log::write(&mut tx, change, &self.name, Level::Info, what)?;
        tx.commit().map_err(Error::database("recording what is wanted of the change"))
    }

    /// Fails unless the change reached `phase`.
    fn after(&mut self, plan: &Plan, phase: Phase) -> Result<&mut Self> {
        let found = self.phase(&plan.change)?;
        if found < phase { Err(out_of_order(plan, found, phase)) } else { Ok(self) }
    }

    /// Takes the change through every phase up to `phase`, from where it is.
    fn reach(&mut self, plan: &Plan, phase: Phase, pace: &Pace) -> Result<()> {
        pace.check()?;
        self.must_fit(plan)?;
        if phase >= Phase::Backfilled {
            self.look_for_blind_spots(plan, pace)?;
        }
        let overridden = gate::enter(plan, &self.options, &self.database, &mut self.session, phase)?;
        self.hold(plan, |run| {
            gate::record(run, &overridden);
            forward(run)?;
            let change = run.change();
            run.ledger("going on", |tx| ledger::change::end_own_pause(tx, change))?;
            let found = run.record()?.phase;
            for next in Phase::ALL.into_iter().filter(|next| *next > found && *next <= phase) {
                let _span = Span::phase(next).enter();
                if run.record()?.paused {
                    return Err(Error::Paused { change: run.change().to_string() });
                }
                if next > Phase::Expanded {
                    gate::pass(run, next)?;
                }
                if next == Phase::Backfilled {
                    backfill::backfill(run, pace)?;
                }
                for step in plan.steps_to(next) {
                    step::perform(run, step)?;
                }
                if next == Phase::Validated {
                    validated(run)?;
                }
                run.set_phase(next)?;
            }
            Ok(())
        })
    }

    /// Does something with the change in hand; what goes wrong is also written to the ledger's log.
    fn hold<T>(&mut self, plan: &Plan, work: impl FnOnce(&mut Run) -> Result<T>) -> Result<T> {
        self.must_fit(plan)?;
        let _span = Span::change(&plan.change).enter();
        let mut run = Run::hold(plan, &self.options, &self.database, &mut self.session, &self.name)?;
        let result = work(&mut run);
        if let Err(error) = &result {
            run.log(Level::Error, &error.to_string());
            trace::failed(error);
            if error.is_disk_full() {
                let _ = run.pause(PauseReason::DiskFull);
            }
        }
        result
    }

    /// A session that was idle may be gone without our knowing.
    fn reconnect_if_gone(&mut self) -> Result<()> {
        if !self.session.answers() {
            self.session = Session::open_anywhere(&self.database, "coexist")?;
        }
        Ok(())
    }
}

/// Makes sure that the plan is the one in the ledger, and that the change goes forward.
fn forward(run: &mut Run) -> Result<()> {
    adopt::adopt(run)?;
    let change = run.change();
    match run.record()?.direction {
        Direction::Forward => Ok(()),
        Direction::RolledBack => {
            run.ledger("beginning the change again", |tx| ledger::change::set_direction(tx, change, Direction::Forward))
        }
        Direction::RollingBack => Err(Error::OutOfOrder {
            change: change.to_string(),
            found: Direction::RollingBack.name().to_string(),
            needed: Direction::RolledBack.name().to_string(),
            help: "finish the rollback; then the change can begin again".to_string(),
        }),
    }
}

fn validated(run: &mut Run) -> Result<()> {
    verify::release_mended(run)?;
    let found = verify::verify(run)?;
    if found.is_clean() {
        return Ok(());
    }
    Err(Error::Mismatch {
        change: run.change().to_string(),
        mismatches: found.mismatches,
        rows: found.rows,
        samples: found.samples,
    })
}

fn out_of_order(plan: &Plan, found: Phase, needed: Phase) -> Error {
    let help = if found == Phase::Contracted {
        "the change is complete, and there is nothing left to do".to_string()
    } else {
        format!("take it to {} first", needed.name())
    };
    Error::OutOfOrder {
        change: plan.change.clone(),
        found: found.name().to_string(),
        needed: needed.name().to_string(),
        help,
    }
}

/// The name of this machine, for those who look for a runner.
fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    named.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this machine".into())
}
