//! What PostgreSQL's own functions and types are, taken from the catalogs of real servers.
//!
//! The lists next to this file are made by `scripts/builtin-catalog`. They are the union of the supported servers and speak of names:
//! which overload a call means depends on the types of its arguments, which nobody here knows.

use std::sync::LazyLock;

use crate::schema::Volatility;

/// Sorted lines of `name facts…`.
struct List(LazyLock<Vec<&'static str>>);

impl List {
    /// The facts of a name.
    fn find(&self, name: &str) -> Option<&'static str> {
        let at = self.0.binary_search_by(|line| name_of(line).cmp(name)).ok()?;
        self.0.get(at)?.split_once(' ').map(|(_, facts)| facts)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|line| name_of(line))
    }
}

fn name_of(line: &'static str) -> &'static str {
    line.split_once(' ').map_or(line, |(name, _)| name)
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
    /// With so many arguments there is an overload that takes a `timestamp with time zone` and depends on the setting `TimeZone`.
    pub time_zone_arguments: Vec<usize>,
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
            time_zone_arguments: Vec::new(),
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
        time_zone_arguments: facts.filter_map(|count| count.parse().ok()).collect(),
        since,
        until,
    })
}

/// The names of all functions of `pg_catalog`.
pub(super) fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.names()
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
    (&["timestamptz", "timetz"], Some(1), "the zone that it adds is the setting `TimeZone` of the session"),
    (&["make_timestamptz"], Some(6), "without a zone it takes the setting `TimeZone` of the session"),
    (&["to_timestamp"], Some(2), "without a zone in the text it takes the setting `TimeZone` of the session"),
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
    (&["pg_conf_load_time", "pg_postmaster_start_time", "version"], None, "it is a property of the running server"),
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
pub(super) fn session_reason(name: &str, argument_count: usize) -> Option<&'static str> {
    let applies = |count: &Option<usize>| count.is_none_or(|count| count == argument_count);
    SESSION.iter().find(|(names, count, _)| names.contains(&name) && applies(count)).map(|(.., reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_complete() {
        for list in [&FUNCTIONS, &TYPES, &CASTS] {
            assert!(list.0.is_sorted_by(|a, b| name_of(a) < name_of(b)));
        }
        for name in FUNCTIONS.names() {
            let builtin = function(name).unwrap_or_else(|| panic!("{name} cannot be read"));
            assert!(!builtin.kinds.is_empty(), "{name}");
        }
        for (names, ..) in SESSION {
            for name in *names {
                let builtin = function(name).unwrap_or_else(|| panic!("{name} is no function"));
                assert_ne!(builtin.volatility, Volatility::Volatile, "{name} needs no entry");
            }
        }
    }

    #[test]
    fn facts_of_the_catalog() {
        let lower = function("lower").unwrap();
        assert_eq!((lower.volatility, lower.is_only(Kind::Plain), lower.since), (Volatility::Immutable, true, None));
        assert_eq!(function("now").unwrap().volatility, Volatility::Stable);
        assert_eq!(function("random").unwrap().volatility, Volatility::Volatile);
        assert_eq!(function("sum").unwrap().kinds, [Kind::Aggregate]);
        assert_eq!(function("rank").unwrap().kinds, [Kind::Aggregate, Kind::Window]);
        assert_eq!(function("unnest").unwrap().kinds, [Kind::SetReturning]);
        assert_eq!(function("date_bin").unwrap().since, Some(14));
        assert_eq!(function("pg_start_backup").unwrap().until, Some(14));
        assert_eq!(function("date_part").unwrap().worst_volatility, Volatility::Stable);
        assert_eq!(function("no_such_function"), None);
        assert!(is_builtin_type("int4") && is_builtin_type("tsvector") && is_builtin_type("char"));
        assert!(!is_builtin_type("integer") && !is_builtin_type("_int4") && !is_builtin_type("pg_class"));
        assert_eq!(cast("int4", "int8"), Some((None, None)));
        assert_eq!(cast("int4", "bytea"), Some((Some(18), None)));
        assert_eq!(cast("bool", "date"), None);
    }
}
