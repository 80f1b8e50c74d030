//! Root records a PostgreSQL data directory: the server and `pg_basebackup` keep working.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CommandResult, MultiUserEnv, all_belongs_to, result_of};

/// A PostgreSQL server; stopped on drop.
struct Server<'o> {
    users: &'o MultiUserEnv,
    programs: PathBuf,
    data: PathBuf,
}

impl<'o> Server<'o> {
    /// `None` if PostgreSQL is not installed or its user does not exist.
    fn start(users: &'o MultiUserEnv) -> Option<Server<'o>> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
        let programs =
            versions.map(|version| version.unwrap().path().join("bin")).find(|it| it.join("initdb").exists());
        let id = Command::new("id").arg("postgres").output().is_ok_and(|output| output.status.success());
        let Some(programs) = programs.filter(|_| id) else {
            crate::skip::skip("PostgreSQL is not installed");
            return None;
        };
        let server = Server { users, programs, data: users.env.path() };
        assert!(Command::new("chown").arg("-R").arg("postgres:postgres").arg(&server.data).status().unwrap().success());
        let data = server.data.to_str().unwrap();
        server.runs("initdb", &["--no-sync", "--auth=trust", "-D", data]);
        let sockets = users.env.root().join("tmp");
        let options = format!("-c listen_addresses= -c fsync=off -c unix_socket_directories={}", sockets.display());
        server
            .runs("pg_ctl", &["-D", data, "-w", "-l", &format!("{}/log", sockets.display()), "-o", &options, "start"]);
        Some(server)
    }

    fn as_postgres(&self, program: &str, arguments: &[&str]) -> CommandResult {
        let mut command = self.users.env.command("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(self.programs.join(program));
        // The server must not inherit file descriptors that keep the test waiting.
        let log = self.users.env.root().join("tmp/output");
        let out = fs::File::create(&log).unwrap();
        let error = out.try_clone().unwrap();
        let (code, _) = result_by(command.args(arguments).stdout(out).stderr(error));
        (code, fs::read_to_string(log).unwrap())
    }

    #[track_caller]
    fn runs(&self, program: &str, arguments: &[&str]) -> String {
        let (code, text) = self.as_postgres(program, arguments);
        assert_eq!(code, 0, "{program} {arguments:?}\n{text}");
        text
    }

    /// Copies the data directory with `pg_basebackup`.
    fn base_backup(&self, name: &str) -> PathBuf {
        let (copy, host) = (self.users.env.root().join("tmp").join(name), self.users.env.root().join("tmp"));
        let arguments = ["-h", host.to_str().unwrap(), "-D", copy.to_str().unwrap(), "--no-sync", "-c", "fast"];
        self.runs("pg_basebackup", &arguments);
        copy
    }

    fn sql(&self, text: &str) {
        self.runs("psql", &["-h", self.users.env.root().join("tmp").to_str().unwrap(), "-qc", text, "postgres"]);
    }
}

fn result_by(command: &mut Command) -> CommandResult {
    let status = command.status().unwrap();
    (status.code().unwrap_or(-1), String::new())
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.as_postgres("pg_ctl", &["-D", self.data.to_str().unwrap(), "-m", "immediate", "stop"]);
    }
}

/// User and group of a path.
fn owner_of(path: &Path) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

#[test]
fn pg_basebackup_of_recorded_directory_works() {
    let Some(users) = MultiUserEnv::new() else { return };
    let Some(server) = Server::start(&users) else { return };
    let env = &users.env;
    let made = env.undo("init").ok();
    assert!(made.text().contains("the repository belongs to `postgres`"), "{made}");
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 1000)");
    let code = env.undo("commit -m running").code;
    assert!(code == 0 || code == 3, "{code}");
    all_belongs_to(&server.data, owner_of(&server.data));
    let copy = server.base_backup("copy");
    assert!(copy.join("PG_VERSION").exists() && copy.join(".undo/format").exists());
    // The copy is a separate directory.
    let program = env.root().join("undo");
    let mut command = env.command("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(&program);
    let (code, text) = result_of(command.args(["-C", copy.to_str().unwrap(), "commit", "-m", "copy"]));
    assert_eq!(code, 0, "{text}");
}

#[test]
fn pg_basebackup_with_external_store_works() {
    let Some(users) = MultiUserEnv::new() else { return };
    let Some(server) = Server::start(&users) else { return };
    let made = users.env.undo("init --store ../store").ok();
    assert!(made.text().contains("the repository belongs to `postgres`"), "{made}");
    let code = users.env.undo("commit -m one").code;
    assert!(code == 0 || code == 3, "{code}");
    all_belongs_to(&users.env.root().join("store"), owner_of(&server.data));
    let copy = server.base_backup("copy");
    assert!(copy.join(".undo").is_file());
}
