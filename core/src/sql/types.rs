//! Type names: as users write them, and as PostgreSQL's `format_type` spells them.

use std::ops::{Range, RangeInclusive};

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::builtin;
use super::error::{ErrorKind, ExpressionError};
use super::parser::{self, Tree};
use crate::schema::SqlType;

/// What turns a type into an expression, which is what the parser wrapper takes.
const PREFIX: &str = "null::";

/// Reads a type as users write it: `int`, `varchar(10)`, `app.status[]`, `timestamptz(3)`, `numeric(12,2)`.
///
/// Built-in types get the names that `format_type` gives them, other types their schema (`public` where none is written). Whether
/// such a type exists is not looked at. However many dimensions an array is declared with, PostgreSQL keeps one.
///
/// # Errors
///
/// The first mistake: not a type, a modifier that the type does not take, or a shorthand of `CREATE TABLE` (`serial`).
pub fn parse_type(text: &str) -> Result<SqlType, ExpressionError> {
    if text.trim().is_empty() {
        return Err(ExpressionError::new(ErrorKind::Empty, 0..text.len(), "a type is missing", "expected a type"));
    }
    let parsed = parser::with_expression(&format!("{PREFIX}{text}"), |tree| {
        let cast = &tree.expression;
        let operand = cast.children().find(|child| ast::Expr::can_cast(child.kind()));
        let target = cast.children().find(|child| ast::Type::can_cast(child.kind()));
        match target {
            Some(target)
                if cast.kind() == SyntaxKind::CAST_EXPR && operand.is_some_and(|o| o.kind() == SyntaxKind::LITERAL) =>
            {
                of_node(&target).map_err(|error| vec![error])
            }
            _ => Err(vec![ExpressionError::new(
                ErrorKind::Type,
                Tree::range(cast),
                "this is not a type",
                "more than a type",
            )]),
        }
    });
    parsed.map_err(|errors| {
        let error = errors.into_iter().next();
        let mut error = error.unwrap_or_else(|| ExpressionError::new(ErrorKind::Type, 0..0, "this is not a type", ""));
        let shift = |at: usize| at.saturating_sub(PREFIX.len());
        error.range = shift(error.range.start)..shift(error.range.end);
        error.kind = ErrorKind::Type;
        error
    })
}

/// The type that a node of the syntax tree names.
pub(super) fn of_node(node: &SyntaxNode) -> Result<SqlType, ExpressionError> {
    use SyntaxKind::*;
    let first = node.first_token().map(|token| token.kind());
    let wrong =
        |message: &str, label: &str| Err(ExpressionError::new(ErrorKind::Type, Tree::range(node), message, label));
    if first == Some(SETOF_KW) {
        return wrong("a set is not a type", "leave out `setof`");
    }
    let modifiers = modifiers(node);
    let name = match node.kind() {
        ARRAY_TYPE => {
            let Some(element) = node.children().find(|child| ast::Type::can_cast(child.kind())) else {
                return wrong("an array without a type of its elements", "expected a type");
            };
            return Ok(SqlType { dimensions: 1, ..of_node(&element)? });
        }
        PATH_TYPE => return named(node, modifiers),
        VARCHAR_TYPE => "character varying".to_owned(),
        CHARACTER_TYPE => "character".to_owned(),
        BIT_TYPE => "bit".to_owned(),
        BIT_VARYING_TYPE => "bit varying".to_owned(),
        DOUBLE_TYPE => "double precision".to_owned(),
        TIME_TYPE | TIMESTAMP_TYPE => {
            let base = if node.kind() == TIME_TYPE { "time" } else { "timestamp" };
            let with = node.children().any(|child| child.kind() == WITH_TIMEZONE);
            format!("{base} {} time zone", if with { "with" } else { "without" })
        }
        INTERVAL_TYPE => {
            let fields = node.descendants_with_tokens().filter_map(|element| element.into_token());
            let fields =
                fields.filter(|token| token.kind().is_keyword()).map(|token| token.text().to_ascii_lowercase());
            fields.collect::<Vec<_>>().join(" ")
        }
        _ => return wrong("this is not a type that can be named here", ""),
    };
    builtin_type(&name, modifiers)
}

