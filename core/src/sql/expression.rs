//! An expression that a user wrote or a dump contains.

use std::ops::Range;

use super::conversion::keeps_null;
use super::error::{ErrorKind, ExpressionError};
use super::parser;
use super::walk::{Facts, Shape, walk};
use crate::schema::{Schema, SqlType};

/// One SQL expression, and what is known about it without asking a server.
///
/// Two expressions are equal if their texts are.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    facts: Facts,
}

/// A column, as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// The schema of `schema.table.column`.
    pub schema: Option<String>,
    /// What stands before the dot: a table, an alias, `new`.
    pub qualifier: Option<String>,
    /// Its name, without quotes and folded as PostgreSQL folds it.
    pub name: String,
    /// Where it stands, qualifier included, in bytes of the text.
    pub range: Range<usize>,
    /// Where its name alone stands.
    pub name_range: Range<usize>,
    /// It stands inside of a query of its own, so it may belong to a table that the query names. Never in an expression that [`Expression::parse`] accepts.
    pub in_subquery: bool,
}

/// A function, as an expression calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionCall {
    /// The schema, where it is written.
    pub schema: Option<String>,
    /// Its name in the catalog: `btrim` for `trim(…)`, `date_part` for `extract(…)`, `timezone` for `… at time zone …`. Key words that
    /// are values (`current_date`) are calls as well; `coalesce`, `nullif`, `greatest` and `least` are operators, not functions.
    pub name: String,
    /// Where it is written: the name without arguments, the key words of an operator.
    pub range: Range<usize>,
    /// What it is called with.
    pub arguments: Vec<Argument>,
}

/// What a function is called with, as far as its type can be told from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// A column, and nothing else.
    Column(ColumnRef),
    /// Something that is cast to this type.
    Cast(SqlType),
    /// A string constant, as it is written between the quotes.
    Text(String),
    /// Anything else.
    Other,
}

