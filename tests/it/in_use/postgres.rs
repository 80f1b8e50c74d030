//! A PostgreSQL server running in the worktree: its data directory is one database.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// A server whose data directory is `data` in the worktree. Stopped on drop.
struct Server<'e> {
    env: &'e TestEnv,
    programs: PathBuf,
    data: PathBuf,
}

impl<'e> Server<'e> {
    fn new(env: &'e TestEnv) -> Option<Server<'e>> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
        let programs =
            versions.flatten().map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
        let user = Command::new("id").args(["-u", "postgres"]).output().ok()?;
        let user: Option<u32> = String::from_utf8_lossy(&user.stdout).trim().parse().ok();
        let (Some(programs), Some(user), true) = (programs, user, rustix::process::geteuid().is_root()) else {
            skip("a PostgreSQL server, its user and root are needed");
            return None;
        };
        fs::set_permissions(env.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(env.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = env.path().join("data");
        fs::create_dir(&data).unwrap();
        chown(&data, Some(user), Some(user)).unwrap();
        let server = Server { env, programs, data };
        server.run("initdb", &["-N", "-A", "trust", "--no-locale", "-E", "UTF8", "-D"]);
        fs::create_dir(env.root().join("socket")).unwrap();
        chown(env.root().join("socket"), Some(user), Some(user)).unwrap();
        Some(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.env.command("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        command.arg(self.programs.join(program)).args(arguments).arg(&self.data);
        let output = command.current_dir("/").output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(&self) {
        let socket = self.env.root().join("socket");
        let options = format!("-c listen_addresses= -c unix_socket_directories={} -c fsync=off", socket.display());
        self.run("pg_ctl", &["-w", "-s", "-l", "/dev/null", "-o", &options, "start", "-D"]);
    }

    fn stop(&self) {
        self.run("pg_ctl", &["-w", "-s", "-m", "fast", "stop", "-D"]);
    }

    fn sql(&self, script: &str) -> String {
        let mut command = self.env.command("psql");
        command.args(["-U", "postgres", "-d", "postgres", "-Atqc", script, "-h"]).arg(self.env.root().join("socket"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.data.join("postmaster.pid").exists() {
            let pid = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
            let pid = pid.lines().next().unwrap_or_default().to_owned();
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        }
    }
}

fn is_same(before: &Tree, path: &Path) {
    assert_same(before, &Tree::read(path));
}

#[test]
fn postgres_data_directory_in_use_is_left_whole() {
    let env = TestEnv::initialised();
    let Some(server) = Server::new(&env) else { return };
    env.write("other", "1");
    server.start();
    server.sql("create table t(x int); insert into t select generate_series(1,1000)");
    server.stop();
    env.undo("commit -q -m stopped").ok();
    env.undo("tag stopped").ok();
    server.start();
    server.sql("insert into t select generate_series(1,5000); checkpoint");
    env.write("other", "2");
    // The server is idle, so few files are open. The commit may encounter files that are being written.
    assert!([0, 3].contains(&env.undo("commit -q -m running").code));
    for line in ["checkout -n stopped --json", "restore --from stopped data --json", "checkout stopped --json"] {
        let before = Tree::read(&env.path().join("data/base"));
        let report = env.undo(line).fails(3).json();
        let in_use = &report.last().unwrap()["in_use"];
        let (path, name) = (&in_use[0]["path"], in_use[0]["programs"][0]["name"].as_str().unwrap_or_default());
        assert_eq!((in_use.as_array().unwrap().len(), path), (1, &"data".into()), "{line}: {report:?}");
        assert!(name.starts_with("postgres"), "{line}: {report:?}");
        is_same(&before, &env.path().join("data/base"));
        assert_eq!(server.sql("select count(*) from t"), "6000");
    }
    server.stop();
    env.undo("checkout stopped").ok();
    server.start();
    assert_eq!((server.sql("select count(*) from t"), env.read("other")), ("1000".to_owned(), b"1".to_vec()));
    server.stop();
}
