//! Whether the functions of an expression are fit for a conversion.

use super::builtin::{self, Builtin, Kind};
use super::error::{ErrorKind, ExpressionError};
use super::expression::{Argument, ColumnRef, Expression, FunctionCall};
use crate::diagnostic::nearest;
use crate::schema::{Schema, SqlType, Volatility};

/// What surrounds an expression: the facts that decide whether a call in it is fit.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What is declared.
    pub schema: &'a Schema,
    /// The schemas, after `pg_catalog`, in which a function without a schema is looked up.
    pub search_path: &'a [&'a str],
    /// The type of a column, where it is known.
    pub column_type: &'a dyn Fn(&ColumnRef) -> Option<SqlType>,
    /// The major version of the oldest server on which the SQL has to work.
    pub server: u32,
}

/// The calls of an expression that keep it from being a conversion: its result has to be one value, a matter of the row alone, the
/// same whenever and by whomever it is computed, on every supported server from the oldest one in question on.
///
/// - Built-in functions: by name, as the catalogs of PostgreSQL have them.
/// - Functions that the schema declares: as they are declared.
/// - Any other: unknown, unless the schema has extensions, whose functions no dump lists.
///
/// Where a name is overloaded, a call counts as unfit if every overload is.
pub fn unfit_functions(expression: &Expression, surroundings: &Surroundings<'_>) -> Vec<ExpressionError> {
    expression.functions().iter().filter_map(|call| unfit(call, expression.text(), surroundings)).collect()
}

/// The first call, as it is written, whose result does not follow from its arguments alone, so that no index can be made of it. What
/// nobody knows is taken to be fit.
pub fn call_that_is_not_immutable<'e>(expression: &'e Expression, surroundings: &Surroundings<'_>) -> Option<&'e str> {
    let call = expression.functions().iter().find(|call| at_least(call, Volatility::Stable, surroundings))?;
    Some(expression.text().get(call.range.clone()).unwrap_or(&call.name))
}

/// Whether an expression may give another value each time that it is computed.
pub fn calls_volatile(expression: &Expression, surroundings: &Surroundings<'_>) -> bool {
    expression.functions().iter().any(|call| at_least(call, Volatility::Volatile, surroundings))
}

/// Whether every function that a call may mean has this volatility or a worse one.
fn at_least(call: &FunctionCall, volatility: Volatility, surroundings: &Surroundings<'_>) -> bool {
    let builtin = match call.schema.as_deref() {
        None | Some("pg_catalog") => builtin::function(&call.name),
        Some(_) => None,
    };
    let declared = surroundings.schema.functions.iter().filter(|function| {
        function.name.name == call.name && call.schema.as_ref().is_none_or(|schema| function.name.schema == *schema)
    });
    let known = declared.map(|function| function.volatility).chain(builtin.map(|builtin| builtin.volatility));
    known.min().is_some_and(|least| least >= volatility)
}

/// Whether an expression may give another value each time that it is computed within one statement. What nobody knows may.
pub fn may_be_volatile(expression: &Expression, schema: &Schema, search_path: &[&str]) -> bool {
    expression.functions().iter().any(|call| {
        let mut declared = schema.functions.iter().filter(|function| is_meant(function, call, search_path)).peekable();
        let is_known = declared.peek().is_some();
        let is_cast = call.arguments.len() == 1 && call.schema.is_none() && builtin::is_builtin_type(&call.name);
        declared.any(|function| function.volatility == Volatility::Volatile)
            || match builtin_of(call) {
                Some(builtin) => builtin.worst_volatility == Volatility::Volatile,
                None => !is_known && !is_cast,
            }
    })
}

/// The function of PostgreSQL's own that a call can mean.
fn builtin_of(call: &FunctionCall) -> Option<Builtin> {
    match call.schema.as_deref() {
        None | Some("pg_catalog") => builtin::function(&call.name),
        Some(_) => None,
    }
}

/// Whether a call can mean a function that is declared.
fn is_meant(function: &crate::schema::Function, call: &FunctionCall, search_path: &[&str]) -> bool {
    function.name.name == call.name
        && match &call.schema {
            Some(schema) => function.name.schema == *schema,
            None => search_path.contains(&function.name.schema.as_str()),
        }
}

