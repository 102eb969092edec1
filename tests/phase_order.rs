//! Phases out of order do not compile.

#[test]
fn phases_out_of_order() {
    trybuild::TestCases::new().compile_fail("tests/ui/phases/*.rs");
}
