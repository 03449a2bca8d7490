//! What commands may take: calls of their URLs, runs and time by an organization's plan, and what they leave behind.

mod memory;
mod plans;
mod rates;
mod runs;
mod stopping;

use std::{net::SocketAddr, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};
use tidings_testkit::{Api, Server, World};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(20);

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {answer}")).to_owned()
}

/// A server, the key of its default project, and whoever calls URLs.
struct Bots {
    server: Server,
    operator: Api,
    api: Api,
    caller: Api,
}

impl Bots {
    async fn begin(flags: &[&str]) -> Self {
        let server = Server::start_with(BINARY, flags).await;
        let operator = World::new(&server).operator().clone();
        let (api, caller) = (operator.clone(), operator.clone().without_key().with_base(""));
        Self { server, operator, api, caller }
    }

    /// After the server was started again: at another address.
    fn reconnect(&mut self) {
        self.operator = World::new(&self.server).operator().clone();
        self.api = self.operator.clone();
        self.caller = self.operator.clone().without_key().with_base("");
    }

    async fn command(&self, name: &str, code: &str) {
        self.api.post("/commands", &json!({"name": name, "code": code})).await.expect(201);
    }

    /// A URL as a path on this server.
    async fn url(&self, options: Value) -> String {
        let url = text(&self.api.post("/hook-urls", &options).await.expect(200), "url");
        url[url.find("/hook/").expect("a hook URL")..].to_owned()
    }
}

/// The status of a call from an address of this machine's own.
async fn call_from(from: &str, server: SocketAddr, path: &str) -> StatusCode {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(from.parse().expect("an address"), 0)).expect("an address of this machine");
    let mut stream = socket.connect(server).await.expect("the server takes connections");
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the request goes out");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer.get(9..12).and_then(|code| code.parse().ok());
    StatusCode::from_u16(status.unwrap_or_else(|| panic!("{answer:?}"))).expect("a status")
}
