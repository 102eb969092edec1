//! The instances of the service, each a thread with a connection of its own, replaced one by one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use coexist::postgres::{Config, NoTls};
use shop_service::{Order, Service, User};

use crate::database::ShopDatabase;
use crate::load::{Call, Load};

/// How many instances run.
const INSTANCES: usize = 4;

/// A version of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V1,
    V2,
    V3,
}

impl Version {
    pub const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    fn start(self, database: &Config) -> Result<Box<dyn Service + Send>> {
        let db = database.connect(NoTls)?;
        Ok(match self {
            Self::V1 => Box::new(shop_v1::Shop::start(db)),
            Self::V2 => Box::new(shop_v2::Shop::start(db)?),
            Self::V3 => Box::new(shop_v3::Shop::start(db)?),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

/// All instances.
pub struct Fleet {
    database: Config,
    instances: Vec<Instance>,
}

struct Instance {
    version: Version,
    stop: Arc<AtomicBool>,
    /// Gives the clients back when it ends.
    thread: JoinHandle<Load>,
}

impl Instance {
    fn start(version: Version, mut service: Box<dyn Service + Send>, mut load: Load) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                load.step(service.as_mut(), version);
            }
            load
        });
        Self { version, stop, thread }
    }

    /// Ends it after what it is doing now.
    fn stop(self) -> Result<Load> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("an instance of {} panicked", self.version))
    }
}

impl Fleet {
    /// Starts all instances with version 1.
    pub fn start(database: &ShopDatabase) -> Result<Self> {
        let (users, orders) = database.content_before()?;
        let mut fleet = Self { database: database.service(), instances: Vec::new() };
        for instance in 0..INSTANCES {
            let service = Version::V1.start(&fleet.database)?;
            let load = Load::new(instance, INSTANCES, &users, &orders);
            fleet.instances.push(Instance::start(Version::V1, service, load));
        }
        Ok(fleet)
    }

    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Puts a new instance in the place of one. The new one is up before the old one is stopped.
    pub fn replace(&mut self, instance: usize, version: Version) -> Result<()> {
        let service = version.start(&self.database).with_context(|| format!("{version} does not start"))?;
        let load = self.instances.remove(instance).stop()?;
        self.instances.insert(instance, Instance::start(version, service, load));
        Ok(())
    }

    /// Stops all instances.
    pub fn stop(self) -> Result<Clients> {
        let loads: Vec<Load> = self.instances.into_iter().map(Instance::stop).collect::<Result<_>>()?;
        Ok(Clients { loads, strange: Vec::new() })
    }
}

/// The versions of the instances: `v1 v1 v2 v2`.
impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<String> = self.instances.iter().map(|instance| instance.version.to_string()).collect();
        f.write_str(&versions.join(" "))
    }
}

/// All clients, after the end.
pub struct Clients {
    loads: Vec<Load>,
    /// Rows that nobody wrote.
    strange: Vec<String>,
}

impl Clients {
    /// Each call of the service.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.loads.iter().flat_map(|load| &load.calls)
    }

    /// What was found to be different from what was written.
    pub fn lost(&self) -> impl Iterator<Item = &String> {
        self.loads.iter().flat_map(|load| &load.lost).chain(&self.strange)
    }

    /// How many users and orders there should be.
    pub fn rows(&self) -> (usize, usize) {
        self.loads.iter().map(Load::rows).fold((0, 0), |sum, rows| (sum.0 + rows.0, sum.1 + rows.1))
    }

    /// Holds all that they remember against what is there.
    pub fn compare(&mut self, users: &BTreeMap<i64, User>, orders: &BTreeMap<i64, Order>) {
        self.loads.iter_mut().for_each(|load| load.compare(users, orders));
        let (known_users, known_orders) = self.rows();
        for (what, found, known) in [("users", users.len(), known_users), ("orders", orders.len(), known_orders)] {
            if found != known {
                self.strange.push(format!("there are {found} {what}, and should be {known}"));
            }
        }
    }
}
