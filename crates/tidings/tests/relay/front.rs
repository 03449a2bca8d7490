//! What stands before a server, at an address that stays: it lets requests through, or does not.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Bytes of a request or an answer that are read at a time.
const READ: usize = 64 * 1024;

pub(crate) struct Front {
    url: String,
    state: Arc<State>,
}

struct State {
    server: Mutex<SocketAddr>,
    /// How often all connections were ended.
    cuts: watch::Sender<u32>,
    /// Answers that are still to be lost.
    lose: AtomicU32,
    /// Requests that are still to be refused, and how.
    refuse: AtomicU32,
    refusal: Mutex<String>,
}

impl Front {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            server: Mutex::new(server),
            cuts: watch::Sender::new(0),
            lose: AtomicU32::new(0),
            refuse: AtomicU32::new(0),
            refusal: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let mut cuts = state.cuts.subscribe();
                    tokio::select! {
                        biased;
                        _ = cuts.changed() => {}
                        () = state.serve(stream) => {}
                    }
                });
            }
        });
        Self { url, state }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on, connections lead there.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.state.server.lock().expect("a lock") = server;
    }

    /// The next answers to connections do not come back.
    pub(crate) fn lose_answers(&self, count: u32) {
        self.state.lose.store(count, Ordering::SeqCst);
    }

    /// Ends every connection that there is.
    pub(crate) fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn left_to_lose(&self) -> u32 {
        self.state.lose.load(Ordering::SeqCst)
    }

    /// The next connections are answered with this problem.
    pub(crate) fn refuse(&self, count: u32, status: u16, code: &str) {
        let body = serde_json::json!({
            "type": "/docs/errors", "title": code, "status": status, "detail": format!("not now: {code}"),
            "instance": "/", "code": code, "request_id": "req_1", "errors": [], "error": {"code": code, "message": "not now", "details": []},
        });
        let body = body.to_string();
        *self.state.refusal.lock().expect("a lock") = format!(
            "HTTP/1.1 {status} No\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.state.refuse.store(count, Ordering::SeqCst);
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = vec![0; READ];
        if takes_one(&self.refuse) {
            let refusal = self.refusal.lock().expect("a lock").clone();
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(refusal.as_bytes()).await;
            return;
        }
        let address = *self.server.lock().expect("a lock");
        let Ok(mut server) = TcpStream::connect(address).await else { return };
        if !takes_one(&self.lose) {
            let _ = copy_bidirectional(&mut stream, &mut server).await;
            return;
        }
        // Small requests come in few pieces, and no more of them after the answer has begun.
        let (mut from, mut to) = stream.split();
        let (mut answer, mut request) = server.split();
        let there = async { tokio::io::copy(&mut from, &mut request).await };
        tokio::select! {
            biased;
            _ = answer.read(&mut bytes) => {}
            _ = there => {}
        }
        drop(to.shutdown().await);
    }
}

fn takes_one(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}
