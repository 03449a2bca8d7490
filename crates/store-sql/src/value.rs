//! Values on their way into a database: whole numbers, texts, bytes, or nothing.

use crate::database::Result;

/// A value of one of the three kinds that all databases have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing, where something of this kind could be.
    Null(Kind),
    /// A whole number; truth values are 0 and 1.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What a value is. PostgreSQL has to know it of nothing, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 64 bits, signed.
    Int,
    /// UTF-8.
    Text,
    /// Bytes.
    Blob,
}

impl Value<'_> {
    /// What it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Null(kind) => kind,
            Self::Int(_) => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Blob(_) => Kind::Blob,
        }
    }
}

/// What can be given to a statement.
pub trait Param {
    /// What it is, also where it is missing.
    fn kind() -> Kind
    where
        Self: Sized;

    /// As the database gets it.
    fn value(&self) -> Value<'_>;
}

/// All parameters of a statement, in order.
pub trait Params {
    /// Hands them over one after the other.
    fn each<'p>(&'p self, bind: &mut dyn FnMut(Value<'p>) -> Result<()>) -> Result<()>;
}

impl Params for &[&dyn Param] {
    fn each<'p>(&'p self, bind: &mut dyn FnMut(Value<'p>) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|param| bind(param.value()))
    }
}

impl<T: Param, const N: usize> Params for [T; N] {
    fn each<'p>(&'p self, bind: &mut dyn FnMut(Value<'p>) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|param| bind(param.value()))
    }
}

/// A row of many.
impl Params for Vec<Value<'_>> {
    fn each<'p>(&'p self, bind: &mut dyn FnMut(Value<'p>) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|value| bind(*value))
    }
}

/// No parameters.
impl Params for () {
    fn each<'p>(&'p self, _bind: &mut dyn FnMut(Value<'p>) -> Result<()>) -> Result<()> {
        Ok(())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Param for $number {
            fn kind() -> Kind {
                Kind::Int
            }

            fn value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }
    )*};
}

numbers!(i64, i32, u32, u16, u8, bool);

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl Param for $text {
            fn kind() -> Kind {
                Kind::Text
            }

            fn value(&self) -> Value<'_> {
                Value::Text(self)
            }
        }
    )*};
}

texts!(String, &str, std::borrow::Cow<'_, str>);

macro_rules! blobs {
    ($($blob:ty),*) => {$(
        impl Param for $blob {
            fn kind() -> Kind {
                Kind::Blob
            }

            fn value(&self) -> Value<'_> {
                Value::Blob(self)
            }
        }
    )*};
}

blobs!(Vec<u8>, &[u8], [u8; 8], [u8; 32]);

impl<T: Param> Param for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::kind()), T::value)
    }
}

impl<T: Param> Param for &T {
    fn kind() -> Kind {
        T::kind()
    }

    fn value(&self) -> Value<'_> {
        T::value(self)
    }
}

/// What can be put into a row of many.
pub(crate) trait Given<'a> {
    /// What it is, also where it is missing.
    const KIND: Kind;

    /// As the database gets it.
    fn given(self) -> Value<'a>;
}

macro_rules! given_numbers {
    ($($number:ty),*) => {$(
        impl<'a> Given<'a> for $number {
            const KIND: Kind = Kind::Int;

            fn given(self) -> Value<'a> {
                Value::Int(i64::from(self))
            }
        }
    )*};
}

given_numbers!(i64, u32, u16, u8, bool);

impl<'a> Given<'a> for &'a str {
    const KIND: Kind = Kind::Text;

    fn given(self) -> Value<'a> {
        Value::Text(self)
    }
}

impl<'a> Given<'a> for &'a [u8] {
    const KIND: Kind = Kind::Blob;

    fn given(self) -> Value<'a> {
        Value::Blob(self)
    }
}

impl<'a, T: Given<'a>> Given<'a> for Option<T> {
    const KIND: Kind = T::KIND;

    fn given(self) -> Value<'a> {
        self.map_or(Value::Null(T::KIND), T::given)
    }
}

/// A row of many: values of any types.
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::value::Given::given($value)),*]
    };
}
pub(crate) use row;
