//! What is told, in the text format of Prometheus.

use std::collections::BTreeMap;

use coexist::plan::Phase;
use coexist::{BackfillStatus, Status};
use prometheus::{CounterVec, GaugeVec, Opts, Registry, Result, TextEncoder};

use crate::commands::status::Change;

/// Of the text.
pub(super) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The text; of `None` that the database did not answer.
pub(super) fn render(changes: Option<&[Change]>) -> String {
    let text = || {
        let mut metrics = Metrics::default();
        metrics.gauge("database_up", "Whether the database answers", &[], flag(changes.is_some()))?;
        for change in changes.unwrap_or_default() {
            metrics.change(change)?;
        }
        TextEncoder::new().encode_to_string(&metrics.registry.gather())
    };
    // The names are constants, and tested.
    text().unwrap_or_else(|error| format!("# {error}\n"))
}

/// A label and its value.
type Label<'a> = (&'static str, &'a str);

/// Metrics, each made when it first has a value.
#[derive(Default)]
struct Metrics {
    registry: Registry,
    gauges: BTreeMap<&'static str, GaugeVec>,
    counters: BTreeMap<&'static str, CounterVec>,
}

impl Metrics {
    fn change(&mut self, change: &Change) -> Result<()> {
        let of = [("change", change.name.as_str())];
        let attention = !change.attention.is_empty();
        self.gauge("change_needs_attention", "Whether coexist status points at something", &of, flag(attention))?;
        let Some(status) = &change.status else { return Ok(()) };
        for phase in Phase::ALL {
            let labels = [of[0], ("phase", phase.name())];
            self.gauge(
                "change_phase",
                "How far the database is: 1 for the phase",
                &labels,
                flag(status.phase == phase),
            )?;
        }
        self.gauge("change_running", "Whether a runner is at work", &of, flag(status.runner.is_some()))?;
        self.gauge("change_paused", "Whether the backfill is paused", &of, flag(status.paused))?;
        if let Some(idle) = status.idle {
            let help = "Time since anything was done: a phase, a step or a batch";
            self.gauge("change_idle_seconds", help, &of, idle.as_secs_f64())?;
        }
        if let Some(progress) = &status.progress {
            self.backfill(of, progress)?;
        }
        self.counts(of, status)
    }

    fn backfill(&mut self, of: [Label<'_>; 1], progress: &BackfillStatus) -> Result<()> {
        self.gauge("backfill_pass", "The pass that was begun last", &of, f64::from(progress.pass))?;
        self.gauge("backfill_progress_ratio", "How much of that pass is done", &of, progress.done)?;
        self.counter("backfill_rows_total", "Rows that were filled", &of, progress.rows as f64)?;
        self.counter("backfill_batches_total", "Batches that were committed", &of, progress.batches as f64)?;
        let help = "WAL that the server wrote while the backfill ran, for whomever";
        self.counter("backfill_wal_bytes_total", help, &of, progress.wal_written as f64)?;
        let running = progress.running.as_ref();
        let workers = running.map_or(0, |running| running.workers);
        self.gauge("backfill_workers", "Workers at work, in all processes", &of, workers as f64)?;
        let Some(running) = running else { return Ok(()) };
        if let Some(remaining) = running.rate.and_then(|rate| rate.remaining) {
            let help = "How long the pass still takes at the pace of the last minute";
            self.gauge("backfill_remaining_seconds", help, &of, remaining.as_secs_f64())?;
        }
        if let Some(lag) = running.lag {
            let help = "By how much the standby lags that is furthest behind; +Inf where it is gone";
            self.gauge("backfill_replica_lag_seconds", help, &of, lag)?;
        }
        for reason in &running.held {
            let labels = [of[0], ("reason", reason.as_str())];
            self.gauge("backfill_held", "Why the backfill holds still", &labels, 1.0)?;
        }
        Ok(())
    }

    fn counts(&mut self, of: [Label<'_>; 1], status: &Status) -> Result<()> {
        for held in &status.held {
            let labels = [of[0], ("reason", held.reason.as_str())];
            self.counter("backfill_holds_total", "How often backfills held still", &labels, held.times as f64)?;
            let help = "For how long backfills held still";
            self.counter("backfill_held_seconds_total", help, &labels, held.spent.as_secs_f64())?;
        }
        for retries in &status.retries {
            let labels = [of[0], ("sqlstate", retries.code.as_str())];
            self.counter(
                "retries_total",
                "Tries that failed and were followed by others",
                &labels,
                retries.times as f64,
            )?;
        }
        for quarantined in &status.quarantine {
            let labels = [of[0], ("table", quarantined.table.as_str()), ("column", quarantined.column.as_str())];
            self.gauge("quarantined_rows", "Values that did not convert", &labels, quarantined.rows as f64)?;
        }
        self.counter(
            "conflicts_total",
            "Writes that set both shapes to different values",
            &of,
            status.conflicts as f64,
        )?;
        if let Some(found) = &status.reconciliation {
            self.gauge("mismatched_rows", "Rows that differed at the last comparison", &of, found.mismatches as f64)?;
            self.gauge("comparison_age_seconds", "Time since the last comparison", &of, found.age.as_secs_f64())?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &'static str, help: &str, labels: &[Label<'_>], value: f64) -> Result<()> {
        let (names, values): (Vec<&str>, Vec<&str>) = labels.iter().copied().unzip();
        if !self.gauges.contains_key(name) {
            let gauge = GaugeVec::new(options(name, help), &names)?;
            self.registry.register(Box::new(gauge.clone()))?;
            self.gauges.insert(name, gauge);
        }
        match self.gauges.get(name) {
            Some(gauge) => gauge.get_metric_with_label_values(&values).map(|gauge| gauge.set(value)),
            None => Ok(()),
        }
    }

    fn counter(&mut self, name: &'static str, help: &str, labels: &[Label<'_>], value: f64) -> Result<()> {
        let (names, values): (Vec<&str>, Vec<&str>) = labels.iter().copied().unzip();
        if !self.counters.contains_key(name) {
            let counter = CounterVec::new(options(name, help), &names)?;
            self.registry.register(Box::new(counter.clone()))?;
            self.counters.insert(name, counter);
        }
        match self.counters.get(name) {
            Some(counter) => {
                counter.get_metric_with_label_values(&values).map(|counter| counter.inc_by(value.max(0.0)))
            }
            None => Ok(()),
        }
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("coexist")
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