/// A cast, written `x::type`, `cast(x as type)` or `type 'literal'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// To what.
    pub target: SqlType,
    /// Where the whole cast stands.
    pub range: Range<usize>,
    /// Where the type stands.
    pub target_range: Range<usize>,
    /// The column, where a column and nothing else is cast.
    pub column: Option<ColumnRef>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl Expression {
    /// Parses one expression that computes a value from the columns of one row.
    ///
    /// # Errors
    ///
    /// The first mistake of the syntax; or all places that make it something else than such an expression: a query, an aggregate or window
    /// function (where the syntax shows it: [`unfit_functions`](super::fitness::unfit_functions) knows them by name), `*`, a parameter, a
    /// cast to something that is no type.
    pub fn parse(text: &str) -> Result<Self, Vec<ExpressionError>> {
        parser::with_expression(text, |tree| {
            let (facts, errors) = walk(tree);
            if errors.is_empty() { Ok(Self { text: text.to_owned(), facts }) } else { Err(errors) }
        })
    }

    /// Parses what a dump contains: a default, a check, a predicate, the expression of an index or a policy. Anything that is one
    /// expression by its syntax will do.
    ///
    /// # Errors
    ///
    /// The first mistake of the syntax.
    pub fn parse_lenient(text: &str) -> Result<Self, Vec<ExpressionError>> {
        parser::with_expression(text, |tree| {
            let (facts, mut errors) = walk(tree);
            errors.retain(|error| error.kind == ErrorKind::Syntax);
            if errors.is_empty() { Ok(Self { text: text.to_owned(), facts }) } else { Err(errors) }
        })
    }

    /// The text that was parsed, as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text without blanks and comments around it, so that it stays an expression in parentheses, whatever comment was at its end.
    pub fn code(&self) -> &str {
        self.text.get(self.facts.code.clone()).unwrap_or_default()
    }

    /// The columns, in the order in which they appear, each time that they appear. Never the names of functions, types, arguments or fields.
    pub fn columns(&self) -> &[ColumnRef] {
        &self.facts.columns
    }

    /// The functions, in the order in which they appear.
    pub fn functions(&self) -> &[FunctionCall] {
        &self.facts.functions
    }

    /// The casts, in the order in which they begin; of those that begin together, the outer one first.
    pub fn casts(&self) -> &[Cast] {
        &self.facts.casts
    }

    /// The [code](Self::code) with SQL put in place of the columns for which `replace` gives some: a quoted identifier, or an expression in
    /// parentheses. What qualified such a column goes with it. All the rest stays as it is, byte for byte.
    pub fn replace_columns(&self, replace: impl Fn(&ColumnRef) -> Option<String>) -> String {
        let mut replaced = String::with_capacity(self.facts.code.len());
        let mut copied = self.facts.code.start;
        for column in &self.facts.columns {
            let Some(replacement) = replace(column) else { continue };
            replaced.push_str(self.text.get(copied..column.range.start).unwrap_or_default());
            // `u&` and a quote would begin a Unicode identifier.
            if replaced.ends_with('&') && replacement.starts_with('"') {
                replaced.push(' ');
            }
            replaced.push_str(&replacement);
            copied = column.range.end;
        }
        replaced.push_str(self.text.get(copied..self.facts.code.end).unwrap_or_default());
        replaced
    }

    /// The column, if the expression is nothing but one, parentheses aside.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        self.facts.columns.first().filter(|_| self.facts.shape == Shape::Column)
    }

    /// The column and the type, if the expression is nothing but a column and one cast of it, parentheses aside.
    pub fn as_cast_of_column(&self) -> Option<(&ColumnRef, &SqlType)> {
        match &self.facts.shape {
            Shape::CastOfColumn(types) => {
                Some((self.facts.columns.first()?, types.first().filter(|_| types.len() == 1)?))
            }
            Shape::Column | Shape::Other => None,
        }
    }

    /// Whether it reads no column.
    pub fn is_constant(&self) -> bool {
        self.facts.columns.is_empty()
    }

    /// Whether it certainly gives NULL for NULL, and for nothing else: true for a column, and for casts of one where
    /// [no step makes a NULL](super::conversion::keeps_null). `column_type` gives the type of a column.
    pub fn maps_null_to_null_only(
        &self,
        schema: &Schema,
        column_type: impl FnOnce(&ColumnRef) -> Option<SqlType>,
    ) -> bool {
        match (&self.facts.shape, self.facts.columns.first()) {
            (Shape::Column, _) => true,
            (Shape::CastOfColumn(types), Some(column)) => column_type(column).is_some_and(|from| {
                let sources = std::iter::once(&from).chain(types);
                sources.zip(types).all(|(from, to)| keeps_null(from, to, schema))
            }),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::quote_ident;

    fn parse(text: &str) -> Expression {
        Expression::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"))
    }

    /// The first mistake: its kind, the code that it marks, and its message.
    fn mistake(text: &str) -> (ErrorKind, String, String) {
        let error = Expression::parse(text).expect_err(text).remove(0);
        (error.kind, text[error.range.clone()].to_owned(), error.message)
    }

    fn columns(text: &str) -> Vec<String> {
        let expression = Expression::parse_lenient(text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"));
        expression
            .columns()
            .iter()
            .map(|column| {
                let path = [column.schema.as_deref(), column.qualifier.as_deref(), Some(&column.name)];
                path.into_iter().flatten().collect::<Vec<_>>().join(".")
            })
            .collect()
    }

    fn functions(text: &str) -> Vec<String> {
        let calls = |call: &FunctionCall| {
            let schema = call.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            format!("{schema}{}/{}", call.name, call.arguments.len())
        };
        parse(text).functions().iter().map(calls).collect()
    }

    #[test]
    fn columns_are_told_from_all_other_names() {
        assert_eq!(columns("split_part(full_name, ' ', 1)"), ["full_name"]);
        assert_eq!(columns("a + b * a"), ["a", "b", "a"]);
        assert_eq!(columns("Users.Full_Name || \"Weird \"\" Name\""), ["users.full_name", "Weird \" Name"]);
        assert_eq!(columns("app.users.name"), ["app.users.name"]);
        assert_eq!(columns("U&\"d\\0061t\\+000061\" || U&\"d!0061t\" uescape '!'"), ["data", "dat"]);
        assert_eq!(columns("(address).city || (address).geo.lat"), ["address", "address"]);
        assert_eq!(columns("tags[1] || tags[lo:hi]"), ["tags", "tags", "lo", "hi"]);
        assert_eq!(columns("make_interval(days => n) + f(x := y)"), ["n", "y"]);
        assert_eq!(columns("total::numeric(10, 2)::app.cents"), ["total"]);
        assert_eq!(columns("cast(a as \"Mood\")"), ["a"]);
        assert_eq!(columns("extract(year from created_at)"), ["created_at"]);
        assert_eq!(columns("interval '1' day + date '2020-01-01' + n"), ["n"]);
        assert_eq!(columns("case kind when 'a' then x else y end"), ["kind", "x", "y"]);
        assert_eq!(columns("name collate \"C\" < other"), ["name", "other"]);
        assert_eq!(columns("a operator(pg_catalog.+) b"), ["a", "b"]);
        assert_eq!(columns("a is unknown and b is not document and c is nfc normalized"), ["a", "b", "c"]);
        assert_eq!(columns("normalize(a, nfc)"), ["a"]);
        assert_eq!(columns("unknown || document || nfc"), ["unknown", "document", "nfc"]);
        assert_eq!(columns("current_user || user || localtime::text || current_date::text"), Vec::<String>::new());
        assert_eq!(columns("\"user\" || \"current_user\""), ["user", "current_user"]);
        assert_eq!(columns("xmlelement(name foo, xmlattributes(a as b), c)"), ["a", "c"]);
        assert_eq!(columns("json_value(a, '$.x' passing b as c returning int)"), ["a", "b"]);
        assert_eq!(columns("row(a, b) = (c, d) or a = any (array[b, c])"), ["a", "b", "c", "d", "a", "b", "c"]);
        assert_eq!(columns("a -- b\n + c /* d */"), ["a", "c"]);
        assert_eq!(columns("coalesce"), ["coalesce"]);
    }

    #[test]
    fn ranges_are_bytes_of_the_text() {
        let text = "lower(é) || users.\"Full\"";
        let expression = parse(text);
        let marked: Vec<_> =
            expression.columns().iter().map(|c| (&text[c.range.clone()], &text[c.name_range.clone()])).collect();
        assert_eq!(marked, [("é", "é"), ("users.\"Full\"", "\"Full\"")]);
        assert_eq!(&text[expression.functions()[0].range.clone()], "lower");
    }

    #[test]
    fn functions_have_the_names_of_the_catalog() {
        assert_eq!(functions("upper(a) || app.slug(b, c) || \"Odd\"()"), ["upper/1", "app.slug/2", "Odd/0"]);
        assert_eq!(functions("trim(a)"), ["btrim/1"]);
        assert_eq!(functions("trim(leading 'x' from a)"), ["ltrim/2"]);
        assert_eq!(functions("trim(trailing from a)"), ["rtrim/1"]);
        assert_eq!(functions("substring(a from 2 for 3) || substring(a, 2)"), ["substring/3", "substring/2"]);
        assert_eq!(functions("position('a' in b) + extract(year from c)"), ["position/2", "date_part/2"]);
        assert_eq!(functions("overlay(a placing b from 1)"), ["overlay/3"]);
        assert_eq!(functions("a at time zone 'UTC'"), ["timezone/2"]);
        assert_eq!(functions("now() > f(a at local)"), ["now/0", "f/1", "timezone/1"]);
        assert_eq!(
            functions("current_timestamp(3) - current_timestamp"),
            ["current_timestamp/1", "current_timestamp/0"]
        );
        assert_eq!(functions("current_schema()"), ["current_schema/0"]);
        assert_eq!(functions("(a, b) overlaps (c, d)"), ["overlaps/2"]);
        assert_eq!(functions("coalesce(nullif(a, b), greatest(c, d), least(e, f))"), Vec::<String>::new());
        assert_eq!(functions("concat_ws(variadic a)"), ["concat_ws/1"]);
        assert_eq!(functions("json_object('a': b)"), ["json_object/1"]);
        assert_eq!(functions("varchar 'x' || int4 '1'"), Vec::<String>::new());
    }

    #[test]
    fn arguments_show_their_types_where_they_can() {
        let expression = parse("f(u.a, (b)::date, 'x', c + 1, d => e) + extract(EPOCH from g)");
        let shown: Vec<String> = expression
            .functions()
            .iter()
            .flat_map(|call| &call.arguments)
            .map(|argument| match argument {
                Argument::Column(column) => format!("column {}", column.name),
                Argument::Cast(ty) => format!("cast to {ty}"),
                Argument::Text(text) => format!("text {text}"),
                Argument::Other => "other".to_owned(),
            })
            .collect();
        assert_eq!(shown, ["column a", "cast to date", "text x", "other", "column e", "text epoch", "column g"]);
    }

    #[test]
    fn casts_say_what_becomes_what() {
        let expression =
            parse("a::int + cast(b as varchar(10))::text::int8 + date '2020-01-01' + (u.c)::bigint + (a + 1)::real");
        let casts: Vec<_> = expression
            .casts()
            .iter()
            .map(|cast| (cast.target.to_string(), cast.column.as_ref().map(|column| column.name.clone())))
            .collect();
        let of = |ty: &str, column: Option<&str>| (ty.to_owned(), column.map(str::to_owned));
        assert_eq!(
            casts,
            [
                of("integer", Some("a")),
                of("bigint", None),
                of("text", None),
                of("character varying(10)", Some("b")),
                of("date", None),
                of("bigint", Some("c")),
                of("real", None),
            ]
        );
        let cast = &expression.casts()[0];
        assert_eq!(
            (&expression.text()[cast.range.clone()], &expression.text()[cast.target_range.clone()]),
            ("a::int", "int")
        );
        assert_eq!(parse("current_date::text").casts()[0].column, None);
    }

    #[test]
    fn shapes() {
        assert_eq!(parse("((u.a))").as_column().map(|c| c.name.as_str()), Some("a"));
        assert_eq!(parse("a + 0").as_column(), None);
        assert_eq!(parse("current_user").as_column(), None);
        assert_eq!(parse("(a).b").as_column(), None);
        let cast = |text: &str| {
            let expression = parse(text);
            expression.as_cast_of_column().map(|(column, ty)| format!("{} {ty}", column.name))
        };
        assert_eq!(cast("(total)::int8").as_deref(), Some("total bigint"));
        assert_eq!(cast("cast(total as numeric(12,2))").as_deref(), Some("total numeric(12,2)"));
        assert_eq!(cast("total::text::int"), None);
        assert_eq!(cast("now()::text"), None);
        assert_eq!(cast("int '1'"), None);
        assert!(parse("1 + 1").is_constant());
        assert!(parse("now()").is_constant());
        assert!(!parse("a").is_constant());
    }

    #[test]
    fn null_for_null_only() {
        let schema = Schema::default();
        let keeps = |text: &str, ty: &str| {
            let ty = super::super::parse_type(ty).unwrap();
            parse(text).maps_null_to_null_only(&schema, |_| Some(ty))
        };
        assert!(keeps("(a)", "text"));
        assert!(keeps("a::int::text", "bigint"));
        assert!(keeps("cast(a as date)", "timestamp"));
        assert!(keeps("a::text[]", "integer[]"));
        assert!(!keeps("a || ''", "text"));
        assert!(!keeps("coalesce(a, '')", "text"));
        assert!(!keeps("1::text", "text"));
        assert!(!keeps("a::time", "timestamp"), "infinity has no time of the day");
        assert!(!keeps("a::date::timestamp::time", "timestamp"));
        assert!(!keeps("a::int", "jsonb"), "JSON's null");
        assert!(keeps("a::text", "jsonb"));
        assert!(!keeps("a::app.thing", "text"), "nobody knows how that cast works");
    }

    #[test]
    fn replaces_columns_token_by_token() {
        let replace = |text: &str| {
            parse(text).replace_columns(|column| match column.name.as_str() {
                "a" => Some(quote_ident("x \" y")),
                "b" => Some("(\"p\" + 1)".to_owned()),
                _ => None,
            })
        };
        assert_eq!(
            replace("a || 'a' || \"a\" || u.a || a(a) || c"),
            r#""x "" y" || 'a' || "x "" y" || "x "" y" || a("x "" y") || c"#
        );
        assert_eq!(replace("b::b.b(1)[2]"), r#"("p" + 1)::b.b(1)[2]"#);
        assert_eq!(replace("(a).a"), r#"("x "" y").a"#);
        assert_eq!(replace("f(a => a)"), r#"f(a => "x "" y")"#);
        assert_eq!(replace("  a -- a\n  + c -- done"), "\"x \"\" y\" -- a\n  + c");
        assert_eq!(replace("u&a"), r#"u& "x "" y""#);
    }

    #[test]
    fn code_ends_before_comments() {
        assert_eq!(parse(" /* x */ a + b -- sum").code(), "a + b");
        assert_eq!(parse(" a ").text(), " a ");
    }

    #[test]
    fn more_or_less_than_one_expression() {
        use ErrorKind::*;
        let kind = |text: &str| {
            let (kind, marked, _) = mistake(text);
            (kind, marked)
        };
        assert_eq!(kind(""), (Empty, String::new()));
        assert_eq!(kind(" -- nothing "), (Empty, " -- nothing ".into()));
        assert_eq!(kind("1; drop table t"), (NotOneExpression, ";".into()));
        assert_eq!(kind("a;"), (NotOneExpression, ";".into()));
        assert_eq!(kind("a, b"), (NotOneExpression, ",".into()));
        assert_eq!(kind("a b"), (NotOneExpression, "b".into()));
        assert_eq!(kind("a as b"), (NotOneExpression, "as".into()));
        assert_eq!(kind("a from t"), (NotOneExpression, "from".into()));
        assert_eq!(kind("a order by b"), (NotOneExpression, "order".into()));
        assert_eq!(kind("a limit 1"), (NotOneExpression, "limit".into()));
        assert_eq!(kind("a union select 1"), (NotOneExpression, "union".into()));
        assert_eq!(kind("a into t"), (NotOneExpression, "into".into()));
        assert_eq!(kind("distinct a"), (Syntax, "distinct".into()));
        assert_eq!(kind("all a"), (Syntax, "all".into()));
        assert_eq!(kind("where a"), (Syntax, "where".into()));
        assert_eq!(kind("*"), (Star, "*".into()));
        assert_eq!(kind("select 1"), (Subquery, "select".into()));
        assert_eq!(kind("with x as (select 1) select 1"), (Subquery, "with".into()));
        assert_eq!(kind("a) or (b"), (Syntax, ")".into()));
        assert_eq!(kind("a) from t where (b"), (Syntax, ")".into()));
        assert_eq!(kind("1)); drop table t; select ((2"), (Syntax, ")".into()));
    }

    #[test]
    fn what_an_expression_must_not_contain() {
        use ErrorKind::*;
        let kinds = |text: &str| -> Vec<(ErrorKind, String)> {
            let errors = Expression::parse(text).expect_err(text);
            errors.into_iter().map(|error| (error.kind, text[error.range].to_owned())).collect()
        };
        for text in [
            "(select 1) + 1",
            "exists (select 1 from t)",
            "array(select count(*) from t)",
            "a in (select 1)",
            "a = any (values (1))",
            "a > all (table t)",
            "(with x as (select 1) select * from x)",
            "((select 1) union (select 2))",
        ] {
            assert_eq!(kinds(text).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Subquery], "{text}");
        }
        assert_eq!(kinds("count(*) + $1"), [(Aggregate, "count(*)".into()), (Parameter, "$1".into())]);
        assert_eq!(kinds("sum(a) filter (where b)"), [(Aggregate, "filter (where b)".into())]);
        assert_eq!(kinds("string_agg(distinct a, b)")[0].0, Aggregate);
        assert_eq!(kinds("array_agg(a order by b)")[0].0, Aggregate);
        assert_eq!(kinds("mode() within group (order by a)")[0].0, Aggregate);
        assert_eq!(kinds("grouping(a)")[0].0, Aggregate);
        assert_eq!(kinds("json_objectagg(a : b)")[0].0, Aggregate);
        assert_eq!(kinds("rank() over w")[0].0, Window);
        assert_eq!(kinds("sum(a) filter (where b) over (order by c)")[0].0, Window);
        assert_eq!(kinds("row(t.*)"), [(Star, "t.*".into())]);
        assert_eq!(kinds(":name")[0].0, Parameter);
        assert_eq!(kinds("a + :name")[0].0, Parameter);
        assert_eq!(kinds("a::int(4)"), [(Type, "4".into())]);
        assert_eq!(kinds("a::setof int")[0].0, Type);
        assert_eq!(kinds("a.b.c.d")[0].0, Syntax);
    }

    #[test]
    fn lenient_takes_what_a_dump_contains() {
        let expression = Expression::parse_lenient(
            "exists (select 1 from app.t where t.id = users.id and \"current_user\"() = name)",
        )
        .unwrap();
        assert!(expression.columns().iter().all(|column| column.in_subquery));
        assert_eq!(columns("exists (select x.id as y from app.t x where x.id = u.id)"), ["x.id", "x.id", "u.id"]);
        assert_eq!(columns("(owner = CURRENT_USER)"), ["owner"]);
        assert_eq!(
            columns("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"),
            ["status"]
        );
        assert_eq!(columns("nextval('app.users_id_seq'::regclass)"), Vec::<String>::new());
        assert_eq!(
            columns("to_tsvector('english'::regconfig, (COALESCE(title, ''::character varying))::text)"),
            ["title"]
        );
        assert_eq!(columns("VALUE ~ '^x'::text"), ["value"]);
        assert!(Expression::parse_lenient("a b").is_err());
    }

    #[test]
    fn syntax_errors_are_readable() {
        let error = |text: &str| {
            let (_, marked, message) = mistake(text);
            format!("{message} @{marked}")
        };
        assert_eq!(error("split_part(full_name, ' ', 1"), "expected `)` @");
        assert_eq!(error("case when a then b"), "expected `END` @");
        assert_eq!(error("a +"), "expected an expression, found the end @");
        assert_eq!(error("a + "), "expected an expression, found the end @");
        assert_eq!(error("a and"), "an expression is missing after `and` @and");
        assert_eq!(error("or b"), "expected an expression, found `or` @or");
        assert_eq!(error("f(a,)"), "unexpected trailing comma @");
        assert_eq!(error("f(a b)"), "expected `,` @");
        assert_eq!(error("cast(a int)"), "expected `AS` @");
        assert_eq!(error("'abc"), "this string is not closed @'");
        assert_eq!(error("a || \"abc"), "this quoted name is not closed @\"");
        assert_eq!(error("a /* b"), "this comment is not closed @/");
        assert_eq!(error("a || $x$ b"), "this dollar-quoted string is not closed @$");
        assert_eq!(error("1a"), "trailing junk after numeric literal @a");
        assert_eq!(error("a in b"), "expected a parenthesized value list or subquery @b");
        assert_eq!(error("upper full_name"), "unexpected `full_name` @full_name");
        assert_eq!(error("a)"), "unexpected `)` @)");
        assert_eq!(error("default"), "DEFAULT is not allowed in this context @default");
        assert_eq!(error("a is b"), "expected `NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM` after `IS` @b");
        assert_eq!(error("a::"), "expected type name @");
        assert_eq!(error("extract(year ts)"), "expected `FROM` @");
        assert_eq!(error("= 1"), "invalid operator @=");
    }

    #[test]
    fn nesting_cannot_exhaust_the_stack() {
        for unit in ["(", "not ", "- ", "case when ", "f(", "a || ", "a -> ", "array[", "(a."] {
            let text = unit.repeat(2_000 / unit.len());
            assert!(Expression::parse(&text).is_err());
        }
        let text = format!("{}a", "a || ".repeat(6_000));
        assert_eq!(parse(&text).columns().len(), 6_001);
        let text = format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000));
        assert!(parse(&text).as_column().is_some());
        assert_eq!(mistake(&"a+".repeat(20_000)).0, ErrorKind::Syntax);
    }
}
