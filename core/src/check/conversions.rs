//! Whether a conversion keeps what it converts, and whether the declaration says so where it does not.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::quote_ident;
use crate::model::{Conversion, OnFailure};
use crate::schema::{Schema, SqlType};
use crate::sql::conversion::{Effect, conversion};
use crate::sql::expression::Cast;
use crate::sql::{Expression, frame};
use crate::syntax::{self, Literal, Otherwise};

use super::expressions::{self, Scope};

/// The column that a conversion fills.
pub struct Filled<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: &'a SqlType,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Why it is, for messages.
    pub why_not_null: &'a str,
    /// The columns it may be made of that can be null.
    pub nullable: Vec<&'a str>,
}

/// What is known about what an expression does to values.
struct Known {
    effect: Effect,
    settings: Vec<&'static str>,
    /// Half a sentence, or nothing.
    reason: String,
}

/// The conversion that a declaration writes; `None` if there is a mistake in it.
pub fn declared(
    tree: &syntax::Conversion,
    filled: &Filled<'_>,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Option<Conversion> {
    let found = errors.len();
    let expression = expressions::expression(&tree.expression, scope, errors);
    let on_failure = on_failure(tree, filled, scope, errors);
    let (expression, on_failure) = (expression?, on_failure?);
    let known = known(&expression, filled, scope);
    is_possible(tree, &known, scope, errors);
    is_the_same_in_every_session(tree, &known, scope, errors);
    says_what_fails(tree, &known, scope, errors);
    says_what_is_lost(tree, &known, scope, errors);
    let expression = typed(expression, filled.ty, scope)?;
    (errors.len() == found).then_some(Conversion { expression, lossy: tree.lossy.is_some(), on_failure })
}

/// A column under another name.
pub fn identity(column: &str) -> Option<Conversion> {
    let expression = Expression::parse(&quote_ident(column)).ok()?;
    Some(Conversion { expression, lossy: false, on_failure: OnFailure::Never })
}

fn on_failure(
    tree: &syntax::Conversion,
    filled: &Filled<'_>,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Option<OnFailure> {
    match &tree.otherwise {
        None => Some(OnFailure::Never),
        Some(Otherwise::Reject(_)) => Some(OnFailure::Reject),
        Some(Otherwise::Quarantine(span)) => {
            can_be_null(*span, "`or quarantine`", filled, errors).then_some(OnFailure::Quarantine)
        }
        Some(Otherwise::Expression(literal)) => {
            let expression = expressions::expression(literal, scope, errors)?;
            let is_null = expression.code().eq_ignore_ascii_case("null");
            let fits = !is_null || can_be_null(literal.span, "`or \"null\"`", filled, errors);
            fits.then(|| typed(expression, filled.ty, scope)).flatten().map(OnFailure::Expression)
        }
    }
}

/// A value that does not convert becomes NULL, which a NOT NULL column does not take.
fn can_be_null(span: Span, what: &str, filled: &Filled<'_>, errors: &mut Errors) -> bool {
    if filled.not_null {
        errors.push(
            Diagnostic::new(span, format!("{what} writes NULL, and `{}` is NOT NULL", filled.name))
                .note(filled.why_not_null.to_owned())
                .help("write `or reject`, so that such a write fails, or `or \"<expression>\"` with a value that stands in"),
        );
    }
    !filled.not_null
}

/// What an expression does to values. Only of a column, and of one cast of a column, that is known without asking a server.
fn known(expression: &Expression, filled: &Filled<'_>, scope: &Scope<'_>) -> Known {
    let schema = scope.shape.schema();
    if expression.is_constant() {
        let reason = "it is the same for every row".to_owned();
        return Known { effect: Effect::Lossy, settings: Vec::new(), reason };
    }
    let of_column = expression.as_column().or(expression.as_cast_of_column().map(|(column, _)| column));
    if let Some(column) = of_column.filter(|column| filled.not_null && filled.nullable.contains(&column.name.as_str()))
    {
        let reason = format!("`{}` can be null, and `{}` is NOT NULL", column.name, filled.name);
        return Known { effect: Effect::MayFail, settings: Vec::new(), reason };
    }
    let steps = if let Some(column) = expression.as_column() {
        scope.type_of(&column.name).map(|from| (from, None))
    } else if let Some((column, target)) = expression.as_cast_of_column() {
        scope.type_of(&column.name).map(|from| (from, Some(target)))
    } else {
        None
    };
    let Some((from, cast)) = steps else {
        let reason = "what this expression does to every value cannot be known while compiling".to_owned();
        return Known { effect: Effect::MayFail, settings: Vec::new(), reason };
    };
    let first = cast.map(|target| conversion(from, target, schema, scope.server));
    let second = conversion(cast.unwrap_or(from), filled.ty, schema, scope.server);
    // What is written into a column of limited length is not cut, as a cast would: it fails.
    let second_fails = second.effect == Effect::Lossy && is_limited(filled.ty);
    let effect = if second_fails { Effect::MayFail } else { second.effect };
    let reason = if second_fails { format!("what is longer than `{}` does not fit", filled.ty) } else { second.reason };
    let mut known = Known { effect, settings: second.settings, reason };
    if let Some(first) = first {
        known.settings.extend(first.settings);
        if first.effect >= known.effect {
            known.effect = first.effect;
            known.reason = first.reason;
        }
    }
    known
}

