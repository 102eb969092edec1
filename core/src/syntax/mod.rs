//! The declaration as it was written: a tree with spans. Nothing is checked here but grammar.
//!
//! [`parse`](parse::parse) is lenient: what it understood is in the tree, also next to a mistake, so that later passes and an editor see
//! as much as possible of a declaration that someone is still typing.

mod cursor;
pub mod parse;
pub mod rules;
pub mod source;
#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream};

/// Everything between the braces of `migrations!`.
#[derive(Clone, Debug, Default)]
pub struct Declaration {
    /// `schema …;`
    pub schema: Option<SchemaSource>,
    /// `server 15;`
    pub server: Option<Server>,
    /// `type t.c = path;`
    pub types: Vec<TypeOverride>,
    /// `change name { … }`
    pub changes: Vec<Change>,
    /// A mistake was reported outside of the changes: what seems to be missing may be what could not be read.
    pub broken: bool,
}

/// Where the schema comes from.
#[derive(Clone, Debug)]
pub enum SchemaSource {
    /// `schema "schema.sql";` relative to the crate's folder.
    File(Literal),
    /// `schema sql "create table …";`
    Inline(Literal),
}

/// The oldest server that the SQL must work on.
#[derive(Clone, Debug)]
pub struct Server {
    /// 13, 14, …
    pub major: u32,
    /// The number's.
    pub span: Span,
}

/// The value of a string literal.
#[derive(Clone, Debug)]
pub struct Literal {
    /// Unescaped.
    pub value: String,
    /// The literal's.
    pub span: Span,
}

/// A name: an identifier, or a string literal where it is no Rust identifier.
#[derive(Clone, Debug)]
pub struct Name {
    /// Without quotes or `r#`.
    pub text: String,
    /// The token's.
    pub span: Span,
}

/// `table` or `schema.table`.
#[derive(Clone, Debug)]
pub struct TablePath {
    /// Before the dot.
    pub schema: Option<Name>,
    /// The table.
    pub table: Name,
}

/// `table.column` or `schema.table.column`.
#[derive(Clone, Debug)]
pub struct ColumnPath {
    /// The table.
    pub table: TablePath,
    /// The column.
    pub column: Name,
}

/// `type users.bio = crate::Markdown;`
#[derive(Clone, Debug)]
pub struct TypeOverride {
    /// Which column.
    pub column: ColumnPath,
    /// The Rust type, as written.
    pub rust: TokenStream,
    /// The Rust type's first token: errors of the compiler stand here.
    pub span: Span,
}

/// `change name { … }`
#[derive(Clone, Debug)]
pub struct Change {
    /// A Rust identifier: it names the generated module.
    pub name: Name,
    /// The doc comments, a line each, without the leading space.
    pub docs: Vec<String>,
    /// What changes. More than one, or none, is for the checks.
    pub operations: Vec<Operation>,
    /// `after other;`
    pub after: Vec<Name>,
    /// `stage expand;`, each time that it is written.
    pub stages: Vec<Name>,
    /// `backfill { … }`, `contract { … }`, in the order of the source.
    pub phases: Vec<PhaseBlock>,
    /// A mistake was reported inside: what seems to be missing may be what could not be read.
    pub broken: bool,
}

/// One operation of a change.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `rename t.a to b;`
    Rename(Rename),
    /// `retype t.a to b: type { … }`
    Retype(Retype),
    /// `divide t.a into b: …, c: … { … }` or `combine t.(a, b) into c: … { … }`
    Regroup(Regroup),
    /// `split t into u { key …, move … }`
    Split(Split),
    /// `extract u from t (a, b) { key id: bigint, reference u_id }`
    Extract(Extract),
    /// `widen t.a to bigint;`
    Widen(Widen),
    /// `merge u into t { key …, move … }`
    Merge(Merge),
    /// `add t.a: type not null default "…"`
    AddColumn(AddColumn),
    /// `drop t.a { default "…", with … }`
    DropColumn(DropColumn),
    /// `create index on t (a desc, lower(b)) unique`
    CreateIndex(CreateIndex),
    /// `drop index x;`
    DropIndex(DropIndex),
    /// `require t.a …`, `constrain t: …` and so on: what a table says of its rows.
    Rule(rules::Rule),
    /// `add table "create table …";`
    AddTable(AddTable),
    /// `drop table t;`
    DropTable(DropTable),
    /// `rename table t to u;`
    RenameTable(RenameTable),
    /// `enum mood add value "x";`
    Enum(EnumChange),
    /// `sql { expand "…" undo "…" }`
    Sql(Sql),
    /// `move t.a to u.b { via … }`
    Move(Move),
}

