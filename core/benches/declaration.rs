//! What a declaration costs a build: the schema once, and each change. Macros run in debug builds, so run it as one:
//!
//! ```text
//! cargo bench -p coexist-core --bench declaration --profile dev
//! ```

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use coexist_core::compile::{Compiled, Context, compile};
use coexist_core::render::rust::{self, TypeSettings};
use coexist_core::schema::load::load;

const TABLES: usize = 400;
const COLUMNS: usize = 15;
const ROUNDS: usize = 9;

fn main() {
    let schema = schema();
    let load_alone = median(|| {
        let loaded = load("schema.sql", &schema);
        assert!(loaded.is_ok_and(|schema| schema.tables.len() == TABLES));
    });
    println!(
        "schema of {TABLES} tables, {COLUMNS} columns each, {} lines, {} kB",
        schema.lines().count(),
        schema.len() / 1024
    );
    println!("load the schema                     {load_alone:>9.1?}");
    let empty = declaration(&schema, 0);
    let base = median(|| drop(expand(&empty)));
    println!("declaration without a change        {base:>9.1?}");
    for changes in [1, 10, 100] {
        let text = declaration(&schema, changes);
        let all = median(|| drop(expand(&text)));
        let more = all.saturating_sub(base);
        println!(
            "with {changes:>3} changes                    {all:>9.1?}, {more:.1?} more, {:.2?} each",
            more / changes as u32
        );
    }
}

fn expand(declaration: &str) -> String {
    let tokens = match declaration.parse() {
        Ok(tokens) => tokens,
        Err(error) => return format!("{error}"),
    };
    let context = Context { manifest_dir: Path::new("."), missing_feature: &|_| None, writes_migrations: false };
    let Compiled { model, plans, diagnostics, .. } = compile(tokens, &context);
    assert!(diagnostics.is_empty(), "{}", diagnostics[0].text());
    model.map(|model| rust::expand(&model, &plans, &TypeSettings::default()).to_string()).unwrap_or_default()
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn declaration(schema: &str, changes: usize) -> String {
    let mut text = format!("schema sql r####\"{schema}\"####;\n");
    for n in 0..changes {
        let _ = match n % 3 {
            0 => writeln!(text, "change c{n} {{ rename table_{n}.name to full_name; stage expand; }}"),
            1 => writeln!(
                text,
                "change c{n} {{ retype table_{n}.total to total_cents: bigint {{ forward \"total::bigint\", backward \"total_cents::integer\" or reject }} stage expand; }}"
            ),
            _ => writeln!(
                text,
                "change c{n} {{ split table_{n} into extra_{n} {{ key id, move text_3, text_4 }} stage expand; }}"
            ),
        };
    }
    text
}

/// As `pg_dump` writes it.
fn schema() -> String {
    let mut text =
        String::from("SET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n");
    for n in 0..TABLES {
        let _ = writeln!(text, "--\n-- Name: table_{n}; Type: TABLE; Schema: public; Owner: app\n--\n");
        let _ = write!(
            text,
            "CREATE TABLE public.table_{n} (\n    id bigint NOT NULL,\n    name text DEFAULT ''::text NOT NULL,\n    total integer NOT NULL"
        );
        for c in 3..COLUMNS {
            let _ = write!(text, ",\n    text_{c} character varying(255)");
        }
        let _ = writeln!(text, "\n);\n\nALTER TABLE public.table_{n} OWNER TO app;\n");
        let _ =
            writeln!(text, "ALTER TABLE ONLY public.table_{n}\n    ADD CONSTRAINT table_{n}_pkey PRIMARY KEY (id);\n");
        let _ = writeln!(
            text,
            "CREATE INDEX table_{n}_name_idx ON public.table_{n} USING btree (lower(name)) WHERE (total > 0);\n"
        );
        if n > 0 {
            let _ = writeln!(
                text,
                "ALTER TABLE ONLY public.table_{n}\n    ADD CONSTRAINT table_{n}_fk FOREIGN KEY (id) REFERENCES public.table_{}(id);\n",
                n - 1
            );
        }
    }
    text
}
