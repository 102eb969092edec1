//! What only a syntax tree tells about a piece of SQL. Trees are dear, so each of these is asked only where it is needed.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::column_name::ColumnName;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::stack::with_room;
use super::token;

/// What a query reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueryReads {
    /// The relations, with the schema where one is written, each time that they are named. Not those that the query defines itself.
    pub relations: Vec<(Option<String>, String)>,
    /// The names of columns, each once, without what they belong to; `*` where whole rows are read.
    pub columns: Vec<String>,
}

/// What a query reads; `None` if it cannot be parsed.
pub(crate) fn query_reads(query: &str) -> Option<QueryReads> {
    with_tree(query, |root| {
        let broken = root.descendants().any(|node| node.kind() == SyntaxKind::ERROR);
        (!broken).then(|| Reader::default().read(root))
    })
    .flatten()
}

/// The name that PostgreSQL gives to an expression in the list of a query; `None` where it gives none.
pub(crate) fn column_name(expression: &str) -> Option<String> {
    with_tree(&format!("select {expression}\n"), |root| {
        let target = root.descendants().find_map(ast::Target::cast)?;
        match ColumnName::inferred_from_target(target)? {
            (ColumnName::Column(name) | ColumnName::UnknownColumn(Some(name)), _) => Some(name.to_string()),
            _ => None,
        }
    })
    .flatten()
}

/// Whether a text is one statement or more, as far as its syntax goes; `None` if that cannot be found out.
pub(crate) fn is_sql(text: &str) -> Option<bool> {
    with_room(text, || SourceFile::parse(text).errors().is_empty())
}

fn with_tree<T: Send>(text: &str, look: impl FnOnce(&SyntaxNode) -> T + Send) -> Option<T> {
    with_room(text, || look(&SourceFile::parse(text).syntax_node()))
}

/// Collects the names of a query.
#[derive(Default)]
struct Reader {
    relations: Vec<(Option<String>, String)>,
    columns: Vec<String>,
    /// What the query defines: `WITH name AS`.
    defined: Vec<String>,
    /// What a column can be qualified with: aliases, and relations without one.
    row_names: Vec<String>,
    /// Names of the query's own columns, by which it may be sorted.
    labels: Vec<String>,
}

impl Reader {
    fn read(mut self, root: &SyntaxNode) -> QueryReads {
        for node in root.descendants() {
            match node.kind() {
                SyntaxKind::RELATION_NAME_REF => self.relation(&node),
                SyntaxKind::CTE_NAME => self.defined.extend(name(&node)),
                SyntaxKind::TABLE_ALIAS => self.row_names.extend(name(&node)),
                SyntaxKind::AS_NAME => self.labels.extend(node.last_child().as_ref().and_then(name)),
                _ => {}
            }
        }
        for node in root.descendants() {
            self.column(&node);
        }
        let mut reads = QueryReads { relations: self.relations, columns: self.columns };
        reads.relations.retain(|(schema, name)| schema.is_some() || !self.defined.contains(name));
        reads.columns.sort_unstable();
        reads.columns.dedup();
        reads
    }

    fn relation(&mut self, node: &SyntaxNode) {
        let segments = node.descendants().filter(|node| node.kind() == SyntaxKind::PATH_SEGMENT_REF);
        let mut path: Vec<String> = segments.filter_map(|segment| name(&segment)).collect();
        if let Some(relation) = path.pop() {
            self.row_names.push(relation.clone());
            self.relations.push((path.pop(), relation));
        }
    }

    fn column(&mut self, node: &SyntaxNode) {
        let parent = node.parent();
        let parent_kind = parent.as_ref().map(SyntaxNode::kind);
        match node.kind() {
            SyntaxKind::COLUMN_NAME_REF => self.columns.extend(name(node)),
            SyntaxKind::TARGET | SyntaxKind::FIELD_EXPR if has(node, SyntaxKind::STAR) => self.whole_rows(),
            // `TABLE t`, and joins over whatever columns both sides have.
            SyntaxKind::TABLE => self.whole_rows(),
            SyntaxKind::JOIN if has(node, SyntaxKind::NATURAL_KW) => self.whole_rows(),
            SyntaxKind::NAME_REF => {
                let is_first = node.prev_sibling().is_none();
                match parent_kind {
                    // The name of a function.
                    Some(SyntaxKind::CALL_EXPR) if is_first => {}
                    // What stands before a dot.
                    Some(SyntaxKind::FIELD_EXPR) if is_first => {}
                    Some(SyntaxKind::FIELD_EXPR) => {
                        if !parent.as_ref().is_some_and(is_qualifier_or_function) {
                            self.columns.extend(name(node));
                        }
                    }
                    _ => self.plain(node, parent_kind),
                }
            }
            _ => {}
        }
    }

