//! Text → plan.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FORMAT, PlanFileError};
use crate::ident::QualifiedName;
use crate::plan::{
    Action, Backfill, Combined, Expected, ExpectedColumn, ExpectedObject, KeyColumn, Leftover, Lock, LockLevel, Mode,
    ObjectKind, Phase, Plan, Probe, Reconcile, Search, Stage, Step, Values,
};

type Result<T> = std::result::Result<T, PlanFileError>;

/// Reads a plan back.
///
/// # Errors
///
/// Says what is wrong and on which line: no TOML, a key that is missing, unknown or of another type, two steps with one id, or a
/// content that is not the one which the fingerprint was made of.
pub fn from_toml(text: &str) -> Result<Plan> {
    let document = DeTable::parse(text).map_err(|error| PlanFileError {
        line: error.span().map(|span| line_of(text, &span)),
        message: format!("not TOML: {}", error.message()),
    })?;
    let mut file = Section::new(text, document.span(), document.into_inner());

    let format = file.integer("format")?;
    if format != FORMAT {
        return Err(file.error(format!(
            "format {format} is not known, only {FORMAT}: build the change and run it with the same version of coexist"
        )));
    }
    let fingerprint = file.string("fingerprint")?;
    let plan = plan(file)?;
    if plan.fingerprint() != fingerprint {
        return Err(PlanFileError {
            line: None,
            message: format!(
                "the content does not have the fingerprint {fingerprint} that stands in it, but {}: \
                 it was edited by hand, or merged; build the crate again to write it anew",
                plan.fingerprint()
            ),
        });
    }
    Ok(plan)
}

fn plan(mut file: Section) -> Result<Plan> {
    let change = file.string("change")?;
    let backfills = file.sections("backfill")?;
    let plan = Plan {
        summary: file.string("summary")?,
        stage: file.named("stage", Stage::from_name)?,
        way: file.string("way")?,
        after: file.strings("after")?,
        server: file.number("server")?,
        search_path: file.strings("search_path")?,
        tables: file.sections("tables")?.into_iter().map(table).collect::<Result<_>>()?,
        notes: file.strings("notes")?,
        irreversible: file.optional("irreversible", Section::string)?,
        batch: file.optional("batch", Section::number)?,
        contract_by: file.optional("contract_by", Section::string)?,
        expected: file.sections("expected")?.into_iter().map(expected).collect::<Result<_>>()?,
        steps: file.sections("step")?.into_iter().map(step).collect::<Result<_>>()?,
        retire: file.sections("retire")?.into_iter().map(step).collect::<Result<_>>()?,
        probes: file.sections("probe")?.into_iter().map(probe).collect::<Result<_>>()?,
        backfill: backfills.into_iter().map(|section| backfill(section, &change)).collect::<Result<_>>()?,
        reconcile: file.sections("reconcile")?.into_iter().map(reconcile).collect::<Result<_>>()?,
        change,
    };
    let mut ids = BTreeSet::new();
    for step in plan.steps.iter().chain(&plan.retire) {
        if !ids.insert(&step.id) {
            return Err(file.error(format!("two steps have the id `{}`", step.id)));
        }
    }
    file.finish()?;
    Ok(plan)
}

fn expected(mut section: Section) -> Result<Expected> {
    let expected = Expected {
        table: table(section.section("table")?)?,
        adds: section.number("adds")?,
        columns: section.sections("columns")?.into_iter().map(expected_column).collect::<Result<_>>()?,
        objects: section.sections("objects")?.into_iter().map(expected_object).collect::<Result<_>>()?,
    };
    section.finish()?;
    Ok(expected)
}

fn expected_column(mut section: Section) -> Result<ExpectedColumn> {
    let column = ExpectedColumn {
        name: section.string("name")?,
        ty: section.string("type")?,
        not_null: section.boolean("not_null")?,
        expression: section.optional("expression", Section::string)?,
        identity: section.optional("identity", Section::boolean)?.unwrap_or(false),
        generated: section.optional("generated", Section::boolean)?.unwrap_or(false),
        goes: section.optional("goes", |section, key| section.named(key, Phase::from_name))?,
        unsettled: section.optional("unsettled", Section::boolean)?.unwrap_or(false),
    };
    section.finish()?;
    Ok(column)
}

fn expected_object(mut section: Section) -> Result<ExpectedObject> {
    let object = ExpectedObject {
        kind: section.named("kind", ObjectKind::from_name)?,
        name: section.string("name")?,
        definition: section.string("definition")?,
        expressions: section.strings("expressions")?,
        unsettled: section.optional("unsettled", Section::boolean)?.unwrap_or(false),
    };
    section.finish()?;
    Ok(object)
}

