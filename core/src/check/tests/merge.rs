use super::Case;
use crate::testing::snapshot;

const SCHEMA: &str = "CREATE TABLE users (id int PRIMARY KEY, name text, photo text, CONSTRAINT short CHECK (length(name) < 9));
CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, bio text, theme text NOT NULL DEFAULT 'dark', photo text, n serial,
    CONSTRAINT short CHECK (length(bio) < 9));
CREATE TABLE loose (user_id int PRIMARY KEY, note text);
CREATE TABLE notes (user_id int PRIMARY KEY REFERENCES users, note text);
CREATE TABLE many (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, note text);
CREATE TABLE unchecked (user_id int PRIMARY KEY, note text);
ALTER TABLE unchecked ADD CONSTRAINT unchecked_fkey FOREIGN KEY (user_id) REFERENCES users NOT VALID;
CREATE TABLE guarded (user_id int PRIMARY KEY REFERENCES users, note text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE ruled (user_id int PRIMARY KEY REFERENCES users CONSTRAINT small CHECK (user_id < 9), nick text UNIQUE, look text NOT NULL UNIQUE, id int NOT NULL DEFAULT 1);
CREATE TABLE owners (id int PRIMARY KEY, card int REFERENCES cards);
CREATE TABLE cards (owner_id int PRIMARY KEY REFERENCES owners, text text);
CREATE VIEW bios AS SELECT bio FROM profiles;";

fn mistakes(sources: &[&str]) -> String {
    Case::with(SCHEMA).mistakes(sources)
}

#[test]
fn keys_of_a_merge() {
    snapshot!(mistakes(&[
        "change x { merge users into users { key id, move name } stage expand; }",
        "change x { merge guests into users { key user_id, move bio } stage expand; }",
        "change x { merge loose into users { move note } stage expand; }",
        "change x { merge guarded into users { key id, move note } stage expand; }",
        "change x { merge loose into users { key user_id, move note } stage expand; }",
        "change x { merge many into users { key user_id, move note, drop id } stage expand; }",
        "change x { merge unchecked into users { key user_id, move note } stage expand; }",
        "change x { merge cards into owners { key owner_id, move text } stage expand; }",
    ]));
}

#[test]
fn columns_of_a_merge() {
    snapshot!(mistakes(&[
        "change x { merge loose into users { key user_id } stage expand; }",
        "change x { merge notes into users { key user_id, move note, note as remark } stage expand; }",
        "change x { merge notes into users { key user_id, move note as name } stage expand; }",
        "change x { merge notes into users { key user_id, move user_id, note or null } stage expand; }",
        "change x { merge notes into users { key user_id, move remark } stage expand; }",
        "change x { merge profiles into users { key user_id, move bio, theme, photo, n } stage expand; }",
        "change x { merge profiles into users { key user_id, move bio as b, theme or \"user_id::text\", photo as p, drop n } stage expand; }",
        "change x { merge ruled into users { key user_id, move nick, look or \"'x'\" } stage expand; }",
        "change x { merge ruled into users { key user_id, move nick or \"'x'\", look or \"random()::text\", drop id } stage expand; }",
        "change x { merge profiles into users { key user_id, move bio as b, theme or null, photo as p, drop n } stage expand; }",
        "change x { merge ruled into users { key user_id, move nick, look or null, drop id, user_id } stage expand; }",
    ]));
}

#[test]
fn grammar_of_a_merge() {
    snapshot!(mistakes(&[
        "change x { merge notes; stage expand; }",
        "change x { merge notes into users; stage expand; }",
        "change x { merge notes into users { key user_id, move note or } stage expand; }",
        "change x { merge notes into users { key user_id, move note as } stage expand; }",
        "change x { merge notes into users { key user_id, mvoe note } stage expand; }",
        "change x { merge notes into users { key user_id, move notes.note, always, always } stage expand; }",
    ]));
}
