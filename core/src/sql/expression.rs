//! An expression that a user wrote or a dump contains.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::conversion::keeps_null;
use super::error::{ErrorKind, ExpressionError};
use super::parser::{self, Tree};
use super::types;
use crate::schema::{Schema, SqlType};

/// One SQL expression, and what is known about it without asking a server.
///
/// Two expressions are equal if their texts are.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    /// The part of the text that is code: without blanks and comments around it.
    code: Range<usize>,
    columns: Vec<ColumnRef>,
    functions: Vec<FunctionCall>,
    casts: Vec<Cast>,
    shape: Shape,
}

/// A column, as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// The schema of `schema.table.column`.
    pub schema: Option<String>,
    /// What stands before the dot: a table, an alias, `new`.
    pub qualifier: Option<String>,
    /// Its name, without quotes and folded as PostgreSQL folds it.
    pub name: String,
    /// Where it stands, qualifier included, in bytes of the text.
    pub range: Range<usize>,
    /// Where its name alone stands.
    pub name_range: Range<usize>,
    /// It stands inside of a query of its own, so it may belong to a table that the query names. Never in an expression that [`Expression::parse`] accepts.
    pub in_subquery: bool,
}

/// A function, as an expression calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionCall {
    /// The schema, where it is written.
    pub schema: Option<String>,
    /// Its name in the catalog: `btrim` for `trim(…)`, `date_part` for `extract(…)`, `timezone` for `… at time zone …`. Key words that
    /// are values (`current_date`) are calls as well; `coalesce`, `nullif`, `greatest` and `least` are operators, not functions.
    pub name: String,
    /// Where it is written: the name without arguments, the key words of an operator.
    pub range: Range<usize>,
    /// How many arguments it is called with.
    pub argument_count: usize,
}

/// A cast, written `x::type`, `cast(x as type)` or `type 'literal'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// To what.
    pub target: SqlType,
    /// Where the whole cast stands.
    pub range: Range<usize>,
    /// Where the type stands.
    pub target_range: Range<usize>,
    /// The column, where a column and nothing else is cast.
    pub column: Option<ColumnRef>,
}

/// What an expression is made of, as far as anyone needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// A column, in as many parentheses as you like.
    Column,
    /// A column, cast once or more; the innermost cast first.
    CastOfColumn(Vec<SqlType>),
    /// Anything else.
    Other,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl Expression {
    /// Parses one expression that computes a value from the columns of one row.
    ///
    /// # Errors
    ///
    /// The first mistake of the syntax; or all places that make it something else than such an expression: a query, an aggregate or window
    /// function (where the syntax shows it: [`unfit_functions`](super::builtin::unfit_functions) knows them by name), `*`, a parameter, a
    /// cast to something that is no type.
    pub fn parse(text: &str) -> Result<Self, Vec<ExpressionError>> {
        parser::with_expression(text, |tree| {
            let (expression, errors) = Walk::new(text).over(&tree.expression);
            if errors.is_empty() { Ok(expression) } else { Err(errors) }
        })
    }

    /// Parses what a dump contains: a default, a check, a predicate, the expression of an index or a policy. Anything that is one
    /// expression by its syntax will do.
    ///
    /// # Errors
    ///
    /// The first mistake of the syntax.
    pub fn parse_lenient(text: &str) -> Result<Self, Vec<ExpressionError>> {
        parser::with_expression(text, |tree| {
            let (expression, mut errors) = Walk::new(text).over(&tree.expression);
            errors.retain(|error| error.kind == ErrorKind::Syntax);
            if errors.is_empty() { Ok(expression) } else { Err(errors) }
        })
    }

    /// The text that was parsed, as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text without blanks and comments around it, so that it stays an expression in parentheses, whatever comment was at its end.
    pub fn code(&self) -> &str {
        self.text.get(self.code.clone()).unwrap_or_default()
    }

    /// The columns, in the order in which they appear, each time that they appear. Never the names of functions, types, arguments or fields.
    pub fn columns(&self) -> &[ColumnRef] {
        &self.columns
    }

    /// The functions, in the order in which they appear.
    pub fn functions(&self) -> &[FunctionCall] {
        &self.functions
    }

    /// The casts, in the order in which they begin; of those that begin together, the outer one first.
    pub fn casts(&self) -> &[Cast] {
        &self.casts
    }

    /// The [code](Self::code) with SQL put in place of the columns for which `replace` gives some: a quoted identifier, or an expression in
    /// parentheses. What qualified such a column goes with it. All the rest stays as it is, byte for byte.
    pub fn replace_columns(&self, replace: impl Fn(&ColumnRef) -> Option<String>) -> String {
        let mut replaced = String::with_capacity(self.code.len());
        let mut copied = self.code.start;
        for column in &self.columns {
            let Some(replacement) = replace(column) else { continue };
            replaced.push_str(self.text.get(copied..column.range.start).unwrap_or_default());
            // `u&` and a quote would begin a Unicode identifier.
            if replaced.ends_with('&') && replacement.starts_with('"') {
                replaced.push(' ');
            }
            replaced.push_str(&replacement);
            copied = column.range.end;
        }
        replaced.push_str(self.text.get(copied..self.code.end).unwrap_or_default());
        replaced
    }

    /// The column, if the expression is nothing but one, parentheses aside.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        self.columns.first().filter(|_| self.shape == Shape::Column)
    }

    /// The column and the type, if the expression is nothing but a column and one cast of it, parentheses aside.
    pub fn as_cast_of_column(&self) -> Option<(&ColumnRef, &SqlType)> {
        match &self.shape {
            Shape::CastOfColumn(types) => Some((self.columns.first()?, types.first().filter(|_| types.len() == 1)?)),
            Shape::Column | Shape::Other => None,
        }
    }

    /// Whether it reads no column.
    pub fn is_constant(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether it certainly gives NULL for NULL, and for nothing else: true for a column, and for casts of one where
    /// [no step makes a NULL](super::conversion::keeps_null). `column_type` gives the type of a column.
    pub fn maps_null_to_null_only(
        &self,
        schema: &Schema,
        column_type: impl FnOnce(&ColumnRef) -> Option<SqlType>,
    ) -> bool {
        match (&self.shape, self.columns.first()) {
            (Shape::Column, _) => true,
            (Shape::CastOfColumn(types), Some(column)) => column_type(column).is_some_and(|from| {
                let sources = std::iter::once(&from).chain(types);
                sources.zip(types).all(|(from, to)| keeps_null(from, to, schema))
            }),
            _ => false,
        }
    }
}

