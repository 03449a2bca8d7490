//! How much memory a command has.

use serde_json::json;

use crate::Bots;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_has_as_much_memory_as_the_operator_says() {
    let code = "const all = []; for (let i = 0; i < 12; i++) all.push(new Uint8Array(1e6).fill(1)); all.length;";
    let statuses = [&["--command-memory-mib", "8"][..], &[]];
    for (flags, status) in statuses.into_iter().zip(["failed", "succeeded"]) {
        let bots = Bots::begin(flags).await;
        bots.command("/twelve", code).await;
        let run = bots.api.post("/commands/%2Ftwelve/run", &json!({})).await.expect(200);
        assert_eq!(run["status"], status, "{flags:?}: {run}");
    }
}
