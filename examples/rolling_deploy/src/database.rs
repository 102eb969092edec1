//! The shop's database: a throw-away server, the tables, their data, and two roles. One owns the tables and makes the
//! changes; the other one is the service's, and may read and write rows, no more.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use coexist::catalog::{self, CatalogDump};
use coexist::postgres::{Client, Config, NoTls};
use coexist::sandbox::{Database, Sandbox};
use shop_service::{Order, Profile, User};

use crate::fleet::Clients;

pub struct ShopDatabase {
    server: Sandbox,
    database: Database,
}

impl ShopDatabase {
    /// Starts the server and fills the tables: `users` users and as many orders.
    pub fn start(users: u64) -> Result<Self> {
        let users = i64::try_from(users)?;
        let server = Sandbox::start()?;
        let database = server.database("shop")?;
        let name = database.name();
        database.connect()?.batch_execute(&format!(
            "create role shop_owner login;
             create role shop_service login;
             grant create on database {name} to shop_owner;
             grant create on schema public to shop_owner;"
        ))?;
        let shop = Self { server, database };
        let mut owner = shop.owner().connect(NoTls)?;
        owner.batch_execute(include_str!("../schema.sql"))?;
        owner.execute(
            "insert into public.users (email, name, bio, avatar_url)
             select format('user%s@example.com', n), format('User %s', n),
                 case when n % 3 > 0 then format('All about user %s', n) end,
                 case when n % 2 > 0 then format('https://example.com/%s.png', n) end
             from generate_series(1, $1::bigint) as n",
            &[&users],
        )?;
        owner.execute(
            "insert into public.orders (user_id, total)
             select 1 + n * 7 % $1, n % 50000 from generate_series(1, $1::bigint) as n",
            &[&users],
        )?;
        owner.batch_execute("analyze public.users; analyze public.orders")?;
        Ok(shop)
    }

    /// The major version of the server.
    pub fn server_version(&self) -> u32 {
        self.server.version()
    }

    /// The address for the role that owns the tables.
    pub fn owner(&self) -> Config {
        let mut config = self.database.config();
        config.user("shop_owner");
        config
    }

    /// A connection of the role that the service has.
    pub fn connect_as_service(&self) -> Result<Client> {
        self.service().connect(NoTls).context("an instance cannot connect")
    }

    /// The address for the role that the service has.
    pub fn service(&self) -> Config {
        let mut config = self.database.config();
        config.user("shop_service");
        config
    }

    /// All that the catalog says, without the ledger.
    pub fn catalog(&self) -> Result<CatalogDump> {
        Ok(catalog::dump(&mut self.database.connect()?, &["coexist"])?)
    }

    /// All users and orders as they are before any change.
    pub fn content_before(&self) -> Result<(BTreeMap<i64, User>, BTreeMap<i64, Order>)> {
        self.content(
            "select id, email, name, bio, avatar_url from public.users",
            "select id, user_id, total::bigint from public.orders",
        )
    }

    /// Holds all that is in the tables after the last step against what those remember who wrote it.
    pub fn compare_with(&self, clients: &mut Clients) -> Result<()> {
        let (users, orders) = self.content(
            "select id, email, full_name, bio, avatar_url from public.users left join public.profiles on user_id = id",
            "select id, user_id, total_cents from public.orders",
        )?;
        clients.compare(&users, &orders);
        Ok(())
    }

    fn content(&self, users: &str, orders: &str) -> Result<(BTreeMap<i64, User>, BTreeMap<i64, Order>)> {
        let mut client = self.owner().connect(NoTls)?;
        let mut found = (BTreeMap::new(), BTreeMap::new());
        for row in client.query(users, &[])? {
            let profile = Profile { bio: row.try_get(3)?, avatar_url: row.try_get(4)? };
            let user = User { id: row.try_get(0)?, email: row.try_get(1)?, name: row.try_get(2)?, profile };
            found.0.insert(user.id, user);
        }
        for row in client.query(orders, &[])? {
            let order = Order { id: row.try_get(0)?, user: row.try_get(1)?, cents: row.try_get(2)? };
            found.1.insert(order.id, order);
        }
        Ok(found)
    }
}
