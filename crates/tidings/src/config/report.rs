//! What `tidings config` shows.

use serde_json::{Map, Value, json};

use super::resolve::{Resolved, ResolvedSetting};
use crate::output::Table;

/// A table of setting, value and where it comes from.
pub(crate) fn report_table(resolved: &Resolved) -> String {
    let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
    for setting in &resolved.settings {
        let value = if setting.values.is_empty() { "-".to_owned() } else { setting.values.join(", ") };
        table.row([setting.setting.name.to_owned(), value, setting.source.to_string()]);
    }
    table.to_string()
}

/// The same by name: `{"listen": {"value": …, "from": …}}`.
pub(crate) fn report_json(resolved: &Resolved) -> Value {
    let each = |setting: &ResolvedSetting| {
        let entry = json!({ "value": value(setting), "from": setting.source.to_string() });
        (setting.setting.name.to_owned(), entry)
    };
    Value::Object(resolved.settings.iter().map(each).collect::<Map<_, _>>())
}

fn value(setting: &ResolvedSetting) -> Value {
    if setting.setting.kind.is_list() {
        return json!(setting.values);
    }
    setting.values.first().map_or(Value::Null, |text| json!(text))
}
