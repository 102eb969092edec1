//! What the clients of one instance do, and what they remember of it: a write that is lost is one that somebody
//! remembers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use shop_service::{Order, Profile, Service, User};

use crate::fleet::Version;

/// Between two things that a client does.
const PAUSE: Duration = Duration::from_millis(2);

const NAMES: [&str; 6] =
    ["Ada Lovelace", "Alan Turing", "Barbara Liskov", "Edgar Codd", "Grace Hopper", "Michael Stonebraker"];

/// The clients of one instance. They outlive it: the instance that takes its place has the same clients.
pub struct Load {
    /// Which instance: 0, 1, …
    instance: usize,
    random: fastrand::Rng,
    /// Grows with every value that is made up, so that no two are the same.
    made_up: u64,
    // What was written last, where nobody else writes. The name of a user and the user's profile are not written by
    // the clients of the same instance: so both versions of the service write the same row, each in its own shape.
    names: BTreeMap<i64, String>,
    profiles: BTreeMap<i64, Profile>,
    orders: BTreeMap<i64, Order>,
    /// Users that signed up here, and may be deleted.
    signed_up: Vec<i64>,
    /// Each call of the service.
    pub calls: Vec<Call>,
    /// What was found to be different from what was written.
    pub lost: Vec<String>,
}

/// One call of the service.
pub struct Call {
    pub at: Instant,
    pub took: Duration,
    pub version: Version,
    pub error: Option<String>,
}

/// An instance of the service, as its clients see it: every call is measured.
struct Measured<'a> {
    service: &'a mut dyn Service,
    version: Version,
    calls: &'a mut Vec<Call>,
}

impl Measured<'_> {
    /// `None` where it fails.
    fn call<T>(&mut self, what: &str, call: impl FnOnce(&mut dyn Service) -> Result<T>) -> Option<T> {
        let at = Instant::now();
        let result = call(self.service);
        let error = result.as_ref().err().map(|error| format!("{what}: {error:#}"));
        self.calls.push(Call { at, took: at.elapsed(), version: self.version, error });
        result.ok()
    }
}

