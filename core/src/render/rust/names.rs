//! Names of SQL as identifiers of Rust.
//!
//! A name that is a Rust identifier stays as it is. In any other, each character that cannot stand in an identifier becomes `_`; a digit at
//! the start gets a `_` before it; a key word is written raw (`r#type`), and the few that cannot be raw end in `_`. Names that would
//! become the same identifier are numbered (`_2`, `_3`) in their order, and one that is the identifier itself keeps it.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;

/// The identifiers of names that stand side by side, in their order; none is one of `reserved`.
pub(super) fn identifiers<'a>(names: impl IntoIterator<Item = &'a str>, reserved: &[&str]) -> Vec<Ident> {
    let names: Vec<(&str, String)> = names.into_iter().map(|name| (name, cleaned(name))).collect();
    let mut taken: Vec<String> = reserved.iter().map(ToString::to_string).collect();
    taken.extend(
        names
            .iter()
            .filter(|(name, cleaned)| name == cleaned && !reserved.contains(name))
            .map(|(name, _)| name.to_string()),
    );
    let mut identifiers = Vec::with_capacity(names.len());
    for (name, cleaned) in &names {
        let text = if name == cleaned && !reserved.contains(name) {
            cleaned.clone()
        } else {
            let numbered = (2..).map(|n| format!("{cleaned}_{n}"));
            let free = std::iter::once(cleaned.clone()).chain(numbered).find(|candidate| !taken.contains(candidate));
            free.unwrap_or_else(|| cleaned.clone())
        };
        taken.push(text.clone());
        identifiers.push(identifier(&text));
    }
    identifiers
}

/// `users.bio` as the name of a type: `UsersBio`.
pub(super) fn type_name(parts: &[&str]) -> String {
    let mut text = String::new();
    for word in parts.iter().flat_map(|part| part.split(|c: char| !unicode_ident::is_xid_continue(c) || c == '_')) {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
    }
    cleaned(&text)
}

fn cleaned(name: &str) -> String {
    let mut text: String = name.chars().map(|c| if unicode_ident::is_xid_continue(c) { c } else { '_' }).collect();
    if !text.starts_with(|c| unicode_ident::is_xid_start(c) || c == '_') || text == "_" {
        text.insert(0, '_');
    }
    if ["self", "Self", "super", "crate"].contains(&text.as_str()) {
        text.push('_');
    }
    text
}

fn identifier(text: &str) -> Ident {
    let span = Span::call_site();
    match syn::parse_str::<Ident>(text) {
        // A key word since edition 2024.
        Ok(_) if text == "gen" => Ident::new_raw(text, span),
        Ok(_) => Ident::new(text, span),
        Err(_) if syn::parse::Parser::parse_str(Ident::parse_any, text).is_ok() => Ident::new_raw(text, span),
        // The compiler's tables of Unicode may be of another version than ours; ASCII is the same in all of them.
        Err(_) => {
            let ascii: String = text.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
            Ident::new(&format!("_{ascii}"), span)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        identifiers(names.iter().copied(), &["db"]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn h66_any_name_becomes_an_identifier() {
        let names =
            ["id", "Order Items", "select", "type", "self", "émoji", "2fa", "a-b", "_", "🦀", "gen", "db", "\";--"];
        let expected = [
            "id",
            "Order_Items",
            "select",
            "r#type",
            "self_",
            "émoji",
            "_2fa",
            "a_b",
            "__",
            "___2",
            "r#gen",
            "db_2",
            "____",
        ];
        assert_eq!(texts(&names), expected);
    }

    #[test]
    fn names_that_would_be_the_same_are_numbered() {
        assert_eq!(texts(&["a b", "a_b", "a-b", "a_b_2"]), ["a_b_3", "a_b", "a_b_4", "a_b_2"]);
    }

    #[test]
    fn names_of_types() {
        assert_eq!(type_name(&["users", "bio"]), "UsersBio");
        assert_eq!(type_name(&["order items", "unit_price"]), "OrderItemsUnitPrice");
        assert_eq!(type_name(&["2fa", "ölung"]), "_2faÖlung");
    }
}
