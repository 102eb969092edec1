//! Proofs are made by asking the ledger, and say what to do where there is none.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic that it fails")]

use coexist::change::Declared;
use coexist::proof::{Backfilled, DualWriting, ProofError};
use coexist::sandbox::Sandbox;
use coexist::{Change, Phase, Stage};
use postgres::Client;

#[derive(Debug)]
enum RenameUserName {}

static CHANGE: Change = Change::new("rename_user_name", Stage::Expand, "");

impl Declared for RenameUserName {
    const CHANGE: &'static Change = &CHANGE;
}

fn install_ledger(db: &mut Client) {
    let mut transaction = db.transaction().unwrap();
    transaction.batch_execute(coexist::ledger::DDL).unwrap();
    transaction.commit().unwrap();
}

fn enter(db: &mut Client, phase: &str) {
    let enter = "insert into coexist.changes (name, fingerprint, phase, stage, plan) values ('rename_user_name', '', $1, 'expand', '')";
    db.execute(enter, &[&phase]).unwrap();
}

#[test]
fn a_proof_needs_the_phase_that_the_ledger_has() {
    let database = Sandbox::shared().unwrap().database("proofs").unwrap();
    let mut db = database.connect().unwrap();

    let without_ledger = DualWriting::<RenameUserName>::prove(&mut db).unwrap_err();
    assert_eq!(
        without_ledger.to_string(),
        "change `rename_user_name` is in phase `declared` in this database, and this code needs phase `dual-writing`\n\
         help: `coexist up` takes it on; `coexist status` shows how far it is"
    );

    install_ledger(&mut db);
    let without_record = Backfilled::<RenameUserName>::prove(&mut db).unwrap_err();
    assert!(matches!(without_record, ProofError::NotYet { found: Phase::Declared, needed: Phase::Backfilled, .. }));

    enter(&mut db, "declared");
    for phase in Phase::ALL {
        db.execute("update coexist.changes set phase = $1", &[&phase.name()]).unwrap();
        assert_eq!(DualWriting::<RenameUserName>::prove(&mut db).is_ok(), phase >= Phase::DualWriting, "{phase:?}");
        assert_eq!(Backfilled::<RenameUserName>::prove(&mut db).is_ok(), phase >= Phase::Backfilled, "{phase:?}");
    }

    db.batch_execute("update coexist.changes set direction = 'rolling back'").unwrap();
    let rolling_back = Backfilled::<RenameUserName>::prove(&mut db).unwrap_err();
    assert!(matches!(rolling_back, ProofError::RollingBack { needed: Phase::Backfilled, .. }), "{rolling_back}");

    // As a later release might.
    db.batch_execute(
        "alter table coexist.changes drop constraint changes_phase_check;
         update coexist.changes set phase = 'sideways', direction = 'forward'",
    )
    .unwrap();
    let unknown = Backfilled::<RenameUserName>::prove(&mut db).unwrap_err();
    assert!(matches!(unknown, ProofError::UnknownPhase { phase, .. } if phase == "sideways"));
}

#[test]
fn asking_without_a_ledger_leaves_a_transaction_usable() {
    let database = Sandbox::shared().unwrap().database("proofs").unwrap();
    let mut db = database.connect().unwrap();
    let mut transaction = db.transaction().unwrap();
    assert!(Backfilled::<RenameUserName>::prove(&mut transaction).is_err());
    assert!(transaction.query("select 1", &[]).is_ok());
}

#[test]
fn a_role_without_the_right_to_read_the_ledger_is_told_so() {
    let database = Sandbox::shared().unwrap().database("proofs").unwrap();
    let mut db = database.connect().unwrap();
    install_ledger(&mut db);
    db.batch_execute("create role blind; revoke select on coexist.changes from public; set role blind").unwrap();
    let error = Backfilled::<RenameUserName>::prove(&mut db).unwrap_err();
    assert!(matches!(error, ProofError::Ledger { .. }), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("db error"), "{source}");
}

#[test]
fn a_proof_of_the_backfill_is_one_of_dual_writing_and_takes_no_space() {
    let database = Sandbox::shared().unwrap().database("proofs").unwrap();
    let mut db = database.connect().unwrap();
    install_ledger(&mut db);
    enter(&mut db, "validated");
    let backfilled = Backfilled::<RenameUserName>::prove(&mut db).unwrap();
    let _: DualWriting<RenameUserName> = backfilled.into();
    let _copied = backfilled;
    assert_eq!(size_of_val(&backfilled), 0);
}
