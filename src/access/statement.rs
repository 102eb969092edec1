//! The statements of accessors, as text and parameters. Whoever runs them, waiting or not, takes them from here.

use coexist_core::ident::{QualifiedName, quote_ident};
use postgres::types::{ToSql, Type};

use super::table::{Carried, LockedFirst, Table};
use crate::executor::Param;

/// A value of a column.
pub type Field<'a> = &'a (dyn ToSql + Sync);

/// What stands for a value that is not given.
const DEFAULT: &str = "default";

/// How many parameters one statement may have: the protocol counts them in 16 bits.
const MAX_PARAMETERS: usize = 65_535;

/// One statement.
#[derive(Debug)]
pub struct Statement<'a> {
    /// The SQL.
    pub sql: String,
    /// Its parameters: `$1` is the first.
    pub params: Vec<Param<'a>>,
}

/// The row of a key.
pub fn find<'a>(table: &Table, key: &[Field<'a>]) -> Statement<'a> {
    let mut params = Parameters::default();
    let row = equal(&key_names(table), &params.bind_key(table, key));
    params.statement(format!("select {} from {} where {row}", selected(table), relation(table)))
}

/// One page of rows in the order of the primary key: the first, or the one behind a key.
pub fn page<'a>(table: &Table, behind: Option<&[Field<'a>]>, limit: &'a i64) -> Statement<'a> {
    let mut params = Parameters::default();
    // Qualified, because a bare name in ORDER BY means the selected column, which may be the text form of the key's.
    let key: Vec<String> = key_names(table).iter().map(|name| format!("page.{name}")).collect();
    let key = key.join(", ");
    let condition = behind.map(|behind| format!(" where ({key}) > ({})", params.bind_key(table, behind).join(", ")));
    let condition = condition.unwrap_or_default();
    let limit = params.push(limit, Carried::Native(Type::INT8.oid()));
    params.statement(format!(
        "select {} from {} as page{condition} order by {key} limit {limit}",
        selected(table),
        relation(table)
    ))
}

/// Inserts rows: each has a value or none for every column of the table. A column that no row has a value for is not named.
pub fn insert<'a>(table: &Table, rows: &[Vec<Option<Field<'a>>>], returning: bool) -> Statement<'a> {
    let mut params = Parameters::default();
    let mut columns: Vec<usize> =
        (0..table.columns.len()).filter(|column| rows.iter().any(|row| row[*column].is_some())).collect();
    if columns.is_empty() && rows.len() > 1 && !table.columns.is_empty() {
        // SQL can say of one row that it consists of defaults, but not of several, without naming a column.
        columns.push(0);
    }
    let mut values: Vec<Vec<String>> = Vec::with_capacity(rows.len());
    for row in rows {
        let value = |column: &usize| match row[*column] {
            Some(value) => params.push(value, table.carried[*column]),
            None => DEFAULT.to_owned(),
        };
        values.push(columns.iter().map(value).collect());
    }
    let lock = lock_for_new_rows(table, &columns, &mut values);
    let names: Vec<String> = columns.iter().map(|column| quote_ident(table.columns[*column])).collect();
    let values: Vec<String> = values.iter().map(|row| format!("({})", row.join(", "))).collect();
    let values = if columns.is_empty() {
        "default values".to_owned()
    } else {
        format!("({}) values {}", names.join(", "), values.join(", "))
    };
    let returning = if returning { format!(" returning {}", selected(table)) } else { String::new() };
    params.statement(format!("{lock}insert into {} {values}{returning}", relation(table)))
}

