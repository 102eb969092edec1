//! How the backfill of a change goes, or an index that is built for it, in a few lines.

use coexist::{BackfillStatus, Rate, Running, Seconds, Status};

use crate::output::{count, size, time};

/// How many parts a bar has.
const BAR: usize = 24;

/// Nothing where neither a backfill runs nor an index is built.
pub(super) fn lines(status: &Status) -> Vec<String> {
    if let Some(building) = &status.building {
        return vec![format!("index {}: {building}", building.index.as_deref().unwrap_or("(not visible)"))];
    }
    let Some((progress, running)) =
        status.progress.as_ref().and_then(|progress| Some((progress, progress.running.as_ref()?)))
    else {
        return Vec::new();
    };
    let mut lines = vec![how_far(progress, running), with_what(progress, running)];
    if !running.held.is_empty() {
        let reasons = if running.reasons.is_empty() { &running.held } else { &running.reasons };
        lines.push(format!("holds still: {}", reasons.join("; ")));
    }
    let held: Vec<String> = (status.held.iter())
        .map(|held| format!("{} {}, {}", held.reason, times(held.times), time(held.spent)))
        .collect();
    if !held.is_empty() {
        lines.push(format!("held still so far: {}", held.join("; ")));
    }
    let retries: Vec<String> =
        status.retries.iter().map(|retries| format!("{} {}", retries.code, times(retries.times))).collect();
    if !retries.is_empty() {
        lines.push(format!("tried again: {}", retries.join(", ")));
    }
    lines
}

/// `██████ 42 % of pass 1, 5,000 rows/s, 3 min left at the pace of the last 60 s`.
fn how_far(progress: &BackfillStatus, running: &Running) -> String {
    let done = progress.done.clamp(0.0, 1.0);
    let full = (done * BAR as f64) as usize;
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR - full));
    let pace = running.rate.as_ref().map(pace).unwrap_or_default();
    format!("{bar} {:.1} % of pass {}{pace}", done * 100.0, progress.pass)
}

fn pace(rate: &Rate) -> String {
    let left = match rate.remaining {
        Some(remaining) => format!("{} left", time(remaining)),
        None => "nothing moves".to_owned(),
    };
    format!(", {} rows/s, {left} at the pace of the last {}", count(rate.rows_per_second as i64), time(rate.over))
}

/// `2 workers, 420,000 rows in 120 batches, 1.2 GB of WAL (10 MB/s), standby 0 s behind`.
fn with_what(progress: &BackfillStatus, running: &Running) -> String {
    let plural = |number: i64, what: &str| format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" });
    let wal_rate = running.rate.map(|rate| format!(" ({}/s)", size(rate.wal_per_second as i64))).unwrap_or_default();
    let lag = match running.lag {
        Some(lag) if lag.is_finite() => format!(", standby {} behind", Seconds(lag)),
        Some(_) => ", a standby is gone".to_owned(),
        None => String::new(),
    };
    format!(
        "{}, {} in {}, {} of WAL{wal_rate}{lag}",
        plural(running.workers, "worker"),
        plural(progress.rows, "row"),
        plural(progress.batches, "batche").replace("1 batche", "1 batch"),
        size(progress.wal_written),
    )
}

fn times(times: i64) -> String {
    if times == 1 { "once".to_owned() } else { format!("{} times", count(times)) }
}
