//! Whether something between us and the server hands one session's transactions to several server processes (H77).
//!
//! A pooler that is idle gives the same process every time. So two sessions overlap, and end in both orders: one of them then comes back to the
//! other's process, if there is a pooler.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use postgres::{Client, SimpleQueryMessage};

use super::{Kind, Look};
use crate::database::Database;
use crate::explained::Explained;

/// How long a second session is given to begin beside the first. A pooler with one process lets it wait until that one is free.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn look(look: &mut Look<'_>, database: &Database) {
    match database.is_pooled(|| is_between(database)) {
        Ok(false) => {}
        // These are sessions of their own: what becomes of them is no reason to stop.
        Err(error) => look.not_checked("a pooler in between", &Explained(&error).to_string()),
        Ok(true) => look.add(
            Kind::Pooler,
            "connection",
            "a pooler shares server processes between transactions: what a session sets is lost or reaches others, and a statement that \
             cannot run in a transaction is not watched where it runs",
            "connect to the server itself, or to a pool that keeps a process for a whole session",
        ),
    }
}

type Answer = std::result::Result<String, postgres::Error>;

fn is_between(database: &Database) -> std::result::Result<bool, postgres::Error> {
    let mut first = database.open()?;
    let second = Second::start(database.open()?);
    let mut seen: [Vec<String>; 2] = Default::default();
    for first_ends_first in [true, false, true] {
        seen[0].push(begin(&mut first)?);
        second.tell(Order::Begin);
        let beside = match second.answer(PATIENCE) {
            // Either it is slow, or there is but one process, and we have it.
            None => {
                first.simple_query("commit")?;
                return Ok(second.answer(PATIENCE).transpose()?.is_some_and(|pid| seen[0].contains(&pid)));
            }
            Some(answer) => answer?,
        };
        seen[1].push(beside);
        if first_ends_first {
            first.simple_query("commit")?;
        }
        second.tell(Order::Commit);
        second.answer(PATIENCE).transpose()?;
        if !first_ends_first {
            first.simple_query("commit")?;
        }
    }
    Ok(seen.iter().any(|pids| pids.iter().any(|pid| *pid != pids[0])))
}

/// Begins a transaction, and says in which process. By the simple protocol: prepared statements may not survive a pooler.
fn begin(client: &mut Client) -> Answer {
    let messages = client.simple_query(
        "begin; set local idle_in_transaction_session_timeout = '60s'; select pg_catalog.pg_backend_pid()",
    )?;
    let pid = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_string),
        _ => None,
    });
    Ok(pid.unwrap_or_default())
}

#[derive(Clone, Copy)]
enum Order {
    Begin,
    Commit,
}

/// A second session, in a thread of its own: it may be kept waiting. It ends with this value, or when the pooler lets it go.
struct Second {
    orders: Sender<Order>,
    answers: Receiver<Answer>,
}

impl Second {
    fn start(mut client: Client) -> Self {
        let (orders, to_do) = mpsc::channel();
        let (done, answers) = mpsc::channel();
        thread::spawn(move || {
            for order in to_do {
                let answer = match order {
                    Order::Begin => begin(&mut client),
                    Order::Commit => client.simple_query("commit").map(|_| String::new()),
                };
                if done.send(answer).is_err() {
                    break;
                }
            }
        });
        Self { orders, answers }
    }

    fn tell(&self, order: Order) {
        // Where the thread is gone, there will be no answer either.
        let _ = self.orders.send(order);
    }

    /// `None` where there is none in time.
    fn answer(&self, patience: Duration) -> Option<Answer> {
        self.answers.recv_timeout(patience).ok()
    }
}
