//! The statements that move and compare rows, one piece of a table at a time.
//!
//! What bounds a piece is given as SQL, so that the same text serves a prepared statement (its parameters) and a PL/pgSQL block (its
//! variables).

use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::plan::{Backfill, Combined, KeyColumn, Reconcile, Values};

/// The first release that reads `ctid >= … and ctid < …` by position. Before it, that condition reads the whole table.
pub const TID_RANGE_SCAN: u32 = 14;

/// As many lines as a block can have: SQL of the type `integer`.
pub const MOST_LINES: &str = "(current_setting('block_size')::integer - 24) / 28";

/// Into how many slices the rows of a stretch of blocks are divided, so that most of them are copied within their block: see [`Piece::Blocks`].
///
/// One transaction for each slice. The first one has to put its copies elsewhere, where blocks are full. Once it is committed, the rows that it
/// copied leave room behind, which the server clears up when the next one reads the block, and so on. A copy in the same block needs no new
/// entry in any index, less WAL and no more space. More slices save more of that, and read every block more often; with four, about two thirds
/// of the rows of a full table stay in their block.
pub const SLICES: i32 = 4;

/// How many keys of rows that disagree one piece reports.
pub const SAMPLES_PER_PIECE: usize = 20;

/// The rows that a statement is for.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Rows that lie in the blocks from the first number up to, but without, the second: SQL of the type `bigint`.
    Blocks {
        /// The first block.
        from: String,
        /// The first block that no longer belongs to it.
        to: String,
        /// The highest line in these blocks that has such a row, SQL of the type `integer`; at most [`MOST_LINES`]. Servers before 14 read
        /// line by line, and most blocks have fewer lines than they could.
        lines: String,
        /// Only one of the [`SLICES`] of these rows: its number from 0 on, SQL of the type `integer`. For servers that read by position.
        slice: Option<String>,
    },
    /// The row at this position: SQL of the type `tid`.
    Row {
        /// Where.
        at: String,
    },
    /// Rows whose key is greater than the first bound and not greater than the second; without a bound that end is open. One SQL
    /// expression for each column of the key.
    Keys {
        /// The last key before it.
        after: Option<Vec<String>>,
        /// Its last key.
        upto: Option<Vec<String>>,
    },
}

/// One batch of a copy within a row, as `update`. It changes the rows that are still pending, and counts them.
///
/// `table` is the backfill's table or a partition of it, `server` the release that runs it (13, 14, …).
///
/// It needs no locks of its own beforehand: a row that another transaction changes meanwhile is looked at again after that transaction
/// ended, and is then no longer pending, because its sync trigger fired.
pub fn update_batch(
    table: &QualifiedName,
    set: &[(String, String)],
    pending: &str,
    piece: &Piece,
    server: u32,
) -> String {
    let set: Vec<String> =
        set.iter().map(|(column, expression)| format!("{} = ({expression})", quote_ident(column))).collect();
    format!(
        "update only {}\nset {}\nwhere {}\n    and ({pending})",
        table.quoted(),
        set.join(",\n    "),
        condition(piece, &[], "", server)
    )
}

/// The statements of one batch of a copy from one table into another, in one transaction.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Locks rows that the other one reads, where that one does not do it by itself: a query of one count.
    pub lock: Option<String>,
    /// Adds or changes rows, and counts them.
    pub write: String,
}

/// One batch of a copy from one table into another; `None` for a copy within a row.
pub fn copy_batch(backfill: &Backfill, piece: &Piece, server: u32) -> Option<Copy> {
    let write = insert_batch(backfill, piece, server).or_else(|| update_from_batch(backfill, piece, server))?;
    Some(Copy { lock: lock_batch(backfill, piece, server), write })
}

/// The statements of one batch by position, in order, with the same parameters each: the last one counts the rows that it changed. `table`
/// is the backfill's table or a partition of it. `None` for a backfill that goes by key.
pub fn batch_by_position(
    backfill: &Backfill,
    table: &QualifiedName,
    piece: &Piece,
    server: u32,
) -> Option<Vec<String>> {
    match backfill {
        Backfill::Update { set, pending, .. } => Some(vec![update_batch(table, set, pending, piece, server)]),
        Backfill::Refer { reference, values, pending, .. } => Some(vec![
            new_values(table, values, pending, piece, server),
            refer_batch(table, reference, values, pending, piece, server),
        ]),
        Backfill::Insert { .. } | Backfill::UpdateFrom { .. } => None,
    }
}

