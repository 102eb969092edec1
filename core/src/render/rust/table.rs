//! The tables of a shape with the Rust names and types of their columns: what all generated code is made from.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::names;
use super::overrides;
use super::types::{self, Passing, RustType, TypeSettings};
use crate::ident::QualifiedName;
use crate::model::{Change, Model, Shape, Side};
use crate::schema;

/// A table of one of a change's shapes.
pub(super) struct Table<'a> {
    pub table: &'a schema::Table,
    /// What its statements name: the table, or the view through which this shape sees it.
    pub relation: QualifiedName,
    /// The module of its accessors.
    pub module: Ident,
    pub columns: Vec<Column<'a>>,
    /// The positions of the primary key's columns.
    pub key: Vec<usize>,
    /// What is locked before a row of this table is written.
    pub locked_first: Option<LockedFirst>,
    /// Whether its rows may not be changed before the backfill is complete.
    pub is_filled_late: bool,
}

/// What is locked before a row is written.
pub(super) struct LockedFirst {
    pub relation: QualifiedName,
    pub columns: Vec<String>,
    /// The positions of the columns of the row that is written.
    pub by: Vec<usize>,
    /// The primary key of the rows that are locked.
    pub order: Vec<String>,
    /// Only where one of these columns is written, by position; where there is none, always.
    pub when: Vec<usize>,
}

/// A column with its Rust name and type.
pub(super) struct Column<'a> {
    pub column: &'a schema::Column,
    /// The name of its field.
    pub field: Ident,
    /// The type of its values, without `Option`.
    pub ty: TokenStream,
    /// How its values travel: a `::coexist::__private::Carried`.
    pub carried: TokenStream,
    /// Where its type comes from.
    pub origin: Origin,
    /// Whether a row that does not name it gets a value other than NULL.
    pub has_default: bool,
    /// How a value of a key is passed.
    pub passing: Passing,
}

impl Table<'_> {
    /// Whether it has a primary key.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }
}