/// One pass over the tree of an expression.
struct Walk<'a> {
    text: &'a str,
    /// Whether the node in hand stands inside of a query.
    in_subquery: bool,
    columns: Vec<ColumnRef>,
    functions: Vec<FunctionCall>,
    casts: Vec<Cast>,
    errors: Vec<ExpressionError>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            in_subquery: false,
            columns: Vec::new(),
            functions: Vec::new(),
            casts: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn over(mut self, root: &SyntaxNode) -> (Expression, Vec<ExpressionError>) {
        // A list instead of recursion: the tree of `a || b || c …` is as deep as it is long.
        let mut pending = vec![(root.clone(), false)];
        while let Some((node, in_subquery)) = pending.pop() {
            self.in_subquery = in_subquery;
            let is_query = ast::SelectVariant::can_cast(node.kind());
            if is_query {
                self.refuse(ErrorKind::Subquery, &node, "a query inside of an expression", "reads other rows");
            }
            if self.look_at(&node) {
                let children: Vec<_> = node.children().map(|child| (child, in_subquery || is_query)).collect();
                pending.extend(children.into_iter().rev());
            }
        }
        // Operators are met before what stands left of them.
        self.functions.sort_by_key(|call| call.range.start);
        self.errors.sort_by_key(|error| error.range.start);
        let expression = Expression {
            text: self.text.to_owned(),
            code: Tree::range(root),
            shape: shape(root),
            columns: self.columns,
            functions: self.functions,
            casts: self.casts,
        };
        (expression, self.errors)
    }

    /// Takes down what a node says. Returns whether there is more to see inside of it.
    fn look_at(&mut self, node: &SyntaxNode) -> bool {
        use SyntaxKind::*;
        match node.kind() {
            kind if ast::Type::can_cast(kind) => return false,
            NAME_REF | FIELD_EXPR if is_callee(node) || is_field(node) || is_option(node) => return false,
            NAME_REF if is_value(node) => {
                self.call(None, token_text(node), Tree::range(node), 0);
                return false;
            }
            FIELD_EXPR if has_token(node, STAR) => {
                self.refuse(ErrorKind::Star, node, "`*` in an expression", "name the columns");
                return false;
            }
            // Where the base is computed, `(address).city`, only it can hold columns, and it is looked at in its turn.
            NAME_REF | FIELD_EXPR => match path(node) {
                Some(path) => {
                    self.column(node, &path);
                    return false;
                }
                None => return true,
            },
            CALL_EXPR => self.call_expression(node),
            CAST_EXPR => self.cast(node),
            BIN_EXPR => self.binary(node),
            AT_TIME_ZONE => self.call(None, "timezone".to_owned(), Tree::range(node), 2),
            AT_LOCAL => self.call(None, "timezone".to_owned(), Tree::range(node), 1),
            IS_NORMALIZED | IS_NOT_NORMALIZED => self.call(None, "is_normalized".to_owned(), Tree::range(node), 1),
            LITERAL if has_token(node, POSITIONAL_PARAM) => {
                self.errors.push(parser::parameter(Tree::range(node)));
            }
            _ => {}
        }
        true
    }

    /// Notes what is wrong; inside of a query, the query is what is wrong already.
    fn refuse(&mut self, kind: ErrorKind, node: &SyntaxNode, message: &str, label: &str) {
        if !self.in_subquery || kind == ErrorKind::Syntax {
            self.errors.push(ExpressionError::new(kind, Tree::range(node), message, label));
        }
    }

    fn refuse_aggregate(&mut self, node: &SyntaxNode) {
        self.refuse(ErrorKind::Aggregate, node, "an aggregate function in an expression", "reads many rows");
    }

    fn column(&mut self, node: &SyntaxNode, path: &[SyntaxNode]) {
        match column_ref(node, path, self.in_subquery) {
            Some(column) => self.columns.push(column),
            None => self.refuse(ErrorKind::Syntax, node, "a name of too many parts", "at most `schema.table.column`"),
        }
    }

    fn call(&mut self, schema: Option<String>, name: String, range: Range<usize>, argument_count: usize) {
        self.functions.push(FunctionCall { schema, name, range, argument_count });
    }

    /// `name(…)`, and the functions that have a syntax of their own.
    fn call_expression(&mut self, node: &SyntaxNode) {
        use SyntaxKind::*;
        let Some(callee) = node.first_child() else { return };
        if let Some(clause) = child(node, OVER_CLAUSE) {
            self.refuse(ErrorKind::Window, &clause, "a window function in an expression", "reads the rows around");
        } else if let Some(clause) = child(node, FILTER_CLAUSE).or_else(|| child(node, WITHIN_CLAUSE)) {
            self.refuse_aggregate(&clause);
        }
        let name = match callee.kind() {
            NAME_REF | FIELD_EXPR => return self.named_call(node, &callee),
            JSON_ARRAY_AGG_FN | JSON_OBJECT_AGG_FN => return self.refuse_aggregate(&callee),
            COLLATION_FOR_FN => "pg_collation_for",
            EXTRACT_FN => "date_part",
            JSON_ARRAY_FN => "json_array",
            JSON_EXISTS_FN => "json_exists",
            JSON_FN => "json",
            JSON_OBJECT_FN => "json_object",
            JSON_QUERY_FN => "json_query",
            JSON_SCALAR_FN => "json_scalar",
            JSON_SERIALIZE_FN => "json_serialize",
            JSON_VALUE_FN => "json_value",
            OVERLAY_FN => "overlay",
            POSITION_FN => "position",
            SUBSTRING_FN => "substring",
            TRIM_FN if child(&callee, TRIM_LEADING).is_some() => "ltrim",
            TRIM_FN if child(&callee, TRIM_TRAILING).is_some() => "rtrim",
            TRIM_FN => "btrim",
            // `any`, `all`, `exists` and those of XML are no functions to the catalog.
            _ => return,
        };
        let field_of_extract = usize::from(callee.kind() == EXTRACT_FN);
        let written = callee.first_token().map_or_else(|| Tree::range(&callee), |token| Tree::token_range(&token));
        self.call(None, name.to_owned(), written, count_expressions(&callee) + field_of_extract);
    }

    /// `name(…)` and `schema.name(…)`.
    fn named_call(&mut self, node: &SyntaxNode, callee: &SyntaxNode) {
        use SyntaxKind::*;
        let arguments: Vec<_> = child(node, ARG_LIST).into_iter().flat_map(|list| list.children()).collect();
        let is_aggregate = child(node, ARG_LIST).is_some_and(|list| has_token(&list, STAR))
            || arguments
                .iter()
                .any(|argument| argument.kind() == DISTINCT || child(argument, ORDER_BY_CLAUSE).is_some());
        match callee.first_token().map(|token| token.kind()) {
            // These are operators: the catalog has no functions of these names.
            Some(COALESCE_KW | GREATEST_KW | LEAST_KW | NULLIF_KW | XMLCONCAT_KW) => return,
            Some(GROUPING_KW) => return self.refuse_aggregate(callee),
            Some(GRAPH_TABLE_KW) => {
                return self.refuse(ErrorKind::Subquery, node, "a query inside of an expression", "reads other rows");
            }
            Some(MERGE_ACTION_KW) => {
                return self.refuse(ErrorKind::Syntax, callee, "`merge_action` outside of `MERGE`", "");
            }
            _ if is_aggregate => self.refuse_aggregate(node),
            _ => {}
        }
        let names: Vec<String> = path(callee).unwrap_or_default().iter().map(ast::normalize_name_node).collect();
        let count = arguments.iter().filter(|argument| argument.kind() == ARG).count();
        match names.as_slice() {
            [name] => self.call(None, name.clone(), Tree::range(callee), count),
            [schema, name] => self.call(Some(schema.clone()), name.clone(), Tree::range(callee), count),
            _ => self.refuse(ErrorKind::Syntax, callee, "a name of too many parts", "at most `schema.function`"),
        }
    }

    fn cast(&mut self, node: &SyntaxNode) {
        let Some(target_node) = cast_target(node) else { return };
        match types::of_node(&target_node) {
            Ok(target) => {
                let column = cast_operand(node).map(|operand| without_parentheses(&operand)).and_then(|operand| {
                    let path = path(&operand).filter(|_| !is_value(&operand))?;
                    column_ref(&operand, &path, self.in_subquery)
                });
                let (range, target_range) = (Tree::range(node), Tree::range(&target_node));
                self.casts.push(Cast { target, range, target_range, column });
            }
            Err(error) if !self.in_subquery => self.errors.push(error),
            Err(_) => {}
        }
    }

    /// What the parser takes for an operator with two operands, and is more than that.
    fn binary(&mut self, node: &SyntaxNode) {
        use SyntaxKind::*;
        let overlaps = node.children_with_tokens().find(|child| child.kind() == OVERLAPS_KW);
        if let Some(token) = overlaps.and_then(|element| element.into_token()) {
            self.call(None, "overlaps".to_owned(), Tree::token_range(&token), 4);
        }
        if has_token(node, IS_KW) || child(node, IS_NOT).is_some() {
            let right = node.children().filter(|child| ast::Expr::can_cast(child.kind())).nth(1);
            let first = right.as_ref().and_then(|right| right.first_token()).map(|token| token.kind());
            if let Some(right) = right
                && !matches!(first, Some(NULL_KW | TRUE_KW | FALSE_KW | UNKNOWN_KW | DOCUMENT_KW))
            {
                let message = "expected `NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM` after `IS`";
                self.refuse(ErrorKind::Syntax, &right, message, "not one of them");
            }
        }
    }
}

