//! What an INSERT without any value for the after columns means.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, Reported};
use crate::model::{AfterColumn, Shape, Side};
use crate::schema::{Column, SqlText, Table};
use crate::syntax::InsertNulls;

use super::{at_line, written_column};

/// An INSERT into a table whose column is on its way to another one.
pub struct Insert<'a> {
    /// Into what.
    pub table: &'a Table,
    /// The column that goes.
    pub before: &'a Column,
    /// The column that comes.
    pub after: &'a AfterColumn,
    /// The before shape.
    pub shape: &'a Shape,
}

impl Insert<'_> {
    /// Which side such an INSERT is taken to be from, where the declaration has to say it; `Err` if there is a mistake in that.
    ///
    /// An INSERT of new code that leaves the after column null looks like one of old code, in which that column does not occur: the trigger
    /// sees null in both. Old code's row is to be converted, and gives a value where the before column's default does.
    pub fn meaning(
        &self,
        declared: Option<&InsertNulls>,
        span: Span,
        example: impl Fn(&str) -> String,
        errors: &mut Errors,
    ) -> Result<Option<Side>, Reported> {
        let diagnostic = match (declared, self.why_clear()) {
            (None, Some(_)) => return Ok(None),
            (Some(declared), None) => return Ok(Some(if declared.after { Side::After } else { Side::Before })),
            (None, None) => self.ambiguous(span, example),
            (Some(declared), Some(why)) => Diagnostic::new(declared.span, "`insert nulls` has nothing to decide here")
                .note(why)
                .help("leave it out"),
        };
        errors.push(diagnostic);
        Err(Reported)
    }

    /// Why an INSERT that leaves the after column null can mean one thing only; `None` if it can mean two.
    fn why_clear(&self) -> Option<String> {
        let (before, after) = (self.before, self.after);
        if after.not_null {
            return Some(format!("`{}` is NOT NULL, so new code always gives it a value", after.name));
        }
        let is_null = |default: &SqlText| default.text.trim().eq_ignore_ascii_case("null");
        let default_is_null = before.identity.is_none() && before.default.as_ref().is_none_or(is_null);
        let keeps_null =
            after.forward.expression.maps_null_to_null_only(self.shape.schema(), |_| Some(before.ty.clone()));
        let both_null =
            || format!("`{}` has no default, so an INSERT without it leaves both columns null either way", before.name);
        (default_is_null && keeps_null).then(both_null)
    }

    /// Either reading is right for some code, and the wrong one loses what was meant without a trace.
    fn ambiguous(&self, span: Span, example: impl Fn(&str) -> String) -> Diagnostic {
        let (old, new) = (&self.before.name, &self.after.name);
        let gives = match &self.before.default {
            Some(default) => format!(
                "`{}` has the default {} ({})",
                written_column(&self.table.name, old),
                default.text,
                at_line(self.before.line, self.shape.schema())
            ),
            None => "`forward` may make a value of null".to_owned(),
        };
        Diagnostic::new(span, format!("an INSERT without a value for `{new}` can mean two things"))
            .note(format!(
                "old code does not know `{new}`, and new code may mean null; the difference shows, because {gives}"
            ))
            .help(format!(
                "add `{}` to take such a row as old code's: `{new}` is made from `{old}`",
                example("insert nulls take before")
            ))
            .help(format!(
                "add `{}` to take it as new code's: `{new}` stays null, and `{old}` is made from that",
                example("insert nulls take after")
            ))
    }
}
