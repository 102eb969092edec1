use super::Case;
use crate::testing::snapshot;

const SCHEMA: &str = "CREATE TABLE customers (id int PRIMARY KEY, name text, CONSTRAINT long CHECK (length(name) > 2));
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, city text, note text DEFAULT 'x', n serial, code text UNIQUE,
    total int CONSTRAINT long CHECK (total > 2), tax int, CONSTRAINT less CHECK (tax < id),
    other_id int CONSTRAINT other REFERENCES customers, late_id int REFERENCES customers DEFERRABLE);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (late_id);
CREATE TABLE islands (id int PRIMARY KEY, a int);
CREATE TABLE keyless (customer_id int UNIQUE REFERENCES customers, a int);
CREATE TABLE guarded (id int PRIMARY KEY, customer_id int UNIQUE REFERENCES customers, a int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE cards (id int PRIMARY KEY, customer_id int UNIQUE REFERENCES customers, a int);";

fn mistakes(sources: &[&str]) -> String {
    Case::with(SCHEMA).mistakes(sources)
}

#[test]
fn references_of_a_move() {
    snapshot!(mistakes(&[
        "change x { move orders.city to orders.town { via orders.customer_id } stage expand; }",
        "change x { move orders.city to customers.city { conflicting rows refuse } stage expand; }",
        "change x { move orders.city to customers.city { via islands.a, conflicting rows refuse } stage expand; }",
        "change x { move islands.a to customers.a { via islands.id } stage expand; }",
        "change x { move orders.city to customers.city { via orders.city, conflicting rows refuse } stage expand; }",
        "change x { move orders.city to customers.city { via orders.late_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.city to customers.city { via orders.other_id, conflicting rows refuse } stage expand; }",
        "change x { move keyless.a to customers.a { via keyless.customer_id } stage expand; }",
        "change x { move guarded.a to customers.a { via guarded.customer_id } stage expand; }",
    ]));
}

#[test]
fn columns_of_a_move() {
    snapshot!(mistakes(&[
        "change x { move orders.town to customers.city { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.city to customers.name { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.customer_id to customers.a { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.n to customers.n { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.note to customers.note { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.code to customers.code { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.total to customers.total { via orders.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move orders.tax to customers.tax { via orders.customer_id, conflicting rows refuse } stage expand; }",
    ]));
}

#[test]
fn values_of_a_move() {
    snapshot!(mistakes(&[
        "change x { move orders.city to customers.city { via orders.customer_id } stage expand; }",
        "change x { move cards.a to customers.a { via cards.customer_id, conflicting rows refuse } stage expand; }",
        "change x { move customers.name to orders.customer { via orders.customer_id, conflicting rows take \"max(name)\" } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting rows take \"city\" } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting rows take \"max(note)\" } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting rows take \"max(\" } stage expand; }",
    ]));
}

#[test]
fn grammar_of_a_move() {
    snapshot!(mistakes(&[
        "change x { move orders to customers.city { via orders.customer_id } stage expand; }",
        "change x { move orders.city to customers { via orders.customer_id } stage expand; }",
        "change x { move orders.city to customers.city; stage expand; }",
        "change x { move orders.city to customers.city { via customer_id } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting refuse } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting rows take max } stage expand; }",
        "change x { move orders.city to customers.city { via orders.customer_id, conflicting rows refuse, unmatched keep } stage expand; }",
    ]));
}
