use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_NODES_MAX, Filter, Subject};
use crate::event_type::EventTypeName;

fn name() -> EventTypeName {
    "order.paid".parse().expect("a name")
}

fn passes(filter: &Value, data: &str) -> bool {
    let scopes = ["shop-7".to_owned(), "eu".to_owned()];
    let filter = Filter::read(filter, "filter").unwrap_or_else(|errors| panic!("{filter}: {errors:?}"));
    filter.passes(&Subject::new(&name(), &scopes, None, data.as_bytes()))
}

fn test(path: &str, op: &str, value: Value) -> Value {
    json!({"path": path, "op": op, "value": value})
}

const ORDER: &str = r#"{
    "plan": "pro", "total": 99.5, "count": 3, "paid": true, "coupon": null, "big": 9007199254740993,
    "items": [{"sku": "A-1", "n": 2}, {"sku": "B-2", "n": 1}], "tags": ["new", "vip"],
    "a/b": 1, "m~n": 2, "": 3, "0": "zero"
}"#;

#[test]
fn tests_look_where_they_are_told_and_compare_what_they_find() {
    for (path, op, value, expected) in [
        ("/data/plan", "eq", json!("pro"), true),
        ("/data/plan", "eq", json!("PRO"), false),
        ("/data/plan", "ne", json!("free"), true),
        ("/data/nope", "eq", json!(null), false),
        ("/data/nope", "ne", json!("free"), true),
        ("/data/coupon", "eq", json!(null), true),
        ("/data/plan", "in", json!(["free", "pro"]), true),
        ("/data/count", "in", json!([1, 3.0]), true),
        ("/data/plan", "prefix", json!("pr"), true),
        ("/data/plan", "suffix", json!("ro"), true),
        ("/data/plan", "suffix", json!("pr"), false),
        ("/data/count", "prefix", json!("3"), false),
        ("/data/plan", "contains", json!("r"), true),
        ("/data/tags", "contains", json!("vip"), true),
        ("/data/tags", "contains", json!("vi"), false),
        ("/data/items", "contains", json!({"sku": "B-2"}), true),
        ("/data/items", "contains", json!({"sku": "B-2", "n": 2}), false),
        ("/data/items/1/sku", "eq", json!("B-2"), true),
        ("/data/items/2/sku", "exists", json!(false), true),
        ("/data/items/01/sku", "exists", json!(true), false),
        ("/data/items/-/sku", "exists", json!(true), false),
        ("/data/items", "eq", json!([{"n": 2.0, "sku": "A-1"}, {"sku": "B-2", "n": 1}]), true),
        ("/data/total", "gt", json!(99), true),
        ("/data/total", "lt", json!(100), true),
        ("/data/total", "gte", json!(99.5), true),
        ("/data/count", "lte", json!(2.999), false),
        ("/data/plan", "gt", json!(1), false),
        ("/data/plan", "gte", json!("pro"), true),
        ("/data/plan", "lt", json!("q"), true),
        ("/data/big", "eq", json!(9_007_199_254_740_993_u64), true),
        ("/data/big", "eq", json!(9_007_199_254_740_992_u64), false),
        ("/data/big", "eq", json!(9_007_199_254_740_992_f64), false),
        ("/data/big", "gt", json!(9_007_199_254_740_992_f64), true),
        ("/data/paid", "exists", json!(true), true),
        ("/data/coupon", "exists", json!(true), true),
        ("/data/nope", "exists", json!(true), false),
        ("/data/a~1b", "eq", json!(1), true),
        ("/data/m~0n", "eq", json!(2), true),
        ("/data/", "eq", json!(3), true),
        ("/data/0", "eq", json!("zero"), true),
        ("/type", "prefix", json!("order."), true),
        ("/scope", "contains", json!("eu"), true),
        ("/scope/0", "eq", json!("shop-7"), true),
        ("/data/plan/deeper", "exists", json!(true), false),
    ] {
        assert_eq!(passes(&test(path, op, value.clone()), ORDER), expected, "{path} {op} {value}");
    }
    assert!(passes(&test("/data", "eq", json!(5)), "5.0"));
    assert!(passes(&json!({"path": "/data", "op": "exists"}), "null"));
}

