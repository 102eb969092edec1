//! The user that the server runs as.

use super::error::Error;
use super::supervisor::output_of;

/// Users that exist on most systems and own nothing of value. PostgreSQL's own comes second: it may own a real cluster.
const ORDINARY_USERS: [&str; 2] = ["nobody", "postgres"];

#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The user to step down to: none unless this process runs as root, which PostgreSQL refuses.
    pub(super) fn to_step_down_to() -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        ORDINARY_USERS
            .into_iter()
            .find_map(Self::named)
            .map(Some)
            .ok_or(Error::NoOrdinaryUser { tried: &ORDINARY_USERS })
    }

    /// `id` knows users from every source that the system is set up for, not only those in `/etc/passwd`.
    fn named(name: &str) -> Option<Self> {
        let id = |option| output_of("id", &[option, name])?.parse::<u32>().ok();
        let (uid, gid) = (id("-u")?, id("-g")?);
        (uid != 0).then(|| Self { name: name.to_owned(), uid, gid })
    }
}
