//! The triggers that keep the values of a table and the references to their own table in step.
//!
//! Old code writes values: a row is found, or made, that holds them, and never is one changed that other rows refer to as well. New code writes
//! references, and the values of the row that it refers to are filled in; where it changes a row of values, all rows that refer to it follow.
//! Each side writes only where something differs (H36).
//!
//! What a row refers to is locked for share before it is referred to, so that values do not change between being found and being referred to.

use super::compare::{all, any};
use super::extract::Parts;
use super::sql::Block;
use super::triggers::{
    OWN_TRIGGERS, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, restore_body,
};
use super::violations;
use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::model::apply::extract::foreign_key_name;
use crate::render::statement::conflict_target;

/// The functions and triggers.
pub(super) fn triggers<'a>(parts: &'a Parts<'a>) -> Triggers<'a> {
    let sync = Sync { parts };
    let mut functions = vec![(sync.function("sync"), sync.sync_body())];
    if sync.may_be_cleared() {
        functions.push((sync.function("clear"), sync.clear_body()));
    }
    if has_update_triggers(parts.source) {
        functions.push((sync.function("restore"), restore_body([parts.extract.reference.as_str()])));
    }
    functions.push((sync.function("fan_out"), sync.fan_out_body()));
    functions.push((sync.function("guard"), sync.guard_body()));
    Triggers::with_rights_of_owner(parts.part, &[&parts.extract.source], functions, sync.triggers())
}

/// The name of the first of ours that fires.
pub(super) fn first_trigger(parts: &Parts<'_>) -> String {
    last_firing_name(&parts.part.own, RESTORE)
}

struct Sync<'a> {
    parts: &'a Parts<'a>,
}

