//! SQL types as Rust types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};

use crate::model::Shape;
use crate::schema::SqlType;

/// Which crates the generated code may take types from: the features of `coexist`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TypeSettings {
    /// `with-uuid-1`
    pub uuid: bool,
    /// `with-chrono-0_4`
    pub chrono: bool,
    /// `with-time-0_3`; where both are on, `chrono` is taken.
    pub time: bool,
    /// `with-serde_json-1`
    pub json: bool,
    /// `with-rust_decimal-1`
    pub decimal: bool,
}

/// The Rust type of a SQL type.
#[derive(Clone, Debug)]
pub enum RustType {
    /// A type that converts in both directions, without `Option`.
    Native(TokenStream),
    /// `String`: the text form, with casts both ways. For every type that has no Rust type of its own, or none that holds all its values.
    Text,
    /// A well-known type, whose Rust type is in a crate that is not used.
    FeatureOff {
        /// The feature of `coexist` that brings it; for dates and times `with-time-0_3` does as well.
        feature: &'static str,
    },
}

/// The Rust type of `ty`, which is no domain: see [`underlying`].
pub fn rust_type(ty: &SqlType, settings: &TypeSettings) -> RustType {
    let Some(builtin) = builtin(ty) else { return RustType::Text };
    if let Some(feature) = builtin.rust.missing_feature(settings) {
        return RustType::FeatureOff { feature };
    }
    let element = builtin.rust.tokens(settings);
    // PostgreSQL has no arrays without nulls, so neither has the type that holds all of them.
    RustType::Native(if ty.dimensions == 0 {
        element
    } else {
        quote! { ::std::vec::Vec<::core::option::Option<#element>> }
    })
}

/// The feature of `coexist` that the Rust type of `ty` needs, where it is off. `ty` is no domain: see [`underlying`].
pub fn feature_off(ty: &SqlType, settings: &TypeSettings) -> Option<&'static str> {
    match rust_type(ty, settings) {
        RustType::FeatureOff { feature } => Some(feature),
        RustType::Native(_) | RustType::Text => None,
    }
}

/// The type that the values of `ty` have on the wire: for a domain, what it is over.
pub fn underlying<'a>(ty: &'a SqlType, shape: &'a Shape) -> &'a SqlType {
    let mut ty = ty;
    // A dump that has a domain over itself is no dump; whoever writes one by hand gets some answer rather than none.
    for _ in 0..shape.schema().domains.len() {
        let domain = ty.qualified().filter(|_| ty.dimensions == 0).and_then(|name| shape.schema().domains.get(&name));
        match domain {
            Some(domain) => ty = &domain.base,
            None => break,
        }
    }
    ty
}

/// Whether a row that does not name a column of this type gets a value other than NULL, because the type is a domain that says so.
pub(super) fn has_default(ty: &SqlType, shape: &Shape) -> bool {
    let domain = ty.qualified().filter(|_| ty.dimensions == 0).and_then(|name| shape.schema().domains.get(&name));
    domain.is_some_and(|domain| domain.default.is_some())
}

/// The type that a parameter in text form is cast to, as SQL.
///
/// Without modifiers: an explicit cast to `varbit(5)` would cut a longer value silently, where the assignment to the column refuses it.
pub(super) fn cast_target(ty: &SqlType) -> String {
    let unmodified = SqlType { modifiers: Vec::new(), ..ty.clone() };
    if ty.schema.is_none() && ["bit", "character"].contains(&ty.name.as_str()) {
        // As key words these mean one bit and one character.
        let name = if ty.name == "bit" { "bit" } else { "bpchar" };
        return SqlType { schema: Some("pg_catalog".to_owned()), name: name.to_owned(), ..unmodified }.to_string();
    }
    unmodified.to_string()
}

/// The OID of a built-in type whose binary form a Rust type reads and writes. OIDs of built-in types are the same on every server.
pub(super) fn oid(ty: &SqlType) -> Option<u32> {
    let builtin = builtin(ty)?;
    Some(if ty.dimensions == 0 { builtin.oid } else { builtin.array_oid })
}

/// How a value of a key is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// By value.
    Copy,
    /// As `&str`.
    Str,
    /// As `&[u8]`.
    Bytes,
    /// By reference.
    Reference,
}

/// How a value of `ty` is passed in its [native](RustType::Native) form.
pub(super) fn passing(ty: &SqlType) -> Passing {
    match builtin(ty) {
        Some(builtin) if ty.dimensions == 0 => match builtin.rust {
            Rust::String => Passing::Str,
            Rust::Bytes => Passing::Bytes,
            Rust::Json => Passing::Reference,
            _ => Passing::Copy,
        },
        _ => Passing::Reference,
    }
}

/// A built-in type that has a Rust type.
struct Builtin {
    name: &'static str,
    oid: u32,
    array_oid: u32,
    rust: Rust,
}

