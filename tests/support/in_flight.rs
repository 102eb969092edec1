//! A declared change on a database of its own, taken to the phase that a test is about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

use std::path::Path;

use coexist::plan::{Phase, Plan};
use coexist::sandbox::Database;
use coexist::{Options, Pace, Runner};
use coexist_core::compile::{Context, compile};
use postgres::{Client, SimpleQueryMessage};

/// The plans of a declaration that has no mistakes: `changes` over the tables of `schema`.
pub fn plans(schema: &str, changes: &str) -> Vec<Plan> {
    let tokens = format!("schema sql r#\"{schema}\"#; {changes}").parse().unwrap();
    let context = Context { manifest_dir: Path::new("."), missing_feature: &|_| None, writes_migrations: false };
    let compiled = compile(tokens, &context);
    let mistakes: Vec<String> = compiled.diagnostics.iter().map(|mistake| mistake.text()).collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
    compiled.plans
}

/// A database with changes in flight.
pub struct InFlight {
    pub client: Client,
    pub plans: Vec<Plan>,
    runner: Runner,
    pub database: Database,
}

impl InFlight {
    /// A database with the tables of `schema` and what `data` puts into them, and `changes` declared.
    pub fn new(schema: &str, data: &str, changes: &str) -> Self {
        let plans = plans(schema, changes);
        let database = super::database("in_flight");
        let mut client = database.connect().unwrap();
        client.batch_execute(schema).unwrap();
        client.batch_execute(data).unwrap();
        let runner = runner(&database, Options::default());
        Self { client, plans, runner, database }
    }

    /// Another runner on the database.
    pub fn runner(&self, options: Options) -> Runner {
        runner(&self.database, options)
    }

    /// Takes every change to `phase`.
    pub fn reach(&mut self, phase: Phase) -> &mut Self {
        for plan in &self.plans {
            let reached = self.runner.phase(&plan.change).unwrap();
            for next in Phase::ALL.into_iter().filter(|next| *next > reached && *next <= phase) {
                go(&mut self.runner, plan, next)
                    .unwrap_or_else(|error| panic!("{} of {}: {error}", next.name(), plan.change));
            }
        }
        self
    }

    /// Takes the first change to the next phase, which must fail, and gives the message.
    pub fn fails_to_reach(&mut self, phase: Phase) -> String {
        match go(&mut self.runner, &self.plans[0], phase) {
            Ok(()) => panic!("{} was reached", phase.name()),
            Err(error) => error.to_string(),
        }
    }

    /// Takes every change back.
    pub fn roll_back(&mut self) -> &mut Self {
        self.try_roll_back().unwrap();
        self
    }

    /// The same, where it may fail.
    pub fn try_roll_back(&mut self) -> Result<(), coexist::Error> {
        self.plans.iter().try_for_each(|plan| self.runner.rollback(plan, Some(&plan.change)))
    }

    /// Takes away what the contracts left.
    pub fn retire(&mut self) -> &mut Self {
        self.plans.iter().for_each(|plan| self.runner.retire(plan).unwrap());
        self
    }

    /// Takes the first change back, which must fail, and gives the message.
    pub fn fails_to_roll_back(&mut self) -> String {
        let plan = &self.plans[0];
        match self.runner.rollback(plan, Some(&plan.change)) {
            Ok(_) => panic!("it was taken back"),
            Err(error) => error.to_string(),
        }
    }

    /// Runs statements of an application.
    pub fn run(&mut self, sql: &str) -> &mut Self {
        self.client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        self
    }

    /// Runs a statement that must fail, and gives the SQLSTATE and the message.
    pub fn fails(&mut self, sql: &str) -> (String, String) {
        let error = self.client.batch_execute(sql).expect_err(sql);
        let _ = self.client.batch_execute("rollback");
        let error = error.as_db_error().unwrap();
        (error.code().code().to_owned(), error.message().to_owned())
    }

    /// What a query gives: the rows as text, columns parted by `|`, NULL as `-`.
    pub fn rows(&mut self, sql: &str) -> Vec<String> {
        let messages = self.client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|n| row.get(n).unwrap_or("-").to_owned()).collect::<Vec<_>>().join("|"))
            }
            _ => None,
        });
        rows.collect()
    }

    /// The one row that a query gives.
    #[track_caller]
    pub fn row(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.into_iter().next().unwrap()
    }
}

fn runner(database: &Database, options: Options) -> Runner {
    Runner::new(coexist::Database::at(&database.url()).unwrap(), options).unwrap()
}

/// Takes a change to the next phase.
pub fn go(runner: &mut Runner, plan: &Plan, phase: Phase) -> coexist::Result<()> {
    match phase {
        Phase::Declared => Ok(()),
        Phase::Expanded => runner.expand(plan),
        Phase::DualWriting => runner.dual_write(plan),
        Phase::Backfilled => runner.backfill(plan, &Pace::default()),
        Phase::Validated => runner.validate(plan),
        Phase::Contracted => runner.contract(plan, &plan.change),
    }
}