fn step(mut section: Section) -> Result<Step> {
    let step = Step {
        id: section.string("id")?,
        title: section.string("title")?,
        phase: section.named("phase", Phase::from_name)?,
        leftover: section.optional("leftover_index", |section, key| index(section.section(key)?))?.map(Leftover::Index),
        action: section.action()?,
        undo: section
            .sections("undo")?
            .into_iter()
            .map(|mut undo| {
                let action = undo.action()?;
                undo.finish()?;
                Ok(action)
            })
            .collect::<Result<_>>()?,
    };
    section.finish()?;
    Ok(step)
}

fn probe(mut section: Section) -> Result<Probe> {
    let probe = Probe {
        id: section.string("id")?,
        title: section.string("title")?,
        remedy: section.string("remedy")?,
        blocks: section.named("blocks", Phase::from_name)?,
        search: match section.optional("query", Section::string)? {
            Some(query) => Search::Groups { table: table(section.section("read")?)?, query },
            None => Search::Rows {
                table: table(section.section("read")?)?,
                key: section.key_columns()?,
                join: section.join()?,
                condition: section.string("condition")?,
            },
        },
    };
    section.finish()?;
    Ok(probe)
}

fn backfill(mut section: Section, change: &str) -> Result<Backfill> {
    let operation = section.optional("operation", Section::string)?.unwrap_or_else(|| change.to_owned());
    let pending = section.string("pending")?;
    let key = section.key_columns()?;
    let updated = section.optional("update", |section, key| table(section.section(key)?))?;
    let referring = section.optional("refer", |section, key| table(section.section(key)?))?;
    let backfill = match (updated, referring) {
        (Some(table), _) => update(operation, table, &mut section, pending, key)?,
        (None, Some(table)) => Backfill::Refer {
            operation,
            table,
            reference: section.string("reference")?,
            values: values(&mut section)?,
            pending,
            key,
        },
        (None, None) => Backfill::Insert {
            operation,
            source: table(section.section("source")?)?,
            target: table(section.section("insert_into")?)?,
            key,
            columns: section.expressions("columns")?,
            pending,
            target_key: section.strings("target_key")?,
        },
    };
    section.finish()?;
    Ok(backfill)
}

fn update(
    operation: String,
    table: QualifiedName,
    section: &mut Section,
    pending: String,
    key: Vec<KeyColumn>,
) -> Result<Backfill> {
    let set = section.expressions("set")?;
    let Some(source) = section.optional("source", |section, key| self::table(section.section(key)?))? else {
        let conversions = section.optional("conversions", Section::expressions)?.unwrap_or_default();
        return Ok(Backfill::Update { operation, table, set, conversions, pending, key });
    };
    let by = section.optional("combined_by", Section::strings)?;
    Ok(Backfill::UpdateFrom {
        operation,
        table,
        key,
        source,
        source_key: section.strings("source_key")?,
        on: section.string("on")?,
        combined: match by {
            Some(by) => Some(Combined { by, columns: section.expressions("combined")? }),
            None => None,
        },
        set,
        pending,
    })
}

fn values(section: &mut Section) -> Result<Values> {
    let columns = section.sections("columns")?.into_iter().map(|mut column| {
        let pair = (column.string("column")?, column.string("from")?);
        column.finish()?;
        Ok(pair)
    });
    Ok(Values {
        columns: columns.collect::<Result<_>>()?,
        table: table(section.section("values")?)?,
        key: section.string("values_key")?,
        nulls: section.boolean("nulls")?,
    })
}

fn reconcile(mut section: Section) -> Result<Reconcile> {
    let reconcile = Reconcile {
        title: section.string("title")?,
        table: table(section.section("read")?)?,
        key: section.key_columns()?,
        join: section.join()?,
        mismatch: section.string("mismatch")?,
    };
    section.finish()?;
    Ok(reconcile)
}

fn table(mut section: Section) -> Result<QualifiedName> {
    let name = section.qualified("table")?;
    section.finish()?;
    Ok(name)
}

fn index(mut section: Section) -> Result<QualifiedName> {
    let name = section.qualified("name")?;
    section.finish()?;
    Ok(name)
}

fn lock(mut section: Section) -> Result<Lock> {
    let lock = Lock {
        level: section.named("level", LockLevel::from_name)?,
        scans: section.boolean("scans")?,
        table: section.qualified("table")?,
    };
    section.finish()?;
    Ok(lock)
}

/// One table of the file, from which the keys are taken out one by one: what remains is unknown.
struct Section<'t> {
    text: &'t str,
    span: Range<usize>,
    table: DeTable<'t>,
}

impl<'t> Section<'t> {
    fn new(text: &'t str, span: Range<usize>, table: DeTable<'t>) -> Self {
        Self { text, span, table }
    }

    /// A mistake of the section as a whole.
    fn error(&self, message: String) -> PlanFileError {
        self.error_at(&self.span, message)
    }