/// The first child of a kind.
fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

/// Whether a token of this kind stands directly in the node.
fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens().any(|child| child.kind() == kind)
}

/// A key word as the catalog spells it.
fn token_text(node: &SyntaxNode) -> String {
    node.first_token().map(|token| token.text().to_ascii_lowercase()).unwrap_or_default()
}

/// The names of `a`, `a.b` or `a.b.c`; `None` if the first is no name, as in `(a).b`.
fn path(node: &SyntaxNode) -> Option<Vec<SyntaxNode>> {
    let mut names = Vec::new();
    let mut node = node.clone();
    while node.kind() == SyntaxKind::FIELD_EXPR {
        names.push(node.children().nth(1)?);
        node = node.first_child()?;
    }
    names.push(node);
    names.reverse();
    names.iter().all(|name| name.kind() == SyntaxKind::NAME_REF).then_some(names)
}

/// A column: `column`, `table.column` or `schema.table.column`.
fn column_ref(node: &SyntaxNode, path: &[SyntaxNode], in_subquery: bool) -> Option<ColumnRef> {
    let mut names = path.iter().map(ast::normalize_name_node).rev();
    let (name, qualifier, schema) = (names.next()?, names.next(), names.next());
    let name_range = Tree::range(path.last()?);
    let range = Tree::range(node);
    names.next().is_none().then_some(ColumnRef { schema, qualifier, name, range, name_range, in_subquery })
}

