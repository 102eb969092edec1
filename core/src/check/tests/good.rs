use super::Case;
use crate::model::{Mapping, Model, OnFailure, OperationKind, Side};
use crate::plan::Stage;

fn columns(model: &Model, change: &str) -> Mapping {
    match &model.change(change).unwrap().operations[0].kind {
        OperationKind::Columns(columns) => columns.mappings[0].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rename() {
    let model = Case::shop().model(
        "/// Invoices address people by their full name.
         change rename_user_name { rename users.name to full_name; stage expand; backfill { batch 100 } contract { by \"2027-02-01\" } }",
    );
    let change = model.change("rename_user_name").unwrap();
    assert_eq!(
        (change.stage, change.batch, change.contract_by.as_deref()),
        (Stage::Expand, Some(100), Some("2027-02-01"))
    );
    assert_eq!(change.docs, ["Invoices address people by their full name."]);
    let columns = columns(&model, "rename_user_name");
    assert!(columns.rename && columns.insert_nulls.is_none());
    assert_eq!(columns.before, ["name"]);
    let [after] = columns.after.as_slice() else { panic!() };
    assert_eq!((after.name.as_str(), after.ty.to_string().as_str(), after.not_null), ("full_name", "text", true));
    assert_eq!(after.forward.expression.text(), "\"name\"");
    assert_eq!(columns.backward[0].expression.text(), "\"full_name\"");
    let users = &change.before_tables[0];
    assert!(change.before.table(users).unwrap().column("full_name").is_none());
    assert!(change.after_shape.table(users).unwrap().column("name").is_none());
    assert!(change.after_shape.table(users).unwrap().column("full_name").is_some());
    assert_eq!(model.server, 13);
}

#[test]
fn the_meaning_of_an_insert() {
    let model = Case::shop().model(
        "change a { rename users.greeting to salutation { insert nulls take after } stage expand; }
         change b { rename users.nick to nickname; stage expand; }",
    );
    assert_eq!(columns(&model, "a").insert_nulls, Some(Side::After));
    assert_eq!(columns(&model, "b").insert_nulls, None);
}

#[test]
fn a_retype() {
    let model = Case::shop().model(
        r#"server 15;
           change widen { retype orders.total to total_cents: bigint {
               forward "total::bigint", backward "total_cents::integer" or reject
           } stage expand; }
           change plain { retype orders.discount to rebate: bigint {
               forward "discount", backward "rebate::int" or quarantine,
           } stage migrate; }
           change text { retype orders.code to number: numeric(12,2) {
               forward "orders.code::numeric / 100" or "0", irreversible, insert nulls take before
           } stage expand; }"#,
    );
    let widen = columns(&model, "widen");
    assert_eq!(widen.after[0].forward.expression.text(), "total::bigint");
    assert!(matches!(widen.after[0].forward.on_failure, OnFailure::Never));
    assert!(matches!(widen.backward[0].on_failure, OnFailure::Reject));
    // Written out, so that what is compared is what was stored.
    assert_eq!(columns(&model, "plain").after[0].forward.expression.text(), "(discount)::bigint");
    let text = columns(&model, "text");
    assert_eq!(text.after[0].forward.expression.text(), "(orders.code::numeric / 100)::numeric(12,2)");
    assert!(
        matches!(&text.after[0].forward.on_failure, OnFailure::Expression(sql) if sql.text() == "(0)::numeric(12,2)")
    );
    assert!(text.backward.is_empty());
    assert_eq!(model.server, 15);
}

#[test]
fn a_retype_may_keep_the_type_and_change_the_values() {
    let model = Case::shop().model(
        r#"change phone { retype orders.code to voucher: text {
               forward lossy "upper(code)" or reject, irreversible, insert nulls take before
           } stage expand; }"#,
    );
    assert!(!columns(&model, "phone").rename);
}

#[test]
fn a_split() {
    let model = Case::shop().model(
        "change split_user_profile { split users into app.profiles { key user_id, move bio, avatar_url, always } stage expand; }",
    );
    let change = model.change("split_user_profile").unwrap();
    let OperationKind::Split(split) = &change.operations[0].kind else { panic!() };
    assert_eq!(split.key, [("id".to_owned(), "user_id".to_owned())]);
    assert_eq!(split.moved, ["bio", "avatar_url"]);
    assert!(split.always);
    let target = change.after_shape.table(&split.target).unwrap();
    assert_eq!(target.primary_key(), ["user_id"]);
    assert_eq!(change.after_tables.len(), 2);
}

#[test]
fn contracted_changes_are_part_of_the_shape_that_others_begin_with() {
    let model = Case::shop().model(
        r#"change second { rename users.full_name to legal_name; after first; stage expand; }
           change first { rename users.name to full_name; stage contract; }
           change other { rename users.nick to nickname; stage expand; }"#,
    );
    let names: Vec<&str> = model.changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["second", "first", "other"]);
    let has = |change: &str, column: &str| {
        let change = model.change(change).unwrap();
        change.before.table(&change.before_tables[0]).unwrap().column(column).is_some()
    };
    assert!(has("first", "name") && !has("first", "full_name"));
    assert!(has("second", "full_name") && !has("second", "name") && !has("second", "legal_name"));
    assert!(has("other", "full_name") && !has("other", "name"));
}

#[test]
fn overrides_name_columns_of_either_shape() {
    let model = Case::shop().model(
        "type users.bio = crate::Markdown;
         type users.full_name = String;
         change a { rename users.name to full_name; stage expand; }",
    );
    assert_eq!(model.types.len(), 2);
    assert_eq!(model.types[0].rust.to_string(), "crate :: Markdown");
}

#[test]
fn a_change_with_a_mistake_does_not_hide_the_others() {
    let (model, errors) = Case::shop().resolve(
        "change a { rename users.nmae to full_name; stage expand; }
         change b { rename users.nick to nickname; stage expand; }
         change c { rename users. to x; stage expand; }",
    );
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(model.changes.len(), 1);
    assert_eq!(model.changes[0].name, "b");
}

/// A declaration that someone is still typing, and one with any token missing, is checked without a panic.
#[test]
fn any_prefix_is_checked_without_a_panic() {
    const WHOLE: &str = r#"server 15; type users.bio = crate::Markdown;
        change a { rename users.name to full_name; stage contract; backfill { batch 5 } }
        change b { rename users.full_name to legal_name; after a; stage expand; }
        change c { retype orders.total to total_cents: bigint { forward "total::bigint", backward "total_cents::int" or "0" } stage migrate; }
        change d { split users into app.profiles { key user_id, move bio, avatar_url, always } stage expand; }
        change e { require users.nick { fill "name" or reject, old writes reject } relax users.name { nulls from dual_write, backward "''" } stage expand; }
        change f { constrain orders: check c "total > 0" { fix total "1" } constrain orders: unique k (code) include (note) deferrable initially deferred or reject; stage expand; }
        change g { constrain orders: (user_id) references users (id) on delete cascade match full or reject; unconstrain orders: orders_pkey; stage expand; }
        change h { default users.level: "2"; comment users: "x"; default users.age: none; stage expand; }"#;
    for (end, _) in WHOLE.char_indices() {
        if WHOLE[..end].parse::<proc_macro2::TokenStream>().is_ok() {
            Case::shop().resolve(&WHOLE[..end]);
        }
    }
    let words: Vec<&str> = WHOLE.split_inclusive(' ').collect();
    for i in 0..words.len() {
        let without = [&words[..i], &words[i + 1..]].concat().concat();
        if without.parse::<proc_macro2::TokenStream>().is_ok() {
            Case::shop().resolve(&without);
        }
    }
}
