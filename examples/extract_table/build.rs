fn main() {
    coexist_core::build("src/migrations.rs");
}
