//! How values compare: numbers by what they are worth, exactly, however they are written.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{SEARCHED_BYTES_MAX, SEARCHED_ELEMENTS_MAX};

/// Whether two values are the same; `1` and `1.0` are, and the order of members does not count.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => order_of_numbers(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => left.len() == right.len() && has_members(left, right),
        _ => left == right,
    }
}

fn has_members(object: &serde_json::Map<String, Value>, members: &serde_json::Map<String, Value>) -> bool {
    members.iter().all(|(name, value)| object.get(name).is_some_and(|found| equal(found, value)))
}

/// The order of two numbers or two texts (by their characters' code points); `None` for all else.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(order_of_numbers(left, right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// A text contains a text. An array contains a value that is one of its elements, and an object if
/// one of its elements has all the object's members, whatever others it has.
pub(super) fn contains(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::String(text), Value::String(part)) => searched(text).contains(part.as_str()),
        (Value::Array(elements), value) => {
            elements.iter().take(SEARCHED_ELEMENTS_MAX).any(|element| match (element, value) {
                (Value::Object(element), Value::Object(members)) => has_members(element, members),
                (element, value) => equal(element, value),
            })
        }
        _ => false,
    }
}

fn searched(text: &str) -> &str {
    let mut end = text.len().min(SEARCHED_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn order_of_numbers(left: &Number, right: &Number) -> Ordering {
    match (whole(left), whole(right)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(left), Err(right)) => order_of_whole_and_float(left, right),
        (Err(left), Ok(right)) => order_of_whole_and_float(right, left).reverse(),
        // JSON has no NaN.
        (Err(left), Err(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
    }
}

/// A number of at most 64 bits without a fraction, or what else it is.
fn whole(number: &Number) -> Result<i128, f64> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.ok_or_else(|| number.as_f64().unwrap_or(0.0))
}

/// Exact, where turning the whole number into a float would round it. Casting saturates, which is
/// right as well: no whole number of 64 bits reaches there.
fn order_of_whole_and_float(whole: i128, float: f64) -> Ordering {
    let trunc = float.trunc();
    whole.cmp(&(trunc as i128)).then_with(|| 0.0.partial_cmp(&(float - trunc)).unwrap_or(Ordering::Equal))
}
