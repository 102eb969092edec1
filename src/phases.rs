//! The phases of a change as types: a phase that is left out does not compile, and the message names it.
//!
//! ```no_run
//! use coexist::{Database, Options, Pace, Runner, phases};
//!
//! # fn example(plan: &coexist::plan::Plan) -> Result<(), coexist::Error> {
//! let mut runner = Runner::new(Database::at("postgres://owner@localhost/shop")?, Options::default())?;
//! let mut change =
//!     phases::begin(&mut runner, plan)?.expand()?.dual_write()?.backfill(Pace::default())?.validate()?;
//! let evidence = change.verify()?;
//! change.contract(evidence)?;
//! # Ok(())
//! # }
//! ```
//!
//! Weeks lie between the phases of most changes. [`resume`] gives the phase in which the database is.

use std::fmt;
use std::marker::PhantomData;

use coexist_core::plan::{Phase, Plan};

use crate::error::{Error, Result};
use crate::ledger::Reconciliation;
use crate::pace::Pace;
use crate::runner::Runner;

/// A change in phase `P`.
pub struct Change<'a, P> {
    runner: &'a mut Runner,
    plan: &'a Plan,
    phase: PhantomData<fn() -> P>,
}

/// Nothing is done yet.
#[derive(Debug)]
pub enum Declared {}
/// The after shape exists; nothing fills it.
#[derive(Debug)]
pub enum Expanded {}
/// Every write through one shape reaches the other.
#[derive(Debug)]
pub enum DualWriting {}
/// Every row is in both shapes.
#[derive(Debug)]
pub enum Backfilled {}
/// Indexes and constraints of the after shape hold, and every row was compared.
#[derive(Debug)]
pub enum Validated {}
/// The before shape is gone.
#[derive(Debug)]
pub enum Contracted {}

/// Phases from which the after shape can be made.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot be expanded again",
    label = "already expanded",
    note = "`phases::begin` gives a change that is `Declared`"
)]
pub trait BeforeExpand {}
impl BeforeExpand for Declared {}

/// Phases from which both shapes can be kept in step.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot begin to dual-write",
    label = "this needs a change that is `Expanded`",
    note = "without the after shape there is nothing to write to: call `.expand()?` first"
)]
pub trait BeforeDualWrite {}
impl BeforeDualWrite for Expanded {}

/// Phases from which rows can be filled.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot be backfilled",
    label = "this needs a change that is `DualWriting`",
    note = "rows that are written meanwhile would be missed: call `.dual_write()?` first"
)]
pub trait BeforeBackfill {}
impl BeforeBackfill for DualWriting {}

/// Phases from which a change can be validated.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot be validated",
    label = "this needs a change that is `Backfilled`",
    note = "rows that are not filled would be found missing: call `.backfill(pace)?` first"
)]
pub trait BeforeValidate {}
impl BeforeValidate for Backfilled {}

/// Phases in which both shapes can be compared.
#[diagnostic::on_unimplemented(
    message = "the shapes of a change that is `{Self}` cannot be compared",
    label = "this needs a change that is `Backfilled` or `Validated`",
    note = "both shapes must be there and filled: call `.backfill(pace)?` first"
)]
pub trait Comparable {}
impl Comparable for Backfilled {}
impl Comparable for Validated {}

/// Phases from which the before shape can be removed.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot be contracted",
    label = "this needs a change that is `Validated`",
    note = "rows would be lost whose after shape was never compared: call `.validate()?` first"
)]
pub trait BeforeContract {}
impl BeforeContract for Validated {}

/// Phases from which there is a way back.
#[diagnostic::on_unimplemented(
    message = "a change that is `{Self}` cannot be rolled back",
    label = "the before shape is gone",
    note = "declare the reverse as a change of its own"
)]
pub trait Reversible {}
impl Reversible for Declared {}
impl Reversible for Expanded {}
impl Reversible for DualWriting {}
impl Reversible for Backfilled {}
impl Reversible for Validated {}

/// That every row was compared after the last step: what `contract` asks for. Made by [`Change::verify`] alone.
#[derive(Debug)]
#[must_use = "evidence is only useful as the ticket for `contract`"]
pub struct Evidence {
    change: String,
    reconciliation: Reconciliation,
}

impl Evidence {
    /// What the comparison found.
    pub fn reconciliation(&self) -> &Reconciliation {
        &self.reconciliation
    }
}

