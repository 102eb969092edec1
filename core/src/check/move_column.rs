//! What a move needs.

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::quote_ident;
use crate::model::Shape;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Column, Constraint, ConstraintKind, IndexTarget, Table};
use crate::sql::Expression;
use crate::sql::builtin::{self, Kind};
use crate::syntax::{Conflicting, Move};

use super::dependents::{self, Touched};
use super::{at_line, listed, lookup, names, types, written, written_column, written_table};

/// A move whose tables are known.
pub struct Moving<'a> {
    /// As written.
    pub tree: &'a Move,
    /// The table that has the column.
    pub from: &'a Table,
    /// The table that it moves to.
    pub to: &'a Table,
    /// What moves.
    pub column: &'a Column,
    /// Everything else.
    pub shape: &'a Shape,
}

/// The foreign key between the tables.
pub struct Reference {
    /// Whether the table that has the column references the other one.
    pub upwards: bool,
    /// The referencing column and the referenced one.
    pub pairs: Vec<(String, String)>,
    /// A row that is referenced has one row at most that references it.
    pub one_to_one: bool,
}

impl Moving<'_> {
    fn place(&self, line: u32) -> String {
        at_line(line, self.shape.schema())
    }

    /// The foreign key that `via` means. `None` if there is a mistake in it.
    pub fn via(&self, errors: &mut Errors) -> Option<Reference> {
        let (from, to) = (written_table(&self.from.name), written_table(&self.to.name));
        if self.from.name == self.to.name {
            errors.push(
                Diagnostic::new(self.tree.to.table.table.span, format!("`{from}` has the column already"))
                    .help("to give it another name, write `rename`"),
            );
            return None;
        }
        let Some(via) = &self.tree.via else {
            errors.push(
                Diagnostic::new(self.tree.keyword, "missing `via`")
                    .note(format!(
                        "it names the column by which a row of `{from}` finds its row of `{to}`, or the other way round"
                    ))
                    .help(self.write_via()),
            );
            return None;
        };
        let table = lookup::qualified(&via.table);
        let (many, one) = if table == self.from.name {
            (self.from, self.to)
        } else if table == self.to.name {
            (self.to, self.from)
        } else {
            errors.push(
                Diagnostic::new(via.table.table.span, format!("`via` names a column of `{from}` or of `{to}`"))
                    .note("a foreign key leads from the one to the other")
                    .help(self.write_via()),
            );
            return None;
        };
        let named: Vec<String> = via.columns.iter().map(|name| name.text.clone()).collect();
        let span = via.columns.first().map_or(via.table.table.span, |name| name.span);
        let leads = |constraint: &&Constraint| matches!(&constraint.kind, ConstraintKind::ForeignKey { columns, references, .. } if *references == one.name && same(columns, &named));
        let Some(foreign_key) = many.constraints.iter().find(leads) else {
            errors.push(
                Diagnostic::new(
                    span,
                    format!(
                        "no foreign key leads from {} of `{}` to `{}`",
                        listed(&named),
                        written_table(&many.name),
                        written_table(&one.name)
                    ),
                )
                .note("without one, a row may name a row of the other table that is not there, and nothing finds it")
                .help(self.write_via()),
            );
            return None;
        };
        let ConstraintKind::ForeignKey { columns, referenced, .. } = &foreign_key.kind else { return None };
        let upwards = many.name == self.from.name;
        let found = errors.len();
        self.reference_holds(foreign_key, span, errors);
        self.is_found_by_index(many, columns, span, errors);
        for (table, path) in [(self.from, &self.tree.column.table), (self.to, &self.tree.to.table)] {
            self.has_key(table, path.table.span, errors);
            self.has_no_row_security(table, path.table.span, errors);
        }
        let pairs = columns.iter().cloned().zip(referenced.iter().cloned()).collect();
        (errors.len() == found).then(|| Reference { upwards, pairs, one_to_one: is_unique(many, columns) })
    }

    fn write_via(&self) -> String {
        let between = |many: &Table, one: &Table| {
            many.constraints.iter().find_map(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { columns, references, .. } if *references == one.name => {
                    let columns: Vec<String> = columns.iter().map(|name| written(name)).collect();
                    Some(format!("write `via {}.{}`", written_table(&many.name), columns.join(", ")))
                }
                _ => None,
            })
        };
        between(self.from, self.to)
            .or_else(|| between(self.to, self.from))
            .unwrap_or_else(|| "add a foreign key between the tables in a change before this one".to_owned())
    }

    /// Rows find each other at all times: the triggers look for the referenced row when the other one is written.
    fn reference_holds(&self, foreign_key: &Constraint, span: proc_macro2::Span, errors: &mut Errors) {
        let (what, why, help) = if foreign_key.not_valid || foreign_key.not_enforced {
            (
                "does not hold for all rows",
                "a row without its row in the other table would be lost",
                "validate it before this change",
            )
        } else if foreign_key.deferrable {
            (
                "can wait until the end of a transaction",
                "a row that is written before the one that it references would not find its value",
                "make it not deferrable before this change",
            )
        } else {
            return;
        };
        errors.push(
            Diagnostic::new(span, format!("foreign key `{}` {what}", foreign_key.name))
                .note(format!("{}; {why}", self.place(foreign_key.line)))
                .help(help),
        );
    }

    /// A write of the one row reaches all rows that reference it.
    fn is_found_by_index(&self, many: &Table, columns: &[String], span: proc_macro2::Span, errors: &mut Errors) {
        let leads = |names: &[String]| names.len() >= columns.len() && same(&names[..columns.len()], columns);
        let plain = many.indexes.iter().filter(|index| index.method == "btree" && index.predicate.is_none());
        let of_plain = plain.map(|index| {
            let names = index.keys.iter().map_while(|key| match &key.on {
                IndexTarget::Column(name) => Some(name.clone()),
                IndexTarget::Expression(_) => None,
            });
            names.collect::<Vec<_>>()
        });
        let of_keys = many.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
                Some(columns.clone())
            }
            _ => None,
        });
        if !of_plain.chain(of_keys).any(|names| leads(&names)) {
            let table = many.name.quoted();
            let list: Vec<String> = columns.iter().map(|name| quote_ident(name)).collect();
            errors.push(
                Diagnostic::new(span, format!("`{}` has no index that begins with {}", written_table(&many.name), listed(columns)))
                    .note("until the contract, each write of the value has to find the rows that share it; without an index it would read the whole table")
                    .help(format!("create one before this change: `create index concurrently on {table} ({})`", list.join(", "))),
            );
        }
    }

    fn has_key(&self, table: &Table, span: proc_macro2::Span, errors: &mut Errors) {
        if table.primary_key().is_empty() {
            errors.push(
                Diagnostic::new(
                    span,
                    format!("`{}` has no primary key, and its rows cannot be told apart", written_table(&table.name)),
                )
                .note(self.place(table.line))
                .help("give the table a primary key in a change before this one"),
            );
        }
    }

    /// Who may see a row of the one table need not be who may see the row of the other (H43).
    fn has_no_row_security(&self, table: &Table, span: proc_macro2::Span, errors: &mut Errors) {
        if table.row_security {
            errors.push(
                Diagnostic::new(span, format!("`{}` has row level security, which a move cannot carry", written_table(&table.name)))
                    .note(format!("{}; its policies decide who sees the value, and nobody but you can say who sees it in the other table", self.place(table.line)))
                    .help("add the column with its policies in a migration of its own, and move the values in the application"),
            );
        }
    }

    /// What hangs on the column, and where it goes to.
    pub fn column_can_go(&self, via: &Reference, errors: &mut Errors) {
        let (column, span) = (self.column, self.tree.column.column.span);
        let touched =
            Touched { column: &column.name, span, fate: "moved", in_place: false, table: self.from, shape: self.shape };
        dependents::check(&touched, errors);
        names::is_free_column(&self.tree.to.column, self.to, self.shape, errors);
        let name = touched.name();
        let mut cannot = |why: String, note: String, help: &str| {
            errors.push(Diagnostic::new(span, format!("`{name}` cannot be moved: {why}")).note(note).help(help));
        };
        let place = self.place(column.line);
        let is_reference = via.pairs.iter().any(|(own, other)| *(if via.upwards { own } else { other }) == column.name);
        if self.from.primary_key().contains(&column.name) || is_reference {
            cannot("rows are found by it".to_owned(), place, "leave it where it is");
            return;
        }
        if column.identity.is_some() || self.shape.schema().sequences_of(&self.from.name, &column.name).next().is_some()
        {
            cannot(
                "a sequence gives its values".to_owned(),
                place,
                "take the sequence away from the column before this change",
            );
            return;
        }
        if let Some(default) = column.default.as_ref().filter(|_| via.upwards) {
            let note = format!(
                "{place}; a row that new code inserts holds it as well, and would give it to all rows that share the value"
            );
            cannot(format!("it has the default {}", default.text), note, "drop the default before this change");
        }
        self.carried(via, errors);
        let base = "move it with a plain type: `retype` it in a change before this one";
        let new = format!("the new column `{}`", self.tree.to.column.text);
        types::is_no_constrained_domain(&column.ty, span, &new, base, self.shape.schema(), errors);
    }

    /// What comes along says the same of rows of the other table, and has a name of its own there.
    fn carried(&self, via: &Reference, errors: &mut Errors) {
        let (column, span) = (&self.column.name, self.tree.column.column.span);
        let mut spanning = |what: String, names: &[String], line: u32| {
            let other = names.iter().find(|name| *name != column).filter(|_| names.contains(column));
            if let Some(other) = other {
                errors.push(
                    Diagnostic::new(
                        span,
                        format!("`{}` cannot be moved without `{}`: {what} has both", written(column), written(other)),
                    )
                    .note(format!("{}; after the move they are in two tables", self.place(line)))
                    .help(format!("drop {what} before this change")),
                );
            }
        };
        for constraint in &self.from.constraints {
            if !matches!(constraint.kind, ConstraintKind::Exclude { .. }) {
                spanning(format!("constraint `{}`", constraint.name), &constraint_columns(constraint), constraint.line);
            }
        }
        for index in &self.from.indexes {
            spanning(format!("index `{}`", index.name), &index_columns(index), index.line);
        }
        for statistics in &self.from.statistics {
            spanning(format!("statistics `{}`", statistics.name), &target_columns(&statistics.on), statistics.line);
        }
        let keys = self
            .from
            .constraints
            .iter()
            .filter(|c| matches!(c.kind, ConstraintKind::Unique { .. }) && constraint_columns(c).contains(column));
        let keys = keys.map(|constraint| (&constraint.name, constraint.line));
        let indexes = self.from.indexes.iter().filter(|index| index.unique && index_columns(index).contains(column));
        for (unique, line) in keys.chain(indexes.map(|index| (&index.name, index.line))).filter(|_| !via.one_to_one) {
            errors.push(
                Diagnostic::new(
                    span,
                    format!(
                        "`{}` is unique, and several rows share a value until the contract",
                        written_column(&self.from.name, column)
                    ),
                )
                .note(format!("`{unique}` is on {}", self.place(line)))
                .help(format!("drop `{unique}` before this change")),
            );
        }
        let carried = self.from.constraints.iter().filter(|constraint| constraint_columns(constraint).contains(column));
        for constraint in carried {
            if let Some(taken) = self.to.constraints.iter().find(|other| other.name == constraint.name) {
                errors.push(
                    Diagnostic::new(
                        span,
                        format!(
                            "constraint `{}` comes along, and `{}` has one of this name",
                            constraint.name,
                            written_table(&self.to.name)
                        ),
                    )
                    .note(format!("{} and {}", self.place(constraint.line), self.place(taken.line)))
                    .help("rename one of them before this change: `alter table … rename constraint … to …`"),
                );
            }
        }
    }

    /// What is taken where several rows belong to one and do not agree. It has to be said where there can be several.
    pub fn take(&self, via: &Reference, errors: &mut Errors) -> Option<Option<Expression>> {
        let may_conflict = via.upwards && !via.one_to_one;
        let (from, to) = (written_table(&self.from.name), written_table(&self.to.name));
        match &self.tree.conflicting {
            None if !may_conflict => Some(None),
            None => {
                errors.push(
                    Diagnostic::new(self.tree.keyword, format!("several rows of `{from}` may have one row of `{to}`, and different values"))
                        .note("each of them is moved to the same place, and one value remains")
                        .help("add `conflicting rows refuse`: rows that do not agree are listed, and nothing is done while there are some")
                        .help(format!("or say which value remains: `conflicting rows take \"max({})\"`", written(&self.column.name))),
                );
                None
            }
            Some(Conflicting::Refuse(_)) if may_conflict => Some(None),
            Some(Conflicting::Take(literal)) if may_conflict => self.aggregate(literal, errors).map(Some),
            Some(conflicting) => {
                let span = match conflicting {
                    Conflicting::Refuse(span) => *span,
                    Conflicting::Take(literal) => literal.span,
                };
                errors.push(
                    Diagnostic::new(span, "`conflicting rows` has nothing to decide here")
                        .note(format!("a row of `{to}` has one row of `{from}` at most"))
                        .help("leave it out"),
                );
                None
            }
        }
    }

    fn aggregate(&self, literal: &crate::syntax::Literal, errors: &mut Errors) -> Option<Expression> {
        let column = &self.column.name;
        let help = format!("write, for example, `take \"max({})\"`", written(column));
        let expression = match Expression::parse_lenient(&literal.value) {
            Ok(expression) => expression,
            Err(mistakes) => {
                for mistake in mistakes {
                    let message = format!("invalid SQL in `take`: {}", mistake.message);
                    errors.push(
                        Diagnostic::new(literal.span, message).frame(mistake.frame(&literal.value)).help(help.clone()),
                    );
                }
                return None;
            }
        };
        if let Some(other) = expression.columns().iter().find(|reference| reference.name != *column) {
            errors.push(
                Diagnostic::new(literal.span, format!("`take` reads `{}`, and can read `{}` only", other.name, column))
                    .note("a later write of another column would not be noticed")
                    .help(help),
            );
            return None;
        }
        let is_aggregate =
            |name: &str| builtin::function(name).is_some_and(|known| known.kinds.contains(&Kind::Aggregate));
        if !expression.functions().iter().any(|call| is_aggregate(&call.name)) {
            errors.push(
                Diagnostic::new(literal.span, "`take` makes one value out of several rows, with an aggregate function")
                    .help(help),
            );
            return None;
        }
        Some(expression)
    }
}

/// Whether a key of the table says that these columns are there once.
fn is_unique(table: &Table, columns: &[String]) -> bool {
    table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns: key, .. } | ConstraintKind::Unique { columns: key, .. } => {
            same(key, columns)
        }
        _ => false,
    })
}

/// Whether two lists name the same columns, in whatever order.
fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}
