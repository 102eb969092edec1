//! One pass over the tree of an expression: the names in it, and what does not belong there.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::error::{ErrorKind, ExpressionError};
use super::expression::{Argument, Cast, ColumnRef, FunctionCall};
use super::parser::{self, Tree};
use super::types;
use crate::schema::SqlType;

/// What an expression says, in the order in which it says it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The part of the text that is code: without blanks and comments around it.
    pub code: Range<usize>,
    pub columns: Vec<ColumnRef>,
    pub functions: Vec<FunctionCall>,
    pub casts: Vec<Cast>,
    pub shape: Shape,
}

/// What an expression is made of, as far as anyone needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A column, in as many parentheses as you like.
    Column,
    /// A column, cast once or more; the innermost cast first.
    CastOfColumn(Vec<SqlType>),
    /// Anything else.
    Other,
}

/// Looks at an expression once. What does not belong into one is reported, and does not stop anything.
pub(super) fn walk(tree: &Tree) -> (Facts, Vec<ExpressionError>) {
    let root = &tree.expression;
    let mut walk = Walk::default();
    // A list instead of recursion: the tree of `a || b || c …` is as deep as it is long.
    let mut pending = vec![(root.clone(), false)];
    while let Some((node, in_subquery)) = pending.pop() {
        walk.in_subquery = in_subquery;
        let is_query = ast::SelectVariant::can_cast(node.kind());
        if is_query {
            walk.refuse(ErrorKind::Subquery, &node, "a query inside of an expression", "reads other rows");
        }
        if walk.look_at(&node) {
            let children: Vec<_> = node.children().map(|child| (child, in_subquery || is_query)).collect();
            pending.extend(children.into_iter().rev());
        }
    }
    // Operators are met before what stands left of them.
    walk.functions.sort_by_key(|call| call.range.start);
    walk.errors.sort_by_key(|error| error.range.start);
    let Walk { columns, functions, casts, errors, .. } = walk;
    (Facts { code: Tree::range(root), columns, functions, casts, shape: shape(root) }, errors)
}

/// What was seen so far.
#[derive(Default)]
struct Walk {
    /// Whether the node in hand stands inside of a query.
    in_subquery: bool,
    columns: Vec<ColumnRef>,
    functions: Vec<FunctionCall>,
    casts: Vec<Cast>,
    errors: Vec<ExpressionError>,
}