    fn plain(&mut self, node: &SyntaxNode, parent: Option<SyntaxKind>) {
        let Some(name) = name(node) else { return };
        if parent == Some(SyntaxKind::SORT_BY) && self.labels.contains(&name) {
            return;
        }
        // A row as a value: `row_to_json(t)`.
        if self.row_names.contains(&name) {
            self.whole_rows();
        }
        self.columns.push(name);
    }

    fn whole_rows(&mut self) {
        self.columns.push("*".to_owned());
    }
}

/// Whether `a.b` is what something else is taken from (`a.b.c`), or a function (`a.b()`).
fn is_qualifier_or_function(field: &SyntaxNode) -> bool {
    let is_first = field.prev_sibling().is_none();
    let parent = field.parent().map(|parent| parent.kind());
    is_first && matches!(parent, Some(SyntaxKind::FIELD_EXPR | SyntaxKind::CALL_EXPR))
}

fn has(node: &SyntaxNode, token: SyntaxKind) -> bool {
    node.children_with_tokens().any(|child| child.kind() == token)
}

/// The name that the first token of a node spells.
fn name(node: &SyntaxNode) -> Option<String> {
    let text = node.first_token()?.text().to_owned();
    token::tokens(&text).first()?.name(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(query: &str) -> Vec<String> {
        query_reads(query).unwrap().columns
    }

    fn relations(query: &str) -> Vec<String> {
        let name =
            |(schema, name): (Option<String>, String)| schema.map_or(name.clone(), |schema| format!("{schema}.{name}"));
        query_reads(query).unwrap().relations.into_iter().map(name).collect()
    }

    #[test]
    fn columns_are_told_from_functions_labels_and_qualifiers() {
        assert_eq!(columns("select lower(c.Full_Name) as name, app.f(x) from app.customers c"), ["full_name", "x"]);
        assert_eq!(columns("select (c.home).zip, app.customers.id from app.customers"), ["home", "id", "zip"]);
        assert_eq!(columns("select a as b from t order by b, \"C\""), ["C", "a"]);
        assert_eq!(columns("select cast(q as text), date '2001-01-01', count(*) from t join u using (k)"), ["k", "q"]);
    }

    #[test]
    fn whole_rows_are_a_star() {
        assert_eq!(columns("select * from t"), ["*"]);
        assert_eq!(columns("select u.* from t u"), ["*"]);
        assert_eq!(columns("select row_to_json(u) from t u"), ["*", "u"]);
        assert_eq!(columns("select row_to_json(t) from t"), ["*", "t"]);
        assert_eq!(columns("table t"), ["*"]);
        assert_eq!(columns("select a from t natural join u"), ["*", "a"]);
    }

    #[test]
    fn relations_are_told_from_what_the_query_defines() {
        let query = "with r as (select 1 from a) select 1 from r join only app.b on true, (select 1 from \"C d\") x \
                     where exists (select 1 from e)";
        assert_eq!(relations(query), ["a", "app.b", "C d", "e"]);
    }

    #[test]
    fn expressions_are_named_as_postgresql_names_them() {
        let names = [
            ("lower(a)", "lower"),
            ("(a)::text", "a"),
            ("('x' || a)::text", "text"),
            ("coalesce(a, b)", "coalesce"),
            ("case when a then 1 else 2 end", "case"),
            ("date_trunc('day', a)", "date_trunc"),
        ];
        for (expression, name) in names {
            assert_eq!(column_name(expression).as_deref(), Some(name), "{expression}");
        }
        assert_eq!(column_name("a || b"), None);
        assert_eq!(column_name("data ->> 'k'"), None);
    }

    #[test]
    fn deep_nesting_does_no_harm() {
        let deep = format!("select {}1{}", "(".repeat(3_000), ")".repeat(3_000));
        assert_eq!(is_sql(&deep), Some(true));
        assert_eq!(is_sql(&"(".repeat(40_000)), None);
    }
}