/// A change in the phase in which the database is.
#[derive(Debug)]
pub enum Found<'a> {
    /// Nothing is done yet.
    Declared(Change<'a, Declared>),
    /// The after shape exists.
    Expanded(Change<'a, Expanded>),
    /// Both shapes are kept in step.
    DualWriting(Change<'a, DualWriting>),
    /// Every row is in both shapes.
    Backfilled(Change<'a, Backfilled>),
    /// Every row was compared.
    Validated(Change<'a, Validated>),
    /// The before shape is gone.
    Contracted(Change<'a, Contracted>),
}

/// Begins a change.
///
/// # Errors
///
/// [`Error::OutOfOrder`] where it was begun before: [`resume`] goes on with it. Else where the ledger cannot be read.
pub fn begin<'a>(runner: &'a mut Runner, plan: &'a Plan) -> Result<Change<'a, Declared>> {
    match resume(runner, plan)? {
        Found::Declared(change) => Ok(change),
        found => Err(Error::OutOfOrder {
            change: plan.change.clone(),
            found: found.phase().name().to_string(),
            needed: Phase::Declared.name().to_string(),
            help: "go on with it: `phases::resume` gives the phase in which it is".to_string(),
        }),
    }
}

/// Goes on with a change, from the phase in which the database is.
///
/// # Errors
///
/// Where the ledger cannot be read.
pub fn resume<'a>(runner: &'a mut Runner, plan: &'a Plan) -> Result<Found<'a>> {
    let phase = runner.phase(&plan.change)?;
    Ok(match phase {
        Phase::Declared => Found::Declared(Change::new(runner, plan)),
        Phase::Expanded => Found::Expanded(Change::new(runner, plan)),
        Phase::DualWriting => Found::DualWriting(Change::new(runner, plan)),
        Phase::Backfilled => Found::Backfilled(Change::new(runner, plan)),
        Phase::Validated => Found::Validated(Change::new(runner, plan)),
        Phase::Contracted => Found::Contracted(Change::new(runner, plan)),
    })
}

impl Found<'_> {
    /// Which phase it is.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Declared(_) => Phase::Declared,
            Self::Expanded(_) => Phase::Expanded,
            Self::DualWriting(_) => Phase::DualWriting,
            Self::Backfilled(_) => Phase::Backfilled,
            Self::Validated(_) => Phase::Validated,
            Self::Contracted(_) => Phase::Contracted,
        }
    }
}

impl<'a, P> Change<'a, P> {
    fn new(runner: &'a mut Runner, plan: &'a Plan) -> Self {
        Self { runner, plan, phase: PhantomData }
    }

    fn next<Q>(self) -> Change<'a, Q> {
        Change::new(self.runner, self.plan)
    }

    /// What is carried out.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Makes the after shape, empty. Old code cannot notice.
    ///
    /// # Errors
    ///
    /// See [`Runner::expand`].
    pub fn expand(self) -> Result<Change<'a, Expanded>>
    where
        P: BeforeExpand,
    {
        self.runner.expand(self.plan)?;
        Ok(self.next())
    }

    /// From here on, every write through one shape reaches the other.
    ///
    /// # Errors
    ///
    /// See [`Runner::dual_write`].
    pub fn dual_write(self) -> Result<Change<'a, DualWriting>>
    where
        P: BeforeDualWrite,
    {
        self.runner.dual_write(self.plan)?;
        Ok(self.next())
    }

    /// Fills the after shape of the rows that were there before.
    ///
    /// # Errors
    ///
    /// See [`Runner::backfill`].
    pub fn backfill(self, pace: Pace) -> Result<Change<'a, Backfilled>>
    where
        P: BeforeBackfill,
    {
        self.runner.backfill(self.plan, &pace)?;
        Ok(self.next())
    }

    /// Builds the indexes and constraints of the after shape, and compares every row.
    ///
    /// # Errors
    ///
    /// See [`Runner::validate`].
    pub fn validate(self) -> Result<Change<'a, Validated>>
    where
        P: BeforeValidate,
    {
        self.runner.validate(self.plan)?;
        Ok(self.next())
    }

    /// Compares every row of the two shapes.
    ///
    /// # Errors
    ///
    /// See [`Runner::verify`].
    pub fn verify(&mut self) -> Result<Evidence>
    where
        P: Comparable,
    {
        let reconciliation = self.runner.verify(self.plan)?;
        Ok(Evidence { change: self.plan.change.clone(), reconciliation })
    }

    /// Removes the before shape. There is no way back from here.
    ///
    /// # Errors
    ///
    /// [`Error::NotConfirmed`] with the evidence of another change; else see [`Runner::contract`], which judges the ledger, not the
    /// evidence alone.
    pub fn contract(self, evidence: Evidence) -> Result<Change<'a, Contracted>>
    where
        P: BeforeContract,
    {
        self.runner.contract(self.plan, &evidence.change)?;
        Ok(self.next())
    }

    /// Takes back everything that was done. `confirmed` is needed for a change that loses what new code wrote, and must be its name.
    ///
    /// # Errors
    ///
    /// See [`Runner::rollback`].
    pub fn rollback(self, confirmed: Option<&str>) -> Result<()>
    where
        P: Reversible,
    {
        self.runner.rollback(self.plan, confirmed)
    }
}

impl<P> fmt::Debug for Change<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("change", &self.plan.change).finish_non_exhaustive()
    }
}
