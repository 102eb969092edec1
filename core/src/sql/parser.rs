//! The one place that calls the parser: text in, syntax tree and readable errors out.
//!
//! The parser knows statements, not expressions, so an expression is parsed as `select <expression>`, and every range is shifted back.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode, SyntaxToken};

use super::error::{ErrorKind, ExpressionError};
use super::stack::{MAX_BYTES, with_room};

/// What turns an expression into a statement. The line break keeps the two apart whatever the expression begins with.
const PREFIX: &str = "select\n";

/// An expression's syntax tree.
pub(super) struct Tree {
    /// The expression itself.
    pub expression: SyntaxNode,
}

impl Tree {
    /// Where a node stands in the text that was parsed.
    pub fn range(node: &SyntaxNode) -> Range<usize> {
        let range = node.text_range();
        shift_back((range.start(), range.end()))
    }

    /// Where a token stands in the text that was parsed.
    pub fn token_range(token: &SyntaxToken) -> Range<usize> {
        let range = token.text_range();
        shift_back((range.start(), range.end()))
    }
}

/// Parses one expression and looks at its tree. Errors of the syntax come first: `look` sees a tree without any.
///
/// `look` may run on another thread: nesting is bounded by the length of the text alone.
pub(super) fn with_expression<T: Send>(
    text: &str,
    look: impl FnOnce(&Tree) -> Result<T, Vec<ExpressionError>> + Send,
) -> Result<T, Vec<ExpressionError>> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression is {} bytes long; {MAX_BYTES} is the most", text.len());
        let error = ExpressionError::new(ErrorKind::Syntax, 0..0, message, "begins here");
        return Err(vec![error.help("put it into a function, declared `immutable`, and call that")]);
    }
    if let Some(at) = text.find('\0') {
        let message = "a NUL character, which PostgreSQL keeps in no text";
        return Err(vec![ExpressionError::new(ErrorKind::Syntax, at..at + 1, message, "here")]);
    }
    with_room(text, || look(&parse(text).map_err(|error| vec![error])?)).unwrap_or_else(|| {
        let message = "the SQL parser could not cope with this expression";
        Err(vec![ExpressionError::new(ErrorKind::Syntax, 0..text.len(), message, "")])
    })
}

/// The tree of one expression, or the first mistake.
fn parse(text: &str) -> Result<Tree, ExpressionError> {
    let parsed = SourceFile::parse(&format!("{PREFIX}{text}\n"));
    let root = parsed.tree().syntax().clone();
    let tokens = || root.descendants_with_tokens().filter_map(|element| element.into_token());
    let written = || tokens().filter(|token| !token.kind().is_trivia()).skip(1);

    let within = |range: Range<usize>| range.start.min(text.len())..range.end.min(text.len());
    let errors = parsed.errors();
    let mut wrong = errors.iter().map(|error| {
        let range = error.range();
        (within(shift_back((range.start(), range.end()))), error.message())
    });
    // Whatever is not closed swallows the rest: nothing else in the tree means anything then.
    if let Some((range, (what, closing))) = wrong.clone().find_map(|(range, message)| Some((range, unclosed(message)?)))
    {
        let opening = range.start..range.end.min(range.start + 1);
        let message = format!("this {what} is not closed");
        return Err(ExpressionError::new(ErrorKind::Syntax, opening, message, format!("no {closing} follows")));
    }
    let Some(first) = written().next() else {
        return Err(ExpressionError::new(ErrorKind::Empty, 0..text.len(), "an expression is missing", "expected SQL"));
    };
    let end_of_code = written().last().map_or(text.len(), |token| Tree::token_range(&token).end);

    let expression = root.descendants().find(|node| node.kind() == SyntaxKind::TARGET).and_then(|target| {
        let node = target.children().find(|node| ast::Expr::can_cast(node.kind()))?;
        (node.first_token()?.text_range().start() >= first.text_range().start()).then_some(node)
    });
    // What should not be there: in front of the expression (`distinct a`), behind it, or where it should be.
    let (stray, after_expression) = match &expression {
        Some(node) if node.text_range().start() != first.text_range().start() => (Some(first), false),
        Some(node) => (written().find(|token| token.text_range().start() >= node.text_range().end()), true),
        None => (Some(first), false),
    };
    let stray = stray.map(|token| unexpected(&token, after_expression, Tree::token_range(&token).end == end_of_code));
    let wrong = wrong.find(|(_, message)| stray.is_none() || !is_about_statements(message)).map(|(range, message)| {
        // The parser puts what is missing behind blanks and comments; people look for it behind the code.
        let range = if range.start >= end_of_code { end_of_code..end_of_code } else { range };
        syntax_error(range, message)
    });
    match (wrong, stray, expression) {
        (Some(wrong), Some(stray), Some(_)) if wrong.range.start <= stray.range.start => Err(wrong),
        (Some(wrong), Some(stray), None) if wrong.range.start < stray.range.start => Err(wrong),
        (Some(_), Some(stray), _) => Err(stray),
        (Some(error), None, _) | (None, Some(error), _) => Err(error),
        (None, None, Some(expression)) => Ok(Tree { expression }),
        (None, None, None) => {
            Err(ExpressionError::new(ErrorKind::Syntax, 0..text.len(), "this is not an expression", "expected SQL"))
        }
    }
}

/// Whether the parser complains that a statement ends or begins in the wrong place, which is not what the user wrote.
fn is_about_statements(message: &str) -> bool {
    ["expected command", "expected an expression in target", "missing comma", "Missing semicolon"]
        .iter()
        .any(|beginning| message.starts_with(beginning))
}

