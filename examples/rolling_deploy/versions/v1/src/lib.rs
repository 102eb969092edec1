//! Version 1 of the shop, at stage `expand`: it knows the shape before, and the declaration says where it is going.

mod before;
pub mod migrations;

use coexist::Change;
use coexist::postgres::Client;
use shop_service::{Order, Profile, Result, Service, User};

/// What is declared.
pub const CHANGES: [&Change; 3] = [
    &migrations::rename_user_name::CHANGE,
    &migrations::widen_order_total::CHANGE,
    &migrations::split_user_profile::CHANGE,
];

/// One instance.
pub struct Shop {
    db: Client,
}

impl Shop {
    /// Starts an instance on a connection.
    pub fn start(db: Client) -> Self {
        Self { db }
    }
}

impl Service for Shop {
    fn sign_up(&mut self, email: &str, name: &str, profile: &Profile) -> Result<i64> {
        before::sign_up(&mut self.db, email, name, profile)
    }

    fn rename(&mut self, user: i64, name: &str) -> Result<bool> {
        before::rename(&mut self.db, user, name)
    }

    fn edit_profile(&mut self, user: i64, profile: &Profile) -> Result<()> {
        before::edit_profile(&mut self.db, user, profile)
    }

    fn user(&mut self, user: i64) -> Result<Option<User>> {
        before::user(&mut self.db, user)
    }

    fn delete_user(&mut self, user: i64) -> Result<bool> {
        before::delete_user(&mut self.db, user)
    }

    fn place_order(&mut self, user: i64, cents: i64) -> Result<i64> {
        before::place_order(&mut self.db, user, cents)
    }

    fn change_total(&mut self, order: i64, cents: i64) -> Result<bool> {
        before::change_total(&mut self.db, order, cents)
    }

    fn order(&mut self, order: i64) -> Result<Option<Order>> {
        before::order(&mut self.db, order)
    }
}