fn unfit(call: &FunctionCall, text: &str, surroundings: &Surroundings<'_>) -> Option<ExpressionError> {
    let schema = surroundings.schema;
    let builtin = builtin_of(call);
    let is_meant = |function: &&crate::schema::Function| is_meant(function, call, surroundings.search_path);
    let is_fit = |function: &crate::schema::Function| {
        !function.returns_set && !function.aggregate_or_window && function.volatility != Volatility::Volatile
    };
    let mut declared = schema.functions.iter().filter(is_meant).peekable();
    let written = text.get(call.range.clone()).unwrap_or(&call.name);
    let error = |kind, message: String, label: &str| ExpressionError::new(kind, call.range.clone(), message, label);
    match (builtin, declared.peek().copied()) {
        _ if declared.any(is_fit) => None,
        (Some(builtin), _) => unfit_builtin(&builtin, call, written, surroundings),
        (None, None) => unknown(call, written, surroundings),
        (None, Some(function)) if function.aggregate_or_window => {
            let message = format!("`{written}` is an aggregate or window function");
            Some(one_row(error(ErrorKind::Aggregate, message, "reads many rows")))
        }
        (None, Some(function)) if function.returns_set => {
            let message = format!("`{written}` returns a set of rows");
            Some(one_row(error(ErrorKind::SetReturning, message, "any number of values")))
        }
        (None, Some(function)) => {
            let note = format!(
                "it is declared so on line {} of {}, or nothing is declared: `volatile` is the default",
                function.line, schema.source
            );
            let help =
                format!("if its result depends on its arguments alone, declare `{}` to be `immutable`", function.name);
            Some(error(ErrorKind::Volatile, format!("`{written}` is volatile"), ANOTHER_VALUE).note(note).help(help))
        }
    }
}

/// The label of what is volatile.
const ANOTHER_VALUE: &str = "may give another value each time";

/// The note for everything that does not make one value out of one row.
fn one_row(error: ExpressionError) -> ExpressionError {
    error.note("a conversion makes one value out of one row")
}

fn unfit_builtin(
    builtin: &Builtin,
    call: &FunctionCall,
    written: &str,
    surroundings: &Surroundings<'_>,
) -> Option<ExpressionError> {
    let server = surroundings.server;
    let error = |kind, message: String, label: &str| ExpressionError::new(kind, call.range.clone(), message, label);
    if builtin.is_only(Kind::SetReturning) {
        let message = format!("`{written}` returns a set of rows");
        return Some(one_row(error(ErrorKind::SetReturning, message, "any number of values")));
    }
    if builtin.kinds.iter().all(|kind| matches!(kind, Kind::Aggregate | Kind::Window)) {
        let (kind, what) = match builtin.kinds.first() {
            Some(Kind::Window) => (ErrorKind::Window, "a window function"),
            _ => (ErrorKind::Aggregate, "an aggregate function"),
        };
        return Some(one_row(error(kind, format!("`{written}` is {what}"), "reads many rows")));
    }
    if builtin.volatility == Volatility::Volatile {
        let message = format!("`{written}` is volatile");
        return Some(
            error(ErrorKind::Volatile, message, ANOTHER_VALUE)
                .note("the same row is converted by the trigger, by the backfill and by the comparison, and has to give the same value"),
        );
    }
    if let Some(reason) = builtin::session_reason(&call.name, call.arguments.len()) {
        let message = format!("the result of `{written}` depends on more than the row");
        return Some(
            error(ErrorKind::SessionDependent, message, "another value in another session or at another time")
                .note(reason),
        );
    }
    if let Some(what) = zoned_argument(builtin, call, surroundings) {
        let message = format!("the result of `{written}` depends on the setting `TimeZone` of the session");
        return Some(
            error(ErrorKind::SessionDependent, message, "another value in another zone")
                .note(format!("{what} is a time with zone"))
                .help("say in which zone it is meant, such as `… at time zone 'UTC'`"),
        );
    }
    if let Some(since) = builtin.since.filter(|since| *since > server) {
        let message = format!("`{written}` exists since PostgreSQL {since}");
        return Some(
            error(ErrorKind::ServerVersion, message, "unknown to older servers")
                .note(format!("the SQL must work on PostgreSQL {server}, the oldest server of this declaration"))
                .help(format!("write `server {since};` if all your servers are that new")),
        );
    }
    let until = builtin.until?;
    let message = format!("`{written}` does not exist after PostgreSQL {until}");
    Some(error(ErrorKind::ServerVersion, message, "unknown to newer servers"))
}

