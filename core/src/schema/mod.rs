//! The database as `pg_dump --schema-only` describes it: plain data, without opinions.
//!
//! [`load`](load::load) reads it. Objects that an in-flight change made (their comment begins with [`OWNERSHIP_MARK`]) and the ledger's
//! schema are left out, so that a dump taken in the middle of a change describes the same shape as one taken before it.

pub mod load;

use std::collections::BTreeMap;
use std::fmt;

pub use crate::ident::QualifiedName;

/// Comments on objects that belong to a change in flight begin with this.
pub const OWNERSHIP_MARK: &str = "coexist: ";

/// Where the ledger lives: nothing in this schema is the user's.
pub const LEDGER_SCHEMA: &str = "coexist";

/// Whether a comment says that a change in flight made the object.
pub fn is_marked(comment: Option<&str>) -> bool {
    comment.is_some_and(|comment| comment.starts_with(OWNERSHIP_MARK))
}

/// Everything a dump describes.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// What to call the source in messages: `schema.sql`, or `inline schema`.
    pub source: String,
    /// Tables, partitioned and foreign tables.
    pub tables: BTreeMap<QualifiedName, Table>,
    /// Enum types.
    pub enums: BTreeMap<QualifiedName, EnumType>,
    /// Domains.
    pub domains: BTreeMap<QualifiedName, Domain>,
    /// Composite and range types, with the multirange types that come with these, and base types: name and line.
    pub other_types: BTreeMap<QualifiedName, u32>,
    /// Sequences, including those behind `serial` and identity columns.
    pub sequences: BTreeMap<QualifiedName, Sequence>,
    /// Views and materialized views.
    pub views: BTreeMap<QualifiedName, View>,
    /// Functions and procedures; overloads stand next to each other.
    pub functions: Vec<Function>,
    /// Names of extensions: what they define is not in a dump.
    pub extensions: Vec<String>,
    /// Publications.
    pub publications: Vec<Publication>,
    /// Statements that are not understood: they matter only where a change touches what they name.
    pub opaque: Vec<OpaqueStatement>,
}

impl Schema {
    /// The table of this name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The foreign keys that point at a table, with the tables that have them.
    pub fn foreign_keys_to(&self, referenced: &QualifiedName) -> impl Iterator<Item = (&Table, &Constraint)> {
        self.tables.values().flat_map(move |table| {
            let here = move |constraint: &&Constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if references == referenced)
            };
            table.constraints.iter().filter(here).map(move |constraint| (table, constraint))
        })
    }

    /// The views and materialized views that read a relation.
    pub fn views_of(&self, relation: &QualifiedName) -> impl Iterator<Item = &View> {
        self.views.values().filter(move |view| view.relations.contains(relation))
    }

    /// The sequences that a column owns: at most one, unless somebody made more.
    pub fn sequences_of(&self, table: &QualifiedName, column: &str) -> impl Iterator<Item = &Sequence> {
        self.sequences.values().filter(move |sequence| {
            sequence.owned_by.as_ref().is_some_and(|(owner, owning)| owner == table && owning == column)
        })
    }

    /// The partitions and inheritance children of a table, not theirs.
    pub fn children_of(&self, parent: &QualifiedName) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(move |table| table.parents.contains(parent))
    }

    /// The publications that a table is part of, by its own name, its schema's, or because they publish everything.
    pub fn publications_of(&self, table: &QualifiedName) -> impl Iterator<Item = &Publication> {
        self.publications.iter().filter(move |publication| {
            publication.all_tables
                || publication.schemas.contains(&table.schema)
                || publication.tables.iter().any(|(name, ..)| name == table)
        })
    }

    /// All relations share one name space per schema: what kind of thing has this name, and on which line.
    pub fn relation(&self, name: &QualifiedName) -> Option<(&'static str, u32)> {
        if let Some(table) = self.tables.get(name) {
            return Some(("table", table.line));
        }
        if let Some(view) = self.views.get(name) {
            return Some((if view.materialized { "materialized view" } else { "view" }, view.line));
        }
        if let Some(sequence) = self.sequences.get(name) {
            return Some(("sequence", sequence.line));
        }
        let of_a_view = self.views.values().filter(|view| view.name.schema == name.schema);
        let mut of_a_view = of_a_view.flat_map(|view| &view.indexes);
        if let Some(index) = of_a_view.find(|index| index.name == name.name) {
            return Some(("index", index.line));
        }
        self.tables.values().filter(|table| table.name.schema == name.schema).find_map(|table| {
            let index = table.indexes.iter().find(|index| index.name == name.name).map(|index| ("index", index.line));
            index.or_else(|| {
                let constraint = table.constraints.iter().find(|c| c.name == name.name && c.kind.has_index());
                constraint.map(|c| ("constraint", c.line))
            })
        })
    }
}

