//! Types that must exist.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::QualifiedName;
use crate::model::Shape;
use crate::schema::{Domain, Schema, SqlType};
use crate::sql::parse_type;
use crate::syntax::TypeText;

use super::at_line;

/// Types that are often meant, as people write them.
const COMMON: [&str; 28] = [
    "bigint",
    "boolean",
    "bytea",
    "character varying",
    "cidr",
    "date",
    "double precision",
    "inet",
    "int",
    "integer",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "money",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamp with time zone",
    "timestamptz",
    "tsvector",
    "uuid",
    "varchar",
    "xml",
    "bit varying",
];

/// What well-known extensions define. A dump says that an extension is there, and not what is in it.
const EXTENSIONS: [(&str, &[&str]); 27] = [
    ("btree_gin", &[]),
    ("btree_gist", &[]),
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("dblink", &[]),
    ("file_fdw", &[]),
    ("fuzzystrmatch", &[]),
    ("hstore", &["hstore"]),
    ("intarray", &["query_int"]),
    ("isn", &["ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"]),
    ("ltree", &["lquery", "ltree", "ltxtquery"]),
    ("pageinspect", &[]),
    ("pg_buffercache", &[]),
    ("pg_prewarm", &[]),
    ("pg_stat_statements", &[]),
    ("pg_trgm", &[]),
    ("pgcrypto", &[]),
    ("pgrowlocks", &[]),
    ("pgstattuple", &[]),
    ("plpgsql", &[]),
    (
        "postgis",
        &[
            "box2d",
            "box2df",
            "box3d",
            "geography",
            "geometry",
            "geometry_dump",
            "gidx",
            "raster",
            "spheroid",
            "valid_detail",
        ],
    ),
    ("postgres_fdw", &[]),
    ("seg", &["seg"]),
    ("tablefunc", &["tablefunc_crosstab_2", "tablefunc_crosstab_3", "tablefunc_crosstab_4"]),
    ("unaccent", &[]),
    ("uuid-ossp", &[]),
    ("vector", &["halfvec", "sparsevec", "vector"]),
];

/// The type that a declaration names.
pub fn declared(text: &TypeText, shape: &Shape, errors: &mut Errors) -> Option<SqlType> {
    let ty = match parse_type(&text.text) {
        Ok(ty) => ty,
        Err(error) => {
            let mut diagnostic = Diagnostic::new(text.span, error.message.clone()).frame(error.frame(&text.text));
            diagnostic.notes.extend(error.note);
            diagnostic.help.extend(error.help);
            errors.push(diagnostic);
            return None;
        }
    };
    match unknown(&ty, shape) {
        None => Some(ty),
        Some(unknown) => {
            errors.push(unknown.at(text.span));
            None
        }
    }
}

/// A type that nobody declares.
pub struct Unknown {
    name: String,
    near: Option<String>,
    source: String,
}

impl Unknown {
    /// The mistake, where the type is written.
    pub fn at(self, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::new(span, self.message()).note(format!(
            "it is not built in, and {} declares no enum, domain or other type of this name",
            self.source
        ));
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        format!("unknown type `{}`", self.name)
    }

    /// What was probably meant.
    pub fn help(&self) -> Option<String> {
        self.near.as_ref().map(|near| format!("did you mean `{near}`?"))
    }
}

/// What is wrong with a type that does not exist; `None` for one that does, or may: what an extension defines is not in a dump.
pub fn unknown(ty: &SqlType, shape: &Shape) -> Option<Unknown> {
    let schema = shape.schema();
    let name = ty.qualified()?;
    let is_declared = schema.enums.contains_key(&name)
        || schema.domains.contains_key(&name)
        || schema.other_types.contains_key(&name)
        || shape.table(&name).is_some()
        || schema.views.contains_key(&name);
    let is_used =
        || shape.tables().any(|table| table.columns.iter().any(|column| column.ty.qualified().as_ref() == Some(&name)));
    if is_declared || is_used() || of_known_extension(&name.name, schema) {
        return None;
    }
    let near = nearest_type(&name, schema);
    if near.is_none() && has_unknown_extension(schema) {
        return None;
    }
    let shown = if name.schema == "public" { name.name } else { name.to_string() };
    Some(Unknown { name: shown, near, source: schema.source.clone() })
}

