//! Publishers that keep a server busy, through its crashes and restarts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    hash::hash,
    ledger::{Acknowledged, ClientLedger},
    platform::Project,
    random::Random,
    wait::within,
};

/// Between two tries of the same request, when the server is there and does not take it.
const TRY_AGAIN: Duration = Duration::from_millis(5);
/// How long a request is repeated before the test gives up.
const GIVE_UP: Duration = Duration::from_secs(120);

/// Publishers at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: watch::Sender<usize>,
    publishers: Vec<JoinHandle<()>>,
}

/// One publisher: it publishes to all projects in turn, one event after the other.
struct Publisher {
    projects: Vec<Project>,
    event_type: String,
    ledger: Arc<ClientLedger>,
    random: Random,
    stop: Arc<AtomicBool>,
    acknowledged: watch::Sender<usize>,
}

impl Load {
    /// Starts publishers of events of this type, one for each generator.
    pub fn start(projects: &[Project], event_type: &str, ledger: &Arc<ClientLedger>, generators: Vec<Random>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = watch::Sender::new(0);
        let publishers = generators.into_iter().map(|random| Publisher {
            projects: projects.to_vec(),
            event_type: event_type.to_owned(),
            ledger: Arc::clone(ledger),
            random,
            stop: Arc::clone(&stop),
            acknowledged: acknowledged.clone(),
        });
        let publishers = publishers.map(|publisher| tokio::spawn(publisher.run())).collect();
        Self { stop, acknowledged, publishers }
    }

    /// Waits until so many events have been acknowledged since the start.
    pub async fn wait_for(&self, count: usize) {
        let mut acknowledged = self.acknowledged.subscribe();
        let enough = acknowledged.wait_for(|so_far| *so_far >= count);
        within(&format!("{count} acknowledged events"), GIVE_UP, enough).await.expect("the load holds the sender");
    }

    /// Lets every publisher finish the event it is about, and returns how many were acknowledged.
    /// The server has to run: a request whose answer was lost is repeated until there is one.
    pub async fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for publisher in self.publishers {
            within("the publishers", GIVE_UP, publisher).await.expect("a publisher does not panic");
        }
        *self.acknowledged.borrow()
    }
}

impl Publisher {
    async fn run(mut self) {
        while !self.stop.load(Ordering::SeqCst) {
            let project = self.random.choose(&self.projects).clone();
            let sequence = self.ledger.next_sequence();
            let data = published_data(sequence, &project.id);
            self.ledger.begin(&data);
            let acknowledged = self.publish(&project, sequence, &data).await;
            self.ledger.acknowledge(acknowledged);
            self.acknowledged.send_modify(|count| *count += 1);
        }
    }

    /// Sends the same request with the same idempotency key until it is acknowledged.
    async fn publish(&self, project: &Project, sequence: u64, data: &str) -> Acknowledged {
        let api = project.api.clone().with_header("idempotency-key", &format!("publish-{sequence}"));
        let body = Bytes::from(format!("{{\"type\":\"{}\",\"data\":{data}}}", self.event_type));
        loop {
            match api.try_send(Method::POST, "/events", body.clone()).await {
                Ok(answer) if answer.status == 202 => {
                    let replayed = answer.header("idempotent-replay") == Some("true");
                    return Acknowledged::new(sequence, &project.id, data, &answer.json(), replayed);
                }
                // Asked to come again, with the same key.
                Ok(answer) if matches!(answer.status.as_u16(), 429 | 503 | 507) => tokio::time::sleep(TRY_AGAIN).await,
                Ok(answer) => panic!("an event was refused: {answer}"),
                Err(_) => {
                    tokio::time::sleep(TRY_AGAIN).await;
                    api.client().wait_for_server().await;
                }
            }
        }
    }
}

impl Acknowledged {
    fn new(sequence: u64, project_id: &str, data: &str, answer: &Value, replayed: bool) -> Self {
        Self {
            sequence,
            project_id: project_id.to_owned(),
            event_id: answer["id"].as_str().expect("an acknowledged event has an id").to_owned(),
            deliveries: answer["deliveries"].as_u64().expect("an acknowledged event counts its deliveries"),
            data_hash: hash(data),
            replayed,
        }
    }
}

/// What is published: a different object each time, with values whose spelling a careless server
/// would change. See [`crate::Signature::published_data`] for why there are no spaces between members.
fn published_data(sequence: u64, project_id: &str) -> String {
    let filling = "0123456789 äöü €".repeat(1 + usize::try_from(sequence % 16).unwrap_or_default());
    format!(
        r#"{{"sequence":{sequence},"project":"{project_id}","amount":1.0,"big":1e3,"escaped":"\u00fc\/","nested":{{ "b" : [ 1,2 ], "a":null }},"text":"{filling}"}}"#
    )
}
