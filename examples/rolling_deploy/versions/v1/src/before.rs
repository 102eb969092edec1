//! The shop in the shape before: names in `users.name`, profiles in `users`, totals of 32 bits in `orders.total`.

use coexist::postgres::Client;
use shop_service::{Order, Profile, Result, User};

use crate::migrations::rename_user_name::before::users;
use crate::migrations::widen_order_total::before::orders;

pub fn sign_up(db: &mut Client, email: &str, name: &str, profile: &Profile) -> Result<i64> {
    let Profile { bio, avatar_url } = profile.clone();
    let user = users::Insert { bio, avatar_url, ..users::Insert::new(email, name) };
    Ok(users::insert(db, &user)?.id)
}

pub fn rename(db: &mut Client, user: i64, name: &str) -> Result<bool> {
    let name = users::Update { name: name.into(), ..Default::default() };
    Ok(users::update(db, user, &name)?.is_some())
}

pub fn edit_profile(db: &mut Client, user: i64, profile: &Profile) -> Result<()> {
    let Profile { bio, avatar_url } = profile.clone();
    let profile = users::Update { bio: bio.into(), avatar_url: avatar_url.into(), ..Default::default() };
    users::update(db, user, &profile)?;
    Ok(())
}

pub fn user(db: &mut Client, user: i64) -> Result<Option<User>> {
    let row = users::find(db, user)?;
    Ok(row.map(|row| User {
        id: row.id,
        email: row.email,
        name: row.name,
        profile: Profile { bio: row.bio, avatar_url: row.avatar_url },
    }))
}

pub fn delete_user(db: &mut Client, user: i64) -> Result<bool> {
    Ok(users::delete(db, user)?)
}

pub fn place_order(db: &mut Client, user: i64, cents: i64) -> Result<i64> {
    let order = orders::Insert::new(user, i32::try_from(cents)?);
    Ok(orders::insert(db, &order)?.id)
}

pub fn change_total(db: &mut Client, order: i64, cents: i64) -> Result<bool> {
    let total = orders::Update { total: i32::try_from(cents)?.into(), ..Default::default() };
    Ok(orders::update(db, order, &total)?.is_some())
}

pub fn order(db: &mut Client, order: i64) -> Result<Option<Order>> {
    let row = orders::find(db, order)?;
    Ok(row.map(|row| Order { id: row.id, user: row.user_id, cents: row.total.into() }))
}
