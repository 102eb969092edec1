//! What speaks for or against contract: comparisons of the shapes, values that did not convert, and writes that contradicted themselves.

use std::time::Duration;

use coexist_core::ident::{QualifiedName, quote_ident, quote_literal};
use coexist_core::plan::KeyColumn;

use crate::database::Transaction;
use crate::error::{Error, Result};

/// A comparison of the two shapes, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciliation {
    /// How many rows were compared.
    pub rows: i64,
    /// How many of them differ.
    pub mismatches: i64,
    /// Keys of some that differ, as JSON objects, each after what was compared.
    pub samples: Vec<String>,
    /// The step of the change that was done last before it.
    pub after_step: Option<String>,
    /// How long ago it was finished, by the server's clock.
    pub age: Duration,
}

impl Reconciliation {
    /// Whether no row differs.
    pub fn is_clean(&self) -> bool {
        self.mismatches == 0
    }
}

/// Values of one column that did not convert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// As in messages: without schema where it is public.
    pub table: String,
    /// The column of the before shape.
    pub column: String,
    /// In how many rows.
    pub rows: i64,
}

/// Records that a comparison begins; answers with its number.
pub(crate) fn begin_reconciliation(tx: &mut Transaction<'_>, change: &str, after_step: Option<&str>) -> Result<i64> {
    let row = tx
        .query_one(
            "insert into coexist.reconciliations (change, after_step) values ($1, $2) returning id",
            &[&change, &after_step],
        )
        .map_err(recording(change))?;
    Ok(row.get(0))
}

/// Records what a comparison found.
pub(crate) fn finish_reconciliation(
    tx: &mut Transaction<'_>,
    change: &str,
    id: i64,
    rows: i64,
    mismatches: i64,
    samples: &[String],
) -> Result<()> {
    tx.execute(
        "update coexist.reconciliations
        set finished_at = clock_timestamp(), rows = $2, mismatches = $3, samples = to_jsonb($4::text[])
        where id = $1",
        &[&id, &rows, &mismatches, &samples],
    )
    .map_err(recording(change))?;
    Ok(())
}

/// The last comparison that was finished and that began after every step that is done now, those in `except` aside; `None` where there is
/// none.
pub(crate) fn latest_reconciliation(
    tx: &mut Transaction<'_>,
    change: &str,
    except: &[&str],
) -> Result<Option<Reconciliation>> {
    let row = tx
        .query_opt(
            "select rows, mismatches, array(select jsonb_array_elements_text(samples)), after_step,
                extract(epoch from clock_timestamp() - finished_at)::float8
            from coexist.reconciliations
            where change = $1 and finished_at is not null
                and started_at >= all (
                    select finished_at from coexist.steps where change = $1 and state = 'done' and id <> all ($2)
                )
            order by id desc limit 1",
            &[&change, &except],
        )
        .map_err(Error::database(format!("reading the comparisons of change `{change}`")))?;
    Ok(row.map(|row| Reconciliation {
        rows: row.get(0),
        mismatches: row.get(1),
        samples: row.get(2),
        after_step: row.get(3),
        age: Duration::from_secs_f64(row.get::<_, f64>(4).max(0.0)),
    }))
}

/// What is in quarantine, by table and column.
pub(crate) fn quarantined(tx: &mut Transaction<'_>, change: &str) -> Result<Vec<Quarantined>> {
    let rows = tx
        .query(
            "select tab, col, count(*) from coexist.quarantine where change = $1 group by tab, col order by tab, col",
            &[&change],
        )
        .map_err(Error::database(format!("reading the quarantine of change `{change}`")))?;
    Ok(rows.iter().map(|row| Quarantined { table: row.get(0), column: row.get(1), rows: row.get(2) }).collect())
}

/// Looks again at what is in quarantine for one column: takes out rows that are gone, and those whose value converts now. `conversion` is
/// the expression that records a value which does not convert; without one, a column that is filled counts as converted.
pub(crate) fn look_again(
    tx: &mut Transaction<'_>,
    change: &str,
    table: &QualifiedName,
    key: &[KeyColumn],
    column: &str,
    conversion: Option<&str>,
) -> Result<()> {
    let looking = || Error::database(format!("looking after the quarantine of change `{change}`"));
    let same_key: Vec<String> = key
        .iter()
        .map(|part| {
            let name = quote_literal(&part.name);
            format!("(held.key ->> {name})::{} = source.{}", part.ty, quote_ident(&part.name))
        })
        .collect();
    let held = "held.change = $1 and held.tab = $2 and held.col = $3 and held.key is not null";
    let (same_key, source, column_name) = (same_key.join(" and "), table.quoted(), quote_ident(column));
    let tab = table.to_string();
    let Some(conversion) = conversion else {
        let mended = format!(
            "delete from coexist.quarantine as held where {held} and not exists (
                select from {source} as source where {same_key} and source.{column_name} is null
            )"
        );
        return tx.execute(&mended, &[&change, &tab, &column]).map(drop).map_err(looking());
    };
    let now: std::time::SystemTime = tx.query_one("select clock_timestamp()", &[]).map_err(looking())?.get(0);
    let convert = format!(
        "select count({conversion}) from {source} as source
        where exists (select from coexist.quarantine as held where {held} and {same_key})"
    );
    tx.query(&convert, &[&change, &tab, &column]).map_err(looking())?;
    let mended = format!("delete from coexist.quarantine as held where {held} and last_seen < $4");
    tx.execute(&mended, &[&change, &tab, &column, &now]).map(drop).map_err(looking())
}

/// How many writes set both shapes to different values.
pub(crate) fn conflicts(tx: &mut Transaction<'_>, change: &str) -> Result<i64> {
    let row = tx
        .query_one("select coalesce(sum(count), 0)::bigint from coexist.conflicts where change = $1", &[&change])
        .map_err(Error::database(format!("counting the conflicts of change `{change}`")))?;
    Ok(row.get(0))
}

/// Adds the counted conflicts up to one row. Writers only add rows.
pub(crate) fn fold_conflicts(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute(
        "with folded as (delete from coexist.conflicts where change = $1 returning count)
        insert into coexist.conflicts (change, count) select $1, sum(count) from folded having count(*) > 0",
        &[&change],
    )
    .map_err(Error::database(format!("counting the conflicts of change `{change}`")))?;
    Ok(())
}

/// Forgets what concerns rows; comparisons stay as history.
pub(crate) fn clear(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    let clearing = || Error::database(format!("clearing the quarantine of change `{change}`"));
    tx.execute("delete from coexist.quarantine where change = $1", &[&change]).map_err(clearing())?;
    tx.execute("delete from coexist.conflicts where change = $1", &[&change]).map_err(clearing())?;
    Ok(())
}

fn recording(change: &str) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("recording a comparison of change `{change}`"))
}
