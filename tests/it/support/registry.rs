//! Registries: the one with a password that stands beside each engine, and what only looks like one.

use std::{
    fs,
    net::TcpListener,
    os::fd::AsFd as _,
    process::{Child, Command, Stdio},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{RealEngine, until};

/// Who may use the registry with a password, and the password: see `scripts/engines.sh`.
pub const ADA: (&str, &str) = ("ada", "open sesame");
/// Where it is, as each engine calls it.
pub const PRIVATE: &str = "127.0.0.1:5001";

impl RealEngine {
    /// A port that was free a moment ago, in the engine's own network.
    pub fn free_port(&self) -> u16 {
        let space = fs::File::open(self.network_space()).expect("its network");
        // A network is entered by one thread alone.
        let port = thread::spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may enter");
            TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
        });
        port.join().expect("it ends")
    }

    /// A command in the engine's own network; what it prints.
    pub async fn inside(&self, command: &[&str]) -> String {
        let mut running = tokio::process::Command::new("nsenter");
        let output =
            running.arg(format!("--net={}", self.network_space())).args(command).output().await.expect("it runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn network_space(&self) -> String {
        let pid = fs::read_to_string(self.socket.with_file_name("pid")).expect("the engine's pid");
        format!("/proc/{}/ns/net", pid.trim())
    }
}

/// A real nginx in the engine's own network, that writes down what it is asked.
pub struct Host {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl Host {
    /// One that asks everybody for a name and a password, and takes none.
    pub async fn that_asks(engine: &RealEngine) -> Self {
        Self::start(engine, "add_header WWW-Authenticate 'Basic realm=\"x\"' always; return 401 'no';").await
    }

    /// One that answers so, whatever it is asked.
    pub async fn start(engine: &RealEngine, answer: &str) -> Self {
        let (port, folder) = (engine.free_port(), tempfile::tempdir().expect("a folder"));
        let at = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}\n\
             http {{ log_format asked '$request|$http_authorization'; access_log {at}/asked asked;\n\
             client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; {answer} }} }} }}"
        );
        fs::write(folder.path().join("conf"), config).expect("written");
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", engine.network_space())).args(["nginx", "-c"]).arg(folder.path().join("conf"));
        command.arg("-e").arg(folder.path().join("error.log"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("nsenter and nginx are there: run `make test`");
        until("nginx has started", async || fs::metadata(folder.path().join("pid")).ok()).await;
        Self { port, child, folder }
    }

    /// What it was asked, a line each: the request, and behind a bar what was said about who asks.
    pub fn asked(&self) -> Vec<String> {
        fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
