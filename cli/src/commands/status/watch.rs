//! `coexist status --watch`: again and again, until Ctrl-C.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use coexist::Runner;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::{Change, NOTHING, STALE, documents, gather, lines};
use crate::commands::{Context, run};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Outcome, Output, WARNING, count, time};

/// How often to see whether somebody wants an end.
const MOMENT: Duration = Duration::from_millis(50);

/// Shows how far each change is, every so often, until somebody ends it. On a terminal in place; elsewhere a line for each change where it
/// says something new; for programs a line of JSON each time.
pub(super) fn watch(context: &Context, runner: &mut Runner, every: Duration) -> Result<Outcome> {
    let asked = run::stop_flag(None)?;
    let mut screen = Screen::new(context.output);
    let mut changes = gather(context.common.folder(), runner, STALE)?;
    loop {
        screen.show(&changes)?;
        wait(every, &asked);
        if asked.load(Ordering::Relaxed) {
            screen.end();
            return Ok(Outcome::new(Exit::Done).with("changes", documents(&changes)));
        }
        // The server may come back.
        match gather(context.common.folder(), runner, STALE) {
            Ok(found) => changes = found,
            Err(failure) => screen.trouble(&failure)?,
        }
    }
}

fn wait(every: Duration, asked: &AtomicBool) {
    let begun = Instant::now();
    while begun.elapsed() < every && !asked.load(Ordering::Relaxed) {
        std::thread::sleep(MOMENT.min(every));
    }
}

/// Where it is shown.
struct Screen {
    output: Output,
    /// Hides itself where standard output is no terminal.
    frame: ProgressBar,
    /// The line of each change that was written last.
    written: BTreeMap<String, String>,
}

impl Screen {
    fn new(output: Output) -> Self {
        let target = if output.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stdout() };
        let frame = ProgressBar::with_draw_target(None, target);
        // The template is a constant; a default stands in for one that is wrong.
        frame.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { output, frame, written: BTreeMap::new() }
    }

    fn show(&mut self, changes: &[Change]) -> Result<()> {
        if self.output.json {
            let event = json!({ "event": "status", "at": now(), "changes": documents(changes) });
            return self.output.document(&event);
        }
        if !self.frame.is_hidden() {
            let text = if changes.is_empty() { NOTHING.to_owned() } else { lines(changes).join("\n") };
            self.frame.set_message(text);
            self.frame.tick();
            return Ok(());
        }
        for change in changes {
            self.line(&change.name, brief(change))?;
        }
        Ok(())
    }

    /// That it cannot be seen at the moment how far they are.
    fn trouble(&mut self, failure: &Failure) -> Result<()> {
        if self.output.json {
            return self.output.document(&json!({ "event": "unreachable", "at": now(), "reason": failure.message }));
        }
        if !self.frame.is_hidden() {
            self.frame.set_message(format!("{WARNING}{}{WARNING:#}", failure.message));
            self.frame.tick();
            return Ok(());
        }
        self.line("", failure.message.clone())
    }

    /// A line that stays, where it says something new.
    fn line(&mut self, change: &str, text: String) -> Result<()> {
        if self.written.get(change) == Some(&text) {
            return Ok(());
        }
        let name = if change.is_empty() { String::new() } else { format!("{change}: ") };
        self.output.result(format_args!("{} {name}{text}", now()))?;
        self.written.insert(change.to_owned(), text);
        Ok(())
    }

    /// What was shown last stays.
    fn end(&self) {
        self.frame.abandon();
    }
}

/// A change in one line: `dual-writing, 42 %, 1,000 rows, 500 rows/s, 3 min left`.
fn brief(change: &Change) -> String {
    let Some(status) = &change.status else { return "its folder cannot be read".to_owned() };
    let mut parts = vec![status.phase.name().to_owned()];
    if status.paused {
        parts.push("paused".to_owned());
    }
    if let Some(progress) = status.progress.as_ref().filter(|progress| progress.running.is_some()) {
        parts.push(format!("pass {}, {:.1} %", progress.pass, progress.done * 100.0));
        parts.push(format!("{} rows", count(progress.rows)));
    }
    if let Some(running) = status.progress.as_ref().and_then(|progress| progress.running.as_ref()) {
        if let Some(rate) = running.rate {
            parts.push(format!("{} rows/s", count(rate.rows_per_second as i64)));
            parts.extend(rate.remaining.map(|remaining| format!("{} left", time(remaining))));
        }
        if !running.held.is_empty() {
            parts.push(format!("holds still ({})", running.held.join(", ")));
        }
    }
    parts.extend(change.attention.iter().map(|attention| attention.message.clone()));
    parts.join(", ")
}

#[expect(clippy::disallowed_methods, reason = "a date for people")]
fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
