//! Records, as actions, commands and people change them.

use serde_json::{Map, Value, json};
use tidings_domain::{ids::DeliveryId, source::RecordChange};
use tidings_fakes::Random;
use tidings_ports::store::PutRecord;

use super::{super::trial::Trial, text};

impl Trial {
    pub(super) async fn records(&mut self, random: &mut Random) {
        let (project, now) = (self.any_project(random), self.now);
        let (kind, key) = (random.pick(&["user", "User"]).to_owned(), key(random));
        match random.below(6) {
            0 => {
                let put = PutRecord {
                    project_id: project,
                    kind,
                    key,
                    data: random.percent(80).then(|| document(random)),
                    expected_version: random.percent(40).then(|| random.below(3) as u32),
                    cause: text(random),
                };
                self.ask_alike(&put.clone(), async |it| it.store.put_record(put.clone(), now).await).await;
            }
            1 | 2 => {
                // The same action may come again.
                let delivery = DeliveryId::from_parts(1 + random.below(30).cast_signed(), 9);
                let number = [i64::MAX, -1, 1, 0][random.below(4) as usize];
                let increment = random.percent(50).then(|| ("n".to_owned(), number)).into_iter().collect();
                let change = RecordChange { kind, key, set: document(random), increment };
                self.ask_alike(&(change.clone(), delivery), async |it| {
                    it.store.change_record(project, change.clone(), delivery, "act_1".to_owned(), now).await
                })
                .await;
            }
            3 => {
                self.ask_alike(&("find_record", &kind, &key), async |it| {
                    it.store.find_record(project, &kind, &key).await
                })
                .await;
            }
            4 => {
                let (after, limit) =
                    (if random.percent(50) { text(random) } else { String::new() }, random.below(5) as u32);
                self.ask_alike(&("list_records", &kind, &after, limit), async |it| {
                    it.store.list_records(project, &kind, &after, limit).await
                })
                .await;
            }
            _ => {
                let below = if random.percent(50) { u32::MAX } else { random.below(5) as u32 };
                self.ask_alike(&("record_history", &kind, &key), async |it| {
                    it.store.record_history(project, &kind, &key, below, 10).await
                })
                .await;
            }
        }
    }
}

/// Mostly one of a few, so that they come again.
pub(super) fn key(random: &mut Random) -> String {
    if random.percent(70) { random.pick(&["a", "A", "z\0"]).to_owned() } else { text(random) }
}

/// A document with members that may be anything.
pub(super) fn document(random: &mut Random) -> Map<String, Value> {
    let values =
        [json!(1), json!("x\0y"), json!(null), json!([1, "é"]), json!({"a": 1.5}), json!(i64::MAX), json!(true)];
    let names = ["n", "name", "é", "a b"];
    let mut document = Map::new();
    for name in names {
        if random.percent(40) {
            document.insert(name.to_owned(), values[random.below(values.len() as u64) as usize].clone());
        }
    }
    document
}
