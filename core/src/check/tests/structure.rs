use super::Case;
use crate::testing::snapshot;

#[test]
fn changes_that_say_too_little_or_too_much() {
    snapshot!(Case::shop().mistakes(&[
        "change x { stage expand; }",
        "change x { rename users.name to full_name; }",
        "change x { rename users.name to full_name; stage expand; stage migrate; }",
        "change x { rename users.name to full_name; stage expnad; }",
        "change x { rename users.name to full_name; stage done; }",
        "change x { rename users.name to full_name; stage expand; }
         change x { rename users.nick to nickname; stage expand; }",
        "change rename_it { rename users.name to full_name; stage expand; }
         change Rename_It { rename users.nick to nickname; stage expand; }",
        "server 12; change x { rename users.name to full_name; stage expand; }",
    ]));
}

#[test]
fn operations_of_one_change() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename users.name to full_name; rename users.name to nickname; stage expand; }",
        "change x { rename users.name to full_name; rename users.full_name to nickname; stage expand; }",
        "change x { split users into profiles { key user_id, move bio } rename users.bio to about; stage expand; }",
        "change x { split users into profiles { key user_id, move bio } rename profiles.bio to about; stage expand; }",
        "change x { rename users.id to user_id; split users into profiles { key user_id, move bio } stage expand; }",
    ]));
}

#[test]
fn phase_blocks() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename users.name to full_name; stage expand; contract { by \"2027-02-01\" } backfill { batch 5000 } }",
        "change x { rename users.name to full_name; stage expand; validate {} dual_write {} }",
        "change x { rename users.name to full_name; stage expand; backfill { batch 5000 } backfill { batch 1 } }",
        "change x { rename users.name to full_name; stage expand; bckfill { batch 5000 } }",
        "change x { rename users.name to full_name; stage expand; cleanup { batch 5000 } }",
        "change x { rename users.name to full_name; stage expand; backfill { bacth 5000 } }",
        "change x { rename users.name to full_name; stage expand; backfill { pace 5000 } }",
        "change x { rename users.name to full_name; stage expand; validate { batch 5000 } }",
        "change x { rename users.name to full_name; stage expand; backfill { batch 0 } contract { by \"2027-02-30\" } }",
        "change x { rename users.name to full_name; stage expand; backfill { batch -5, batch many } }",
    ]));
}
