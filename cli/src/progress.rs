//! What a run shows while it is under way: a bar on a terminal, a line now and then elsewhere, JSON lines for programs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use coexist::{Event, Phase, Progress, Severity};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::commands::check;
use crate::output::{BAD, GOOD, Output, QUIET, WARNING, count, differing, time};

/// How often a line about long work is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Into how many parts a bar is divided.
const PARTS: u64 = 1000;

const BAR: &str = "  {prefix} {bar:24} {percent:>3} % {msg}";

const SPINNER: &str = "  {spinner} {msg} {elapsed}";

/// Shows the events of a run.
pub(crate) struct Reporter {
    output: Output,
    state: Mutex<State>,
}

struct State {
    change: String,
    /// Whether its name was shown: a change for which nothing happens is not worth a line.
    named: bool,
    /// The title of the step that is under way.
    title: String,
    /// Rows that were filled.
    filled: u64,
    /// Rows that were compared.
    compared: i64,
    /// Hides itself where standard error is no terminal.
    bar: ProgressBar,
    last_line: Instant,
}

impl State {
    fn new(change: &str, bar: ProgressBar) -> Self {
        Self {
            change: change.to_owned(),
            named: false,
            title: String::new(),
            filled: 0,
            compared: 0,
            bar,
            last_line: Instant::now(),
        }
    }
}

