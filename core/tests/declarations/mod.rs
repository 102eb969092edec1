//! One declaration of each kind of change. Their SQL is held byte for byte by `golden.rs`; the tests `every_kind` and `plan_locks` of the
//! package `coexist` run it on servers.

/// Everything that can hang on a column, on two tables.
pub const SCHEMA: &str = r#"
    create table users (
        id bigint generated always as identity primary key,
        name text not null default '',
        email text not null,
        total integer not null default 0,
        code text,
        bio text,
        avatar_url text not null default 'none',
        constraint users_email_key unique (email),
        constraint users_total_check check (total >= 0 and length(name) < 100)
    );
    comment on column users.name is 'What we call them';
    create index users_name_idx on users (lower(name) text_pattern_ops desc nulls last)
        include (email) with (fillfactor = 70) where name <> 'total';
    create index users_bio_idx on users using gin (to_tsvector('simple', bio));
    comment on index users_name_idx is 'For the search box';
    create statistics users_stats (ndistinct) on name, total from users;
    create table orders (
        id serial primary key,
        user_id bigint references users on delete cascade,
        note text,
        user_email text references users (email) on update cascade deferrable initially deferred
    );
    create index on orders (user_id);
    create table "settings of users" (
        user_id bigint primary key references users on delete cascade,
        theme text not null default 'dark',
        notes text constraint notes_are_short check (length(notes) < 1000)
    );
    create index on "settings of users" (theme);
    create schema "Weird Schema";
    create table "Weird Schema"."Order Items" (
        "select" int, "Mixed Case" text, "quo""te" text, primary key ("select", "Mixed Case")
    );
    create type mood as enum ('sad', 'glad');
    create table moods (mood mood primary key, label varchar(20) not null);
"#;

/// A test for each declaration: `check` with its name and its operations. With a list of its own, only of those.
macro_rules! test_each {
    ($check:path; $($name:ident: $change:literal;)*) => {$(
        #[test]
        fn $name() {
            $check(stringify!($name), $change);
        }
    )*};
    ($check:path) => {test_each! { $check;
        rename_with_everything: "rename users.name to full_name;";
        rename_nullable: "rename users.bio to about;";
        rename_primary_key: "rename users.id to user_id;";
        rename_referenced: "rename users.email to address;";
        rename_serial: "rename orders.id to order_id;";
        rename_through_view: "rename users.name to full_name through view;";
        rename_weird_names: r#"rename "Weird Schema"."Order Items"."Mixed Case" to "it's; \"mixed\"";"#;
        retype_in_place: "retype moods.label to text;";
        retype_behind_a_view: r#"retype users.total to bigint { forward "total::bigint", backward "total::integer" or reject }"#;
        widen: r#"retype users.total to total_cents: bigint { forward "total::bigint", backward "total_cents::integer" or reject }"#;
        retype_with_fallback: r#"retype users.code to code_number: integer { forward "code::integer" or "0", backward "code_number::text" }"#;
        retype_with_quarantine: r#"retype users.code to code_number: integer { forward "code::integer" or quarantine, backward "code_number::text" }"#;
        retype_with_another_meaning: r#"retype users.total to total_euros: numeric { forward "total / 100.0" or reject, backward lossy "(total_euros * 100)::integer" or reject }"#;
        retype_irreversible: r#"retype users.avatar_url to avatar_hash: bytea { forward lossy "sha256(convert_to(avatar_url, 'UTF8'))" or reject, irreversible }"#;
        widen_a_serial_key: "widen orders.id to bigint;";
        split_with_not_null: "split users into profiles { key user_id, move bio, avatar_url }";
        require_with_fill: r#"require users.code { fill "name || total" or reject }"#;
        require_or_reject: "require users.bio or reject;";
        relax: "relax users.email { nulls from contract }";
        relax_for_old_readers_that_cope: r#"relax users.email { nulls from dual_write, backward "'user ' || id" or reject }"#;
        constrain_by_a_check: r#"constrain users: check users_code_check "code <> ''" { fix code "null", old writes reject }"#;
        constrain_by_a_key: "constrain users: unique (code, total) include (bio) deferrable or reject;";
        constrain_by_a_reference: r#"constrain orders: foreign key parent (id) references users on delete cascade or reject;"#;
        unconstrain_a_reference: "unconstrain orders: orders_user_id_fkey;";
        default_and_comment: r#"default users.total: "7"; comment users: "People, and what they owe";"#;
        split_always: "split users into codes { key user_id, move code, always }";
        merge: r#"merge "settings of users" into users { key user_id, move theme or "'light'", notes as remarks, always }"#;
        move_up: "move orders.note to users.last_note { via orders.user_id, conflicting rows refuse }";
        move_down: "move users.code to orders.user_code { via orders.user_id, unmatched discard }";
        divide: r#"divide users.name into first_name: text not null, last_name: text { forward first_name "split_part(name, ' ', 1)" or "'?'", forward last_name "nullif(substr(name, length(split_part(name, ' ', 1)) + 2), '')" or quarantine, backward "first_name || coalesce(' ' || last_name, '')" or reject }"#;
        combine: r#"combine users.(bio, avatar_url) into profile: jsonb not null { forward "jsonb_build_object('bio', bio, 'avatar', avatar_url)" or reject, backward bio "profile->>'bio'" or reject, backward avatar_url "profile->>'avatar'" or reject }"#;
        several_on_one_table: r#"rename users.code to voucher; retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } rename users.avatar_url to avatar;"#;
        add_with_a_default: r#"add users.visits: bigint not null default "0";"#;
        add_filled_from_the_row: r#"add users.handle: text not null fill "lower(name)";"#;
        drop_with_everything: "drop users.total { with users_total_check, users_stats }";
        create_an_index: r#"create index on users (lower(name) desc, total) unique where "total > 0" name by_name;"#;
        drop_an_index: "drop index users_bio_idx;";
        add_a_table: r#"add table "create table notes (id bigserial primary key, user_id bigint references users)";"#;
        add_a_label: r#"enum mood add value "calm" before "glad";"#;
        drop_a_table: "drop table orders;";
        rename_a_table: "rename table orders to purchases;";
        statements_of_the_users_own: r#"sql { expand "create function f() returns integer language sql as 'select 1'" undo "drop function if exists f()" locks nothing, contract "drop table orders" locks users access exclusive, orders access exclusive }"#;
        extract: "extract kinds from users (code as kind) { key id: bigint, reference kind_id }";
        extract_with_nulls: "extract labels from users (code as kind, bio) { key id: uuid, reference label_id }";
        extract_always: "extract codes from users (code) { key id: integer, reference code_id, always }";
    }};
}