/// Adds the values of pending rows that are not there yet. Whoever adds the same ones at this moment is waited for.
fn new_values(table: &QualifiedName, values: &Values, pending: &str, piece: &Piece, server: u32) -> String {
    let (into, from): (Vec<String>, Vec<String>) = values
        .columns
        .iter()
        .map(|(own, referring)| (quote_ident(own), format!("source.{}", quote_ident(referring))))
        .unzip();
    let from = from.join(", ");
    format!(
        "insert into {} ({})\nselect distinct {from}\nfrom only {} as source\nwhere {}\n    and ({pending})\norder by {from}\n\
         on conflict ({}) do nothing",
        values.table.quoted(),
        into.join(", "),
        table.quoted(),
        condition(piece, &[], "source.", server),
        conflict_target(values),
    )
}

/// Gives pending rows their reference, after [`new_values`].
///
/// What they refer to is locked first: whoever changes these values at this moment is waited for, or waits, and then finds these rows. Where
/// they were changed first, the rows stay pending.
fn refer_batch(
    table: &QualifiedName,
    reference: &str,
    values: &Values,
    pending: &str,
    piece: &Piece,
    server: u32,
) -> String {
    let numbered: Vec<(String, String)> = values
        .columns
        .iter()
        .enumerate()
        .map(|(n, (_, referring))| (format!("coexist_{}", n + 1), referring.clone()))
        .collect();
    let own: Vec<String> = values.columns.iter().map(|(own, _)| format!("target.{}", quote_ident(own))).collect();
    let names: Vec<&str> = numbered.iter().map(|(name, _)| name.as_str()).collect();
    let found = Values { columns: numbered.clone(), ..values.clone() };
    let piece = condition(piece, &[], "source.", server);
    let key = quote_ident(&values.key);
    format!(
        "with target (coexist_key, {}) as materialized (\n    select target.{key}, {}\n    from {} as target\n    where ({}) in (\n        \
         select {} from only {} as source\n        where {piece}\n            and ({pending})\n    )\n    order by target.{key}\n    \
         for share of target\n)\nupdate only {} as source\nset {} = target.coexist_key\nfrom target\nwhere {piece}\n    \
         and ({pending})\n    and ({}) = ({})",
        names.join(", "),
        own.join(", "),
        values.table.quoted(),
        values.own("target."),
        values.referring("source."),
        table.quoted(),
        table.quoted(),
        quote_ident(reference),
        found.own("target."),
        values.referring("source."),
    )
}

/// The unique key over the values, as `on conflict` names it.
pub fn conflict_target(values: &Values) -> String {
    if values.nulls { format!("({})", values.own("")) } else { values.own("") }
}

/// Locks the source rows of one batch of a copy into another table, in the order of their key, until the batch commits: what runs before
/// [`insert_batch`].
///
/// `for share` is the weakest lock that is right: a delete or an update of a source row that came first is waited for and seen, one that
/// comes later waits, and its trigger then finds the copy. With `for key share` an update that empties the row would not wait, find nothing
/// to remove, and leave a ghost.
pub fn lock_batch(backfill: &Backfill, piece: &Piece, server: u32) -> Option<String> {
    let Backfill::Insert { source, key, pending, .. } = backfill else { return None };
    Some(format!(
        "select count(*) from (\n    select from {} as source\n    where {}\n        and ({pending})\n    order by {}\n    \
         for share\n) as locked",
        source.quoted(),
        condition(piece, key, "source.", server),
        key_order(key, ""),
    ))
}

