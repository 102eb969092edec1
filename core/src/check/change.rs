//! A change by itself.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::plan::Stage;
use crate::syntax::{Change, Declaration};

use super::phases::{self, Tuning};

/// A change that is complete by itself: something that it does, one stage.
pub struct Draft<'a> {
    /// As written.
    pub tree: &'a Change,
    /// Its stage.
    pub stage: Stage,
    /// What its phase blocks say.
    pub tuning: Tuning,
}

impl Draft<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.tree.name.text
    }
}

/// The changes that are complete by themselves. In one with a mistake of the grammar, what seems to be missing may be what could not be read.
pub fn drafts<'a>(declaration: &'a Declaration, errors: &mut Errors) -> Vec<Draft<'a>> {
    let mut drafts = Vec::new();
    for (i, tree) in declaration.changes.iter().enumerate() {
        let is_first = name_is_unique(tree, declaration.changes.get(..i).unwrap_or_default(), errors);
        if tree.broken {
            continue;
        }
        let does_something = does_something(tree, errors);
        let stage = one_stage(tree, errors);
        let tuning = phases::read(tree, errors);
        if let (true, Some(stage), Some(tuning), true) = (does_something, stage, tuning, is_first) {
            drafts.push(Draft { tree, stage, tuning });
        }
    }
    drafts
}

/// The name of a change is the name of a module, of a folder, and of what the database remembers of it.
fn name_is_unique(tree: &Change, earlier: &[Change], errors: &mut Errors) -> bool {
    // Folders of some file systems do not tell small letters from capitals.
    let same = |other: &&Change| other.name.text.to_lowercase() == tree.name.text.to_lowercase();
    let Some(first) = earlier.iter().find(same) else { return true };
    let (name, line) = (&tree.name.text, first.name.span.start().line);
    let (message, note) = if first.name.text == *name {
        (format!("change `{name}` is declared twice"), format!("the first one is on line {line}"))
    } else {
        let message = format!("change `{name}` differs from `{}` in capitals only", first.name.text);
        (message, format!("that one is on line {line}; their folders in migrations/ would be one on some systems"))
    };
    errors.push(Diagnostic::new(tree.name.span, message).note(note).help("give this one a name of its own"));
    false
}

/// A change is what goes through the phases together, and is taken back together.
fn does_something(tree: &Change, errors: &mut Errors) -> bool {
    if tree.operations.is_empty() {
        errors.push(
            Diagnostic::new(tree.name.span, format!("change `{}` does nothing", tree.name.text))
                .note("a change says what it changes: `rename`, `retype`, `split` and so on")
                .help(format!(
                    "write, for example, `change {} {{ rename users.name to full_name; stage expand; }}`",
                    tree.name.text
                )),
        );
    }
    !tree.operations.is_empty()
}

/// The stage is what the source code promises, so it has to say it.
fn one_stage(tree: &Change, errors: &mut Errors) -> Option<Stage> {
    let names = Stage::ALL.map(Stage::name);
    match tree.stages.as_slice() {
        [only] => {
            let stage = Stage::from_name(&only.text);
            if stage.is_none() {
                let unknown = Diagnostic::new(only.span, format!("unknown stage `{}`", only.text))
                    .note("the stages are `expand` (the code uses the old shape), `migrate` (the code moves to the new one) and `contract` (the old one is gone from the code)");
                errors.push(unknown.help(match nearest(&only.text, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "a new change begins with `stage expand;`".to_owned(),
                }));
            }
            stage
        }
        [] => {
            errors.push(
                Diagnostic::new(tree.name.span, format!("change `{}` has no stage", tree.name.text))
                    .note(
                        "the stage says which shape the source code uses, and how far a deployment may take the change",
                    )
                    .help("add `stage expand;`"),
            );
            None
        }
        [first, others @ ..] => {
            for other in others {
                errors.push(
                    Diagnostic::new(other.span, format!("change `{}` has more than one stage", tree.name.text))
                        .note(format!("line {} says `stage {};`", first.span.start().line, first.text))
                        .help("leave one of them"),
                );
            }
            None
        }
    }
}
