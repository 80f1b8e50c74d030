//! A data directory of PostgreSQL that root records: the server and `pg_basebackup` go on working.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Office, Told, all_belongs_to, told};

/// A server of its own, stopped when it is dropped.
struct Server<'o> {
    office: &'o Office,
    programs: PathBuf,
    data: PathBuf,
}

impl<'o> Server<'o> {
    /// `None` where it is not installed, or has no user.
    fn start(office: &'o Office) -> Option<Server<'o>> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
        let programs =
            versions.map(|version| version.unwrap().path().join("bin")).find(|it| it.join("initdb").exists());
        let id = Command::new("id").arg("postgres").output().is_ok_and(|output| output.status.success());
        let Some(programs) = programs.filter(|_| id) else {
            crate::skip::skip("PostgreSQL is not installed");
            return None;
        };
        let server = Server { office, programs, data: office.env.path() };
        assert!(Command::new("chown").arg("-R").arg("postgres:postgres").arg(&server.data).status().unwrap().success());
        let data = server.data.to_str().unwrap();
        server.runs("initdb", &["--no-sync", "--auth=trust", "-D", data]);
        let sockets = office.env.root().join("tmp");
        let options = format!("-c listen_addresses= -c fsync=off -c unix_socket_directories={}", sockets.display());
        server
            .runs("pg_ctl", &["-D", data, "-w", "-l", &format!("{}/log", sockets.display()), "-o", &options, "start"]);
        Some(server)
    }

    fn as_postgres(&self, program: &str, arguments: &[&str]) -> Told {
        let mut command = self.office.env.command("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(self.programs.join(program));
        // What the server inherits must not keep the test waiting.
        let log = self.office.env.root().join("tmp/told");
        let out = fs::File::create(&log).unwrap();
        let error = out.try_clone().unwrap();
        let (code, _) = told_by(command.args(arguments).stdout(out).stderr(error));
        (code, fs::read_to_string(log).unwrap())
    }

    #[track_caller]
    fn runs(&self, program: &str, arguments: &[&str]) -> String {
        let (code, text) = self.as_postgres(program, arguments);
        assert_eq!(code, 0, "{program} {arguments:?}\n{text}");
        text
    }

    /// Takes a copy with the server's own tool.
    fn base_backup(&self, name: &str) -> PathBuf {
        let (copy, host) = (self.office.env.root().join("tmp").join(name), self.office.env.root().join("tmp"));
        let arguments = ["-h", host.to_str().unwrap(), "-D", copy.to_str().unwrap(), "--no-sync", "-c", "fast"];
        self.runs("pg_basebackup", &arguments);
        copy
    }

    fn sql(&self, text: &str) {
        self.runs("psql", &["-h", self.office.env.root().join("tmp").to_str().unwrap(), "-qc", text, "postgres"]);
    }
}

fn told_by(command: &mut Command) -> Told {
    let status = command.status().unwrap();
    (status.code().unwrap_or(-1), String::new())
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.as_postgres("pg_ctl", &["-D", self.data.to_str().unwrap(), "-m", "immediate", "stop"]);
    }
}

/// The number of the user `postgres`.
fn owner_of(path: &Path) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

#[test]
fn a_base_backup_of_a_recorded_data_directory_works() {
    let Some(office) = Office::new() else { return };
    let Some(server) = Server::start(&office) else { return };
    let env = &office.env;
    let made = env.undo("init").ok();
    assert!(made.text().contains("it belongs to `postgres`"), "{made}");
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 1000)");
    let code = env.undo("commit -m running").code;
    assert!(code == 0 || code == 3, "{code}");
    all_belongs_to(&server.data, owner_of(&server.data));
    let copy = server.base_backup("copy");
    assert!(copy.join("PG_VERSION").exists() && copy.join(".undo/format").exists());
    // The copy is a directory of its own.
    let program = env.root().join("undo");
    let mut command = env.command("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(&program);
    let (code, text) = told(command.args(["-C", copy.to_str().unwrap(), "commit", "-m", "copy"]));
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_base_backup_works_with_a_store_elsewhere() {
    let Some(office) = Office::new() else { return };
    let Some(server) = Server::start(&office) else { return };
    let made = office.env.undo("init --store ../store").ok();
    assert!(made.text().contains("it belongs to `postgres`"), "{made}");
    let code = office.env.undo("commit -m one").code;
    assert!(code == 0 || code == 3, "{code}");
    all_belongs_to(&office.env.root().join("store"), owner_of(&server.data));
    let copy = server.base_backup("copy");
    assert!(copy.join(".undo").is_file());
}
