//! What the change itself made: recorded at the end of each phase, and looked at again before the next one begins (H75).

use super::{Kind, Look};
use crate::database::Transaction;
use crate::error::{Error, Result};

/// Object and definition of everything that bears the mark of change `$1`.
const OWN: &str = include_str!("sql/own.sql");

/// Records what belongs to the change now.
pub(crate) fn record(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute(
        &format!(
            "update coexist.changes
            set belongings = (
                select jsonb_build_object('phase', phase, 'objects', coalesce(jsonb_object_agg(object, definition), '{{}}'))
                from ({OWN}) as own
            )
            where name = $1"
        ),
        &[&change],
    )
    .map_err(Error::database(format!("recording what belongs to change `{change}`")))?;
    Ok(())
}

/// What was there at the end of the last phase, and is gone or otherwise now. Where the files were run by hand since, nothing is known of it.
pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let change = look.plan.change.as_str();
    let rows = tx
        .query(
            &format!(
                "select was.key, was.value, own.definition
                from coexist.changes
                cross join lateral jsonb_each_text(belongings -> 'objects') as was
                left join ({OWN}) as own on own.object = was.key
                where name = $1 and belongings ->> 'phase' = phase and own.definition is distinct from was.value
                order by was.key"
            ),
            &[&change],
        )
        .map_err(Error::database(format!("looking at what belongs to change `{change}`")))?;
    for row in rows {
        let (object, was, now): (String, String, Option<String>) = (row.get(0), row.get(1), row.get(2));
        let reason = match now {
            None => "this change made it, and it is gone, or lost the comment that says whose it is".to_string(),
            Some(now) => format!("this change made it, and somebody changed it: it was `{was}`, and is `{now}`"),
        };
        look.add(Kind::OwnChanged, object, reason, "put it back as it was, or take the change back and begin again");
    }
    Ok(())
}
