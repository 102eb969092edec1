//! Plan → text.

use std::fmt::Write;

use super::FORMAT;
use crate::ident::QualifiedName;
use crate::plan::{Action, Backfill, Combined, Expected, KeyColumn, Leftover, Plan, Probe, Reconcile, Search, Step};

/// The plan as TOML, fingerprint included, ending in a newline.
pub fn to_toml(plan: &Plan) -> String {
    let head = format!("format = {FORMAT}\nfingerprint = {}\n", string(&plan.fingerprint()));
    head + &body(plan)
}

/// All but the head: what the fingerprint is made of.
pub(super) fn body(plan: &Plan) -> String {
    let mut out = Writer::default();
    out.value("change", &string(&plan.change));
    out.value("summary", &string(&plan.summary));
    out.value("stage", &string(plan.stage.name()));
    out.value("way", &string(&plan.way));
    out.value("after", &array(plan.after.iter().map(|change| string(change))));
    out.value("server", &plan.server.to_string());
    out.value("search_path", &array(plan.search_path.iter().map(|schema| string(schema))));
    out.value("tables", &array(plan.tables.iter().map(|table| format!("{{ {} }}", table_name(table)))));
    out.value("notes", &array(plan.notes.iter().map(|note| string(note))));
    if let Some(why) = &plan.irreversible {
        out.value("irreversible", &string(why));
    }
    if let Some(batch) = plan.batch {
        out.value("batch", &batch.to_string());
    }
    if let Some(day) = &plan.contract_by {
        out.value("contract_by", &string(day));
    }
    plan.steps.iter().for_each(|step| out.step("step", step));
    plan.retire.iter().for_each(|step| out.step("retire", step));
    plan.probes.iter().for_each(|probe| out.probe(probe));
    plan.backfill.iter().for_each(|backfill| out.backfill(&plan.change, backfill));
    plan.reconcile.iter().for_each(|reconcile| out.reconcile(reconcile));
    plan.expected.iter().for_each(|expected| out.expected(expected));
    out.text
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn value(&mut self, key: &str, value: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn heading(&mut self, path: &str) {
        let _ = writeln!(self.text, "\n[[{path}]]");
    }

    fn expected(&mut self, expected: &Expected) {
        self.heading("expected");
        self.value("table", &format!("{{ {} }}", table_name(&expected.table)));
        self.value("adds", &expected.adds.to_string());
        let columns = expected.columns.iter().map(|column| {
            let (name, ty) = (string(&column.name), string(&column.ty));
            let mut text = format!("{{ name = {name}, type = {ty}, not_null = {}", column.not_null);
            let mut add = |key: &str, value: Option<String>| {
                if let Some(value) = value {
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, ", {key} = {value}");
                }
            };
            add("expression", column.expression.as_deref().map(string));
            add("identity", column.identity.then(|| "true".to_owned()));
            add("generated", column.generated.then(|| "true".to_owned()));
            add("goes", column.goes.map(|phase| string(phase.name())));
            add("unsettled", column.unsettled.then(|| "true".to_owned()));
            text + " }"
        });
        self.value("columns", &array(columns));
        let objects = expected.objects.iter().map(|object| {
            format!(
                "{{ kind = {}, name = {}, definition = {}, expressions = {}{} }}",
                string(object.kind.name()),
                string(&object.name),
                string(&object.definition),
                inline_array(object.expressions.iter().map(|sql| string(sql))),
                if object.unsettled { ", unsettled = true" } else { "" }
            )
        });
        self.value("objects", &array(objects));
    }

    fn step(&mut self, heading: &str, step: &Step) {
        self.heading(heading);
        self.value("id", &string(&step.id));
        self.value("title", &string(&step.title));
        self.value("phase", &string(step.phase.name()));
        if let Some(Leftover::Index(index)) = &step.leftover {
            let (schema, name) = (string(&index.schema), string(&index.name));
            self.value("leftover_index", &format!("{{ schema = {schema}, name = {name} }}"));
        }
        self.action(&step.action);
        for undo in &step.undo {
            self.heading(&format!("{heading}.undo"));
            self.action(undo);
        }
    }

    fn action(&mut self, action: &Action) {
        self.value("mode", &string(action.mode.name()));
        let locks = action.locks.iter().map(|lock| {
            let (table, level) = (table_name(&lock.table), string(lock.level.name()));
            format!("{{ {table}, level = {level}, scans = {} }}", lock.scans)
        });
        self.value("locks", &array(locks));
        self.value("statements", &array(action.statements.iter().map(|statement| string(statement))));
    }

    fn probe(&mut self, probe: &Probe) {
        self.heading("probe");
        self.value("id", &string(&probe.id));
        self.value("title", &string(&probe.title));
        self.value("remedy", &string(&probe.remedy));
        self.value("blocks", &string(probe.blocks.name()));
        match &probe.search {
            Search::Rows { table, key, join, condition } => {
                self.value("read", &format!("{{ {} }}", table_name(table)));
                self.value("key", &key_columns(key));
                self.join(join.as_ref());
                self.value("condition", &string(condition));
            }
            Search::Groups { table, query } => {
                self.value("read", &format!("{{ {} }}", table_name(table)));
                self.value("query", &string(query));
            }
        }
    }

    fn join(&mut self, join: Option<&(QualifiedName, String)>) {
        if let Some((table, condition)) = join {
            self.value("join", &format!("{{ {}, on = {} }}", table_name(table), string(condition)));
        }
    }

    fn backfill(&mut self, change: &str, backfill: &Backfill) {
        self.heading("backfill");
        // The first one goes by the name of the change.
        if backfill.operation() != change {
            self.value("operation", &string(backfill.operation()));
        }
        match backfill {
            Backfill::Update { operation: _, table, set, conversions, pending, key } => {
                self.value("update", &format!("{{ {} }}", table_name(table)));
                self.value("pending", &string(pending));
                self.value("key", &key_columns(key));
                self.columns("set", set);
                if !conversions.is_empty() {
                    self.columns("conversions", conversions);
                }
            }
            Backfill::Insert { operation: _, source, target, key, columns, pending, target_key } => {
                self.value("insert_into", &format!("{{ {} }}", table_name(target)));
                self.value("source", &format!("{{ {} }}", table_name(source)));
                self.value("pending", &string(pending));
                self.value("key", &key_columns(key));
                self.value("target_key", &array(target_key.iter().map(|column| string(column))));
                self.columns("columns", columns);
            }
            Backfill::UpdateFrom { operation: _, table, key, source, source_key, on, combined, set, pending } => {
                self.value("update", &format!("{{ {} }}", table_name(table)));
                self.value("source", &format!("{{ {} }}", table_name(source)));
                self.value("on", &string(on));
                self.value("pending", &string(pending));
                self.value("key", &key_columns(key));
                self.value("source_key", &array(source_key.iter().map(|column| string(column))));
                if let Some(Combined { by, columns }) = combined {
                    self.value("combined_by", &array(by.iter().map(|column| string(column))));
                    self.columns("combined", columns);
                }
                self.columns("set", set);
            }
            Backfill::Refer { operation: _, table, reference, values, pending, key } => {
                self.value("refer", &format!("{{ {} }}", table_name(table)));
                self.value("reference", &string(reference));
                self.value("values", &format!("{{ {} }}", table_name(&values.table)));
                self.value("values_key", &string(&values.key));
                self.value("nulls", &values.nulls.to_string());
                self.value("pending", &string(pending));
                self.value("key", &key_columns(key));
                let columns = values
                    .columns
                    .iter()
                    .map(|(own, referring)| format!("{{ column = {}, from = {} }}", string(own), string(referring)));
                self.value("columns", &array(columns));
            }
        }
    }

    fn columns(&mut self, key: &str, columns: &[(String, String)]) {
        let columns = columns.iter().map(|(column, expression)| {
            format!("{{ column = {}, expression = {} }}", string(column), string(expression))
        });
        self.value(key, &array(columns));
    }

    fn reconcile(&mut self, reconcile: &Reconcile) {
        self.heading("reconcile");
        self.value("title", &string(&reconcile.title));
        self.value("read", &format!("{{ {} }}", table_name(&reconcile.table)));
        self.value("key", &key_columns(&reconcile.key));
        self.join(reconcile.join.as_ref());
        self.value("mismatch", &string(&reconcile.mismatch));
    }
}

