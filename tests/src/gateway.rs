//! A real S3 server on a folder: versitygw, which honours conditional puts as AWS does.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::places;

const ACCESS: &str = "planted-access";
const SECRET: &str = "planted-secret-key";

/// The server and one bucket; ends with this value.
pub struct Gateway {
    child: Child,
    port: u16,
}

impl Gateway {
    /// Serves `folder`, with one bucket named `lake` in it.
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join("lake")).expect("a folder for the bucket");
        let port = places::free_port();
        let child = Command::new(places::tool("bin/versitygw"))
            .args(["--port", &format!("127.0.0.1:{port}"), "--quiet", "posix"])
            .arg(folder)
            .env("ROOT_ACCESS_KEY", ACCESS)
            .env("ROOT_SECRET_KEY", SECRET)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("versitygw starts");
        let gateway = Self { child, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "versitygw did not open port {port}");
            std::thread::sleep(Duration::from_millis(50));
        }
        gateway
    }

    /// What a client needs to know of it, as the AWS tools name it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ACCESS_KEY_ID", ACCESS.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
