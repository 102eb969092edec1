//! Changes that get in each other's way.

use std::collections::BTreeSet;

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, Reported};
use crate::ident::QualifiedName;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::model::{Shape, Way};
use crate::schema::{ConstraintKind, Schema};
use crate::syntax::Name;

use super::change::Draft;
use super::{at_line, written_column, written_table};

/// What an operation, or all operations of a change, take for themselves.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The word that the operation begins with.
    pub keyword: Span,
    /// Columns that go away, or whose values or rules change: table, column, and where the declaration names it.
    pub gone: Vec<(QualifiedName, String, Span)>,
    /// Columns that must stay as they are meanwhile.
    pub used: Vec<(QualifiedName, String, Span)>,
    /// Columns that come.
    pub new: Vec<(QualifiedName, String, Span)>,
    /// Tables that come.
    pub new_tables: Vec<(QualifiedName, Span)>,
    /// The table, where what happens to its columns is one with what other such operations do: what they share is then built once.
    pub merged: Option<QualifiedName>,
    /// Indexes and other objects beside tables that come or go by name.
    pub objects: Vec<(QualifiedName, Span)>,
    /// What a table says of its rows and this changes: ``constraint `positive` ``, ``the default of `level` ``.
    pub rules: Vec<(QualifiedName, String, Span)>,
    /// How columns become other columns: operations are one only where they go the same way.
    pub way: Way,
    /// Tables that a view shows to new code, until the change is retired.
    pub viewed: Vec<Viewed>,
}

/// A table that a view shows.
#[derive(Clone, Debug)]
pub struct Viewed {
    /// Which.
    pub table: QualifiedName,
    /// Where the declaration says it.
    pub span: Span,
    /// The view gives new names to the table's own columns, and shows no new ones.
    pub renames: bool,
}

impl Claim {
    /// Nothing yet, for the operation that begins with the word at `keyword`.
    pub fn of(keyword: Span) -> Self {
        Self {
            keyword,
            gone: Vec::new(),
            used: Vec::new(),
            new: Vec::new(),
            new_tables: Vec::new(),
            merged: None,
            objects: Vec::new(),
            rules: Vec::new(),
            way: Way::Copy,
            viewed: Vec::new(),
        }
    }

    /// Columns become other ones.
    pub fn become_others<'n>(
        &mut self,
        table: &QualifiedName,
        from: impl IntoIterator<Item = &'n Name>,
        to: impl IntoIterator<Item = &'n Name>,
    ) {
        self.gone.extend(from.into_iter().map(|name| (table.clone(), name.text.clone(), name.span)));
        self.new.extend(to.into_iter().map(|name| (table.clone(), name.text.clone(), name.span)));
        self.merged = Some(table.clone());
    }

    /// What all of them take together; `None` without any.
    pub fn all(claims: Vec<Self>) -> Option<Self> {
        claims.into_iter().reduce(|mut all, claim| {
            all.gone.extend(claim.gone);
            all.used.extend(claim.used);
            all.new.extend(claim.new);
            all.new_tables.extend(claim.new_tables);
            all.objects.extend(claim.objects);
            all.rules.extend(claim.rules);
            all.viewed.extend(claim.viewed);
            all
        })
    }

    /// Where it takes away or makes a column of a table, or changes what the table says of its rows.
    fn changes(&self, table: &QualifiedName) -> Option<Span> {
        self.gone.iter().chain(&self.new).chain(&self.rules).find(|(other, ..)| other == table).map(|(.., span)| *span)
    }

    /// Everything that is named.
    fn columns(&self) -> impl Iterator<Item = &(QualifiedName, String, Span)> {
        self.gone.iter().chain(&self.used).chain(&self.new)
    }
}

