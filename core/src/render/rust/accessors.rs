//! The module of a table: its rows as structs, and the functions that read and write them.
//!
//! The functions are one call each of what they have in common in `::coexist::__private`: what is generated here is compiled anew in every
//! crate that declares a change.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use super::derives::{self, Target, Trait};
use super::module::Instead;
use super::names;
use super::proofs::{CHANGES, READS, WRITES};
use super::table::{Column, InInsert, LockedFirst, Origin, Table};
use super::tombstones;
use crate::ident::QualifiedName;
use crate::model::Side;

/// What becomes of the code for a table.
pub(super) enum Form<'a> {
    /// It works.
    Working(Side),
    /// It works for the before shape, and its use is deprecated.
    Deprecated(&'a Instead),
    /// Its use does not compile, and says this.
    Tombstone(&'a str),
}

/// The module of a table.
pub(super) fn module(table: &Table<'_>, form: &Form<'_>) -> TokenStream {
    let name = &table.module;
    let docs = format!("The table `{}`.{}", table.table.name, if table.has_key() { "" } else { NO_KEY });
    let columns = columns(table, form);
    let row = row(table);
    let row = if let Form::Tombstone(_) = form { tombstones::row(&row.docs) } else { row.expand(form) };
    let structs = [insert(table), update(table)].map(|item| item.expand(form));
    let new = insert_new(table, form);
    let functions = functions(table).into_iter().map(|function| function.expand(form));
    let conversions = match form {
        Form::Working(_) | Form::Deprecated(_) => conversions(table),
        Form::Tombstone(_) => TokenStream::new(),
    };
    quote! {
        #[doc = #docs]
        pub mod #name {
            #columns
            #row
            #(#structs)*
            #new
            #(#functions)*
            #conversions
        }
    }
}

const NO_KEY: &str = "\n\nIt has no primary key, so that no function here can tell one row from another: there is only `insert` and `insert_many`.";

