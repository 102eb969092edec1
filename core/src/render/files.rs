//! A plan as files of SQL, for people to review and for `psql` to run. Byte for byte the same for the same plan.

use std::fmt::Write as _;

use super::plan_file;
use crate::ident::{dollar_tag, quote_ident, quote_literal};
use crate::plan::{Action, Backfill, KeyColumn, Lock, Mode, Phase, Plan, Reconcile, Stage, Step};

/// Rows in a batch of `3_backfill.sql`, where the declaration says nothing.
const BATCH: u32 = 5000;

/// One file of the folder of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the folder.
    pub name: &'static str,
    /// All of it.
    pub text: String,
}

/// Every name that a change's folder can hold: what a generator may remove when a plan no longer has it.
pub const NAMES: [&str; 8] = [
    "change.toml",
    "1_expand.sql",
    "2_trigger.sql",
    "3_backfill.sql",
    "4_validate.sql",
    "5_contract.sql",
    "rollback.sql",
    "verify.sql",
];

/// The files of a plan. That of the contract is only there at stage `contract`: what applies every file it finds must not find it before.
pub fn files(plan: &Plan) -> Vec<File> {
    let mut files = vec![File { name: "change.toml", text: plan_file::to_toml(plan) }];
    let phases = [
        ("1_expand.sql", Phase::Expanded, "The before shape as it is, and the after shape beside it, empty. Old code cannot notice."),
        ("2_trigger.sql", Phase::DualWriting, "From here on every write through one shape reaches the other."),
    ];
    for (name, phase, about) in phases {
        files.push(File { name, text: phase_file(plan, phase, about) });
    }
    files.push(File { name: "3_backfill.sql", text: backfill_file(plan) });
    files.push(File {
        name: "4_validate.sql",
        text: phase_file(
            plan,
            Phase::Validated,
            "Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.",
        ),
    });
    if plan.stage == Stage::Contract {
        files.push(File {
            name: "5_contract.sql",
            text: phase_file(
                plan,
                Phase::Contracted,
                "The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.",
            ),
        });
    }
    files.push(File { name: "rollback.sql", text: rollback_file(plan) });
    files.push(File { name: "verify.sql", text: verify_file(plan) });
    files
}

/// Text that is written line by line; writing to a `String` cannot fail.
struct Text(String);

impl Text {
    fn line(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format!("-- {line}").trim_end());
        }
    }
}

fn header(plan: &Plan, about: &str, actions: &[&Action]) -> Text {
    let mut text = Text(String::new());
    text.comment(&format!("coexist: change {}", plan.change));
    if !plan.summary.is_empty() {
        text.comment(&plan.summary);
    }
    text.line("--");
    text.comment(about);
    for line in lock_summary(actions) {
        text.comment(&line);
    }
    text.line("--");
    text.comment("Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.");
    text.line("");
    text.line("\\set ON_ERROR_STOP on");
    let path: Vec<String> = plan.search_path.iter().map(|name| quote_ident(name)).collect();
    text.line(format!("set search_path = {};", path.join(", ")));
    text.line("set lock_timeout = '1s';");
    text
}

/// What is locked and for how long, each table's strongest lock once for short and once for long ones.
fn lock_summary(actions: &[&Action]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for scans in [false, true] {
        let mut strongest: Vec<&Lock> = Vec::new();
        for lock in actions.iter().flat_map(|action| &action.locks).filter(|lock| lock.scans == scans) {
            match strongest.iter_mut().find(|known| known.table == lock.table) {
                Some(known) if known.level < lock.level => *known = lock,
                Some(_) => {}
                None => strongest.push(lock),
            }
        }
        let how_long = if scans { "while the table is read once" } else { "for milliseconds once it is granted" };
        lines.extend(strongest.iter().map(|lock| {
            format!("Locks {} in {} mode {how_long}: {}.", lock.table, lock.level.name(), lock.level.blocks())
        }));
    }
    if lines.is_empty() {
        lines.push("Takes no lock that anybody notices.".to_owned());
    }
    lines
}

