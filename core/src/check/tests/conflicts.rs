use super::Case;
use crate::testing::snapshot;

#[test]
fn changes_that_get_in_each_others_way() {
    snapshot!(Case::shop().mistakes(&[
        "change a { rename users.name to full_name; stage expand; }
         change b { rename users.name to legal_name; stage expand; }",
        "change a { split users into profiles { key user_id, move bio } stage expand; }
         change b { rename users.bio to biography; stage expand; }",
        r#"change a { split users into profiles { key user_id, move bio } stage expand; }
           change b { retype users.id to key: numeric { forward "id::numeric", backward "key::bigint" or reject } stage expand; }"#,
        "change a { rename users.id to key; stage expand; }
         change b { split users into profiles { key user_id, move bio } stage expand; }",
        "change a { rename users.name to title; stage expand; }
         change b { rename users.nick to title; stage expand; }",
        "change a { split users into extras { key user_id, move bio } stage expand; }
         change b { split orders into extras { key order_id, move note } stage expand; }",
        "change a { rename users.age to years; stage expand; }
         change b { rename users.level to grade { insert nulls take before } stage expand; }",
        "change a { rename users.id to key; stage expand; }
         change b { rename orders.user_id to customer_id; stage expand; }",
        "change a { rename users.name to full_name; stage contract; }
         change b { rename users.full_name to legal_name; stage expand; }",
        "change a { rename users.name to full_name; stage contract; }
         change b { rename users.nick to name; stage expand; }",
        "change a { split users into profiles { key user_id, move bio } stage contract; }
         change b { rename profiles.bio to biography; stage expand; }",
        "change b { rename users.full_name to legal_name; stage expand; }
         change a { rename users.name to full_name; stage contract; }",
    ]));
}

#[test]
fn changes_that_do_not() {
    Case::shop().model(
        "change a { split users into profiles { key user_id, move bio } stage expand; }
         change b { split users into pictures { key user_id, move avatar_url } stage expand; }
         change c { rename users.name to full_name; stage migrate; }
         change d { rename orders.code to voucher; stage contract; }
         change e { rename orders.voucher to coupon; after d; stage expand; }",
    );
}
