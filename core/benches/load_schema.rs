//! How long it takes to read a schema of 400 tables as `pg_dump` writes it, and schema files named on the command line.
//!
//! Users read their schema in a debug build, at every expansion of the macro, so that is what counts:
//! `cargo bench -p coexist-core --bench load_schema --profile dev`

use std::fmt::Write;
use std::time::{Duration, Instant};

use coexist_core::schema::load::load;

const TABLES: usize = 400;
const COLUMNS: usize = 15;
const RUNS: usize = 5;

fn main() {
    let generated = schema(TABLES, COLUMNS);
    measure(&format!("{TABLES} tables of {COLUMNS} columns"), &generated);
    // Cargo passes flags of its own.
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with('-')) {
        match std::fs::read_to_string(&path) {
            Ok(sql) => measure(&path, &sql),
            Err(error) => println!("{path}: {error}"),
        }
    }
}

fn measure(name: &str, sql: &str) {
    let time = best(|| load(name, sql).is_ok());
    println!("{name}: {} lines, {} KiB: {time:.1?}", sql.lines().count(), sql.len() / 1024);
}

/// The best of some runs: the rest is other people's work.
fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

/// A dump with tables, sequences, defaults, keys, indexes and foreign keys.
fn schema(tables: usize, columns: usize) -> String {
    const TYPES: [&str; 8] = [
        "text",
        "integer",
        "bigint",
        "character varying(255)",
        "timestamp with time zone",
        "numeric(12,2)",
        "jsonb",
        "text[]",
    ];
    let mut sql =
        String::from("SET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n");
    let mut keys = String::new();
    for number in 0..tables {
        let table = format!("table_{number}");
        let mut list = String::from("    id bigint NOT NULL");
        for column in 1..columns - 1 {
            let default = match column % 5 {
                0 => " DEFAULT 'x'::text",
                3 => " DEFAULT now()",
                _ => "",
            };
            let not_null = if column % 2 == 0 { " NOT NULL" } else { "" };
            let _ = write!(list, ",\n    column_{column} {}{default}{not_null}", TYPES[column % TYPES.len()]);
        }
        let _ = write!(
            sql,
            "{head}CREATE TABLE public.{table} (\n{list},\n    parent_id bigint,\n    CONSTRAINT {table}_check CHECK ((column_1 > 0))\n);\n\n\n\
             ALTER TABLE public.{table} OWNER TO postgres;\n\n\
             {head}CREATE SEQUENCE public.{table}_id_seq\n    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n    NO MAXVALUE\n    CACHE 1;\n\n\n\
             ALTER SEQUENCE public.{table}_id_seq OWNER TO postgres;\n\n\
             {head}ALTER SEQUENCE public.{table}_id_seq OWNED BY public.{table}.id;\n\n\n",
            head = head(&table),
        );
        let _ = write!(
            keys,
            "{head}ALTER TABLE ONLY public.{table} ALTER COLUMN id SET DEFAULT nextval('public.{table}_id_seq'::regclass);\n\n\n\
             {head}ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {table}_pkey PRIMARY KEY (id);\n\n\n\
             {head}CREATE INDEX {table}_one ON public.{table} USING btree (column_1, lower(column_2));\n\n\n\
             {head}CREATE INDEX {table}_two ON public.{table} USING btree (column_3) WHERE (column_4 IS NOT NULL);\n\n\n\
             {head}ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {table}_fk FOREIGN KEY (parent_id) REFERENCES public.table_0(id) ON DELETE CASCADE;\n\n\n",
            head = head(&table),
        );
    }
    sql + &keys
}

fn head(name: &str) -> String {
    format!("--\n-- Name: {name}; Type: TABLE; Schema: public; Owner: postgres\n--\n\n")
}
