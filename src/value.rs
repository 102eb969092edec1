//! A column's value in an `Insert` or `Update` that may leave the column out.

/// A value for a column, or none: a column that is [`NotSet`](Self::NotSet) is not named in the statement.
///
/// An INSERT then takes the column's default, an UPDATE leaves it as it is. That is not the same as NULL, which is
/// `Value::Set(None)` and exists where the column is nullable.
///
/// ```
/// use coexist::Value;
///
/// let nickname: Value<Option<String>> = "Ada".into();
/// assert_eq!(nickname, Value::Set(Some("Ada".to_owned())));
/// let visits: Value<i32> = Value::default();
/// assert_eq!(visits, Value::NotSet);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value<T> {
    /// The column is not named.
    #[default]
    NotSet,
    /// The column gets this value.
    Set(T),
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T> From<T> for Value<Option<T>> {
    fn from(value: T) -> Self {
        Self::Set(Some(value))
    }
}

impl From<&str> for Value<String> {
    fn from(value: &str) -> Self {
        Self::Set(value.to_owned())
    }
}

impl From<&str> for Value<Option<String>> {
    fn from(value: &str) -> Self {
        Self::Set(Some(value.to_owned()))
    }
}

impl From<&[u8]> for Value<Vec<u8>> {
    fn from(value: &[u8]) -> Self {
        Self::Set(value.to_owned())
    }
}

impl From<&[u8]> for Value<Option<Vec<u8>>> {
    fn from(value: &[u8]) -> Self {
        Self::Set(Some(value.to_owned()))
    }
}
