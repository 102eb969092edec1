//! Statements made of schema objects. Every name is quoted here and nowhere is SQL put into SQL but as a whole expression.

use crate::ident::{QualifiedName, dollar_tag, quote_ident, quote_literal};
pub use crate::render::block::Block;
use crate::schema::{Column, Constraint, ConstraintKind, Index, IndexTarget, OWNERSHIP_MARK, Statistics};

/// `"a", "b"`
pub fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ")
}

/// `"a" text collate "s"."c"`, without NOT NULL and default.
pub fn column_definition(column: &Column) -> String {
    let collation = column.collation.as_ref().map(|name| format!(" collate {}", name.quoted())).unwrap_or_default();
    format!("{} {}{collation}", quote_ident(&column.name), column.ty)
}

/// Statistics target, storage, compression and options of a column, where they are not the defaults.
pub fn column_settings(table: &QualifiedName, column: &Column) -> Vec<String> {
    let alter = format!("alter table {} alter column {}", table.quoted(), quote_ident(&column.name));
    let mut statements = Vec::new();
    if let Some(target) = column.statistics_target {
        statements.push(format!("{alter} set statistics {target}"));
    }
    if let Some(storage) = &column.storage {
        statements.push(format!("{alter} set storage {storage}"));
    }
    if let Some(compression) = &column.compression {
        statements.push(format!("{alter} set compression {compression}"));
    }
    for (name, value) in &column.options {
        statements.push(format!("{alter} set ({name} = {value})"));
    }
    statements
}

/// `comment on <object> is 'coexist: <change>'`: says whose object this is, to people, to `pull` and to the next run.
pub fn mark(object: &str, change: &str) -> String {
    format!("comment on {object} is {}", quote_literal(&format!("{OWNERSHIP_MARK}{change}")))
}

/// Stops where a column or (without `column`) a table exists and does not bear the change's mark: it is somebody else's, or the contract has
/// made it the user's own (H76).
pub fn refuse_unless_marked(table: &QualifiedName, column: Option<&str>, change: &str) -> String {
    let regclass = regclass(table);
    let (from, comment, what) = match column {
        Some(column) => (
            format!(
                "pg_catalog.pg_attribute a where a.attrelid = {regclass} and a.attname = {} and not a.attisdropped",
                quote_literal(column)
            ),
            "pg_catalog.col_description(a.attrelid, a.attnum)",
            format!("column {column} of {table}"),
        ),
        None => (
            format!("pg_catalog.pg_class a where a.oid = {regclass}"),
            "pg_catalog.obj_description(a.oid, 'pg_class')",
            format!("table {table}"),
        ),
    };
    refuse(&from, comment, &what, change)
}

/// The same for a constraint.
pub fn refuse_unless_marked_constraint(table: &QualifiedName, name: &str, change: &str) -> String {
    let comment = "pg_catalog.obj_description(a.oid, 'pg_constraint')";
    refuse(&this_constraint(table, name), comment, &format!("constraint {name} of {table}"), change)
}

/// Runs statements only while a table has a constraint.
pub fn while_constrained(table: &QualifiedName, name: &str, statements: &[String]) -> String {
    let mut body = Block::default();
    body.open("begin");
    body.open(format!("if exists (select from {}) then", this_constraint(table, name)));
    for statement in statements {
        body.line(format!("{statement};"));
    }
    body.close("end if;");
    body.close("end");
    anonymous(body)
}

/// `pg_constraint a where …`
fn this_constraint(table: &QualifiedName, name: &str) -> String {
    format!("pg_catalog.pg_constraint a where a.conrelid = {} and a.conname = {}", regclass(table), quote_literal(name))
}

fn regclass(table: &QualifiedName) -> String {
    format!("pg_catalog.to_regclass({})", quote_literal(&table.quoted()))
}

fn refuse(from: &str, comment: &str, what: &str, change: &str) -> String {
    let mark = quote_literal(&format!("{OWNERSHIP_MARK}{change}"));
    let message = format!("{what} does not belong to the change {change}: nothing is taken back");
    let hint = "It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.";
    let mut body = Block::default();
    body.open("begin");
    body.open(format!("if exists (select from {from} and {comment} is distinct from {mark}) then"));
    body.line(format!("raise exception using message = {},", quote_literal(&message)));
    body.line(format!("  hint = {};", quote_literal(hint)));
    body.close("end if;");
    body.close("end");
    anonymous(body)
}

/// For the rest of the transaction, names in statements of the user's own are looked up, and made, in `public` and beside these tables.
pub fn set_local_search_path<'a>(tables: impl IntoIterator<Item = &'a QualifiedName>) -> String {
    let mut path = vec!["public".to_owned()];
    for table in tables {
        if !path.contains(&table.schema) {
            path.push(table.schema.clone());
        }
    }
    path.push("pg_temp".to_owned());
    format!("set local search_path = {}", names(&path))
}

/// `comment on <object> is …`, or takes the comment away.
pub fn comment(object: &str, comment: Option<&str>) -> String {
    format!("comment on {object} is {}", comment.map_or_else(|| "null".to_owned(), quote_literal))
}

