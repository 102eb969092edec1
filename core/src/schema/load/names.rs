//! The names that PostgreSQL gives to what its source leaves unnamed.
//!
//! A port of `makeObjectName`, `ChooseRelationName`, `ChooseConstraintName`, `ChooseIndexColumnNames` and their like.

use crate::ident::MAX_IDENTIFIER_BYTES;

/// `name1_name2_label`, the longer of the two names being cut until the whole fits.
pub(super) fn object_name(name1: &str, name2: Option<&str>, label: &str) -> String {
    let separators = 1 + usize::from(name2.is_some());
    let available = MAX_IDENTIFIER_BYTES.saturating_sub(label.len() + separators);
    let (mut length1, mut length2) = (name1.len(), name2.map_or(0, str::len));
    while length1 + length2 > available {
        if length1 > length2 {
            length1 -= 1;
        } else {
            length2 -= 1;
        }
    }
    let first = cut(name1, length1);
    match name2 {
        Some(name2) => format!("{first}_{}_{label}", cut(name2, length2)),
        None => format!("{first}_{label}"),
    }
}

/// The first of `name1_name2_label`, `…label1`, `…label2` that is free.
pub(super) fn free_name(name1: &str, name2: Option<&str>, label: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = object_name(name1, name2, label);
    let mut pass = 0_usize;
    while taken(&name) {
        pass += 1;
        name = object_name(name1, name2, &format!("{label}{pass}"));
    }
    name
}

/// The columns as the middle of a name: `a_b_c`, without end where it is too long anyhow.
pub(super) fn joined_columns<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for column in columns {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(column);
        if joined.len() > MAX_IDENTIFIER_BYTES {
            break;
        }
    }
    joined
}

/// The names of an index's own columns: those that occur twice are numbered.
pub(super) fn index_columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let mut column = name.to_owned();
        let mut pass = 0_usize;
        while columns.contains(&column) {
            pass += 1;
            let number = pass.to_string();
            column = format!("{}{number}", cut(name, MAX_IDENTIFIER_BYTES - number.len()));
        }
        columns.push(column);
    }
    columns
}

/// The name of the multirange type that comes with a range type.
pub(super) fn multirange(range: &str) -> String {
    match range.find("range") {
        Some(at) => cut(&format!("{}multi{}", &range[..at], &range[at..]), MAX_IDENTIFIER_BYTES).to_owned(),
        None => format!("{}_multirange", cut(range, MAX_IDENTIFIER_BYTES - "_multirange".len())),
    }
}

fn cut(name: &str, bytes: usize) -> &str {
    &name[..name.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h65_the_longer_name_is_cut_first() {
        let (long, short) = ("t".repeat(63), "c".repeat(10));
        assert_eq!(object_name(&long, Some(&short), "fkey"), format!("{}_{short}_fkey", "t".repeat(47)));
        assert_eq!(object_name(&long, Some(&long), "fkey"), format!("{}_{}_fkey", "t".repeat(29), "t".repeat(28)));
        assert_eq!(object_name("t", None, "pkey"), "t_pkey");
        assert_eq!(object_name(&"é".repeat(31), None, "pkey"), format!("{}_pkey", "é".repeat(29)));
    }

    #[test]
    fn numbers_go_up_until_a_name_is_free() {
        let taken = ["t_a_idx", "t_a_idx1"];
        assert_eq!(free_name("t", Some("a"), "idx", |name| taken.contains(&name)), "t_a_idx2");
    }

    #[test]
    fn columns_of_an_index_are_numbered() {
        assert_eq!(index_columns(["a", "expr", "expr", "a"]), ["a", "expr", "expr1", "a1"]);
    }

    #[test]
    fn multiranges_are_named_after_their_range() {
        assert_eq!(multirange("floatrange"), "floatmultirange");
        assert_eq!(multirange("price"), "price_multirange");
    }
}
