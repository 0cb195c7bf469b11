//! Reads a large nginx configuration and says what that takes: `cargo run --release -p tlswhy-config --example vhosts [DIRECTORY]`.
//!
//! 2,000 virtual hosts, each in a file of its own that includes four more: 10,001 files. They are written into DIRECTORY where it
//! does not exist yet, so that `nginx -t` and other readers can be timed with the same files; a hidden error in the paths would
//! show in the number of services.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measurement for developers")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use tlswhy_config::{Context, Files, dialect};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};

/// Virtual hosts.
const HOSTS: usize = 2_000;

fn main() {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "/tmp/tlswhy-vhosts".to_owned());
    let root = Path::new(&directory);
    if !root.exists() {
        write(root);
    }
    let main = root.join("nginx.conf").display().to_string();
    let dialect = dialect("nginx").expect("there is one");
    let mut seen: Vec<SeenFile> = Vec::new();
    let mut software: Vec<InstalledSoftware> = Vec::new();
    let (whole, mut from_disk, mut readings) = (Instant::now(), std::time::Duration::ZERO, 0);
    loop {
        let files = Files::new(&seen, &software);
        let began = Instant::now();
        let reading = (dialect.read)(&Context { files: &files, main: &main });
        let last = began.elapsed();
        readings += 1;
        let (wanted, products) = (files.wanted(), files.wanted_software());
        if wanted.is_empty() && products.is_empty() {
            println!("{} services, {} troubles, {} files", reading.services.len(), reading.troubles.len(), reading.files.len());
            let (whole, from_disk) = (millis(whole.elapsed()), millis(from_disk));
            println!("the last of {readings} readings {:.0} ms, all of them {:.0} ms", millis(last), whole - from_disk);
            println!("with the disk {whole:.0} ms; most memory {}", peak());
            return;
        }
        drop(files);
        let began = Instant::now();
        seen.extend(wanted.iter().map(|path| look(path)));
        from_disk += began.elapsed();
        software.extend(products.into_iter().map(|product| InstalledSoftware {
            version: Some(if product == "nginx" { "1.22.1" } else { "3.0.19" }.to_owned()),
            product,
            source: "this program".to_owned(),
            ..InstalledSoftware::default()
        }));
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn look(path: &str) -> SeenFile {
    let content = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut entries: Vec<String> = names.collect();
            entries.sort();
            FileContent::Directory { entries }
        }
        Ok(_) => FileContent::Bytes { bytes: fs::read(path).unwrap().into(), sha256: String::new(), public_keys: Vec::new() },
        Err(_) => FileContent::Missing,
    };
    SeenFile { path: path.to_owned(), real_path: None, content }
}

fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("not known").trim().to_owned()
}

fn write(root: &Path) {
    fs::create_dir_all(root.join("sites")).unwrap();
    let put = |name: String, text: String| fs::write(root.join(name), text).unwrap();
    put(
        "nginx.conf".to_owned(),
        "events {}\nhttp {\n    server_names_hash_max_size 65536;\n    server_names_hash_bucket_size 128;
    ssl_certificate certificate.pem;\n    ssl_certificate_key certificate.key;\n    include sites/*.conf;\n}\n"
            .to_owned(),
    );
    for host in 0..HOSTS {
        let own = format!("hosts/{host:04}");
        fs::create_dir_all(root.join(&own)).unwrap();
        put(
            format!("sites/{host:04}.conf"),
            format!(
                "# Site {host}\nserver {{\n    listen 127.0.0.1:8443 ssl;\n    include {own}/names.conf;\n    include {own}/tls.conf;
    include {own}/headers.conf;\n    location / {{\n        include {own}/proxy.conf;\n    }}\n}}\n"
            ),
        );
        put(format!("{own}/names.conf"), format!("server_name host{host}.example.test www.host{host}.example.test;\n"));
        put(
            format!("{own}/tls.conf"),
            "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\nssl_session_timeout 1d;\n".to_owned(),
        );
        put(format!("{own}/headers.conf"), format!("add_header X-Site \"{host}; on\" always;\n"));
        put(
            format!("{own}/proxy.conf"),
            "proxy_pass https://127.0.0.1:9443;\nproxy_ssl_protocols TLSv1.2;\nproxy_set_header Host $host;\n".to_owned(),
        );
    }
}