/// The argument that is a time with zone, where the call takes it apart by the setting of the session.
fn zoned_argument(builtin: &Builtin, call: &FunctionCall, surroundings: &Surroundings<'_>) -> Option<String> {
    let says_zone = call.name == "date_trunc" && call.arguments.len() == 3;
    let is_moment =
        matches!(call.arguments.first(), Some(Argument::Text(field)) if field.eq_ignore_ascii_case("epoch"));
    if says_zone || is_moment || !builtin.time_zone_arguments.contains(&call.arguments.len()) {
        return None;
    }
    let is_zoned = |ty: &SqlType| ty.is("timestamp with time zone");
    call.arguments.iter().find_map(|argument| match argument {
        Argument::Column(column) => {
            (surroundings.column_type)(column).filter(is_zoned).map(|_| format!("`{}`", column.name))
        }
        Argument::Cast(ty) => is_zoned(ty).then(|| "the argument".to_owned()),
        Argument::Text(_) | Argument::Other => None,
    })
}

fn unknown(call: &FunctionCall, written: &str, surroundings: &Surroundings<'_>) -> Option<ExpressionError> {
    let schema = surroundings.schema;
    // A type's name with one argument is a cast.
    if call.arguments.len() == 1 && call.schema.is_none() && builtin::is_builtin_type(&call.name) {
        return None;
    }
    // What extensions define is not in a dump. This one defines nothing that an expression could call.
    if schema.extensions.iter().any(|extension| extension != "plpgsql") && call.schema.as_deref() != Some("pg_catalog")
    {
        return None;
    }
    let error = ExpressionError::new(
        ErrorKind::UnknownFunction,
        call.range.clone(),
        format!("there is no function `{written}`"),
        "neither built in nor declared",
    )
    .note(format!("{} declares no such function and no extension that could", schema.source));
    if let Some(elsewhere) = schema.functions.iter().find(|f| call.schema.is_none() && f.name.name == call.name) {
        return Some(error.help(format!("write `{}`", elsewhere.name)));
    }
    let declared = schema
        .functions
        .iter()
        .filter(|f| surroundings.search_path.contains(&f.name.schema.as_str()))
        .map(|f| f.name.name.as_str());
    let near = nearest(&call.name, declared).or_else(|| nearest(&call.name, builtin::function_names()));
    Some(match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::QualifiedName;
    use crate::schema::Function;

    fn declared(schema: &str, name: &str, volatility: Volatility) -> Function {
        Function {
            name: QualifiedName::new(schema, name),
            arguments: String::new(),
            volatility,
            returns_set: false,
            aggregate_or_window: false,
            body: String::new(),
            line: 7,
        }
    }

    /// What is wrong with the calls of an expression, on PostgreSQL 13: kind and message.
    fn unfit(text: &str, schema: &Schema) -> Vec<(ErrorKind, String)> {
        let expression = Expression::parse_lenient(text).unwrap();
        let column_type = |column: &ColumnRef| match column.name.as_str() {
            "zoned" => Some(SqlType::builtin("timestamp with time zone")),
            _ => Some(SqlType::builtin("timestamp without time zone")),
        };
        let surroundings =
            Surroundings { schema, search_path: &["app", "public"], column_type: &column_type, server: 13 };
        unfit_functions(&expression, &surroundings).into_iter().map(|error| (error.kind, error.message)).collect()
    }

    fn kinds(text: &str) -> Vec<ErrorKind> {
        unfit(text, &Schema::default()).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn fit_calls() {
        for text in [
            "lower(a) || trim(b) || substring(c from 1) || split_part(d, ' ', 1)",
            "coalesce(nullif(a, ''), md5(b), concat_ws(' ', c, d), format('%s', e))",
            "extract(year from plain) + date_part('epoch', zoned) + extract(epoch from zoned)",
            "date_trunc('day', zoned at time zone 'UTC') + age(plain, plain)",
            "date_trunc('day', zoned, 'Europe/Berlin')",
            "to_tsvector('english', a)",
            "int4(a) + text(b)::int + uuid(c)",
            "pg_catalog.upper(a)",
            "jsonb_build_object('a', a) || to_jsonb(b)",
            "(a, b) overlaps (c, d)",
            "json_object('{a,1}')",
        ] {
            assert_eq!(unfit(text, &Schema::default()), [], "{text}");
        }
    }

    #[test]
    fn h63_unfit_calls() {
        use ErrorKind::*;
        for (text, kind) in [
            ("random()", Volatile),
            ("a || gen_random_uuid()", Volatile),
            ("nextval('s')", Volatile),
            ("clock_timestamp()", Volatile),
            ("now()", SessionDependent),
            ("current_timestamp(3)", SessionDependent),
            ("current_date - a", SessionDependent),
            ("localtime", SessionDependent),
            ("current_user", SessionDependent),
            ("user::text", SessionDependent),
            ("current_schema", SessionDependent),
            ("current_setting('x')", SessionDependent),
            ("age(plain)", SessionDependent),
            ("to_tsvector(a)", SessionDependent),
            ("pg_backend_pid()", SessionDependent),
            ("plain at local", SessionDependent),
            ("date_trunc('day', zoned)", SessionDependent),
            ("extract(hour from zoned)", SessionDependent),
            ("to_char(a::timestamptz, 'YYYY')", SessionDependent),
            ("table_to_xml('t', true, true, '')", SessionDependent),
            ("sum(a)", Aggregate),
            ("row_number()", Window),
            ("rank()", Aggregate),
            ("unnest(a)", SetReturning),
            ("generate_series(1, a)", SetReturning),
            ("regexp_split_to_table(a, ',')", SetReturning),
            ("date_bin('1 day', plain, plain)", ServerVersion),
            ("json_value(a, '$.x')", ServerVersion),
            ("system_user", SessionDependent),
            ("loewr(a)", UnknownFunction),
            ("pg_catalog.nope(a)", UnknownFunction),
            ("app.nope(a)", UnknownFunction),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
        }
    }

    #[test]
    fn declared_functions_count_as_they_are_declared() {
        let mut schema = Schema { source: "schema.sql".to_owned(), ..Schema::default() };
        schema.functions = vec![
            declared("public", "slug", Volatility::Immutable),
            declared("app", "token", Volatility::Volatile),
            declared("app", "either", Volatility::Volatile),
            declared("app", "either", Volatility::Stable),
            declared("app", "random", Volatility::Immutable),
            declared("hidden", "secret", Volatility::Immutable),
            Function { returns_set: true, ..declared("app", "many", Volatility::Immutable) },
            Function { aggregate_or_window: true, ..declared("app", "total", Volatility::Immutable) },
        ];
        assert_eq!(unfit("slug(a) || public.slug(b) || either(c) || random()", &schema), []);
        let kinds: Vec<_> =
            unfit("token(a) || many(b) || total(c) || app.token(d)", &schema).into_iter().map(|e| e.0).collect();
        assert_eq!(kinds, [ErrorKind::Volatile, ErrorKind::SetReturning, ErrorKind::Aggregate, ErrorKind::Volatile]);
        assert_eq!(unfit("app.slug(a)", &schema)[0].0, ErrorKind::UnknownFunction);

        let help = |text: &str, schema: &Schema| {
            let expression = Expression::parse(text).unwrap();
            let surroundings =
                Surroundings { schema, search_path: &["app", "public"], column_type: &|_| None, server: 13 };
            unfit_functions(&expression, &surroundings).remove(0).help
        };
        assert_eq!(help("secret(a)", &schema).as_deref(), Some("write `hidden.secret`"));
        assert_eq!(help("slgu(a)", &schema).as_deref(), Some("did you mean `slug`?"));
        assert_eq!(help("split_prat(a, b, 1)", &schema).as_deref(), Some("did you mean `split_part`?"));
        assert_eq!(help("zzzzzzzzzzzzz(a)", &schema), None);

        schema.extensions.push("plpgsql".to_owned());
        assert_eq!(unfit("st_area(a)", &schema).len(), 1, "this one defines no functions");
        schema.extensions.push("postgis".to_owned());
        assert_eq!(unfit("st_area(a)", &schema), []);
    }
}
