//! Labels of enum types.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::{MAX_IDENTIFIER_BYTES, quote_literal};
use crate::model::Shape;
use crate::schema::EnumType;
use crate::syntax::{EnumChange, EnumVerb, LabelPlace};

use super::{at_line, listed, lookup, written_table};

/// The type that a declaration names.
pub fn enum_type<'s>(tree: &EnumChange, shape: &'s Shape, errors: &mut Errors) -> Option<&'s EnumType> {
    let name = lookup::qualified(&tree.ty);
    let schema = shape.schema();
    let found = schema.enums.get(&name);
    if found.is_none() {
        let diagnostic =
            Diagnostic::new(tree.ty.table.span, format!("there is no enum type `{}`", written_table(&name)));
        let shown: Vec<String> = schema.enums.keys().map(written_table).collect();
        let elsewhere = schema.enums.keys().find(|other| tree.ty.schema.is_none() && other.name == name.name);
        let near = elsewhere.map(written_table);
        let near = near.or_else(|| nearest(&written_table(&name), shown.iter().map(String::as_str)).map(str::to_owned));
        errors.push(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None if shown.is_empty() => diagnostic.note(format!("{} declares no enum types", schema.source)),
            None => diagnostic.note(format!("{} declares {}", schema.source, listed(&shown))),
        });
    }
    found
}

/// A label is one value of the type, once.
pub fn is_there(tree: &EnumChange, ty: &EnumType, shape: &Shape) -> Diagnostic {
    Diagnostic::new(
        tree.label.span,
        format!("`{}` has the label {:?} already", written_table(&ty.name), tree.label.value),
    )
    .note(at_line(ty.line, shape.schema()))
    .help("if the change is contracted, delete it from the declaration")
}

/// PostgreSQL refuses longer labels.
pub fn fits(tree: &EnumChange, errors: &mut Errors) -> Option<()> {
    let bytes = tree.label.value.len();
    if (1..=MAX_IDENTIFIER_BYTES).contains(&bytes) {
        return Some(());
    }
    let message =
        if bytes == 0 { "a label cannot be empty".to_owned() } else { format!("the label is {bytes} bytes long") };
    errors.push(
        Diagnostic::new(tree.label.span, message)
            .note(format!("PostgreSQL takes labels of 1 to {MAX_IDENTIFIER_BYTES} bytes"))
            .help("write another one"),
    );
    None
}

/// A label stands beside one that is there.
pub fn stands_beside(place: &LabelPlace, ty: &EnumType, shape: &Shape, errors: &mut Errors) -> Option<()> {
    if ty.labels.contains(&place.label.value) {
        return Some(());
    }
    let message = format!("`{}` has no label {:?}", written_table(&ty.name), place.label.value);
    let diagnostic = Diagnostic::new(place.label.span, message).note(format!(
        "its labels are {} ({})",
        listed(&ty.labels),
        at_line(ty.line, shape.schema())
    ));
    errors.push(match nearest(&place.label.value, ty.labels.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean {near:?}?")),
        None => diagnostic,
    });
    None
}

/// Both spellings of a renamed label cannot be written at once, and PostgreSQL cannot take one away.
pub fn cannot_change(tree: &EnumChange, ty: &EnumType, shape: &Shape) -> Diagnostic {
    let (name, label) = (written_table(&ty.name), &tree.label.value);
    let (message, why, forward) = match &tree.verb {
        EnumVerb::Rename { to } => (
            format!("a label cannot be renamed in place: {label:?} of `{name}`"),
            format!(
                "from that moment on old code, which writes {label:?}, fails; a type has each label in one spelling only"
            ),
            format!("case x::text when {} then {} else x::text end", quote_literal(label), quote_literal(&to.value)),
        ),
        _ => (
            format!("a label cannot be taken away: {label:?} of `{name}`"),
            "PostgreSQL has no statement for it, because rows and indexes may hold it".to_owned(),
            format!("nullif(x::text, {})", quote_literal(label)),
        ),
    };
    let columns: Vec<String> = shape
        .tables()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(_, column)| column.ty.qualified().as_ref() == Some(&ty.name))
        .map(|(table, column)| super::written_column(&table.name, &column.name))
        .collect();
    let used = if columns.is_empty() { "a column".to_owned() } else { listed(&columns) };
    Diagnostic::new(tree.label.span, message).note(why).help(format!(
        "make a second type with the labels as they should be (`sql {{ expand \"create type …\" … }}`), and retype {used} to it, x being the column: `forward \"({})::…\"`",
        forward
    ))
}
