//! `require`, `relax`, `constrain`, `unconstrain`, `default`, `comment`: what a table says of its rows.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::rules::{self, Row};
use crate::check::{at_line, dependents, lookup, written, written_column, written_table};
use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::rules::{
    CommentChange, ConstrainChange, DefaultChange, RelaxChange, RequireChange, RuleChange, UnconstrainChange,
};
use crate::plan::Stage;
use crate::schema::{Column, SqlText, Table};
use crate::syntax::rules::{Comment, Constrain, Relax, Require, Rule, SetDefault, Unconstrain};
use crate::syntax::{ColumnPath, Name, TablePath};

impl<'a> Resolution<'a> {
    pub(super) fn rule(&self, tree: &Rule, claim: &mut Claim, errors: &mut Errors) -> Option<RuleChange> {
        Some(match tree {
            Rule::Require(tree) => RuleChange::Require(self.require(tree, claim, errors)?),
            Rule::Relax(tree) => RuleChange::Relax(self.relax(tree, claim, errors)?),
            Rule::Constrain(tree) => RuleChange::Constrain(self.constrain(tree, claim, errors)?),
            Rule::Unconstrain(tree) => RuleChange::Unconstrain(self.unconstrain(tree, claim, errors)?),
            Rule::Default(tree) => RuleChange::Default(self.set_default(tree, claim, errors)?),
            Rule::Comment(tree) => RuleChange::Comment(self.comment(tree, claim, errors)?),
        })
    }

    fn require(&self, tree: &Require, claim: &mut Claim, errors: &mut Errors) -> Option<RequireChange> {
        let (table, column) = self.ruled_column(&tree.column, errors)?;
        let span = tree.column.column.span;
        if column.not_null {
            errors.push(self.says_so_already(
                span,
                format!("`{}` is NOT NULL already", written_column(&table.name, &column.name)),
                column.line,
            ));
            return None;
        }
        let row = self.row(table);
        let example = format!("require {} ", written_column(&table.name, &column.name));
        let policy = rules::policy(&tree.policy, Some(column), tree.keyword, &example, &row, errors)?;
        uses(claim, table, [(column.name.as_str(), span)]);
        self.reads(claim, table, &policy.repairs, tree.keyword);
        claim.rules.push((table.name.clone(), format!("NOT NULL of `{}`", column.name), span));
        Some(RequireChange { table: table.name.clone(), column: column.name.clone(), policy })
    }

    fn relax(&self, tree: &Relax, claim: &mut Claim, errors: &mut Errors) -> Option<RelaxChange> {
        let (table, column) = self.ruled_column(&tree.column, errors)?;
        let span = tree.column.column.span;
        if !column.not_null {
            errors.push(self.says_so_already(
                span,
                format!("`{}` is nullable already", written_column(&table.name, &column.name)),
                column.line,
            ));
            return None;
        }
        rules::can_be_nullable(table, column, span, self.shape, errors)?;
        let early = rules::nulls(tree, table, column, &self.row(table), errors)?;
        uses(claim, table, [(column.name.as_str(), span)]);
        claim.rules.push((table.name.clone(), format!("NOT NULL of `{}`", column.name), span));
        Some(RelaxChange { table: table.name.clone(), column: column.name.clone(), early })
    }

