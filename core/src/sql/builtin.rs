//! What PostgreSQL's own functions and types are, taken from the catalogs of real servers.
//!
//! The lists next to this file are made by `scripts/builtin_catalog.py`. They are the union of the supported servers and speak of names:
//! which overload a call means depends on the types of its arguments, which nobody here knows.

use std::sync::LazyLock;

use super::error::{ErrorKind, ExpressionError};
use super::expression::{Expression, FunctionCall};
use crate::diagnostic::nearest;
use crate::schema::{Schema, Volatility};

/// Sorted lines of `name facts…`.
struct List(LazyLock<Vec<&'static str>>);

impl List {
    /// The facts of a name.
    fn find(&self, name: &str) -> Option<&'static str> {
        let at = self.0.binary_search_by(|line| self.name(line).cmp(name)).ok()?;
        self.0.get(at)?.split_once(' ').map(|(_, facts)| facts)
    }

    fn name<'a>(&self, line: &'a str) -> &'a str {
        line.split_once(' ').map_or(line, |(name, _)| name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|line| self.name(line))
    }
}

/// Cuts a file into lines: once per process, well under a millisecond.
fn lines(file: &'static str) -> Vec<&'static str> {
    file.lines().filter(|line| !line.starts_with('#')).collect()
}

static FUNCTIONS: List = List(LazyLock::new(|| lines(include_str!("builtin_functions.txt"))));
static CASTS: List = List(LazyLock::new(|| lines(include_str!("builtin_casts.txt"))));
static TYPES: List = List(LazyLock::new(|| lines(include_str!("builtin_types.txt"))));

/// What calls of a function do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One result for one call.
    Plain,
    /// One result for many rows.
    Aggregate,
    /// A result that depends on the rows around.
    Window,
    /// Any number of rows for one call.
    SetReturning,
}

/// A function of `pg_catalog`: all overloads of a name together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The volatility that every overload has at least.
    pub volatility: Volatility,
    /// The worst of all overloads: `AT TIME ZONE` is immutable but for `time with time zone`.
    pub worst_volatility: Volatility,
    /// Of all overloads. No name is an aggregate and a plain function at once.
    pub kinds: Vec<Kind>,
    /// Its result differs from session to session, or with the time, though PostgreSQL calls it stable.
    pub depends_on_session: bool,
    /// Some overload takes or returns a time with zone and depends on the setting `TimeZone`.
    pub depends_on_time_zone: bool,
    /// The first major version that has it, where not every supported one does.
    pub since: Option<u32>,
    /// The last major version that has it, where newer ones do not.
    pub until: Option<u32>,
}

impl Builtin {
    /// Whether every overload is of this kind.
    pub fn is_only(&self, kind: Kind) -> bool {
        self.kinds == [kind]
    }
}

/// The built-in function of this name: one of `pg_catalog`, or one of those that SQL writes as key words (`current_date`, `json_value`).
pub fn function(name: &str) -> Option<Builtin> {
    let depends_on_session = SESSION.iter().any(|(names, ..)| names.contains(&name));
    if let Some((_, since)) = KEY_WORDS.iter().find(|(key_word, _)| *key_word == name) {
        return Some(Builtin {
            volatility: Volatility::Stable,
            worst_volatility: Volatility::Stable,
            kinds: vec![Kind::Plain],
            depends_on_session,
            depends_on_time_zone: false,
            since: *since,
            until: None,
        });
    }
    let mut facts = FUNCTIONS.find(name)?.split(' ');
    let (volatilities, kinds) = (facts.next()?, facts.next()?);
    let (since, until) = servers(facts.next()?);
    let volatility = |letter| match letter {
        'i' => Some(Volatility::Immutable),
        's' => Some(Volatility::Stable),
        'v' => Some(Volatility::Volatile),
        _ => None,
    };
    let kind = |letter| match letter {
        'p' => Some(Kind::Plain),
        'r' => Some(Kind::SetReturning),
        'a' => Some(Kind::Aggregate),
        'w' => Some(Kind::Window),
        _ => None,
    };
    Some(Builtin {
        volatility: volatilities.chars().filter_map(volatility).min()?,
        worst_volatility: volatilities.chars().filter_map(volatility).max()?,
        kinds: kinds.chars().filter_map(kind).collect(),
        depends_on_session,
        depends_on_time_zone: volatilities.ends_with('z'),
        since,
        until,
    })
}

/// Whether `pg_catalog` has a type of this name, on any supported server. Names of the catalog (`int4`), not of the grammar (`integer`).
pub fn is_builtin_type(name: &str) -> bool {
    TYPES.find(name).is_some()
}

/// Whether `pg_cast` has a cast between two types of the catalog, and which servers have it: since, and until.
pub(super) fn cast(from: &str, to: &str) -> Option<(Option<u32>, Option<u32>)> {
    CASTS.find(&format!("{from}>{to}")).map(servers)
}

