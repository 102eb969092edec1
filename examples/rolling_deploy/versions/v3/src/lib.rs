//! Version 3 of the shop, at stage `contract`: it knows the shape after alone. `after.rs` is the file of version 2, and
//! `before.rs` is gone.

mod after;
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
    users: after::Users,
    orders: after::Orders,
}

impl Shop {
    /// Starts an instance on a connection; not on a database that is not far enough.
    pub fn start(mut db: Client) -> Result<Self> {
        let users = after::Users::prove(&mut db)?;
        let orders = after::Orders::prove(&mut db)?;
        Ok(Self { db, users, orders })
    }
}

impl Service for Shop {
    fn sign_up(&mut self, email: &str, name: &str, profile: &Profile) -> Result<i64> {
        self.users.sign_up(&mut self.db, email, name, profile)
    }

    fn rename(&mut self, user: i64, name: &str) -> Result<bool> {
        self.users.rename(&mut self.db, user, name)
    }

    fn edit_profile(&mut self, user: i64, profile: &Profile) -> Result<()> {
        self.users.edit_profile(&mut self.db, user, profile)
    }

    fn user(&mut self, user: i64) -> Result<Option<User>> {
        self.users.user(&mut self.db, user)
    }

    fn delete_user(&mut self, user: i64) -> Result<bool> {
        self.users.delete_user(&mut self.db, user)
    }

    fn place_order(&mut self, user: i64, cents: i64) -> Result<i64> {
        self.orders.place_order(&mut self.db, user, cents)
    }

    fn change_total(&mut self, order: i64, cents: i64) -> Result<bool> {
        self.orders.change_total(&mut self.db, order, cents)
    }

    fn order(&mut self, order: i64) -> Result<Option<Order>> {
        self.orders.order(&mut self.db, order)
    }
}