/// One batch of a copy into another table, as `insert`, after [`lock_batch`]. It adds the rows that are still missing, and counts them.
///
/// Its snapshot is taken when the source rows are locked, so it sees every target row that goes with one of them: whoever writes such a row
/// locks the source row first. Hence it needs no `on conflict`, which costs more than the rest of the insert, where each source row has a
/// target row of its own. What conflicts nevertheless is a reason to try the batch again.
///
/// Both tables are looked into by the same range of their keys. Where the target's key is not the source's, it is looked into row by row
/// (`offset 0`): otherwise the server may read all of it for each batch.
pub fn insert_batch(backfill: &Backfill, piece: &Piece, server: u32) -> Option<String> {
    let Backfill::Insert { source, target, key, columns, pending, target_key, .. } = backfill else { return None };
    let names: Vec<String> = columns.iter().map(|(column, _)| quote_ident(column)).collect();
    let expressions: Vec<&str> = columns.iter().map(|(_, expression)| expression.as_str()).collect();
    let same_key: Vec<String> = columns
        .iter()
        .filter(|(column, _)| target_key.contains(column))
        .map(|(column, expression)| format!("target.{} = ({expression})", quote_ident(column)))
        .collect();
    let (bounds, conflict) = match shared_key(backfill) {
        Some(target_key) => {
            (format!("\n            and {}", condition(piece, &target_key, "target.", server)), String::new())
        }
        None => {
            let target_key: Vec<String> = target_key.iter().map(|column| quote_ident(column)).collect();
            (" offset 0".to_owned(), format!("\non conflict ({}) do nothing", target_key.join(", ")))
        }
    };
    Some(format!(
        "insert into {} ({})\noverriding system value\nselect {}\nfrom {} as source\nwhere {}\n    and ({pending})\n    \
         and not exists (\n        select from {} as target\n        where {}{bounds}\n    )\norder by {}{conflict}",
        target.quoted(),
        names.join(", "),
        expressions.join(",\n    "),
        source.quoted(),
        condition(piece, key, "source.", server),
        target.quoted(),
        same_key.join(" and "),
        key_order(key, ""),
    ))
}

/// One batch of a copy from rows of another table, as `update`. It changes the rows that are still pending, and counts them.
///
/// The rows of the other table are locked, `for share`, until the batch commits: what another transaction is changing there is waited for and
/// seen, and what it changes later finds the row filled, and changes it in turn. Whether a row is pending is looked at again with the
/// values that were locked, and by the server once more where it had to wait for the row.
///
/// `offset 0` has the other table looked into by its key, row by row. Without it the server may read all of it for each batch.
pub fn update_from_batch(backfill: &Backfill, piece: &Piece, server: u32) -> Option<String> {
    let Backfill::UpdateFrom { table, key, source, source_key, on, combined, set, pending, .. } = backfill else {
        return None;
    };
    let source_key: Vec<String> = source_key.iter().map(|column| format!("source.{}", quote_ident(column))).collect();
    let condition = condition(piece, key, "target.", server);
    let order: Vec<String> = key.iter().map(|column| format!("target.{}", quote_ident(&column.name))).collect();
    // What several rows come to can only be told with all of them.
    let locked = if combined.is_some() { String::new() } else { format!(" and ({pending})") };
    let (from, combined) = match combined {
        Some(Combined { by, columns }) => {
            let by: Vec<String> = by.iter().map(|column| format!("source.{}", quote_ident(column))).collect();
            let columns: Vec<String> =
                columns.iter().map(|(column, sql)| format!("({sql}) as {}", quote_ident(column))).collect();
            let (by, columns) = (by.join(", "), by.iter().chain(&columns).cloned().collect::<Vec<_>>().join(", "));
            ("combined", format!(", combined as (\n    select {columns}\n    from source\n    group by {by}\n)"))
        }
        None => ("source", String::new()),
    };
    let set: Vec<String> =
        set.iter().map(|(column, expression)| format!("{} = ({expression})", quote_ident(column))).collect();
    Some(format!(
        "with source as materialized (\n    select distinct on ({}) source.*\n    \
         from (select target.* from {} as target where {condition} order by {} offset 0) as target\n    \
         cross join lateral (select source.* from {} as source where ({on}){locked} offset 0 for share of source) as source\n\
         ){combined}\nupdate {} as target\nset {}\nfrom {from} as source\nwhere {condition}\n    and ({on})\n    and ({pending})",
        source_key.join(", "),
        table.quoted(),
        order.join(", "),
        source.quoted(),
        table.quoted(),
        set.join(",\n    "),
    ))
}

/// The columns of the target that hold the source's key, in its order, where they are the target's key as well.
fn shared_key(backfill: &Backfill) -> Option<Vec<KeyColumn>> {
    let Backfill::Insert { key, columns, target_key, .. } = backfill else { return None };
    let shared: Option<Vec<KeyColumn>> = key
        .iter()
        .map(|part| {
            let value = format!("source.{}", quote_ident(&part.name));
            let bare = format!("source.{}", part.name);
            let same = |(column, expression): &&(String, String)| {
                target_key.contains(column) && (*expression == value || *expression == bare)
            };
            columns.iter().find(same).map(|(column, _)| KeyColumn { name: column.clone(), ty: part.ty.clone() })
        })
        .collect();
    shared.filter(|shared| shared.len() == target_key.len())
}