/// A type with its modifier and array dimensions, as PostgreSQL's `format_type` names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SqlType {
    /// The schema of a type that is not built in; `None` for those of `pg_catalog`.
    pub schema: Option<String>,
    /// The canonical name without modifier: `integer`, `character varying`, `timestamp with time zone`, `interval day to second`; `"char"`
    /// is `char`.
    pub name: String,
    /// The modifiers as `format_type` writes them: `["12", "2"]` for `numeric(12,2)`.
    pub modifiers: Vec<String>,
    /// Array dimensions. PostgreSQL does not tell one from several: 1 for every array.
    pub dimensions: u8,
}

impl SqlType {
    /// A built-in type without modifier.
    pub fn builtin(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into(), modifiers: Vec::new(), dimensions: 0 }
    }

    /// Whether this is the built-in type `name`, whatever its modifier, and no array.
    pub fn is(&self, name: &str) -> bool {
        self.schema.is_none() && self.dimensions == 0 && self.name == name
    }

    /// The name of a type that is not built in.
    pub fn qualified(&self) -> Option<QualifiedName> {
        self.schema.as_ref().map(|schema| QualifiedName::new(schema, &self.name))
    }
}

/// As SQL, quoted where it must be: `timestamp(3) with time zone`, `"app"."status"[]`.
impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::ident::quote_ident;
        let modifiers =
            if self.modifiers.is_empty() { String::new() } else { format!("({})", self.modifiers.join(",")) };
        match &self.schema {
            Some(schema) => write!(f, "{}.{}{modifiers}", quote_ident(schema), quote_ident(&self.name))?,
            // The modifier of these stands in the middle of the name.
            None => match self.name.split_once(' ') {
                Some((first @ ("time" | "timestamp"), rest)) => write!(f, "{first}{modifiers} {rest}")?,
                _ if self.name == "char" => write!(f, "\"char\"")?,
                _ => write!(f, "{}{modifiers}", self.name)?,
            },
        }
        for _ in 0..self.dimensions {
            f.write_str("[]")?;
        }
        Ok(())
    }
}

/// A table of any kind.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// Ordinary, partitioned or foreign.
    pub kind: TableKind,
    /// In the order of the catalog.
    pub columns: Vec<Column>,
    /// Of every kind, the primary key among them. `NOT NULL` is on the column.
    pub constraints: Vec<Constraint>,
    /// Those that do not belong to a constraint.
    pub indexes: Vec<Index>,
    /// Triggers of the user's own.
    pub triggers: Vec<Trigger>,
    /// Row level security policies.
    pub policies: Vec<Policy>,
    /// Extended statistics.
    pub statistics: Vec<Statistics>,
    /// Rewrite rules: name, text and line.
    pub rules: Vec<Rule>,
    /// Privileges, of the table and of columns.
    pub grants: Vec<Grant>,
    /// `ENABLE ROW LEVEL SECURITY`.
    pub row_security: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    pub force_row_security: bool,
    /// Partition key, as written between the parentheses.
    pub partition_key: Option<SqlText>,
    /// The parents of a partition or of an inheritance child.
    pub parents: Vec<QualifiedName>,
    /// `ALTER TABLE … OWNER TO`.
    pub owner: Option<String>,
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// `REPLICA IDENTITY FULL | NOTHING | USING INDEX …`, as written; `None` for the default.
    pub replica_identity: Option<String>,
    /// `COMMENT ON TABLE`.
    pub comment: Option<String>,
    /// Where it is created, 1-based.
    pub line: u32,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the primary key, in its order; empty without one.
    pub fn primary_key(&self) -> &[String] {
        self.constraints
            .iter()
            .find_map(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. } => Some(columns.as_slice()),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// What kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// `CREATE TABLE`.
    Ordinary,
    /// `CREATE TABLE … PARTITION BY`.
    Partitioned,
    /// `CREATE FOREIGN TABLE`.
    Foreign,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// `NOT NULL`, also where a primary key implies it. One that is not valid is not counted: it stands in [`Schema::opaque`].
    pub not_null: bool,
    /// The name of the constraint behind it, where the source gives one (PostgreSQL 18 and later).
    pub not_null_name: Option<String>,
    /// `DEFAULT`, also when `pg_dump` sets it in a later `ALTER TABLE`.
    pub default: Option<SqlText>,
    /// `GENERATED … AS IDENTITY`.
    pub identity: Option<Identity>,
    /// `GENERATED ALWAYS AS (…) STORED | VIRTUAL`.
    pub generated: Option<Generated>,
    /// `COLLATE`, where it is not the type's own.
    pub collation: Option<QualifiedName>,
    /// `COMMENT ON COLUMN`.
    pub comment: Option<String>,
    /// `SET STATISTICS n`.
    pub statistics_target: Option<i32>,
    /// `SET STORAGE`, as written.
    pub storage: Option<String>,
    /// `SET COMPRESSION`, as written.
    pub compression: Option<String>,
    /// `SET (n_distinct = …)`, as written.
    pub options: Vec<(String, String)>,
    /// Where it is declared, 1-based.
    pub line: u32,
}