impl Operation {
    /// The word that it begins with.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rename(_) => "rename",
            Self::Retype(_) => "retype",
            Self::Regroup(regroup) => regroup.word,
            Self::Split(_) => "split",
            Self::Rule(rule) => rule.word(),
            Self::Extract(_) => "extract",
            Self::Widen(_) => "widen",
            Self::Merge(_) => "merge",
            Self::AddColumn(_) => "add",
            Self::DropColumn(_) => "drop",
            Self::CreateIndex(_) => "create index",
            Self::DropIndex(_) => "drop index",
            Self::AddTable(_) => "add table",
            Self::DropTable(_) => "drop table",
            Self::RenameTable(_) => "rename table",
            Self::Enum(_) => "enum",
            Self::Sql(_) => "sql",
            Self::Move(_) => "move",
        }
    }

    /// Where that word stands.
    pub fn keyword(&self) -> Span {
        match self {
            Self::Rename(rename) => rename.keyword,
            Self::Retype(retype) => retype.keyword,
            Self::Regroup(regroup) => regroup.keyword,
            Self::Split(split) => split.keyword,
            Self::Rule(rule) => rule.keyword(),
            Self::Extract(extract) => extract.keyword,
            Self::Widen(widen) => widen.keyword,
            Self::Merge(merge) => merge.keyword,
            Self::AddColumn(add) => add.keyword,
            Self::DropColumn(drop) => drop.keyword,
            Self::CreateIndex(create) => create.keyword,
            Self::DropIndex(drop) => drop.keyword,
            Self::AddTable(add) => add.keyword,
            Self::DropTable(drop) => drop.keyword,
            Self::RenameTable(rename) => rename.keyword,
            Self::Enum(change) => change.keyword,
            Self::Sql(sql) => sql.keyword,
            Self::Move(tree) => tree.keyword,
        }
    }
}

/// `rename t.a to b;`, `rename t.a to b through view;` or `rename t.a to b { insert nulls take before }`
#[derive(Clone, Debug)]
pub struct Rename {
    /// The word `rename`.
    pub keyword: Span,
    /// What is renamed.
    pub column: ColumnPath,
    /// The new name.
    pub to: Name,
    /// How, where the declaration says it.
    pub way: Option<Way>,
    /// `insert nulls take before | after`
    pub insert_nulls: Option<InsertNulls>,
}

/// The way in which a column becomes another one.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// `by copy`: a new column beside the old one.
    Copy(Span),
    /// `through view`: the after shape is a view.
    View(Span),
    /// `in place`: the column itself is altered.
    InPlace(Span),
}

impl Way {
    /// Where it is written.
    pub fn span(self) -> Span {
        match self {
            Self::Copy(span) | Self::View(span) | Self::InPlace(span) => span,
        }
    }
}

/// `retype t.a to b: type { … }`, or `retype t.a to type { … }`, which keeps the name
#[derive(Clone, Debug)]
pub struct Retype {
    /// The word `retype`.
    pub keyword: Span,
    /// What changes its type.
    pub column: ColumnPath,
    /// The new name, where it gets one.
    pub to: Option<Name>,
    /// The new type.
    pub ty: TypeText,
    /// How, where the declaration says it.
    pub way: Option<Way>,
    /// `forward …`
    pub forward: Option<Conversion>,
    /// `backward …`
    pub backward: Option<Conversion>,
    /// `irreversible`
    pub irreversible: Option<Span>,
    /// `insert nulls take before | after`
    pub insert_nulls: Option<InsertNulls>,
}