/// Compares the rows of one piece: one row with the number of rows read, the number that disagree, and up to [`SAMPLES_PER_PIECE`] keys of
/// those as `text[]` of JSON objects. `table` is the reconcile's table or a partition of it.
///
/// One statement, hence one snapshot: both shapes of a row are seen as one transaction left them. Of the joined table, the rows that match
/// are looked up one by one: a plan that reads all of it for each piece would never come to an end.
pub fn reconcile_piece(reconcile: &Reconcile, table: &QualifiedName, piece: &Piece, server: u32) -> String {
    let key = &reconcile.key;
    let mut columns: Vec<String> =
        key.iter().enumerate().map(|(n, column)| format!("source.{} as key_{n}", quote_ident(&column.name))).collect();
    let mut sample: Vec<String> =
        key.iter().enumerate().map(|(n, column)| format!("{}, key_{n}", quote_literal(&column.name))).collect();
    if key.is_empty() {
        columns.push("source.ctid as key_0".to_string());
        sample.push("'ctid', key_0::text".to_string());
    }
    let only = if matches!(piece, Piece::Blocks { .. }) { "only " } else { "" };
    let join = match &reconcile.join {
        Some((joined, on)) => format!(
            "    left join lateral (select target.* from {} as target where {on} offset 0) as target on true\n",
            joined.quoted()
        ),
        None => String::new(),
    };
    // `offset 0` keeps the comparison, which may be costly, from being made once for each of the two counts.
    format!(
        "select count(*),\n    count(*) filter (where differs),\n    \
         coalesce((array_agg(jsonb_build_object({})::text order by {}) filter (where differs))[1:{SAMPLES_PER_PIECE}], '{{}}')\n\
         from (\n    select {}, ({}) as differs\n    from {only}{} as source\n{join}    where {}\n    offset 0\n) as compared",
        sample.join(", "),
        (0..sample.len()).map(|n| format!("key_{n}")).collect::<Vec<_>>().join(", "),
        columns.join(", "),
        reconcile.mismatch,
        table.quoted(),
        condition(piece, key, "source.", server),
    )
}

/// The rows of a piece that are still pending, for a copy within a row: position as text, and key as the text of a JSON object.
pub fn pending_rows(table: &QualifiedName, key: &[KeyColumn], pending: &str, piece: &Piece, server: u32) -> String {
    format!(
        "select source.ctid::text,\n    {}::text\nfrom only {} as source\nwhere {}\n    and ({pending})",
        key_as_json(key),
        table.quoted(),
        condition(piece, key, "source.", server)
    )
}

/// Reads a table once and finds, for each stretch of `blocks` blocks (SQL of the type `bigint`) that has rows which are still pending, the
/// number of the stretch and the highest line of such a row.
///
/// For servers that cannot read by position: a row that is not pending now will not be later, because the triggers fill what is written.
pub fn pending_lines(table: &QualifiedName, pending: &str, blocks: &str) -> String {
    format!(
        "select position[0]::bigint / ({blocks}) as stretch, max(position[1])::integer\n\
         from (select ctid::text::point as position from only {} where {pending}) as row_position\ngroup by stretch\norder by stretch",
        table.quoted()
    )
}

/// Finds the last key of the first `rows` rows (SQL of the type `bigint`) of `rest`: one row with the key as `text[]`, or no row where
/// fewer are left.
pub fn end_of_piece(table: &QualifiedName, key: &[KeyColumn], rest: &Piece, rows: &str) -> String {
    format!(
        "select {}\nfrom {} as source\nwhere {}\norder by {}\noffset {rows} - 1 limit 1",
        key_as_text(key),
        table.quoted(),
        condition(rest, key, "source.", TID_RANGE_SCAN),
        key_order(key, "")
    )
}

/// Finds the keys that divide a table into `segments` parts (SQL of the type `bigint`) of about the same number of rows: one row with a
/// key as `text[]` for each boundary, in order, all of them less than the last key of `piece`. `percent` (SQL of the type `real`) is how
/// much of the table is looked at.
pub fn key_quantiles(table: &QualifiedName, key: &[KeyColumn], piece: &Piece, percent: &str, segments: &str) -> String {
    let columns: Vec<String> = key.iter().map(|column| format!("source.{}", quote_ident(&column.name))).collect();
    let order = key_order(key, "");
    format!(
        "select {}\nfrom (\n    select {},\n        row_number() over (order by {order}) as nth, count(*) over () as total\n    \
         from {} as source tablesample system ({percent})\n    where {}\n) as source\n\
         where nth % greatest(total / {segments}, 1) = 0 and nth < total\norder by nth",
        key_as_text(key),
        columns.join(", "),
        table.quoted(),
        condition(piece, key, "source.", TID_RANGE_SCAN),
    )
}

