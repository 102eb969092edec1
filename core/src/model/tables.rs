//! Tables that come, go and change their names, labels of enum types, and anything else.

use crate::ident::QualifiedName;
use crate::plan::{Lock, Mode, Phase};
use crate::schema::Table;

/// A table comes.
#[derive(Clone, Debug)]
pub struct AddTable {
    /// As it will be.
    pub table: Table,
    /// The statements that make it, as written.
    pub statements: Vec<String>,
}

/// A table goes.
#[derive(Clone, Debug)]
pub struct DropTable {
    /// Its name.
    pub table: QualifiedName,
}

/// A table gets another name, and all that hangs on it keeps its own.
#[derive(Clone, Debug)]
pub struct RenameTable {
    /// The old name.
    pub from: QualifiedName,
    /// The new one, in the same schema.
    pub to: QualifiedName,
    /// Whether the oldest server has views that read with the rights of who asks (15 and later).
    pub security_invoker: bool,
}

/// A label is added to an enum type.
#[derive(Clone, Debug)]
pub struct AddLabel {
    /// The type.
    pub ty: QualifiedName,
    /// The label.
    pub label: String,
    /// The label beside which it stands, and whether before it; at the end without.
    pub beside: Option<(bool, String)>,
}

/// Anything else, in the user's own words.
#[derive(Clone, Debug)]
pub struct Custom {
    /// In the order of the phases.
    pub parts: Vec<CustomPart>,
    /// Declared to have no way back.
    pub irreversible: bool,
}

/// What runs in one phase.
#[derive(Clone, Debug)]
pub struct CustomPart {
    /// Which.
    pub phase: Phase,
    /// One statement each, without a semicolon.
    pub statements: Vec<String>,
    /// What takes them back.
    pub undo: Vec<String>,
    /// What they lock, as declared.
    pub locks: Vec<Lock>,
    /// `Transaction`, or `Outside` with each statement by itself.
    pub mode: Mode,
}
