//! Versions of installed software, from the package data of a machine; nothing is run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use tlswhy_model::InstalledSoftware;

/// Products and the packages of Debian and Ubuntu, and of Alpine, that hold them; the first that is installed counts. `*` stands for a
/// version in a name: of several the highest counts.
const PACKAGES: &[(&str, &[&str])] = &[
    ("apache", &["apache2-bin", "apache2"]),
    ("caddy", &["caddy"]),
    ("curl", &["libcurl4", "libcurl4t64", "libcurl"]),
    ("dovecot", &["dovecot-core", "dovecot"]),
    ("git", &["git"]),
    ("gnutls", &["libgnutls30", "libgnutls30t64", "gnutls"]),
    ("go", &["golang-*-go", "golang-go", "go"]),
    ("haproxy", &["haproxy"]),
    ("java", &["openjdk-*-jre-headless"]),
    ("libpq", &["libpq5", "libpq", "postgresql*-libs"]),
    ("lighttpd", &["lighttpd"]),
    ("mariadb", &["mariadb-server-core", "mariadb-server-core-*", "mariadb"]),
    ("mysql", &["mysql-server-core-*"]),
    ("nginx", &["nginx-core", "nginx-light", "nginx-full", "nginx-extras", "nginx"]),
    ("node", &["nodejs"]),
    ("openssl", &["libssl3t64", "libssl3", "libssl1.1", "libssl1.0.2", "libssl1.0.0"]),
    ("postfix", &["postfix"]),
    ("postgresql", &["postgresql-*", "postgresql*"]),
    ("python", &["python3.*-minimal", "python3"]),
    ("stunnel", &["stunnel4", "stunnel"]),
    ("tomcat", &["tomcat10", "tomcat9"]),
    ("wget", &["wget"]),
];
/// Where Debian and Ubuntu, and where Alpine keep their package data.
const DPKG: &str = "var/lib/dpkg/status";
const APK: &str = "lib/apk/db/installed";
/// The most that is read of them, in bytes; a large machine's has ten megabytes.
const LARGEST: u64 = 128 << 20;

/// The versions of these products, in their order.
pub(crate) fn software(root: &Path, products: Vec<String>) -> Vec<InstalledSoftware> {
    let packages = packages(root);
    let find = |product: String| {
        if product == "system" {
            let version = system(root);
            return InstalledSoftware {
                product,
                version,
                source: "/etc/os-release".to_owned(),
                ..InstalledSoftware::default()
            };
        }
        let (source, installed) = &packages;
        let names = PACKAGES.iter().find(|(known, _)| *known == product).map_or(&[][..], |(_, names)| *names);
        let version = names.iter().find_map(|name| {
            let fitting = installed.iter().filter(|(package, _)| fits(name, package));
            fitting.max_by_key(|(package, _)| numbers(package)).map(|(_, version)| version.clone())
        });
        InstalledSoftware { product, version, source: source.clone(), ..InstalledSoftware::default() }
    };
    products.into_iter().map(find).collect()
}

/// Where the package data lies, and the installed packages with their versions.
fn packages(root: &Path) -> (String, BTreeMap<String, String>) {
    for (place, name, version) in [(DPKG, "Package: ", "Version: "), (APK, "P:", "V:")] {
        let Ok(file) = File::open(root.join(place)) else { continue };
        let mut installed = BTreeMap::new();
        let (mut package, mut is_there) = (String::new(), true);
        for line in BufReader::new(file.take(LARGEST)).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let Some(rest) = line.strip_prefix(name) {
                package = rest.trim().to_owned();
                is_there = true;
            } else if let Some(status) = line.strip_prefix("Status: ") {
                is_there = status.trim_end().ends_with(" installed");
            } else if let Some(version) = line.strip_prefix(version).filter(|_| is_there) {
                installed.insert(package.clone(), version.trim().to_owned());
            }
        }
        return (format!("/{place}"), installed);
    }
    ("no package data that can be read here".to_owned(), BTreeMap::new())
}

/// Whether a package has this name; `*` stands for digits and dots.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|middle| !middle.is_empty() && middle.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

fn numbers(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// `debian 12` of os-release(5).
fn system(root: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(root.join("etc/os-release")).or_else(|_| File::open(root.join("usr/lib/os-release"))).ok()?;
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let id = value("ID")?;
    Some(value("VERSION_ID").map_or(id.clone(), |version| format!("{id} {version}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_debian_and_alpine_are_read() {
        let root = std::env::temp_dir().join(format!("tlswhy-software-{}", std::process::id()));
        std::fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
        let status = "Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9\n\n\
                      Package: postgresql-15\nStatus: install ok installed\nVersion: 15.18-0\n\n\
                      Package: postgresql-9\nStatus: install ok installed\nVersion: 9.6\n\n\
                      Package: haproxy\nStatus: deinstall ok config-files\nVersion: 2.6\n";
        std::fs::write(root.join(DPKG), status).unwrap();
        let products = ["nginx", "postgresql", "haproxy", "system", "nonsense"].map(str::to_owned).to_vec();
        let versions: Vec<_> = software(&root, products).into_iter().map(|found| found.version).collect();
        assert_eq!(versions, [Some("1.22.1-9".into()), Some("15.18-0".into()), None, Some("debian 12".into()), None]);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
