//! The tables and the changes of a case, as SQL and as a declaration.

use crate::piece::Piece;

/// The tables.
pub fn tables(pieces: &[Piece]) -> String {
    let mut schema = Vec::new();
    for table in 1..=pieces.last().unwrap().table {
        let pieces = || pieces.iter().filter(move |piece| piece.table == table);
        schema.extend(pieces().map(|piece| piece.fill(piece.kind.first)));
        let name = pieces().next().unwrap();
        let columns: String = pieces()
            .filter(|piece| !piece.kind.columns.is_empty())
            .map(|piece| format!(", {}", piece.fill(piece.kind.columns)))
            .collect();
        let partitioned = pieces().any(|piece| piece.kind.partitioned);
        let parts = if partitioned { " partition by range (id)" } else { "" };
        let t = name.table();
        let key = name.key.sql_type();
        let counted = if name.counted { ", updates integer not null default 0" } else { "" };
        schema.push(format!("create table {t} (id {key} primary key{columns}, other integer{counted}){parts};"));
        if name.counted {
            schema.push(format!(
                "create function count_{t}() returns trigger language plpgsql as 'begin new.updates := new.updates + 1; return new; end';"
            ));
            schema
                .push(format!("create trigger count before update on {t} for each row execute function count_{t}();"));
        }
        if partitioned {
            schema.push(format!("create table {t}_low partition of {t} for values from (0) to (3);"));
            schema.push(format!("create table {t}_high partition of {t} default;"));
        }
        schema.extend(pieces().map(|piece| piece.fill(piece.kind.then)));
    }
    schema.retain(|sql| !sql.is_empty());
    schema.join("\n")
}

/// The changes; those that are over are at their last stage.
pub fn changes(pieces: &[Piece], at_contract: &[bool]) -> String {
    let change = |(n, over): (usize, &bool)| {
        let operations: Vec<String> =
            pieces.iter().filter(|piece| piece.change == n + 1).map(|piece| piece.fill(piece.kind.change)).collect();
        let stage = if *over { "contract" } else { "expand" };
        format!("change it{} {{ {} stage {stage}; }}", n + 1, operations.join("\n    "))
    };
    at_contract.iter().enumerate().map(change).collect::<Vec<_>>().join("\n")
}
