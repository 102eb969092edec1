//! Generated code gives no warning, whatever a crate asks for.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unused,
    nonstandard_style,
    unreachable_pub,
    unused_qualifications
)]

/// The changes.
pub mod declared {
    coexist::migrations! {
        schema sql r#"
            create type mood as enum ('ok');
            create table users (id bigint primary key, name text not null, bio text);
            create table "Nasty" ("2fa" integer, "a B" mood, "type" text not null, primary key ("2fa", "a B"));
            create table log (line text not null);"#;

        type users.bio = String;

        /// In words.
        change rename_user_name {
            rename users.name to full_name;
            stage contract;
        }

        change split_user_profile {
            split users into profiles { key user_id, move bio }
            stage migrate;
        }

        change rename_type {
            rename Nasty."type" to "Kind \"of\" `it`";
            stage expand;
        }

        change rename_line {
            rename log.line to text;
            stage expand;
        }
    }
}

#[test]
fn the_changes_are_there() {
    assert_eq!(declared::rename_line::CHANGE.name(), "rename_line");
    assert!(declared::rename_type::CHANGE.plan().is_ok());
}
