//! What holds for any text and for any expression.

use proptest::prelude::*;

use super::expression::Expression;
use super::{frame, parse_type};
use crate::ident::quote_ident;

/// SQL that is cut into pieces and put together again in any order.
const PIECES: &[&str] = &[
    "a",
    "b",
    "t.a",
    "\"x y\"",
    "u&\"\\0061\"",
    "u&a",
    "é",
    "1",
    "1.5e3",
    "'s'",
    "e'\\''",
    "$$x$$",
    "$1",
    ":x",
    "null",
    "true",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ";",
    "+",
    "-",
    "*",
    "/",
    "=",
    "<=",
    "=>",
    "||",
    "->>",
    "::",
    "int",
    "numeric(1,2)",
    "text[]",
    "and",
    "or",
    "not",
    "is",
    "in",
    "like",
    "between",
    "case",
    "when",
    "then",
    "else",
    "end",
    "cast(",
    "as",
    "f(",
    "sum(",
    "over (",
    "filter (where",
    "distinct",
    "order by",
    "extract(year from",
    "trim(both",
    "substring(",
    "at time zone",
    "collate",
    "interval",
    "array[",
    "row(",
    "any(",
    "coalesce(",
    "select",
    "from",
    "exists",
    "values",
    "union",
    "user",
    "current_date",
    "default",
    "--x\n",
    "/*",
    "*/",
    "\n",
    "\t",
    "'",
    "\"",
    "\\",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..20).prop_map(|pieces| pieces.join(" "))
}

/// Any name: quotes, blanks, key words, nothing that PostgreSQL refuses (no NUL, not empty).
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,8}",
        "[^\\x00]{1,10}",
        Just("select".to_owned()),
        Just("a\"; drop table t".to_owned())
    ]
}

/// An expression, with the columns in it in order.
fn expression() -> impl Strategy<Value = (String, Vec<String>)> {
    let column = (name(), prop::option::of(name())).prop_map(|(name, table)| {
        let qualifier = table.map(|table| format!("{}.", quote_ident(&table))).unwrap_or_default();
        (format!("{qualifier}{}", quote_ident(&name)), vec![name])
    });
    let constant = prop::sample::select(
        &["1", "'a''b'", "null", "now()", "date '2020-01-01'", "interval '1' day", "current_user"][..],
    )
    .prop_map(|text| (text.to_owned(), Vec::new()));
    prop_oneof![4 => column, 1 => constant].prop_recursive(4, 24, 3, |inner| {
        let one = |before: &'static str, after: &'static str, inner: BoxedStrategy<(String, Vec<String>)>| {
            inner.prop_map(move |(text, columns)| (format!("{before}{text}{after}"), columns))
        };
        let inner = inner.boxed();
        let two = (
            inner.clone(),
            prop::sample::select(&["+", "||", "= ", "\n-- \"x\"\nand", "/* \"y\" */ *", "is distinct from"][..]),
            inner.clone(),
        )
            .prop_map(|((a, left), operator, (b, right))| (format!("({a}) {operator} ({b})"), [left, right].concat()));
        prop_oneof![
            one("(", ")", inner.clone()),
            one("f(a => ", ", 1)", inner.clone()),
            one("(", ")::\"a\".\"b\"[]", inner.clone()),
            one("cast(", " as numeric(1,2))", inner.clone()),
            one("extract(year from ", ")", inner.clone()),
            one("case when true then ", " end", inner.clone()),
            one("(", ").\"field\"", inner.clone()),
            one("array[", ", 2][1]", inner.clone()),
            one("trim(leading 'x' from ", ")", inner.clone()),
            one("xmlelement(name \"a\", ", ")", inner),
            two,
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_an_expression_or_mistakes_in_it(text in prop_oneof![any::<String>(), soup()]) {
        for parsed in [Expression::parse(&text), Expression::parse_lenient(&text)] {
            match parsed {
                Ok(expression) => {
                    prop_assert_eq!(expression.text(), &text);
                    prop_assert!(text.contains(expression.code()));
                    prop_assert_eq!(expression.replace_columns(|_| None), expression.code());
                }
                Err(errors) => {
                    prop_assert!(!errors.is_empty());
                    for error in errors {
                        prop_assert!(text.get(error.range.clone()).is_some(), "{:?}", error);
                        prop_assert!(error.frame(&text).contains('^'));
                        prop_assert!(!error.message.contains("_KW"), "{}", error.message);
                    }
                }
            }
        }
        let _ = parse_type(&text);
    }

    #[test]
    fn what_begins_like_an_expression_never_panics((text, _) in expression(), cut in 0usize..200) {
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let _ = Expression::parse(&text[..cut]);
        let _ = Expression::parse_lenient(&text[cut..]);
    }

    #[test]
    fn columns_come_out_as_they_went_in((text, columns) in expression()) {
        let parsed = Expression::parse_lenient(&text).map_err(|errors| TestCaseError::fail(format!("{text}: {errors:?}")))?;
        let found: Vec<_> = parsed.columns().iter().map(|column| column.name.clone()).collect();
        prop_assert_eq!(found, columns);
        // Each replaced by itself, as it is written.
        let same = parsed.replace_columns(|column| text.get(column.range.clone()).map(str::to_owned));
        prop_assert_eq!(&same, parsed.code());
    }

    #[test]
    fn a_copy_with_other_names_is_the_same_otherwise((text, _) in expression(), new in name()) {
        let parsed = Expression::parse_lenient(&text).map_err(|errors| TestCaseError::fail(format!("{text}: {errors:?}")))?;
        let copy = parsed.replace_columns(|_| Some(quote_ident(&new)));
        let copy = Expression::parse_lenient(&copy).map_err(|errors| TestCaseError::fail(format!("{copy}: {errors:?}")))?;
        prop_assert_eq!(copy.columns().len(), parsed.columns().len());
        prop_assert!(copy.columns().iter().all(|column| column.name == new && column.qualifier.is_none()));
        prop_assert_eq!(copy.functions().len(), parsed.functions().len());
        let types = |expression: &Expression| expression.casts().iter().map(|cast| cast.target.clone()).collect::<Vec<_>>();
        prop_assert_eq!(types(&copy), types(&parsed));
    }

    #[test]
    fn a_frame_marks_something(text in any::<String>(), start in 0usize..60, length in 0usize..60) {
        let shown = frame(&text, start..start + length, "here");
        prop_assert!(shown.contains('^') && shown.ends_with(" here"));
    }
}