impl Column<'_> {
    /// Its type as SQL: `bigint not null`.
    pub fn sql(&self) -> String {
        format!("{}{}", self.column.ty, if self.column.not_null { " not null" } else { "" })
    }

    /// What its fields' docs say.
    pub fn docs(&self) -> String {
        let mut docs = format!("`{}`: `{}`", self.column.name, self.sql());
        if self.origin == Origin::Text {
            docs.push_str(", in its text form");
        }
        docs.push('.');
        if let Some(comment) = &self.column.comment {
            docs.push(' ');
            docs.push_str(comment);
        }
        docs
    }

    /// The type of its field in a row.
    pub fn row_type(&self) -> TokenStream {
        let ty = &self.ty;
        if self.column.not_null {
            quote! { #ty }
        } else {
            quote! { ::core::option::Option<#ty> }
        }
    }

    /// What an INSERT has to say of it.
    pub fn in_insert(&self) -> InInsert {
        if self.column.generated.is_some() || self.column.identity.as_ref().is_some_and(|identity| identity.always) {
            InInsert::Never
        } else if self.has_default {
            InInsert::Defaulted
        } else if self.column.not_null {
            InInsert::Required
        } else {
            InInsert::Nullable
        }
    }

    /// The type of its field in an `Insert`.
    pub fn insert_type(&self) -> TokenStream {
        if self.in_insert() == InInsert::Defaulted { self.update_type() } else { self.row_type() }
    }

    /// The type of its parameter in `Insert::new`. Numbers are taken as they are: a literal has no type of its own that could be converted.
    pub fn new_type(&self) -> TokenStream {
        let ty = &self.ty;
        if self.is_borrowed() {
            quote! { impl ::core::convert::Into<#ty> }
        } else {
            quote! { #ty }
        }
    }

    /// Whether its values have a borrowed form.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.passing, Passing::Str | Passing::Bytes)
    }

    /// The type of its field in an `Update`.
    pub fn update_type(&self) -> TokenStream {
        let ty = self.row_type();
        quote! { ::coexist::Value<#ty> }
    }

    /// The type of its parameter in a key.
    pub fn key_type(&self) -> TokenStream {
        let ty = &self.ty;
        match self.passing {
            Passing::Copy => quote! { #ty },
            Passing::Str => quote! { &str },
            Passing::Bytes => quote! { &[u8] },
            Passing::Reference => quote! { &#ty },
        }
    }

    /// Its value in a row: a `Result`.
    pub fn read(&self, position: usize) -> TokenStream {
        let position = Literal::usize_unsuffixed(position);
        if self.origin == Origin::Own {
            let ty = self.row_type();
            quote! { ::coexist::__private::Overridden::<#ty>::read(row, #position) }
        } else {
            quote! { row.try_get(#position) }
        }
    }

    /// A parameter, in an `Option`, of a place that holds a value.
    pub fn parameter(&self, place: &TokenStream) -> TokenStream {
        if self.origin == Origin::Own {
            let ty = &self.ty;
            quote! { ::core::option::Option::Some(::coexist::__private::Overridden::<#ty>::field(&#place)) }
        } else {
            quote! { ::coexist::__private::always(&#place) }
        }
    }

    /// A parameter, in an `Option`, of a place of type `ty`, which may hold a value.
    pub fn optional_parameter(&self, place: &TokenStream, ty: &TokenStream) -> TokenStream {
        if self.origin == Origin::Own {
            quote! { ::coexist::__private::Overridden::<#ty>::given(&#place) }
        } else {
            quote! { ::coexist::__private::given(&#place) }
        }
    }

    /// A parameter of a variable of the [key's type](Self::key_type), or of a reference to one.
    pub fn key_parameter(&self, variable: &Ident, reference: bool) -> TokenStream {
        match (self.origin, reference) {
            (Origin::Own, _) => {
                let ty = &self.ty;
                quote! { ::coexist::__private::Overridden::<#ty>::field(#variable) }
            }
            (_, true) => quote! { #variable as ::coexist::__private::Field<'_> },
            (_, false) => quote! { &#variable },
        }
    }
}

/// What an INSERT has to say of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InInsert {
    /// Nothing: the database makes its values.
    Never,
    /// A value.
    Required,
    /// A value, or none for NULL.
    Nullable,
    /// A value, or none for the default.
    Defaulted,
}

/// One shape of a change, with what the types of its columns depend on.
pub(super) struct ShapeOf<'a> {
    pub model: &'a Model,
    pub change: &'a Change,
    pub side: Side,
    pub settings: &'a TypeSettings,
}

impl<'a> ShapeOf<'a> {
    fn shape(&self) -> &'a Shape {
        match self.side {
            Side::Before => &self.change.before,
            Side::After => &self.change.after_shape,
        }
    }

    /// The tables that the change touches.
    pub fn tables(&self) -> Vec<Table<'a>> {
        let names = match self.side {
            Side::Before => &self.change.before_tables,
            Side::After => &self.change.after_tables,
        };
        let tables: Vec<&schema::Table> = names.iter().filter_map(|name| self.shape().table(name)).collect();
        let modules: Vec<String> = tables.iter().map(|table| module_name(table)).collect();
        let modules = names::identifiers(modules.iter().map(String::as_str), &[]);
        tables.into_iter().zip(modules).map(|(table, module)| self.table(table, module)).collect()
    }

    fn table(&self, table: &'a schema::Table, module: Ident) -> Table<'a> {
        let fields = names::identifiers(table.columns.iter().map(|column| column.name.as_str()), &[]);
        let columns = table.columns.iter().zip(fields);
        let operations = || self.change.operations.iter();
        let position = |name: &String| table.columns.iter().position(|column| column.name == *name);
        let view = || self.change.view_of(&table.name).filter(|_| self.side == Side::After);
        Table {
            table,
            relation: view().unwrap_or_else(|| table.name.clone()),
            module,
            columns: columns.map(|(column, field)| self.column(table, column, field)).collect(),
            key: table.primary_key().iter().filter_map(position).collect(),
            locked_first: operations()
                .find_map(|operation| operation.kind.locked_first(self.side, &table.name, table.primary_key()))
                .map(|locked| LockedFirst {
                    relation: locked.table.clone(),
                    order: self
                        .shape()
                        .table(locked.table)
                        .map(|table| table.primary_key().to_vec())
                        .unwrap_or_default(),
                    by: locked.by.iter().filter_map(position).collect(),
                    when: locked.when.iter().filter_map(position).collect(),
                    columns: locked.columns,
                }),
            is_filled_late: self.side == Side::After
                && operations().any(|operation| operation.kind.is_filled_late(&table.name)),
        }
    }

    fn column(&self, table: &schema::Table, column: &'a schema::Column, field: Ident) -> Column<'a> {
        let sql_type = types::underlying(&column.ty, self.shape());
        let mut operations = self.change.operations.iter().filter(|_| self.side == Side::After);
        let is_cast = operations.any(|operation| operation.kind.is_cast(&table.name, &column.name));
        let native = types::oid(sql_type).map(|oid| {
            let oid = Literal::u32_unsuffixed(oid);
            if is_cast {
                quote! { Carried::Cast(#oid) }
            } else {
                quote! { Carried::Native(#oid) }
            }
        });
        let target = types::cast_target(&column.ty);
        let (ty, carried, passing, origin) =
            match (overrides::of(self, table, column), types::rust_type(sql_type, self.settings), native) {
                (Some(of), _, native) if !of.is_text => {
                    let carried = native.unwrap_or_else(|| quote! { Carried::Own(#target) });
                    (of.path(self.model), carried, Passing::Reference, Origin::Own)
                }
                (of, RustType::Native(ty), Some(native))
                    if of.is_none() || types::passing(sql_type) == Passing::Str =>
                {
                    (ty, native, types::passing(sql_type), Origin::Native)
                }
                // Also where a feature is off: the front end says so, and the rest of the code is made as far as it can be.
                _ => {
                    let string = quote! { ::std::string::String };
                    (string, quote! { Carried::Text(#target) }, Passing::Str, Origin::Text)
                }
            };
        let has_default =
            column.default.is_some() || column.identity.is_some() || types::has_default(&column.ty, self.shape());
        Column { column, field, ty, carried, origin, has_default, passing }
    }
}

/// Where the Rust type of a column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The SQL type has it.
    Native,
    /// It is the text form of a type that has none.
    Text,
    /// It is one of the user's own, and may turn out not to convert.
    Own,
}

/// Tables of `public` go by their name, others by the schema's and theirs.
fn module_name(table: &schema::Table) -> String {
    match table.name.schema.as_str() {
        "public" => table.name.name.clone(),
        schema => format!("{schema}_{}", table.name.name),
    }
}
