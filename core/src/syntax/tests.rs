use proc_macro2::{Group, TokenStream, TokenTree};

use super::parse::parse;
use super::*;
use crate::diagnostic::Errors;
use crate::testing::{render, snapshot, tokens};

const WHOLE: &str = r##"
    //! Comments of the file.
    schema "schema.sql";
    server 15;
    type users.bio = crate::Markdown<[u8; 4]>;

    /// Invoices address people
    /// by their full name.
    change rename_user_name {
        /// A comment in between.
        rename users.name to full_name;
        after other; after r#another;
        stage expand;
    }
    change plain_rename { rename "Weird Schema"."Order Items".r#type to "Mixed Case" { insert nulls take before } stage migrate }
    /** Totals
      * outgrew 2^31 cents. */
    change widen_order_total {
        retype app.orders.total to total_cents: numeric(12, 2) {
            forward r#"total::numeric / 100"# or reject,
            backward lossy "total_cents::integer" or "0",
            insert nulls take after
        };
        stage contract;
        backfill { batch 5_000, }
        contract { by "2027-02-01" }
    }
    change split_user_profile {
        split users into app.profiles { key user_id, r#key, move bio, order, "always", always, }
        stage expand;
    }
    change one_way { retype t.a to b: "app.status[]" { forward "x" or quarantine, irreversible } }
"##;

fn read(source: &str) -> (Declaration, Vec<crate::diagnostic::Diagnostic>) {
    let mut errors = Errors::new();
    let declaration = parse(tokens(source), &mut errors);
    (declaration, errors.take())
}

fn mistakes(sources: &[&str]) -> String {
    let mut text = String::new();
    for source in sources {
        let found = read(source).1;
        assert!(!found.is_empty(), "no mistake found in {source}");
        text.push_str(&render(source, &found));
        text.push_str("----------\n");
    }
    text
}

fn ty(source: &str) -> String {
    let (declaration, errors) = read(&format!("change x {{ retype t.a to b: {source} {{}} }}"));
    assert!(errors.is_empty(), "{source}: {errors:?}");
    match declaration.changes.into_iter().next().unwrap().operations.pop() {
        Some(Operation::Retype(retype)) => retype.ty.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_declaration_is_understood() {
    let (declaration, errors) = read(WHOLE);
    assert_eq!(render(WHOLE, &errors), "");
    assert!(!declaration.broken && declaration.changes.iter().all(|change| !change.broken));
    assert!(matches!(&declaration.schema, Some(SchemaSource::File(file)) if file.value == "schema.sql"));
    assert_eq!(declaration.server.as_ref().unwrap().major, 15);
    assert_eq!(declaration.types[0].rust.to_string(), "crate :: Markdown < [u8 ; 4] >");
    let names: Vec<&str> = declaration.changes.iter().map(|change| change.name.text.as_str()).collect();
    assert_eq!(names, ["rename_user_name", "plain_rename", "widen_order_total", "split_user_profile", "one_way"]);

    let [rename, quoted, retype, split, one_way] = declaration.changes.as_slice() else { panic!() };
    assert_eq!(rename.docs, ["Invoices address people", "by their full name."]);
    assert_eq!(rename.after.iter().map(|name| name.text.as_str()).collect::<Vec<_>>(), ["other", "another"]);
    let Operation::Rename(quoted) = &quoted.operations[0] else { panic!() };
    assert_eq!(quoted.column.table.schema.as_ref().unwrap().text, "Weird Schema");
    assert_eq!((quoted.column.table.table.text.as_str(), quoted.column.column.text.as_str()), ("Order Items", "type"));
    assert_eq!((quoted.to.text.as_str(), quoted.insert_nulls.as_ref().unwrap().after), ("Mixed Case", false));

    assert_eq!(retype.docs, ["Totals", "outgrew 2^31 cents."]);
    assert_eq!(retype.phases.len(), 2);
    assert_eq!(
        (retype.phases[0].settings[0].value.value.as_str(), retype.stages[0].text.as_str()),
        ("5000", "contract")
    );
    let Operation::Retype(retype) = &retype.operations[0] else { panic!() };
    assert_eq!(retype.ty.text, "numeric(12, 2)");
    let forward = retype.forward.as_ref().unwrap();
    assert!(matches!(forward.otherwise, Some(Otherwise::Reject(_))) && forward.lossy.is_none());
    let backward = retype.backward.as_ref().unwrap();
    assert!(matches!(&backward.otherwise, Some(Otherwise::Expression(sql)) if sql.value == "0"));
    assert!(backward.lossy.is_some() && retype.insert_nulls.as_ref().unwrap().after);

    let Operation::Split(split) = &split.operations[0] else { panic!() };
    let names = |names: &[Name]| names.iter().map(|name| name.text.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&split.key), names(&split.moved)),
        (vec!["user_id".to_owned(), "key".to_owned()], vec!["bio".to_owned(), "order".to_owned(), "always".to_owned()],)
    );
    assert!(split.always.is_some());
    let Operation::Retype(one_way) = &one_way.operations[0] else { panic!() };
    assert_eq!(one_way.ty.text, "app.status[]");
    assert!(one_way.irreversible.is_some());
}

#[test]
fn types_read_as_sql() {
    for (written, sql) in [
        ("bigint", "bigint"),
        ("numeric(12,2)", "numeric(12, 2)"),
        ("timestamp(3) with time zone", "timestamp(3) with time zone"),
        ("app.status[]", "app.status[]"),
        ("text[3]", "text[3]"),
        ("interval day to second(3)", "interval day to second(3)"),
        (r#""Weird Schema"."Order Status""#, r#""Weird Schema"."Order Status""#),
        (r#"app."Status""#, r#"app."Status""#),
        (r#""timestamp with time zone""#, "timestamp with time zone"),
        ("geometry(Point, 4326)", "geometry(Point, 4326)"),
    ] {
        assert_eq!(ty(written), sql);
    }
}

#[test]
fn pieces_of_rules() {
    snapshot!(mistakes(&[
        "change x { require users; }",
        "change x { require users.email or refuse; }",
        "change x { require users.email { fil \"''\" } }",
        "change x { require users.email { fill name } }",
        "change x { require users.email { fill \"''\", fill \"'x'\" } }",
        "change x { require users.email { fill \"''\", old writes fail } }",
        "change x { relax users.email { nulls after contract } }",
        "change x { constrain users check c \"a > 0\" or reject; }",
        "change x { constrain users: chek c \"a > 0\" or reject; }",
        "change x { constrain users: check \"a > 0\" or reject; }",
        "change x { constrain users: unique name or reject; }",
        "change x { constrain users: unique () or reject; }",
        "change x { constrain users: unique (a b) or reject; }",
        "change x { constrain users: unique (a) on delete cascade or reject; }",
        "change x { constrain users: primary (id) or reject; }",
        "change x { constrain users: (a) reference u or reject; }",
        "change x { constrain users: (a) references u on delete nothing or reject; }",
        "change x { constrain users: exclude using gist (a with &&) or reject; }",
        "change x { unconstrain users.c; }",
        "change x { default users.a: 5; }",
        "change x { comment users.a.b.c: \"x\"; }",
    ]));
}

#[test]
fn unknown_words() {
    snapshot!(mistakes(&[
        r#"schem "schema.sql";"#,
        "server 15; migration x { }",
        "change x { renam users.name to full_name; stage expand; }",
        "change x { rename users.name to full_name; stag expand; }",
        "change x { truncate users.name; stage expand; }",
        "change x { split users into profiles { keys user_id, move bio } stage expand; }",
        "change x { split users into profiles { key user_id, columns bio } stage expand; }",
        r#"change x { retype t.a to b: bigint { foreward "a" or rejcet, backwards "b" } stage expand; }"#,
        r#"change x { retype t.a to b: bigint { forward "a" or fail } stage expand; }"#,
        "change x { rename t.a to b { insert nulls take old } stage expand; }",
    ]));
}

#[test]
fn missing_pieces() {
    snapshot!(mistakes(&[
        "schema;",
        "schema sql;",
        "schema schema.sql;",
        "server \"15\";",
        "server fifteen;",
        "type users.bio: crate::Markdown;",
        "type users.bio = ;",
        "type users.bio = crate::Markdown change x { }",
        "change { }",
        "change x;",
        "change x rename users.name to full_name; stage expand;\nchange y { stage expand }",
        "change x { rename; }",
        "change x { rename users.; stage expand; }",
        "change x { rename users to people; }",
        "change x { rename users.name full_name; stage expand; }",
        "change x { rename users.name to; stage expand; }",
        "change x { rename users.name to full_name stage expand; }",
        "change x { rename users.name to users.full_name; stage expand; }",
        "change x { rename db.app.users.name to full_name; stage expand; }",
        "change x { retype t.a to ; }",
        "change x { rename t.a to b through; }",
        "change x { rename t.a to b in view; }",
        "change x { retype t.a to bigint by { } }",
        "change x { retype t.a to b: ; }",
        "change x { retype t.a to b: bigint stage expand; }",
        "change x { split users { key id } }",
        "change x { split users into profiles; }",
        "change x { split db.app.users into profiles { key id } }",
        "change x { stage; after; }",
        "change x { backfill 5000; }",
        "change x { backfill { batch } contract { 5 } }",
    ]));
}

#[test]
fn misplaced_pieces() {
    snapshot!(mistakes(&[
        "schema \"a\"; schema \"b\"; server 13; server 14;",
        "change \"my change\" { stage expand; }",
        "change self { stage expand; }",
        "#[cfg(test)] change x { stage expand; }",
        "change x { #[derive(Debug)] stage expand; }",
        "change x { retype t.a to b: bigint { forward upper(a), backward \"b\" } }",
        r#"change x { retype t.a to b: bigint { forward "a" lossy, backward "b" } }"#,
        r#"change x { retype t.a to b: bigint { forward "a" forward "b" } }"#,
        r#"change x { retype t.a to b: bigint { forward "a", forward "b", irreversible, irreversible } }"#,
        r#"change x { retype t.a to b: bigint { forward b"a"; backward 'b' } }"#,
        r#"change x { retype t.a to b: bigint { forward "a" or 5 } }"#,
        "change x { split users into profiles { key, move bio } }",
        "change x { split users into profiles { key user_id, move key, bio } }",
        "change x { split users into profiles { key user_id, move bio avatar } }",
        "change x { split users into profiles { key user_id; move bio } }",
        "change x { split users into profiles { key user_id, move users.bio } }",
        "change x { rename t.a to b { insert null take before } }",
        "= { 5 } change x { = stage expand; }",
    ]));
}

/// One mistake does not hide the next item, and does not bring a second message with it.
#[test]
fn one_mistake_is_one_message() {
    let (declaration, errors) = read(
        "change a { renam users. to x; stage expand; }
         change b { rename users.name to
             stage expand;
         }
         change c { rename users.name to full_name; stage expand; }",
    );
    assert_eq!(errors.len(), 2, "{errors:?}");
    let broken: Vec<bool> = declaration.changes.iter().map(|change| change.broken).collect();
    assert_eq!(broken, [true, true, false]);
}

#[test]
fn macros_may_pass_names_and_literals_on() {
    let grouped = |text: &str| TokenTree::Group(Group::new(proc_macro2::Delimiter::None, tokens(text)));
    let mut stream = tokens("schema sql");
    stream.extend([grouped("\"create table t (a int)\"")]);
    stream.extend(tokens(";"));
    let mut errors = Errors::new();
    let declaration = parse(stream, &mut errors);
    assert!(errors.take().is_empty());
    assert!(matches!(declaration.schema, Some(SchemaSource::Inline(_))));
}

/// All streams that end before the given one does, at any depth.
fn prefixes(stream: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut found = vec![TokenStream::new()];
    for (i, tree) in trees.iter().enumerate() {
        let before: TokenStream = trees[..i].iter().cloned().collect();
        if let TokenTree::Group(group) = tree {
            for inside in prefixes(&group.stream()) {
                let mut prefix = before.clone();
                prefix.extend([TokenTree::Group(Group::new(group.delimiter(), inside))]);
                found.push(prefix);
            }
        }
        found.push(trees[..=i].iter().cloned().collect());
    }
    found
}

#[test]
fn any_prefix_is_read_without_a_panic() {
    for prefix in prefixes(&tokens(WHOLE)) {
        let mut errors = Errors::new();
        parse(prefix, &mut errors);
        errors.take();
    }
    for (end, _) in WHOLE.char_indices() {
        if let Ok(stream) = WHOLE[..end].parse() {
            let mut errors = Errors::new();
            parse(stream, &mut errors);
            errors.take();
        }
    }
}

/// Also where a token is left out or stands twice.
#[test]
fn any_damage_is_read_without_a_panic() {
    fn damaged(stream: &TokenStream) -> Vec<TokenStream> {
        let trees: Vec<TokenTree> = stream.clone().into_iter().collect();
        let mut found = Vec::new();
        for (i, tree) in trees.iter().enumerate() {
            let around = |middle: Vec<TokenTree>| -> TokenStream {
                trees[..i].iter().cloned().chain(middle).chain(trees[i + 1..].iter().cloned()).collect()
            };
            found.push(around(Vec::new()));
            found.push(around(vec![tree.clone(), tree.clone()]));
            if let TokenTree::Group(group) = tree {
                let inside = damaged(&group.stream());
                found.extend(
                    inside
                        .into_iter()
                        .map(|inside| around(vec![TokenTree::Group(Group::new(group.delimiter(), inside))])),
                );
                found.push(around(group.stream().into_iter().collect()));
            }
        }
        found
    }
    for stream in damaged(&tokens(WHOLE)) {
        let mut errors = Errors::new();
        parse(stream, &mut errors);
        errors.take();
    }
}
