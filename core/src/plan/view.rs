//! The after shape of a table as a view of it: old code and the table are left alone, and nothing is copied for what has a new name only.

use super::carry::exclusive;
use super::make::{Part, Planned, function_notes};
use super::sql::{self, Block, anonymous};
use super::{Action, Lock, LockLevel, Mode, Phase, SECURITY_INVOKER, Step};
use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::model::apply::widen::interim;
use crate::model::{ColumnsChange, Way};
use crate::schema::{OWNERSHIP_MARK, Table};

/// The first server that takes `MERGE INTO` a view.
const MERGE_INTO_VIEW: u32 = 17;

/// Plans a rename of columns that a view shows under their new names.
pub(super) fn plan(part: &Part<'_>, columns: &ColumnsChange) -> Option<Planned> {
    let view = View::of(part, columns)?;
    let names: Vec<String> = pairs(columns).map(|(before, after)| format!("{before} as {after}")).collect();
    let way = format!(
        "view: {} shows {}, and nothing is copied; a copy would fill a new column in every row, and build anew what stands on the old one",
        view.name,
        names.join(", ")
    );
    let mut planned = Planned::on(way, vec![columns.table.clone()]);
    view.add_to(&mut planned);
    planned.steps.push(rename_step(columns));
    planned.notes.extend(view.publication_note());
    planned.notes.extend(function_notes(part.before, view.table, &columns.before_names()));
    Some(planned)
}

/// Each column with its new name.
fn pairs(columns: &ColumnsChange) -> impl Iterator<Item = (&str, &str)> {
    columns
        .mappings
        .iter()
        .filter_map(|mapping| Some((mapping.before.first()?.as_str(), mapping.after_names().next()?)))
}

/// The contract: the table's own columns take the names that the view has shown so far. The view goes on showing them.
fn rename_step(columns: &ColumnsChange) -> Step {
    let table = columns.table.quoted();
    let rename = |(before, after): (&str, &str)| {
        format!("alter table {table} rename column {} to {}", quote_ident(before), quote_ident(after))
    };
    let names: Vec<String> = pairs(columns).map(|(before, after)| format!("{before} to {after}")).collect();
    Step {
        id: "contract".to_owned(),
        title: format!("rename {} in {}; no row is touched", names.join(", "), columns.table),
        phase: Phase::Contracted,
        action: Action {
            statements: pairs(columns).map(rename).collect(),
            mode: Mode::Transaction,
            locks: vec![exclusive(&columns.table)],
        },
        undo: Vec::new(),
        leftover: None,
    }
}

/// The view through which new code sees a table.
pub(super) struct View<'a> {
    part: &'a Part<'a>,
    pub(super) name: QualifiedName,
    /// In the before shape.
    table: &'a Table,
    /// What it shows: the column of the table, and its name in the view.
    columns: Vec<(String, String)>,
}

impl<'a> View<'a> {
    /// The view that shows what an operation makes of a table.
    pub(super) fn of(part: &'a Part<'a>, columns: &ColumnsChange) -> Option<Self> {
        let name = part.change.view_of(&columns.table)?;
        let table = part.change.before.table(&columns.table)?;
        let shown = |column: &String| {
            let after = columns.mapping_of(column)?.after.first()?;
            match columns.way {
                Way::View => Some((column.clone(), after.name.clone())),
                Way::ViewOfCopy => Some((interim(&part.own, column), column.clone())),
                Way::Copy | Way::InPlace => None,
            }
        };
        let columns = table.columns.iter().map(|column| &column.name);
        let columns = columns.map(|name| shown(name).unwrap_or_else(|| (name.clone(), name.clone()))).collect();
        Some(Self { part, name, table, columns })
    }

    /// Adds its steps and notes.
    pub(super) fn add_to(&self, planned: &mut Planned) {
        planned.steps.push(self.create_step());
        planned.retire.push(self.retire_step());
        planned.notes.extend(self.notes());
    }

    /// The first view of a change makes the schema for all of them.
    fn makes_schema(&self) -> bool {
        let earlier = self.part.change.operations.iter().take(self.part.position);
        earlier.filter_map(|operation| operation.kind.viewed()).next().is_none()
    }