/// What stands in the parentheses of a type, each as written.
fn modifiers(node: &SyntaxNode) -> Vec<(String, Range<usize>)> {
    use SyntaxKind::*;
    let list = node.children().find(|child| child.kind() == ARG_LIST);
    let arguments =
        list.into_iter().flat_map(|list| list.children().filter(|child| child.kind() == ARG).collect::<Vec<_>>());
    // Times and intervals have theirs without a list, the seconds of an interval even deeper.
    let literals = node
        .descendants()
        .filter(|n| n.kind() == LITERAL && matches!(node.kind(), TIME_TYPE | TIMESTAMP_TYPE | INTERVAL_TYPE));
    arguments.chain(literals).map(|node| (node.text().to_string().trim().to_owned(), Tree::range(&node))).collect()
}

/// A type that is named by a path: `int`, `app.status`, `pg_catalog.int4`.
fn named(node: &SyntaxNode, modifiers: Vec<(String, Range<usize>)>) -> Result<SqlType, ExpressionError> {
    let range = Tree::range(node);
    let segments: Vec<SyntaxNode> = node.descendants().filter(|n| n.kind() == SyntaxKind::PATH_SEGMENT_REF).collect();
    let names: Vec<String> = segments.iter().map(ast::normalize_name_node).collect();
    let user_type = |schema: &str, name: &str| SqlType {
        schema: Some(schema.to_owned()),
        name: name.to_owned(),
        modifiers: modifiers.iter().map(|(modifier, _)| modifier.clone()).collect(),
        dimensions: 0,
    };
    match names.as_slice() {
        [name] => {
            let quoted = segments.first().is_some_and(ast::is_quoted_name_node);
            if let Some(canonical) = grammar_name(name).filter(|_| !quoted) {
                return builtin_type(canonical, modifiers);
            }
            if name == "float" && !quoted {
                return float(&modifiers, range);
            }
            if let Some(base) = serial(name).filter(|_| !quoted) {
                let message = format!("`{name}` is a shorthand of `CREATE TABLE`, not a type");
                let error = ExpressionError::new(ErrorKind::Type, range, message, "not a type");
                return Err(error.help(format!("write `{base}`")));
            }
            catalog_type(name, &modifiers).unwrap_or_else(|| Ok(user_type("public", name)))
        }
        [schema, name] if schema == "pg_catalog" => catalog_type(name, &modifiers).unwrap_or_else(|| {
            let message = format!("PostgreSQL has no built-in type `{name}`");
            Err(ExpressionError::new(ErrorKind::Type, range, message, "not in `pg_catalog`"))
        }),
        [schema, name] => Ok(user_type(schema, name)),
        _ => Err(ExpressionError::new(ErrorKind::Type, range, "a name of too many parts", "at most `schema.type`")),
    }
}

/// A type that the catalog knows by this name.
fn catalog_type(name: &str, modifiers: &[(String, Range<usize>)]) -> Option<Result<SqlType, ExpressionError>> {
    if builtin::is_builtin_type(name) {
        let name = match name {
            // Without a length it is another type than `character`, which is `character(1)`.
            "bpchar" if !modifiers.is_empty() => "character",
            name => canonical_name(name),
        };
        return Some(builtin_type(name, modifiers.to_vec()));
    }
    // The catalog's own names of array types.
    let element = name.strip_prefix('_').filter(|element| builtin::is_builtin_type(element))?;
    let element = builtin_type(canonical_name(element), modifiers.to_vec());
    Some(element.map(|element| SqlType { dimensions: 1, ..element }))
}