/// Changes the row of a key: a value or none for every column of the table, at least one of them given.
pub fn update<'a>(table: &Table, key: &[Field<'a>], values: &[Option<Field<'a>>]) -> Statement<'a> {
    let mut params = Parameters::default();
    let key = params.bind_key(table, key);
    let mut given: Vec<Option<String>> = Vec::with_capacity(values.len());
    for (value, carried) in values.iter().zip(table.carried) {
        given.push(value.map(|value| params.push(value, *carried)));
    }
    let set: Vec<String> = table
        .columns
        .iter()
        .zip(&given)
        .filter_map(|(column, value)| Some(format!("{} = {}", quote_ident(column), value.as_ref()?)))
        .collect();
    let (lock, condition) = lock_for_row(table, &key, &given);
    params.statement(format!(
        "{lock}update {} set {} where {condition} returning {}",
        relation(table),
        set.join(", "),
        selected(table)
    ))
}

/// Deletes the row of a key.
pub fn delete<'a>(table: &Table, key: &[Field<'a>]) -> Statement<'a> {
    let mut params = Parameters::default();
    let key = params.bind_key(table, key);
    let (lock, condition) = lock_for_row(table, &key, &[]);
    params.statement(format!("{lock}delete from {} where {condition}", relation(table)))
}

/// Cuts rows into pieces that one INSERT each can take.
pub fn pieces<'r, 'a>(rows: &'r [Vec<Option<Field<'a>>>]) -> impl Iterator<Item = &'r [Vec<Option<Field<'a>>>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut parameters = 0;
        let fits = |row: &&Vec<Option<Field<'a>>>| {
            parameters += row.iter().flatten().count().max(1);
            parameters <= MAX_PARAMETERS
        };
        let piece = rest.iter().take_while(fits).count();
        let (piece, behind) = rest.split_at(piece);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// True once the other rows are locked: a condition that is always true, and that cannot be known without reading all of them.
const LOCKED: &str = "(select count(*) from locked_first) >= 0";

/// The part before an UPDATE or DELETE that locks other rows first, and the condition for the row, which waits for that. `given` has the new
/// values.
fn lock_for_row(table: &Table, key: &[String], given: &[Option<String>]) -> (String, String) {
    let row = equal(&key_names(table), key);
    let is_given = |column: &usize| given.get(*column).is_some_and(Option::is_some);
    let Some(locked) = table.locked_first.as_ref().filter(|locked| locked.concerns(is_given)) else {
        return (String::new(), row);
    };
    let columns: Vec<String> = locked.columns.iter().map(|name| quote_ident(name)).collect();
    let condition = if locked.by == table.key {
        equal(&columns, key)
    } else {
        // Those that belong to the row as it is, and those that belong to it as it will be.
        let now: Vec<String> = locked.by.iter().map(|column| quote_ident(table.columns[*column])).collect();
        let of_row = format!("select {} from {} where {row}", now.join(", "), relation(table));
        let moves = locked.by.iter().any(is_given).then(|| {
            let then = locked.by.iter().zip(&now).map(|(column, now)| given[*column].as_ref().unwrap_or(now).as_str());
            let then: Vec<&str> = then.collect();
            format!(" union all select {} from {} where {row}", then.join(", "), relation(table))
        });
        format!("({}) in ({of_row}{})", columns.join(", "), moves.unwrap_or_default())
    };
    let one = locked.columns == locked.order && locked.by == table.key;
    let order = if one { String::new() } else { locked.in_order() };
    (locked.lock(&condition, &order), format!("{row} and {LOCKED}"))
}

/// The part before an INSERT that locks other rows first. The first value of the first row waits for it.
fn lock_for_new_rows(table: &Table, columns: &[usize], values: &mut [Vec<String>]) -> String {
    let is_given = |column: &usize| columns.contains(column);
    let Some(locked) = table.locked_first.as_ref().filter(|locked| locked.concerns(is_given)) else {
        return String::new();
    };
    let at: Option<Vec<usize>> = locked.by.iter().map(|by| columns.iter().position(|column| column == by)).collect();
    // A row that belongs to none of them: nothing to lock, or the server refuses it anyway.
    let Some(at) = at else { return String::new() };
    let names: Vec<String> = locked.columns.iter().map(|name| quote_ident(name)).collect();
    let keys = values.iter().map(|row| at.iter().map(|at| row[*at].as_str()).collect::<Vec<_>>());
    let keys: Vec<String> =
        keys.filter(|key| !key.contains(&DEFAULT)).map(|key| format!("({})", key.join(", "))).collect();
    let first = values.first_mut().and_then(|row| row.iter_mut().find(|value| *value != DEFAULT));
    let (Some(first), false) = (first, keys.is_empty()) else { return String::new() };
    *first = format!("case when {LOCKED} then {first} end");
    locked.lock(&format!("({}) in (values {})", names.join(", "), keys.join(", ")), &locked.in_order())
}