#[derive(Clone, Copy)]
enum Rust {
    Primitive(&'static str),
    String,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Json,
    Decimal,
}

impl Rust {
    /// The feature that brings the type, unless it is on.
    fn missing_feature(self, settings: &TypeSettings) -> Option<&'static str> {
        let (on, feature) = match self {
            Self::Primitive(_) | Self::String | Self::Bytes => return None,
            Self::Uuid => (settings.uuid, "with-uuid-1"),
            Self::Date | Self::Time | Self::Timestamp | Self::TimestampTz => {
                (settings.chrono || settings.time, "with-chrono-0_4")
            }
            Self::Json => (settings.json, "with-serde_json-1"),
            Self::Decimal => (settings.decimal, "with-rust_decimal-1"),
        };
        (!on).then_some(feature)
    }

    fn tokens(self, settings: &TypeSettings) -> TokenStream {
        match self {
            Self::Primitive(name) => Ident::new(name, Span::call_site()).into_token_stream(),
            Self::String => quote! { ::std::string::String },
            Self::Bytes => quote! { ::std::vec::Vec<u8> },
            Self::Uuid => quote! { ::coexist::__private::uuid::Uuid },
            Self::Date if settings.chrono => quote! { ::coexist::__private::chrono::NaiveDate },
            Self::Date => quote! { ::coexist::__private::time::Date },
            Self::Time if settings.chrono => quote! { ::coexist::__private::chrono::NaiveTime },
            Self::Time => quote! { ::coexist::__private::time::Time },
            Self::Timestamp if settings.chrono => quote! { ::coexist::__private::chrono::NaiveDateTime },
            Self::Timestamp => quote! { ::coexist::__private::time::PrimitiveDateTime },
            Self::TimestampTz if settings.chrono => {
                quote! { ::coexist::__private::chrono::DateTime<::coexist::__private::chrono::Utc> }
            }
            Self::TimestampTz => quote! { ::coexist::__private::time::OffsetDateTime },
            Self::Json => quote! { ::coexist::__private::serde_json::Value },
            Self::Decimal => quote! { ::coexist::__private::rust_decimal::Decimal },
        }
    }
}

/// `inet` is not here: `IpAddr` has no netmask, so that a network would come back as an address.
#[rustfmt::skip]
const BUILTINS: [Builtin; 22] = [
    Builtin { name: "boolean", oid: 16, array_oid: 1000, rust: Rust::Primitive("bool") },
    Builtin { name: "bytea", oid: 17, array_oid: 1001, rust: Rust::Bytes },
    Builtin { name: "char", oid: 18, array_oid: 1002, rust: Rust::Primitive("i8") },
    Builtin { name: "name", oid: 19, array_oid: 1003, rust: Rust::String },
    Builtin { name: "bigint", oid: 20, array_oid: 1016, rust: Rust::Primitive("i64") },
    Builtin { name: "smallint", oid: 21, array_oid: 1005, rust: Rust::Primitive("i16") },
    Builtin { name: "integer", oid: 23, array_oid: 1007, rust: Rust::Primitive("i32") },
    Builtin { name: "text", oid: 25, array_oid: 1009, rust: Rust::String },
    Builtin { name: "oid", oid: 26, array_oid: 1028, rust: Rust::Primitive("u32") },
    Builtin { name: "json", oid: 114, array_oid: 199, rust: Rust::Json },
    Builtin { name: "real", oid: 700, array_oid: 1021, rust: Rust::Primitive("f32") },
    Builtin { name: "double precision", oid: 701, array_oid: 1022, rust: Rust::Primitive("f64") },
    Builtin { name: "bpchar", oid: 1042, array_oid: 1014, rust: Rust::String },
    Builtin { name: "character", oid: 1042, array_oid: 1014, rust: Rust::String },
    Builtin { name: "character varying", oid: 1043, array_oid: 1015, rust: Rust::String },
    Builtin { name: "date", oid: 1082, array_oid: 1182, rust: Rust::Date },
    Builtin { name: "time without time zone", oid: 1083, array_oid: 1183, rust: Rust::Time },
    Builtin { name: "timestamp without time zone", oid: 1114, array_oid: 1115, rust: Rust::Timestamp },
    Builtin { name: "timestamp with time zone", oid: 1184, array_oid: 1185, rust: Rust::TimestampTz },
    Builtin { name: "numeric", oid: 1700, array_oid: 1231, rust: Rust::Decimal },
    Builtin { name: "uuid", oid: 2950, array_oid: 2951, rust: Rust::Uuid },
    Builtin { name: "jsonb", oid: 3802, array_oid: 3807, rust: Rust::Json },
];

fn builtin(ty: &SqlType) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| ty.schema.is_none() && ty.name == builtin.name)
}