impl Load {
    /// The clients of instance number `instance` of `instances`: each row has its writers among one of them.
    pub fn new(instance: usize, instances: usize, users: &BTreeMap<i64, User>, orders: &BTreeMap<i64, Order>) -> Self {
        let writes = |id: i64| id.unsigned_abs() as usize % instances == instance;
        let names = users.values().filter(|user| writes(user.id)).map(|user| (user.id, user.name.clone()));
        let profiles = users.values().filter(|user| writes(user.id + 1)).map(|user| (user.id, user.profile.clone()));
        let orders = orders.values().filter(|order| writes(order.id)).map(|order| (order.id, order.clone()));
        Self {
            instance,
            random: fastrand::Rng::with_seed(instance as u64),
            made_up: 0,
            names: names.collect(),
            profiles: profiles.collect(),
            orders: orders.collect(),
            signed_up: Vec::new(),
            calls: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// One client does something, and looks at the result.
    pub fn step(&mut self, service: &mut dyn Service, version: Version) {
        let mut calls = std::mem::take(&mut self.calls);
        let mut service = Measured { service, version, calls: &mut calls };
        // What fails is on record.
        let _ = match self.random.u32(0..100) {
            0..35 => self.look_up_user(&mut service),
            35..50 => self.look_up_order(&mut service),
            50..62 => self.rename(&mut service),
            62..74 => self.edit_profile(&mut service),
            74..84 => self.place_order(&mut service),
            84..92 => self.change_total(&mut service),
            92..97 => self.sign_up(&mut service),
            _ => self.delete_user(&mut service),
        };
        self.calls = calls;
        std::thread::sleep(PAUSE);
    }

    fn look_up_user(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let user = any(&self.names, &mut self.random)?;
        self.check_user(service, user)
    }

    fn look_up_order(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let order = any(&self.orders, &mut self.random)?;
        self.check_order(service, order)
    }

    fn rename(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let user = any(&self.names, &mut self.random)?;
        let name = self.make_up_name();
        service.call("rename", |service| service.rename(user, &name))?;
        self.names.insert(user, name);
        self.check_user(service, user)
    }

    fn edit_profile(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let user = any(&self.profiles, &mut self.random)?;
        let profile = self.make_up_profile();
        service.call("edit profile", |service| service.edit_profile(user, &profile))?;
        self.profiles.insert(user, profile);
        self.check_user(service, user)
    }

    fn place_order(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let user = any(&self.names, &mut self.random)?;
        let cents = self.random.i64(0..1_000_000);
        let id = service.call("place order", |service| service.place_order(user, cents))?;
        self.orders.insert(id, Order { id, user, cents });
        self.check_order(service, id)
    }

    fn change_total(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let id = any(&self.orders, &mut self.random)?;
        let cents = self.random.i64(0..1_000_000);
        service.call("change total", |service| service.change_total(id, cents))?;
        if let Some(order) = self.orders.get_mut(&id) {
            order.cents = cents;
        }
        self.check_order(service, id)
    }

    fn sign_up(&mut self, service: &mut Measured<'_>) -> Option<()> {
        let (name, profile) = (self.make_up_name(), self.make_up_profile());
        let email = format!("new{}.{}@example.com", self.instance, self.made_up);
        let user = service.call("sign up", |service| service.sign_up(&email, &name, &profile))?;
        self.names.insert(user, name);
        self.profiles.insert(user, profile);
        self.signed_up.push(user);
        self.check_user(service, user)
    }

    fn delete_user(&mut self, service: &mut Measured<'_>) -> Option<()> {
        if self.signed_up.is_empty() {
            return None;
        }
        let user = self.signed_up.swap_remove(self.random.usize(0..self.signed_up.len()));
        service.call("delete user", |service| service.delete_user(user))?;
        self.names.remove(&user);
        self.profiles.remove(&user);
        self.orders.retain(|_, order| order.user != user);
        if service.call("look up user", |service| service.user(user))?.is_some() {
            self.lost.push(format!("user {user} was deleted, and is there again"));
        }
        Some(())
    }

    fn check_user(&mut self, service: &mut Measured<'_>, id: i64) -> Option<()> {
        let found = service.call("look up user", |service| service.user(id))?;
        self.compare_user(id, found.as_ref());
        Some(())
    }

    fn check_order(&mut self, service: &mut Measured<'_>, id: i64) -> Option<()> {
        let found = service.call("look up order", |service| service.order(id))?;
        self.compare_order(id, found.as_ref());
        Some(())
    }

    fn compare_user(&mut self, id: i64, found: Option<&User>) {
        let name = self.names.get(&id);
        let profile = self.profiles.get(&id);
        let same = found.is_some_and(|found| {
            name.is_none_or(|name| found.name == *name) && profile.is_none_or(|profile| found.profile == *profile)
        });
        if !same {
            self.lost.push(format!("user {id}: wrote {name:?} and {profile:?}, found {found:?}"));
        }
    }

    fn compare_order(&mut self, id: i64, found: Option<&Order>) {
        let wrote = self.orders.get(&id);
        if wrote != found {
            self.lost.push(format!("order {id}: wrote {wrote:?}, found {found:?}"));
        }
    }

    /// Holds all that these clients remember against what is there.
    pub fn compare(&mut self, users: &BTreeMap<i64, User>, orders: &BTreeMap<i64, Order>) {
        let remembered: Vec<i64> = self.names.keys().chain(self.profiles.keys()).copied().collect();
        for id in remembered {
            self.compare_user(id, users.get(&id));
        }
        let remembered: Vec<i64> = self.orders.keys().copied().collect();
        for id in remembered {
            self.compare_order(id, orders.get(&id));
        }
    }

    /// How many users and orders these clients answer for.
    pub fn rows(&self) -> (usize, usize) {
        (self.names.len(), self.orders.len())
    }

    fn make_up_name(&mut self) -> String {
        self.made_up += 1;
        let name = self.random.choice(NAMES).unwrap_or_default();
        format!("{name} {}.{}", self.instance, self.made_up)
    }

    /// One in four is empty.
    fn make_up_profile(&mut self) -> Profile {
        self.made_up += 1;
        let what = format!("{}.{}", self.instance, self.made_up);
        Profile {
            bio: self.random.bool().then(|| format!("All about {what}")),
            avatar_url: self.random.bool().then(|| format!("https://example.com/{what}.png")),
        }
    }
}

/// The key of some entry.
fn any<T>(entries: &BTreeMap<i64, T>, random: &mut fastrand::Rng) -> Option<i64> {
    let (first, last) = (*entries.keys().next()?, *entries.keys().next_back()?);
    let from = random.i64(first..=last);
    entries.range(from..).next().map(|(key, _)| *key)
}