impl Walk {
    /// Takes down what a node says. Returns whether there is more to see inside of it.
    fn look_at(&mut self, node: &SyntaxNode) -> bool {
        use SyntaxKind::*;
        match node.kind() {
            kind if ast::Type::can_cast(kind) => return false,
            NAME_REF | FIELD_EXPR if is_callee(node) || is_field(node) || is_option(node) => return false,
            NAME_REF if is_value(node) => {
                self.call(None, token_text(node), Tree::range(node), Vec::new());
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
            PREFIX_EXPR => self.prefix(node),
            INDEX_EXPR if node.children().nth(1).is_none() => {
                self.refuse(ErrorKind::Syntax, node, "a subscript is missing between the brackets", "which element?");
            }
            // Its function takes the zone first, which makes no difference to anyone here.
            AT_TIME_ZONE | AT_LOCAL => self.operator(node, "timezone"),
            IS_NORMALIZED | IS_NOT_NORMALIZED => self.operator(node, "is_normalized"),
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

    fn call(&mut self, schema: Option<String>, name: String, range: Range<usize>, arguments: Vec<Argument>) {
        self.functions.push(FunctionCall { schema, name, range, arguments });
    }

    /// An operator that is a function: it is called with what stands next to it.
    fn operator(&mut self, node: &SyntaxNode, function: &str) {
        let operands = node.parent().map(|parent| self.arguments(&parent)).unwrap_or_default();
        self.call(None, function.to_owned(), Tree::range(node), operands);
    }

    /// The expressions directly in a node, or in one of the nodes that only group them.
    fn arguments(&self, node: &SyntaxNode) -> Vec<Argument> {
        let is_expression = |node: &SyntaxNode| ast::Expr::can_cast(node.kind());
        let expressions = node.children().flat_map(|child| {
            if is_expression(&child) { vec![child] } else { child.children().filter(is_expression).collect() }
        });
        expressions.map(|expression| self.argument(&expression)).collect()
    }

    fn argument(&self, node: &SyntaxNode) -> Argument {
        let node = without_parentheses(node);
        match node.kind() {
            SyntaxKind::CAST_EXPR => {
                let target = cast_target(&node).and_then(|target| types::of_node(&target).ok());
                target.map_or(Argument::Other, Argument::Cast)
            }
            SyntaxKind::LITERAL => {
                let text = node.text().to_string();
                let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                inside.map_or(Argument::Other, |inside| Argument::Text(inside.to_owned()))
            }
            _ => as_column(&node, self.in_subquery).map_or(Argument::Other, Argument::Column),
        }
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
        let mut arguments = self.arguments(&callee);
        if let Some(field) = child(&callee, EXTRACT_FIELD_NAME) {
            arguments.insert(0, Argument::Text(token_text(&field)));
        }
        let written = callee.first_token().map_or_else(|| Tree::range(&callee), |token| Tree::token_range(&token));
        self.call(None, name.to_owned(), written, arguments);
    }

    /// `name(…)` and `schema.name(…)`.
    fn named_call(&mut self, node: &SyntaxNode, callee: &SyntaxNode) {
        use SyntaxKind::*;
        let list: Vec<_> = child(node, ARG_LIST).into_iter().flat_map(|list| list.children()).collect();
        let is_aggregate = child(node, ARG_LIST).is_some_and(|list| has_token(&list, STAR))
            || list.iter().any(|argument| argument.kind() == DISTINCT || child(argument, ORDER_BY_CLAUSE).is_some());
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
        let arguments = list.iter().filter(|argument| argument.kind() == ARG).map(|argument| {
            let value = child(argument, NAMED_ARG).unwrap_or_else(|| argument.clone());
            let value = value.children().find(|child| ast::Expr::can_cast(child.kind()));
            value.map_or(Argument::Other, |value| self.argument(&value))
        });
        let arguments = arguments.collect();
        match names.as_slice() {
            [name] => self.call(None, name.clone(), Tree::range(callee), arguments),
            [schema, name] => self.call(Some(schema.clone()), name.clone(), Tree::range(callee), arguments),
            _ => self.refuse(ErrorKind::Syntax, callee, "a name of too many parts", "at most `schema.function`"),
        }
    }

    fn cast(&mut self, node: &SyntaxNode) {
        let Some(target_node) = cast_target(node) else { return };
        match types::of_node(&target_node) {
            Ok(target) => {
                let column = cast_operand(node).and_then(|operand| as_column(&operand, self.in_subquery));
                let (range, target_range) = (Tree::range(node), Tree::range(&target_node));
                self.casts.push(Cast { target, range, target_range, column });
            }
            Err(error) if !self.in_subquery => self.errors.push(error),
            Err(_) => {}
        }
    }

    /// What the parser takes for an operator before its operand, though it can only stand between two.
    fn prefix(&mut self, node: &SyntaxNode) {
        let operator = child(node, SyntaxKind::CUSTOM_OP);
        if let Some(operator) =
            operator.filter(|op| matches!(op.text().to_string().as_str(), "<=" | ">=" | "!=" | "<>" | "=>"))
        {
            let message = format!("expected an expression, found `{}`", operator.text());
            self.refuse(ErrorKind::Syntax, &operator, &message, "expected an expression");
        }
    }

    /// What the parser takes for an operator with two operands, and is more than that.
    fn binary(&mut self, node: &SyntaxNode) {
        use SyntaxKind::*;
        let overlaps = node.children_with_tokens().find(|child| child.kind() == OVERLAPS_KW);
        if let Some(token) = overlaps.and_then(|element| element.into_token()) {
            let operands = self.arguments(node);
            self.call(None, "overlaps".to_owned(), Tree::token_range(&token), operands);
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

/// The column, if a node is one and nothing else, parentheses aside.
fn as_column(node: &SyntaxNode, in_subquery: bool) -> Option<ColumnRef> {
    let node = without_parentheses(node);
    let path = path(&node).filter(|_| !is_value(&node))?;
    column_ref(&node, &path, in_subquery)
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
    match (as_column(&node, false).is_some(), types.is_empty()) {
        (true, true) => Shape::Column,
        (true, false) => Shape::CastOfColumn(types),
        (false, _) => Shape::Other,
    }
}