/// Operations of one change go through each phase together, so none can begin with what another one leaves behind.
pub fn within(claims: &[Claim], before: &Shape, errors: &mut Errors) -> Result<(), Reported> {
    let mut result = Ok(());
    let rebuilt: Vec<Vec<Rebuilt>> = claims.iter().map(|claim| rebuilt(&claim.gone, before)).collect();
    let are_one = |i: usize, j: usize| {
        let merged = |n: usize| claims.get(n).and_then(|claim| claim.merged.as_ref());
        let way = |n: usize| claims.get(n).map(|claim| claim.way);
        merged(i).is_some() && merged(i) == merged(j) && way(i) == way(j)
    };
    let builds_nothing = |n: usize| claims.get(n).is_some_and(|claim| matches!(claim.way, Way::View | Way::InPlace));
    let shared = |i: usize, j: usize| {
        if are_one(i, j) || builds_nothing(i) && builds_nothing(j) {
            return None;
        }
        let shared =
            rebuilt.get(i)?.iter().find(|object| rebuilt.get(j).is_some_and(|other| other.contains(object)))?;
        Some((format!("{} {}", shared.what, shared.name), claims.get(i)?.keyword))
    };
    for (i, later) in claims.iter().enumerate() {
        for (j, earlier) in claims.get(..i).unwrap_or_default().iter().enumerate() {
            if let Some(diagnostic) = beside_view(earlier, later).or_else(|| beside_view(later, earlier)) {
                errors.push(diagnostic);
                result = Err(Reported);
                continue;
            }
            let Some((what, span)) = overlap(earlier, later).or_else(|| shared(i, j)) else { continue };
            let line = earlier.keyword.start().line;
            errors.push(
                Diagnostic::new(span, format!("two operations of one change take `{what}`"))
                    .note(format!("the other one is on line {line}; they go through each phase together, so none can build on another"))
                    .help("make this a change of its own, `after` this one"),
            );
            result = Err(Reported);
        }
    }
    result
}

/// A column or a table of which one of two operations takes away or makes what the other one takes.
fn overlap(earlier: &Claim, later: &Claim) -> Option<(String, Span)> {
    let takes = |claim: &Claim, table: &QualifiedName, column: &String| {
        claim.gone.iter().chain(&claim.new).any(|(other, name, _)| other == table && name == column)
    };
    let in_new_table = |claim: &Claim, table: &QualifiedName| claim.new_tables.iter().any(|(new, _)| new == table);
    let column = later.columns().find(|(table, column, _)| {
        let both_use = later.used.iter().any(|(other, name, _)| other == table && name == column)
            && earlier.used.iter().any(|(other, name, _)| other == table && name == column);
        takes(earlier, table, column) || in_new_table(earlier, table) || both_use && takes(later, table, column)
    });
    let column = column.map(|(table, column, span)| (written_column(table, column), *span));
    let used = || {
        let (table, column, _) = earlier.used.iter().find(|(table, column, _)| takes(later, table, column))?;
        Some((written_column(table, column), later.keyword))
    };
    let table = || {
        let (table, span) = later.new_tables.iter().find(|(table, _)| in_new_table(earlier, table))?;
        Some((written_table(table), *span))
    };
    let object = || {
        let is_taken = |name: &QualifiedName| earlier.objects.iter().any(|(other, _)| other == name);
        let (name, span) = later.objects.iter().find(|(name, _)| is_taken(name))?;
        Some((written_table(name), *span))
    };
    let rule = || {
        same_rule(earlier, later)
            .map(|(table, rule, span)| (format!("{}: {}", written_table(table), rule.replace('`', "")), span))
    };
    column.or_else(used).or_else(table).or_else(object).or_else(rule)
}

/// What both say of the rows of one table.
fn same_rule<'a>(earlier: &Claim, later: &'a Claim) -> Option<(&'a QualifiedName, &'a str, Span)> {
    let is_taken = |table: &QualifiedName, rule: &str| {
        earlier.rules.iter().any(|(other, known, _)| other == table && known == rule)
    };
    let (table, rule, span) = later.rules.iter().find(|(table, rule, _)| is_taken(table, rule))?;
    Some((table, rule, *span))
}

/// Within a change, a view shows a table with its own columns only: another operation would first have to make what the view is to show.
fn beside_view(one: &Claim, other: &Claim) -> Option<Diagnostic> {
    let viewed = one.viewed.iter().find(|viewed| {
        let in_one_view = other.viewed.iter().any(|view| view.renames == viewed.renames && view.table == viewed.table);
        other.changes(&viewed.table).is_some() && !in_one_view
    })?;
    let span = other.changes(&viewed.table)?;
    let line = viewed.span.start().line;
    Some(
        Diagnostic::new(
            span,
            format!("`{}` is shown by a view, and changed otherwise in the same change", written_table(&viewed.table)),
        )
        .note(format!(
            "line {line} lets new code see the table through a view, which can only be made of columns that are there"
        ))
        .help("make this a change of its own, and declare it when the one with the view is retired"),
    )
}

