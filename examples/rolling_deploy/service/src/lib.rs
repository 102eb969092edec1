//! What the shop does, whatever its tables look like: all its versions have this in common.

pub use anyhow::Result;

/// One running instance of the shop, with a connection of its own.
pub trait Service {
    /// Adds a user and answers with the id.
    fn sign_up(&mut self, email: &str, name: &str, profile: &Profile) -> Result<i64>;

    /// Gives a user another name; false where there is no such user.
    fn rename(&mut self, user: i64, name: &str) -> Result<bool>;

    /// Replaces a user's profile.
    fn edit_profile(&mut self, user: i64, profile: &Profile) -> Result<()>;

    /// Looks a user up.
    fn user(&mut self, user: i64) -> Result<Option<User>>;

    /// Removes a user and the user's orders; false where there is no such user.
    fn delete_user(&mut self, user: i64) -> Result<bool>;

    /// Adds an order and answers with its id.
    fn place_order(&mut self, user: i64, cents: i64) -> Result<i64>;

    /// Changes the total of an order; false where there is no such order.
    fn change_total(&mut self, order: i64, cents: i64) -> Result<bool>;

    /// Looks an order up.
    fn order(&mut self, order: i64) -> Result<Option<Order>>;
}

/// A user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub profile: Profile,
}

/// What users tell of themselves: all of it, some, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pub bio: Option<String>,
    pub avatar_url: Option<String>,
}

impl Profile {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: i64,
    pub user: i64,
    pub cents: i64,
}