    fn constrain(&self, tree: &Constrain, claim: &mut Claim, errors: &mut Errors) -> Option<ConstrainChange> {
        let table = self.ruled_table(&tree.table, errors)?;
        if let Some(name) = &tree.name
            && let Some(there) = table.constraints.iter().find(|constraint| constraint.name == name.text)
            && self.draft.stage == Stage::Contract
        {
            let message = format!("constraint `{}` of `{}` is there already", name.text, written_table(&table.name));
            errors.push(self.says_so_already(name.span, message, there.line));
            return None;
        }
        let row = self.row(table);
        let new = rules::constraint(tree, &row, &self.around, errors)?;
        let mut example = format!("constrain {}: … ", written_table(&table.name));
        if let (None, crate::syntax::rules::Definition::Check(_)) = (&new.references, &tree.definition) {
            example =
                format!("constrain {}: check {} \"…\" ", written_table(&table.name), written(&new.constraint.name));
        }
        let policy = rules::policy(&tree.policy, None, tree.span, &example, &row, errors)?;
        rules::policy_fits(tree, &new, &policy, &row, errors)?;
        let span = tree.name.as_ref().map_or(tree.span, |name| name.span);
        uses(claim, table, new.columns.iter().map(|column| (column.as_str(), span)));
        self.reads(claim, table, &policy.repairs, tree.keyword);
        if let Some((referenced, columns)) = &new.references {
            claim.used.extend(columns.iter().map(|column| (referenced.clone(), column.clone(), span)));
        }
        claim.rules.push((table.name.clone(), format!("constraint `{}`", new.constraint.name), span));
        if new.constraint.kind.has_index() {
            claim.objects.push((QualifiedName::new(&table.name.schema, &new.constraint.name), span));
        }
        Some(ConstrainChange {
            table: table.name.clone(),
            constraint: new.constraint,
            condition: new.condition,
            policy,
        })
    }

    fn unconstrain(&self, tree: &Unconstrain, claim: &mut Claim, errors: &mut Errors) -> Option<UnconstrainChange> {
        let table = self.ruled_table(&tree.table, errors)?;
        let Some(constraint) = table.constraints.iter().find(|constraint| constraint.name == tree.name.text) else {
            if self.draft.stage == Stage::Contract {
                let message =
                    format!("constraint `{}` of `{}` is gone already", tree.name.text, written_table(&table.name));
                errors.push(self.says_so_already(tree.name.span, message, table.line));
            } else {
                errors.push(rules::unknown_constraint(&tree.name, table, self.shape));
            }
            return None;
        };
        rules::can_go(&tree.name, constraint, table, self.shape, errors)?;
        let columns = crate::model::apply::constraint_columns(constraint);
        uses(claim, table, columns.iter().map(|column| (column.as_str(), tree.name.span)));
        claim.rules.push((table.name.clone(), format!("constraint `{}`", constraint.name), tree.name.span));
        if constraint.kind.has_index() {
            claim.objects.push((QualifiedName::new(&table.name.schema, &constraint.name), tree.name.span));
        }
        Some(UnconstrainChange { table: table.name.clone(), constraint: constraint.clone() })
    }

    fn set_default(&self, tree: &SetDefault, claim: &mut Claim, errors: &mut Errors) -> Option<DefaultChange> {
        let (table, column) = self.ruled_column(&tree.column, errors)?;
        let span = tree.column.column.span;
        let name = written_column(&table.name, &column.name);
        rules::can_have_default(table, column, span, self.shape, errors)?;
        let after = match &tree.expression {
            Some(literal) => {
                let expression = rules::default(literal, &self.row(table), errors)?;
                Some(SqlText { text: expression.code().to_owned(), line: column.line })
            }
            None => None,
        };
        let text = |default: &Option<SqlText>| default.as_ref().map(|default| default.text.trim().to_owned());
        if text(&column.default) == text(&after) {
            let message = match &after {
                Some(default) => format!("`{name}` has the default {} already", default.text),
                None => format!("`{name}` has no default already"),
            };
            errors.push(self.says_so_already(span, message, column.line));
            return None;
        }
        uses(claim, table, [(column.name.as_str(), span)]);
        claim.rules.push((table.name.clone(), format!("the default of `{}`", column.name), span));
        let before = column.default.clone();
        Some(DefaultChange { table: table.name.clone(), column: column.name.clone(), before, after })
    }

