//! Several servers that share a PostgreSQL, and a balancer in front of them.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{api::Api, exchange::HttpClient, postgres::Cluster, server::Server};

/// What opens the secrets of all of them.
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Servers that share a database.
#[derive(Debug)]
pub struct Nodes {
    /// The servers; each may be killed, frozen and started again.
    pub servers: Vec<Server>,
    /// How the database is reached.
    pub database: String,
    address: watch::Sender<Option<SocketAddr>>,
    balancer: JoinHandle<()>,
}

/// One for all tests of a program.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Nodes {
    /// Starts so many servers on an empty database of the program's cluster.
    pub async fn start(binary: impl AsRef<Path>, count: usize) -> Self {
        Self::start_on(binary, count, &cluster().database()).await
    }

    /// … on this database.
    pub async fn start_on(binary: impl AsRef<Path>, count: usize, database: &str) -> Self {
        let mut servers = Vec::new();
        for _ in 0..count {
            let mut server = Server::prepare(&binary, &["--allow-http", "--allow-target", "127.0.0.0/8"]);
            server.keep_data_at(database, MASTER_KEY);
            server.restart().await;
            servers.push(server);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let behind = servers.iter().map(Server::watch_address).collect();
        let balancer = tokio::spawn(balance(listener, Arc::new(behind)));
        Self { servers, database: database.to_owned(), address: watch::Sender::new(Some(address)), balancer }
    }

    /// The operator, through the balancer.
    pub fn operator(&self) -> Api {
        Api::anonymous(HttpClient::new(self.address.subscribe())).with_key(self.servers[0].operator_key())
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.balancer.abort();
    }
}

/// Gives each connection to the next server that takes it, as balancers do.
async fn balance(listener: TcpListener, behind: Arc<Vec<watch::Receiver<Option<SocketAddr>>>>) {
    let mut next = 0;
    while let Ok((client, _)) = listener.accept().await {
        let (behind, first) = (Arc::clone(&behind), next);
        next += 1;
        tokio::spawn(async move {
            for place in 0..behind.len() {
                let address = *behind[(first + place) % behind.len()].borrow();
                let Some(address) = address else { continue };
                let Ok(server) = TcpStream::connect(address).await else { continue };
                let (mut client, mut server) = (client, server);
                let _ = copy_bidirectional(&mut client, &mut server).await;
                return;
            }
        });
    }
}
