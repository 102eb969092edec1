//! Proofs of how far the database is with a change, made only by asking its ledger.
//!
//! A program reads the after shape of a change only with [`Backfilled`], and writes it only with [`DualWriting`]; without, it does not
//! compile. Both are of size zero and are copied like a number. The generated module of a change names them for that change:
//!
//! ```ignore
//! let backfilled = rename_user_name::Backfilled::prove(&mut db)?;
//! let user = rename_user_name::after::users::find(backfilled.on(&mut db), 42)?;
//! ```
//!
//! A proof says what was true when it was made; only a rollback makes it untrue.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use coexist_core::plan::Phase;
use postgres::Row;
use postgres::types::Type;

use crate::change::Declared;
use crate::executor::{Executor, Param};
use crate::ledger::Direction;

/// Proves that every write through one shape reaches the other: new code may write the after shape.
pub struct DualWriting<C>(PhantomData<fn() -> C>);

/// Proves that every row is in both shapes: new code may read the after shape, and write it.
pub struct Backfilled<C>(PhantomData<fn() -> C>);

macro_rules! proof {
    ($proof:ident, $phase:expr) => {
        impl<C: Declared> $proof<C> {
            /// Asks the ledger of the database. Once for each start of a program is enough.
            ///
            /// # Errors
            ///
            /// The database is not that far, or the ledger cannot be read.
            pub fn prove<E: Executor + ?Sized>(db: &mut E) -> Result<Self, ProofError> {
                require(db, C::CHANGE.name(), $phase).map(|()| Self(PhantomData))
            }
        }

        impl<C> $proof<C> {
            /// The connection, together with this proof: what the accessors of the after shape take.
            pub fn on<E: Executor + ?Sized>(self, db: &mut E) -> On<'_, Self, E> {
                On { db, proof: PhantomData }
            }
        }

        // Not derived: a derive would ask the same of `C`, which is only a name.
        impl<C> Clone for $proof<C> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<C> Copy for $proof<C> {}

        impl<C> fmt::Debug for $proof<C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($proof))
            }
        }
    };
}

proof!(DualWriting, Phase::DualWriting);
proof!(Backfilled, Phase::Backfilled);

impl<C> From<Backfilled<C>> for DualWriting<C> {
    fn from(_: Backfilled<C>) -> Self {
        Self(PhantomData)
    }
}

/// A connection together with a proof. Made by `on` of the proof.
pub struct On<'a, P, E: ?Sized> {
    db: &'a mut E,
    proof: PhantomData<P>,
}

impl<P, E: Executor + ?Sized> Executor for On<'_, P, E> {
    type Error = E::Error;

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Self::Error> {
        self.db.query(sql, params)
    }

    fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, Self::Error> {
        self.db.query_one(sql, params)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Self::Error> {
        self.db.execute(sql, params)
    }
}

impl<P: fmt::Debug, E: ?Sized> fmt::Debug for On<'_, P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On").finish_non_exhaustive()
    }
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The database is not that far.
    #[error(
        "change `{change}` is in phase `{}` in this database, and this code needs phase `{}`\nhelp: `coexist up` takes it on; `coexist status` shows how far it is",
        found.name(), needed.name()
    )]
    NotYet {
        /// The change.
        change: &'static str,
        /// How far the database is.
        found: Phase,
        /// How far it must be.
        needed: Phase,
    },
    /// The change is being taken back: its phase is no longer to be relied on.
    #[error(
        "change `{change}` is being rolled back in this database, and this code needs phase `{}`\nhelp: deploy code that uses the before shape; or finish the rollback with `coexist rollback`, then `coexist up` begins again",
        needed.name()
    )]
    RollingBack {
        /// The change.
        change: &'static str,
        /// How far the database must be.
        needed: Phase,
    },
    /// The ledger was written by another version.
    #[error(
        "the ledger has change `{change}` in phase `{phase}`, which this program does not know\nhelp: use a newer release of coexist"
    )]
    UnknownPhase {
        /// The change.
        change: &'static str,
        /// As the ledger says.
        phase: String,
    },
    /// The ledger cannot be read.
    #[error("the ledger (table `coexist.changes`) cannot be asked for the phase of change `{change}`")]
    Ledger {
        /// The change.
        change: &'static str,
        /// What the connection or the server says.
        source: Box<dyn Error + Send + Sync>,
    },
}

fn require<E: Executor + ?Sized>(db: &mut E, change: &'static str, needed: Phase) -> Result<(), ProofError> {
    let record = find(db, change).map_err(|error| ProofError::Ledger { change, source: Box::new(error) })?;
    let found = match record {
        None => Phase::Declared,
        Some((_, direction)) if direction == Direction::RollingBack.name() => {
            return Err(ProofError::RollingBack { change, needed });
        }
        Some((phase, _)) => Phase::from_name(&phase).ok_or(ProofError::UnknownPhase { change, phase })?,
    };
    if found < needed { Err(ProofError::NotYet { change, found, needed }) } else { Ok(()) }
}

/// The phase and the direction that the ledger has for a change: none where the change, or the ledger, is not there.
fn find<E: Executor + ?Sized>(db: &mut E, change: &str) -> Result<Option<(String, String)>, E::Error> {
    // Looked for first: a query of a table that does not exist would also end the transaction that it is part of.
    let ledger = db.query_one("select pg_catalog.to_regclass('coexist.changes') is not null", &[])?;
    if !ledger.try_get(0)? {
        return Ok(None);
    }
    let name = Param { value: &change, ty: Some(Type::TEXT) };
    let rows = db.query("select phase, direction from coexist.changes where name = $1", &[name])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some((row.try_get(0)?, row.try_get(1)?)))
}
