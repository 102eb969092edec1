//! A plan as files of SQL, for people to review and for `psql` to run. Byte for byte the same for the same plan.

use std::fmt::Write as _;

use super::block::Block;
use super::plan_file;
use super::statement::{
    Copy, Piece, TID_RANGE_SCAN, batch_by_position, copy_batch, end_of_piece, last_key, pending_lines,
};
use crate::ident::{QualifiedName, dollar_tag, quote_ident, quote_literal};
use crate::plan::{Action, BACKFILL_SETTING, Backfill, Lock, Mode, Phase, Plan, Reconcile, Stage, Step};

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
pub const NAMES: [&str; 9] = [
    "change.toml",
    "1_expand.sql",
    "2_trigger.sql",
    "3_backfill.sql",
    "4_validate.sql",
    "5_contract.sql",
    "retire.sql",
    "rollback.sql",
    "verify.sql",
];

/// The files of a plan. That of the contract is only there at stage `contract`: what applies every file it finds must not find it before.
pub fn files(plan: &Plan) -> Vec<File> {
    let fingerprint = plan.fingerprint();
    let mut files = vec![File { name: "change.toml", text: plan_file::to_toml(plan) }];
    let phases = [
        (
            "1_expand.sql",
            Phase::Expanded,
            "The before shape as it is, and the after shape beside it, empty. Old code cannot notice.",
        ),
        ("2_trigger.sql", Phase::DualWriting, "From here on every write through one shape reaches the other."),
    ];
    for (name, phase, about) in phases {
        files.push(File { name, text: phase_file(plan, &fingerprint, phase, about) });
    }
    files.push(File { name: "3_backfill.sql", text: backfill_file(plan, &fingerprint) });
    files.push(File {
        name: "4_validate.sql",
        text: phase_file(
            plan,
            &fingerprint,
            Phase::Validated,
            "Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.",
        ),
    });
    if plan.stage == Stage::Contract {
        files.push(File {
            name: "5_contract.sql",
            text: phase_file(
                plan,
                &fingerprint,
                Phase::Contracted,
                "The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.",
            ),
        });
    }
    if plan.stage == Stage::Contract && !plan.retire.is_empty() {
        files.push(File { name: "retire.sql", text: retire_file(plan) });
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

    /// An anonymous block with a comment above it.
    fn block(&mut self, about: &str, body: &Block) {
        let tag = dollar_tag(body.text());
        self.line("");
        self.comment(about);
        self.line(format!("do {tag}\n{}{tag};", body.text()));
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
    text.comment(
        "Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.",
    );
    text.line("");
    text.line("\\set ON_ERROR_STOP on");
    text.line("set client_min_messages = warning;");
    let path: Vec<String> = plan.search_path.iter().map(|name| quote_ident(name)).collect();
    text.line(format!("set search_path = {};", path.join(", ")));
    text.line("set lock_timeout = '500ms';");
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

fn phase_file(plan: &Plan, fingerprint: &str, phase: Phase, about: &str) -> String {
    let steps: Vec<&Step> = plan.steps_to(phase).collect();
    let actions: Vec<&Action> = steps.iter().map(|step| &step.action).collect();
    let mut text = header(plan, about, &actions);
    text.block("in order, as far as the ledger knows", &guard(plan, phase));
    for step in steps {
        text.line("");
        text.comment(&format!("step {}: {}", step.id, step.title));
        action(&mut text, &step.action);
    }
    text.block("tell the ledger, where there is one", &record(plan, fingerprint, phase));
    text.0
}

fn retire_file(plan: &Plan) -> String {
    let actions: Vec<&Action> = plan.retire.iter().map(|step| &step.action).collect();
    let about = "Takes away what the contract left for new code. Run it when no code uses the accessors of the change any more.";
    let mut text = header(plan, about, &actions);
    text.block("in order, as far as the ledger knows", &only_in(plan, Phase::Contracted, Phase::Contracted));
    for step in &plan.retire {
        text.line("");
        text.comment(&format!("step {}: {}", step.id, step.title));
        action(&mut text, &step.action);
    }
    text.block("tell the ledger, where there is one", &record_retirement(plan));
    text.0
}

fn record_retirement(plan: &Plan) -> Block {
    let change = quote_literal(&plan.change);
    let mut body = Block::default();
    body.open("begin").open("if to_regclass('coexist.changes') is not null then");
    for table in ["quarantine", "conflicts"] {
        body.line(format!("delete from coexist.{table} where change = {change};"));
    }
    body.line(format!("delete from coexist.changes where name = {change};"));
    body.line(format!(
        "insert into coexist.log (change, level, message, runner) values ({change}, 'info', 'the change is retired', 'psql');"
    ));
    body.close("end if;").close("end");
    body
}

/// Stops where the ledger knows that the database is not at the phase before this one.
fn guard(plan: &Plan, phase: Phase) -> Block {
    let before = Phase::ALL.into_iter().take_while(|earlier| *earlier < phase).last().unwrap_or(Phase::Declared);
    only_in(plan, before, phase)
}

/// Stops where the ledger knows that the database is in neither of two phases.
fn only_in(plan: &Plan, before: Phase, phase: Phase) -> Block {
    let mut body = Block::default();
    body.open("declare").line("found text;").branch("begin").open("if to_regclass('coexist.changes') is not null then");
    body.line(format!("select phase into found from coexist.changes where name = {};", quote_literal(&plan.change)));
    // Running a phase's file again is no mistake: it fails at its first statement, or goes on with what is left.
    let declared = quote_literal(Phase::Declared.name());
    let wrong = match before == phase {
        true => format!("<> {}", quote_literal(phase.name())),
        false => format!("not in ({}, {})", quote_literal(before.name()), quote_literal(phase.name())),
    };
    body.open(format!("if coalesce(found, {declared}) {wrong} then"));
    body.line(format!(
        "raise exception using message = {} || coalesce(found, {}),",
        quote_literal(&format!("the change {} is not {} but ", plan.change, before.name())),
        quote_literal(Phase::Declared.name())
    ));
    body.line(format!(
        "  hint = {};",
        quote_literal("Run the files in the order of their numbers, or let `coexist up` do it.")
    ));
    body.close("end if;").close("end if;").close("end");
    body
}

/// Writes to the ledger what `coexist up` would have written, so that it can go on from here, and applications can ask for their proofs.
fn record(plan: &Plan, fingerprint: &str, phase: Phase) -> Block {
    let change = quote_literal(&plan.change);
    let steps: Vec<String> = plan.steps_to(phase).map(|step| quote_literal(&step.id)).collect();
    let mut body = Block::default();
    body.open("begin").open("if to_regclass('coexist.changes') is not null then");
    body.line("insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)");
    body.line(format!(
        "values ({change}, {}, {}, {}, '', 'psql')",
        quote_literal(fingerprint),
        quote_literal(phase.name()),
        quote_literal(plan.stage.name())
    ));
    body.line("on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,");
    body.line("  direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();");
    if !steps.is_empty() {
        body.line("insert into coexist.steps (change, id, state, tries, finished_at)");
        body.line(format!(
            "select {change}, id, 'done', 1, clock_timestamp() from unnest(array[{}]) as id",
            steps.join(", ")
        ));
        body.line("on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;");
    }
    body.close("end if;").close("end");
    body
}

fn record_rollback(plan: &Plan) -> Block {
    let change = quote_literal(&plan.change);
    let mut body = Block::default();
    body.open("begin").open("if to_regclass('coexist.changes') is not null then");
    body.line("update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',");
    body.line("  paused = false, pause_reason = null, updated_at = clock_timestamp()");
    body.line(format!("  where name = {change};"));
    body.line(format!(
        "update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = {change};"
    ));
    for table in ["segments", "quarantine", "conflicts"] {
        body.line(format!("delete from coexist.{table} where change = {change};"));
    }
    body.close("end if;").close("end");
    body
}

/// Stops where the ledger knows of a step that nothing takes back.
fn only_before_the_contract(plan: &Plan) -> Block {
    let change = quote_literal(&plan.change);
    let for_good: Vec<&Step> = plan.steps_to(Phase::Contracted).filter(|step| step.undo.is_empty()).collect();
    let ids = |steps: &[&Step]| steps.iter().map(|step| quote_literal(&step.id)).collect::<Vec<_>>().join(", ");
    let outside: Vec<&Step> = for_good.iter().copied().filter(|step| step.action.mode == Mode::Outside).collect();
    let mut had_effect =
        vec![format!("exists (select from coexist.changes where name = {change} and phase = 'contracted')")];
    for (steps, states) in [(&for_good, "'done'"), (&outside, "'started'")] {
        if !steps.is_empty() {
            had_effect.push(format!(
                "exists (select from coexist.steps where change = {change} and id in ({}) and state = {states})",
                ids(steps)
            ));
        }
    }
    let mut body = Block::default();
    body.open("begin").open("if to_regclass('coexist.changes') is not null then");
    body.open(format!("if {} then", had_effect.join("\n  or ")));
    body.line(format!(
        "raise exception using message = {},",
        quote_literal(&format!("the change {} is past the point of no return", plan.change))
    ));
    body.line(format!(
        "  hint = {};",
        quote_literal("The contract removed the before shape: declare the way back as a change of its own.")
    ));
    body.close("end if;").close("end if;").close("end");
    body
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
            text.line("set lock_timeout = '500ms';");
        }
    }
}

fn rollback_file(plan: &Plan) -> String {
    let undo: Vec<&Action> = plan.steps.iter().rev().flat_map(|step| &step.undo).collect();
    let mut about =
        "Takes the change back from any phase before the contract. What new code wrote stays, in the before shape."
            .to_owned();
    if let Some(reason) = &plan.irreversible {
        let _ = write!(about, "\nIRREVERSIBLE: {reason}.");
    }
    let mut text = header(plan, &about, &undo);
    text.block("not after the contract, as far as the ledger knows", &only_before_the_contract(plan));
    for step in plan.steps.iter().rev().filter(|step| !step.undo.is_empty()) {
        text.line("");
        text.comment(&format!("undo {}", step.id));
        for undo in &step.undo {
            action(&mut text, undo);
        }
    }
    text.block("tell the ledger, where there is one", &record_rollback(plan));
    text.0
}

fn backfill_file(plan: &Plan, fingerprint: &str) -> String {
    let mut text = header(
        plan,
        "Every row that is not yet in the after shape, in batches that commit as they go; run again, it goes on with what is left.\nRows that new code wrote are never touched. Locks rows, a batch at a time.",
        &[],
    );
    text.block("in order, as far as the ledger knows", &guard(plan, Phase::Backfilled));
    for backfill in &plan.backfill {
        match backfill {
            Backfill::Update { table, .. } | Backfill::Refer { table, .. } => {
                text.block(&format!("fill {table}"), &position_loop(plan, backfill, table));
            }
            Backfill::Insert { source, target, .. } | Backfill::UpdateFrom { source, table: target, .. } => {
                text.block(&format!("fill {target} from {source}"), &key_loop(plan, backfill));
            }
        }
    }
    text.block("tell the ledger, where there is one", &record(plan, fingerprint, Phase::Backfilled));
    text.0
}

/// Tells the sync triggers, for this transaction, that the backfill of this operation is writing; and the server to read by key or position,
/// however it estimates the tables.
fn announce(backfill: &Backfill) -> String {
    format!(
        "perform pg_catalog.set_config({}, {}, true), pg_catalog.set_config('enable_seqscan', 'off', true);",
        quote_literal(BACKFILL_SETTING),
        quote_literal(backfill.operation())
    )
}

/// A loop over the pages that the table has at its start; rows that move meanwhile are synced by the triggers on their way.
fn position_loop(plan: &Plan, backfill: &Backfill, table: &QualifiedName) -> Block {
    let (from, to, lines) = ("page".to_owned(), "page + step".to_owned(), "lines".to_owned());
    let piece = Piece::Blocks { from, to, lines, slice: None };
    let fill = |body: &mut Block, server| {
        for statement in batch_by_position(backfill, table, &piece, server).unwrap_or_default() {
            body.line(format!("{statement};"));
        }
    };
    let by_line = plan.server < TID_RANGE_SCAN;
    let mut body = Block::default();
    body.open("declare").line("page bigint := 0;").line("step constant bigint := 100;");
    body.line("pages constant bigint :=").line(format!(
        "  pg_catalog.pg_relation_size({}::regclass) / pg_catalog.current_setting('block_size')::bigint;",
        quote_literal(&table.quoted())
    ));
    if by_line {
        body.line(format!(
            "by_position constant boolean := pg_catalog.current_setting('server_version_num')::integer >= {TID_RANGE_SCAN}0000;"
        ));
        body.line("lines integer;");
    }
    body.branch("begin");
    if by_line {
        body.open("if not by_position then");
        body.line(format!(
            "lines := (select max(line) from ({}) as stretches (stretch, line));",
            pending_lines(table, backfill.pending(), "pages + 1")
        ));
        body.close("end if;");
    }
    body.open("while page < pages loop").line(announce(backfill));
    if by_line {
        body.open("if by_position then");
        fill(&mut body, TID_RANGE_SCAN);
        body.branch("else");
        fill(&mut body, plan.server);
        body.close("end if;");
    } else {
        fill(&mut body, plan.server);
    }
    body.line("commit;").line("page := page + step;").close("end loop;").close("end");
    body
}

/// A loop over pieces of the key, each found by reading the key's index from where the last one ended.
fn key_loop(plan: &Plan, backfill: &Backfill) -> Block {
    let (table, key) = backfill.pieces();
    let bound = |variable: &str| -> Vec<String> {
        key.iter().enumerate().map(|(n, column)| format!("{variable}[{}]::{}", n + 1, column.ty)).collect()
    };
    let batch = plan.batch.unwrap_or(BATCH).to_string();
    let end = |after| {
        let rest = Piece::Keys { after, upto: None };
        format!("upto := ({});", end_of_piece(table, key, &rest, &batch))
    };
    let copy = |body: &mut Block, after| {
        let piece = Piece::Keys { after, upto: Some(bound("upto")) };
        let Some(Copy { lock, write }) = copy_batch(backfill, &piece, plan.server) else { return };
        if let Some(lock) = lock {
            body.line(format!("locked := ({lock});"));
        }
        body.line(write + ";");
    };
    let mut body = Block::default();
    body.open("declare")
        .line(format!("last constant text[] := ({});", last_key(table, key)))
        .line("reached text[];")
        .line("upto text[];");
    if matches!(backfill, Backfill::Insert { .. }) {
        body.line("locked bigint;");
    }
    body.branch("begin")
        .open("while reached is distinct from last loop")
        .open("if reached is null then")
        .line(end(None))
        .branch("else")
        .line(end(Some(bound("reached"))))
        .close("end if;")
        .line("upto := coalesce(upto, last);")
        .line(announce(backfill))
        .open("if reached is null then");
    copy(&mut body, None);
    body.branch("else");
    copy(&mut body, Some(bound("reached")));
    body.close("end if;").line("commit;").line("reached := upto;").close("end loop;").close("end");
    body
}

fn verify_file(plan: &Plan) -> String {
    let mut text = header(
        plan,
        "Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.",
        &[],
    );
    for reconcile in &plan.reconcile {
        text.block(&reconcile.title, &verify_body(reconcile));
    }
    text.0
}

fn verify_body(reconcile: &Reconcile) -> Block {
    let join = reconcile
        .join
        .as_ref()
        .map(|(table, condition)| format!("left join {} as target on {condition}", table.quoted()))
        .unwrap_or_default();
    let key = if reconcile.key.is_empty() {
        "source.ctid::text".to_owned()
    } else {
        let key: Vec<String> =
            reconcile.key.iter().map(|column| format!("source.{}", quote_ident(&column.name))).collect();
        format!("row({})::text", key.join(", "))
    };
    let mut body = Block::default();
    body.open("declare")
        .line("differing bigint;")
        .line("sample text;")
        .branch("begin")
        .line("select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (")
        .line(format!("  select {key} as key, row_number() over () as n"))
        .line(format!("  from {} as source {join}", reconcile.table.quoted()).trim_end())
        .line(format!("  where {}", reconcile.mismatch))
        .line(") as mismatches;")
        .open("if differing > 0 then")
        .line(format!(
            "raise exception using message = {} || differing || ' rows differ: ' || sample;",
            quote_literal(&format!("{}: ", reconcile.title))
        ))
        .close("end if;")
        .close("end");
    body
}
