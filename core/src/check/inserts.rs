//! What an INSERT without any value for the after columns means.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, Reported};
use crate::model::{AfterColumn, Shape, Side};
use crate::schema::{Column, SqlText, Table};
use crate::syntax::InsertNulls;

use super::{at_line, listed, written_column};

/// An INSERT into a table whose columns are on their way to others.
pub struct Insert<'a> {
    /// Into what.
    pub table: &'a Table,
    /// The columns that go.
    pub before: &'a [&'a Column],
    /// The columns that come.
    pub after: &'a [AfterColumn],
    /// The before shape.
    pub shape: &'a Shape,
}

impl Insert<'_> {
    /// Which side such an INSERT is taken to be from, where the declaration has to say it; `Err` if there is a mistake in that.
    ///
    /// An INSERT of new code that leaves the after columns null looks like one of old code, in which they do not occur: the trigger
    /// sees null in both. Old code's row is to be converted, and gives a value where a before column's default does.
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

    /// Why an INSERT that leaves the after columns null can mean one thing only; `None` if it can mean two.
    fn why_clear(&self) -> Option<String> {
        if let Some(after) = self.after.iter().find(|after| after.not_null) {
            return Some(format!("`{}` is NOT NULL, so new code always gives it a value", after.name));
        }
        let is_null = |default: &SqlText| default.text.trim().eq_ignore_ascii_case("null");
        let gives_null = |column: &&&Column| column.identity.is_none() && column.default.as_ref().is_none_or(is_null);
        let keeps_null = |after: &AfterColumn| {
            after.forward.expression.maps_null_to_null_only(self.shape.schema(), |column| {
                self.before.iter().find(|before| before.name == column.name).map(|before| before.ty.clone())
            })
        };
        let both_null = || {
            let has = if self.before.len() == 1 { "has no default" } else { "have no defaults" };
            let all = if self.before.len() + self.after.len() == 2 { "both columns" } else { "all columns" };
            let without = if self.before.len() == 1 { "it" } else { "them" };
            format!("{} {has}, so an INSERT without {without} leaves {all} null either way", self.old())
        };
        (self.before.iter().all(|column| gives_null(&column)) && self.after.iter().all(keeps_null)).then(both_null)
    }

    fn old(&self) -> String {
        listed(self.before.iter().map(|column| &column.name))
    }

    /// Either reading is right for some code, and the wrong one loses what was meant without a trace.
    fn ambiguous(&self, span: Span, example: impl Fn(&str) -> String) -> Diagnostic {
        let (old, new) = (self.old(), listed(self.after.iter().map(|column| &column.name)));
        let verbs = |count: usize| if count == 1 { ("is", "stays") } else { ("are", "stay") };
        let ((before_is, _), (after_is, after_stays)) = (verbs(self.before.len()), verbs(self.after.len()));
        let with_default = self.before.iter().find_map(|column| Some((column, column.default.as_ref()?)));
        let gives = match with_default {
            Some((column, default)) => format!(
                "`{}` has the default {} ({})",
                written_column(&self.table.name, &column.name),
                default.text,
                at_line(column.line, self.shape.schema())
            ),
            None => "`forward` may make a value of null".to_owned(),
        };
        Diagnostic::new(span, format!("an INSERT without a value for {new} can mean two things"))
            .note(format!(
                "old code does not know {new}, and new code may mean null; the difference shows, because {gives}"
            ))
            .help(format!(
                "add `{}` to take such a row as old code's: {new} {after_is} made from {old}",
                example("insert nulls take before")
            ))
            .help(format!(
                "add `{}` to take it as new code's: {new} {after_stays} null, and {old} {before_is} made from that",
                example("insert nulls take after")
            ))
    }
}