/// The greatest key of a table, as `text[]`; no row where it is empty.
pub fn last_key(table: &QualifiedName, key: &[KeyColumn]) -> String {
    format!(
        "select {}\nfrom {} as source\norder by {}\nlimit 1",
        key_as_text(key),
        table.quoted(),
        key_order(key, " desc")
    )
}

fn key_as_json(key: &[KeyColumn]) -> String {
    let mut columns: Vec<String> = key
        .iter()
        .map(|column| format!("{}, source.{}", quote_literal(&column.name), quote_ident(&column.name)))
        .collect();
    if key.is_empty() {
        columns.push("'ctid', source.ctid::text".to_string());
    }
    format!("jsonb_build_object({})", columns.join(", "))
}

/// The columns of a key as parameters from `$first` on, which are bound as text: every type can be written as text and read back.
pub fn key_parameters(key: &[KeyColumn], first: usize) -> Vec<String> {
    key.iter().enumerate().map(|(n, column)| format!("(${}::text)::{}", first + n, column.ty)).collect()
}

fn key_as_text(key: &[KeyColumn]) -> String {
    let columns: Vec<String> = key.iter().map(|column| format!("source.{}::text", quote_ident(&column.name))).collect();
    format!("array[{}]", columns.join(", "))
}

fn key_order(key: &[KeyColumn], direction: &str) -> String {
    let columns: Vec<String> =
        key.iter().map(|column| format!("source.{}{direction}", quote_ident(&column.name))).collect();
    columns.join(", ")
}

