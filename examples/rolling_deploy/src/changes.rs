//! The three changes in flight: what a team does with `coexist up`, `rollback` and `contract`, and what each step took.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use coexist::plan::{Lock, LockLevel, Plan, Step};
use coexist::postgres::NoTls;
use coexist::{Change, Database, Event, Options, Runner};

use crate::database::ShopDatabase;
use crate::text::{count, milliseconds};

/// The changes, with the runner that carries them out.
pub struct Changes {
    runner: Runner,
    plans: Vec<Plan>,
    /// What the runner told since it was last asked.
    news: Arc<Mutex<News>>,
    steps: Vec<StepTook>,
}

/// What a runner tells while it is at work on one change.
#[derive(Default)]
struct News {
    steps: Vec<StepNews>,
    batches: Vec<Batch>,
}

/// A step is done, or taken back.
struct StepNews {
    ended: Instant,
    step: String,
    undo: bool,
    took: Duration,
    waited: Duration,
}

/// A transaction of a backfill.
struct Batch {
    rows: u64,
    took: Duration,
}

/// What one step took.
pub struct StepTook {
    pub change: String,
    pub step: String,
    pub undo: bool,
    pub began: Instant,
    /// All of it: what it waited for its locks, and for how long it held them.
    pub took: Duration,
    /// The longest that it was seen to wait for a lock.
    pub waited: Duration,
    /// The locks that it takes for which somebody who writes rows, at least, has to wait.
    pub locks: Vec<Lock>,
}

/// Both shapes of a change, row by row.
pub struct Agreement {
    pub change: String,
    pub rows: i64,
    pub differ: i64,
}

impl Changes {
    pub fn new(database: &ShopDatabase) -> Result<Self> {
        let news = Arc::new(Mutex::new(News::default()));
        let heard = Arc::clone(&news);
        let options = Options::default().on_event(move |event| hear(&mut of(&heard), event));
        let owner = database.owner();
        let runner = Runner::new(Database::opened_by(move || owner.connect(NoTls)), options)?;
        Ok(Self { runner, plans: Vec::new(), news, steps: Vec::new() })
    }

    /// Takes the plans of another version of the service. They must do the same: a version differs in its stages alone.
    pub fn planned_by(&mut self, changes: [&Change; 3]) -> Result<()> {
        let plans: Vec<Plan> = changes.iter().map(|change| change.plan()).collect::<Result<_, _>>()?;
        for (known, plan) in self.plans.iter().zip(&plans) {
            ensure!(known.fingerprint() == plan.fingerprint(), "versions do not agree on what {} does", plan.change);
        }
        self.plans = plans;
        Ok(())
    }

    /// Does something with each change, in turn, and says in one line what it took.
    pub fn each(&mut self, work: impl Fn(&mut Runner, &Plan) -> coexist::Result<()>) -> Result<String> {
        let mut all = News::default();
        for plan in &self.plans {
            work(&mut self.runner, plan)?;
            let news = std::mem::take(&mut *of(&self.news));
            self.steps.extend(news.steps.iter().map(|news| StepTook::new(plan, news)));
            all.steps.extend(news.steps);
            all.batches.extend(news.batches);
        }
        Ok(all.to_string())
    }

    /// Does something with one change, and says in one line what it took.
    pub fn one(&mut self, change: &str, work: impl Fn(&mut Runner, &Plan) -> coexist::Result<()>) -> Result<String> {
        self.each(|runner, plan| if plan.change == change { work(runner, plan) } else { Ok(()) })
    }

    /// Compares both shapes of each change, row by row.
    pub fn verify(&mut self) -> Result<Vec<Agreement>> {
        let mut agreement = Vec::new();
        for plan in &self.plans {
            let found = self.runner.verify(plan)?;
            agreement.push(Agreement { change: plan.change.clone(), rows: found.rows, differ: found.mismatches });
        }
        Ok(agreement)
    }

    /// All steps that were done or taken back, in order.
    pub fn steps(&self) -> &[StepTook] {
        &self.steps
    }
}

fn hear(news: &mut News, event: &Event) {
    match event {
        Event::StepDone { step, undo, took, lock_wait } => news.steps.push(StepNews {
            ended: Instant::now(),
            step: step.clone(),
            undo: *undo,
            took: *took,
            waited: *lock_wait,
        }),
        Event::Progress(progress) if progress.batch_rows > 0 => {
            news.batches.push(Batch { rows: progress.batch_rows, took: progress.batch_took });
        }
        _ => {}
    }
}

/// Nobody panics with this lock in hand.
fn of(news: &Mutex<News>) -> MutexGuard<'_, News> {
    news.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `4 steps, 12.3 ms in all; 53,482 rows, the longest batch 20.5 ms`
impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Duration = self.steps.iter().map(|step| step.took).sum();
        if !self.steps.is_empty() {
            write!(f, "{} steps, {} ms in all", self.steps.len(), milliseconds(all))?;
        }
        if !self.batches.is_empty() {
            let rows: u64 = self.batches.iter().map(|batch| batch.rows).sum();
            let longest = self.batches.iter().map(|batch| batch.took).max().unwrap_or_default();
            let between = if self.steps.is_empty() { "" } else { "; " };
            write!(f, "{between}{} rows, the longest batch {} ms", count(rows), milliseconds(longest))?;
        }
        Ok(())
    }
}

impl StepTook {
    fn new(plan: &Plan, news: &StepNews) -> Self {
        let step = plan.steps.iter().find(|step| step.id == news.step);
        Self {
            change: plan.change.clone(),
            step: news.step.clone(),
            undo: news.undo,
            began: news.ended.checked_sub(news.took).unwrap_or(news.ended),
            took: news.took,
            waited: news.waited,
            locks: step.map(|step| blocking_locks(step, news.undo)).unwrap_or_default(),
        }
    }

    /// Whether somebody who writes rows, at least, has to wait meanwhile.
    pub fn blocks_rows(&self) -> bool {
        !self.locks.is_empty()
    }

    /// Whether somebody who reads rows has to wait meanwhile.
    pub fn blocks_reads(&self) -> bool {
        self.locks.iter().any(|lock| lock.level == LockLevel::AccessExclusive)
    }
}

fn blocking_locks(step: &Step, undo: bool) -> Vec<Lock> {
    let actions = if undo { step.undo.iter().collect() } else { vec![&step.action] };
    let locks = actions.into_iter().flat_map(|action| &action.locks);
    locks.filter(|lock| lock.level >= LockLevel::Share).cloned().collect()
}
