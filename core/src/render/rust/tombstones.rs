//! What stands in the place of the before shape once it is gone from the code: the same items, the use of which fails to compile and says in
//! the change's own words what to use instead.
//!
//! The words are those of a trait that is not implemented. As a condition with `for<'a>` it may stand on an item without making the item
//! itself an error. What a function gives back is an associated type of that trait: the compiler knows nothing of it and so finds no further
//! fault with what is done with it. Structs are free of the condition, or each mention of one would be an error of its own next to that of the
//! function that takes it; but nothing makes one, and nothing takes one, without it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::accessors::{Form, Returns};
use crate::model::Change;

/// The trait that is not implemented.
pub(super) fn dropped(change: &Change, gone: &str, instead: &str) -> TokenStream {
    let docs = change.docs.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let notes = docs.chain([instead]);
    quote! {
        /// Nothing is this: the before shape is gone.
        #[diagnostic::on_unimplemented(message = #gone, label = "still uses the before shape", #(note = #notes),*)]
        pub trait Dropped<'a> {
            /// What was a row.
            type Row;
            /// Never called.
            fn dropped<T>() -> T;
        }
        // Of a trait that nobody implements, the compiler says that one should.
        #[diagnostic::do_not_recommend]
        impl Dropped<'_> for ::coexist::__private::Nobody {
            type Row = ();
            fn dropped<T>() -> T {
                loop {}
            }
        }
    }
}

/// The condition under which an item may be used.
pub(super) fn condition(form: &Form<'_>) -> Option<TokenStream> {
    matches!(form, Form::Tombstone(_)).then(never)
}

fn never() -> TokenStream {
    quote! { where for<'a> super::super::Change: super::super::Dropped<'a> }
}

/// The body of a function under the [`condition`].
pub(super) fn body() -> TokenStream {
    quote! { <super::super::Change as super::super::Dropped<'_>>::dropped() }
}

/// The type of a row, under the name that it had.
pub(super) fn row(docs: &str) -> TokenStream {
    let row = row_type();
    quote! {
        #[doc = #docs]
        pub type Row = #row;
    }
}

fn row_type() -> TokenStream {
    quote! { <super::super::Change as super::super::Dropped<'static>>::Row }
}

/// A constant can have no condition; a unit struct can, and is named like one.
pub(super) fn columns(docs: &str) -> TokenStream {
    let condition = never();
    quote! {
        #[doc = #docs]
        #[allow(non_camel_case_types)]
        #[derive(Debug)]
        pub struct COLUMNS #condition;
    }
}

/// `Default` for a struct that has it no more.
pub(super) fn default(name: &Ident) -> TokenStream {
    let (condition, body) = (never(), body());
    quote! {
        #[automatically_derived]
        impl ::core::default::Default for #name #condition {
            fn default() -> Self {
                #body
            }
        }
    }
}

/// A function with the signature that it had.
pub(super) fn function(name: &Ident, docs: &str, params: &TokenStream, returns: Returns) -> TokenStream {
    let returns = returns.ty(&row_type());
    let condition = never();
    let body = body();
    quote! {
        #[doc = #docs]
        pub fn #name<E: ::coexist::Executor + ?Sized>(
            db: &mut E,
            #params
        ) -> ::core::result::Result<#returns, E::Error>
        #condition
        {
            #body
        }
    }
}
