use super::Case;
use crate::testing::snapshot;

#[test]
fn tables_and_columns_that_do_not_exist() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename usres.name to full_name; stage expand; }",
        "change x { rename invoices.name to full_name; stage expand; }",
        "change x { rename events.kind to sort; stage expand; }",
        "change x { rename evnets.kind to sort; stage expand; }",
        "change x { rename app.users.name to full_name; stage expand; }",
        "change x { rename Users.name to full_name; stage expand; }",
        "change x { rename orders_id_seq.name to full_name; stage expand; }",
        "change x { rename users.nmae to full_name; stage expand; }",
        "change x { rename app.events.place to venue; stage expand; }",
        "change x { split users into profiles { key user_id, move boi, avatarurl } stage expand; }",
        "type users.boi = crate::Markdown; type user.bio = crate::Markdown; change x { rename users.name to full_name; stage expand; }",
    ]));
}

#[test]
fn what_other_changes_make_or_take() {
    snapshot!(Case::shop().mistakes(&[
        "change a { rename users.name to full_name; stage expand; }
         change b { rename users.full_name to legal_name; stage expand; }",
        "change a { rename users.name to full_name; stage contract; }
         change b { rename users.name to legal_name; stage expand; }",
        "change a { split users into profiles { key user_id, move bio } stage contract; }
         change b { rename users.bio to biography; stage expand; }",
        "change a { split users into profiles { key user_id, move bio } stage expand; }
         change b { rename profiles.bio to biography; stage expand; }",
    ]));
}

/// What a change with a mistake would make is not reported as missing a second time.
#[test]
fn one_mistake_is_one_message() {
    let (_, errors) = Case::shop().resolve(
        "type users.full_name = crate::Name;
         change a { rename users.nmae to full_name; stage contract; }
         change b { rename users.full_name to legal_name; after a; stage expand; }
         change c { rename users.full_name to short_name; stage expand; }",
    );
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[test]
fn names_that_are_taken_or_cannot_be() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename users.name to nick; stage expand; }",
        "change x { rename users.name to name; stage expand; }",
        "change x { rename users.name to xmin; stage expand; }",
        "change x { rename users.name to \"\"; stage expand; }",
        "change x { rename users.name to the_full_name_of_the_user_as_it_is_written_on_invoices_and_letters_to_them; stage expand; }",
        "change x { rename users.name to \"имя_пользователя_как_оно_пишется_в_счетах\"; stage expand; }",
        "change x { split users into orders { key user_id, move bio } stage expand; }",
        "change x { split users into users_name_idx { key user_id, move bio } stage expand; }",
        "change x { split users into users_pkey { key user_id, move bio } stage expand; }",
        "change x { split users into orders_id_seq { key user_id, move bio } stage expand; }",
        "change x { split users into app.status { key user_id, move bio } stage expand; }",
        "change x { split users into email { key user_id, move bio } stage expand; }",
        "change x { split users into ap.profiles { key user_id, move bio } stage expand; }",
        "change x { split users into coexist.profiles { key user_id, move bio } stage expand; }",
    ]));
    let taken = "CREATE TABLE users (id int PRIMARY KEY, bio text); CREATE INDEX bio_idx ON users (bio); CREATE INDEX profiles_pkey ON users (id);
                 CREATE SCHEMA app; CREATE TABLE app.bio_idx ();";
    snapshot!(Case::with(taken).mistakes(&[
        "change x { split users into profiles { key user_id, move bio } stage expand; }",
        "change x { split users into app.profiles { key user_id, move bio } stage expand; }",
    ]));
}

#[test]
fn features_and_overrides() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename tokens.value to secret; stage expand; }",
        "type users.bio = crate::Markdown; type users.bio = String; change x { rename users.name to full_name; stage expand; }",
    ]));
    Case::shop().model("type tokens.id = crate::TokenId; change x { rename tokens.value to secret; stage expand; }");
}
