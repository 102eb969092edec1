use proptest::prelude::*;

use super::*;
use crate::ident::QualifiedName;
use crate::plan::{
    Action, Backfill, Combined, Expected, ExpectedColumn, ExpectedObject, KeyColumn, Leftover, Lock, LockLevel, Mode,
    ObjectKind, Phase, Probe, Reconcile, Search, Step, Values,
};

/// Text that hurts: quotes of all kinds in runs, backslashes, controls, line ends, ends of blocks.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,12}",
        r#"['"\\\n\r\t a$]{0,12}"#,
        any::<String>(),
        Just("select 'a'\nfrom \"t\"".to_string()),
        Just("\n'''\n".to_string()),
        Just("\"\"\"\\\n  x\u{0}\u{7f}\u{85}".to_string()),
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..3)
}

fn name() -> impl Strategy<Value = QualifiedName> {
    (text(), text()).prop_map(|(schema, name)| QualifiedName { schema, name })
}

fn action() -> impl Strategy<Value = Action> {
    let lock = (name(), prop::sample::select(&LockLevel::ALL[..]), any::<bool>());
    let locks = prop::collection::vec(lock.prop_map(|(table, level, scans)| Lock { table, level, scans }), 0..3);
    let mode = prop::sample::select(vec![Mode::Transaction, Mode::LongTransaction, Mode::Outside]);
    (texts(), mode, locks).prop_map(|(statements, mode, locks)| Action { statements, mode, locks })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let phase = prop::sample::select(&Phase::ALL[..]);
    let undo = prop::collection::vec(action(), 0..3);
    let leftover = prop::option::of(name().prop_map(Leftover::Index));
    let step = (text(), text(), phase, action(), undo, leftover)
        .prop_map(|(id, title, phase, action, undo, leftover)| Step { id, title, phase, action, undo, leftover });
    prop::collection::vec(step, 0..4).prop_map(|mut steps| {
        steps.iter_mut().enumerate().for_each(|(n, step)| step.id = format!("{}{n}", step.id));
        steps
    })
}

fn key() -> impl Strategy<Value = Vec<KeyColumn>> {
    prop::collection::vec((text(), text()).prop_map(|(name, ty)| KeyColumn { name, ty }), 0..3)
}

fn combined() -> impl Strategy<Value = Combined> {
    (texts(), prop::collection::vec((text(), text()), 0..3)).prop_map(|(by, columns)| Combined { by, columns })
}

fn backfill() -> impl Strategy<Value = Backfill> {
    let columns = || prop::collection::vec((text(), text()), 0..3);
    prop_oneof![
        (text(), name(), columns(), columns(), text(), key()).prop_map(
            |(operation, table, set, conversions, pending, key)| Backfill::Update {
                operation,
                table,
                set,
                conversions,
                pending,
                key
            }
        ),
        (text(), name(), name(), key(), columns(), text(), texts()).prop_map(
            |(operation, source, target, key, columns, pending, target_key)| Backfill::Insert {
                operation,
                source,
                target,
                key,
                columns,
                pending,
                target_key
            }
        ),
        (text(), name(), key(), (name(), texts(), text()), prop::option::of(combined()), columns(), text()).prop_map(
            |(operation, table, key, (source, source_key, on), combined, set, pending)| Backfill::UpdateFrom {
                operation,
                table,
                key,
                source,
                source_key,
                on,
                combined,
                set,
                pending
            }
        ),
        (text(), name(), text(), values(), text(), key()).prop_map(
            |(operation, table, reference, values, pending, key)| {
                Backfill::Refer { operation, table, reference, values, pending, key }
            }
        ),
    ]
}

fn values() -> impl Strategy<Value = Values> {
    (name(), text(), prop::collection::vec((text(), text()), 0..3), any::<bool>())
        .prop_map(|(table, key, columns, nulls)| Values { table, key, columns, nulls })
}

fn reconcile() -> impl Strategy<Value = Reconcile> {
    (name(), key(), prop::option::of((name(), text())), text(), text())
        .prop_map(|(table, key, join, mismatch, title)| Reconcile { table, key, join, mismatch, title })
}