/// Whether this is the name in front of a call's parentheses.
fn is_callee(node: &SyntaxNode) -> bool {
    node.parent()
        .is_some_and(|parent| parent.kind() == SyntaxKind::CALL_EXPR && parent.first_child().as_ref() == Some(node))
}

/// Whether this is the name behind a dot.
fn is_field(node: &SyntaxNode) -> bool {
    node.parent()
        .is_some_and(|parent| parent.kind() == SyntaxKind::FIELD_EXPR && parent.first_child().as_ref() != Some(node))
}

/// Whether this looks like a name and is a key word of what stands around it: `is unknown`, `is document`, `normalize(a, nfc)`.
fn is_option(node: &SyntaxNode) -> bool {
    use SyntaxKind::*;
    let Some(token) = node.first_token() else { return false };
    match token.kind() {
        UNKNOWN_KW | DOCUMENT_KW => {
            let before = std::iter::successors(token.prev_token(), |token| token.prev_token());
            before.into_iter().find(|token| !token.kind().is_trivia()).is_some_and(|token| match token.kind() {
                IS_KW => true,
                NOT_KW => token.parent().is_some_and(|parent| parent.kind() == IS_NOT),
                _ => false,
            })
        }
        NFC_KW | NFD_KW | NFKC_KW | NFKD_KW => {
            let call = node.ancestors().nth(3).filter(|call| call.kind() == CALL_EXPR);
            let is_normalize = call.and_then(|call| call.first_token()).is_some_and(|t| t.kind() == NORMALIZE_KW);
            is_normalize && node.parent().is_some_and(|argument| argument.prev_sibling().is_some())
        }
        _ => false,
    }
}