/// PostgreSQL drops no column, and changes no type, that a view reads; and a view shows what the table was like when it was made. So a table
/// has a view, or another change, also one that is declared to build on the first.
fn shown_by_view(earlier: &Claimant<'_>, later: &Claimant<'_>) -> Option<Diagnostic> {
    let (viewing, viewed, other, span) =
        [(earlier, later), (later, earlier)].into_iter().find_map(|(viewing, other)| {
            viewing
                .claim
                .viewed
                .iter()
                .find_map(|viewed| Some((viewing, viewed, other, other.claim.changes(&viewed.table)?)))
        })?;
    let (name, line) = (viewing.draft.name(), viewing.draft.tree.name.span.start().line);
    Some(
        Diagnostic::new(
            span,
            format!("`{}` cannot be changed here: change `{name}` shows it through a view", written_table(&viewed.table)),
        )
        .note(format!("line {line}; the view reads every column until `{name}` is retired, and PostgreSQL drops no column that a view reads"))
        .help(format!(
            "declare `{}` when `{name}` is retired and deleted from the declaration; or {}",
            other.draft.name(),
            match viewed.renames {
                true => format!("let `{name}` copy, without `through view`"),
                false => format!("let `{name}` give the column a name of its own"),
            }
        )),
    )
}

/// What a change takes for itself, in its before shape.
pub struct Claimant<'a> {
    draft: &'a Draft<'a>,
    claim: &'a Claim,
    /// What is built anew because it hangs on a column that goes away.
    rebuilt: Vec<Rebuilt>,
}

impl<'a> Claimant<'a> {
    /// What hangs on the columns of a claim is found in the before shape.
    pub fn new(draft: &'a Draft<'a>, claim: &'a Claim, before: &Shape) -> Self {
        Self { draft, claim, rebuilt: rebuilt(&claim.gone, before) }
    }
}

#[derive(Clone, PartialEq)]
struct Rebuilt {
    what: &'static str,
    table: QualifiedName,
    name: String,
    line: u32,
}

/// The objects that hang on columns, and are built anew with what takes their place.
fn rebuilt(gone: &[(QualifiedName, String, Span)], before: &Shape) -> Vec<Rebuilt> {
    let mut found = Vec::new();
    let mut tables: Vec<&QualifiedName> = Vec::new();
    for (table, ..) in gone {
        if !tables.contains(&table) {
            tables.push(table);
            rebuilt_of(table, gone, before, &mut found);
        }
    }
    found
}

fn rebuilt_of(table: &QualifiedName, gone: &[(QualifiedName, String, Span)], before: &Shape, found: &mut Vec<Rebuilt>) {
    let Some(source) = before.table(table) else { return };
    let touches = |columns: &[String]| {
        columns.iter().any(|name| gone.iter().any(|(of, column, _)| of == table && column == name))
    };
    let mut add = |what, table: &QualifiedName, name: &str, line| {
        let rebuilt = Rebuilt { what, table: table.clone(), name: name.to_owned(), line };
        if !found.contains(&rebuilt) {
            found.push(rebuilt);
        }
    };
    for constraint in source.constraints.iter().filter(|constraint| touches(&constraint_columns(constraint))) {
        add("constraint", table, &constraint.name, constraint.line);
    }
    for index in source.indexes.iter().filter(|index| touches(&index_columns(index))) {
        add("index", table, &index.name, index.line);
    }
    for statistics in source.statistics.iter().filter(|statistics| touches(&target_columns(&statistics.on))) {
        add("statistics", table, &statistics.name.name, statistics.line);
    }
    for (other, foreign_key) in before.foreign_keys_to(table) {
        if let ConstraintKind::ForeignKey { referenced, .. } = &foreign_key.kind
            && touches(referenced)
        {
            add("constraint", &other.name, &foreign_key.name, foreign_key.line);
        }
    }
}