impl Column {
    /// A column of which nothing is known but its name and type.
    pub fn new(name: impl Into<String>, ty: SqlType) -> Self {
        Self {
            name: name.into(),
            ty,
            not_null: false,
            not_null_name: None,
            default: None,
            identity: None,
            generated: None,
            collation: None,
            comment: None,
            statistics_target: None,
            storage: None,
            compression: None,
            options: Vec::new(),
            line: 0,
        }
    }
}

/// A piece of SQL from the dump: an expression without outer parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlText {
    /// As written.
    pub text: String,
    /// Its first line, 1-based.
    pub line: u32,
}

/// An identity column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `GENERATED ALWAYS`, not `BY DEFAULT`.
    pub always: bool,
    /// Its sequence, where the dump names it.
    pub sequence: Option<QualifiedName>,
}

/// A generated column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its expression.
    pub expression: SqlText,
    /// `STORED`, not `VIRTUAL`.
    pub stored: bool,
}

/// A constraint of a table.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its name; where the source leaves it out, the one that PostgreSQL would choose.
    pub name: String,
    /// What it says.
    pub kind: ConstraintKind,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub initially_deferred: bool,
    /// `NOT VALID`.
    pub not_valid: bool,
    /// `NOT ENFORCED`, PostgreSQL 18 and later.
    pub not_enforced: bool,
    /// `USING INDEX TABLESPACE`.
    pub tablespace: Option<String>,
    /// `ALTER TABLE … CLUSTER ON`, for the index behind it.
    pub clustered: bool,
    /// `ALTER INDEX … ATTACH PARTITION`: the index of the partitioned table that the index behind it is part of.
    pub attached_to: Option<QualifiedName>,
    /// `COMMENT ON CONSTRAINT`.
    pub comment: Option<String>,
    /// `COMMENT ON INDEX`, for the index behind it.
    pub index_comment: Option<String>,
    /// 1-based.
    pub line: u32,
}

/// What a constraint says.
#[derive(Clone, Debug)]
pub enum ConstraintKind {
    /// `PRIMARY KEY (columns) INCLUDE (include) WITH (with)`.
    PrimaryKey {
        /// In the key's order.
        columns: Vec<String>,
        /// Payload columns.
        include: Vec<String>,
        /// Storage parameters.
        with: Vec<(String, String)>,
    },
    /// `UNIQUE [NULLS NOT DISTINCT] (columns) INCLUDE (include)`.
    Unique {
        /// In the key's order.
        columns: Vec<String>,
        /// Payload columns.
        include: Vec<String>,
        /// PostgreSQL 15 and later.
        nulls_not_distinct: bool,
        /// Storage parameters.
        with: Vec<(String, String)>,
    },
    /// `CHECK (expression) [NO INHERIT]`.
    Check {
        /// Without the outer parentheses.
        expression: SqlText,
        /// `NO INHERIT`.
        no_inherit: bool,
    },
    /// `FOREIGN KEY (columns) REFERENCES references (referenced)`.
    ForeignKey {
        /// The referencing columns.
        columns: Vec<String>,
        /// The referenced table.
        references: QualifiedName,
        /// The referenced columns; where the source leaves them out, the primary key's.
        referenced: Vec<String>,
        /// `ON UPDATE`.
        on_update: ReferentialAction,
        /// `ON DELETE`.
        on_delete: ReferentialAction,
        /// The columns of `ON DELETE SET NULL (columns)`, PostgreSQL 15 and later.
        on_delete_columns: Vec<String>,
        /// `MATCH FULL`.
        match_full: bool,
    },
    /// `EXCLUDE …`, as written after the name.
    Exclude {
        /// From `EXCLUDE` on, without the deferrability.
        definition: SqlText,
        /// The columns that its elements and predicate name.
        columns: Vec<String>,
    },
}

