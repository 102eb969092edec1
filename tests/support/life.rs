//! The whole life of a change: back from each phase, and forward to the end.
#![allow(clippy::panic, reason = "a test says by a panic that it fails")]

use coexist::catalog;
use coexist::plan::Phase;

use super::in_flight::InFlight;

/// A change over tables with data, and the schema that somebody would have who had written the new one in the first place.
pub struct Life<'a> {
    /// The tables.
    pub before: &'a str,
    /// What puts rows into them.
    pub data: &'a str,
    /// Operations.
    pub change: &'a str,
    /// The columns that the change adds stand last: `ALTER TABLE` cannot put them elsewhere.
    pub after: &'a str,
}

impl Life<'_> {
    fn change(&self, stage: &str) -> String {
        format!("change it {{ {} stage {stage}; }}", self.change)
    }

    /// Back from each phase, with the catalog as it was, and from where that left the database forward to the end.
    pub fn check(&self) -> InFlight {
        let mut db = InFlight::new(self.before, self.data, &self.change("expand"));
        let before = super::catalog_dump(&mut db.client);
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            db.reach(phase).roll_back();
            let now = super::catalog_dump(&mut db.client);
            assert!(now == before, "back from {}:\n{}", phase.name(), catalog::diff(&before, &now));
        }
        db.reach(Phase::Validated);
        db.plans = super::in_flight::plans(self.before, &self.change("contract"));
        db.reach(Phase::Contracted).retire();
        let database = super::database("after");
        let mut client = database.connect().unwrap();
        client.batch_execute(self.after).unwrap();
        let (wanted, got) = (super::catalog_dump(&mut client), super::catalog_dump(&mut db.client));
        assert!(got == wanted, "after the contract:\n{}", catalog::diff(&wanted, &got));
        db
    }
}
