//! The shop in the shape after: names in `users.full_name`, profiles in a table of their own, totals of 64 bits in
//! `orders.total_cents`.
//!
//! All of it takes proofs that the database is that far.

use coexist::postgres::Client;
use coexist::proof::ProofError;
use shop_service::{Order, Profile, Result, User};

use crate::migrations::rename_user_name::after::users;
use crate::migrations::split_user_profile::after::profiles;
use crate::migrations::widen_order_total::after::orders;
use crate::migrations::{rename_user_name, split_user_profile, widen_order_total};

/// That all users are in the shape after. As all proofs, it takes no space, and is copied like a number.
#[derive(Clone, Copy)]
pub struct Users {
    renamed: rename_user_name::Backfilled,
    split: split_user_profile::Backfilled,
}

/// That all orders are in the shape after.
#[derive(Clone, Copy)]
pub struct Orders {
    widened: widen_order_total::Backfilled,
}

impl Users {
    pub fn prove(db: &mut Client) -> Result<Self, ProofError> {
        Ok(Self {
            renamed: rename_user_name::Backfilled::prove(db)?,
            split: split_user_profile::Backfilled::prove(db)?,
        })
    }

    pub fn sign_up(self, db: &mut Client, email: &str, name: &str, profile: &Profile) -> Result<i64> {
        let mut transaction = db.transaction()?;
        let user = users::insert(self.renamed.on(&mut transaction), &users::Insert::new(email, name))?.id;
        if !profile.is_empty() {
            profiles::insert(self.split.on(&mut transaction), &new_profile(user, profile))?;
        }
        transaction.commit()?;
        Ok(user)
    }

    pub fn rename(self, db: &mut Client, user: i64, name: &str) -> Result<bool> {
        let name = users::Update { full_name: name.into(), ..Default::default() };
        Ok(users::update(self.renamed.on(db), user, &name)?.is_some())
    }

    pub fn edit_profile(self, db: &mut Client, user: i64, profile: &Profile) -> Result<()> {
        if profile.is_empty() {
            profiles::delete(self.split.on(db), user)?;
            return Ok(());
        }
        let Profile { bio, avatar_url } = profile.clone();
        let changed = profiles::Update { bio: bio.into(), avatar_url: avatar_url.into(), ..Default::default() };
        if profiles::update(self.split.on(db), user, &changed)?.is_none() {
            profiles::insert(self.split.on(db), &new_profile(user, profile))?;
        }
        Ok(())
    }

    pub fn user(self, db: &mut Client, user: i64) -> Result<Option<User>> {
        let Some(row) = users::find(self.renamed.on(db), user)? else { return Ok(None) };
        let profile = profiles::find(self.split.on(db), user)?;
        let profile = profile.map(|row| Profile { bio: row.bio, avatar_url: row.avatar_url }).unwrap_or_default();
        Ok(Some(User { id: row.id, email: row.email, name: row.full_name, profile }))
    }

    pub fn delete_user(self, db: &mut Client, user: i64) -> Result<bool> {
        Ok(users::delete(self.renamed.on(db), user)?)
    }
}

impl Orders {
    pub fn prove(db: &mut Client) -> Result<Self, ProofError> {
        Ok(Self { widened: widen_order_total::Backfilled::prove(db)? })
    }

    pub fn place_order(self, db: &mut Client, user: i64, cents: i64) -> Result<i64> {
        Ok(orders::insert(self.widened.on(db), &orders::Insert::new(user, cents))?.id)
    }

    pub fn change_total(self, db: &mut Client, order: i64, cents: i64) -> Result<bool> {
        let total = orders::Update { total_cents: cents.into(), ..Default::default() };
        Ok(orders::update(self.widened.on(db), order, &total)?.is_some())
    }

    pub fn order(self, db: &mut Client, order: i64) -> Result<Option<Order>> {
        let row = orders::find(self.widened.on(db), order)?;
        Ok(row.map(|row| Order { id: row.id, user: row.user_id, cents: row.total_cents }))
    }
}

fn new_profile(user: i64, profile: &Profile) -> profiles::Insert {
    let Profile { bio, avatar_url } = profile.clone();
    profiles::Insert { bio, avatar_url, ..profiles::Insert::new(user) }
}