impl ConstraintKind {
    /// Whether an index of the same name stands behind it.
    pub fn has_index(&self) -> bool {
        matches!(self, Self::PrimaryKey { .. } | Self::Unique { .. } | Self::Exclude { .. })
    }
}

/// What a foreign key does when the referenced row goes or changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferentialAction {
    /// `NO ACTION`, the default.
    #[default]
    NoAction,
    /// `RESTRICT`.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
    /// `SET DEFAULT`.
    SetDefault,
}

impl ReferentialAction {
    /// As SQL.
    pub fn as_sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

/// An index that does not belong to a constraint.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name, in the schema of its table.
    pub name: String,
    /// `UNIQUE`.
    pub unique: bool,
    /// `btree`, `gin`, …
    pub method: String,
    /// The key.
    pub keys: Vec<IndexKey>,
    /// `INCLUDE (…)`.
    pub include: Vec<String>,
    /// `NULLS NOT DISTINCT`, PostgreSQL 15 and later.
    pub nulls_not_distinct: bool,
    /// `WHERE`, without outer parentheses.
    pub predicate: Option<SqlText>,
    /// Storage parameters, as written.
    pub with: Vec<(String, String)>,
    /// `TABLESPACE`.
    pub tablespace: Option<String>,
    /// `ALTER TABLE … CLUSTER ON`.
    pub clustered: bool,
    /// `ALTER INDEX … ATTACH PARTITION`: the index of the partitioned table that this one is part of.
    pub attached_to: Option<QualifiedName>,
    /// `COMMENT ON INDEX`.
    pub comment: Option<String>,
    /// 1-based.
    pub line: u32,
}

