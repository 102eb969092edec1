use super::Case;
use crate::testing::snapshot;

#[test]
fn what_a_view_cannot_show() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename users.name to full_name in place; stage expand; }",
        "change x { rename users.name to nick through view; stage expand; }",
        "change x { rename users.name to name through view; stage expand; }",
        "change x { rename users.level to grade through view { insert nulls take before } stage expand; }",
        "change app { rename users.name to full_name through view; stage expand; }",
        "change coexist { rename users.name to full_name through view; stage expand; }",
        "change pg_names { rename users.name to full_name through view; stage expand; }",
    ]));
    let schema = "CREATE TABLE guarded (id int PRIMARY KEY, name text); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (more text) INHERITS (parent);
CREATE FOREIGN TABLE far (id int, name text) SERVER s;";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { rename guarded.name to title through view; stage expand; }",
        "change x { rename child.name to title through view; stage expand; }",
        "change x { rename far.name to title through view; stage expand; }",
    ]));
    Case::with(schema).model("server 15; change x { rename guarded.name to title through view; stage expand; }");
    Case::with(schema).model("change x { rename parent.name to title through view; stage expand; }");
}

#[test]
fn a_view_and_other_changes_of_its_table() {
    snapshot!(Case::shop().mistakes(&[
        "change a { rename users.name to full_name through view; stage expand; }
         change b { rename users.nick to nickname; stage expand; }",
        "change a { rename users.nick to nickname; stage expand; }
         change b { rename users.name to full_name through view; stage expand; }",
        "change a { rename users.name to full_name through view; stage contract; }
         change b { rename users.full_name to legal_name; after a; stage expand; }",
        "change a { rename users.name to full_name through view; rename users.nick to nickname; stage expand; }",
        "change a { split users into profiles { key user_id, move bio } rename users.name to full_name through view; stage expand; }",
    ]));
    Case::shop().model(
        "change a { rename users.name to full_name through view; rename users.nick to nickname through view;
             rename orders.code to voucher through view; stage expand; }
         change b { rename app.events.kind to sort; stage expand; }",
    );
}

#[test]
fn a_retype_that_keeps_the_name() {
    snapshot!(Case::shop().mistakes(&[
        "change x { retype orders.total to bigint in place; stage expand; }",
        r#"change x { retype orders.total to bigint by copy { forward "total::bigint", backward "total::int" or reject } stage expand; }"#,
        "change x { retype orders.total to bigint; stage expand; }",
        "change x { retype orders.code to label: varchar in place; stage expand; }",
        "change x { retype orders.code to label: varchar through view; stage expand; }",
        "change x { retype orders.code to code: varchar; stage expand; }",
        "change x { retype orders.code to text; stage expand; }",
        "change x { retype orders.code to text; stage contract; }",
        "change x { retype orders.code to lable; stage expand; }",
        r#"change x { retype orders.code to varchar in place { forward "upper(code)" or reject, backward "code" } stage expand; }"#,
        "change x { retype orders.code to varchar in place { irreversible } stage expand; }",
        "change x { retype orders.code to varchar { insert nulls take before } stage expand; }",
    ]));
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a varchar(9), b varchar(9), c varchar(9));
CREATE INDEX lowered ON t (lower(a));
CREATE VIEW v AS SELECT b FROM t;
CREATE TABLE rows_of (r public.t);";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { retype t.a to text in place; stage expand; }",
        "change x { retype t.b to text; stage expand; }",
        "change x { retype t.c to text; stage expand; }",
    ]));
}

#[test]
fn the_cheapest_safe_way() {
    use crate::model::{OperationKind, Way};
    let way = |change: &str| {
        let model = Case::shop().model(&format!("change x {{ {change} stage expand; }}"));
        match &model.changes[0].operations[0].kind {
            OperationKind::Columns(columns) => columns.way,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(way("rename users.name to full_name;"), Way::Copy);
    assert_eq!(way("rename users.name to full_name by copy;"), Way::Copy);
    assert_eq!(way("rename users.name to full_name through view;"), Way::View);
    assert_eq!(way("retype orders.code to varchar;"), Way::InPlace);
    assert_eq!(way(r#"retype orders.code to varchar { forward "code", backward "code::text" }"#), Way::InPlace);
    assert_eq!(
        way(r#"retype orders.code to varchar through view { forward "code", backward "code" }"#),
        Way::ViewOfCopy
    );
    assert_eq!(way(r#"retype orders.code to label: varchar by copy { forward "code", backward "label" }"#), Way::Copy);
    assert_eq!(way(r#"retype users.name to varchar { forward "name", backward "name" }"#), Way::ViewOfCopy);
}
