//! What a column needs to become wider under its own name.

use proc_macro2::Span;

use super::{at_line, written_column};
use crate::diagnostic::{Diagnostic, Errors};
use crate::model::Shape;
use crate::model::apply::widen::{is_wider, width};
use crate::schema::{Column, ConstraintKind, SqlType, Table};
use crate::syntax::Widen;

/// Only among integers is every value of the old type one of the new type as well, and written in the same way by old and new code.
pub fn is_a_wider_type(
    table: &Table,
    column: &Column,
    ty: &SqlType,
    tree: &Widen,
    shape: &Shape,
    errors: &mut Errors,
) -> bool {
    if is_wider(ty, &column.ty) {
        return true;
    }
    let name = written_column(&table.name, &column.name);
    let place = at_line(column.line, shape.schema());
    errors.push(match (width(&column.ty), width(ty)) {
        (Some(old), Some(new)) if old == new => {
            Diagnostic::new(tree.ty.span, format!("`{name}` is of type `{ty}` already"))
                .note(place)
                .help("leave the change out")
        }
        (Some(_), Some(_)) => Diagnostic::new(tree.ty.span, format!("`{ty}` is narrower than `{}`", column.ty))
            .note(format!("`{name}`, {place}; `widen` goes from `smallint` to `integer` to `bigint`"))
            .help(format!(
                "write `retype {name} to <new_name>: {ty} {{ … }}`, which says what a value that does not fit does"
            )),
        (None, _) => {
            Diagnostic::new(tree.column.column.span, format!("`{name}` holds no integers, but `{}`", column.ty))
                .note(format!("{place}; `widen` takes a `smallint` or an `integer` column"))
                .help(format!("write `retype {name} to <new_name>: {ty} {{ … }}`"))
        }
        (_, None) => Diagnostic::new(tree.ty.span, format!("`{ty}` is no wider type of integers"))
            .note("`widen` goes from `smallint` to `integer` to `bigint`")
            .help(format!("for another type, write `retype {name} to <new_name>: {ty} {{ … }}`")),
    });
    false
}

/// A reference that is wider than its key would hold values that the key cannot have: the key comes first, and its references follow.
pub fn begins_at_the_key(table: &Table, column: &Column, ty: &SqlType, span: Span, shape: &Shape, errors: &mut Errors) {
    for constraint in &table.constraints {
        let ConstraintKind::ForeignKey { columns, references, referenced, .. } = &constraint.kind else { continue };
        let Some(key) = columns.iter().zip(referenced).find(|(from, _)| **from == column.name).map(|(_, to)| to) else {
            continue;
        };
        let is_itself = *references == table.name && *key == column.name;
        let narrower =
            shape.table(references).and_then(|table| table.column(key)).is_some_and(|key| is_wider(ty, &key.ty));
        if narrower && !is_itself {
            let (name, key) = (written_column(&table.name, &column.name), written_column(references, key));
            errors.push(
                Diagnostic::new(span, format!("`{name}` references `{key}`, and would be wider than that"))
                    .note(format!("constraint `{}`, {}", constraint.name, at_line(constraint.line, shape.schema())))
                    .help(format!("write `widen {key} to {ty};`: every column that references it follows by itself")),
            );
        }
    }
}
