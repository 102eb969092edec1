//! Finds the declaration in the text of a Rust file, for who does not get it from the compiler: the build script and the command.

use std::str::FromStr;

use proc_macro2::{Span, TokenStream, TokenTree};

use crate::diagnostic::Diagnostic;

/// What stands between the braces of `coexist::migrations! { … }` in the text of a Rust file, with spans that know their lines.
///
/// # Errors
///
/// If the text is no Rust, or has no such macro, or several.
pub fn find(text: &str) -> Result<TokenStream, Diagnostic> {
    let tokens = TokenStream::from_str(text).map_err(|error| {
        Diagnostic::new(error.span(), "the file cannot be read as Rust")
            .note("the declaration is read from the source, so all of the file has to be made of whole tokens")
    })?;
    let mut found = Vec::new();
    collect(tokens, &mut found);
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some((_, only)), None) => Ok(only),
        (Some((first, _)), Some((second, _))) => {
            let message = format!("`migrations!` stands here, and on line {} as well", first.start().line);
            Err(Diagnostic::new(second, message)
                .note("each change is checked against all others, so they stand in one declaration")
                .help("put all changes into the first one"))
        }
        (None, _) => Err(Diagnostic::new(Span::call_site(), "the file has no `coexist::migrations! { … }`")
            .note("it is looked for by this name, also in modules inside of the file, but not in other files")
            .help("name the file that has the declaration: `coexist_core::build(\"src/migrations.rs\")`")),
    }
}

/// Finds `migrations ! { … }`, also inside of modules and functions.
fn collect(tokens: TokenStream, found: &mut Vec<(Span, TokenStream)>) {
    let mut name: Option<Span> = None;
    let mut is_call = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                name = (ident == "migrations").then(|| ident.span());
                is_call = false;
            }
            TokenTree::Punct(punct) => {
                is_call = punct.as_char() == '!' && name.is_some() && !is_call;
            }
            TokenTree::Group(group) => {
                match name.take().filter(|_| is_call) {
                    Some(span) => found.push((span, group.stream())),
                    None => collect(group.stream(), found),
                }
                is_call = false;
            }
            TokenTree::Literal(_) => {
                name = None;
                is_call = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_declaration_wherever_it_stands() {
        let plain = "//! migrations! { in a comment }\nuse x;\ncoexist::migrations! { schema \"a\"; }\n";
        let found = find(plain).unwrap();
        assert_eq!(found.to_string(), "schema \"a\" ;");
        assert_eq!(found.into_iter().next().unwrap().span().start().line, 3);
        assert_eq!(find("mod m { fn f() { migrations!(change x {}); } }").unwrap().to_string(), "change x { }");
    }

    #[test]
    fn says_what_is_in_the_way() {
        let message = |text| find(text).unwrap_err().message;
        let none = "the file has no `coexist::migrations! { … }`";
        for text in
            ["fn main() {}", "", "macro_rules! migrations { () => {} }", "mod migrations { }", "use migrations::*; {}"]
        {
            assert_eq!(message(text), none, "{text}");
        }
        assert_eq!(
            message("migrations! {}\n\ncoexist::migrations! {}"),
            "`migrations!` stands here, and on line 1 as well"
        );
        let broken = find("fn main() {\n}\n\"open").unwrap_err();
        assert_eq!((broken.message.as_str(), broken.span.start().line), ("the file cannot be read as Rust", 3));
    }
}