/// `14-` → since 14, `-13` → until 13.
fn servers(field: &str) -> (Option<u32>, Option<u32>) {
    let (since, until) = field.split_once('-').unwrap_or_default();
    (since.parse().ok(), until.parse().ok())
}

/// What looks like a function or a value, is written with key words, and is not in `pg_proc`: the name, and since which server.
const KEY_WORDS: &[(&str, Option<u32>)] = &[
    ("current_catalog", None),
    ("current_date", None),
    ("current_role", None),
    ("current_time", None),
    ("current_timestamp", None),
    ("json", None),
    ("json_array", Some(16)),
    ("json_exists", Some(17)),
    ("json_query", Some(17)),
    ("json_scalar", Some(17)),
    ("json_serialize", Some(17)),
    ("json_value", Some(17)),
    ("localtime", None),
    ("localtimestamp", None),
    ("user", None),
];

/// Functions whose result is not a matter of their arguments alone, though PostgreSQL lets them be stable: a row that is converted today and
/// compared tomorrow, or written by one session and compared by another, would differ. With how many arguments that is so (`None`: with
/// any number), and why. Those that are volatile need no entry.
const SESSION: &[(&[&str], Option<usize>, &str)] = &[
    (
        &[
            "current_date",
            "current_time",
            "current_timestamp",
            "localtime",
            "localtimestamp",
            "now",
            "statement_timestamp",
            "transaction_timestamp",
        ],
        None,
        "it is the time of the transaction that calls it",
    ),
    (&["age"], Some(1), "with one argument it counts from today"),
    (
        &["current_role", "current_user", "getpgusername", "session_user", "system_user", "user"],
        None,
        "it is the role of the session that calls it",
    ),
    (&["current_schema", "current_schemas"], None, "it depends on the `search_path` of the session"),
    (
        &[
            "pg_collation_is_visible",
            "pg_conversion_is_visible",
            "pg_function_is_visible",
            "pg_opclass_is_visible",
            "pg_operator_is_visible",
            "pg_opfamily_is_visible",
            "pg_statistics_obj_is_visible",
            "pg_table_is_visible",
            "pg_ts_config_is_visible",
            "pg_ts_dict_is_visible",
            "pg_ts_parser_is_visible",
            "pg_ts_template_is_visible",
            "pg_type_is_visible",
            "to_regclass",
            "to_regcollation",
            "to_regnamespace",
            "to_regoper",
            "to_regoperator",
            "to_regproc",
            "to_regprocedure",
            "to_regrole",
            "to_regtype",
            "to_regtypemod",
        ],
        None,
        "it looks names up in the catalog, by the `search_path` of the session",
    ),
    (&["current_setting", "pg_client_encoding"], None, "it reads a setting of the session"),
    (&["timezone"], Some(1), "`AT LOCAL` depends on the setting `TimeZone` of the session"),
    (&["get_current_ts_config"], None, "it reads the setting `default_text_search_config` of the session"),
    (
        &["phraseto_tsquery", "plainto_tsquery", "to_tsquery", "to_tsvector", "websearch_to_tsquery"],
        Some(1),
        "without a configuration as first argument it depends on the setting `default_text_search_config` of the session",
    ),
    (
        &["json_to_tsvector", "jsonb_to_tsvector", "ts_headline"],
        Some(2),
        "without a configuration as first argument it depends on the setting `default_text_search_config` of the session",
    ),
    (
        &["inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port", "pg_backend_pid"],
        None,
        "it is a property of the connection",
    ),
    (&["pg_is_other_temp_schema", "pg_my_temp_schema"], None, "temporary tables belong to the session"),
    (
        &[
            "pg_current_snapshot",
            "pg_current_xact_id",
            "pg_current_xact_id_if_assigned",
            "txid_current",
            "txid_current_if_assigned",
            "txid_current_snapshot",
        ],
        None,
        "it is a property of the transaction that calls it",
    ),
    (&["mxid_age"], None, "it counts from the transactions of this moment"),
    (&["pg_trigger_depth"], None, "it depends on what calls it"),
    (&["current_catalog", "current_database"], None, "it changes with the name of the database"),
    (
        &["pg_conf_load_time", "pg_is_in_recovery", "pg_postmaster_start_time", "version"],
        None,
        "it is a property of the running server",
    ),
    (
        &[
            "has_any_column_privilege",
            "has_column_privilege",
            "has_database_privilege",
            "has_foreign_data_wrapper_privilege",
            "has_function_privilege",
            "has_language_privilege",
            "has_largeobject_privilege",
            "has_parameter_privilege",
            "has_schema_privilege",
            "has_sequence_privilege",
            "has_server_privilege",
            "has_table_privilege",
            "has_tablespace_privilege",
            "has_type_privilege",
            "pg_has_role",
            "row_security_active",
        ],
        None,
        "privileges change, and are those of the session's role",
    ),
    (
        &["pg_column_compression", "pg_column_size", "pg_column_toast_chunk_id"],
        None,
        "it tells how a value is stored, not what it is",
    ),
    (
        &[
            "database_to_xml",
            "database_to_xml_and_xmlschema",
            "database_to_xmlschema",
            "schema_to_xml",
            "schema_to_xml_and_xmlschema",
            "schema_to_xmlschema",
            "table_to_xml",
            "table_to_xml_and_xmlschema",
            "table_to_xmlschema",
        ],
        None,
        "it reads other rows",
    ),
];