fn probe() -> impl Strategy<Value = Probe> {
    let rows = (name(), key(), prop::option::of((name(), text())), text())
        .prop_map(|(table, key, join, condition)| Search::Rows { table, key, join, condition });
    let groups = (name(), text()).prop_map(|(table, query)| Search::Groups { table, query });
    let phase = prop::sample::select(&Phase::ALL[..]);
    (text(), text(), text(), phase, prop_oneof![rows, groups]).prop_map(|(id, title, remedy, blocks, search)| Probe {
        id,
        title,
        remedy,
        blocks,
        search,
    })
}

fn expected() -> impl Strategy<Value = Expected> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let goes = prop::option::of(prop::sample::select(&Phase::ALL[..]));
    let column = (text(), text(), flags, prop::option::of(text()), goes).prop_map(
        |(name, ty, (not_null, identity, generated, unsettled), expression, goes)| ExpectedColumn {
            name,
            ty,
            not_null,
            expression,
            identity,
            generated,
            goes,
            unsettled,
        },
    );
    let kind = prop::sample::select(vec![ObjectKind::Constraint, ObjectKind::Index, ObjectKind::Statistics]);
    let object =
        (kind, text(), text(), texts(), any::<bool>()).prop_map(|(kind, name, definition, expressions, unsettled)| {
            ExpectedObject { kind, name, definition, expressions, unsettled }
        });
    (name(), any::<u32>(), prop::collection::vec(column, 0..3), prop::collection::vec(object, 0..3))
        .prop_map(|(table, adds, columns, objects)| Expected { table, adds, columns, objects })
}

prop_compose! {
    fn plan()(
        (change, summary, way) in (text(), text(), text()),
        stage in prop::sample::select(&Stage::ALL[..]),
        (after, notes) in (texts(), texts()),
        server in 13u32..30,
        tables in prop::collection::vec(name(), 0..3),
        (expected, steps, retire) in (prop::collection::vec(expected(), 0..2), steps(), steps()),
        probes in prop::collection::vec(probe(), 0..2),
        backfill in prop::collection::vec(backfill(), 0..2),
        reconcile in prop::collection::vec(reconcile(), 0..2),
        irreversible in prop::option::of(text()),
        search_path in texts(),
        batch in prop::option::of(any::<u32>()),
        contract_by in prop::option::of(text()),
    ) -> Plan {
        Plan {
            change,
            summary,
            stage,
            way,
            after,
            server,
            search_path,
            tables,
            expected,
            steps,
            retire: retire.into_iter().map(|step| Step { id: format!("{} retire", step.id), ..step }).collect(),
            probes,
            backfill,
            reconcile,
            notes,
            irreversible,
            batch,
            contract_by,
        }
    }
}

