//! Rows on their way out of a database.

use crate::database::{Error, Result, Value};

/// The values of a row, wherever it comes from.
pub trait Columns {
    /// The value in a column, from 0.
    fn value(&self, column: usize) -> Result<Value<'_>>;
}

/// A row.
pub struct Row<'a>(&'a dyn Columns);

impl<'a> Row<'a> {
    /// Over a back end's own row.
    pub fn new(columns: &'a dyn Columns) -> Self {
        Self(columns)
    }

    /// Reads a column, from 0.
    pub(crate) fn get<T: FromColumn>(&self, column: usize) -> Result<T> {
        T::from_value(self.0.value(column)?)
            .ok_or_else(|| Error::unreadable(column, format!("it holds no {}", std::any::type_name::<T>())))
    }

    /// Bytes, as they lie in the row.
    pub(crate) fn blob(&self, column: usize) -> Result<&[u8]> {
        match self.0.value(column)? {
            Value::Blob(bytes) => Ok(bytes),
            _ => Err(Error::unreadable(column, "it holds no bytes")),
        }
    }
}

/// What can be read out of a column.
pub(crate) trait FromColumn: Sized {
    /// `None` if the value is none of this type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl FromColumn for $number {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

numbers!(i64, u64, u32, u16, u8);

impl FromColumn for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number != 0),
            _ => None,
        }
    }
}

impl FromColumn for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromColumn for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null(_) => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}