#[test]
fn groups_are_all_any_and_not() {
    let (yes, no) = (test("/data/count", "eq", json!(3)), test("/data/count", "eq", json!(4)));
    for (filter, expected) in [
        (json!({"all": [yes, yes]}), true),
        (json!({"all": [yes, no]}), false),
        (json!({"any": [no, yes]}), true),
        (json!({"any": [no, no]}), false),
        (json!({"not": no}), true),
        (json!({"not": {"any": [no, {"all": [yes, {"not": no}]}]}}), false),
    ] {
        assert_eq!(passes(&filter, ORDER), expected, "{filter}");
    }
}

#[test]
fn what_is_no_data_passes_no_filter_that_looks_into_data() {
    let name = name();
    let bytes = br#"{"plan":"pro"}"#;
    let raw = Subject::new(&name, &[], Some("application/octet-stream"), bytes);
    let huge = Subject::new(&name, &[], None, b"1e999");
    for filter in [
        test("/data/plan", "eq", json!("pro")),
        test("/data/plan", "ne", json!("pro")),
        test("/data/plan", "exists", json!(false)),
        json!({"any": [test("/type", "eq", json!("order.paid")), test("/data/plan", "eq", json!(1))]}),
    ] {
        let read = Filter::read(&filter, "filter").expect("a filter");
        assert!(!read.passes(&raw) && !read.passes(&huge), "{filter}");
    }
    let by_type = Filter::read(&test("/type", "eq", json!("order.paid")), "filter").expect("a filter");
    assert!(by_type.passes(&raw) && by_type.passes(&huge));
}

fn refused(filter: &Value) -> Vec<(String, &'static str)> {
    let errors = Filter::read(filter, "filter").expect_err("refused");
    errors.into_iter().map(|error| (error.field, error.code)).collect()
}