impl LockedFirst {
    /// Whether what is written makes a difference to the other rows.
    fn concerns(&self, is_given: impl Fn(&usize) -> bool) -> bool {
        self.when.is_empty() || self.when.iter().any(is_given)
    }

    fn in_order(&self) -> String {
        let order: Vec<String> = self.order.iter().map(|name| quote_ident(name)).collect();
        if order.is_empty() { " order by ctid".to_owned() } else { format!(" order by {}", order.join(", ")) }
    }

    /// `no key update` is what an UPDATE of the other row takes: anything weaker would be raised to it by the trigger, and two writers
    /// that hold the weaker lock would then wait for each other.
    fn lock(&self, condition: &str, order: &str) -> String {
        let relation = QualifiedName::new(self.schema, self.name).quoted();
        format!(
            "with locked_first as materialized (select from {relation} where {condition}{order} for no key update) "
        )
    }
}

fn relation(table: &Table) -> String {
    QualifiedName::new(table.schema, table.name).quoted()
}

fn selected(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .zip(table.carried)
        .map(|(name, carried)| match carried {
            Carried::Text(_) => format!("{}::text", quote_ident(name)),
            Carried::Cast(_) => match carried.ty() {
                Some(ty) => format!("{}::{}", quote_ident(name), ty.name()),
                None => quote_ident(name),
            },
            Carried::Native(_) | Carried::Own(_) => quote_ident(name),
        })
        .collect();
    columns.join(", ")
}

fn key_names(table: &Table) -> Vec<String> {
    table.key.iter().map(|column| quote_ident(table.columns[*column])).collect()
}

fn equal(names: &[String], values: &[String]) -> String {
    let conditions: Vec<String> = names.iter().zip(values).map(|(name, value)| format!("{name} = {value}")).collect();
    conditions.join(" and ")
}

#[derive(Default)]
struct Parameters<'a>(Vec<Param<'a>>);

impl<'a> Parameters<'a> {
    /// Adds a parameter, and says what stands for it in the SQL.
    fn push(&mut self, value: Field<'a>, carried: Carried) -> String {
        let ty = carried.ty();
        let n = self.0.len() + 1;
        let sql = match (carried, &ty) {
            (Carried::Text(target), _) => format!("${n}::text::{target}"),
            (Carried::Own(target), _) => format!("${n}::{target}"),
            // The type `"char"`, which without quotes would be `character(1)`.
            (Carried::Native(_), Some(Type::CHAR)) => format!("${n}::\"char\""),
            (Carried::Native(_) | Carried::Cast(_), Some(ty)) => format!("${n}::{}", ty.name()),
            (Carried::Native(_) | Carried::Cast(_), None) => format!("${n}"),
        };
        self.0.push(Param { value, ty });
        sql
    }

