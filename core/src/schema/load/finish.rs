//! What can be said only when the whole schema is read.

use std::collections::HashMap;

use super::loader::{Loader, Marked};
use super::{alter_table, drop, opaque};
use crate::ident::QualifiedName;
use crate::schema::{ConstraintKind, LEDGER_SCHEMA, Schema, Table, is_marked};

/// Fills in what was left open, and leaves out what belongs to coexist.
pub(super) fn finish(mut loader: Loader) -> Schema {
    leave_out_marked(&mut loader);
    drop::schema(&mut loader, LEDGER_SCHEMA);
    for not_null in std::mem::take(&mut loader.unvalidated) {
        loader.schema.opaque.push(opaque(&not_null.text, not_null.line));
    }
    let mut schema = loader.schema;
    // Statements came from several places; people read them from the top.
    schema.opaque.sort_by_key(|statement| statement.line);
    fill_referenced(&mut schema);
    schema
}

/// `REFERENCES t` without columns means the primary key.
fn fill_referenced(schema: &mut Schema) {
    let keys = schema.tables.iter().map(|(name, table)| (name.clone(), table.primary_key().to_vec()));
    let keys: HashMap<QualifiedName, Vec<String>> = keys.collect();
    for constraint in schema.tables.values_mut().flat_map(|table| &mut table.constraints) {
        if let ConstraintKind::ForeignKey { references, referenced, .. } = &mut constraint.kind
            && referenced.is_empty()
        {
            *referenced = keys.get(references).cloned().unwrap_or_default();
        }
    }
}

/// Leaves out the objects whose comment says that a change in flight made them.
fn leave_out_marked(loader: &mut Loader) {
    for marked in std::mem::take(&mut loader.marked) {
        match marked {
            Marked::Schema(schema) => drop::schema(loader, &schema),
            Marked::Object(name) => {
                loader.schema.sequences.remove(&name);
                loader.schema.views.remove(&name);
                loader.schema.enums.remove(&name);
                loader.schema.domains.remove(&name);
                loader.schema.other_types.remove(&name);
            }
            Marked::Routine(name, arguments) => {
                let is_it = |known: &crate::schema::Function| {
                    known.name == name && super::routine::normalized_arguments(&known.arguments) == arguments
                };
                loader.schema.functions.retain(|function| !is_it(function));
            }
            Marked::OnTable(table, name) => {
                if let Some(table) = loader.table_mut(&table) {
                    table.triggers.retain(|trigger| trigger.name != name);
                    table.policies.retain(|policy| policy.name != name);
                    table.rules.retain(|rule| rule.name != name);
                }
            }
            Marked::NotNull(table, name) => {
                loader.unvalidated.retain(|not_null| not_null.table != table || not_null.name != name);
            }
        }
    }
    let is_ours = |table: &&Table| is_marked(table.comment.as_deref());
    let tables: Vec<QualifiedName> =
        loader.schema.tables.values().filter(is_ours).map(|table| table.name.clone()).collect();
    tables.iter().for_each(|name| drop::table(loader, name));
    let columns = loader.schema.tables.values().flat_map(|table| {
        let marked = table.columns.iter().filter(|column| is_marked(column.comment.as_deref()));
        marked.map(|column| (table.name.clone(), column.name.clone()))
    });
    let columns: Vec<(QualifiedName, String)> = columns.collect();
    for (table, column) in columns {
        alter_table::drop_column(loader, &table, &column);
    }
    for table in loader.schema.tables.values_mut() {
        let ours = |comment: &Option<String>| is_marked(comment.as_deref());
        table.constraints.retain(|constraint| !ours(&constraint.comment) && !ours(&constraint.index_comment));
        table.indexes.retain(|index| !ours(&index.comment));
        table.statistics.retain(|statistics| !ours(&statistics.comment));
    }
}