impl Sync<'_> {
    fn function(&self, purpose: &str) -> QualifiedName {
        self.parts.part.own_name(&self.parts.extract.source, purpose)
    }

    fn triggers(&self) -> Vec<Trigger> {
        let extract = self.parts.extract;
        let (source, target) = (&extract.source, &extract.target);
        let reference = quote_ident(&extract.reference);
        let key = quote_ident(&extract.key);
        let not_backfilling = in_backfill(self.parts.part, false);
        let row = |when: String| format!("for each row when ({when})");
        let trigger =
            |purpose: &str, table: &QualifiedName, events: String, conditions: String, function: &str| Trigger {
                name: last_firing_name(&self.parts.part.own, purpose),
                table: table.clone(),
                events,
                conditions,
                function: self.function(function),
                constraint: false,
            };
        let refers = format!("new.{reference} is distinct from old.{reference}");
        let values = self.parts.changed(false);
        let written = any([format!("new.{reference} is not null"), self.parts.has_values("new.")]);
        let moved = any([refers].into_iter().chain(values).chain([self.parts.pending("new.")]));
        let mut triggers = vec![
            trigger("3_insert", source, "before insert".to_owned(), row(written), "sync"),
            trigger("3_update", source, "before update".to_owned(), row(all([moved, not_backfilling.clone()])), "sync"),
        ];
        if self.may_be_cleared() {
            // The SET list names the reference and leaves it null on a row that has none yet: new code says that there is no value.
            let clears = all([self.parts.pending("old."), format!("new.{reference} is null"), not_backfilling]);
            triggers.push(trigger("2_clear", source, format!("before update of {reference}"), row(clears), "clear"));
        }
        if has_update_triggers(self.parts.source) {
            let backfilling = row(in_backfill(self.parts.part, true));
            triggers.push(trigger(RESTORE, source, "before update".to_owned(), backfilling, "restore"));
        }
        let changed = any(self.parts.changed(true));
        triggers.push(trigger("fan_out", target, "after update".to_owned(), row(changed), "fan_out"));
        triggers.push(trigger("delete", target, "before delete".to_owned(), "for each row".to_owned(), "guard"));
        let key_changed = row(format!("old.{key} is distinct from new.{key}"));
        triggers.push(trigger("key", target, format!("before update of {key}"), key_changed, "guard"));
        let each_statement = "for each statement".to_owned();
        triggers.push(trigger("truncate", target, "before truncate".to_owned(), each_statement, "guard"));
        triggers
    }

    /// Whether new code can take a reference away.
    fn may_be_cleared(&self) -> bool {
        !self.parts.extract.refers_always(self.parts.source)
    }

    fn sync_body(&self) -> Block {
        let (extract, values) = (self.parts.extract, &self.parts.values);
        let (target, reference, key) =
            (extract.target.quoted(), quote_ident(&extract.reference), quote_ident(&extract.key));
        let own: Vec<String> = values.columns.iter().map(|(own, _)| format!("v.{}", quote_ident(own))).collect();
        let into: Vec<String> = values.columns.iter().map(|(_, from)| format!("new.{}", quote_ident(from))).collect();
        let names: Vec<String> = values.columns.iter().map(|(own, _)| quote_ident(own)).collect();
        let mut body = Block::default();
        body.open("begin");
        body.open(format!(
            "if new.{reference} is not null and (tg_op = 'INSERT' or new.{reference} is distinct from old.{reference}) then"
        ));
        body.line(format!("select {} into {}", own.join(", "), into.join(", ")));
        body.line(format!("  from {target} as v where v.{key} = new.{reference} for share;"));
        body.open("if not found then");
        violations::foreign_key(
            &mut body,
            &format!(
                "insert or update on table {} violates foreign key constraint {}",
                quote_ident(&extract.source.name),
                quote_ident(&foreign_key_name(extract))
            ),
        );
        body.close("end if;");
        body.branch(format!("elsif tg_op = 'UPDATE' and new.{reference} is distinct from old.{reference} then"));
        if self.may_be_cleared() {
            self.clear(&mut body);
        } else {
            body.line("return new; -- and fail, as a column that is NOT NULL");
        }
        if !self.parts.extract.always {
            body.branch(format!("elsif not ({}) then", self.parts.has_values("new.")));
            body.line(format!("new.{reference} := null;"));
        }
        body.branch("else");
        // Whoever makes the same row at this moment is waited for. Under REPEATABLE READ a row that came later cannot be seen, and the INSERT
        // fails with 40001.
        body.open("loop");
        body.line(format!("select v.{key} into new.{reference} from {target} as v"));
        body.line(format!("  where ({}) = ({}) for share;", values.own("v."), values.referring("new.")));
        body.line("exit when found;");
        body.line(format!("insert into {target} as v ({}) values ({})", names.join(", "), into.join(", ")));
        body.line(format!(
            "  on conflict ({}) do nothing returning v.{key} into new.{reference};",
            conflict_target(values)
        ));
        body.line("exit when found;");
        body.close("end loop;");
        body.close("end if;");
        body.line("return new;");
        body.close("end");
        body
    }

    fn clear_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        self.clear(&mut body);
        body.line("return new;");
        body.close("end");
        body
    }

    fn clear(&self, body: &mut Block) {
        for (from, _) in &self.parts.extract.columns {
            body.line(format!("new.{} := null;", quote_ident(from)));
        }
    }

    fn fan_out_body(&self) -> Block {
        let (extract, values) = (self.parts.extract, &self.parts.values);
        let (source, target) = (extract.source.quoted(), extract.target.quoted());
        let (reference, key) = (quote_ident(&extract.reference), quote_ident(&extract.key));
        let set: Vec<String> = extract
            .columns
            .iter()
            .map(|(from, to)| format!("{} = new.{}", quote_ident(from), quote_ident(to)))
            .collect();
        let apart = format!("s.{reference} = new.{key} and {}", any(self.parts.differs("s.", "new.")));
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("update {source} as s set {}", set.join(", ")));
        body.line(format!("where {apart};"));
        if has_update_triggers(self.parts.source) {
            let (names, from): (Vec<String>, Vec<String>) =
                values.columns.iter().map(|(own, from)| (quote_ident(own), format!("s.{}", quote_ident(from)))).unzip();
            let (names, from) = (names.join(", "), from.join(", "));
            body.line(OWN_TRIGGERS);
            body.line(format!("insert into {target} ({names}) select distinct {from} from {source} as s"));
            body.line(format!("where {apart} order by {from} on conflict ({}) do nothing;", conflict_target(values)));
            body.line(format!("update {source} as s set {reference} = v.{key} from {target} as v"));
            body.line(format!("where {apart} and ({}) = ({});", values.own("v."), values.referring("s.")));
        }
        body.line("return null;");
        body.close("end");
        body
    }

    /// Until the foreign key is there: what is referred to stays.
    fn guard_body(&self) -> Block {
        let extract = self.parts.extract;
        let (source, reference) = (extract.source.quoted(), quote_ident(&extract.reference));
        let (target, name) = (quote_ident(&extract.target.name), foreign_key_name(extract));
        let mut body = Block::default();
        body.open("begin");
        body.line("if not exists (");
        body.line(format!(
            "  select from pg_catalog.pg_constraint c where c.contype = 'f' and c.conrelid = {}::regclass and c.conname = {}",
            quote_literal(&source),
            quote_literal(&name)
        ));
        body.open(") then");
        // What came after the snapshot cannot be seen.
        body.open("if pg_catalog.current_setting('transaction_isolation') in ('repeatable read', 'serializable') then");
        let message = format!(
            "rows of table {target} are deleted under READ COMMITTED until table {} has its foreign key",
            quote_ident(&extract.source.name)
        );
        let hint = "The foreign key comes when the change is validated; from then on it decides.";
        violations::raise(&mut body, "object_not_in_prerequisite_state", None, &message, Some(hint));
        body.close("end if;");
        body.open(format!(
            "if tg_op = 'TRUNCATE' and exists (select from {source} as s where s.{reference} is not null)"
        ));
        body.line(format!(
            "or tg_op <> 'TRUNCATE' and exists (select from {source} as s where s.{reference} = old.{}) then",
            quote_ident(&extract.key)
        ));
        violations::foreign_key(
            &mut body,
            &format!(
                "update or delete on table {target} violates foreign key constraint {} on table {}",
                quote_ident(&name),
                quote_ident(&extract.source.name)
            ),
        );
        body.close("end if;");
        body.close("end if;");
        body.open("if tg_op = 'UPDATE' then").line("return new;").close("end if;");
        body.open("if tg_op = 'DELETE' then").line("return old;").close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }
}
