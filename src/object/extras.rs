//! Additional keys and values of an object, which versions preserve even if they do not know the keys.

use std::collections::BTreeMap;

use super::fields::Field;
use crate::codec::{Decoder, Encoder};
use crate::error::Result;

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras(BTreeMap<String, Vec<u8>>);

impl Extras {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// Sets the value of a key.
    pub fn set(&mut self, key: &str, value: impl Into<Vec<u8>>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
    }
}

/// Keys and values, sorted by key.
impl Field for Extras {
    fn put(&self, encoder: &mut Encoder) {
        encoder.put(&self.0);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Extras> {
        decoder.take().map(Extras)
    }
}

impl FromIterator<(String, Vec<u8>)> for Extras {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(list: I) -> Extras {
        Extras(list.into_iter().collect())
    }
}