/// Whether this is a value that is written as a key word.
fn is_value(node: &SyntaxNode) -> bool {
    use SyntaxKind::*;
    let kind = node.first_token().map(|token| token.kind());
    node.kind() == NAME_REF
        && matches!(
            kind,
            Some(
                CURRENT_CATALOG_KW
                    | CURRENT_DATE_KW
                    | CURRENT_ROLE_KW
                    | CURRENT_SCHEMA_KW
                    | CURRENT_TIME_KW
                    | CURRENT_TIMESTAMP_KW
                    | CURRENT_USER_KW
                    | LOCALTIME_KW
                    | LOCALTIMESTAMP_KW
                    | SESSION_USER_KW
                    | SYSTEM_USER_KW
                    | USER_KW
            )
        )
}

/// How many expressions a function with a syntax of its own is given.
fn count_expressions(callee: &SyntaxNode) -> usize {
    let is_expression = |node: &SyntaxNode| ast::Expr::can_cast(node.kind());
    let count = |node: SyntaxNode| if is_expression(&node) { 1 } else { node.children().filter(is_expression).count() };
    callee.children().map(count).sum()
}

/// The type of a cast.
fn cast_target(node: &SyntaxNode) -> Option<SyntaxNode> {
    node.children().find(|child| ast::Type::can_cast(child.kind()))
}

/// What a cast converts.
fn cast_operand(node: &SyntaxNode) -> Option<SyntaxNode> {
    node.children().find(|child| ast::Expr::can_cast(child.kind()))
}

/// What stands inside of any number of parentheses.
fn without_parentheses(node: &SyntaxNode) -> SyntaxNode {
    let mut node = node.clone();
    while node.kind() == SyntaxKind::PAREN_EXPR
        && let Some(inner) = node.first_child()
    {
        node = inner;
    }
    node
}