fn phase_file(plan: &Plan, phase: Phase, about: &str) -> String {
    let steps: Vec<&Step> = plan.steps_to(phase).collect();
    let actions: Vec<&Action> = steps.iter().map(|step| &step.action).collect();
    let mut text = header(plan, about, &actions);
    for step in steps {
        text.line("");
        text.comment(&format!("step {}: {}", step.id, step.title));
        action(&mut text, &step.action);
    }
    text.0
}

fn action(text: &mut Text, action: &Action) {
    match action.mode {
        Mode::Transaction | Mode::LongTransaction => {
            text.line("begin;");
            for statement in &action.statements {
                text.line(format!("{statement};"));
            }
            text.line("commit;");
        }
        // A lock timeout would count the wait for older transactions, and leave an invalid index behind (H27).
        Mode::Outside => {
            text.line("set lock_timeout = 0;");
            for statement in &action.statements {
                text.line(format!("{statement};"));
            }
            text.line("set lock_timeout = '1s';");
        }
    }
}

fn rollback_file(plan: &Plan) -> String {
    let undo: Vec<&Action> = plan.steps.iter().rev().flat_map(|step| &step.undo).collect();
    let mut about = "Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.".to_owned();
    if let Some(reason) = &plan.irreversible {
        let _ = write!(about, "\nIRREVERSIBLE: {reason}.");
    }
    let mut text = header(plan, &about, &undo);
    for step in plan.steps.iter().rev().filter(|step| !step.undo.is_empty()) {
        text.line("");
        text.comment(&format!("undo {}", step.id));
        for undo in &step.undo {
            action(&mut text, undo);
        }
    }
    text.0
}

fn backfill_file(plan: &Plan) -> String {
    let mut text = header(
        plan,
        "Every row that is not yet in the after shape, in batches that commit as they go; run again, it goes on with what is left.\nRows that new code wrote are never touched. Locks rows, a batch at a time.",
        &[],
    );
    for backfill in &plan.backfill {
        text.line("");
        let body = match backfill {
            Backfill::Update { table, set, pending, key } => {
                let set: Vec<String> =
                    set.iter().map(|(column, value)| format!("{} = {value}", quote_ident(column))).collect();
                let update = format!("update {} set {}", table.quoted(), set.join(", "));
                if key.is_empty() {
                    by_position(plan, &table.quoted(), &format!("{update}\n    where"), pending)
                } else {
                    let statement = |range: &str| format!("{update}\n    where {range}\n    and {pending};");
                    by_key(plan, &table.quoted(), "", key, &statement)
                }
            }
            Backfill::Insert { source, target, key, columns, pending, target_key } => {
                let names: Vec<String> = columns.iter().map(|(name, _)| quote_ident(name)).collect();
                let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
                let conflict: Vec<String> = target_key.iter().map(|name| quote_ident(name)).collect();
                let statement = |range: &str| {
                    format!(
                        "insert into {} ({})\n    select {}\n    from {} as source\n    where {range}\n    and {pending}\n    for no key update of source\n    on conflict ({}) do nothing;",
                        target.quoted(),
                        names.join(", "),
                        values.join(", "),
                        source.quoted(),
                        conflict.join(", ")
                    )
                };
                by_key(plan, &format!("{} as source", source.quoted()), "source.", key, &statement)
            }
        };
        let tag = dollar_tag(&body);
        text.line(format!("do {tag}\n{body}{tag};"));
    }
    text.0
}

