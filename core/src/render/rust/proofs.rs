//! The proofs of a change, and the traits by which the compiler asks for them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::model::Change;

/// The types of a change's proofs, and what accessors of its after shape ask of a connection.
pub(super) fn expand(change: &Change) -> TokenStream {
    let name = &change.name;
    let mut requirements = vec![
        Requirement {
            name: READS,
            message: format!("reading the after shape of `{name}` takes the proof that its backfill is complete"),
            proof: Proof::Backfilled,
        },
        Requirement {
            name: WRITES,
            message: format!(
                "writing the after shape of `{name}` takes the proof that every write reaches both shapes"
            ),
            proof: Proof::DualWriting,
        },
    ];
    let late: Vec<String> = change
        .after_tables
        .iter()
        .filter(|table| change.operations.iter().any(|operation| operation.kind.is_filled_late(table)))
        .map(|table| format!("`{table}`"))
        .collect();
    if !late.is_empty() {
        requirements.push(Requirement {
            name: CHANGES,
            message: format!(
                "changing a row of {} takes the proof that the backfill of `{name}` is complete: before, it may be in the before shape alone",
                late.join(" or ")
            ),
            proof: Proof::Backfilled,
        });
    }
    let traits = requirements.iter().map(|requirement| requirement.expand(change));
    let docs = [Proof::DualWriting, Proof::Backfilled].map(|proof| {
        let (name, variable) = (proof.name(), proof.variable());
        format!(
            "{}: `let {variable} = {}::{name}::prove(&mut db)?;`, then `{variable}.on(&mut db)`.",
            proof.meaning(),
            change.name
        )
    });
    let [dual_writing, backfilled] = docs;
    quote! {
        #[doc = #dual_writing]
        pub type DualWriting = ::coexist::proof::DualWriting<Change>;
        #[doc = #backfilled]
        pub type Backfilled = ::coexist::proof::Backfilled<Change>;
        #(#traits)*
    }
}

/// The trait of connections that code may read the after shape on.
pub(super) const READS: &str = "ReadsAfter";
/// The trait of connections that code may write the after shape on.
pub(super) const WRITES: &str = "WritesAfter";
/// The trait of connections on which every row of a split's new table is there.
pub(super) const CHANGES: &str = "ChangesAfter";

#[derive(Clone, Copy, PartialEq)]
enum Proof {
    DualWriting,
    Backfilled,
}

impl Proof {
    fn name(self) -> &'static str {
        match self {
            Self::DualWriting => "DualWriting",
            Self::Backfilled => "Backfilled",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::DualWriting => "dual_writing",
            Self::Backfilled => "backfilled",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::DualWriting => "Proves that every write through one shape reaches the other",
            Self::Backfilled => "Proves that every row is in both shapes",
        }
    }
}

/// What an accessor asks of a connection.
struct Requirement {
    name: &'static str,
    /// What the compiler says where it is missing.
    message: String,
    /// The weakest proof that will do.
    proof: Proof,
}

impl Requirement {
    fn expand(&self, change: &Change) -> TokenStream {
        let Self { name, message, proof } = self;
        let name = format_ident!("{name}");
        let docs = format!("A connection with a proof. {}.", proof.meaning());
        let variable = proof.variable();
        let note = format!(
            "call `let {variable} = {}::{}::prove(&mut db)?;` and pass `{variable}.on(&mut db)`",
            change.name,
            proof.name()
        );
        let enough = [Proof::DualWriting, Proof::Backfilled].into_iter().skip_while(|enough| enough != proof);
        let implementations = enough.map(|proof| {
            let proof = format_ident!("{}", proof.name());
            quote! {
                #[diagnostic::do_not_recommend]
                impl<E: ::coexist::Executor + ?Sized> #name for ::coexist::proof::On<'_, #proof, E> {}
            }
        });
        quote! {
            #[doc = #docs]
            #[diagnostic::on_unimplemented(message = #message, label = "this connection comes without the proof", note = #note)]
            pub trait #name: ::coexist::Executor {}
            #(#implementations)*
            #[diagnostic::do_not_recommend]
            impl<D: #name + ?Sized> #name for &mut D {}
        }
    }
}