    fn error_at(&self, span: &Range<usize>, message: String) -> PlanFileError {
        PlanFileError { line: Some(line_of(self.text, span)), message }
    }

    /// Every key must have been taken.
    fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            Some(key) => Err(self.error_at(&key.span(), format!("the key `{}` is not known here", key.get_ref()))),
            None => Ok(()),
        }
    }

    fn take(&mut self, key: &str) -> Result<Spanned<DeValue<'t>>> {
        self.table.remove(key).ok_or_else(|| self.error(format!("the key `{key}` is missing")))
    }

    fn wrong_type(&self, value: &Spanned<DeValue>, key: &str, expected: &str) -> PlanFileError {
        let found = value.get_ref().type_str();
        self.error_at(&value.span(), format!("`{key}` must be {expected}, not a value of the type {found}"))
    }

    fn optional<T>(&mut self, key: &str, read: impl FnOnce(&mut Self, &str) -> Result<T>) -> Result<Option<T>> {
        if self.table.contains_key(key) { read(self, key).map(Some) } else { Ok(None) }
    }

    fn string(&mut self, key: &str) -> Result<String> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong_type(&value, key, "a string")),
        }
    }

    /// A string that names one of a few things.
    fn named<T>(&mut self, key: &str, from_name: fn(&str) -> Option<T>) -> Result<T> {
        let value = self.take(key)?;
        let DeValue::String(name) = value.get_ref() else { return Err(self.wrong_type(&value, key, "a string")) };
        from_name(name).ok_or_else(|| self.error_at(&value.span(), format!("`{name}` is not a {key}")))
    }

    fn integer(&mut self, key: &str) -> Result<i64> {
        let value = self.take(key)?;
        let number = value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        number.ok_or_else(|| self.wrong_type(&value, key, "a whole number"))
    }

    fn number(&mut self, key: &str) -> Result<u32> {
        let number = self.integer(key)?;
        u32::try_from(number).map_err(|_| self.error(format!("`{key}` = {number} is out of range")))
    }

    fn boolean(&mut self, key: &str) -> Result<bool> {
        let value = self.take(key)?;
        value.get_ref().as_bool().ok_or_else(|| self.wrong_type(&value, key, "true or false"))
    }

    fn strings(&mut self, key: &str) -> Result<Vec<String>> {
        let value = self.take(key)?;
        let Some(items) = value.get_ref().as_array() else {
            return Err(self.wrong_type(&value, key, "an array of strings"));
        };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                _ => Err(self.wrong_type(item, key, "an array of strings")),
            })
            .collect()
    }

    fn section(&mut self, key: &str) -> Result<Section<'t>> {
        let value = self.take(key)?;
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Ok(Section::new(self.text, span, table)),
            other => Err(self.wrong_type(&Spanned::new(span, other), key, "a table")),
        }
    }

    /// An array of tables; none at all reads as empty.
    fn sections(&mut self, key: &str) -> Result<Vec<Section<'t>>> {
        let Some(value) = self.table.remove(key) else { return Ok(Vec::new()) };
        let span = value.span();
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => return Err(self.wrong_type(&Spanned::new(span, other), key, "an array of tables")),
        };
        items
            .into_iter()
            .map(|item| {
                let span = item.span();
                match item.into_inner() {
                    DeValue::Table(table) => Ok(Section::new(self.text, span, table)),
                    other => Err(self.wrong_type(&Spanned::new(span, other), key, "an array of tables")),
                }
            })
            .collect()
    }

    fn qualified(&mut self, key: &str) -> Result<QualifiedName> {
        Ok(QualifiedName { schema: self.string("schema")?, name: self.string(key)? })
    }

    fn action(&mut self) -> Result<Action> {
        Ok(Action {
            mode: self.named("mode", Mode::from_name)?,
            locks: self.sections("locks")?.into_iter().map(lock).collect::<Result<_>>()?,
            statements: self.strings("statements")?,
        })
    }

    fn key_columns(&mut self) -> Result<Vec<KeyColumn>> {
        let columns = self.sections("key")?.into_iter().map(|mut section| {
            let column = KeyColumn { name: section.string("name")?, ty: section.string("type")? };
            section.finish()?;
            Ok(column)
        });
        columns.collect()
    }

    fn join(&mut self) -> Result<Option<(QualifiedName, String)>> {
        self.optional("join", |section, key| {
            let mut join = section.section(key)?;
            let condition = join.string("on")?;
            Ok((table(join)?, condition))
        })
    }

    fn expressions(&mut self, key: &str) -> Result<Vec<(String, String)>> {
        let columns = self.sections(key)?.into_iter().map(|mut section| {
            let column = (section.string("column")?, section.string("expression")?);
            section.finish()?;
            Ok(column)
        });
        columns.collect()
    }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
}