fn table_name(name: &QualifiedName) -> String {
    format!("schema = {}, table = {}", string(&name.schema), string(&name.name))
}

fn key_columns(key: &[KeyColumn]) -> String {
    array(key.iter().map(|column| format!("{{ name = {}, type = {} }}", string(&column.name), string(&column.ty))))
}

/// On one line, inside of another array.
fn inline_array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// None or one item on the same line, several below each other.
fn array(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => "[]".to_string(),
        [only] => format!("[{only}]"),
        several => format!("[\n    {},\n]", several.join(",\n    ")),
    }
}

/// The most readable of TOML's four kinds of string that can hold `text`.
///
/// Written here and not by a library: these bytes are what fingerprints are made of, and a library's taste may change between releases.
fn string(text: &str) -> String {
    let lines = text.contains('\n');
    if text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()) {
        match (lines, text.contains(['"', '\\']), text.contains('\'')) {
            (false, false, _) => return format!("\"{text}\""),
            (false, true, false) => return format!("'{text}'"),
            (false, true, true) if !text.contains("'''") => return format!("'''{text}'''"),
            // The first newline after the delimiter belongs to it.
            (true, ..) if !text.contains("'''") => return format!("'''\n{text}'''"),
            _ => {}
        }
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // Escaped wherever it stands, so that no run of three closes a block.
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push('\n'),
            '\t' => escaped.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    if lines { format!("\"\"\"\n{escaped}\"\"\"") } else { format!("\"{escaped}\"") }
}
