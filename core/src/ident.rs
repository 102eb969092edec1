//! Names in SQL: quoting, the 63-byte limit, and names that are derived from other names.

use std::fmt;

/// The longest identifier that PostgreSQL keeps, in bytes; it cuts longer ones silently (`NAMEDATALEN - 1`).
pub const MAX_IDENTIFIER_BYTES: usize = 63;

/// Writes `name` as a quoted identifier, whatever it contains.
///
/// Always quoted, so that a name never depends on the key words of a server version.
pub fn quote_ident(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for c in name.chars() {
        if c == '"' {
            quoted.push('"');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Writes `text` as a string literal that means the same whatever `standard_conforming_strings` says.
pub fn quote_literal(text: &str) -> String {
    let escape = text.contains('\\');
    let mut quoted = String::with_capacity(text.len() + 4);
    if escape {
        quoted.push('E');
    }
    quoted.push('\'');
    for c in text.chars() {
        if c == '\'' || c == '\\' {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

/// A dollar quote tag (`$coexist$`, `$coexist1$`, …) that does not occur in `body`.
pub fn dollar_tag(body: &str) -> String {
    let mut tag = String::from("$coexist$");
    let mut n = 0;
    while body.contains(tag.as_str()) {
        n += 1;
        tag = format!("$coexist{n}$");
    }
    tag
}

/// A table, type, sequence or function with its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    /// The schema, never empty.
    pub schema: String,
    /// The name inside the schema.
    pub name: String,
}

impl QualifiedName {
    /// Puts schema and name together.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// `"schema"."name"`, for use in SQL.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote_ident(&self.schema), quote_ident(&self.name))
    }
}

/// For people: `name`, or `schema.name` outside of `public`.
impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema == "public" { f.write_str(&self.name) } else { write!(f, "{}.{}", self.schema, self.name) }
    }
}

/// A name of our own, built from parts: `coexist_<part>_<part>`, or, where that is too long, cut and ended with a hash of the whole.
pub fn derived_name(parts: &[&str]) -> String {
    fitting(format!("coexist_{}", parts.join("_")))
}

/// The name itself, or, where it is too long for PostgreSQL, its beginning and a hash of the whole.
pub fn fitting(name: String) -> String {
    if name.len() <= MAX_IDENTIFIER_BYTES {
        return name;
    }
    let hash = format!("_{:08x}", fnv1a(name.as_bytes()) as u32);
    let mut keep = MAX_IDENTIFIER_BYTES - hash.len();
    while !name.is_char_boundary(keep) {
        keep -= 1;
    }
    format!("{}{hash}", &name[..keep])
}

/// The name that PostgreSQL gives an object that it names itself: `users_email_key`, `users_pkey`. The longer of the parts is shortened until
/// the whole fits (`makeObjectName` in its source).
pub fn object_name(table: &str, columns: Option<&str>, label: &str) -> String {
    let mut table = table;
    let mut columns = columns.unwrap_or_default();
    let separators = if columns.is_empty() { 1 } else { 2 };
    while table.len() + columns.len() + label.len() + separators > MAX_IDENTIFIER_BYTES {
        let longer = if table.len() > columns.len() { &mut table } else { &mut columns };
        let mut end = longer.len() - 1;
        while !longer.is_char_boundary(end) {
            end -= 1;
        }
        *longer = &longer[..end];
    }
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

/// FNV-1a, 64 bits: a hash that stays the same on every machine and in every release (unlike `std`'s).
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h66_quotes_are_doubled() {
        assert_eq!(quote_ident(r#"a"b; drop table t"#), r#""a""b; drop table t""#);
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal(r"a\b"), r"E'a\\b'");
        assert_eq!(dollar_tag("x $coexist$ y"), "$coexist1$");
    }

    #[test]
    fn h65_derived_names_fit_and_differ() {
        let long = "é".repeat(40);
        let one = derived_name(&[&long, "a"]);
        let two = derived_name(&[&long, "b"]);
        assert!(one.len() <= MAX_IDENTIFIER_BYTES && two.len() <= MAX_IDENTIFIER_BYTES);
        assert_ne!(one, two);
        assert_eq!(derived_name(&["t", "sync"]), "coexist_t_sync");
    }
}
