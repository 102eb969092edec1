//! At the contract, what gives a column its values passes to the column that takes its place: default, sequence, identity.

use super::make::Part;
use super::sql::{Block, CONVERSION_ERRORS, anonymous};
use crate::ident::{QualifiedName, object_name, quote_ident, quote_literal};
use crate::model::apply::is_sequence_default;
use crate::schema::{Column, Identity, SqlType};

/// A column, and the one whose place it takes, if there is one.
pub(super) struct TakeOver<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) table: &'a QualifiedName,
    pub(super) before: Option<&'a Column>,
    pub(super) after: &'a Column,
    /// What stands in for a default that does not convert, as SQL; none where it certainly converts.
    pub(super) default_otherwise: Option<String>,
}

impl TakeOver<'_> {
    /// While both columns are there.
    pub(super) fn statements(&self) -> Vec<String> {
        let table = self.table.quoted();
        let name = quote_ident(&self.after.name);
        let mut statements = Vec::new();
        if let Some(default) = &self.after.default {
            let set = |default: &str| format!("alter table {table} alter column {name} set default {default}");
            statements.push(match &self.default_otherwise {
                Some(otherwise) => self.if_it_converts(&default.text, set(&default.text), set(otherwise)),
                None => set(&default.text),
            });
        }
        let Some(before) = self.before else { return statements };
        match &self.after.identity {
            Some(identity) => statements.push(self.move_identity(before, identity)),
            None => statements.extend(self.own_sequences(before)),
        }
        statements
    }

    /// One statement or the other: rows without a value of their own get what the triggers have given them so far.
    fn if_it_converts(&self, default: &str, then: String, otherwise: String) -> String {
        let mut block = Block::default();
        block.open("begin");
        if self.after.not_null {
            block.open(format!("if ({default}) is null then")).line("raise not_null_violation;").close("end if;");
        } else {
            block.line(format!("perform {default};"));
        }
        block.line(format!("{then};")).branch(format!("exception when {CONVERSION_ERRORS} then"));
        block.line(format!("{otherwise};")).close("end");
        anonymous(block)
    }

    /// After the before column is gone, and with it the identity's sequence: the new one takes its name.
    pub(super) fn rename_sequence(&self) -> Option<String> {
        let before = self.before?;
        let identity = before.identity.as_ref()?;
        let named = || QualifiedName::new(&self.table.schema, object_name(&self.table.name, Some(&before.name), "seq"));
        let sequence = identity.sequence.clone().unwrap_or_else(named);
        Some(format!("alter sequence {} rename to {}", self.interim_sequence().quoted(), quote_ident(&sequence.name)))
    }

    /// PostgreSQL 18 names NOT NULL after the column, and keeps that name when the column is renamed to the one whose place it took.
    pub(super) fn rename_not_null(&self, from: &str) -> Option<String> {
        let before = self.before.filter(|before| before.not_null)?;
        let name = before.not_null_name.clone();
        let wanted = name.unwrap_or_else(|| object_name(&self.table.name, Some(&before.name), "not_null"));
        let mut block = Block::default();
        block.open("declare").line("given name;").branch("begin");
        block
            .line("select c.conname into given from pg_catalog.pg_constraint c, pg_catalog.pg_attribute a")
            .line(format!("  where c.contype = 'n' and c.conrelid = {}::regclass", quote_literal(&self.table.quoted())))
            .line(format!(
                "  and a.attrelid = c.conrelid and a.attname = {} and c.conkey = array[a.attnum];",
                quote_literal(from)
            ))
            .open(format!("if given <> {} then", quote_literal(&wanted)));
        let rename = format!("alter table {} rename constraint %I to %I", self.table.quoted().replace('%', "%%"));
        block
            .line(format!("execute format({}, given, {});", quote_literal(&rename), quote_literal(&wanted)))
            .close("end if;")
            .close("end");
        Some(anonymous(block))
    }

    fn own_sequences(&self, before: &Column) -> Vec<String> {
        let after = self.after;
        let owner = (self.table.clone(), before.name.clone());
        let serial = before.default.as_ref().is_some_and(|default| is_sequence_default(&default.text));
        let sequences = self.part.before.schema().sequences.values();
        let mut statements = Vec::new();
        for sequence in sequences.filter(|sequence| sequence.owned_by.as_ref() == Some(&owner)) {
            let (sequence, column) = (sequence.name.quoted(), quote_ident(&after.name));
            statements.push(format!("alter sequence {sequence} owned by {}.{column}", self.table.quoted()));
            // A serial's sequence ends at the end of its old type otherwise (H71).
            if serial && before.ty != after.ty && integer_range(&after.ty).is_some() {
                statements.push(format!("alter sequence {sequence} as {}", after.ty));
            }
        }
        statements
    }

    fn interim_sequence(&self) -> QualifiedName {
        self.part.own_name(self.table, &format!("{}_seq", self.after.name))
    }

    /// An identity cannot be moved: the new column gets one of its own that goes on where the old one stands.
    fn move_identity(&self, before: &Column, identity: &Identity) -> String {
        let table = self.table.quoted();
        let interim = self.interim_sequence().quoted();
        let generated = if identity.always { "always" } else { "by default" };
        let alter = format!(
            "alter table {table} alter column {} add generated {generated} as identity",
            quote_ident(&self.after.name)
        )
        .replace('%', "%%");
        let sequence = interim.replace('%', "%%");
        let mut block = Block::default();
        block.open("declare").line("old record;").line("reached bigint;").line("is_called boolean;").branch("begin");
        block
            .line("select s.*, s.seqrelid::regclass::text as name into strict old from pg_catalog.pg_sequence s")
            .line(format!(
                "  where s.seqrelid = pg_catalog.pg_get_serial_sequence({}, {})::regclass;",
                quote_literal(&table),
                quote_literal(&before.name)
            ))
            .line("execute format('select last_value, is_called from %s', old.name) into reached, is_called;")
            .open("execute format(")
            .line(format!(
                "{},",
                quote_literal(&format!("{alter} (sequence name {sequence} increment %s %s %s start %s cache %s %s)"))
            ))
            .line("old.seqincrement,");
        for (word, limit) in ["minvalue", "maxvalue"].into_iter().zip(self.type_limits(before)) {
            let column = if word == "minvalue" { "old.seqmin" } else { "old.seqmax" };
            let keep = format!("{} || {column}", quote_literal(&format!("{word} ")));
            block.line(match limit {
                // The end of the old type is none of the new one (H71); any other limit was somebody's choice.
                Some(limit) => format!("case when {column} = {limit} then '' else {keep} end,"),
                None => format!("{keep},"),
            });
        }
        block
            .line("old.seqstart, old.seqcache, case when old.seqcycle then 'cycle' else 'no cycle' end")
            .close(");")
            .line(format!("perform pg_catalog.setval({}, reached, is_called);", quote_literal(&interim)))
            .close("end");
        anonymous(block)
    }

    /// The limits of a sequence that come from its column's type alone, where the new column has another one.
    fn type_limits(&self, before: &Column) -> [Option<i64>; 2] {
        let range = integer_range(&before.ty).filter(|_| before.ty != self.after.ty);
        [range.map(|(least, _)| least), range.map(|(_, greatest)| greatest)]
    }
}

/// The least and the greatest value of a type of integers.
fn integer_range(ty: &SqlType) -> Option<(i64, i64)> {
    let ranges =
        [("smallint", i64::from(i16::MIN), i64::from(i16::MAX)), ("integer", i64::from(i32::MIN), i64::from(i32::MAX))];
    let all = ranges.into_iter().chain([("bigint", i64::MIN, i64::MAX)]);
    all.into_iter().find(|(name, ..)| ty.is(name)).map(|(_, least, greatest)| (least, greatest))
}
