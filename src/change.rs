//! A change as a program carries it.

use coexist_core::plan::{Plan, Stage};
use coexist_core::render::plan_file::{PlanFileError, from_toml};

/// A change that this program was compiled with: `rename_user_name::CHANGE`.
#[derive(Debug)]
pub struct Change {
    name: &'static str,
    stage: Stage,
    plan: &'static str,
}

impl Change {
    /// For generated code.
    #[doc(hidden)]
    pub const fn new(name: &'static str, stage: Stage, plan: &'static str) -> Self {
        Self { name, stage, plan }
    }

    /// As it was declared.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the source code of this program promised when it was compiled.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The plan: each statement that the change runs, in order.
    ///
    /// # Errors
    ///
    /// The text in the program is no plan: it was compiled with a macro of another version.
    pub fn plan(&self) -> Result<Plan, PlanFileError> {
        from_toml(self.plan)
    }

    /// The plan as the file `change.toml` has it.
    pub const fn plan_toml(&self) -> &'static str {
        self.plan
    }
}

/// The type that stands for a change: proofs for one change are no proofs for another.
pub trait Declared: 'static {
    /// The change.
    const CHANGE: &'static Change;
}