impl Retype {
    /// The name of the column in the after shape.
    pub fn new_name(&self) -> &Name {
        self.to.as_ref().unwrap_or(&self.column.column)
    }
}

/// `divide t.a into b: …, c: … { … }` or `combine t.(a, b) into c: … { … }`: columns become others, in another number.
#[derive(Clone, Debug)]
pub struct Regroup {
    /// `divide` or `combine`.
    pub word: &'static str,
    /// That word's.
    pub keyword: Span,
    /// The table.
    pub table: TablePath,
    /// What goes: one column with `divide`.
    pub columns: Vec<Name>,
    /// What comes.
    pub into: Vec<NewColumn>,
    /// `forward b "…"`, in the order of the source.
    pub forward: Vec<TargetedConversion>,
    /// `backward a "…"`, in the order of the source.
    pub backward: Vec<TargetedConversion>,
    /// `irreversible`
    pub irreversible: Option<Span>,
    /// `insert nulls take before | after`
    pub insert_nulls: Option<InsertNulls>,
}

/// `b: type not null`
#[derive(Clone, Debug)]
pub struct NewColumn {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeText,
    /// `not null`
    pub not_null: bool,
}

/// `forward b "expression" or reject`
#[derive(Clone, Debug)]
pub struct TargetedConversion {
    /// The column that it makes; may be left out where there is only one.
    pub target: Option<Name>,
    /// How.
    pub conversion: Conversion,
}

/// A SQL type: tokens or a string literal.
#[derive(Clone, Debug)]
pub struct TypeText {
    /// As SQL.
    pub text: String,
    /// Its first token.
    pub span: Span,
}

/// `forward "expression" or reject`
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The word `forward` or `backward`.
    pub keyword: Span,
    /// The word `lossy`.
    pub lossy: Option<Span>,
    /// The SQL.
    pub expression: Literal,
    /// What stands after `or`.
    pub otherwise: Option<Otherwise>,
}

/// What a value that does not convert does.
#[derive(Clone, Debug)]
pub enum Otherwise {
    /// `or reject`: the write fails.
    Reject(Span),
    /// `or quarantine`: NULL, and the row is recorded.
    Quarantine(Span),
    /// `or "expression"`.
    Expression(Literal),
}

/// `insert nulls take before | after`: what an INSERT without any value for the after columns means, where that cannot be told.
#[derive(Clone, Debug)]
pub struct InsertNulls {
    /// `after`, not `before`.
    pub after: bool,
    /// The word `insert`.
    pub span: Span,
}

/// `split t into u { key …, move … }`
#[derive(Clone, Debug)]
pub struct Split {
    /// The word `split`.
    pub keyword: Span,
    /// The table that is split.
    pub table: TablePath,
    /// The new table.
    pub into: TablePath,
    /// `key user_id`: the new table's key columns, for the columns of the primary key in their order.
    pub key: Vec<Name>,
    /// `move bio, avatar_url`
    pub moved: Vec<Name>,
    /// `always`: a row for every row, also where all moved columns are null.
    pub always: Option<Span>,
}

/// `widen t.a to bigint;`: a column of integers becomes wider under its own name, and with it every column that references it.
#[derive(Clone, Debug)]
pub struct Widen {
    /// The word `widen`.
    pub keyword: Span,
    /// What becomes wider.
    pub column: ColumnPath,
    /// The new type.
    pub ty: TypeText,
}

/// `merge u into t { key …, move … }`
#[derive(Clone, Debug)]
pub struct Merge {
    /// The word `merge`.
    pub keyword: Span,
    /// The table that goes.
    pub table: TablePath,
    /// The table that gets its columns.
    pub into: TablePath,
    /// `key user_id`: the columns by which a row of the one table finds its row in the other.
    pub key: Vec<Name>,
    /// `move bio, avatar_url as photo, theme or "'light'"`
    pub moved: Vec<MergedColumn>,
    /// `drop id`: columns that go with their table.
    pub dropped: Vec<Name>,
    /// `always`: a row that new code makes or empties has a row in the other table, also where all moved columns are null.
    pub always: Option<Span>,
}

