//! The same as JSON.

use std::time::Duration;

use coexist::plan::Stage;
use coexist::{BackfillStatus, Rate};
use serde_json::{Value, json};

use super::attention::Attention;
use super::gather::Change;

/// A change, for programs.
pub(super) fn document(change: &Change) -> Value {
    let seconds = |duration: Duration| duration.as_secs_f64();
    let status = change.status.as_ref();
    let attention: Vec<Value> = change.attention.iter().map(Attention::document).collect();
    json!({
        "change": change.name,
        "phase": status.map(|status| status.phase.name()),
        "stage": change.stage.map(Stage::name),
        "direction": status.map(|status| status.direction.name()),
        "since_seconds": status.and_then(|status| status.since).map(seconds),
        "paused": status.map(|status| status.paused),
        "idle_seconds": status.and_then(|status| status.idle).map(seconds),
        "runner": status.and_then(|status| status.runner.as_deref()),
        "backfill": status.and_then(|status| status.progress.as_ref()).map(backfill),
        "verified": status.and_then(|status| status.reconciliation.as_ref()).map(|found| json!({
            "age_seconds": seconds(found.age),
            "rows": found.rows,
            "mismatches": found.mismatches,
            "samples": found.samples,
        })),
        "quarantine": status.map(|status| status.quarantine.iter().map(|held| {
            json!({ "table": held.table, "column": held.column, "rows": held.rows })
        }).collect::<Vec<_>>()),
        "conflicts": status.map(|status| status.conflicts),
        "retries": status.map(|status| status.retries.iter().map(|retries| {
            json!({ "sqlstate": retries.code, "times": retries.times })
        }).collect::<Vec<_>>()),
        "held": status.map(|status| status.held.iter().map(|held| {
            json!({ "reason": held.reason, "times": held.times, "spent_seconds": seconds(held.spent) })
        }).collect::<Vec<_>>()),
        "building": status.and_then(|status| status.building.as_ref()).map(|building| json!({
            "index": building.index,
            "phase": building.phase,
            "done": building.done,
            "waits_for": building.waits_for,
        })),
        "attention": attention,
    })
}

fn backfill(progress: &BackfillStatus) -> Value {
    json!({
        "pass": progress.pass,
        "rows": progress.rows,
        "done": progress.done,
        "batches": progress.batches,
        "wal_bytes": progress.wal_written,
        "running": progress.running.as_ref().map(|running| json!({
            "workers": running.workers,
            "rate": running.rate.as_ref().map(rate),
            // A number without end is no JSON.
            "lag_seconds": running.lag.filter(|lag| lag.is_finite()),
            "held": running.held,
            "reasons": running.reasons,
        })),
    })
}

fn rate(rate: &Rate) -> Value {
    json!({
        "rows_per_second": rate.rows_per_second,
        "wal_bytes_per_second": rate.wal_per_second,
        "remaining_seconds": rate.remaining.map(|remaining| remaining.as_secs_f64()),
        "measured_over_seconds": rate.over.as_secs_f64(),
    })
}