proptest! {
    #[test]
    fn every_plan_comes_back(plan in plan()) {
        let text = to_toml(&plan);
        let back = from_toml(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&back, &plan);
        prop_assert_eq!(to_toml(&back), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*", cut in 0usize..2000) {
        let _ = from_toml(&text);
        let whole = to_toml(&small());
        let _ = from_toml(whole.chars().take(cut).collect::<String>().as_str());
    }
}

fn small() -> Plan {
    let users = QualifiedName::new("public", "users");
    Plan {
        change: "rename_user_name".into(),
        summary: "Invoices address people by their full name.".into(),
        stage: Stage::Expand,
        way: "copies: the name changes for every reader".into(),
        after: vec![],
        server: 13,
        search_path: vec!["pg_catalog".into(), "public".into(), "pg_temp".into()],
        tables: vec![users.clone()],
        expected: vec![Expected {
            table: users.clone(),
            adds: 1,
            columns: vec![ExpectedColumn {
                name: "name".into(),
                ty: "text".into(),
                not_null: true,
                expression: Some("''::text".into()),
                identity: false,
                generated: false,
                goes: Some(Phase::Contracted),
                unsettled: false,
            }],
            objects: vec![ExpectedObject {
                kind: ObjectKind::Constraint,
                name: "users_name_check".into(),
                definition: "check".into(),
                expressions: vec!["name <> ''::text".into()],
                unsettled: false,
            }],
        }],
        steps: vec![Step {
            id: "add_columns".into(),
            title: "Add users.full_name".into(),
            phase: Phase::Expanded,
            action: Action {
                statements: vec![
                    "alter table \"public\".\"users\"\n    add column \"full_name\" text".into(),
                    "comment on column \"public\".\"users\".\"full_name\" is 'coexist: rename_user_name'".into(),
                ],
                mode: Mode::Transaction,
                locks: vec![Lock { table: users.clone(), level: LockLevel::AccessExclusive, scans: false }],
            },
            undo: vec![Action {
                statements: vec!["alter table \"public\".\"users\" drop column if exists \"full_name\"".into()],
                mode: Mode::Transaction,
                locks: vec![Lock { table: users.clone(), level: LockLevel::AccessExclusive, scans: false }],
            }],
            leftover: None,
        }],
        retire: Vec::new(),
        probes: vec![Probe {
            id: "nulls".into(),
            title: "users without a name".into(),
            remedy: "give them one".into(),
            blocks: Phase::Expanded,
            search: Search::Rows {
                table: users.clone(),
                key: vec![KeyColumn { name: "id".into(), ty: "bigint".into() }],
                join: None,
                condition: "source.\"name\" is null".into(),
            },
        }],
        backfill: vec![Backfill::Update {
            conversions: Vec::new(),
            operation: "rename_user_name".into(),
            table: users.clone(),
            set: vec![("full_name".into(), "\"name\"".into())],
            pending: "\"full_name\" is null and \"name\" is not null".into(),
            key: vec![KeyColumn { name: "id".into(), ty: "bigint".into() }],
        }],
        reconcile: vec![Reconcile {
            table: users,
            key: vec![KeyColumn { name: "id".into(), ty: "bigint".into() }],
            join: None,
            mismatch: "source.\"full_name\" is distinct from source.\"name\"".into(),
            title: "users.full_name is users.name".into(),
        }],
        notes: vec![],
        irreversible: None,
        batch: Some(5000),
        contract_by: None,
    }
}

#[test]
fn the_file_reads_well() {
    insta::assert_snapshot!(to_toml(&small()));
}

#[test]
fn words_and_stage_are_not_part_of_the_fingerprint() {
    let mut reworded = small();
    reworded.stage = Stage::Contract;
    reworded.summary.clear();
    reworded.way = "another word".into();
    reworded.notes.push("a note".into());
    reworded.steps[0].title.clear();
    reworded.reconcile[0].title.clear();
    assert_eq!(reworded.fingerprint(), small().fingerprint());
}

#[test]
fn what_is_done_is_part_of_the_fingerprint() {
    // The value itself is pinned: changes in flight would be refused if it moved.
    assert_eq!(small().fingerprint(), "043cd2ddc459686e");
    let mut other = small();
    other.steps[0].undo.clear();
    assert_ne!(other.fingerprint(), small().fingerprint());
}

fn refusal(edit: impl Fn(String) -> String) -> String {
    from_toml(&edit(to_toml(&small()))).unwrap_err().to_string()
}

#[test]
fn an_edited_file_is_refused() {
    let message =
        refusal(|text| text.replace("full_name is null", "full_name = ''").replace("add column", "drop column"));
    assert!(message.contains("edited by hand"), "{message}");
}

#[test]
fn mistakes_are_found_on_their_line() {
    let cases: [(&str, &str, &str); 7] = [
        ("stage = \"expand\"", "stage = \"expandd\"", "line 5: `expandd` is not a stage"),
        ("server = 13", "server = \"13\"", "line 8: `server` must be a whole number, not a value of the type string"),
        ("server = 13", "server = 13\nservers = 1", "line 9: the key `servers` is not known here"),
        ("id = \"add_columns\"\n", "", "line 18: the key `id` is missing"),
        ("scans = false", "scans = 0", "line 23: `scans` must be true or false, not a value of the type integer"),
        (
            "format = 1",
            "format = 2",
            "line 1: format 2 is not known, only 1: build the change and run it with the same version of coexist",
        ),
        ("[[step]]", "[[step]", "line 18: not TOML: unclosed array table, expected `]`"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(refusal(|text| text.replacen(from, to, 1)), expected);
    }
}