/// One column or expression of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// What is indexed.
    pub on: IndexTarget,
    /// `COLLATE`.
    pub collation: Option<QualifiedName>,
    /// The operator class with its parameters, as written.
    pub operator_class: Option<String>,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST` (true) or `NULLS LAST` (false), where written.
    pub nulls_first: Option<bool>,
    /// `ALTER INDEX … ALTER COLUMN n SET STATISTICS`.
    pub statistics_target: Option<i32>,
}

/// What an index key is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexTarget {
    /// A column.
    Column(String),
    /// An expression, without outer parentheses.
    Expression(SqlText),
}

/// A trigger of the user's own.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub timing: TriggerTiming,
    /// `FOR EACH ROW`, not `STATEMENT`.
    pub for_each_row: bool,
    /// `INSERT`.
    pub on_insert: bool,
    /// `UPDATE`.
    pub on_update: bool,
    /// `DELETE`.
    pub on_delete: bool,
    /// `TRUNCATE`.
    pub on_truncate: bool,
    /// The columns of `UPDATE OF`.
    pub update_of: Vec<String>,
    /// `WHEN (…)`, without outer parentheses.
    pub condition: Option<SqlText>,
    /// The function, as written.
    pub function: String,
    /// `ENABLE`, `DISABLE TRIGGER`.
    pub enabled: TriggerEnabled,
    /// The whole `CREATE TRIGGER`, as written.
    pub text: String,
    /// 1-based.
    pub line: u32,
}

/// In which sessions a trigger fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerEnabled {
    /// In all but replication.
    #[default]
    Origin,
    /// `ENABLE ALWAYS`.
    Always,
    /// `ENABLE REPLICA`.
    Replica,
    /// `DISABLE`.
    Disabled,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerTiming {
    /// `BEFORE`.
    Before,
    /// `AFTER`, constraint triggers among them.
    After,
    /// `INSTEAD OF`.
    InsteadOf,
}

/// A row level security policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// `USING` and `WITH CHECK`, without outer parentheses.
    pub expressions: Vec<SqlText>,
    /// 1-based.
    pub line: u32,
}

/// Extended statistics.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Its name.
    pub name: QualifiedName,
    /// `ndistinct`, `dependencies`, `mcv`; empty for all.
    pub kinds: Vec<String>,
    /// Columns and expressions, as written between `ON` and `FROM`.
    pub on: Vec<IndexTarget>,
    /// `ALTER STATISTICS … SET STATISTICS`.
    pub target: Option<i32>,
    /// `COMMENT ON STATISTICS`.
    pub comment: Option<String>,
    /// 1-based.
    pub line: u32,
}

/// A rewrite rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The whole statement.
    pub text: String,
    /// 1-based.
    pub line: u32,
}

/// A privilege granted to one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `SELECT`, `INSERT`, …, `ALL` is spelled out as `ALL`.
    pub privilege: String,
    /// The columns, where the grant is on columns.
    pub columns: Vec<String>,
    /// The role; `PUBLIC` in capitals for everybody.
    pub role: String,
    /// `WITH GRANT OPTION`.
    pub with_grant_option: bool,
    /// 1-based.
    pub line: u32,
}

/// A sequence.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Its name.
    pub name: QualifiedName,
    /// `AS smallint | integer | bigint`.
    pub ty: Option<SqlType>,
    /// `OWNED BY`: table and column.
    pub owned_by: Option<(QualifiedName, String)>,
    /// Where it starts and how it goes on.
    pub options: SequenceOptions,
    /// 1-based.
    pub line: u32,
}

/// The options of a sequence. `None` is PostgreSQL's default, which depends on the type and the direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceOptions {
    /// `START WITH`.
    pub start: Option<i64>,
    /// `INCREMENT BY`.
    pub increment: Option<i64>,
    /// `MINVALUE`.
    pub min: Option<i64>,
    /// `MAXVALUE`.
    pub max: Option<i64>,
    /// `CACHE`.
    pub cache: Option<i64>,
    /// `CYCLE`.
    pub cycle: bool,
}

/// An enum type.
#[derive(Clone, Debug)]
pub struct EnumType {
    /// Its name.
    pub name: QualifiedName,
    /// In order.
    pub labels: Vec<String>,
    /// 1-based.
    pub line: u32,
}

/// A domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: QualifiedName,
    /// What it is over.
    pub base: SqlType,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its checks, without outer parentheses.
    pub checks: Vec<SqlText>,
    /// `DEFAULT`.
    pub default: Option<SqlText>,
    /// 1-based.
    pub line: u32,
}

/// A view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name.
    pub name: QualifiedName,
    /// `MATERIALIZED`.
    pub materialized: bool,
    /// The query, as written.
    pub query: String,
    /// The relations that the query reads.
    pub relations: Vec<QualifiedName>,
    /// Every column name in the query, without what it belongs to, and `*` where it reads whole rows. Whether it is ours is decided
    /// together with [`Self::relations`].
    pub column_names: Vec<String>,
    /// The indexes of a materialized view.
    pub indexes: Vec<Index>,
    /// 1-based.
    pub line: u32,
}

/// A function or procedure.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: QualifiedName,
    /// What stands between its parentheses, as written.
    pub arguments: String,
    /// As declared; `VOLATILE` where nothing is.
    pub volatility: Volatility,
    /// `RETURNS SETOF` or `RETURNS TABLE`.
    pub returns_set: bool,
    /// An aggregate or window function.
    pub aggregate_or_window: bool,
    /// Its text, to look for names in: neither parsed nor changed.
    pub body: String,
    /// 1-based.
    pub line: u32,
}

/// How far a function's result depends on more than its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// The same result for the same arguments, for ever.
    Immutable,
    /// The same within a statement.
    Stable,
    /// Anything.
    Volatile,
}

/// A publication.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// The tables that it lists, with their column list (empty: all columns) and row filter.
    pub tables: Vec<(QualifiedName, Vec<String>, Option<SqlText>)>,
    /// The schemas of which it publishes every table, PostgreSQL 15 and later.
    pub schemas: Vec<String>,
    /// `FOR ALL TABLES`.
    pub all_tables: bool,
    /// 1-based.
    pub line: u32,
}

/// A statement that is not understood.
#[derive(Clone, Debug)]
pub struct OpaqueStatement {
    /// Its text.
    pub text: String,
    /// Every identifier in it, unquoted, to find out whether it names something that a change touches.
    pub identifiers: Vec<String>,
    /// 1-based.
    pub line: u32,
}