/// The attribute for an item whose use is deprecated.
fn deprecation(form: &Form<'_>, item: &str) -> TokenStream {
    match form {
        Form::Deprecated(instead) => {
            let note = instead.note(item);
            quote! { #[deprecated(note = #note)] }
        }
        Form::Tombstone(note) => quote! { #[deprecated(note = #note)] },
        Form::Working(_) => TokenStream::new(),
    }
}

fn columns(table: &Table<'_>, form: &Form<'_>) -> TokenStream {
    let docs = "The names of the columns, as a statement that selects a `Row` has to list them.";
    if let Form::Tombstone(_) = form {
        return tombstones::columns(docs);
    }
    let names = table.columns.iter().map(|column| &column.column.name);
    let deprecated = deprecation(form, "COLUMNS");
    quote! {
        #[doc = #docs]
        #deprecated
        pub const COLUMNS: &[&str] = &[#(#names),*];
    }
}

/// What the functions know of the table, and how its structs become parameters and rows.
fn conversions(table: &Table<'_>) -> TokenStream {
    let QualifiedName { schema, name } = &table.relation;
    let carried = table.columns.iter().map(|column| &column.carried);
    let key = table.key.iter().map(|position| Literal::usize_unsuffixed(*position));
    let locked_first = match &table.locked_first {
        Some(LockedFirst { relation, columns, by, order, when }) => {
            let QualifiedName { schema, name } = relation;
            let [by, when] = [by, when].map(|positions| positions.iter().copied().map(Literal::usize_unsuffixed));
            quote! {
                ::core::option::Option::Some(::coexist::__private::LockedFirst {
                    schema: #schema,
                    name: #name,
                    columns: &[#(#columns),*],
                    by: &[#(#by),*],
                    order: &[#(#order),*],
                    when: &[#(#when),*],
                })
            }
        }
        None => quote! { ::core::option::Option::None },
    };
    let row = table.columns.iter().enumerate().map(|(position, column)| {
        let field = &column.field;
        let value = column.read(position);
        quote! { #field: #value? }
    });
    let none = quote! { ::core::option::Option::None };
    let inserted = table.columns.iter().map(|column| {
        let field = &column.field;
        match column.in_insert() {
            InInsert::Never => none.clone(),
            InInsert::Required => column.parameter(&quote! { self.#field }),
            InInsert::Nullable | InInsert::Defaulted => {
                column.optional_parameter(&quote! { self.#field }, &column.insert_type())
            }
        }
    });
    let updated = table.columns.iter().map(|column| {
        let field = &column.field;
        match column.in_insert() {
            InInsert::Never => none.clone(),
            _ => column.optional_parameter(&quote! { self.#field }, &column.update_type()),
        }
    });
    let [inserted, updated] =
        [(quote! { Insert }, quote! { #(#inserted),* }), (quote! { Update }, quote! { #(#updated),* })].map(
            |(item, values)| {
                quote! {
                    #[automatically_derived]
                    impl ::coexist::__private::Values for #item {
                        fn values(&self) -> ::std::vec::Vec<::core::option::Option<::coexist::__private::Field<'_>>> {
                            ::std::vec::Vec::from([#values])
                        }
                    }
                }
            },
        );
    // Found by the compiler where a type of the user's own does not convert.
    let unconvertible = table.columns.iter().any(|column| column.origin == Origin::Own).then(|| {
        quote! {
            #[allow(unused_imports)]
            use ::coexist::__private::Unconvertible as _;
        }
    });
    quote! {
        #unconvertible
        static TABLE: ::coexist::__private::Table = {
            use ::coexist::__private::Carried;
            ::coexist::__private::Table {
                schema: #schema,
                name: #name,
                columns: COLUMNS,
                carried: &[#(#carried),*],
                key: &[#(#key),*],
                locked_first: #locked_first,
            }
        };
        #[automatically_derived]
        impl ::coexist::__private::FromRow for Row {
            fn from_row(row: &::coexist::__private::DbRow) -> ::core::result::Result<Self, ::coexist::__private::DbError> {
                ::core::result::Result::Ok(Self { #(#row),* })
            }
        }
        #inserted
        #updated
    }
}

/// A struct with public fields.
struct Struct {
    name: &'static str,
    docs: String,
    traits: &'static [Trait],
    fields: Vec<Field>,
}

struct Field {
    docs: String,
    name: Ident,
    ty: TokenStream,
    /// The type of the user's own that is in it.
    own: Option<TokenStream>,
}

impl Struct {
    fn expand(&self, form: &Form<'_>) -> TokenStream {
        let docs = &self.docs;
        let name = Ident::new(self.name, Span::call_site());
        let deprecated = deprecation(form, self.name);
        let target = Target {
            name: &name,
            fields: self.fields.iter().map(|field| &field.name).collect(),
            own: self.fields.iter().filter_map(|field| field.own.as_ref()).collect(),
        };
        let is_gone = matches!(form, Form::Tombstone(_));
        let traits: Vec<Trait> =
            self.traits.iter().copied().filter(|name| !is_gone || *name != Trait::Default).collect();
        let default = (traits.len() < self.traits.len()).then(|| tombstones::default(&name));
        let (derives, implementations) = derives::expand(&target, &traits);
        let fields = self.fields.iter().map(|Field { docs, name, ty, .. }| {
            quote! { #[doc = #docs] pub #name: #ty }
        });
        quote! {
            #[doc = #docs]
            #derives
            #deprecated
            pub struct #name {
                #(#fields),*
            }
            #implementations
            #default
        }
    }
}

fn row(table: &Table<'_>) -> Struct {
    let fields = table.columns.iter().map(|column| field(column, column.row_type(), ""));
    Struct {
        name: "Row",
        docs: format!("A row of `{}`.", table.table.name),
        traits: &[Trait::Clone, Trait::Debug, Trait::PartialEq],
        fields: fields.collect(),
    }
}

fn insert(table: &Table<'_>) -> Struct {
    let fields = table.columns.iter().filter(|column| column.in_insert() != InInsert::Never).map(|column| {
        let docs = if column.in_insert() == InInsert::Defaulted { " Not set: its default." } else { "" };
        field(column, column.insert_type(), docs)
    });
    let has_required = table.columns.iter().any(|column| column.in_insert() == InInsert::Required);
    Struct {
        name: "Insert",
        docs: format!(
            "A row to insert into `{}`. Columns whose values the database makes are not here.",
            table.table.name
        ),
        traits: if has_required {
            &[Trait::Clone, Trait::Debug]
        } else {
            &[Trait::Clone, Trait::Debug, Trait::Default]
        },
        fields: fields.collect(),
    }
}

fn update(table: &Table<'_>) -> Struct {
    let columns = table.columns.iter().filter(|column| column.in_insert() != InInsert::Never);
    Struct {
        name: "Update",
        docs: format!("What to change in a row of `{}`. A column that is not set stays as it is.", table.table.name),
        traits: &[Trait::Clone, Trait::Debug, Trait::Default],
        fields: columns.map(|column| field(column, column.update_type(), "")).collect(),
    }
}

fn field(column: &Column<'_>, ty: TokenStream, docs: &str) -> Field {
    let own = (column.origin == Origin::Own).then(|| column.ty.clone());
    Field { docs: format!("{}{docs}", column.docs()), name: column.field.clone(), ty, own }
}

/// `Insert::new`, with what every row must have.
fn insert_new(table: &Table<'_>, form: &Form<'_>) -> TokenStream {
    let columns = || table.columns.iter().filter(|column| column.in_insert() != InInsert::Never);
    let required = columns().filter(|column| column.in_insert() == InInsert::Required);
    let params = required.map(|column| {
        let (field, ty) = (&column.field, column.new_type());
        quote! { #field: #ty }
    });
    let condition = tombstones::condition(form);
    let body = match form {
        Form::Tombstone(_) => tombstones::body(),
        Form::Working(_) | Form::Deprecated(_) => {
            let fields = columns().map(|column| {
                let field = &column.field;
                match column.in_insert() {
                    InInsert::Required if column.is_borrowed() => quote! { #field: #field.into() },
                    InInsert::Required => quote! { #field },
                    _ => quote! { #field: ::core::default::Default::default() },
                }
            });
            quote! { Self { #(#fields),* } }
        }
    };
    quote! {
        impl Insert {
            /// A row with the columns that have neither a default nor NULL to fall back on.
            pub fn new(#(#params),*) -> Self #condition {
                #body
            }
        }
    }
}

/// One function.
struct Function {
    name: &'static str,
    docs: String,
    /// What it takes behind the connection.
    params: TokenStream,
    /// What it gives on success.
    returns: Returns,
    /// What it gives to the function of the same name in `::coexist::__private`, behind the table.
    arguments: TokenStream,
    /// The trait that the connection needs, where it is code of the after shape.
    after: &'static str,
}

/// What a function gives on success.
#[derive(Clone, Copy)]
pub(super) enum Returns {
    Row,
    OptionalRow,
    Rows,
    Count,
    Bool,
}

impl Returns {
    /// As a type, where a row is `row`.
    pub fn ty(self, row: &TokenStream) -> TokenStream {
        match self {
            Self::Row => quote! { #row },
            Self::OptionalRow => quote! { ::core::option::Option<#row> },
            Self::Rows => quote! { ::std::vec::Vec<#row> },
            Self::Count => quote! { u64 },
            Self::Bool => quote! { bool },
        }
    }
}

fn functions(table: &Table<'_>) -> Vec<Function> {
    let changes = if table.is_filled_late { CHANGES } else { WRITES };
    let mut functions = vec![
        Function {
            name: "insert",
            docs: "Inserts a row, and gives it back as it is stored.".to_owned(),
            params: quote! { row: &Insert },
            returns: Returns::Row,
            arguments: quote! { row },
            after: WRITES,
        },
        Function {
            name: "insert_many",
            docs: "Inserts rows, with as few statements as they fit in, and counts them. Outside of a transaction, an error leaves the rows of \
                   the statements before it."
                .to_owned(),
            params: quote! { rows: &[Insert] },
            returns: Returns::Count,
            arguments: quote! { rows },
            after: WRITES,
        },
    ];
    if !table.has_key() {
        return functions;
    }
    let key = Key::of(table);
    let Key { params, arguments, .. } = &key;
    let (page_type, page_arguments) = key.behind();
    functions.extend([
        Function {
            name: "find",
            docs: "The row of a primary key.".to_owned(),
            params: quote! { #params },
            returns: Returns::OptionalRow,
            arguments: quote! { #arguments },
            after: READS,
        },
        Function {
            name: "update",
            docs: "Changes the row of a primary key, and gives it back as it is stored; `None` where there is none."
                .to_owned(),
            params: quote! { #params, values: &Update },
            returns: Returns::OptionalRow,
            arguments: quote! { #arguments, values },
            after: changes,
        },
        Function {
            name: "delete",
            docs: "Deletes the row of a primary key, and says whether there was one.".to_owned(),
            params: quote! { #params },
            returns: Returns::Bool,
            arguments: quote! { #arguments },
            after: changes,
        },
        Function {
            name: "page",
            docs: "Up to `limit` rows in the order of the primary key: the first ones, or those behind a key."
                .to_owned(),
            params: quote! { behind: ::core::option::Option<#page_type>, limit: u32 },
            returns: Returns::Rows,
            arguments: quote! { #page_arguments, limit },
            after: READS,
        },
    ]);
    functions
}

/// The primary key in a signature.
struct Key {
    names: Vec<Ident>,
    types: Vec<TokenStream>,
    params: TokenStream,
    arguments: TokenStream,
    /// The key of a page, where each name is a reference.
    behind: TokenStream,
}

impl Key {
    fn of(table: &Table<'_>) -> Self {
        let columns: Vec<&Column<'_>> = table.key.iter().map(|position| &table.columns[*position]).collect();
        // Those of the fields, unless a function has a parameter of that name.
        let all = names::identifiers(table.columns.iter().map(|column| column.column.name.as_str()), &["db", "values"]);
        let names: Vec<Ident> = table.key.iter().map(|position| all[*position].clone()).collect();
        let types: Vec<TokenStream> = columns.iter().map(|column| column.key_type()).collect();
        let parameters = |reference: bool| {
            columns.iter().zip(&names).map(move |(column, name)| column.key_parameter(name, reference))
        };
        let (arguments, behind) = (parameters(false), parameters(true));
        Self {
            params: quote! { #(#names: #types),* },
            arguments: quote! { &[#(#arguments),*] },
            behind: quote! { [#(#behind),*] },
            names,
            types,
        }
    }

    /// The type of a key behind which a page begins, and the argument that is made of it.
    fn behind(&self) -> (TokenStream, TokenStream) {
        let Self { names, types, behind, .. } = self;
        let (ty, pattern) = match names.as_slice() {
            [name] => (quote! { #(#types)* }, quote! { #name }),
            _ => (quote! { (#(#types),*) }, quote! { (#(#names),*) }),
        };
        (ty, quote! { behind.as_ref().map(|#pattern| #behind) })
    }
}

impl Function {
    fn expand(&self, form: &Form<'_>) -> TokenStream {
        let Self { params, arguments, returns, .. } = self;
        let name = Ident::new(self.name, Span::call_site());
        let docs = format!("{}\n\n# Errors\n\nWhat the connection or the server says.", self.docs);
        let deprecated = deprecation(form, self.name);
        let row = quote! { Row };
        match form {
            Form::Working(Side::Before) | Form::Deprecated(_) => {
                let returns = returns.ty(&row);
                quote! {
                    #[doc = #docs]
                    #deprecated
                    pub fn #name<E: ::coexist::Executor + ?Sized>(
                        db: &mut E,
                        #params
                    ) -> ::core::result::Result<#returns, E::Error> {
                        ::coexist::__private::#name(db, &TABLE, #arguments)
                    }
                }
            }
            Form::Working(Side::After) => {
                let returns = returns.ty(&row);
                let bound = format_ident!("{}", self.after);
                quote! {
                    #[doc = #docs]
                    pub fn #name<D: super::super::#bound>(
                        mut db: D,
                        #params
                    ) -> ::core::result::Result<#returns, D::Error> {
                        ::coexist::__private::#name(&mut db, &TABLE, #arguments)
                    }
                }
            }
            Form::Tombstone(_) => tombstones::function(&name, &docs, params, *returns),
        }
    }
}
