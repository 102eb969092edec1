//! Version 2 of the shop, at stage `migrate`: it uses the shape after as soon as the database is that far, and the shape
//! before until then.
//!
//! So it may be deployed at any time, before the backfill or after it.

mod after;
#[allow(deprecated, reason = "the code of version 1 stays as long as there may be no proof")]
mod before;
pub mod migrations;

use std::time::{Duration, Instant};

use coexist::Change;
use coexist::postgres::Client;
use coexist::proof::ProofError;
use shop_service::{Order, Profile, Result, Service, User};

/// What is declared.
pub const CHANGES: [&Change; 3] = [
    &migrations::rename_user_name::CHANGE,
    &migrations::widen_order_total::CHANGE,
    &migrations::split_user_profile::CHANGE,
];

/// How long to wait before the database is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// One instance.
pub struct Shop {
    db: Client,
    users: Option<after::Users>,
    orders: Option<after::Orders>,
    asked: Instant,
}

impl Shop {
    /// Starts an instance on a connection.
    pub fn start(mut db: Client) -> Result<Self> {
        let users = unless_early(after::Users::prove(&mut db))?;
        let orders = unless_early(after::Orders::prove(&mut db))?;
        Ok(Self { db, users, orders, asked: Instant::now() })
    }

    /// The connection, and the proof that users are in the shape after, where there is one.
    fn users(&mut self) -> Result<(&mut Client, Option<after::Users>)> {
        if self.users.is_none() && self.may_ask() {
            self.users = unless_early(after::Users::prove(&mut self.db))?;
        }
        Ok((&mut self.db, self.users))
    }

    /// The connection, and the proof that orders are in the shape after, where there is one.
    fn orders(&mut self) -> Result<(&mut Client, Option<after::Orders>)> {
        if self.orders.is_none() && self.may_ask() {
            self.orders = unless_early(after::Orders::prove(&mut self.db))?;
        }
        Ok((&mut self.db, self.orders))
    }

    /// Not at every request: the answer comes once in the life of an instance.
    fn may_ask(&mut self) -> bool {
        let may_ask = self.asked.elapsed() >= ASK_AGAIN;
        if may_ask {
            self.asked = Instant::now();
        }
        may_ask
    }
}

/// That the database is not that far yet is no error.
fn unless_early<P>(proof: Result<P, ProofError>) -> Result<Option<P>> {
    match proof {
        Ok(proof) => Ok(Some(proof)),
        Err(ProofError::NotYet { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Service for Shop {
    fn sign_up(&mut self, email: &str, name: &str, profile: &Profile) -> Result<i64> {
        match self.users()? {
            (db, Some(users)) => users.sign_up(db, email, name, profile),
            (db, None) => before::sign_up(db, email, name, profile),
        }
    }

    fn rename(&mut self, user: i64, name: &str) -> Result<bool> {
        match self.users()? {
            (db, Some(users)) => users.rename(db, user, name),
            (db, None) => before::rename(db, user, name),
        }
    }

    fn edit_profile(&mut self, user: i64, profile: &Profile) -> Result<()> {
        match self.users()? {
            (db, Some(users)) => users.edit_profile(db, user, profile),
            (db, None) => before::edit_profile(db, user, profile),
        }
    }

    fn user(&mut self, user: i64) -> Result<Option<User>> {
        match self.users()? {
            (db, Some(users)) => users.user(db, user),
            (db, None) => before::user(db, user),
        }
    }

    fn delete_user(&mut self, user: i64) -> Result<bool> {
        match self.users()? {
            (db, Some(users)) => users.delete_user(db, user),
            (db, None) => before::delete_user(db, user),
        }
    }

    fn place_order(&mut self, user: i64, cents: i64) -> Result<i64> {
        match self.orders()? {
            (db, Some(orders)) => orders.place_order(db, user, cents),
            (db, None) => before::place_order(db, user, cents),
        }
    }

    fn change_total(&mut self, order: i64, cents: i64) -> Result<bool> {
        match self.orders()? {
            (db, Some(orders)) => orders.change_total(db, order, cents),
            (db, None) => before::change_total(db, order, cents),
        }
    }

    fn order(&mut self, order: i64) -> Result<Option<Order>> {
        match self.orders()? {
            (db, Some(orders)) => orders.order(db, order),
            (db, None) => before::order(db, order),
        }
    }
}
