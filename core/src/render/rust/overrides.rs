//! Rust types of columns that the declaration overrides: `type users.bio = crate::Markdown;`.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::names;
use super::table::ShapeOf;
use crate::ident::QualifiedName;
use crate::model::{Model, Side, TypeOverride};
use crate::schema;

/// An override that applies to a column.
pub(super) struct Override {
    position: usize,
    /// It asks for the text form, which no Rust type has natively.
    pub is_text: bool,
}

impl Override {
    /// The type, for code in the module of a table.
    pub fn path(&self, model: &Model) -> TokenStream {
        let alias = &aliases(model)[self.position];
        // The table, its shape, its change: the alias stands beside the change's module.
        quote! { super::super::super::#alias }
    }
}

/// The override for a column of a shape. Where a change keeps values under another name, it is theirs under both names.
pub(super) fn of(shape: &ShapeOf<'_>, table: &schema::Table, column: &schema::Column) -> Option<Override> {
    let find = |table: &QualifiedName, column: &str| {
        shape.model.types.iter().position(|of| of.table == *table && of.column == column)
    };
    let before = |table: &QualifiedName, column: &str| {
        let mut operations = shape.change.operations.iter().filter(|_| shape.side == Side::After);
        let (table, column) = operations.find_map(|operation| operation.kind.same_values(table, column))?;
        find(table, column)
    };
    let position = find(&table.name, &column.name).or_else(|| before(&table.name, &column.name))?;
    let of = &shape.model.types[position];
    Some(Override { position, is_text: is_text(of) })
}

/// The types under names of their own, so that they are written once, where they were declared; and what they must be able to do.
pub(super) fn expand(model: &Model) -> TokenStream {
    let overrides = model.types.iter().zip(aliases(model)).filter(|(of, _)| !is_text(of));
    overrides
        .map(|(of, alias)| {
            let rust = &of.rust;
            let docs = format!("The Rust type of `{}.{}`.", of.table, of.column);
            // The only place that finds fault with it: see `::coexist::__private::Overridden`.
            quote_spanned! {of.span=>
                #[doc = #docs]
                pub type #alias = #rust;
                const _: fn() = ::coexist::__private::assert_column_type::<#rust>;
            }
        })
        .collect()
}

fn aliases(model: &Model) -> Vec<Ident> {
    let names: Vec<String> = model.types.iter().map(|of| names::type_name(&[&of.table.name, &of.column])).collect();
    names::identifiers(names.iter().map(String::as_str), &[])
}

fn is_text(of: &TypeOverride) -> bool {
    of.rust.to_string() == "String"
}