#[test]
fn every_wrong_place_is_named() {
    let one = |field: &str, code| vec![(field.to_owned(), code)];
    for (filter, field, code) in [
        (json!(5), "filter", "invalid"),
        (json!({}), "filter", "invalid"),
        (json!([]), "filter", "invalid"),
        (json!({"all": []}), "filter.all", "invalid"),
        (json!({"all": {}}), "filter.all", "invalid"),
        (json!({"not": {"any": [5]}}), "filter.not.any[0]", "invalid"),
        (json!({"path": "/data/x"}), "filter.op", "missing"),
        (json!({"op": "exists"}), "filter.path", "missing"),
        (json!({"path": 5, "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "data/x", "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "", "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "/id", "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "/type/x", "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "/data/~2", "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": format!("/data/{}", "x".repeat(600)), "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": format!("/data{}", "/x".repeat(65)), "op": "exists"}), "filter.path", "invalid"),
        (json!({"path": "/data/x", "op": "eq"}), "filter.value", "missing"),
        (json!({"path": "/data/x", "op": "exists", "value": 1}), "filter.value", "invalid"),
        (test("/data/x", "in", json!([])), "filter.value", "invalid"),
        (test("/data/x", "in", json!(5)), "filter.value", "invalid"),
        (test("/data/x", "in", json!(vec![0; 257])), "filter.value", "invalid"),
        (test("/data/x", "prefix", json!("")), "filter.value", "invalid"),
        (test("/data/x", "gt", json!(null)), "filter.value", "invalid"),
        (json!({"any": [{"path": "/data/x", "op": "exists", "valeu": 1}]}), "filter.any[0].valeu", "unknown_field"),
        (json!({"all": [test("/data/x", "eq", json!(1))], "any": []}), "filter.any", "unknown_field"),
    ] {
        assert_eq!(refused(&filter), one(field, code), "{filter}");
    }
    let ok = test("/data/x", "eq", json!(1));
    let three =
        json!({"all": [ok, {"path": "x", "op": "eq", "value": 1}, {"path": "/data/x", "op": "like", "value": 1}]});
    assert_eq!(
        refused(&three),
        [("filter.all[1].path".to_owned(), "invalid"), ("filter.all[2].op".to_owned(), "invalid")]
    );
}

#[test]
fn filters_are_bounded() {
    let test = || test("/data/x", "eq", json!(1));
    let deep = |levels: usize| (1..levels).fold(test(), |inner, _| json!({"not": inner}));
    assert!(Filter::read(&deep(FILTER_DEPTH_MAX), "filter").is_ok());
    let field = format!("filter{}", ".not".repeat(FILTER_DEPTH_MAX));
    assert_eq!(refused(&deep(FILTER_DEPTH_MAX + 1)), [(field, "invalid")]);

    let wide = |tests: usize| json!({"any": vec![test(); tests]});
    assert!(Filter::read(&wide(FILTER_NODES_MAX - 1), "filter").is_ok());
    assert_eq!(refused(&wide(FILTER_NODES_MAX)), [("filter".to_owned(), "too_long")]);

    let long = |bytes: usize| json!({"path": "/data/x", "op": "eq", "value": "x".repeat(bytes)});
    let frame = long(0).to_string().len();
    assert!(Filter::read(&long(FILTER_BYTES_MAX - frame), "filter").is_ok());
    assert_eq!(refused(&long(FILTER_BYTES_MAX - frame + 1)), [("filter".to_owned(), "too_long")]);
}

#[test]
fn searching_ends_where_the_maxima_say() {
    let far = format!(r#""{}needle""#, "ä".repeat(super::SEARCHED_BYTES_MAX / 2));
    assert!(!passes(&test("/data", "contains", json!("needle")), &far));
    let near = format!(r#""{}needle""#, "ä".repeat(super::SEARCHED_BYTES_MAX / 2 - 3));
    assert!(passes(&test("/data", "contains", json!("needle")), &near));
    let many = |before: usize| format!("[{}1]", "0,".repeat(before));
    assert!(passes(&test("/data", "contains", json!(1)), &many(super::SEARCHED_ELEMENTS_MAX - 1)));
    assert!(!passes(&test("/data", "contains", json!(1)), &many(super::SEARCHED_ELEMENTS_MAX)));
}

/// Values that meet each other often enough to matter.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-2..3_i64).prop_map(Value::from),
        prop_oneof![any::<u64>().prop_map(Value::from), any::<i64>().prop_map(Value::from)],
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        (-4..5_i32).prop_map(|half| Value::from(f64::from(half) / 2.0)),
        "[ab]{0,3}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[ab0]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Filters of every form, most of them valid.
fn filter() -> impl Strategy<Value = Value> {
    let path = "/(type|scope|data)(/[ab01]){0,2}";
    let op = "(eq|ne|in|prefix|suffix|contains|gt|gte|lt|lte|exists)";
    let leaf = (path, op, value()).prop_map(|(path, op, value)| json!({"path": path, "op": op, "value": value}));
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({"all": list})),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({"any": list})),
            inner.prop_map(|inner| json!({"not": inner})),
        ]
    })
}