/// A built-in type by the name that `format_type` gives it, with its modifiers looked at.
fn builtin_type(name: &str, modifiers: Vec<(String, Range<usize>)>) -> Result<SqlType, ExpressionError> {
    const LENGTH: RangeInclusive<i32> = 1..=10_485_760;
    const SECONDS: RangeInclusive<i32> = 0..=6;
    let limits: &[RangeInclusive<i32>] = match name {
        "character" | "character varying" => &[LENGTH],
        "bit" | "bit varying" => &[1..=83_886_080],
        "numeric" => &[1..=1000, -1000..=1000],
        "time without time zone"
        | "time with time zone"
        | "timestamp without time zone"
        | "timestamp with time zone" => &[SECONDS],
        _ if name == "interval" || name.starts_with("interval ") && name.ends_with("second") => &[SECONDS],
        _ => &[],
    };
    if let Some((_, extra)) = modifiers.get(limits.len()) {
        let message = match limits.len() {
            0 => format!("type `{name}` takes no modifier"),
            1 => format!("type `{name}` takes one modifier"),
            count => format!("type `{name}` takes {count} modifiers at most"),
        };
        return Err(ExpressionError::new(ErrorKind::Type, extra.clone(), message, "leave this out"));
    }
    for ((modifier, place), limit) in modifiers.iter().zip(limits) {
        if !modifier.parse().is_ok_and(|number: i32| limit.contains(&number)) {
            let message =
                format!("the modifier of type `{name}` is a number from {} to {}", limit.start(), limit.end());
            return Err(ExpressionError::new(ErrorKind::Type, place.clone(), message, "not one of them"));
        }
    }
    let mut modifiers: Vec<String> = modifiers.into_iter().map(|(modifier, _)| modifier).collect();
    match (name, modifiers.len()) {
        ("character" | "bit", 0) => modifiers.push("1".to_owned()),
        ("numeric", 1) => modifiers.push("0".to_owned()),
        _ => {}
    }
    Ok(SqlType { schema: None, name: name.to_owned(), modifiers, dimensions: 0 })
}

/// `float` and `float(n)` are one of two types.
fn float(modifiers: &[(String, Range<usize>)], range: Range<usize>) -> Result<SqlType, ExpressionError> {
    let bits = modifiers.first().map(|(bits, _)| bits.parse::<u32>());
    match bits {
        None | Some(Ok(25..=53)) if modifiers.len() < 2 => Ok(SqlType::builtin("double precision")),
        Some(Ok(1..=24)) if modifiers.len() < 2 => Ok(SqlType::builtin("real")),
        _ => Err(ExpressionError::new(
            ErrorKind::Type,
            range,
            "`float` takes a number of bits from 1 to 53",
            "not one of them",
        )),
    }
}

/// Names that the grammar has and the catalog has not.
pub(crate) fn grammar_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "bigint" => "bigint",
        "boolean" => "boolean",
        "dec" | "decimal" => "numeric",
        "int" | "integer" => "integer",
        "real" => "real",
        "smallint" => "smallint",
        _ => return None,
    })
}

/// What `format_type` calls a type of the catalog.
pub(crate) fn canonical_name(name: &str) -> &str {
    match name {
        "bool" => "boolean",
        "float4" => "real",
        "float8" => "double precision",
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "time" => "time without time zone",
        "timestamp" => "timestamp without time zone",
        "timestamptz" => "timestamp with time zone",
        "timetz" => "time with time zone",
        "varbit" => "bit varying",
        "varchar" => "character varying",
        name => name,
    }
}

/// What the catalog calls a built-in type: the other way round than [`canonical_name`].
pub(super) fn catalog_name(name: &str) -> &str {
    match name {
        "bigint" => "int8",
        "bit varying" => "varbit",
        "boolean" => "bool",
        "character" => "bpchar",
        "character varying" => "varchar",
        "double precision" => "float8",
        "integer" => "int4",
        "real" => "float4",
        "smallint" => "int2",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        name if name.starts_with("interval ") => "interval",
        name => name,
    }
}

