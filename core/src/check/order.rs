//! What builds on what, and the sequence of stages.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::model::Committed;
use crate::plan::Stage;
use crate::syntax::{self, Declaration};

use super::change::Draft;

/// The changes whose place in the sequence is clear, each behind those that it builds on.
///
/// What builds on a change that is not among them is left out as well: its before shape is not known.
pub fn ordered<'a>(drafts: Vec<Draft<'a>>, declaration: &Declaration, errors: &mut Errors) -> Vec<Draft<'a>> {
    let stages: BTreeMap<String, Stage> = drafts.iter().map(|draft| (draft.name().to_owned(), draft.stage)).collect();
    let mut waiting = Vec::new();
    for draft in drafts {
        let found = errors.len();
        for (i, other) in draft.tree.after.iter().enumerate() {
            let earlier = draft.tree.after.get(..i).unwrap_or_default();
            if is_named_once(other, earlier, errors) && exists(other, &draft, declaration, errors) {
                is_contracted(other, &draft, &stages, errors);
            }
        }
        if errors.len() == found {
            waiting.push(draft);
        }
    }
    let mut ordered: Vec<Draft<'a>> = Vec::new();
    loop {
        let done: BTreeSet<&str> = ordered.iter().map(Draft::name).collect();
        let is_ready = |draft: &Draft<'_>| draft.tree.after.iter().all(|other| done.contains(other.text.as_str()));
        let Some(next) = waiting.iter().position(is_ready) else { break };
        ordered.push(waiting.remove(next));
    }
    no_cycles(&waiting, errors);
    ordered
}

/// A name that stands twice was probably meant to be another one.
fn is_named_once(other: &syntax::Name, earlier: &[syntax::Name], errors: &mut Errors) -> bool {
    let is_repeated = earlier.iter().any(|name| name.text == other.text);
    if is_repeated {
        errors.push(
            Diagnostic::new(other.span, format!("`after {};` stands twice", other.text)).help("leave one of them out"),
        );
    }
    !is_repeated
}

/// A change can only build on one that is declared: otherwise nobody knows the shape that it begins with.
fn exists(other: &syntax::Name, draft: &Draft<'_>, declaration: &Declaration, errors: &mut Errors) -> bool {
    if other.text == draft.name() {
        errors.push(
            Diagnostic::new(other.span, format!("change `{}` builds on itself", other.text))
                .help(format!("leave out `after {};`", other.text)),
        );
        return false;
    }
    let names = || declaration.changes.iter().map(|change| change.name.text.as_str());
    let is_known = names().any(|name| name == other.text);
    if !is_known {
        let unknown = Diagnostic::new(other.span, format!("there is no change `{}`", other.text))
            .note("`after` names a change of this declaration, whose after shape this one begins with");
        let near = nearest(&other.text, names().filter(|name| *name != draft.name()));
        errors.push(unknown.help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("if it was contracted and left the declaration, leave out `after {};` as well", other.text),
        }));
    }
    is_known
}

/// A change begins with a shape that stays. That of a change which is not contracted may still be taken back.
fn is_contracted(other: &syntax::Name, draft: &Draft<'_>, stages: &BTreeMap<String, Stage>, errors: &mut Errors) {
    let Some(stage) = stages.get(&other.text).filter(|stage| **stage != Stage::Contract) else { return };
    let message = match draft.stage {
        Stage::Contract => {
            format!("`{}` cannot be contracted before `{}`, which it builds on", draft.name(), other.text)
        }
        _ => format!("`{}` builds on `{}`, which is at stage `{}`", draft.name(), other.text, stage.name()),
    };
    errors.push(
        Diagnostic::new(other.span, message)
            .note(format!("a change that builds on another begins with its after shape, and until `{}` is contracted that shape can be taken back", other.text))
            .help(format!("take `{}` to `stage contract;` first, and declare `{}` then", other.text, draft.name())),
    );
}

/// Of changes that build on each other, none can be the first.
fn no_cycles(waiting: &[Draft<'_>], errors: &mut Errors) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for draft in waiting {
        // Goes from each change to the first of those that it waits for, until a name comes again.
        let mut path = vec![draft];
        while let Some(next) = path.last().and_then(|last| waits_for(last, waiting)) {
            if seen.contains(next.name()) {
                break;
            }
            if let Some(start) = path.iter().position(|known| known.name() == next.name()) {
                report_cycle(path.get(start..).unwrap_or_default(), errors);
                break;
            }
            path.push(next);
        }
        seen.extend(path.iter().map(|draft| draft.name()));
    }
}

fn waits_for<'d, 'a>(draft: &Draft<'a>, waiting: &'d [Draft<'a>]) -> Option<&'d Draft<'a>> {
    draft.tree.after.iter().find_map(|other| waiting.iter().find(|candidate| candidate.name() == other.text))
}

fn report_cycle(cycle: &[&Draft<'_>], errors: &mut Errors) {
    let (Some(first), Some(last)) = (cycle.first(), cycle.last()) else { return };
    let names: Vec<String> = cycle.iter().chain([first]).map(|draft| format!("`{}`", draft.name())).collect();
    let back = last.tree.after.iter().find(|other| other.text == first.name());
    let Some(back) = back else { return };
    errors.push(
        Diagnostic::new(back.span, format!("changes build on each other: {}", names.join(" after ")))
            .note("none of them can be the first")
            .help(format!("leave out `after {};` here, or another one of these", back.text)),
    );
}

/// Each stage is a deployment: instances that still run the code of the stage before must find what they use. The committed files say
/// which stage that was.
pub fn follows_committed(draft: &Draft<'_>, committed: &Committed, errors: &mut Errors) {
    let Committed::Stages(stages) = committed else { return };
    let Some(written) = draft.tree.stages.first() else { return };
    let name = draft.name();
    let diagnostic = match (stages.get(name), draft.stage) {
        (None, Stage::Expand) => return,
        (None, stage) => Diagnostic::new(written.span, format!("`{name}` is new, and cannot start at stage `{}`", stage.name()))
            .note(format!("migrations/{name}/change.toml does not exist, so no deployment has made the new shape yet"))
            .help("write `stage expand;`: the new shape is made, and the code still uses the old one"),
        (Some(Stage::Contract), stage @ (Stage::Expand | Stage::Migrate)) => {
            Diagnostic::new(written.span, format!("`{name}` turns back from stage `contract` to `{}`", stage.name()))
                .note(format!("migrations/{name}/change.toml says `contract`: the old shape may be gone from the database, and there is no way back to it"))
                .help("write `stage contract;`; to have the old shape again, declare a new change that makes it")
        }
        (Some(Stage::Expand), Stage::Contract) => {
            Diagnostic::new(written.span, format!("`{name}` jumps over stage `migrate`"))
                .note(format!("migrations/{name}/change.toml says `expand`: code that uses the old shape is still running, and a contract would take that away from it"))
                .help("write `stage migrate;`, move the code to the new shape, deploy it, and contract then")
        }
        _ => return,
    };
    errors.push(diagnostic);
}