fn of_known_extension(name: &str, schema: &Schema) -> bool {
    EXTENSIONS
        .iter()
        .any(|(extension, types)| types.contains(&name) && schema.extensions.iter().any(|known| known == extension))
}

fn has_unknown_extension(schema: &Schema) -> bool {
    schema.extensions.iter().any(|extension| !EXTENSIONS.iter().any(|(known, _)| known == extension))
}

fn nearest_type(name: &QualifiedName, schema: &Schema) -> Option<String> {
    let declared: Vec<&QualifiedName> =
        schema.enums.keys().chain(schema.domains.keys()).chain(schema.other_types.keys()).collect();
    let elsewhere = declared.iter().find(|known| known.name == name.name);
    if let Some(known) = elsewhere {
        return Some(known.to_string());
    }
    let shown: Vec<String> = declared.iter().map(ToString::to_string).collect();
    let known = shown.iter().map(String::as_str).chain(COMMON);
    nearest(&name.to_string(), known).map(str::to_owned)
}

/// A new column of a constrained domain makes PostgreSQL write the whole table anew, and nobody can read it meanwhile.
pub fn is_no_constrained_domain(
    ty: &SqlType,
    span: Span,
    what: &str,
    help: &str,
    schema: &Schema,
    errors: &mut Errors,
) -> bool {
    let Some(domain) = constrained_domain(ty, schema) else { return true };
    errors.push(
        Diagnostic::new(span, format!("{what} would be of domain `{}`, which has constraints", domain.name))
            .note(format!("adding a column of such a domain rewrites the whole table under ACCESS EXCLUSIVE, even where it stays null ({})", at_line(domain.line, schema)))
            .help(help.replace("<base>", &base_type(&domain.base, schema).to_string())),
    );
    false
}

/// The domain behind a type that constrains its values, its own or that of the domain it is over.
fn constrained_domain<'s>(ty: &SqlType, schema: &'s Schema) -> Option<&'s Domain> {
    let domain = schema.domains.get(&ty.qualified()?).filter(|_| ty.dimensions == 0)?;
    if domain.not_null || !domain.checks.is_empty() {
        return Some(domain);
    }
    constrained_domain(&domain.base, schema)
}

/// What a type is when no domain is left of it.
pub fn base_type<'s>(ty: &'s SqlType, schema: &'s Schema) -> &'s SqlType {
    let domain = ty.qualified().filter(|_| ty.dimensions == 0).and_then(|name| schema.domains.get(&name));
    domain.map_or(ty, |domain| base_type(&domain.base, schema))
}

/// Whether values of two types compare with each other by one operator family, so that a foreign key can stand between them.
pub fn comparable(a: &SqlType, b: &SqlType, schema: &Schema) -> bool {
    const FAMILIES: [&[&str]; 2] = [&["smallint", "integer", "bigint"], &["text", "character varying"]];
    let (a, b) = (base_type(a, schema), base_type(b, schema));
    let same = a.schema == b.schema && a.name == b.name && a.dimensions == b.dimensions;
    same || FAMILIES.iter().any(|family| family.iter().any(|name| a.is(name)) && family.iter().any(|name| b.is(name)))
}

/// Whether values of a type have an order, which a B-tree needs. Types that are not built in are taken to have one.
pub fn is_sortable(ty: &SqlType, schema: &Schema) -> bool {
    const UNSORTABLE: [&str; 16] = [
        "json",
        "xml",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "jsonpath",
        "aclitem",
        "cid",
        "xid",
        "pg_node_tree",
        "txid_snapshot",
        "pg_snapshot",
    ];
    let base = base_type(ty, schema);
    base.schema.is_some() || !UNSORTABLE.contains(&base.name.as_str())
}

/// Whether a type takes `COLLATE`.
pub fn is_collatable(ty: &SqlType, schema: &Schema) -> bool {
    const COLLATABLE: [&str; 5] = ["text", "character varying", "character", "bpchar", "name"];
    let base = base_type(ty, schema);
    base.schema.is_some() || COLLATABLE.contains(&base.name.as_str())
}

/// Whether a sequence can feed a column of this type.
pub fn is_integer(ty: &SqlType) -> bool {
    ["smallint", "integer", "bigint"].iter().any(|name| ty.is(name))
}
