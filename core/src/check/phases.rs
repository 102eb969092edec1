//! Phase blocks: `backfill { batch 5000 }`.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::syntax::parse::PHASES;
use crate::syntax::{Change, PhaseBlock, Setting};

use super::listed;

/// What the phase blocks of a change say.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// Rows in the first batch of the backfill.
    pub batch: Option<u32>,
    /// The day by which the contract is promised.
    pub contract_by: Option<String>,
}

/// Batches beyond this hold locks for longer than anybody wants to wait.
const LARGEST_BATCH: u32 = 1_000_000;

/// Reads the phase blocks of a change; `None` if one of them has a mistake.
pub fn read(tree: &Change, errors: &mut Errors) -> Option<Tuning> {
    let found = errors.len();
    let mut tuning = Tuning::default();
    for (i, block) in tree.phases.iter().enumerate() {
        if is_known(block, errors) {
            is_in_order(block, tree.phases.get(..i).unwrap_or_default(), errors);
            for (j, setting) in block.settings.iter().enumerate() {
                is_set_once(setting, block.settings.get(..j).unwrap_or_default(), errors);
                read_setting(block, setting, &mut tuning, errors);
            }
        }
    }
    (errors.len() == found).then_some(tuning)
}

fn position(phase: &str) -> Option<usize> {
    PHASES.iter().position(|known| *known == phase)
}

/// A block for a phase that nobody knows would be passed over in silence.
fn is_known(block: &PhaseBlock, errors: &mut Errors) -> bool {
    let phase = &block.phase;
    if position(&phase.text).is_some() {
        return true;
    }
    let unknown = Diagnostic::new(phase.span, format!("unknown phase `{}`", phase.text))
        .note(format!("the phases are, in order: {}", listed(PHASES)));
    errors.push(match nearest(&phase.text, PHASES) {
        Some(near) => unknown.help(format!("did you mean `{near}`?")),
        None => unknown,
    });
    false
}

/// Blocks stand in the order in which the phases run, so that a change reads as what happens.
fn is_in_order(block: &PhaseBlock, earlier: &[PhaseBlock], errors: &mut Errors) {
    let name = &block.phase.text;
    let Some(here) = position(name) else { return };
    if let Some(first) = earlier.iter().find(|other| other.phase.text == *name) {
        let line = first.phase.span.start().line;
        errors.push(
            Diagnostic::new(block.phase.span, format!("`{name}` has two blocks"))
                .note(format!("the first one is on line {line}"))
                .help("put all settings into that one"),
        );
    } else if let Some(later) =
        earlier.iter().find(|other| position(&other.phase.text).is_some_and(|there| there > here))
    {
        let later = &later.phase.text;
        errors.push(
            Diagnostic::new(block.phase.span, format!("`{name}` stands after `{later}`, and runs before it"))
                .note(format!("the order is {}: {}", PHASES.join(", "), why_before(name)))
                .help(format!("move the block `{name} {{ … }}` above `{later} {{ … }}`")),
        );
    }
}

/// Why a phase comes before those that follow it.
fn why_before(phase: &str) -> &'static str {
    match phase {
        "expand" => "nothing can fill columns that do not exist yet",
        "dual_write" => "a row that is written while the backfill passes would be missed without the triggers",
        "backfill" => "what was not copied yet cannot be validated, and a contract would lose it",
        "validate" => "a contract drops the old shape, and what was not compared with it is lost",
        _ => "a contract is the end",
    }
}

/// Of two values, one would be passed over in silence.
fn is_set_once(setting: &Setting, earlier: &[Setting], errors: &mut Errors) {
    if earlier.iter().any(|other| other.name.text == setting.name.text) {
        errors.push(
            Diagnostic::new(setting.name.span, format!("`{}` is set twice", setting.name.text))
                .help("leave one of them"),
        );
    }
}

/// A value that cannot be meant would show only when the phase runs.
fn read_setting(block: &PhaseBlock, setting: &Setting, tuning: &mut Tuning, errors: &mut Errors) {
    let value = setting.value.value.as_str();
    match (block.phase.text.as_str(), setting.name.text.as_str()) {
        ("backfill", "batch") => match value.parse() {
            Ok(rows @ 1..=LARGEST_BATCH) => tuning.batch = Some(rows),
            _ => errors.push(
                Diagnostic::new(setting.value.span, format!("`{value}` is not a number of rows for a batch"))
                    .note(format!("it is the size of the first batch, from 1 to {LARGEST_BATCH}; the pace is kept by time from there on"))
                    .help("write, for example, `batch 5000`"),
            ),
        },
        ("contract", "by") => {
            if is_date(value) {
                tuning.contract_by = Some(value.to_owned());
            } else {
                errors.push(
                    Diagnostic::new(setting.value.span, format!("`{value}` is not a day"))
                        .note("it is the day by which the old shape is to be gone: year, month and day")
                        .help("write, for example, `by \"2027-02-01\"`"),
                );
            }
        }
        (phase, name) => {
            let unknown = Diagnostic::new(setting.name.span, format!("`{phase}` has no setting `{name}`"));
            let known: &[&str] = match phase {
                "backfill" => &["batch"],
                "contract" => &["by"],
                _ => &[],
            };
            let (note, help) = match known {
                [] => (format!("nothing can be set for `{phase}`"), "leave out this block".to_owned()),
                known => (format!("what can be set is {}", listed(known)), match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "leave it out".to_owned(),
                }),
            };
            errors.push(unknown.note(note).help(help));
        }
    }
}

/// `2027-02-01`, and a day that there is.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize| -> Option<u32> {
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_there_are() {
        for day in ["2027-02-01", "2028-02-29", "2000-12-31"] {
            assert!(is_date(day), "{day}");
        }
        for day in [
            "2027-2-1",
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-01-00",
            "2027-01-01-",
            "+027-01-01",
            "soon",
            "",
        ] {
            assert!(!is_date(day), "{day}");
        }
    }
}