/// The type behind a shorthand for a column with a sequence.
pub(crate) fn serial(name: &str) -> Option<&'static str> {
    Some(match name {
        "smallserial" | "serial2" => "smallint",
        "serial" | "serial4" => "integer",
        "bigserial" | "serial8" => "bigint",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_get_the_names_of_format_type() {
        for (written, canonical) in [
            ("int", "integer"),
            (" INT4 ", "integer"),
            ("pg_catalog.int8", "bigint"),
            ("\"int2\"", "smallint"),
            ("varchar", "character varying"),
            ("varchar(10)", "character varying(10)"),
            ("char varying(10)", "character varying(10)"),
            ("national character varying (10)", "character varying(10)"),
            ("char", "character(1)"),
            ("character(3)", "character(3)"),
            ("bpchar", "bpchar"),
            ("bpchar(3)", "character(3)"),
            ("\"char\"", "\"char\""),
            ("bit", "bit(1)"),
            ("varbit(3)", "bit varying(3)"),
            ("decimal", "numeric"),
            ("numeric(12, 2)", "numeric(12,2)"),
            ("numeric(12)", "numeric(12,0)"),
            ("numeric(3,-2)", "numeric(3,-2)"),
            ("float", "double precision"),
            ("float(24)", "real"),
            ("float(25)", "double precision"),
            ("bool", "boolean"),
            ("timestamptz", "timestamp with time zone"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp(0)", "timestamp(0) without time zone"),
            ("timestamp(3) with time zone", "timestamp(3) with time zone"),
            ("time", "time without time zone"),
            ("timetz(2)", "time(2) with time zone"),
            ("interval", "interval"),
            ("interval(3)", "interval(3)"),
            ("interval year to month", "interval year to month"),
            ("interval day to second(3)", "interval day to second(3)"),
            ("int[]", "integer[]"),
            ("int[3][4]", "integer[]"),
            ("text array", "text[]"),
            ("_int4", "integer[]"),
            ("varchar(10)[]", "character varying(10)[]"),
            ("status", "\"public\".\"status\""),
            ("App.Status[]", "\"app\".\"status\"[]"),
            ("\"App\".\"Status\"", "\"App\".\"Status\""),
            ("geometry(Point, 4326)", "\"public\".\"geometry\"(Point,4326)"),
            ("tstzmultirange", "tstzmultirange"),
            ("\"integer\"", "\"public\".\"integer\""),
        ] {
            assert_eq!(parse_type(written).map(|ty| ty.to_string()), Ok(canonical.to_owned()), "{written}");
        }
    }

    #[test]
    fn canonical_names_are_read_back() {
        for written in
            ["timestamp(3) with time zone", "\"public\".\"status\"[]", "character(1)", "\"char\"", "interval(3)"]
        {
            let once = parse_type(written).unwrap();
            assert_eq!(parse_type(&once.to_string()), Ok(once));
        }
    }

    #[test]
    fn mistakes_are_marked() {
        for (written, marked, message) in [
            ("", "", "a type is missing"),
            ("int(4)", "4", "type `integer` takes no modifier"),
            ("text(3)", "3", "type `text` takes no modifier"),
            ("varchar(0)", "0", "the modifier of type `character varying` is a number from 1 to 10485760"),
            ("varchar(a)", "a", "the modifier of type `character varying` is a number from 1 to 10485760"),
            ("varchar(1, 2)", "2", "type `character varying` takes one modifier"),
            ("numeric(1001)", "1001", "the modifier of type `numeric` is a number from 1 to 1000"),
            ("numeric(1,2,3)", "3", "type `numeric` takes 2 modifiers at most"),
            ("timestamp(7)", "7", "the modifier of type `timestamp without time zone` is a number from 0 to 6"),
            ("float(54)", "float(54)", "`float` takes a number of bits from 1 to 53"),
            ("bigserial", "bigserial", "`bigserial` is a shorthand of `CREATE TABLE`, not a type"),
            ("pg_catalog.nope", "pg_catalog.nope", "PostgreSQL has no built-in type `nope`"),
            ("a.b.c", "a.b.c", "a name of too many parts"),
            ("varchar(10", "", "expected `)`"),
            ("setof int", "setof int", "a set is not a type"),
            ("int + 1", "int + 1", "this is not a type"),
            ("int::text", "int::text", "this is not a type"),
            ("int not null", "not", "unexpected `not`"),
            ("int; drop table t", ";", "an expression is expected here, not a statement"),
            ("'x'", "", "expected type name"),
        ] {
            let error = parse_type(written).expect_err(written);
            assert_eq!((&written[error.range.clone()], error.message.as_str()), (marked, message), "{written}");
            assert_eq!(error.kind == ErrorKind::Type, !written.is_empty());
        }
    }
}
