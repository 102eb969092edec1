//! What a merge needs.

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::model::{MergedColumn, Shape, Side};
use crate::schema::{Column, Constraint, ConstraintKind, Table};
use crate::sql::Expression;
use crate::syntax::{Absent, Merge, Name};

use super::dependents::{self, Touched};
use super::expressions::{self, Scope};
use super::lookup::{self, Surroundings};
use super::{at_line, listed, names, types, written, written_column, written_table};

/// A merge whose tables are known.
pub struct Merging<'a> {
    /// As written.
    pub tree: &'a Merge,
    /// The table that goes.
    pub source: &'a Table,
    /// The table that gets its columns.
    pub target: &'a Table,
    /// Everything else.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

/// A table has nothing to give to itself.
pub fn are_two(tree: &Merge, source: &Table, errors: &mut Errors) -> bool {
    let is_one = lookup::qualified(&tree.into) == source.name;
    if is_one {
        errors.push(
            Diagnostic::new(tree.into.table.span, "a table cannot be merged into itself")
                .help("name the table that gets the columns behind `into`"),
        );
    }
    !is_one
}

impl<'a> Merging<'a> {
    fn place(&self, line: u32) -> String {
        at_line(line, self.shape.schema())
    }

    /// Copied policies would have to read the other table, and a missing one shows rows to who must not see them (H43).
    pub fn has_no_row_security(&self, errors: &mut Errors) {
        for (table, path) in [(self.source, &self.tree.table), (self.target, &self.tree.into)] {
            if !table.row_security {
                continue;
            }
            let message =
                format!("`{}` has row level security, which a merge cannot carry", written_table(&table.name));
            errors.push(
                Diagnostic::new(path.table.span, message)
                    .note(format!(
                        "{}; the policies of the merged table decide who sees which rows, and nobody but you can say what they are",
                        self.place(table.line)
                    ))
                    .help("add the columns with their policies in a migration of its own, and move the values in the application"),
            );
        }
    }

    /// The primary key of the target, each column with that of the source which references it. `None` if there is a mistake in it.
    ///
    /// The source's rows are found by that key, and have one row of the target each: that is what the foreign key says.
    pub fn key(&self, errors: &mut Errors) -> Option<Vec<(String, String)>> {
        let (source, target) = (written_table(&self.source.name), written_table(&self.target.name));
        let Some(first) = self.tree.key.first() else {
            let diagnostic = Diagnostic::new(self.tree.keyword, "missing `key`")
                .note(format!("it names the columns by which a row of `{source}` finds its row of `{target}`"));
            errors.push(diagnostic.help(self.write_key()));
            return None;
        };
        let around = |name: &&Name| self.source.column(&name.text).is_none();
        if let Some(unknown) = self.tree.key.iter().find(around) {
            errors.push(
                Diagnostic::new(unknown.span, format!("table `{source}` has no column `{}`", written(&unknown.text)))
                    .note(format!("`key` names the columns by which a row of `{source}` finds its row of `{target}`"))
                    .help(self.write_key()),
            );
            return None;
        }
        let Some((foreign_key, columns, referenced)) = self.reference() else {
            errors.push(
                Diagnostic::new(
                    first.span,
                    format!("no foreign key leads from this key to the primary key of `{target}`"),
                )
                .note(format!("without one, a row of `{source}` need not have a row of `{target}`, and would be lost"))
                .help(format!("add the foreign key in a change before this one: `constrain {source}: references …`")),
            );
            return None;
        };
        if foreign_key.not_valid || foreign_key.not_enforced {
            errors.push(
                Diagnostic::new(first.span, format!("foreign key `{}` does not hold for all rows", foreign_key.name))
                    .note(format!(
                        "{}; a row of `{source}` without a row of `{target}` would be lost",
                        self.place(foreign_key.line)
                    ))
                    .help(format!(
                        "validate it before this change: `alter table {} validate constraint {}`",
                        self.source.name.quoted(),
                        crate::ident::quote_ident(&foreign_key.name)
                    )),
            );
            return None;
        }
        if !self.is_unique(columns) {
            errors.push(
                Diagnostic::new(first.span, format!("several rows of `{source}` may have one row of `{target}`"))
                    .note(format!("neither the primary key nor a unique constraint of `{source}` says that {} is there once ({})", listed(columns), self.place(self.source.line)))
                    .help("only a 1:1 table can be merged; if it is one, add the unique constraint in a change before this one"),
            );
            return None;
        }
        let pair = |to: &String| {
            let at = referenced.iter().position(|name| name == to)?;
            Some((to.clone(), columns.get(at)?.clone()))
        };
        self.target.primary_key().iter().map(pair).collect()
    }