/// What a filter means, word for word, with the pointers of serde_json.
fn naive(filter: &Value, view: &Value) -> bool {
    let list = |name: &str| filter[name].as_array().cloned();
    if let Some(all) = list("all") {
        return all.iter().all(|one| naive(one, view));
    }
    if let Some(any) = list("any") {
        return any.iter().any(|one| naive(one, view));
    }
    if let Some(inner) = filter.get("not") {
        return !naive(inner, view);
    }
    let found = view.pointer(filter["path"].as_str().expect("a path"));
    let (op, value) = (filter["op"].as_str().expect("an operator"), &filter["value"]);
    let order = found.and_then(|found| naive_order(found, value));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match (op, found) {
        ("exists", found) => found.is_some() == value.as_bool().expect("true or false"),
        ("ne", found) => found.is_none_or(|found| !naive_equal(found, value)),
        (_, None) => false,
        ("eq", Some(found)) => naive_equal(found, value),
        ("in", Some(found)) => value.as_array().expect("a list").iter().any(|one| naive_equal(found, one)),
        ("prefix", Some(found)) => text(found).is_some_and(|found| found.starts_with(&text(value).expect("a text"))),
        ("suffix", Some(found)) => text(found).is_some_and(|found| found.ends_with(&text(value).expect("a text"))),
        ("contains", Some(Value::String(found))) => text(value).is_some_and(|value| found.contains(&value)),
        ("contains", Some(Value::Array(found))) => found.iter().any(|one| match (one, value) {
            (Value::Object(one), Value::Object(value)) => {
                value.iter().all(|(name, value)| one.get(name).is_some_and(|one| naive_equal(one, value)))
            }
            _ => naive_equal(one, value),
        }),
        ("gt", _) => order.is_some_and(std::cmp::Ordering::is_gt),
        ("gte", _) => order.is_some_and(std::cmp::Ordering::is_ge),
        ("lt", _) => order.is_some_and(std::cmp::Ordering::is_lt),
        ("lte", _) => order.is_some_and(std::cmp::Ordering::is_le),
        _ => false,
    }
}

fn naive_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| naive_equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.keys().eq(right.keys())
                && left.values().zip(right.values()).all(|(left, right)| naive_equal(left, right))
        }
        (Value::Number(_), Value::Number(_)) => naive_order(left, right).is_some_and(std::cmp::Ordering::is_eq),
        _ => left == right,
    }
}

/// Numbers by their exact decimal digits: a float's are finite, and an integer's are its own.
fn naive_order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Some(left.chars().cmp(right.chars()));
    }
    let digits = |value: &Value| {
        let number = value.as_number()?;
        let whole = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
        let text =
            whole.map_or_else(|| format!("{:.1100}", number.as_f64().unwrap_or(0.0)), |whole| format!("{whole}.0"));
        let negative = text.starts_with('-');
        let (before, after) =
            text.trim_start_matches('-').split_once('.').map(|(b, a)| (b.to_owned(), a.to_owned()))?;
        let zero = before.bytes().chain(after.bytes()).all(|digit| digit == b'0');
        Some((negative && !zero, format!("{before:0>320}.{after:0<1100}")))
    };
    let ((left_negative, left), (right_negative, right)) = (digits(left)?, digits(right)?);
    Some(match (left_negative, right_negative) {
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => left.cmp(&right),
        (true, true) => right.cmp(&left),
    })
}

proptest! {
    #![proptest_config(Config { cases: 4_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn evaluation_agrees_with_the_words(filter in filter(), data in value(), scopes in proptest::collection::vec("[ab]{1,2}", 0..3)) {
        if let Ok(read) = Filter::read(&filter, "filter") {
            let (name, text) = (name(), data.to_string());
            // What was written and read again is what counts: a float may have been rounded.
            let data: Value = serde_json::from_str(&text).expect("JSON");
            let view = json!({"type": name.as_str(), "scope": scopes, "data": data});
            let subject = Subject::new(&name, &scopes, None, text.as_bytes());
            prop_assert_eq!(read.passes(&subject), naive(&filter, &view), "{} {}", filter, view);
        }
    }

    #[test]
    fn a_filter_that_is_written_and_read_is_the_same(filter in filter()) {
        if let Ok(read) = Filter::read(&filter, "filter") {
            let written = serde_json::to_string(&read).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Filter>(&written).expect("a filter"), read);
        }
    }

    #[test]
    fn reading_never_panics(value in value(), data in any::<Vec<u8>>()) {
        let name = name();
        if let Ok(read) = Filter::read(&value, "filter") {
            read.passes(&Subject::new(&name, &[], None, &data));
        }
    }
}