/// Why the result of this call is not a matter of its arguments alone.
fn session_reason(name: &str, argument_count: usize) -> Option<&'static str> {
    let applies = |count: &Option<usize>| count.is_none_or(|count| count == argument_count);
    SESSION.iter().find(|(names, count, _)| names.contains(&name) && applies(count)).map(|(.., reason)| *reason)
}

/// The calls of an expression that keep it from being a conversion: its result has to be one value, a matter of the row alone, and
/// the same whenever and by whomever it is computed, on every server from `server` (a major version) on.
///
/// - Built-in functions: by name, as the catalogs of PostgreSQL have them.
/// - Functions that `schema` declares: as they are declared. Without a schema in the call, that is `public`.
/// - Any other: unknown, unless the schema has extensions, whose functions no dump lists.
///
/// Where a name is overloaded, a call counts as unfit if every overload is.
pub fn unfit_functions(expression: &Expression, schema: &Schema, server: u32) -> Vec<ExpressionError> {
    expression.functions().iter().filter_map(|call| unfit(call, expression.text(), schema, server)).collect()
}

fn unfit(call: &FunctionCall, text: &str, schema: &Schema, server: u32) -> Option<ExpressionError> {
    let in_catalog = call.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    let builtin = if in_catalog { function(&call.name) } else { None };
    let in_schema = call.schema.as_deref().unwrap_or("public");
    let declared = || schema.functions.iter().filter(|f| f.name.name == call.name && f.name.schema == in_schema);

    let fit = |function: &&crate::schema::Function| {
        !function.returns_set && !function.aggregate_or_window && function.volatility != Volatility::Volatile
    };
    if declared().any(|function| fit(&function)) {
        return None;
    }
    let written = text.get(call.range.clone()).unwrap_or(&call.name);
    let error =
        |kind, message: String, label: &str| Some(ExpressionError::new(kind, call.range.clone(), message, label));
    match (builtin, declared().next()) {
        (Some(builtin), _) => unfit_builtin(&builtin, call, written, server),
        (None, Some(function)) if function.aggregate_or_window => {
            error(ErrorKind::Aggregate, format!("`{written}` is an aggregate or window function"), "reads many rows")
                .map(one_row)
        }
        (None, Some(function)) if function.returns_set => {
            error(ErrorKind::SetReturning, format!("`{written}` returns a set of rows"), "any number of values")
                .map(one_row)
        }
        (None, Some(function)) => {
            error(ErrorKind::Volatile, format!("`{written}` is volatile"), "may give another value each time").map(
                |error| {
                    error
                        .note(format!(
                            "line {} of {} declares it so, or leaves it out: `volatile` is the default",
                            function.line, schema.source
                        ))
                        .help(format!(
                            "if its result depends on its arguments alone: `alter function {} … immutable`",
                            function.name
                        ))
                },
            )
        }
        (None, None) => unknown(call, written, schema),
    }
}

/// The note for everything that does not make one value out of one row.
fn one_row(error: ExpressionError) -> ExpressionError {
    error.note("a conversion makes one value out of one row")
}

fn unfit_builtin(builtin: &Builtin, call: &FunctionCall, written: &str, server: u32) -> Option<ExpressionError> {
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
            error(ErrorKind::Volatile, message, "may give another value each time")
                .note("the same row is converted by the trigger, by the backfill and by the comparison, and has to give the same value"),
        );
    }
    if let Some(reason) = session_reason(&call.name, call.argument_count) {
        let message = format!("the result of `{written}` depends on more than the row");
        return Some(
            error(ErrorKind::SessionDependent, message, "another value in another session or at another time")
                .note(reason),
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

fn unknown(call: &FunctionCall, written: &str, schema: &Schema) -> Option<ExpressionError> {
    // A type's name with one argument is a cast.
    if call.argument_count == 1 && call.schema.is_none() && is_builtin_type(&call.name) {
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
    let declared = schema.functions.iter().filter(|f| f.name.schema == "public").map(|f| f.name.name.as_str());
    let near = nearest(&call.name, FUNCTIONS.names().chain(declared));
    Some(match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    })
}
