//! Whether what stands for a column that goes away can stand in the expressions that read it.

use crate::diagnostic::Errors;
use crate::model::apply::{StandIn, expression_columns, stand_in, target_columns};
use crate::model::{ColumnsChange, Conversion, OnFailure};
use crate::schema::{ConstraintKind, IndexTarget, Table};
use crate::sql::fitness::{self, Surroundings};

use super::dependents::Touched;

/// What has an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A check constraint.
    Check,
    /// An index or statistics, which are made of values that stay what they are.
    Index,
}

/// Why an expression cannot be made of what is written back to the columns that it reads.
pub fn why_not(backward: &[Conversion], reader: Reader, surroundings: &Surroundings<'_>) -> Option<String> {
    if backward.is_empty() {
        return Some("with `irreversible` nothing says what its expression means in the after shape".to_owned());
    }
    backward.iter().find_map(|backward| {
        let otherwise = match backward.on_failure {
            OnFailure::Never | OnFailure::Reject => None,
            OnFailure::Quarantine => Some("or quarantine"),
            OnFailure::Expression(_) => Some("or \"…\""),
        };
        if let Some(otherwise) = otherwise {
            return Some(format!(
                "its expression would be made of `backward`, and fail with a value that `{otherwise}` lets through"
            ));
        }
        let call = fitness::call_that_is_not_immutable(&backward.expression, surroundings);
        call.filter(|_| reader == Reader::Index).map(|call| {
            format!("its expression would be made of `backward`, whose `{call}` is not immutable, as an index needs it")
        })
    })
}

/// Refuses a change after which an expression over the column could not be computed.
pub fn follows(touched: &Touched<'_>, change: &ColumnsChange, server: u32, errors: &mut Errors) {
    let backward = match stand_in(change, touched.table, touched.column) {
        Some(StandIn::Column(_)) => return,
        Some(StandIn::Backward(backward)) => std::slice::from_ref(backward),
        None => &[],
    };
    let schema = touched.shape.schema();
    let surroundings =
        Surroundings { schema, search_path: &[&touched.table.name.schema, "public"], column_type: &|_| None, server };
    for (what, name, line, reader) in readers(touched.table, touched.column) {
        if let Some(why) = why_not(backward, reader, &surroundings) {
            errors.push(
                touched.hindrance(format!("{what} `{name}` reads it"), line, &why).help(format!(
                    "drop `{name}` before this change, and make one for the new column after the contract"
                )),
            );
        }
    }
}

/// What reads a column in an expression: its kind, its name, its line.
fn readers<'t>(table: &'t Table, column: &str) -> Vec<(&'static str, &'t str, u32, Reader)> {
    let names = |columns: Vec<String>| columns.iter().any(|name| name == column);
    let of_keys = |targets: Vec<&IndexTarget>| {
        let expressions = targets.into_iter().filter(|target| matches!(target, IndexTarget::Expression(_)));
        names(target_columns(&expressions.cloned().collect::<Vec<_>>()))
    };
    let checks = table.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression, .. } if names(expression_columns(expression)) => {
            Some(("check", constraint.name.as_str(), constraint.line, Reader::Check))
        }
        _ => None,
    });
    let indexes = table.indexes.iter().filter(|index| {
        let in_predicate = index.predicate.as_ref().is_some_and(|predicate| names(expression_columns(predicate)));
        in_predicate || of_keys(index.keys.iter().map(|key| &key.on).collect())
    });
    let indexes = indexes.map(|index| ("index", index.name.as_str(), index.line, Reader::Index));
    let statistics = table.statistics.iter().filter(|statistics| of_keys(statistics.on.iter().collect()));
    let statistics =
        statistics.map(|statistics| ("statistics", statistics.name.name.as_str(), statistics.line, Reader::Index));
    checks.chain(indexes).chain(statistics).collect()
}
