//! What accessors know about a table of a shape: plain data, written by the macro.

use postgres::types::Type;

/// A table of a shape.
#[derive(Debug)]
pub struct Table {
    /// Its schema, unquoted.
    pub schema: &'static str,
    /// Its name, unquoted.
    pub name: &'static str,
    /// The names of its columns, unquoted.
    pub columns: &'static [&'static str],
    /// How the values of each column travel.
    pub carried: &'static [Carried],
    /// The positions of the primary key's columns; empty without one.
    pub key: &'static [usize],
    /// What is locked before a row of this table is written.
    pub locked_first: Option<LockedFirst>,
}

/// Rows of another table that are locked before a row is written.
///
/// Code of the one shape locks a row of that table, and its trigger then rows of this one. Code of the other shape would lock them the
/// other way round, and the two could wait for each other; so it locks those rows first.
#[derive(Debug)]
pub struct LockedFirst {
    /// The other table's schema, unquoted.
    pub schema: &'static str,
    /// Its name, unquoted.
    pub name: &'static str,
    /// Its columns ...
    pub columns: &'static [&'static str],
    /// ... that hold what is in these of the row which is written: positions in [`Table::columns`].
    pub by: &'static [usize],
    /// Its primary key: several rows are locked in this order.
    pub order: &'static [&'static str],
    /// Only where one of these columns is given a value, by position; where there is none, always.
    pub when: &'static [usize],
}

/// How the values of a column travel between the program and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// In the binary form of the built-in type with this OID. A parameter is cast to it: for a column of a domain the server would
    /// otherwise ask for the domain, which no Rust type claims to be.
    Native(u32),
    /// The same for a column that has, until the contract, a narrower type: its values are cast on their way out as well.
    Cast(u32),
    /// In its text form, and cast back to this type (SQL, quoted where it must be).
    Text(&'static str),
    /// As the column's own Rust type does it. The server has to be asked for this type (SQL, quoted where it must be).
    Own(&'static str),
}

impl Carried {
    /// The type of a parameter, where it is known without asking.
    pub fn ty(self) -> Option<Type> {
        match self {
            Self::Native(oid) | Self::Cast(oid) => Type::from_oid(oid),
            Self::Text(_) => Some(Type::TEXT),
            Self::Own(_) => None,
        }
    }
}