    fn bind_key(&mut self, table: &Table, key: &[Field<'a>]) -> Vec<String> {
        table.key.iter().zip(key).map(|(column, value)| self.push(*value, table.carried[*column])).collect()
    }

    fn statement(self, sql: String) -> Statement<'a> {
        Statement { sql, params: self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: u32 = 23;
    const TEXT: u32 = 25;

    static STATES: Table = Table {
        schema: "public",
        name: "Order \"states\"",
        columns: &["order", "kind", "mark"],
        carried: &[Carried::Native(INT4), Carried::Text("\"public\".\"kind\""), Carried::Native(18)],
        key: &[0, 1],
        locked_first: None,
    };

    static PROFILES: Table = Table {
        schema: "public",
        name: "profiles",
        columns: &["user_id", "bio"],
        carried: &[Carried::Native(INT4), Carried::Native(TEXT)],
        key: &[0],
        locked_first: Some(LockedFirst {
            schema: "public",
            name: "users",
            columns: &["id"],
            by: &[0],
            order: &["id"],
            when: &[],
        }),
    };

    /// Many rows are locked before one is written: those that refer to it.
    static COUNTRIES: Table = Table {
        schema: "public",
        name: "countries",
        columns: &["id", "name"],
        carried: &[Carried::Native(INT4), Carried::Native(TEXT)],
        key: &[0],
        locked_first: Some(LockedFirst {
            schema: "public",
            name: "addresses",
            columns: &["country_id"],
            by: &[0],
            order: &["id"],
            when: &[],
        }),
    };

    /// The row is locked that this one references, where the value that they share, or the reference, is written.
    static ORDERS: Table = Table {
        schema: "public",
        name: "orders",
        columns: &["id", "customer_id", "city", "note"],
        carried: &[Carried::Native(INT4), Carried::Native(INT4), Carried::Native(TEXT), Carried::Native(TEXT)],
        key: &[0],
        locked_first: Some(LockedFirst {
            schema: "public",
            name: "customers",
            columns: &["id"],
            by: &[1],
            order: &["id"],
            when: &[1, 2],
        }),
    };

    fn value<T: ToSql + Sync>(value: &T) -> Option<Field<'_>> {
        Some(value)
    }

    #[test]
    fn h66_reads_quote_every_name_and_carry_text_both_ways() {
        assert_eq!(
            find(&STATES, &[&1, &"sold"]).sql,
            "select \"order\", \"kind\"::text, \"mark\" from \"public\".\"Order \"\"states\"\"\" \
             where \"order\" = $1::int4 and \"kind\" = $2::text::\"public\".\"kind\""
        );
        assert_eq!(
            page(&STATES, Some(&[&1, &"sold"]), &10).sql,
            "select \"order\", \"kind\"::text, \"mark\" from \"public\".\"Order \"\"states\"\"\" as page \
             where (page.\"order\", page.\"kind\") > ($1::int4, $2::text::\"public\".\"kind\") \
             order by page.\"order\", page.\"kind\" limit $3::int8"
        );
        assert_eq!(
            page(&PROFILES, None, &10).sql,
            "select \"user_id\", \"bio\" from \"public\".\"profiles\" as page order by page.\"user_id\" limit $1::int8"
        );
    }

    #[test]
    fn columns_without_a_value_are_not_named() {
        assert_eq!(
            insert(&STATES, &[vec![value(&1), None, value(&1_i8)]], false).sql,
            "insert into \"public\".\"Order \"\"states\"\"\" (\"order\", \"mark\") values ($1::int4, $2::\"char\")"
        );
        assert_eq!(
            insert(&STATES, &[vec![value(&1), None, None], vec![None, None, value(&1_i8)]], false).sql,
            "insert into \"public\".\"Order \"\"states\"\"\" (\"order\", \"mark\") values ($1::int4, default), (default, $2::\"char\")"
        );
        assert_eq!(
            insert(&STATES, &[vec![None, None, None]], false).sql,
            "insert into \"public\".\"Order \"\"states\"\"\" default values"
        );
        assert_eq!(
            insert(&STATES, &[vec![None, None, None], vec![None, None, None]], false).sql,
            "insert into \"public\".\"Order \"\"states\"\"\" (\"order\") values (default), (default)"
        );
        assert_eq!(
            update(&STATES, &[&1, &"sold"], &[None, value(&"lent"), None]).sql,
            "update \"public\".\"Order \"\"states\"\"\" set \"kind\" = $3::text::\"public\".\"kind\" \
             where \"order\" = $1::int4 and \"kind\" = $2::text::\"public\".\"kind\" \
             returning \"order\", \"kind\"::text, \"mark\""
        );
    }

    #[test]
    fn writes_of_a_split_off_row_lock_its_source_first() {
        assert_eq!(
            update(&PROFILES, &[&1], &[None, value(&"b")]).sql,
            "with locked_first as materialized (select from \"public\".\"users\" where \"id\" = $1::int4 for no key update) \
             update \"public\".\"profiles\" set \"bio\" = $2::text \
             where \"user_id\" = $1::int4 and (select count(*) from locked_first) >= 0 returning \"user_id\", \"bio\""
        );
        assert_eq!(
            delete(&PROFILES, &[&1]).sql,
            "with locked_first as materialized (select from \"public\".\"users\" where \"id\" = $1::int4 for no key update) \
             delete from \"public\".\"profiles\" where \"user_id\" = $1::int4 and (select count(*) from locked_first) >= 0"
        );
        assert_eq!(
            insert(&PROFILES, &[vec![value(&1), value(&"a")], vec![value(&2), None]], false).sql,
            "with locked_first as materialized (select from \"public\".\"users\" \
             where (\"id\") in (values ($1::int4), ($3::int4)) order by \"id\" for no key update) \
             insert into \"public\".\"profiles\" (\"user_id\", \"bio\") \
             values (case when (select count(*) from locked_first) >= 0 then $1::int4 end, $2::text), ($3::int4, default)"
        );
    }

    #[test]
    fn several_rows_are_locked_in_the_order_of_their_key() {
        assert_eq!(
            update(&COUNTRIES, &[&1], &[None, value(&"b")]).sql,
            "with locked_first as materialized (select from \"public\".\"addresses\" where \"country_id\" = $1::int4 \
             order by \"id\" for no key update) \
             update \"public\".\"countries\" set \"name\" = $2::text \
             where \"id\" = $1::int4 and (select count(*) from locked_first) >= 0 returning \"id\", \"name\""
        );
        assert_eq!(
            insert(&COUNTRIES, &[vec![None, value(&"a")]], false).sql,
            "insert into \"public\".\"countries\" (\"name\") values ($1::text)"
        );
    }

    #[test]
    fn a_row_that_is_referenced_is_locked_where_that_matters() {
        assert_eq!(
            update(&ORDERS, &[&1], &[None, None, value(&"c"), None]).sql,
            "with locked_first as materialized (select from \"public\".\"customers\" \
             where (\"id\") in (select \"customer_id\" from \"public\".\"orders\" where \"id\" = $1::int4) \
             order by \"id\" for no key update) \
             update \"public\".\"orders\" set \"city\" = $2::text \
             where \"id\" = $1::int4 and (select count(*) from locked_first) >= 0 \
             returning \"id\", \"customer_id\", \"city\", \"note\""
        );
        let moved = update(&ORDERS, &[&1], &[None, value(&2), None, None]).sql;
        let both = "in (select \"customer_id\" from \"public\".\"orders\" where \"id\" = $1::int4 \
                    union all select $2::int4 from \"public\".\"orders\" where \"id\" = $1::int4)";
        assert!(moved.contains(both), "{moved}");
        let others = [
            update(&ORDERS, &[&1], &[None, None, None, value(&"n")]).sql,
            delete(&ORDERS, &[&1]).sql,
            insert(&ORDERS, &[vec![value(&1), None, value(&"c"), None]], false).sql,
        ];
        assert!(others.iter().all(|sql| !sql.contains("locked_first")), "{others:?}");
        assert_eq!(
            insert(&ORDERS, &[vec![value(&1), None, None, None], vec![value(&2), value(&3), None, None]], false).sql,
            "with locked_first as materialized (select from \"public\".\"customers\" where (\"id\") in (values ($3::int4)) \
             order by \"id\" for no key update) \
             insert into \"public\".\"orders\" (\"id\", \"customer_id\") \
             values (case when (select count(*) from locked_first) >= 0 then $1::int4 end, default), ($2::int4, $3::int4)"
        );
    }

    #[test]
    fn pieces_stay_below_the_limit_of_parameters() {
        let row = || vec![value(&1), value(&"a")];
        let rows: Vec<_> = (0..70_000).map(|_| row()).collect();
        let pieces: Vec<usize> = pieces(&rows).map(<[_]>::len).collect();
        assert_eq!(pieces, [32_767, 32_767, 4_466]);
        let defaults: Vec<Vec<Option<Field<'_>>>> = (0..70_000).map(|_| vec![None, None]).collect();
        assert_eq!(super::pieces(&defaults).map(<[_]>::len).sum::<usize>(), 70_000);
    }
}
