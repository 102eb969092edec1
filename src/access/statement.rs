//! The statements of accessors, as text and parameters. Whoever runs them, waiting or not, takes them from here.

use coexist_core::ident::{QualifiedName, quote_ident};
use postgres::types::{ToSql, Type};

use super::table::{Carried, Source, Table};
use crate::executor::Param;

/// A value of a column.
pub type Field<'a> = &'a (dyn ToSql + Sync);

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
            None => "default".to_owned(),
        };
        values.push(columns.iter().map(value).collect());
    }
    let lock = lock_source_of_new_rows(table, &columns, &mut values);
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
    let mut set = Vec::new();
    for (column, value) in values.iter().enumerate() {
        if let Some(value) = value {
            set.push(format!(
                "{} = {}",
                quote_ident(table.columns[column]),
                params.push(*value, table.carried[column])
            ));
        }
    }
    let (lock, condition) = lock_source_of_row(table, &key);
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
    let (lock, condition) = lock_source_of_row(table, &key);
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

/// True once the rows of the source are locked: a condition that is always true, and that cannot be known without reading all of them.
const SOURCE_IS_LOCKED: &str = "(select count(*) from source) >= 0";

/// The part before an UPDATE or DELETE that locks the source's row, and the condition for the row, which waits for that lock.
fn lock_source_of_row(table: &Table, key: &[String]) -> (String, String) {
    let row = equal(&key_names(table), key);
    match &table.source {
        Some(source) => {
            let names: Vec<String> = source.key.iter().map(|name| quote_ident(name)).collect();
            (lock_source(source, &equal(&names, key)), format!("{row} and {SOURCE_IS_LOCKED}"))
        }
        None => (String::new(), row),
    }
}

/// The part before an INSERT that locks the source's rows. The first value of the key waits for it.
fn lock_source_of_new_rows(table: &Table, columns: &[usize], values: &mut [Vec<String>]) -> String {
    let Some(source) = &table.source else { return String::new() };
    let key: Option<Vec<usize>> = table.key.iter().map(|key| columns.iter().position(|column| column == key)).collect();
    // Without a value for its key a row is refused by the server anyway.
    let Some(key) = key else { return String::new() };
    let names: Vec<String> = source.key.iter().map(|name| quote_ident(name)).collect();
    let names = names.join(", ");
    let keys: Vec<String> = values
        .iter()
        .map(|row| format!("({})", key.iter().map(|at| row[*at].as_str()).collect::<Vec<_>>().join(", ")))
        .collect();
    if let (Some(row), Some(first)) = (values.first_mut(), key.first()) {
        row[*first] = format!("case when {SOURCE_IS_LOCKED} then {} end", row[*first]);
    }
    lock_source(source, &format!("({names}) in (values {}) order by {names}", keys.join(", ")))
}

/// `no key update` is what an UPDATE of the moved columns takes: anything weaker would be raised to it by the trigger, and two writers
/// that hold the weaker lock would then wait for each other.
fn lock_source(source: &Source, condition: &str) -> String {
    let relation = QualifiedName::new(source.schema, source.name).quoted();
    format!("with source as materialized (select from {relation} where {condition} for no key update) ")
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
        source: None,
    };

    static PROFILES: Table = Table {
        schema: "public",
        name: "profiles",
        columns: &["user_id", "bio"],
        carried: &[Carried::Native(INT4), Carried::Native(TEXT)],
        key: &[0],
        source: Some(Source { schema: "public", name: "users", key: &["id"] }),
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
            "with source as materialized (select from \"public\".\"users\" where \"id\" = $1::int4 for no key update) \
             update \"public\".\"profiles\" set \"bio\" = $2::text \
             where \"user_id\" = $1::int4 and (select count(*) from source) >= 0 returning \"user_id\", \"bio\""
        );
        assert_eq!(
            delete(&PROFILES, &[&1]).sql,
            "with source as materialized (select from \"public\".\"users\" where \"id\" = $1::int4 for no key update) \
             delete from \"public\".\"profiles\" where \"user_id\" = $1::int4 and (select count(*) from source) >= 0"
        );
        assert_eq!(
            insert(&PROFILES, &[vec![value(&1), value(&"a")], vec![value(&2), None]], false).sql,
            "with source as materialized (select from \"public\".\"users\" \
             where (\"id\") in (values ($1::int4), ($3::int4)) order by \"id\" for no key update) \
             insert into \"public\".\"profiles\" (\"user_id\", \"bio\") \
             values (case when (select count(*) from source) >= 0 then $1::int4 end, $2::text), ($3::int4, default)"
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