impl Reporter {
    pub fn new(output: Output) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { output, state: Mutex::new(State::new("", bar)) }
    }

    /// Events are about this change from now on.
    pub fn begin(&self, change: &str) {
        let silent = self.output.quiet || self.output.json || self.output.logs;
        let target = if silent { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        *self.state() = State::new(change, ProgressBar::with_draw_target(None, target));
    }

    /// Nothing is under way any more.
    pub fn end(&self) {
        self.state().bar.finish_and_clear();
    }

    /// Takes notice of an event.
    pub fn event(&self, event: &Event) {
        let mut state = self.state();
        if self.output.json {
            // The last line of the output is the one that matters, and it says where it cannot be written.
            let _ = self.output.document(&line(&state.change, event));
            return;
        }
        match event {
            Event::StepStarted { step, title, .. } => {
                state.title.clone_from(title);
                busy(&state, format!("{step}: {title}"));
            }
            Event::StepDone { step, undo, took, lock_wait } => {
                let what = if *undo { "taken back in " } else { "" };
                let waited = if lock_wait.is_zero() {
                    String::new()
                } else {
                    format!(", waited {} for locks", time(*lock_wait))
                };
                let line = format!("{step}: {} {QUIET}({what}{}{waited}){QUIET:#}", state.title, time(*took));
                state.bar.finish_and_clear();
                self.say(&mut state, &line);
            }
            Event::Progress(progress) => self.progress(&mut state, progress),
            Event::Compared { title, rows, mismatches } => {
                state.compared = *rows;
                let text = format!("{title}: {}", differing(*mismatches, *rows));
                self.now_and_then(&mut state, &text);
                busy(&state, text);
            }
            Event::PhaseReached { phase } => {
                state.bar.finish_and_clear();
                let how = match phase {
                    Phase::Backfilled => format!(", {} rows filled", count(state.filled.cast_signed())),
                    Phase::Validated => format!(", {} rows compared", count(state.compared)),
                    _ => String::new(),
                };
                self.say(&mut state, &format!("{GOOD}{}{GOOD:#}{how}", phase.name()));
            }
            // Each statement as it is sent is for programs, and for the ledger.
            Event::Statement { .. } => {}
            Event::Building { building, .. } => {
                let text = format!("{}: {building}", state.title);
                self.now_and_then(&mut state, &text);
                busy(&state, text);
            }
            Event::Waiting { .. }
            | Event::Retry { .. }
            | Event::Reconnecting { .. }
            | Event::Paused { .. }
            | Event::Throttled { .. } => {
                self.say(&mut state, &format!("{WARNING}{event}{WARNING:#}"));
            }
            Event::Finding(finding) => {
                let style = if finding.severity == Severity::Blocks { BAD } else { WARNING };
                self.say(&mut state, &format!("{style}{}{style:#} {finding}", finding.severity.name()));
            }
            other => self.say(&mut state, &other.to_string()),
        }
    }

    fn progress(&self, state: &mut State, progress: &Progress) {
        state.filled += progress.batch_rows;
        let what = if progress.pass == 1 { "filling" } else { "checking" };
        let remaining = progress.remaining.map(|left| format!(", {} left", time(left))).unwrap_or_default();
        let numbers = format!(
            "{} rows, {} rows/s{remaining}",
            count(progress.rows.cast_signed()),
            count(progress.rows_per_second as i64)
        );
        self.now_and_then(state, &format!("{what} {}: {:.0} %, {numbers}", progress.table, progress.done * 100.0));
        begin_again(&state.bar);
        state.bar.set_length(PARTS);
        state.bar.set_style(style(BAR));
        state.bar.set_prefix(format!("{what} {}", progress.table));
        state.bar.set_message(numbers);
        state.bar.set_position((progress.done.clamp(0.0, 1.0) * PARTS as f64) as u64);
    }

    /// A line, where no bar shows the same and the last line is some time ago.
    fn now_and_then(&self, state: &mut State, line: &str) {
        if state.bar.is_hidden() && state.last_line.elapsed() >= LINE_EVERY {
            self.say(state, line);
        }
    }

    /// A line that stays.
    fn say(&self, state: &mut State, line: &str) {
        state.last_line = Instant::now();
        let named = std::mem::replace(&mut state.named, true);
        state.bar.suspend(|| {
            if !named {
                self.output.note(&state.change);
            }
            self.output.note(format_args!("  {line}"));
        });
    }

    /// A panic elsewhere leaves nothing half done in here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows on a terminal what is under way, as long as it takes.
fn busy(state: &State, text: String) {
    begin_again(&state.bar);
    state.bar.set_style(style(SPINNER));
    state.bar.set_message(text);
    state.bar.enable_steady_tick(Duration::from_millis(200));
}

/// Shows a bar again that was taken away when its work was done.
fn begin_again(bar: &ProgressBar) {
    if bar.is_finished() {
        bar.reset();
    }
}

/// The templates are constants, and tested; a default stands in for one that is wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// An event as a JSON line.
fn line(change: &str, event: &Event) -> Value {
    let (name, mut fields) = match event {
        Event::StepStarted { step, title, undo } => {
            ("step started", json!({ "step": step, "title": title, "undo": undo }))
        }
        Event::Statement { step, sql } => ("statement", json!({ "step": step, "sql": sql })),
        Event::Waiting { step, blockers } => {
            let blockers: Vec<String> = blockers.iter().map(ToString::to_string).collect();
            ("waiting", json!({ "step": step, "blockers": blockers }))
        }
        Event::Building { step, building } => (
            "building",
            json!({
                "step": step,
                "index": building.index,
                "phase": building.phase,
                "done": building.done,
                "waits_for": building.waits_for,
            }),
        ),
        Event::Retry { step, code, reason, after } => {
            ("retry", json!({ "step": step, "sqlstate": code, "reason": reason, "after_ms": milliseconds(*after) }))
        }
        Event::StepDone { step, undo, took, lock_wait } => (
            "step done",
            json!({ "step": step, "undo": undo, "took_ms": milliseconds(*took), "lock_wait_ms": milliseconds(*lock_wait) }),
        ),
        Event::PhaseReached { phase } => ("phase reached", json!({ "phase": phase.name() })),
        Event::Progress(progress) => (
            "progress",
            json!({
                "table": progress.table,
                "pass": progress.pass,
                "rows": progress.rows,
                "done": progress.done,
                "rows_per_second": progress.rows_per_second,
                "remaining_ms": progress.remaining.map(milliseconds),
                "batch_rows": progress.batch_rows,
                "batch_ms": milliseconds(progress.batch_took),
            }),
        ),
        Event::Compared { title, rows, mismatches } => {
            ("compared", json!({ "title": title, "rows": rows, "mismatches": mismatches }))
        }
        Event::Finding(finding) => return check::document(change, finding),
        Event::Paused { reason } => ("paused", json!({ "reason": reason })),
        Event::Throttled { reasons } => ("throttled", json!({ "reasons": reasons })),
        Event::Resumed => ("resumed", json!({})),
        Event::Reconnecting { reason } => ("reconnecting", json!({ "reason": reason })),
        other => ("note", json!({ "text": other.to_string() })),
    };
    let mut line = json!({ "event": name, "change": change });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object_mut()) {
        line.append(fields);
    }
    line
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