    fn comment(&self, tree: &Comment, claim: &mut Claim, errors: &mut Errors) -> Option<CommentChange> {
        let (table, column) = match self.on_column(&tree.on) {
            Some(path) => {
                let (table, column) = self.ruled_column(&path, errors)?;
                (table, Some(column))
            }
            None => (self.ruled_table(&as_table(&tree.on)?, errors)?, None),
        };
        let comment = tree.text.as_ref().map(|text| text.value.clone());
        let (found, line) = match column {
            Some(column) => (&column.comment, column.line),
            None => (&table.comment, table.line),
        };
        let span = tree.on.last().map_or(tree.keyword, |name| name.span);
        let what = match column {
            Some(column) => written_column(&table.name, &column.name),
            None => written_table(&table.name),
        };
        if *found == comment {
            let message = match comment {
                Some(_) => format!("`{what}` has this comment already"),
                None => format!("`{what}` has no comment already"),
            };
            errors.push(self.says_so_already(span, message, line));
            return None;
        }
        uses(claim, table, column.map(|column| (column.name.as_str(), span)));
        let rule = column.map_or("the comment".to_owned(), |column| format!("the comment on `{}`", column.name));
        claim.rules.push((table.name.clone(), rule, span));
        Some(CommentChange { table: table.name.clone(), column: column.map(|column| column.name.clone()), comment })
    }

    /// Whether the names are those of a column: two of them can also be a schema and a table.
    fn on_column(&self, names: &[Name]) -> Option<ColumnPath> {
        match names {
            [schema, table, column] => Some(ColumnPath {
                table: TablePath { schema: Some(schema.clone()), table: table.clone() },
                column: column.clone(),
            }),
            [first, second] if self.shape.table(&QualifiedName::new(&first.text, &second.text)).is_none() => {
                Some(ColumnPath { table: TablePath { schema: None, table: first.clone() }, column: second.clone() })
            }
            _ => None,
        }
    }

    fn ruled_table(&self, path: &TablePath, errors: &mut Errors) -> Option<&'a Table> {
        let table = lookup::table(path, self.shape, &self.around, errors)?;
        dependents::is_ordinary(table, path.table.span, self.shape, errors).then_some(table)
    }

    fn ruled_column(&self, path: &ColumnPath, errors: &mut Errors) -> Option<(&'a Table, &'a Column)> {
        let table = self.ruled_table(&path.table, errors)?;
        Some((table, lookup::column(table, &path.column, self.shape, &self.around, errors)?))
    }

    fn row(&self, table: &'a Table) -> Row<'a> {
        Row { table, shape: self.shape, server: self.server }
    }

    /// The columns that mend a row, and those that are read for that, stay meanwhile.
    fn reads(
        &self,
        claim: &mut Claim,
        table: &Table,
        repairs: &[(String, crate::sql::Expression)],
        span: proc_macro2::Span,
    ) {
        for (column, expression) in repairs {
            let read = expression.columns().iter().map(|column| (column.name.as_str(), span));
            uses(claim, table, read.chain([(column.as_str(), span)]));
        }
    }

    /// The schema says what the change is to bring about: it was written after the contract.
    fn says_so_already(&self, span: proc_macro2::Span, message: String, line: u32) -> Diagnostic {
        let name = &self.draft.tree.name;
        let schema = self.shape.schema();
        let (span, message, help) = match self.draft.stage {
            Stage::Contract => {
                (name.span, format!("change `{}` is finished: {message}", name.text), self.delete_finished())
            }
            stage => (
                span,
                message,
                format!(
                    "leave it out; if the change is in flight, {} has to be from before it, at `stage {};`",
                    schema.source,
                    stage.name()
                ),
            ),
        };
        Diagnostic::new(span, message).note(at_line(line, schema)).help(help)
    }
}

fn uses<'n>(claim: &mut Claim, table: &Table, columns: impl IntoIterator<Item = (&'n str, proc_macro2::Span)>) {
    for (column, span) in columns {
        if !claim.used.iter().any(|(other, name, _)| *other == table.name && name == column) {
            claim.used.push((table.name.clone(), column.to_owned(), span));
        }
    }
}

fn as_table(names: &[Name]) -> Option<TablePath> {
    match names {
        [table] => Some(TablePath { schema: None, table: table.clone() }),
        [schema, table] => Some(TablePath { schema: Some(schema.clone()), table: table.clone() }),
        _ => None,
    }
}