    fn write_key(&self) -> String {
        match self.references().next() {
            Some((_, columns, _)) => {
                format!("write `key {}`", columns.iter().map(|name| written(name)).collect::<Vec<_>>().join(", "))
            }
            None => {
                format!("write `key {}_id`, for example", self.target.name.name.strip_suffix('s').unwrap_or("other"))
            }
        }
    }

    /// The foreign keys that lead to the target's primary key, with both sides' columns.
    fn references(&self) -> impl Iterator<Item = (&'a Constraint, &'a [String], &'a [String])> {
        let (source, target) = (self.source, self.target);
        source.constraints.iter().filter_map(move |constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, references, referenced, .. }
                if *references == target.name && same(referenced, target.primary_key()) =>
            {
                Some((constraint, columns.as_slice(), referenced.as_slice()))
            }
            _ => None,
        })
    }

    /// The one that the key means.
    fn reference(&self) -> Option<(&'a Constraint, &'a [String], &'a [String])> {
        let named: Vec<String> = self.tree.key.iter().map(|name| name.text.clone()).collect();
        self.references().find(|(_, columns, _)| same(columns, &named))
    }

    /// A row of the target has one partner at most, which is found by an index.
    fn is_unique(&self, key: &[String]) -> bool {
        let not_null = |name: &String| self.source.column(name).is_some_and(|column| column.not_null);
        key.iter().all(not_null)
            && self.source.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
                    !constraint.deferrable && same(columns, key)
                }
                _ => false,
            })
    }

    /// The columns that move. `None` if there is a mistake in them.
    pub fn moved(&self, around: &Surroundings<'_>, errors: &mut Errors) -> Option<Vec<MergedColumn>> {
        if self.tree.moved.is_empty() {
            errors.push(
                Diagnostic::new(self.tree.keyword, "a merge that moves no column does nothing but drop a table")
                    .note(format!(
                        "the columns of `{}` are {}",
                        written_table(&self.source.name),
                        listed(self.source.columns.iter().map(|c| &c.name))
                    ))
                    .help("add `move <column>, <column>`"),
            );
            return None;
        }
        let mut columns = Vec::new();
        for (i, moved) in self.tree.moved.iter().enumerate() {
            let Some(column) = lookup::column(self.source, &moved.column, self.shape, around, errors) else { continue };
            let earlier = self.tree.moved.get(..i).unwrap_or_default();
            let name = moved.new_name();
            let found = errors.len();
            if earlier.iter().any(|other| other.column.text == moved.column.text) {
                errors.push(
                    Diagnostic::new(moved.column.span, format!("`{}` is moved twice", written(&column.name)))
                        .help("leave one of them out"),
                );
            } else if earlier.iter().any(|other| other.new_name().text == name.text) {
                errors.push(
                    Diagnostic::new(name.span, format!("`{}` would be there twice", written(&name.text)))
                        .help("give one of them another name: `move <column> as <new_name>`"),
                );
            } else {
                self.is_movable(&moved.column, column, errors);
                self.is_free(&moved.column, name, errors);
            }
            if errors.len() > found {
                continue;
            }
            let new = format!("the new column `{}`", name.text);
            let base = "move it with a plain type: `retype` it in a change before this one";
            types::is_no_constrained_domain(&column.ty, moved.column.span, &new, base, self.shape.schema(), errors);
            let absent = self.absent(&moved.column, moved.absent.as_ref(), column, errors);
            if let (Some(absent), true) = (absent, errors.len() == found) {
                columns.push(MergedColumn { from: column.name.clone(), to: name.text.clone(), absent });
            }
        }
        (columns.len() == self.tree.moved.len()).then_some(columns)
    }

    fn is_free(&self, column: &Name, name: &Name, errors: &mut Errors) {
        if let Some(taken) = self.target.column(&name.text) {
            errors.push(
                Diagnostic::new(
                    name.span,
                    format!("the name `{}` is taken", written_column(&self.target.name, &name.text)),
                )
                .note(format!("the table has a column of this name ({})", self.place(taken.line)))
                .help(format!("give it another name: `move {} as <new_name>`", written(&column.text))),
            );
        } else {
            names::is_free_column(name, self.target, self.shape, errors);
        }
    }

    fn is_movable(&self, name: &Name, column: &Column, errors: &mut Errors) {
        let schema = self.shape.schema();
        let cannot =
            |why: &str| Diagnostic::new(name.span, format!("`{}` cannot be moved: {why}", written(&name.text)));
        let place = self.place(column.line);
        if self.tree.key.iter().any(|key| key.text == name.text) {
            let note =
                format!("{place}; `{}` has its own key, which holds the same values", written_table(&self.target.name));
            errors.push(cannot("it is the key").note(note).help("leave it out"));
        } else if column.identity.is_some() || schema.sequences_of(&self.source.name, &name.text).next().is_some() {
            // Rows without a partner would take a number, too, or none: neither is what the column meant.
            errors.push(
                cannot("a sequence gives its values")
                    .note(format!("{place}; the sequence belongs to the table that goes"))
                    .help(format!("let it go with the table: `drop {}`", written(&name.text))),
            );
        }
    }

    /// What a row of the target without a partner holds. A NOT NULL column has to say it: such a row has no value for it.
    fn absent(
        &self,
        name: &Name,
        declared: Option<&Absent>,
        column: &Column,
        errors: &mut Errors,
    ) -> Option<Option<Expression>> {
        let shown = written(&name.text);
        let (source, target) = (written_table(&self.source.name), written_table(&self.target.name));
        match (declared, column.not_null) {
            (None, false) | (Some(Absent::Null(_)), true) => Some(None),
            (None, true) => {
                errors.push(
                    Diagnostic::new(name.span, format!("`{shown}` is NOT NULL, and a row of `{target}` without a row of `{source}` has no value for it"))
                        .note(self.place(column.line))
                        .help(format!("say what such a row holds: `move {shown} or \"<SQL expression>\"`, and the column stays NOT NULL"))
                        .help(format!("or let it be null there: `move {shown} or null`")),
                );
                None
            }
            (Some(Absent::Null(span)), false) => {
                errors.push(self.nothing_to_decide(*span, column));
                None
            }
            (Some(Absent::Expression(literal)), false) => {
                errors.push(self.nothing_to_decide(literal.span, column));
                None
            }
            (Some(Absent::Expression(literal)), true) => {
                let scope = Scope {
                    keyword: "or",
                    lead_in: "or".to_owned(),
                    side: Side::Before,
                    reads: Vec::new(),
                    makes: Vec::new(),
                    knows_types: true,
                    table: self.source,
                    shape: self.shape,
                    server: self.server,
                };
                // What it reads would be written by others, and a row that said nothing would then say something.
                if let Ok(expression) = Expression::parse(&literal.value)
                    && !expression.is_constant()
                {
                    errors.push(
                        Diagnostic::new(
                            literal.span,
                            format!("what stands for no row of `{source}` cannot read a column"),
                        )
                        .note("a row that holds this value has no partner: it has to be one value for all rows")
                        .help("write a constant"),
                    );
                    return None;
                }
                self.can_be_repeated(name, errors);
                expressions::expression(literal, &scope, errors).map(Some)
            }
        }
    }

    fn nothing_to_decide(&self, span: proc_macro2::Span, column: &Column) -> Diagnostic {
        Diagnostic::new(span, "`or` has nothing to decide here")
            .note(format!(
                "`{}` may be null ({}), and a row without a partner has null",
                written_column(&self.source.name, &column.name),
                self.place(column.line)
            ))
            .help("leave it out")
    }

    /// All rows without a partner hold the value, so it cannot be in a unique key.
    fn can_be_repeated(&self, name: &Name, errors: &mut Errors) {
        let keys = self
            .source
            .constraints
            .iter()
            .filter(|constraint| matches!(constraint.kind, ConstraintKind::Unique { .. }));
        let keys =
            keys.filter(|constraint| constraint_columns(constraint).contains(&name.text)).map(|c| (&c.name, c.line));
        let indexes =
            self.source.indexes.iter().filter(|index| index.unique && index_columns(index).contains(&name.text));
        for (unique, line) in keys.chain(indexes.map(|index| (&index.name, index.line))) {
            errors.push(
                Diagnostic::new(
                    name.span,
                    format!(
                        "`{}` is unique, and every row without a partner would hold this value",
                        written(&name.text)
                    ),
                )
                .note(format!("`{unique}` is on {}", self.place(line)))
                .help(format!("let it be null there: `move {} or null`", written(&name.text))),
            );
        }
    }

    /// The table goes with all of its columns, so each of them has to be spoken of.
    pub fn nothing_is_lost(&self, around: &Surroundings<'_>, errors: &mut Errors) {
        let named = |column: &Column| {
            let moved = self.tree.moved.iter().map(|moved| &moved.column);
            moved.chain(&self.tree.key).chain(&self.tree.dropped).any(|name| name.text == column.name)
        };
        let lost: Vec<&str> =
            self.source.columns.iter().filter(|column| !named(column)).map(|c| c.name.as_str()).collect();
        if !lost.is_empty() && !self.tree.moved.is_empty() {
            let table = written_table(&self.source.name);
            errors.push(
                Diagnostic::new(self.tree.table.table.span, format!("{} of `{table}` would be lost", listed(&lost)))
                    .note(
                        "the table goes with the contract, and with it every column that is neither its key nor moved",
                    )
                    .help(format!(
                        "add them to `move`, or let them go: `drop {}`",
                        lost.iter().map(|name| written(name)).collect::<Vec<_>>().join(", ")
                    )),
            );
        }
        for name in &self.tree.dropped {
            let Some(column) = lookup::column(self.source, name, self.shape, around, errors) else { continue };
            let is_filled = !column.not_null || column.default.is_some() || column.identity.is_some();
            if self
                .tree
                .moved
                .iter()
                .map(|moved| &moved.column)
                .chain(&self.tree.key)
                .any(|other| other.text == name.text)
            {
                errors.push(
                    Diagnostic::new(name.span, format!("`{}` cannot both go and stay", written(&name.text)))
                        .help("leave it out of one of them"),
                );
            } else if !is_filled {
                errors.push(
                    Diagnostic::new(name.span, format!("`{}` is NOT NULL and has no default", written(&name.text)))
                        .note(format!("{}; until the contract, a row that new code makes has a row in `{}`, and nothing says what this column holds there", self.place(column.line), written_table(&self.source.name)))
                        .help("give it a default before this change"),
                );
            }
        }
    }

    /// What hangs on the table that goes and cannot be carried.
    pub fn dependents(&self, errors: &mut Errors) {
        let moved = self.tree.moved.iter().map(|moved| &moved.column);
        for name in moved.chain(&self.tree.key).chain(&self.tree.dropped) {
            if self.source.column(&name.text).is_some() {
                let touched = Touched {
                    column: &name.text,
                    span: name.span,
                    fate: "merged",
                    in_place: false,
                    table: self.source,
                    shape: self.shape,
                };
                dependents::check(&touched, errors);
            }
        }
        let source = written_table(&self.source.name);
        for foreign_key in &self.target.constraints {
            if matches!(&foreign_key.kind, ConstraintKind::ForeignKey { references, .. } if *references == self.source.name)
            {
                errors.push(
                    Diagnostic::new(
                        self.tree.into.table.span,
                        format!("`{}` references `{source}`, which goes", written_table(&self.target.name)),
                    )
                    .note(format!(
                        "foreign key `{}` is on {}; after the merge a row would reference itself",
                        foreign_key.name,
                        self.place(foreign_key.line)
                    ))
                    .help("drop the foreign key, and its column, before this change"),
                );
            }
        }
    }

    /// What comes along has to fit beside what the target has.
    pub fn carried(&self, moved: &[MergedColumn], errors: &mut Errors) {
        let moves = |names: &[String]| names.iter().any(|name| moved.iter().any(|moved| moved.from == *name));
        let is_dropped = |name: &&String| self.tree.dropped.iter().any(|dropped| dropped.text == **name);
        let span_of = |names: &[String]| {
            let named = self
                .tree
                .moved
                .iter()
                .map(|moved| &moved.column)
                .chain(&self.tree.key)
                .find(|name| names.contains(&name.text));
            named.map_or(self.tree.keyword, |name| name.span)
        };
        let mut spanning = |what: String, names: &[String], line: u32| {
            if let Some(lost) = names.iter().find(is_dropped).filter(|_| moves(names)) {
                errors.push(
                    Diagnostic::new(
                        span_of(names),
                        format!("`{}` goes, and {what} has it together with a column that moves", written(lost)),
                    )
                    .note(self.place(line))
                    .help(format!("move `{}` as well, or drop {what} before this change", written(lost))),
                );
            }
        };
        for constraint in &self.source.constraints {
            spanning(format!("constraint `{}`", constraint.name), &constraint_columns(constraint), constraint.line);
        }
        for index in &self.source.indexes {
            spanning(format!("index `{}`", index.name), &index_columns(index), index.line);
        }
        for statistics in &self.source.statistics {
            spanning(format!("statistics `{}`", statistics.name), &target_columns(&statistics.on), statistics.line);
        }
        for constraint in &self.source.constraints {
            let names = constraint_columns(constraint);
            if moves(&names) {
                self.constraint_fits(constraint, span_of(&names), errors);
            } else {
                self.rule_goes(constraint, span_of(&names), errors);
            }
        }
        if self.source.name.schema == self.target.name.schema {
            return;
        }
        let indexes = self.source.indexes.iter().filter(|index| moves(&index_columns(index))).map(|index| &index.name);
        let keys = self.source.constraints.iter().filter(|c| c.kind.has_index() && moves(&constraint_columns(c)));
        for carried in indexes.chain(keys.map(|constraint| &constraint.name)) {
            let name = QualifiedName::new(&self.target.name.schema, carried);
            names::is_free_carried(&self.tree.table.table, &name, self.shape, errors);
        }
    }

    /// Two constraints of one table cannot have one name; and rows without a partner are all alike.
    fn constraint_fits(&self, constraint: &Constraint, span: proc_macro2::Span, errors: &mut Errors) {
        if let Some(taken) = self.target.constraints.iter().find(|other| other.name == constraint.name) {
            errors.push(
                Diagnostic::new(
                    span,
                    format!(
                        "constraint `{}` comes along, and `{}` has one of this name",
                        constraint.name,
                        written_table(&self.target.name)
                    ),
                )
                .note(format!("{} and {}", self.place(constraint.line), self.place(taken.line)))
                .help("rename one of them before this change: `alter table … rename constraint … to …`"),
            );
        }
        if let ConstraintKind::Unique { nulls_not_distinct: true, .. } = constraint.kind {
            errors.push(
                Diagnostic::new(
                    span,
                    format!("`{}` takes nulls for equal, and every row without a partner has them", constraint.name),
                )
                .note(self.place(constraint.line))
                .help("make it anew without `NULLS NOT DISTINCT` before this change"),
            );
        }
    }

    /// A rule about the key alone says which rows may have a partner. Nothing says that of the merged table's rows.
    fn rule_goes(&self, constraint: &Constraint, span: proc_macro2::Span, errors: &mut Errors) {
        let what = match &constraint.kind {
            ConstraintKind::Check { .. } => "check",
            ConstraintKind::ForeignKey { columns, references, .. } => {
                let is_reference = *references == self.target.name;
                let has_key = columns.iter().any(|name| self.tree.key.iter().any(|key| key.text == *name));
                if is_reference || !has_key {
                    return;
                }
                "foreign key"
            }
            _ => return,
        };
        errors.push(
            Diagnostic::new(span, format!("{what} `{}` would be lost", constraint.name))
                .note(format!("{}; it is a rule for rows that have a partner, which nothing tells from the others after the merge", self.place(constraint.line)))
                .help("drop it before this change, or add the rule that `".to_owned() + &written_table(&self.target.name) + "` should have to that table"),
        );
    }
}

/// Whether two lists name the same columns, in whatever order.
fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}
