use super::Case;
use crate::plan::Stage;
use crate::testing::snapshot;

#[test]
fn what_builds_on_what() {
    snapshot!(Case::shop().mistakes(&[
        "change rename_user_name { rename users.name to full_name; stage contract; }
         change b { rename users.full_name to legal_name; after rename_usr_name; stage expand; }",
        "change b { rename users.name to full_name; after dropped_long_ago; stage expand; }",
        "change b { rename users.name to full_name; after b; stage expand; }",
        "change a { rename users.name to full_name; stage contract; }
         change b { rename users.full_name to legal_name; after a; after a; stage expand; }",
        "change a { rename users.name to full_name; after c; stage contract; }
         change b { rename users.nick to nickname; after a; stage contract; }
         change c { rename users.bio to biography; after b; stage contract; }
         change d { rename orders.code to voucher; after b; stage expand; }
         change e { rename orders.nte to remark; stage expand; }",
        "change a { rename users.name to full_name; stage migrate; }
         change b { rename users.full_name to legal_name; after a; stage expand; }",
        "change a { rename users.name to full_name; stage migrate; }
         change b { rename users.full_name to legal_name; after a; stage contract; }",
    ]));
}

#[test]
fn the_sequence_of_stages() {
    let at = |stage| Case::shop().committed(&[("x", stage)]);
    let declared = |stage: &str| format!("change x {{ rename users.name to full_name; stage {stage}; }}");
    let mut text = Case::shop().committed(&[]).mistakes(&[&declared("migrate"), &declared("contract")]);
    text += &at(Stage::Expand).mistakes(&[&declared("contract")]);
    text += &at(Stage::Contract).mistakes(&[&declared("expand"), &declared("migrate")]);
    snapshot!(text);
    for (committed, next) in [
        (Stage::Expand, ["expand", "migrate"]),
        (Stage::Migrate, ["migrate", "expand"]),
        (Stage::Migrate, ["contract", "contract"]),
        (Stage::Contract, ["contract", "contract"]),
    ] {
        for stage in next {
            at(committed).model(&declared(stage));
        }
    }
    Case::shop().committed(&[("other", Stage::Contract)]).model(&declared("expand"));
}

#[test]
fn a_change_that_the_schema_shows_as_contracted() {
    let after = "CREATE TABLE users (id int PRIMARY KEY, full_name text); CREATE TABLE profiles (user_id int PRIMARY KEY, bio text);
                 CREATE TABLE orders (id int PRIMARY KEY, total_cents bigint);";
    snapshot!(Case::with(after).mistakes(&[
        "change x { rename users.name to full_name; stage contract; }",
        r#"change x { retype orders.total to total_cents: bigint { forward "total::bigint", irreversible } stage contract; }"#,
        "change x { split users into profiles { key user_id, move bio } stage contract; }",
        "change x { rename users.name to full_name; stage migrate; }",
    ]));
}