fn shape(root: &SyntaxNode) -> Shape {
    let mut types = Vec::new();
    let mut node = without_parentheses(root);
    while node.kind() == SyntaxKind::CAST_EXPR {
        let target = cast_target(&node).and_then(|target| types::of_node(&target).ok());
        let (Some(target), Some(operand)) = (target, cast_operand(&node)) else { return Shape::Other };
        types.push(target);
        node = without_parentheses(&operand);
    }
    types.reverse();
    let is_column = path(&node).is_some_and(|path| path.len() <= 3) && !is_value(&node);
    match (is_column, types.is_empty()) {
        (true, true) => Shape::Column,
        (true, false) => Shape::CastOfColumn(types),
        (false, _) => Shape::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::quote_ident;

    fn parse(text: &str) -> Expression {
        Expression::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"))
    }

    /// The first mistake: its kind, the code that it marks, and its message.
    fn mistake(text: &str) -> (ErrorKind, String, String) {
        let error = Expression::parse(text).expect_err(text).remove(0);
        (error.kind, text[error.range.clone()].to_owned(), error.message)
    }

    fn columns(text: &str) -> Vec<String> {
        let expression = Expression::parse_lenient(text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"));
        expression
            .columns()
            .iter()
            .map(|column| {
                let path = [column.schema.as_deref(), column.qualifier.as_deref(), Some(&column.name)];
                path.into_iter().flatten().collect::<Vec<_>>().join(".")
            })
            .collect()
    }

    fn functions(text: &str) -> Vec<String> {
        let calls = |call: &FunctionCall| {
            let schema = call.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            format!("{schema}{}/{}", call.name, call.argument_count)
        };
        parse(text).functions().iter().map(calls).collect()
    }

    #[test]
    fn columns_are_told_from_all_other_names() {
        assert_eq!(columns("split_part(full_name, ' ', 1)"), ["full_name"]);
        assert_eq!(columns("a + b * a"), ["a", "b", "a"]);
        assert_eq!(columns("Users.Full_Name || \"Weird \"\" Name\""), ["users.full_name", "Weird \" Name"]);
        assert_eq!(columns("app.users.name"), ["app.users.name"]);
        assert_eq!(columns("U&\"d\\0061t\\+000061\" || U&\"d!0061t\" uescape '!'"), ["data", "dat"]);
        assert_eq!(columns("(address).city || (address).geo.lat"), ["address", "address"]);
        assert_eq!(columns("tags[1] || tags[lo:hi]"), ["tags", "tags", "lo", "hi"]);
        assert_eq!(columns("make_interval(days => n) + f(x := y)"), ["n", "y"]);
        assert_eq!(columns("total::numeric(10, 2)::app.cents"), ["total"]);
        assert_eq!(columns("cast(a as \"Mood\")"), ["a"]);
        assert_eq!(columns("extract(year from created_at)"), ["created_at"]);
        assert_eq!(columns("interval '1' day + date '2020-01-01' + n"), ["n"]);
        assert_eq!(columns("case kind when 'a' then x else y end"), ["kind", "x", "y"]);
        assert_eq!(columns("name collate \"C\" < other"), ["name", "other"]);
        assert_eq!(columns("a operator(pg_catalog.+) b"), ["a", "b"]);
        assert_eq!(columns("a is unknown and b is not document and c is nfc normalized"), ["a", "b", "c"]);
        assert_eq!(columns("normalize(a, nfc)"), ["a"]);
        assert_eq!(columns("unknown || document || nfc"), ["unknown", "document", "nfc"]);
        assert_eq!(columns("current_user || user || localtime::text || current_date::text"), Vec::<String>::new());
        assert_eq!(columns("\"user\" || \"current_user\""), ["user", "current_user"]);
        assert_eq!(columns("xmlelement(name foo, xmlattributes(a as b), c)"), ["a", "c"]);
        assert_eq!(columns("json_value(a, '$.x' passing b as c returning int)"), ["a", "b"]);
        assert_eq!(columns("row(a, b) = (c, d) or a = any (array[b, c])"), ["a", "b", "c", "d", "a", "b", "c"]);
        assert_eq!(columns("a -- b\n + c /* d */"), ["a", "c"]);
        assert_eq!(columns("coalesce"), ["coalesce"]);
    }

    #[test]
    fn ranges_are_bytes_of_the_text() {
        let text = "lower(é) || users.\"Full\"";
        let expression = parse(text);
        let marked: Vec<_> =
            expression.columns().iter().map(|c| (&text[c.range.clone()], &text[c.name_range.clone()])).collect();
        assert_eq!(marked, [("é", "é"), ("users.\"Full\"", "\"Full\"")]);
        assert_eq!(&text[expression.functions()[0].range.clone()], "lower");
    }

    #[test]
    fn functions_have_the_names_of_the_catalog() {
        assert_eq!(functions("upper(a) || app.slug(b, c) || \"Odd\"()"), ["upper/1", "app.slug/2", "Odd/0"]);
        assert_eq!(functions("trim(a)"), ["btrim/1"]);
        assert_eq!(functions("trim(leading 'x' from a)"), ["ltrim/2"]);
        assert_eq!(functions("trim(trailing from a)"), ["rtrim/1"]);
        assert_eq!(functions("substring(a from 2 for 3) || substring(a, 2)"), ["substring/3", "substring/2"]);
        assert_eq!(functions("position('a' in b) + extract(year from c)"), ["position/2", "date_part/2"]);
        assert_eq!(functions("overlay(a placing b from 1)"), ["overlay/3"]);
        assert_eq!(functions("a at time zone 'UTC'"), ["timezone/2"]);
        assert_eq!(functions("now() > f(a at local)"), ["now/0", "f/1", "timezone/1"]);
        assert_eq!(
            functions("current_timestamp(3) - current_timestamp"),
            ["current_timestamp/1", "current_timestamp/0"]
        );
        assert_eq!(functions("current_schema()"), ["current_schema/0"]);
        assert_eq!(functions("(a, b) overlaps (c, d)"), ["overlaps/4"]);
        assert_eq!(functions("coalesce(nullif(a, b), greatest(c, d), least(e, f))"), Vec::<String>::new());
        assert_eq!(functions("concat_ws(variadic a)"), ["concat_ws/1"]);
        assert_eq!(functions("json_object('a': b)"), ["json_object/1"]);
        assert_eq!(functions("varchar 'x' || int4 '1'"), Vec::<String>::new());
    }

    #[test]
    fn casts_say_what_becomes_what() {
        let expression =
            parse("a::int + cast(b as varchar(10))::text::int8 + date '2020-01-01' + (u.c)::bigint + (a + 1)::real");
        let casts: Vec<_> = expression
            .casts()
            .iter()
            .map(|cast| (cast.target.to_string(), cast.column.as_ref().map(|column| column.name.clone())))
            .collect();
        let of = |ty: &str, column: Option<&str>| (ty.to_owned(), column.map(str::to_owned));
        assert_eq!(
            casts,
            [
                of("integer", Some("a")),
                of("bigint", None),
                of("text", None),
                of("character varying(10)", Some("b")),
                of("date", None),
                of("bigint", Some("c")),
                of("real", None),
            ]
        );
        let cast = &expression.casts()[0];
        assert_eq!(
            (&expression.text()[cast.range.clone()], &expression.text()[cast.target_range.clone()]),
            ("a::int", "int")
        );
        assert_eq!(parse("current_date::text").casts()[0].column, None);
    }

    #[test]
    fn shapes() {
        assert_eq!(parse("((u.a))").as_column().map(|c| c.name.as_str()), Some("a"));
        assert_eq!(parse("a + 0").as_column(), None);
        assert_eq!(parse("current_user").as_column(), None);
        assert_eq!(parse("(a).b").as_column(), None);
        let cast = |text: &str| {
            let expression = parse(text);
            expression.as_cast_of_column().map(|(column, ty)| format!("{} {ty}", column.name))
        };
        assert_eq!(cast("(total)::int8").as_deref(), Some("total bigint"));
        assert_eq!(cast("cast(total as numeric(12,2))").as_deref(), Some("total numeric(12,2)"));
        assert_eq!(cast("total::text::int"), None);
        assert_eq!(cast("now()::text"), None);
        assert_eq!(cast("int '1'"), None);
        assert!(parse("1 + 1").is_constant());
        assert!(parse("now()").is_constant());
        assert!(!parse("a").is_constant());
    }

    #[test]
    fn null_for_null_only() {
        let schema = Schema::default();
        let keeps = |text: &str, ty: &str| {
            let ty = super::super::parse_type(ty).unwrap();
            parse(text).maps_null_to_null_only(&schema, |_| Some(ty))
        };
        assert!(keeps("(a)", "text"));
        assert!(keeps("a::int::text", "bigint"));
        assert!(keeps("cast(a as date)", "timestamp"));
        assert!(keeps("a::text[]", "integer[]"));
        assert!(!keeps("a || ''", "text"));
        assert!(!keeps("coalesce(a, '')", "text"));
        assert!(!keeps("1::text", "text"));
        assert!(!keeps("a::time", "timestamp"), "infinity has no time of the day");
        assert!(!keeps("a::date::timestamp::time", "timestamp"));
        assert!(!keeps("a::int", "jsonb"), "JSON's null");
        assert!(keeps("a::text", "jsonb"));
        assert!(!keeps("a::app.thing", "text"), "nobody knows how that cast works");
    }

    #[test]
    fn replaces_columns_token_by_token() {
        let replace = |text: &str| {
            parse(text).replace_columns(|column| match column.name.as_str() {
                "a" => Some(quote_ident("x \" y")),
                "b" => Some("(\"p\" + 1)".to_owned()),
                _ => None,
            })
        };
        assert_eq!(
            replace("a || 'a' || \"a\" || u.a || a(a) || c"),
            r#""x "" y" || 'a' || "x "" y" || "x "" y" || a("x "" y") || c"#
        );
        assert_eq!(replace("b::b.b(1)[2]"), r#"("p" + 1)::b.b(1)[2]"#);
        assert_eq!(replace("(a).a"), r#"("x "" y").a"#);
        assert_eq!(replace("f(a => a)"), r#"f(a => "x "" y")"#);
        assert_eq!(replace("  a -- a\n  + c -- done"), "\"x \"\" y\" -- a\n  + c");
        assert_eq!(replace("u&a"), r#"u& "x "" y""#);
    }

    #[test]
    fn code_ends_before_comments() {
        assert_eq!(parse(" /* x */ a + b -- sum").code(), "a + b");
        assert_eq!(parse(" a ").text(), " a ");
    }

    #[test]
    fn more_or_less_than_one_expression() {
        use ErrorKind::*;
        let kind = |text: &str| {
            let (kind, marked, _) = mistake(text);
            (kind, marked)
        };
        assert_eq!(kind(""), (Empty, String::new()));
        assert_eq!(kind(" -- nothing "), (Empty, " -- nothing ".into()));
        assert_eq!(kind("1; drop table t"), (NotOneExpression, ";".into()));
        assert_eq!(kind("a;"), (NotOneExpression, ";".into()));
        assert_eq!(kind("a, b"), (NotOneExpression, ",".into()));
        assert_eq!(kind("a b"), (NotOneExpression, "b".into()));
        assert_eq!(kind("a as b"), (NotOneExpression, "as".into()));
        assert_eq!(kind("a from t"), (NotOneExpression, "from".into()));
        assert_eq!(kind("a order by b"), (NotOneExpression, "order".into()));
        assert_eq!(kind("a limit 1"), (NotOneExpression, "limit".into()));
        assert_eq!(kind("a union select 1"), (NotOneExpression, "union".into()));
        assert_eq!(kind("a into t"), (NotOneExpression, "into".into()));
        assert_eq!(kind("distinct a"), (Syntax, "distinct".into()));
        assert_eq!(kind("all a"), (Syntax, "all".into()));
        assert_eq!(kind("where a"), (Syntax, "where".into()));
        assert_eq!(kind("*"), (Star, "*".into()));
        assert_eq!(kind("select 1"), (Subquery, "select".into()));
        assert_eq!(kind("with x as (select 1) select 1"), (Subquery, "with".into()));
        assert_eq!(kind("a) or (b"), (Syntax, ")".into()));
        assert_eq!(kind("a) from t where (b"), (Syntax, ")".into()));
        assert_eq!(kind("1)); drop table t; select ((2"), (Syntax, ")".into()));
    }

    #[test]
    fn what_an_expression_must_not_contain() {
        use ErrorKind::*;
        let kinds = |text: &str| -> Vec<(ErrorKind, String)> {
            let errors = Expression::parse(text).expect_err(text);
            errors.into_iter().map(|error| (error.kind, text[error.range].to_owned())).collect()
        };
        for text in [
            "(select 1) + 1",
            "exists (select 1 from t)",
            "array(select count(*) from t)",
            "a in (select 1)",
            "a = any (values (1))",
            "a > all (table t)",
            "(with x as (select 1) select * from x)",
            "((select 1) union (select 2))",
        ] {
            assert_eq!(kinds(text).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Subquery], "{text}");
        }
        assert_eq!(kinds("count(*) + $1"), [(Aggregate, "count(*)".into()), (Parameter, "$1".into())]);
        assert_eq!(kinds("sum(a) filter (where b)"), [(Aggregate, "filter (where b)".into())]);
        assert_eq!(kinds("string_agg(distinct a, b)")[0].0, Aggregate);
        assert_eq!(kinds("array_agg(a order by b)")[0].0, Aggregate);
        assert_eq!(kinds("mode() within group (order by a)")[0].0, Aggregate);
        assert_eq!(kinds("grouping(a)")[0].0, Aggregate);
        assert_eq!(kinds("json_objectagg(a : b)")[0].0, Aggregate);
        assert_eq!(kinds("rank() over w")[0].0, Window);
        assert_eq!(kinds("sum(a) filter (where b) over (order by c)")[0].0, Window);
        assert_eq!(kinds("row(t.*)"), [(Star, "t.*".into())]);
        assert_eq!(kinds(":name")[0].0, Parameter);
        assert_eq!(kinds("a + :name")[0].0, Parameter);
        assert_eq!(kinds("a::int(4)"), [(Type, "4".into())]);
        assert_eq!(kinds("a::setof int")[0].0, Type);
        assert_eq!(kinds("a.b.c.d")[0].0, Syntax);
    }

    #[test]
    fn lenient_takes_what_a_dump_contains() {
        let expression = Expression::parse_lenient(
            "exists (select 1 from app.t where t.id = users.id and \"current_user\"() = name)",
        )
        .unwrap();
        assert!(expression.columns().iter().all(|column| column.in_subquery));
        assert_eq!(columns("exists (select x.id as y from app.t x where x.id = u.id)"), ["x.id", "x.id", "u.id"]);
        assert_eq!(columns("(owner = CURRENT_USER)"), ["owner"]);
        assert_eq!(
            columns("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"),
            ["status"]
        );
        assert_eq!(columns("nextval('app.users_id_seq'::regclass)"), Vec::<String>::new());
        assert_eq!(
            columns("to_tsvector('english'::regconfig, (COALESCE(title, ''::character varying))::text)"),
            ["title"]
        );
        assert_eq!(columns("VALUE ~ '^x'::text"), ["value"]);
        assert!(Expression::parse_lenient("a b").is_err());
    }

    #[test]
    fn syntax_errors_are_readable() {
        let error = |text: &str| {
            let (_, marked, message) = mistake(text);
            format!("{message} @{marked}")
        };
        assert_eq!(error("split_part(full_name, ' ', 1"), "expected `)` @");
        assert_eq!(error("case when a then b"), "expected `END` @");
        assert_eq!(error("a +"), "expected an expression, found the end @");
        assert_eq!(error("a + "), "expected an expression, found the end @");
        assert_eq!(error("a and"), "an expression is missing after `and` @and");
        assert_eq!(error("or b"), "expected an expression, found `or` @or");
        assert_eq!(error("f(a,)"), "unexpected trailing comma @");
        assert_eq!(error("f(a b)"), "expected `,` @");
        assert_eq!(error("cast(a int)"), "expected `AS` @");
        assert_eq!(error("'abc"), "this string is not closed @'");
        assert_eq!(error("a || \"abc"), "this quoted name is not closed @\"");
        assert_eq!(error("a /* b"), "this comment is not closed @/");
        assert_eq!(error("a || $x$ b"), "this dollar-quoted string is not closed @$");
        assert_eq!(error("1a"), "trailing junk after numeric literal @a");
        assert_eq!(error("a in b"), "expected a parenthesized value list or subquery @b");
        assert_eq!(error("upper full_name"), "unexpected `full_name` @full_name");
        assert_eq!(error("a)"), "unexpected `)` @)");
        assert_eq!(error("default"), "DEFAULT is not allowed in this context @default");
        assert_eq!(error("a is b"), "expected `NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM` after `IS` @b");
        assert_eq!(error("a::"), "expected type name @");
        assert_eq!(error("extract(year ts)"), "expected `FROM` @");
        assert_eq!(error("= 1"), "invalid operator @=");
    }

    #[test]
    fn nesting_cannot_exhaust_the_stack() {
        for unit in ["(", "not ", "- ", "case when ", "f(", "a || ", "a -> ", "array[", "(a."] {
            let text = unit.repeat(2_000 / unit.len());
            assert!(Expression::parse(&text).is_err());
        }
        let text = format!("{}a", "a || ".repeat(6_000));
        assert_eq!(parse(&text).columns().len(), 6_001);
        let text = format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000));
        assert!(parse(&text).as_column().is_some());
        assert_eq!(mistake(&"a+".repeat(20_000)).0, ErrorKind::Syntax);
    }
}
