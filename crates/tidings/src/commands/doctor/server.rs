//! What the server is about to use: its key, its address, its database library.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use tidings_domain::seal::MasterKey;

use super::check::Check;
use crate::config::{MasterKeySource, ServeConfig};

pub(super) fn master_key(config: &ServeConfig) -> Check {
    const NAME: &str = "master key";
    match (&config.master_key, config.master_key_path()) {
        (MasterKeySource::File(path), _) => key_file(path),
        (MasterKeySource::DataDirectory, Some(path)) if path.exists() => key_file(&path),
        (MasterKeySource::DataDirectory, _) => {
            Check::ok(NAME, "it will be made in the data directory at the first start")
        }
        (MasterKeySource::Given(_), _) => Check::ok(NAME, "given as TIDINGS_MASTER_KEY"),
    }
}

fn key_file(path: &Path) -> Check {
    const NAME: &str = "master key";
    let shown = path.display();
    let read = fs::read_to_string(path).and_then(|text| Ok((text, fs::metadata(path)?.permissions().mode() & 0o777)));
    let (text, mode) = match read {
        Ok(read) => read,
        Err(error) => {
            let way_out = "name another file with --master-key-file, or correct its permissions";
            return Check::fail(NAME, format!("{shown} cannot be read: {error}"), way_out);
        }
    };
    if let Err(error) = MasterKey::parse(&text) {
        return Check::fail(NAME, format!("{shown} holds no master key"), error.to_string());
    }
    if mode & 0o077 != 0 {
        let found = format!("{shown} is open to other users (mode {mode:o}), and it opens every stored secret");
        return Check::fail(NAME, found, format!("run: chmod 600 {shown}"));
    }
    Check::ok(NAME, format!("{shown} holds one, mode {mode:o}"))
}

/// Binds the address for a moment. While a server runs on the data directory, the address being
/// taken is what one would expect.
pub(super) fn listen(address: SocketAddr, running: bool) -> Check {
    const NAME: &str = "listen address";
    match TcpListener::bind(address) {
        Ok(_) if address.port() == 0 => Check::ok(NAME, format!("{address} takes a free port")),
        Ok(_) => Check::ok(NAME, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && running => {
            Check::ok(NAME, format!("{address} is taken, as it is while your server runs"))
        }
        Err(error) => {
            let way_out = "stop what listens there, or choose another address with --listen";
            Check::fail(NAME, format!("{address} cannot be used: {error}"), way_out)
        }
    }
}

/// Before the minimum, SQLite could lose committed writes.
pub(super) fn sqlite(version: &str, min: (u32, u32, u32)) -> Check {
    const NAME: &str = "SQLite";
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    if (part(), part(), part()) >= min {
        return Check::ok(NAME, version);
    }
    let (major, minor, patch) = min;
    let found = format!("{version} is older than {major}.{minor}.{patch}, before which committed writes could be lost");
    Check::fail(NAME, found, "build Tidings with its bundled SQLite")
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn a_key_file_is_readable_by_its_owner_alone_and_holds_a_key() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("key");
        assert_eq!(key_file(&path).verdict, Verdict::Fail);
        for (text, mode, verdict) in [
            ("ab".repeat(32), 0o600, Verdict::Ok),
            (format!("{}\n", "ab".repeat(32)), 0o400, Verdict::Ok),
            ("ab".repeat(32), 0o640, Verdict::Fail),
            ("canary".to_owned(), 0o600, Verdict::Fail),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            let check = key_file(&path);
            assert_eq!(check.verdict, verdict, "{check:?}");
            assert!(!format!("{check:?}").contains("canary"));
        }
    }

    #[test]
    fn an_address_is_free_or_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("an address");
        assert_eq!(listen(address, false).verdict, Verdict::Fail);
        assert_eq!(listen(address, true).verdict, Verdict::Ok);
        drop(taken);
        assert_eq!(listen(address, false).verdict, Verdict::Ok);
        assert!(listen("127.0.0.1:0".parse().expect("an address"), false).found.contains("free port"));
    }

    #[test]
    fn old_databases_are_refused() {
        for (version, verdict) in [
            ("3.51.3", Verdict::Ok),
            ("3.52.0", Verdict::Ok),
            ("4.0.0", Verdict::Ok),
            ("3.51.2", Verdict::Fail),
            ("3.40.1", Verdict::Fail),
            ("", Verdict::Fail),
        ] {
            assert_eq!(sqlite(version, (3, 51, 3)).verdict, verdict, "{version}");
        }
    }
}