    fn create_step(&self) -> Step {
        let schema = quote_ident(&self.name.schema);
        let mut statements = Vec::new();
        if self.makes_schema() {
            statements.push(format!("create schema {schema}"));
            statements.push(sql::mark(&format!("schema {schema}"), &self.part.change.name));
        }
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(column, shown)| match column == shown {
                true => quote_ident(column),
                false => format!("{} as {}", quote_ident(column), quote_ident(shown)),
            })
            .collect();
        statements.push(format!(
            "create view {} as\n  select {}\n  from {}",
            self.name.quoted(),
            columns.join(",\n    "),
            self.table.name.quoted()
        ));
        statements.push(sql::mark(&format!("view {}", self.name.quoted()), &self.part.change.name));
        statements.push(self.guard());
        Step {
            id: "view".to_owned(),
            title: format!(
                "create {}, a view of {}, with its owner and its privileges; no row is read",
                self.name, self.table.name
            ),
            phase: Phase::Expanded,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![Lock { table: self.table.name.clone(), level: LockLevel::AccessShare, scans: false }],
            },
            undo: vec![self.drop_action(Some(self.refuse_after_contract()))],
            leftover: None,
        }
    }

    fn retire_step(&self) -> Step {
        Step {
            id: "retire".to_owned(),
            title: format!("drop {}, which no code uses any more", self.name),
            phase: Phase::Contracted,
            action: self.drop_action(None),
            undo: Vec::new(),
            leftover: None,
        }
    }

    /// Takes away what is ours; what is not, stays (H76). Never `CASCADE`: what somebody built on the view is theirs to take away.
    fn drop_action(&self, first: Option<Block>) -> Action {
        let mark = quote_literal(&format!("{OWNERSHIP_MARK}{}", self.part.change.name));
        let (view, schema) = (self.name.quoted(), quote_ident(&self.name.schema));
        let mut block = Block::default();
        block.open("begin");
        block.open(format!(
            "if pg_catalog.obj_description(pg_catalog.to_regclass({}), 'pg_class') = {mark} then",
            quote_literal(&view)
        ));
        if let Some(first) = first {
            block.line(first.text());
        }
        block.line(format!("drop view {view};")).close("end if;");
        if self.makes_schema() {
            block.open(format!(
                "if pg_catalog.obj_description(pg_catalog.to_regnamespace({}), 'pg_namespace') = {mark} then",
                quote_literal(&schema)
            ));
            block.line(format!("drop schema {schema};")).close("end if;");
        }
        block.close("end");
        Action { statements: vec![anonymous(block)], mode: Mode::Transaction, locks: vec![exclusive(&self.name)] }
    }

    /// Once the columns have the names that the view shows, it is not to be taken back, but retired.
    fn refuse_after_contract(&self) -> Block {
        let mut block = Block::default();
        for (column, _) in self.columns.iter().filter(|(column, shown)| column != shown) {
            block
                .open("if not exists (")
                .line("select from pg_catalog.pg_attribute a")
                .line(format!(
                    "where a.attrelid = {}::regclass and a.attname = {} and not a.attisdropped",
                    quote_literal(&self.table.name.quoted()),
                    quote_literal(column)
                ))
                .branch(") then")
                .line(format!(
                    "raise exception using message = {},",
                    quote_literal(&format!(
                        "column {column} of {} does not belong to the change {} any more: nothing is taken back",
                        self.table.name, self.part.change.name
                    ))
                ))
                .line(format!("  hint = {};", quote_literal("The contract has given it its final name.")))
                .close("end if;");
        }
        block
    }

    /// Who may do what through the view: what they may do with the table, as it is on the live database (H41, H43).
    ///
    /// A view looks at its table with the rights of its owner, unless it is told to take those of who reads it. The second is better: it
    /// obeys row level security, and a privilege that is taken away later. But then a role must be allowed to read every column of the table, so
    /// where there are privileges on single columns, it has to be the first.
    fn guard(&self) -> String {
        let table = quote_literal(&self.table.name.quoted());
        let (view, schema) = (self.name.quoted(), quote_ident(&self.name.schema));
        let server = self.part.server;
        let mut block = Block::default();
        block
            .open("declare")
            .line("owner name;")
            .line("by_row boolean;")
            .line("by_column boolean;")
            .line("granted record;");
        block.branch("begin");
        block
            .line("select pg_catalog.pg_get_userbyid(c.relowner), c.relrowsecurity,")
            .line("  exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attacl is not null and not a.attisdropped)")
            .line("into strict owner, by_row, by_column")
            .line(format!("from pg_catalog.pg_class c where c.oid = {table}::regclass;"));
        let old = "pg_catalog.current_setting('server_version_num')::integer < 150000";
        let refused = if server < SECURITY_INVOKER {
            format!("by_row and ({old} or by_column)")
        } else {
            "by_row and by_column".to_owned()
        };
        block.open(format!("if {refused} then"));
        block
            .line(format!(
                "raise exception using message = {},",
                quote_literal(&format!(
                    "{} has row level security, which a view of it cannot obey here",
                    self.table.name
                ))
            ))
            .line(format!(
                "  hint = {};",
                quote_literal("It can on PostgreSQL 15 and later, where no role has privileges on single columns. Else copy the column: leave out `through view`.")
            ))
            .close("end if;");
        let invoker =
            if server < SECURITY_INVOKER { format!("not by_column and not {old}") } else { "not by_column".to_owned() };
        block.open(format!("if {invoker} then"));
        block.line(format!("execute {};", quote_literal(&format!("alter view {view} set (security_invoker = true)"))));
        block.close("end if;");
        // As `format` takes them.
        let (view, schema) = (view.replace('%', "%%"), schema.replace('%', "%%"));
        block.open("if owner <> current_user then");
        block.line(format!(
            "execute format({}, owner);",
            quote_literal(&format!("grant usage, create on schema {schema} to %I"))
        ));
        block.line(format!("execute format({}, owner);", quote_literal(&format!("alter view {view} owner to %I"))));
        block.close("end if;");
        block
            .open("for granted in")
            .line("select a.privilege_type as privilege, a.is_grantable,")
            .line("  case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role")
            .line("from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a")
            .line(format!("where c.oid = {table}::regclass and a.grantee <> c.relowner"))
            .line("union all")
            .line("select a.privilege_type || ' (' || quote_ident(shown.name) || ')', a.is_grantable,")
            .line("  case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end")
            .line("from pg_catalog.pg_attribute c")
            .line(format!("join (values {}) as shown (of, name) on shown.of = c.attname,", self.names_as_values()))
            .line("  pg_catalog.aclexplode(c.attacl) a")
            .line(format!("where c.attrelid = {table}::regclass and not c.attisdropped"))
            .line("order by 3, 1");
        block.branch("loop");
        block
            .line(format!(
                "execute format({}, granted.role);",
                quote_literal(&format!("grant usage on schema {schema} to %s"))
            ))
            .line(format!(
                "execute format({}, granted.privilege, granted.role,",
                quote_literal(&format!("grant %s on {view} to %s%s"))
            ))
            .line("  case when granted.is_grantable then ' with grant option' else '' end);")
            .close("end loop;");
        block.close("end");
        anonymous(block)
    }

    /// `('name', 'full_name'), …`
    fn names_as_values(&self) -> String {
        let pairs =
            self.columns.iter().map(|(column, shown)| format!("({}, {})", quote_literal(column), quote_literal(shown)));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// What is otherwise than with a table.
    fn notes(&self) -> Vec<String> {
        let (view, table) = (&self.name, &self.table.name);
        let merge = if self.part.server < MERGE_INTO_VIEW { ", MERGE before PostgreSQL 17" } else { "" };
        let mut notes = vec![
            format!(
                "what does not work on the view {view}: COPY, TRUNCATE, ON CONFLICT ON CONSTRAINT, WHERE CURRENT OF, TABLESAMPLE{merge}; ON CONFLICT (columns), RETURNING, FOR UPDATE and defaults do"
            ),
            format!(
                "{view} has no system columns (ctid, xmin, tableoid), ONLY makes no difference to it, and a whole row of it is of its own type, not of that of {table}"
            ),
            format!("foreign keys, indexes and triggers are those of {table}: none can name {view}"),
            format!(
                "while {view} is there, PostgreSQL refuses to drop a column of {table}, or to change its type; a column that is added later is not in it"
            ),
            format!("a role with privileges that is added later needs them on {view} and USAGE on its schema, too"),
        ];
        if self.part.server < SECURITY_INVOKER {
            notes.push(format!(
                "row level security must not be switched on for {table} before the change is retired: before PostgreSQL 15, {view} would show every row to everybody"
            ));
        }
        notes
    }

    /// Logical replication goes by the names of the columns (H74).
    fn publication_note(&self) -> Option<String> {
        let publication = self.part.before.schema().publications_of(&self.table.name).next()?;
        Some(format!(
            "publication {} sends the old names until the contract and the new ones from then on: rename the columns of the subscribers at the same time",
            publication.name
        ))
    }
}