/// `move t.a to u.b { via t.u_id, conflicting rows refuse, unmatched discard }`
#[derive(Clone, Debug)]
pub struct Move {
    /// The word `move`.
    pub keyword: Span,
    /// What moves.
    pub column: ColumnPath,
    /// Where it goes.
    pub to: ColumnPath,
    /// The columns of the foreign key between the tables.
    pub via: Option<Via>,
    /// What is done where several rows belong to one row of the other table, and do not agree.
    pub conflicting: Option<Conflicting>,
    /// What is done with the value of a row that has no row in the other table.
    pub unmatched: Option<Unmatched>,
}

/// `via t.tenant, u_id`
#[derive(Clone, Debug)]
pub struct Via {
    /// The table that references the other one.
    pub table: TablePath,
    /// Its columns.
    pub columns: Vec<Name>,
}

/// `conflicting rows …`
#[derive(Clone, Debug)]
pub enum Conflicting {
    /// `refuse`
    Refuse(Span),
    /// `take "max(a)"`
    Take(Literal),
}

/// `unmatched refuse | discard`
#[derive(Clone, Debug)]
pub struct Unmatched {
    /// `discard`, not `refuse`.
    pub discard: bool,
    /// The word `unmatched`.
    pub span: Span,
}

/// `theme as look or "'light'"`
#[derive(Clone, Debug)]
pub struct MergedColumn {
    /// The column.
    pub column: Name,
    /// Its new name, where it gets one.
    pub to: Option<Name>,
    /// What a row without a partner holds, where the declaration says it.
    pub absent: Option<Absent>,
}

impl MergedColumn {
    /// The name that it has in the end.
    pub fn new_name(&self) -> &Name {
        self.to.as_ref().unwrap_or(&self.column)
    }
}

/// What a row without a partner holds.
#[derive(Clone, Debug)]
pub enum Absent {
    /// `or null`
    Null(Span),
    /// `or "expression"`
    Expression(Literal),
}

/// `add t.a: type not null default "…" fill "…";`
#[derive(Clone, Debug)]
pub struct AddColumn {
    /// The word `add`.
    pub keyword: Span,
    /// The new column.
    pub column: ColumnPath,
    /// Its type.
    pub ty: TypeText,
    /// The words `not null`.
    pub not_null: Option<Span>,
    /// `default "expression"`: what rows that come get.
    pub default: Option<Literal>,
    /// `fill "expression"`: what rows that are there get, and those that old code inserts.
    pub fill: Option<Literal>,
}

/// `drop t.a;` or `drop t.a { default "…", with t_a_idx }`
#[derive(Clone, Debug)]
pub struct DropColumn {
    /// The word `drop`.
    pub keyword: Span,
    /// What goes.
    pub column: ColumnPath,
    /// `default "expression"`: what old code reads in rows that new code inserts.
    pub default: Option<Literal>,
    /// `with t_a_idx`: what goes with the column.
    pub with: Vec<Name>,
}

/// `create index on t (a desc, lower(b)) unique using btree include (c) where "…" name x;`
#[derive(Clone, Debug)]
pub struct CreateIndex {
    /// The word `create`.
    pub keyword: Span,
    /// The table.
    pub table: TablePath,
    /// What stands between the parentheses, as SQL, with the span of all of it.
    pub keys: Literal,
    /// The word `unique`.
    pub unique: Option<Span>,
    /// `using gin`
    pub using: Option<Name>,
    /// `include (c, d)`
    pub include: Vec<Name>,
    /// `where "condition"`
    pub condition: Option<Literal>,
    /// `name x`
    pub name: Option<Name>,
}

/// `drop index x;`
#[derive(Clone, Debug)]
pub struct DropIndex {
    /// The word `drop`.
    pub keyword: Span,
    /// The index: it shares its names with tables.
    pub index: TablePath,
}

/// `add table "create table …";`
#[derive(Clone, Debug)]
pub struct AddTable {
    /// The word `add`.
    pub keyword: Span,
    /// `CREATE TABLE`, and statements about that table.
    pub sql: Literal,
}

/// `drop table t;`
#[derive(Clone, Debug)]
pub struct DropTable {
    /// The word `drop`.
    pub keyword: Span,
    /// What goes.
    pub table: TablePath,
}

