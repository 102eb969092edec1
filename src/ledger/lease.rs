//! One runner for each change: a row with an expiry by the server's clock and a token that fences off a former holder.
//!
//! A transaction of the holder locks the row `for key share` and compares the token; who takes over locks it `for update`, and so waits
//! for such a transaction to end. The heartbeat updates the row meanwhile: that is compatible with `for key share`.

use std::time::Duration;

use postgres::error::SqlState;

use crate::database::Transaction;
use crate::error::{Error, Result, Seconds};

/// Takes the lease and answers with its token.
///
/// # Errors
///
/// [`Error::AnotherRunner`] while somebody else holds it.
pub(crate) fn take(tx: &mut Transaction<'_>, change: &str, holder: &str, lease: Duration) -> Result<i64> {
    let taking = || Error::database(format!("taking the lease on change `{change}`"));
    tx.execute("insert into coexist.leases (change) values ($1) on conflict do nothing", &[&change])
        .map_err(taking())?;
    let row = tx
        .query_one(
            "select holder,
                extract(epoch from clock_timestamp() - heartbeat_at)::float8,
                extract(epoch from expires_at - clock_timestamp())::float8
            from coexist.leases where change = $1 for update",
            &[&change],
        )
        .map_err(|error| match error.code() {
            // Its lease may have ended, but a transaction of its own has not.
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Error::AnotherRunner {
                change: change.to_string(),
                holder: "one whose last transaction is still open".to_string(),
                seen: Seconds(0.0),
                expires: Seconds(lease.as_secs_f64()),
            },
            _ => taking()(error),
        })?;
    let (other, seen, expires): (Option<String>, f64, f64) = (row.get(0), row.get(1), row.get(2));
    if let Some(other) = other.filter(|_| expires > 0.0) {
        return Err(Error::AnotherRunner {
            change: change.to_string(),
            holder: other,
            seen: Seconds(seen),
            expires: Seconds(expires),
        });
    }
    let row = tx
        .query_one(
            "update coexist.leases
            set holder = $2, token = token + 1, heartbeat_at = clock_timestamp(),
                expires_at = clock_timestamp() + $3 * interval '1 second'
            where change = $1 returning token",
            &[&change, &holder, &lease.as_secs_f64()],
        )
        .map_err(taking())?;
    Ok(row.get(0))
}

/// Fails unless `token` is the current one, and keeps it current until the transaction ends.
pub(crate) fn check(tx: &mut Transaction<'_>, change: &str, token: i64) -> Result<()> {
    let row = tx
        .query_opt("select from coexist.leases where change = $1 and token = $2 for key share", &[&change, &token])
        .map_err(Error::database(format!("checking the lease on change `{change}`")))?;
    if row.is_some() { Ok(()) } else { Err(Error::LeaseLost { change: change.to_string() }) }
}

/// Extends the lease. Answers whether it was still held.
pub(crate) fn renew(tx: &mut Transaction<'_>, change: &str, token: i64, lease: Duration) -> Result<bool> {
    let held = tx
        .execute(
            "update coexist.leases
            set heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $3 * interval '1 second'
            where change = $1 and token = $2 and holder is not null",
            &[&change, &token, &lease.as_secs_f64()],
        )
        .map_err(Error::database(format!("extending the lease on change `{change}`")))?;
    Ok(held > 0)
}

/// Gives it back, so that the next runner need not wait.
pub(crate) fn release(tx: &mut Transaction<'_>, change: &str, token: i64) -> Result<()> {
    tx.execute(
        "update coexist.leases set holder = null, expires_at = clock_timestamp() where change = $1 and token = $2",
        &[&change, &token],
    )
    .map_err(Error::database(format!("giving back the lease on change `{change}`")))?;
    Ok(())
}

/// Who holds the lease, or did not give it back.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub name: String,
    /// How long ago it last gave a sign of life, by the server's clock.
    pub seen: Duration,
    /// Whether the lease is still its own.
    pub alive: bool,
}

/// Who holds it now, or held it last and was cut off.
pub(crate) fn holder(tx: &mut Transaction<'_>, change: &str) -> Result<Option<Holder>> {
    let row = tx
        .query_opt(
            "select holder, extract(epoch from clock_timestamp() - heartbeat_at)::float8, expires_at > clock_timestamp()
            from coexist.leases where change = $1 and holder is not null",
            &[&change],
        )
        .map_err(Error::database(format!("reading the lease on change `{change}`")))?;
    Ok(row.map(|row| Holder {
        name: row.get(0),
        seen: Duration::from_secs_f64(row.get::<_, f64>(1).max(0.0)),
        alive: row.get(2),
    }))
}
