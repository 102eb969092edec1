//! What the command line says.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "usage: rolling_deploy [--users NUMBER] [--beat MILLISECONDS]";

/// How large the shop is, and how long the run takes.
pub struct Settings {
    /// How many users it begins with, and how many orders.
    pub users: u64,
    /// How long to look on after each step.
    pub beat: Duration,
}

impl Settings {
    pub fn from_args() -> Result<Self> {
        let mut settings = Self { users: 20_000, beat: Duration::from_millis(1500) };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let mut number = || -> Result<u32> {
                let value = args.next().context(USAGE)?;
                value.parse().with_context(|| format!("`{value}` is not a number; {USAGE}"))
            };
            match name.as_str() {
                "--users" => settings.users = number()?.max(100).into(),
                "--beat" => settings.beat = Duration::from_millis(number()?.into()),
                _ => bail!("unknown argument `{name}`; {USAGE}"),
            }
        }
        Ok(settings)
    }
}
