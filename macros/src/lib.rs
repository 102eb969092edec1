//! The macro of coexist: tokens in, [`coexist_core`], tokens out. Use it through the crate `coexist`.

use std::env;
use std::path::PathBuf;

use coexist_core::compile::{Context, compile};
use coexist_core::diagnostic::compile_errors;
use coexist_core::render::rust::{self, TypeSettings};
use proc_macro::TokenStream;
use quote::quote;

/// Declares parallel changes of a PostgreSQL schema. See the documentation of `coexist`.
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let types = TypeSettings {
        uuid: cfg!(feature = "with-uuid-1"),
        chrono: cfg!(feature = "with-chrono-0_4"),
        time: cfg!(feature = "with-time-0_3"),
        json: cfg!(feature = "with-serde_json-1"),
        decimal: cfg!(feature = "with-rust_decimal-1"),
    };
    let compiled = compile(
        input.into(),
        &Context {
            manifest_dir: &manifest_dir,
            missing_feature: &|ty| rust::feature_off(ty, &types),
            // Cargo tells the compiler of a crate with a build script where that script writes.
            writes_migrations: env::var_os("OUT_DIR").is_some(),
        },
    );
    let errors = compile_errors(&compiled.diagnostics);
    let items = compiled.model.as_ref().map(|model| rust::expand(model, &compiled.plans, &types));
    let stubs = rust::stubs(&compiled.declaration, compiled.model.as_ref(), &types);
    // The compiler watches what it includes: an edit of the schema compiles the crate again.
    let files = compiled.read_files.iter().filter_map(|file| file.to_str());
    quote! {
        #errors
        #items
        #stubs
        #( const _: &[::core::primitive::u8] = ::core::include_bytes!(#files); )*
    }
    .into()
}