/// Strings and bits of a declared length: a cast cuts what is longer, and an assignment refuses it.
fn is_limited(ty: &SqlType) -> bool {
    let names = ["character varying", "character", "bit", "bit varying"];
    !ty.modifiers.is_empty() && names.iter().any(|name| ty.is(name))
}

/// The expression as one of the column's own type, so that what is compared later is what was written: `numeric(12,2)` rounds.
fn typed(expression: Expression, ty: &SqlType, scope: &Scope<'_>) -> Option<Expression> {
    let is_whole = |cast: &&Cast| cast.range.len() == expression.code().len();
    let has_type = match (expression.as_column(), expression.as_cast_of_column()) {
        (Some(column), _) => scope.type_of(&column.name) == Some(ty),
        (_, Some((_, target))) => target == ty,
        _ => expression.casts().iter().find(is_whole).is_some_and(|cast| cast.target == *ty),
    };
    if has_type || is_limited(ty) {
        return Some(expression);
    }
    Expression::parse(&format!("({})::{ty}", expression.code())).ok()
}

/// There is nothing to carry out where PostgreSQL has no such cast.
fn is_possible(tree: &syntax::Conversion, known: &Known, scope: &Scope<'_>, errors: &mut Errors) {
    if known.effect == Effect::Impossible {
        errors.push(
            at_expression(&tree.expression, format!("`{}` cannot be computed", scope.keyword), "no such cast")
                .note(known.reason.clone())
                .help("write an expression that makes one type of the other"),
        );
    }
}

/// The trigger, the backfill and the comparison run in different sessions, and have to come to the same value.
fn is_the_same_in_every_session(tree: &syntax::Conversion, known: &Known, scope: &Scope<'_>, errors: &mut Errors) {
    let [setting, ..] = known.settings.as_slice() else { return };
    let message = format!("the result of `{}` depends on the setting {setting} of the session", scope.keyword);
    errors.push(
        at_expression(&tree.expression, message, "another value under another setting")
            .note("the triggers run in the sessions of the application, the backfill and the comparison in others")
            .help(match *setting {
                "TimeZone" => "name the time zone: `… at time zone 'UTC'`".to_owned(),
                _ => "write the format down, with `to_char` or another function that takes one".to_owned(),
            }),
    );
}

/// A value that does not convert must not break a write by surprise.
fn says_what_fails(tree: &syntax::Conversion, known: &Known, scope: &Scope<'_>, errors: &mut Errors) {
    if known.effect != Effect::MayFail || tree.otherwise.is_some() {
        return;
    }
    let text = &tree.expression.value;
    let diagnostic = at_expression(
        &tree.expression,
        format!("`{}` may fail, and does not say what happens then", scope.keyword),
        "may fail",
    );
    let diagnostic = if known.reason.is_empty() { diagnostic } else { diagnostic.note(known.reason.clone()) };
    let lossy = if tree.lossy.is_some() { "lossy " } else { "" };
    errors.push(diagnostic.help(format!(
        "write `{} {lossy}{text:?} or reject` (the write fails), `or quarantine` (NULL, and the row is recorded) or `or \"<expression>\"`",
        scope.lead_in
    )));
}

/// What loses information says so, so that whoever reads the declaration knows it. What one of several columns does not hold, another may.
fn says_what_is_lost(tree: &syntax::Conversion, known: &Known, scope: &Scope<'_>, errors: &mut Errors) {
    if scope.makes.len() > 1 || known.effect != Effect::Lossy || tree.lossy.is_some() {
        return;
    }
    let diagnostic = at_expression(
        &tree.expression,
        format!("`{}` loses information, and does not say so", scope.keyword),
        "loses information",
    );
    let diagnostic = if known.reason.is_empty() { diagnostic } else { diagnostic.note(known.reason.clone()) };
    let help = format!("write `{} lossy {:?}`", scope.lead_in, tree.expression.value);
    errors.push(diagnostic.help(match scope.keyword {
        "backward" => format!("{help}, or `irreversible` to write nothing back"),
        _ => help,
    }));
}

fn at_expression(literal: &Literal, message: String, label: &str) -> Diagnostic {
    let text = &literal.value;
    let start = text.len() - text.trim_start().len();
    Diagnostic::new(literal.span, message).frame(frame(text, start..text.trim_end().len().max(start), label))
}

/// What a declaration has to say is missing.
pub fn is_missing(keyword: &str, target: Option<&str>, span: Span, help: String) -> Diagnostic {
    let why = match keyword {
        "forward" => "the rows that exist, and those that old code writes, are converted by it",
        "backward" => "old code that still runs reads what new code wrote, and a rollback must not lose it",
        _ => "it names the column by which a row of the new table finds its row in the old one",
    };
    let target = target.map(|target| format!(" {}", super::written(target))).unwrap_or_default();
    Diagnostic::new(span, format!("missing `{keyword}{target}`")).note(why).help(help)
}

/// The conversion between two types as it would be declared, where a cast does it: for help.
pub fn suggestion(keyword: &str, column: &str, from: &SqlType, to: &SqlType, schema: &Schema, server: u32) -> String {
    let is_plain = column.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
    let name = if is_plain { column.to_owned() } else { quote_ident(column) };
    let expression = format!("{name}::{to}");
    match conversion(from, to, schema, server).effect {
        Effect::Identity | Effect::Total => format!("{keyword} {expression:?}"),
        Effect::Lossy => format!("{keyword} lossy {expression:?}"),
        Effect::MayFail => format!("{keyword} {expression:?} or reject"),
        Effect::Impossible => format!("{keyword} \"<SQL expression>\" or reject"),
    }
}