/// The piece as a condition on `prefix`-qualified columns.
fn condition(piece: &Piece, key: &[KeyColumn], prefix: &str, server: u32) -> String {
    match piece {
        Piece::Blocks { from, to, slice, .. } if server >= TID_RANGE_SCAN => {
            let start = |block: &str| format!("('(' || ({block}) || ',0)')::tid");
            let slice = slice.as_ref().map_or(String::new(), |slice| {
                // A remainder that is never negative.
                format!(" and hashtid({prefix}ctid) & {} = {slice}", SLICES - 1)
            });
            format!("{prefix}ctid >= {} and {prefix}ctid < {}{slice}", start(from), start(to))
        }
        Piece::Row { at } => format!("{prefix}ctid = {at}"),
        // Every position up to that line, used or not: the only way to read by position there.
        Piece::Blocks { from, to, lines, .. } => format!(
            "{prefix}ctid = any (array(\n        select ('(' || block || ',' || line || ')')::tid\n        \
             from generate_series({from}, ({to}) - 1) as block,\n            \
             generate_series(1, {lines}) as line\n    ))"
        ),
        Piece::Keys { after, upto } => {
            let columns: Vec<String> =
                key.iter().map(|column| format!("{prefix}{}", quote_ident(&column.name))).collect();
            let columns = columns.join(", ");
            let bound = |bound: &Option<Vec<String>>, operator: &str| {
                bound.as_ref().map(|bound| format!("({columns}) {operator} ({})", bound.join(", ")))
            };
            match (bound(after, ">"), bound(upto, "<=")) {
                (Some(after), Some(upto)) => format!("{after} and {upto}"),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => "true".to_string(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(columns: &[(&str, &str)]) -> Vec<KeyColumn> {
        columns.iter().map(|(name, ty)| KeyColumn { name: (*name).into(), ty: (*ty).into() }).collect()
    }

    fn blocks() -> Piece {
        Piece::Blocks { from: "$1".into(), to: "$2".into(), lines: MOST_LINES.into(), slice: None }
    }

    fn slice() -> Piece {
        Piece::Blocks { from: "$1".into(), to: "$2".into(), lines: MOST_LINES.into(), slice: Some("$3".into()) }
    }

    #[test]
    fn an_update_by_position() {
        let table = QualifiedName::new("public", "Order");
        let set = [("total_cents".to_string(), "total::bigint".to_string()), ("c".to_string(), "1".to_string())];
        insta::assert_snapshot!(update_batch(&table, &set, "\"total_cents\" is null", &blocks(), 14), @r#"
        update only "public"."Order"
        set "total_cents" = (total::bigint),
            "c" = (1)
        where ctid >= ('(' || ($1) || ',0)')::tid and ctid < ('(' || ($2) || ',0)')::tid
            and ("total_cents" is null)
        "#);
        insta::assert_snapshot!(update_batch(&table, &set[..1], "\"total_cents\" is null", &slice(), 14), @r#"
        update only "public"."Order"
        set "total_cents" = (total::bigint)
        where ctid >= ('(' || ($1) || ',0)')::tid and ctid < ('(' || ($2) || ',0)')::tid and hashtid(ctid) & 3 = $3
            and ("total_cents" is null)
        "#);
        insta::assert_snapshot!(update_batch(&table, &set[..1], "true", &blocks(), 13), @r#"
        update only "public"."Order"
        set "total_cents" = (total::bigint)
        where ctid = any (array(
                select ('(' || block || ',' || line || ')')::tid
                from generate_series($1, ($2) - 1) as block,
                    generate_series(1, (current_setting('block_size')::integer - 24) / 28) as line
            ))
            and (true)
        "#);
    }

    fn refer(nulls: bool) -> Backfill {
        let column = |own: &str, referring: &str| (own.to_string(), referring.to_string());
        Backfill::Refer {
            operation: "it".into(),
            table: QualifiedName::new("public", "addresses"),
            reference: "country_id".into(),
            values: Values {
                table: QualifiedName::new("public", "countries"),
                key: "id".into(),
                columns: vec![column("name", "country"), column("code", "country_code")],
                nulls,
            },
            pending: "\"country_id\" is null".into(),
            key: Vec::new(),
        }
    }

    #[test]
    fn references_by_position() {
        let table = QualifiedName::new("public", "addresses");
        let plain = batch_by_position(&refer(false), &table, &blocks(), 14).unwrap().join("\n;\n");
        insta::assert_snapshot!(plain, @r#"
        insert into "public"."countries" ("name", "code")
        select distinct source."country", source."country_code"
        from only "public"."addresses" as source
        where source.ctid >= ('(' || ($1) || ',0)')::tid and source.ctid < ('(' || ($2) || ',0)')::tid
            and ("country_id" is null)
        order by source."country", source."country_code"
        on conflict ("name", "code") do nothing
        ;
        with target (coexist_key, coexist_1, coexist_2) as materialized (
            select target."id", target."name", target."code"
            from "public"."countries" as target
            where (target."name", target."code") in (
                select source."country", source."country_code" from only "public"."addresses" as source
                where source.ctid >= ('(' || ($1) || ',0)')::tid and source.ctid < ('(' || ($2) || ',0)')::tid
                    and ("country_id" is null)
            )
            order by target."id"
            for share of target
        )
        update only "public"."addresses" as source
        set "country_id" = target.coexist_key
        from target
        where source.ctid >= ('(' || ($1) || ',0)')::tid and source.ctid < ('(' || ($2) || ',0)')::tid
            and ("country_id" is null)
            and (target."coexist_1", target."coexist_2") = (source."country", source."country_code")
        "#);
        let nulls = batch_by_position(&refer(true), &table, &Piece::Row { at: "$1".into() }, 14).unwrap().join("\n;\n");
        insta::assert_snapshot!(nulls, @r#"
        insert into "public"."countries" ("name", "code")
        select distinct source."country", source."country_code"
        from only "public"."addresses" as source
        where source.ctid = $1
            and ("country_id" is null)
        order by source."country", source."country_code"
        on conflict ((array["name"::text collate pg_catalog."C", "code"::text collate pg_catalog."C"])) do nothing
        ;
        with target (coexist_key, coexist_1, coexist_2) as materialized (
            select target."id", target."name", target."code"
            from "public"."countries" as target
            where (array[target."name"::text collate pg_catalog."C", target."code"::text collate pg_catalog."C"]) in (
                select array[source."country"::text collate pg_catalog."C", source."country_code"::text collate pg_catalog."C"] from only "public"."addresses" as source
                where source.ctid = $1
                    and ("country_id" is null)
            )
            order by target."id"
            for share of target
        )
        update only "public"."addresses" as source
        set "country_id" = target.coexist_key
        from target
        where source.ctid = $1
            and ("country_id" is null)
            and (array[target."coexist_1"::text collate pg_catalog."C", target."coexist_2"::text collate pg_catalog."C"]) = (array[source."country"::text collate pg_catalog."C", source."country_code"::text collate pg_catalog."C"])
        "#);
    }

    #[test]
    fn an_insert_by_a_key_of_two_columns() {
        let mut backfill = Backfill::Insert {
            operation: "it".into(),
            source: QualifiedName::new("public", "users"),
            target: QualifiedName::new("public", "profiles"),
            key: key(&[("tenant", "integer"), ("id", "uuid")]),
            columns: vec![
                ("tenant".into(), "source.tenant".into()),
                ("user_id".into(), "source.id".into()),
                ("bio".into(), "source.bio".into()),
            ],
            pending: "source.bio is not null".into(),
            target_key: vec!["tenant".into(), "user_id".into()],
        };
        let key = key(&[("tenant", "integer"), ("id", "uuid")]);
        let piece = Piece::Keys { after: Some(key_parameters(&key, 1)), upto: Some(key_parameters(&key, 3)) };
        insta::assert_snapshot!(lock_batch(&backfill, &piece, 15).unwrap(), @r#"
        select count(*) from (
            select from "public"."users" as source
            where (source."tenant", source."id") > (($1::text)::integer, ($2::text)::uuid) and (source."tenant", source."id") <= (($3::text)::integer, ($4::text)::uuid)
                and (source.bio is not null)
            order by source."tenant", source."id"
            for share
        ) as locked
        "#);
        insta::assert_snapshot!(insert_batch(&backfill, &piece, 15).unwrap(), @r#"
        insert into "public"."profiles" ("tenant", "user_id", "bio")
        overriding system value
        select source.tenant,
            source.id,
            source.bio
        from "public"."users" as source
        where (source."tenant", source."id") > (($1::text)::integer, ($2::text)::uuid) and (source."tenant", source."id") <= (($3::text)::integer, ($4::text)::uuid)
            and (source.bio is not null)
            and not exists (
                select from "public"."profiles" as target
                where target."tenant" = (source.tenant) and target."user_id" = (source.id)
                    and (target."tenant", target."user_id") > (($1::text)::integer, ($2::text)::uuid) and (target."tenant", target."user_id") <= (($3::text)::integer, ($4::text)::uuid)
            )
        order by source."tenant", source."id"
        "#);
        let Backfill::Insert { target_key, .. } = &mut backfill else { panic!() };
        *target_key = vec!["bio".into()];
        insta::assert_snapshot!(insert_batch(&backfill, &piece, 15).unwrap(), @r#"
        insert into "public"."profiles" ("tenant", "user_id", "bio")
        overriding system value
        select source.tenant,
            source.id,
            source.bio
        from "public"."users" as source
        where (source."tenant", source."id") > (($1::text)::integer, ($2::text)::uuid) and (source."tenant", source."id") <= (($3::text)::integer, ($4::text)::uuid)
            and (source.bio is not null)
            and not exists (
                select from "public"."profiles" as target
                where target."bio" = (source.bio) offset 0
            )
        order by source."tenant", source."id"
        on conflict ("bio") do nothing
        "#);
    }

    #[test]
    fn an_update_from_another_table() {
        let mut backfill = Backfill::UpdateFrom {
            operation: "it".into(),
            table: QualifiedName::new("public", "users"),
            key: key(&[("id", "bigint")]),
            source: QualifiedName::new("public", "orders"),
            source_key: vec!["id".into()],
            on: "source.user_id = target.id".into(),
            combined: None,
            set: vec![("city".into(), "source.city".into())],
            pending: "target.city is distinct from source.city".into(),
        };
        let first = Piece::Keys { after: None, upto: Some(vec!["$1::bigint".into()]) };
        insta::assert_snapshot!(update_from_batch(&backfill, &first, 15).unwrap(), @r#"
        with source as materialized (
            select distinct on (source."id") source.*
            from (select target.* from "public"."users" as target where (target."id") <= ($1::bigint) order by target."id" offset 0) as target
            cross join lateral (select source.* from "public"."orders" as source where (source.user_id = target.id) and (target.city is distinct from source.city) offset 0 for share of source) as source
        )
        update "public"."users" as target
        set "city" = (source.city)
        from source as source
        where (target."id") <= ($1::bigint)
            and (source.user_id = target.id)
            and (target.city is distinct from source.city)
        "#);
        if let Backfill::UpdateFrom { combined, .. } = &mut backfill {
            let columns = vec![("city".into(), "max(source.city)".into())];
            *combined = Some(Combined { by: vec!["user_id".into()], columns });
        }
        insta::assert_snapshot!(update_from_batch(&backfill, &first, 15).unwrap(), @r#"
        with source as materialized (
            select distinct on (source."id") source.*
            from (select target.* from "public"."users" as target where (target."id") <= ($1::bigint) order by target."id" offset 0) as target
            cross join lateral (select source.* from "public"."orders" as source where (source.user_id = target.id) offset 0 for share of source) as source
        ), combined as (
            select source."user_id", (max(source.city)) as "city"
            from source
            group by source."user_id"
        )
        update "public"."users" as target
        set "city" = (source.city)
        from combined as source
        where (target."id") <= ($1::bigint)
            and (source.user_id = target.id)
            and (target.city is distinct from source.city)
        "#);
    }

    #[test]
    fn how_a_table_is_divided() {
        let (table, key) = (QualifiedName::new("public", "users"), key(&[("tenant", "integer"), ("id", "uuid")]));
        let upto = Piece::Keys { after: None, upto: Some(key_parameters(&key, 1)) };
        insta::assert_snapshot!(key_quantiles(&table, &key, &upto, "$3::real", "$4::bigint"), @r#"
        select array[source."tenant"::text, source."id"::text]
        from (
            select source."tenant", source."id",
                row_number() over (order by source."tenant", source."id") as nth, count(*) over () as total
            from "public"."users" as source tablesample system ($3::real)
            where (source."tenant", source."id") <= (($1::text)::integer, ($2::text)::uuid)
        ) as source
        where nth % greatest(total / $4::bigint, 1) = 0 and nth < total
        order by nth
        "#);
        insta::assert_snapshot!(pending_lines(&table, "bio is null", "16"), @r#"
        select position[0]::bigint / (16) as stretch, max(position[1])::integer
        from (select ctid::text::point as position from only "public"."users" where bio is null) as row_position
        group by stretch
        order by stretch
        "#);
    }

    #[test]
    fn a_comparison_with_and_without_key() {
        let mut reconcile = Reconcile {
            table: QualifiedName::new("public", "users"),
            key: key(&[("id", "bigint")]),
            join: Some((QualifiedName::new("public", "profiles"), "target.user_id = source.id".into())),
            mismatch: "target.bio is distinct from source.bio".into(),
            title: String::new(),
        };
        let first = Piece::Keys { after: None, upto: Some(key_parameters(&reconcile.key, 1)) };
        insta::assert_snapshot!(reconcile_piece(&reconcile, &reconcile.table, &first, 15), @r#"
        select count(*),
            count(*) filter (where differs),
            coalesce((array_agg(jsonb_build_object('id', key_0)::text order by key_0) filter (where differs))[1:20], '{}')
        from (
            select source."id" as key_0, (target.bio is distinct from source.bio) as differs
            from "public"."users" as source
            left join lateral (select target.* from "public"."profiles" as target where target.user_id = source.id offset 0) as target on true
            where (source."id") <= (($1::text)::bigint)
            offset 0
        ) as compared
        "#);
        reconcile.key.clear();
        reconcile.join = None;
        insta::assert_snapshot!(reconcile_piece(&reconcile, &reconcile.table, &blocks(), 15), @r#"
        select count(*),
            count(*) filter (where differs),
            coalesce((array_agg(jsonb_build_object('ctid', key_0::text)::text order by key_0) filter (where differs))[1:20], '{}')
        from (
            select source.ctid as key_0, (target.bio is distinct from source.bio) as differs
            from only "public"."users" as source
            where source.ctid >= ('(' || ($1) || ',0)')::tid and source.ctid < ('(' || ($2) || ',0)')::tid
            offset 0
        ) as compared
        "#);
    }

    #[test]
    fn the_end_of_a_piece() {
        let users = QualifiedName::new("public", "users");
        let key = key(&[("id", "bigint")]);
        let rest = Piece::Keys { after: Some(key_parameters(&key, 2)), upto: None };
        insta::assert_snapshot!(end_of_piece(&users, &key, &rest, "$1"), @r#"
        select array[source."id"::text]
        from "public"."users" as source
        where (source."id") > (($2::text)::bigint)
        order by source."id"
        offset $1 - 1 limit 1
        "#);
        insta::assert_snapshot!(last_key(&users, &key), @r#"
        select array[source."id"::text]
        from "public"."users" as source
        order by source."id" desc
        limit 1
        "#);
    }
}