/// ` deferrable`, ` deferrable initially deferred`, or nothing.
pub fn deferrability(constraint: &Constraint) -> &'static str {
    match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " deferrable initially deferred",
        (true, false) => " deferrable",
        (false, false) => "",
    }
}

/// What a constraint says, after `add constraint <name>`.
pub fn constraint_definition(constraint: &Constraint) -> String {
    let definition = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include, with } => {
            format!("primary key ({}){}{}", names(columns), including(include), storage(with))
        }
        ConstraintKind::Unique { columns, include, nulls_not_distinct, with } => {
            let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
            format!("unique{nulls} ({}){}{}", names(columns), including(include), storage(with))
        }
        ConstraintKind::Check { expression, no_inherit } => {
            format!("check ({}){}", expression.text, if *no_inherit { " no inherit" } else { "" })
        }
        ConstraintKind::ForeignKey {
            columns,
            references,
            referenced,
            on_update,
            on_delete,
            on_delete_columns,
            match_full,
        } => {
            let mut definition =
                format!("foreign key ({}) references {} ({})", names(columns), references.quoted(), names(referenced));
            if *match_full {
                definition.push_str(" match full");
            }
            if *on_update != Default::default() {
                definition.push_str(&format!(" on update {}", on_update.as_sql().to_lowercase()));
            }
            if *on_delete != Default::default() {
                definition.push_str(&format!(" on delete {}", on_delete.as_sql().to_lowercase()));
            }
            if !on_delete_columns.is_empty() {
                definition.push_str(&format!(" ({})", names(on_delete_columns)));
            }
            definition
        }
        ConstraintKind::Exclude { definition, .. } => definition.text.clone(),
    };
    format!("{definition}{}", deferrability(constraint))
}

/// `create [unique] index concurrently <name> on <table> …`
pub fn create_index(table: &QualifiedName, name: &str, index: &Index) -> String {
    index_statement("index concurrently", table, name, index)
}

/// `create [unique] index <name> on <table> …`, for a table that nobody uses yet.
pub fn create_first_index(table: &QualifiedName, index: &Index) -> String {
    index_statement("index", table, &index.name, index)
}

fn index_statement(what: &str, table: &QualifiedName, name: &str, index: &Index) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let mut text = index_target(&key.on);
            if let Some(collation) = &key.collation {
                text.push_str(&format!(" collate {}", collation.quoted()));
            }
            if let Some(operator_class) = &key.operator_class {
                text.push_str(&format!(" {operator_class}"));
            }
            if key.descending {
                text.push_str(" desc");
            }
            match key.nulls_first {
                Some(true) => text.push_str(" nulls first"),
                Some(false) => text.push_str(" nulls last"),
                None => {}
            }
            text
        })
        .collect();
    let unique = if index.unique { "unique " } else { "" };
    let nulls = if index.nulls_not_distinct { " nulls not distinct" } else { "" };
    let tablespace =
        index.tablespace.as_ref().map(|name| format!(" tablespace {}", quote_ident(name))).unwrap_or_default();
    let predicate = index.predicate.as_ref().map(|predicate| format!(" where {}", predicate.text)).unwrap_or_default();
    format!(
        "create {unique}{what} {} on {} using {} ({}){}{nulls}{}{tablespace}{predicate}",
        quote_ident(name),
        table.quoted(),
        quote_ident(&index.method),
        keys.join(", "),
        including(&index.include),
        storage(&index.with),
    )
}

/// `create statistics <name> (kinds) on … from <table>`
pub fn create_statistics(table: &QualifiedName, name: &QualifiedName, statistics: &Statistics) -> String {
    let kinds = if statistics.kinds.is_empty() { String::new() } else { format!(" ({})", statistics.kinds.join(", ")) };
    let on: Vec<String> = statistics.on.iter().map(index_target).collect();
    format!("create statistics {}{kinds} on {} from {}", name.quoted(), on.join(", "), table.quoted())
}

/// `"a"`, or `(lower(a))`
pub fn index_target(target: &IndexTarget) -> String {
    match target {
        IndexTarget::Column(name) => quote_ident(name),
        IndexTarget::Expression(sql) => format!("({})", sql.text),
    }
}

fn including(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" include ({})", names(columns)) }
}

fn storage(parameters: &[(String, String)]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let list: Vec<String> = parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!(" with ({})", list.join(", "))
}

/// `create function <name>(<parameters>) returns <returns> language plpgsql <attributes> as $coexist$ … $coexist$`
pub fn create_function(
    name: &QualifiedName,
    parameters: &str,
    returns: &str,
    attributes: &[String],
    body: Block,
) -> String {
    let body = String::from(body);
    let tag = dollar_tag(&body);
    let attributes: String = attributes.iter().map(|attribute| format!("\n{attribute}")).collect();
    format!(
        "create function {}({parameters}) returns {returns}\nlanguage plpgsql{attributes}\nas {tag}\n{body}{tag}",
        name.quoted()
    )
}

/// What a conversion raises for a value that it does not take, as an exception handler names it.
pub const CONVERSION_ERRORS: &str = "data_exception or check_violation or not_null_violation or raise_exception";

/// A `do` block.
pub fn anonymous(body: Block) -> String {
    let body = String::from(body);
    let tag = dollar_tag(&body);
    format!("do {tag}\n{body}{tag}")
}
