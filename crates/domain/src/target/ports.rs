//! Ports that no webhook lives on.

/// What is known to listen on the port, if a request to it could only do harm.
///
/// Everything below 1024 except 80 and 443 belongs to some other protocol. Above that, these
/// are services which understand HTTP, or answer to lines hidden in it, and which trust
/// whoever reaches them.
pub(super) fn denied(port: u16) -> Option<&'static str> {
    match port {
        80 | 443 => None,
        0..1024 => Some(well_known(port)),
        _ => INFRASTRUCTURE.iter().find(|(ports, _)| ports.contains(&port)).map(|(_, name)| *name),
    }
}

fn well_known(port: u16) -> &'static str {
    match port {
        21 => "FTP",
        22 => "SSH",
        23 => "Telnet",
        25 | 465 | 587 => "mail",
        53 => "DNS",
        110 | 143 | 993 | 995 => "mailboxes",
        389 | 636 => "LDAP",
        445 => "SMB",
        _ => "a system service",
    }
}

const INFRASTRUCTURE: &[(&[u16], &str)] = &[
    (&[1080, 3128], "a proxy"),
    (&[1099], "Java RMI"),
    (&[1433, 1434], "SQL Server"),
    (&[1521], "Oracle"),
    (&[1883, 8883], "MQTT"),
    (&[2049], "NFS"),
    (&[2181], "ZooKeeper"),
    (&[2375, 2376, 2377], "Docker"),
    (&[2379, 2380], "etcd"),
    (&[3260], "iSCSI"),
    (&[3306, 33060], "MySQL"),
    (&[3389], "remote desktops"),
    (&[4222, 6222], "NATS"),
    (&[4369], "Erlang port mapping"),
    (&[5432, 5433, 6432], "PostgreSQL"),
    (&[5601], "Kibana"),
    (&[5671, 5672, 15672, 25672], "RabbitMQ"),
    (&[5900, 5901, 5902], "VNC"),
    (&[5984, 6984], "CouchDB"),
    (&[5985, 5986], "Windows remote management"),
    (&[6000, 6001], "X11"),
    (&[6379, 6380, 16379, 26379], "Redis"),
    (&[6443, 10250, 10255, 10256, 10257, 10259], "Kubernetes"),
    (&[6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6697], "IRC"),
    (&[7000, 7001, 7199, 9042, 9160], "Cassandra"),
    (&[7474, 7687], "Neo4j"),
    (&[8086], "InfluxDB"),
    (&[8200], "Vault"),
    (&[8300, 8301, 8302, 8500, 8501, 8502, 8600], "Consul"),
    (&[8983], "Solr"),
    (&[9092, 9093, 9094], "Kafka"),
    (&[9200, 9300], "Elasticsearch"),
    (&[9418], "Git"),
    (&[11211], "memcached"),
    (&[26257], "CockroachDB"),
    (&[27017, 27018, 27019, 28017], "MongoDB"),
    (&[50000], "Db2"),
    (&[50070], "Hadoop"),
    (&[61613, 61616], "ActiveMQ"),
];
