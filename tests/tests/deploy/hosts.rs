//! Hosts on one machine: 127.0.0.N stands for 10.0.0.N, and each has folders of its own. What systemd would do is
//! done by `host.sh`, by what the unit in `deploy/` says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use archipel_tests::{free_ports, program};

/// One page at a time: they share the addresses.
static TURN: Mutex<()> = Mutex::new(());
/// Why files can be made.
const ROOM: &str = "there is room for temporary files";
/// No block takes longer, even on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// The hosts of one page; their processes end with it.
pub(crate) struct Hosts {
    root: PathBuf,
    port: u16,
    names: BTreeSet<String>,
    _turn: MutexGuard<'static, ()>,
}

impl Hosts {
    pub(crate) fn new(page: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let root = std::env::temp_dir().join(format!("archipel-{page}-{}", process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("share")).expect(ROOM);
        let port = free_ports(1, &[0, 1000]);
        Self { root, port, names: BTreeSet::new(), _turn: turn }
    }

    /// Runs the commands of a block on a host; all must end well.
    pub(crate) fn run(&mut self, host: &str, commands: &str) {
        self.names.insert(host.to_owned());
        let folder = self.root.join(host);
        for part in ["etc", "var/lib/archipel"] {
            fs::create_dir_all(folder.join(part)).expect(ROOM);
        }
        let output = self.root.join("output");
        let out = fs::File::create(&output).expect(ROOM);
        let mut bash = Command::new("bash")
            .args(["-eu", "-c", &format!("{}\n{}", self.script(), self.here(host, commands))])
            .env_remove("ARCHIPEL_CLUSTER")
            .env("HOST", host)
            .env("HOST_FOLDER", &folder)
            .env("EXEC_START", self.exec_start(host))
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file has room for another name"))
            .stderr(out)
            .spawn()
            .expect("there is a bash");
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = bash.try_wait().expect("it is a child") {
                break Some(status);
            }
            if Instant::now() > deadline {
                bash.kill().expect("it runs");
                bash.wait().expect("it is a child");
                break None;
            }
            sleep(Duration::from_millis(30));
        };
        let said = || fs::read_to_string(&output).expect("it was made above");
        assert!(
            status.is_some_and(|it| it.success()),
            "on {host}: {commands}\n{status:?}\n{}",
            said()
        );
    }

    /// The process on a host is gone, with nothing written or said.
    pub(crate) fn kill(&mut self, host: &str) {
        self.run(host, "service_kill");
    }

    fn script(&self) -> String {
        let folder = program().parent().expect("it is in a folder").display();
        format!("PATH={folder}:$PATH\n{}", include_str!("host.sh"))
    }

    /// The commands with addresses and folders that are here.
    fn here(&self, host: &str, commands: &str) -> String {
        let at = |folder: &Path| folder.display().to_string();
        commands
            .replace("/etc/archipel", &at(&self.root.join(host).join("etc/archipel")))
            .replace("/var/lib/archipel", &at(&self.root.join(host).join("var/lib/archipel")))
            .replace("/mnt/backup", &at(&self.root.join("share")))
            .replace("/usr/local/bin/archipel", &at(program()))
            .replace("10.0.0.", "127.0.0.")
            .replace("3000", &self.port.to_string())
    }

    /// What the unit starts.
    fn exec_start(&self, host: &str) -> String {
        let unit = include_str!("../../../deploy/archipel.service");
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
        self.here(host, line.expect("the unit starts something"))
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in &self.names {
            let pid = fs::read_to_string(self.root.join(host).join("pid")).unwrap_or_default();
            let _ = Command::new("kill").args(["-9", pid.trim()]).stderr(Stdio::null()).status();
        }
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}
