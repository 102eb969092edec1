//! A Rust type that PostgreSQL's values cannot be made from, or made into.

use coexist::postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

#[derive(Clone, Debug, PartialEq)]
pub struct Neither(String);

#[derive(Clone, Debug, PartialEq)]
pub struct OnlyRead(String);

impl<'a> FromSql<'a> for OnlyRead {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(String::from_utf8(raw.to_vec())?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OnlyWritten(String);

impl ToSql for OnlyWritten {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }

    to_sql_checked!();
}

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text, about text, motto text);";

    type users.bio = crate::Neither;
    type users.about = crate::OnlyRead;
    type users.motto = crate::OnlyWritten;

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