/// `rename table t to u;`
#[derive(Clone, Debug)]
pub struct RenameTable {
    /// The word `rename`.
    pub keyword: Span,
    /// What is renamed.
    pub table: TablePath,
    /// The new name, in the same schema.
    pub to: Name,
}

/// `enum mood add value "x" before "y";`
#[derive(Clone, Debug)]
pub struct EnumChange {
    /// The word `enum`.
    pub keyword: Span,
    /// The type: it shares its names with tables.
    pub ty: TablePath,
    /// The label.
    pub label: Literal,
    /// What happens to it.
    pub verb: EnumVerb,
}

/// What happens to a label of an enum type.
#[derive(Clone, Debug)]
pub enum EnumVerb {
    /// `add value … before "y"`
    Add {
        /// Where in the order; at the end without it.
        place: Option<LabelPlace>,
    },
    /// `rename value … to "b"`
    Rename {
        /// The new label.
        to: Literal,
    },
    /// `drop value …`
    Drop,
}

/// `before "y"` or `after "y"`
#[derive(Clone, Debug)]
pub struct LabelPlace {
    /// `before`, not `after`.
    pub before: bool,
    /// The label that is there.
    pub label: Literal,
}

/// `sql { expand "…" undo "…" locks users access exclusive, … }`
#[derive(Clone, Debug)]
pub struct Sql {
    /// The word `sql`.
    pub keyword: Span,
    /// In the order of the source.
    pub parts: Vec<SqlPart>,
    /// `irreversible`
    pub irreversible: Option<Span>,
}

/// The statements of one phase.
#[derive(Clone, Debug)]
pub struct SqlPart {
    /// `expand`, `dual_write`, `validate`, `contract`.
    pub phase: Name,
    /// What runs.
    pub statements: Literal,
    /// `undo "…"`: what takes it back.
    pub undo: Option<Literal>,
    /// `locks users access exclusive`; empty for `locks nothing`.
    pub locks: Option<Vec<SqlLock>>,
    /// The words `outside transaction`.
    pub outside: Option<Span>,
}

/// `users access exclusive`
#[derive(Clone, Debug)]
pub struct SqlLock {
    /// What is locked.
    pub table: TablePath,
    /// How strongly, as written.
    pub level: String,
    /// Where that stands.
    pub span: Span,
}

/// `extract u from t (a, b as c) { key id: bigint, reference u_id }`
#[derive(Clone, Debug)]
pub struct Extract {
    /// The word `extract`.
    pub keyword: Span,
    /// The new table.
    pub into: TablePath,
    /// The table that has the columns.
    pub table: TablePath,
    /// What goes into the new table.
    pub columns: Vec<ExtractedColumn>,
    /// `key id: bigint`: the new table's key, whose values the database makes.
    pub key: Option<GeneratedKey>,
    /// `reference u_id`: the column by which a row refers to the new table.
    pub reference: Option<Name>,
    /// `always`: every row refers to one of the new table, also where all columns are null.
    pub always: Option<Span>,
}

/// `a` or `a as c`
#[derive(Clone, Debug)]
pub struct ExtractedColumn {
    /// What the table has.
    pub column: Name,
    /// What the new table calls it.
    pub to: Option<Name>,
}

impl ExtractedColumn {
    /// Its name in the new table.
    pub fn new_name(&self) -> &Name {
        self.to.as_ref().unwrap_or(&self.column)
    }
}

/// `id: bigint`
#[derive(Clone, Debug)]
pub struct GeneratedKey {
    /// The column.
    pub name: Name,
    /// Its type.
    pub ty: TypeText,
}

/// `backfill { batch 5000 }`
#[derive(Clone, Debug)]
pub struct PhaseBlock {
    /// `expand`, `dual_write`, `backfill`, `validate`, `contract`; anything else is for the checks.
    pub phase: Name,
    /// Names and values.
    pub settings: Vec<Setting>,
}

/// `batch 5000` or `by "2027-02-01"`
#[derive(Clone, Debug)]
pub struct Setting {
    /// What is set.
    pub name: Name,
    /// To what.
    pub value: Literal,
}