/// A loop over pieces of the key, each found by reading the key's index from where the last one ended.
fn by_key(plan: &Plan, from: &str, prefix: &str, key: &[KeyColumn], statement: &dyn Fn(&str) -> String) -> String {
    let numbered = |word: &str| -> Vec<String> { (1..=key.len()).map(|n| format!("{word}_{n}")).collect() };
    let (reached, upto) = (numbered("reached"), numbered("upto"));
    let columns: Vec<String> = key.iter().map(|column| format!("{prefix}{}", quote_ident(&column.name))).collect();
    let row = |names: &[String]| format!("({})", names.join(", "));
    let batch = plan.batch.unwrap_or(BATCH);
    let mut body = Text("declare\n".to_owned());
    for (column, (reached, upto)) in key.iter().zip(reached.iter().zip(&upto)) {
        body.line(format!("  {reached} {};", column.ty));
        body.line(format!("  {upto} {};", column.ty));
    }
    let order: Vec<String> = columns.clone();
    let above = format!("{} > {}", row(&columns), row(&reached));
    let not_first = format!("{} is not null", reached[0]);
    let end = |condition: &str| {
        format!(
            "select {} into {} from {from}{condition}\n    order by {} limit 1 offset {};",
            columns.join(", "),
            upto.join(", "),
            order.join(", "),
            batch - 1
        )
    };
    let upto_first = format!("{} is null", upto[0]);
    body.line("begin");
    body.line("  loop");
    body.line(format!("    if {not_first} then"));
    body.line(format!("    {}", end(&format!("\n    where {above}"))));
    body.line("    else");
    body.line(format!("    {}", end("")));
    body.line("    end if;");
    body.line(format!(
        "    perform pg_catalog.set_config('coexist.backfill', {}, true);",
        quote_literal(&plan.change)
    ));
    // A comparison with a null row is null, so the first and the last piece are open at one end.
    let range = format!(
        "({} is null or {above})\n    and ({upto_first} or {} <= {})",
        reached[0],
        row(&columns),
        row(&upto)
    );
    body.line(format!("    {}", statement(&range)));
    body.line("    commit;");
    body.line(format!("    exit when {upto_first};"));
    for (reached, upto) in reached.iter().zip(&upto) {
        body.line(format!("    {reached} := {upto};"));
    }
    body.line("  end loop;");
    body.line("end");
    body.0
}

/// A loop over the pages that the table has at its start; rows that move meanwhile are synced by the triggers on their way.
fn by_position(plan: &Plan, table: &str, update: &str, pending: &str) -> String {
    let mut body = Text("declare\n".to_owned());
    body.line("  page bigint := 0;");
    body.line("  step constant bigint := 200;");
    body.line(format!(
        "  pages constant bigint := pg_catalog.pg_relation_size({}::regclass) / pg_catalog.current_setting('block_size')::bigint;",
        quote_literal(table)
    ));
    body.line("begin");
    body.line("  while page < pages loop");
    body.line(format!(
        "    perform pg_catalog.set_config('coexist.backfill', {}, true);",
        quote_literal(&plan.change)
    ));
    body.line(format!("    {update} ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + step)::tid"));
    body.line(format!("    and {pending};"));
    body.line("    commit;");
    body.line("    page := page + step;");
    body.line("  end loop;");
    body.line("end");
    body.0
}

fn verify_file(plan: &Plan) -> String {
    let mut text = header(
        plan,
        "Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.",
        &[],
    );
    for reconcile in &plan.reconcile {
        text.line("");
        text.comment(&reconcile.title);
        let body = verify_body(reconcile);
        let tag = dollar_tag(&body);
        text.line(format!("do {tag}\n{body}{tag};"));
    }
    text.0
}

fn verify_body(reconcile: &Reconcile) -> String {
    let join = reconcile
        .join
        .as_ref()
        .map(|(table, condition)| format!("\n  left join {} as target on {condition}", table.quoted()))
        .unwrap_or_default();
    let key = if reconcile.key.is_empty() {
        "source.ctid::text".to_owned()
    } else {
        let key: Vec<String> =
            reconcile.key.iter().map(|column| format!("source.{}", quote_ident(&column.name))).collect();
        format!("row({})::text", key.join(", "))
    };
    let mut body = Text("declare\n".to_owned());
    body.line("  differing bigint;");
    body.line("  sample text;");
    body.line("begin");
    body.line(format!("  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from ("));
    body.line(format!("  select {key} as key, row_number() over () as n from {} as source{join}", reconcile.table.quoted()));
    body.line(format!("  where {}", reconcile.mismatch));
    body.line("  ) as mismatches;");
    body.line("  if differing > 0 then");
    body.line(format!(
        "    raise exception using message = {} || differing || ' rows differ: ' || sample;",
        quote_literal(&format!("{}: ", reconcile.title))
    ));
    body.line("  end if;");
    body.line("end");
    body.0
}
