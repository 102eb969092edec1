//! The traits that rows have: derived, or written out where a row holds types of the user's own.
//!
//! A derive would make it an error that such a type has no `Clone` or `PartialEq`. Written out, the row has the trait if all of its types
//! have it. The compiler refuses a condition on one known type, unless it is for every lifetime.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// A struct that gets traits.
pub(super) struct Target<'a> {
    /// Its name.
    pub name: &'a Ident,
    /// Its fields.
    pub fields: Vec<&'a Ident>,
    /// The types of the user's own in it.
    pub own: Vec<&'a TokenStream>,
}

/// A trait that rows have.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Trait {
    Clone,
    Debug,
    Default,
    PartialEq,
}

/// The `#[derive(…)]` before the struct, and what stands behind it.
pub(super) fn expand(target: &Target<'_>, traits: &[Trait]) -> (TokenStream, TokenStream) {
    // No field needs a default of its type: it is one of `Option` or `Value`.
    let derived = |name: &&Trait| target.own.is_empty() || **name == Trait::Default;
    let derives: Vec<TokenStream> = traits
        .iter()
        .filter(derived)
        .map(|name| match name {
            Trait::Clone => quote! { Clone },
            Trait::Debug => quote! { Debug },
            Trait::Default => quote! { Default },
            Trait::PartialEq => quote! { PartialEq },
        })
        .collect();
    let attribute = if derives.is_empty() {
        TokenStream::new()
    } else {
        quote! { #[derive(#(#derives),*)] }
    };
    let written = traits.iter().filter(|name| !derived(name)).map(|name| implementation(target, *name)).collect();
    (attribute, written)
}

fn implementation(target: &Target<'_>, name: Trait) -> TokenStream {
    let Target { name: item, fields, .. } = target;
    match name {
        Trait::Default => TokenStream::new(),
        Trait::Clone => {
            let body = quote! {
                fn clone(&self) -> Self {
                    Self { #(#fields: ::core::clone::Clone::clone(&self.#fields)),* }
                }
            };
            conditional(target, &quote! { ::core::clone::Clone }, &body)
        }
        Trait::Debug => {
            let (text, names) = (item.to_string(), fields.iter().map(ToString::to_string));
            let body = quote! {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#text)#(.field(#names, &self.#fields))*.finish()
                }
            };
            conditional(target, &quote! { ::core::fmt::Debug }, &body)
        }
        Trait::PartialEq => {
            let body = quote! {
                fn eq(&self, other: &Self) -> bool {
                    #(self.#fields == other.#fields)&&*
                }
            };
            conditional(target, &quote! { ::core::cmp::PartialEq }, &body)
        }
    }
}

fn conditional(target: &Target<'_>, path: &TokenStream, body: &TokenStream) -> TokenStream {
    let Target { name, own, .. } = target;
    quote! {
        #[automatically_derived]
        impl #path for #name where #(for<'own> #own: #path),* {
            #body
        }
    }
}
