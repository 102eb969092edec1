//! Whether what hangs on the columns that go can be made for those that come. Which functions, operators and operator classes there are for a
//! type, what is immutable, and what a default converts to, the server knows: it is asked at the first step, on an empty table of the same
//! columns, and not when an index is built after days of filling rows.

use super::carry::Carry;
use super::columns::Parts;
use super::sql::{Block, CONVERSION_ERRORS, anonymous};
use crate::ident::quote_literal;
use crate::model::apply::is_sequence_default;
use crate::model::{AfterColumn, Mapping, OnFailure};

/// The statement that fails, and says why, where something cannot be carried.
pub(super) fn statement(parts: &Parts<'_>, carry: &Carry<'_>) -> Option<String> {
    let converted = || parts.columns.mappings.iter().filter(|mapping| !mapping.rename);
    converted().next()?;
    let mut block = Block::default();
    let empty = parts.function("proof");
    let proofs = carry.proofs(&empty);
    if !proofs.is_empty() {
        block.line(format!("create table {} (like {});", empty.quoted(), parts.table.quoted()));
        for (name, statement) in &proofs {
            attempt(
                &mut block,
                statement,
                "syntax_error_or_access_rule_violation or data_exception or feature_not_supported",
                &format!("{name} cannot be carried over"),
                "Drop it before this change, and make one for the new column after the contract.",
            );
        }
        block.line(format!("drop table {};", empty.quoted()));
    }
    for after in converted().flat_map(|mapping: &Mapping| &mapping.after).filter(|after| may_be_refused(after)) {
        let Some(default) = parts.after.column(&after.name).and_then(|column| column.default.as_ref()) else {
            continue;
        };
        if !is_sequence_default(&default.text) {
            attempt(
                &mut block,
                &format!("perform {}", default.text),
                CONVERSION_ERRORS,
                &format!(
                    "the default that {} would get does not convert, and every write that relies on it would be refused",
                    after.name
                ),
                "Give the old column another default before this change, or say `or \"<expression>\"` behind `forward`.",
            );
        }
    }
    if block.text().is_empty() {
        return None;
    }
    let mut body = Block::default();
    body.open("begin").line(block.text()).close("end");
    Some(anonymous(body))
}

fn may_be_refused(after: &AfterColumn) -> bool {
    matches!(after.forward.on_failure, OnFailure::Reject)
}

fn attempt(block: &mut Block, statement: &str, errors: &str, message: &str, hint: &str) {
    block.open("begin").line(format!("{statement};")).branch(format!("exception when {errors} then"));
    block.line(format!(
        "raise exception using errcode = sqlstate, message = {} || sqlerrm,",
        quote_literal(&format!("{message}: "))
    ));
    block.line(format!("  hint = {};", quote_literal(hint))).close("end;");
}