/// What the parser says about strings, comments and quoted names that do not end: what it is, and what closes it.
fn unclosed(message: &str) -> Option<(&'static str, &'static str)> {
    Some(match message {
        _ if message.contains("block comment") => ("comment", "`*/`"),
        _ if message.contains("quoted identifier") => ("quoted name", "`\"`"),
        _ if message.contains("dollar quoted") => ("dollar-quoted string", "closing tag"),
        _ if message.starts_with("Missing trailing `'`") => ("string", "`'`"),
        _ => return None,
    })
}

/// A token that stands where an expression should begin, or has ended.
fn unexpected(token: &SyntaxToken, after_expression: bool, is_last: bool) -> ExpressionError {
    use SyntaxKind::*;
    let range = Tree::token_range(token);
    let text = token.text();
    let error = |kind, message: String, label: &str| ExpressionError::new(kind, range.clone(), message, label);
    match token.kind() {
        COMMA if after_expression => error(
            ErrorKind::NotOneExpression,
            "one expression is expected here, not a list".to_owned(),
            "the first one ends here",
        ),
        SEMICOLON if after_expression => error(
            ErrorKind::NotOneExpression,
            "an expression is expected here, not a statement".to_owned(),
            "the expression ends here",
        )
        .help("leave out the `;` and all that follows it"),
        SELECT_KW | WITH_KW | VALUES_KW | TABLE_KW if !after_expression => {
            error(ErrorKind::Subquery, "an expression is expected here, not a query".to_owned(), "a query begins here")
                .help("write what stood between `select` and `from`")
        }
        COLON if !after_expression => parameter(range),
        STAR if !after_expression => {
            error(ErrorKind::Star, "`*` is not an expression".to_owned(), "").help("name the column")
        }
        R_PAREN | R_BRACK => {
            error(ErrorKind::Syntax, format!("unexpected `{text}`"), "nothing is open here that it could close")
        }
        AND_KW | OR_KW | COLLATE_KW if after_expression && is_last => {
            error(ErrorKind::Syntax, format!("an expression is missing after `{text}`"), "")
        }
        _ if after_expression => {
            error(ErrorKind::NotOneExpression, format!("unexpected `{text}`"), "the expression ends before this")
                .note("an operator, a comma, a parenthesis or a quote may be missing before it")
        }
        _ => error(ErrorKind::Syntax, format!("expected an expression, found `{text}`"), "expected an expression"),
    }
}

/// `$1`, `:name`: nobody executes the expression with arguments.
pub(super) fn parameter(range: Range<usize>) -> ExpressionError {
    let message = "a parameter in an expression";
    ExpressionError::new(ErrorKind::Parameter, range, message, "nothing gives it a value")
}

/// An error of the parser in words of SQL.
fn syntax_error(range: Range<usize>, message: &str) -> ExpressionError {
    let message = readable(message);
    if message.starts_with("invalid parameter type") {
        return parameter(range);
    }
    let label = match message.split_once(", found ") {
        Some((expected, _)) => expected.to_owned(),
        None if message.starts_with("expected ") => format!("{message} here"),
        None => String::new(),
    };
    ExpressionError::new(ErrorKind::Syntax, range, message, label)
}

/// `expected R_PAREN` → "expected `)`", `expected END_KW` → "expected `END`"; begins in lower case and ends without a full stop.
fn readable(message: &str) -> String {
    let words = message.trim_end_matches('.').split(' ').map(|word| {
        let (word, tail) = word.split_at(word.trim_end_matches(',').len());
        let name = symbol(word).or_else(|| word.strip_suffix("_KW"));
        match (word, name) {
            ("EOF", _) => format!("the end{tail}"),
            ("got", _) => format!("found{tail}"),
            (_, Some(name)) => format!("`{name}`{tail}"),
            (_, None) => format!("{word}{tail}"),
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    let text = match text.as_str() {
        "missing comma" => "expected an operator or a comma",
        text => text,
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}

/// How the parser's name of a token is written.
fn symbol(name: &str) -> Option<&'static str> {
    Some(match name {
        "AMP" => "&",
        "AT" => "@",
        "BACKTICK" => "`",
        "BANG" => "!",
        "CARET" => "^",
        "COLON" => ":",
        "COLON_COLON" => "::",
        "COLON_EQ" => ":=",
        "COMMA" => ",",
        "DOLLAR" => "$",
        "DOT" => ".",
        "DOT_DOT" => "..",
        "EQ" => "=",
        "FAT_ARROW" => "=>",
        "GREATER_GREATER" => ">>",
        "GTEQ" => ">=",
        "LESS_LESS" => "<<",
        "LTEQ" => "<=",
        "L_ANGLE" => "<",
        "L_BRACK" => "[",
        "L_CURLY" => "{",
        "L_PAREN" => "(",
        "MINUS" => "-",
        "NEQ" => "!=",
        "NEQB" => "<>",
        "PERCENT" => "%",
        "PIPE" => "|",
        "PLUS" => "+",
        "POUND" => "#",
        "QUESTION" => "?",
        "R_ANGLE" => ">",
        "R_BRACK" => "]",
        "R_CURLY" => "}",
        "R_PAREN" => ")",
        "SEMICOLON" => ";",
        "SLASH" => "/",
        "STAR" => "*",
        "TILDE" => "~",
        _ => return None,
    })
}

/// A place in the statement, as a place in the expression in it.
fn shift_back(range: (impl Into<usize>, impl Into<usize>)) -> Range<usize> {
    range.0.into().saturating_sub(PREFIX.len())..range.1.into().saturating_sub(PREFIX.len())
}