/// Looks at every two changes of which neither is declared to build on the other. Returns the names of those that cannot stay as they are.
pub fn check(claims: &[Claimant<'_>], schema: &Schema, errors: &mut Errors) -> BTreeSet<String> {
    let mut refused = BTreeSet::new();
    for (i, later) in claims.iter().enumerate() {
        for earlier in claims.get(..i).unwrap_or_default() {
            if let Some(diagnostic) = shown_by_view(earlier, later) {
                errors.push(diagnostic);
                refused.insert(later.draft.name().to_owned());
                break;
            }
            let Some(diagnostic) = conflict(earlier, later, schema) else { continue };
            if !builds_on(earlier, later, claims) && !builds_on(later, earlier, claims) {
                errors.push(diagnostic);
                refused.insert(later.draft.name().to_owned());
                // One reason is enough to move it out of the way.
                break;
            }
        }
    }
    refused
}

/// Whether one change is declared to build on another, directly or not.
fn builds_on(one: &Claimant<'_>, other: &Claimant<'_>, claims: &[Claimant<'_>]) -> bool {
    let mut pending = vec![one.draft];
    let mut seen = BTreeSet::new();
    while let Some(draft) = pending.pop() {
        for name in &draft.tree.after {
            if name.text == other.draft.name() {
                return true;
            }
            if seen.insert(name.text.as_str()) {
                pending.extend(claims.iter().map(|claim| claim.draft).filter(|draft| draft.name() == name.text));
            }
        }
    }
    false
}

/// The first of all reasons why two changes cannot be in flight at once.
fn conflict(earlier: &Claimant<'_>, later: &Claimant<'_>, schema: &Schema) -> Option<Diagnostic> {
    same_column(earlier, later)
        .or_else(|| builds_without_saying(earlier, later, schema))
        .or_else(|| same_name(earlier, later))
        .or_else(|| same_object(earlier, later, schema))
        .or_else(|| same_named(earlier, later))
        .or_else(|| both_rule(earlier, later))
}

/// How the second of two changes waits for the first.
fn wait_for(earlier: &Claimant<'_>, later: &Claimant<'_>) -> String {
    let (first, second) = (earlier.draft.name(), later.draft.name());
    match earlier.draft.stage {
        crate::plan::Stage::Contract => format!("add `after {first};` to `{second}`"),
        _ => format!("declare `{second}` with `after {first};` when `{first}` is at `stage contract;`"),
    }
}

/// Two changes would each keep the column in step with something else, and the one that is contracted first takes it away from the other.
fn same_column(earlier: &Claimant<'_>, later: &Claimant<'_>) -> Option<Diagnostic> {
    let (table, column, span, verb) = later
        .claim
        .gone
        .iter()
        .find_map(|(table, column, span)| {
            let is_this = |other: &QualifiedName, name: &String| other == table && name == column;
            let both = earlier.claim.gone.iter().any(|(other, name, _)| is_this(other, name));
            let uses = earlier.claim.used.iter().any(|(other, name, _)| is_this(other, name));
            (both || uses).then_some((table, column, *span, if both { "changes" } else { "uses" }))
        })
        .or_else(|| {
            let (table, column, _) = earlier.claim.gone.iter().find(|(table, column, _)| {
                later.claim.used.iter().any(|(other, name, _)| (other, name) == (table, column))
            })?;
            Some((table, column, later.claim.keyword, "changes"))
        })?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let diagnostic = Diagnostic::new(span, format!("`{}` is part of two changes", written_column(table, column)))
        .note(format!("change `{first}` on line {line} {verb} it as well; the first one to be contracted would take it away from the other"));
    Some(diagnostic.help(wait_for(earlier, later)))
}

/// Whoever reads a change must see that it needs another one to have been contracted.
fn builds_without_saying(earlier: &Claimant<'_>, later: &Claimant<'_>, schema: &Schema) -> Option<Diagnostic> {
    let was_there =
        |table: &QualifiedName, column: &str| schema.table(table).is_some_and(|table| table.column(column).is_some());
    let made = |one: &Claimant<'_>, other: &Claimant<'_>| {
        one.claim
            .gone
            .iter()
            .find(|(table, column, _)| {
                let is_new = other.claim.new.iter().any(|(new_table, new, _)| (new_table, new) == (table, column));
                is_new && !was_there(table, column)
                    || other.claim.new_tables.iter().any(|(new_table, _)| new_table == table)
            })
            .map(|(table, column, span)| (table.clone(), column.clone(), *span))
    };
    let (first, second, (table, column, span)) = match made(later, earlier) {
        Some(found) => (earlier, later, found),
        None => (later, earlier, made(earlier, later)?),
    };
    let diagnostic = Diagnostic::new(
        span,
        format!("`{}` is made by change `{}`", written_column(&table, &column), first.draft.name()),
    )
    .note("a change that builds on another says so, because it cannot begin before that one is contracted");
    Some(diagnostic.help(wait_for(first, second)))
}

/// Two columns or two tables of one name cannot stand side by side.
fn same_name(earlier: &Claimant<'_>, later: &Claimant<'_>) -> Option<Diagnostic> {
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    for (table, column, span) in &later.claim.new {
        let name = written_column(table, column);
        if earlier.claim.new.iter().any(|(other, new, _)| (other, new) == (table, column)) {
            return Some(
                Diagnostic::new(*span, format!("the name `{name}` is taken"))
                    .note(format!("change `{first}` on line {line} makes a column of this name"))
                    .help("give the new column a name of its own"),
            );
        }
        if earlier.claim.gone.iter().any(|(other, old, _)| (other, old) == (table, column)) {
            let diagnostic = Diagnostic::new(*span, format!("the name `{name}` is not free yet"))
                .note(format!("it is free when change `{first}` on line {line} is contracted in the database"));
            return Some(diagnostic.help(wait_for(earlier, later)));
        }
    }
    let is_made = |table: &QualifiedName| earlier.claim.new_tables.iter().any(|(other, _)| other == table);
    let (table, span) = later.claim.new_tables.iter().find(|(table, _)| is_made(table))?;
    let taken = Diagnostic::new(*span, format!("the name `{}` is taken", written_table(table)));
    Some(
        taken
            .note(format!("change `{first}` on line {line} makes a table of this name"))
            .help("give the new table a name of its own"),
    )
}

/// Each change would build its own twin of the object, and the one that is contracted first takes the columns of the other's twin away.
fn same_object(earlier: &Claimant<'_>, later: &Claimant<'_>, schema: &Schema) -> Option<Diagnostic> {
    let shared = later.rebuilt.iter().find(|rebuilt| earlier.rebuilt.contains(rebuilt))?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let span = later.claim.gone.first().map_or(later.claim.keyword, |(.., span)| *span);
    let what = format!("{} `{}` of `{}`", shared.what, shared.name, written_table(&shared.table));
    let diagnostic = Diagnostic::new(span, format!("two changes build {what} anew"))
        .note(format!("{}; change `{first}` on line {line} does so as well, and each would be left with columns that the other takes away", at_line(shared.line, schema)));
    Some(diagnostic.help(wait_for(earlier, later)))
}

/// What one change makes or takes away by name, the other one cannot make, take away or build anew.
fn same_named(earlier: &Claimant<'_>, later: &Claimant<'_>) -> Option<Diagnostic> {
    let rebuilds = |claimant: &Claimant<'_>, name: &QualifiedName| {
        claimant.rebuilt.iter().any(|rebuilt| rebuilt.table.schema == name.schema && rebuilt.name == name.name)
    };
    let takes = |claimant: &Claimant<'_>, name: &QualifiedName| {
        rebuilds(claimant, name) || claimant.claim.objects.iter().any(|(other, _)| other == name)
    };
    let in_later = later.claim.objects.iter().find(|(name, _)| takes(earlier, name)).cloned();
    let in_earlier = || {
        let (name, _) = earlier.claim.objects.iter().find(|(name, _)| rebuilds(later, name))?;
        Some((name.clone(), later.claim.gone.first().map_or(later.claim.keyword, |(.., span)| *span)))
    };
    let (name, span) = in_later.or_else(in_earlier)?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let diagnostic = Diagnostic::new(span, format!("`{}` is part of two changes", written_table(&name)))
        .note(format!("change `{first}` on line {line} makes it, takes it away or builds it anew as well"));
    Some(diagnostic.help(wait_for(earlier, later)))
}

/// The one that is contracted last would undo what the other one said.
fn both_rule(earlier: &Claimant<'_>, later: &Claimant<'_>) -> Option<Diagnostic> {
    let (table, rule, span) = same_rule(earlier.claim, later.claim)?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let diagnostic = Diagnostic::new(span, format!("two changes are about {rule} of `{}`", written_table(table)))
        .note(format!("the other one is `{first}` on line {line}"));
    Some(diagnostic.help(wait_for(earlier, later)))
}
