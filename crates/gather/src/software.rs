//! Versions of installed software, from the package data of a machine; nothing is run.
//!
//! Of RPM's databases that of SQLite is read (`rpm`); before RHEL 9 it is Berkeley DB, and of OpenSSL the file itself tells there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use tlswhy_model::{FoundSoftware, InstalledSoftware};

use crate::rpm;

/// Products and the packages of Debian and Ubuntu, of Alpine, and of RHEL, Fedora and SUSE that hold them; the first that is installed counts. `*` stands for a
/// version in a name: of several the highest counts.
const PACKAGES: &[(&str, &[&str])] = &[
    ("apache", &["apache2-bin", "apache2", "httpd-core", "httpd"]),
    ("caddy", &["caddy"]),
    ("curl", &["libcurl4", "libcurl4t64", "libcurl", "libcurl-minimal"]),
    ("dovecot", &["dovecot-core", "dovecot"]),
    ("git", &["git", "git-core"]),
    ("gnutls", &["libgnutls30", "libgnutls30t64", "gnutls"]),
    ("go", &["golang-*-go", "golang-go", "go", "golang"]),
    ("haproxy", &["haproxy"]),
    (
        "java",
        &[
            "openjdk-*-jre-headless",
            "java-25-openjdk-headless",
            "java-21-openjdk-headless",
            "java-17-openjdk-headless",
            "java-11-openjdk-headless",
        ],
    ),
    ("libpq", &["libpq5", "libpq", "postgresql*-libs"]),
    ("lighttpd", &["lighttpd"]),
    ("mariadb", &["mariadb-server-core", "mariadb-server-core-*", "mariadb-server", "mariadb"]),
    ("mysql", &["mysql-server-core-*", "mysql-server"]),
    ("nginx", &["nginx-core", "nginx-light", "nginx-full", "nginx-extras", "nginx"]),
    ("node", &["nodejs"]),
    (
        "openssl",
        &["libssl3t64", "libssl3", "libssl1.1", "libssl1.0.2", "libssl1.0.0", "openssl-libs", "libopenssl3", "libopenssl1_1"],
    ),
    ("postfix", &["postfix"]),
    ("postgresql", &["postgresql-*", "postgresql*-server", "postgresql-server", "postgresql*"]),
    ("python", &["python3.*-minimal", "python3"]),
    ("stunnel", &["stunnel4", "stunnel"]),
    ("tcnative", &["libtcnative-1", "tomcat-native"]),
    ("tomcat", &["tomcat10", "tomcat9", "tomcat"]),
    ("wget", &["wget"]),
];
/// Where Debian and Ubuntu, and where Alpine keep their package data.
const DPKG: &str = "var/lib/dpkg/status";
/// Where Debian and Ubuntu keep the names of the files of each package.
const DPKG_LISTS: &str = "var/lib/dpkg/info";
const APK: &str = "lib/apk/db/installed";
/// How the addresses of maintainers end whose packages are Debian's or Ubuntu's own. Some of Debian's have other addresses: of their
/// packages that is not known.
const MAINTAINERS: &[&str] = &["debian.org", "alioth-lists.debian.net", "ubuntu.com"];
/// Where a system says which it is.
const OS_RELEASE: &str = "etc/os-release";
const REDHAT_RELEASE: &str = "etc/redhat-release";
/// Where RPM distributions keep libraries.
const LIBRARIES: &[&str] = &["usr/lib64", "lib64"];
/// The most that is read of them, in bytes; a large machine's has ten megabytes.
const LARGEST: u64 = 128 << 20;

/// The versions of these products, in their order.
pub(crate) fn software(root: &Path, products: Vec<String>) -> Vec<InstalledSoftware> {
    let packages = packages(root);
    let find = |product: String| {
        if product == "system" {
            let (version, source) = system(root);
            return InstalledSoftware { product, version, source: format!("/{source}"), ..InstalledSoftware::default() };
        }
        let InstalledPackages { source, versions: installed, .. } = &packages;
        let names = PACKAGES.iter().find(|(known, _)| *known == product).map_or(&[][..], |(_, names)| *names);
        let version = names.iter().find_map(|name| {
            let fitting = installed.iter().filter(|(package, _)| fits(name, package));
            fitting.max_by_key(|(package, _)| numbers(package)).map(|(_, version)| version.clone())
        });
        let (version, source) = match version {
            None if product == "openssl" => {
                openssl(root).map_or((None, source.clone()), |(version, path)| (Some(version), path))
            }
            version => (version, source.clone()),
        };
        InstalledSoftware { product, version, source, ..InstalledSoftware::default() }
    };
    products.into_iter().map(find).collect()
}

/// The packages of a machine.
pub(crate) struct InstalledPackages {
    /// Where that is known from.
    pub(crate) source: String,
    /// Each with its version.
    versions: BTreeMap<String, String>,
    /// Those whose maintainer is the distribution.
    of_system: HashSet<String>,
}

impl InstalledPackages {
    /// Names the packages that files belong to; where no file tells a program's version, its package does.
    pub(crate) fn name(&self, root: &Path, software: &mut [FoundSoftware]) {
        let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, one) in software.iter().enumerate() {
            wanted.entry(merged(&one.path).to_owned()).or_default().push(index);
        }
        owners(root, |package, path| {
            let Some((of, version)) = wanted.get(merged(path)).zip(self.versions.get(package)) else { return };
            for index in of {
                if let Some(one) = software.get_mut(*index) {
                    one.package = Some(format!("{package} {version}"));
                    one.package_of_system = self.of_system.contains(package);
                    let of_the_file = one.version.as_deref();
                    let more = of_the_file.is_none_or(|known| one.version_from == "its name" && version.starts_with(known));
                    if more && !one.built_in {
                        one.version = Some(version.clone());
                        one.version_from = "package data".to_owned();
                    }
                }
            }
        });
    }
}

/// Tells every file of every package.
fn owners(root: &Path, mut tell: impl FnMut(&str, &str)) {
    for entry in std::fs::read_dir(root.join(DPKG_LISTS)).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        // `libssl3:amd64.list`
        let Some(package) = name.to_str().and_then(|name| name.strip_suffix(".list")?.split(':').next()) else { continue };
        let Ok(file) = File::open(entry.path()) else { continue };
        for line in BufReader::new(file.take(LARGEST)).split(b'\n').map_while(Result::ok) {
            tell(package, &String::from_utf8_lossy(&line));
        }
    }
    let Ok(file) = File::open(root.join(APK)) else { return };
    let (mut package, mut directory) = (String::new(), String::new());
    for line in BufReader::new(file.take(LARGEST)).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        match line.split_once(':') {
            Some(("P", name)) => package = name.to_owned(),
            Some(("F", path)) => directory = path.to_owned(),
            Some(("R", name)) => tell(&package, &format!("/{directory}/{name}")),
            _ => {}
        }
    }
}

/// A path where `/lib` is `/usr/lib`, as on systems of today; their package data still have both.
fn merged(path: &str) -> &str {
    path.strip_prefix("/usr")
        .filter(|rest| rest.starts_with("/lib") || rest.starts_with("/bin") || rest.starts_with("/sbin"))
        .unwrap_or(path)
}

/// The installed packages.
pub(crate) fn packages(root: &Path) -> InstalledPackages {
    for (place, name, version) in [(DPKG, "Package: ", "Version: "), (APK, "P:", "V:")] {
        let Ok(file) = File::open(root.join(place)) else { continue };
        let mut installed = BTreeMap::new();
        let mut of_system = HashSet::new();
        let (mut package, mut is_there) = (String::new(), true);
        for line in BufReader::new(file.take(LARGEST)).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let Some(rest) = line.strip_prefix(name) {
                package = rest.trim().to_owned();
                is_there = true;
            } else if let Some(status) = line.strip_prefix("Status: ") {
                is_there = status.trim_end().ends_with(" installed");
            } else if let Some(maintainer) = line.strip_prefix("Maintainer: ") {
                let address = maintainer.trim_end().trim_end_matches('>');
                if MAINTAINERS.iter().any(|domain| address.ends_with(domain)) {
                    of_system.insert(package.clone());
                }
            } else if let Some(version) = line.strip_prefix(version).filter(|_| is_there) {
                installed.insert(package.clone(), version.trim().to_owned());
            }
        }
        return InstalledPackages { source: format!("/{place}"), versions: installed, of_system };
    }
    for place in rpm::PLACES {
        let path = root.join(place);
        match rpm::packages(&path) {
            Ok(versions) => return InstalledPackages { source: format!("/{place}"), versions, of_system: HashSet::new() },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let source = format!("/{place} cannot be read: {error}");
                return InstalledPackages { source, versions: BTreeMap::new(), of_system: HashSet::new() };
            }
        }
    }
    let source = "no package data that can be read here".to_owned();
    InstalledPackages { source, versions: BTreeMap::new(), of_system: HashSet::new() }
}

/// The version of the newest libssl, and where it lies: RHEL, Fedora and SUSE write it in the name (`libssl.so.3.0.7`).
fn openssl(root: &Path) -> Option<(String, String)> {
    let found = LIBRARIES.iter().filter_map(|place| {
        let names = std::fs::read_dir(root.join(place)).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let of = |name: String| Some((name.strip_prefix("libssl.so.")?.to_owned(), format!("/{place}/{name}")));
        let whole = |(version, _): &(String, String)| {
            version.split('.').count() >= 3 && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        };
        names.filter_map(of).filter(whole).max_by_key(|(version, _)| numbers(version))
    });
    found.max_by_key(|(version, _)| numbers(version))
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

/// Which system this is, `debian 12`, and the file that says so.
pub(crate) fn system(root: &Path) -> (Option<String>, &'static str) {
    match os_release(root) {
        None => redhat_release(root).map_or((None, OS_RELEASE), |version| (Some(version), REDHAT_RELEASE)),
        version => (version, OS_RELEASE),
    }
}

/// `centos 6.10` of `CentOS release 6.10 (Final)`: RHEL 6 and its kin have no os-release.
fn redhat_release(root: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(root.join(REDHAT_RELEASE)).ok()?.take(1024).read_to_string(&mut text).ok()?;
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(format!("{} {number}", if text.starts_with("CentOS") { "centos" } else { "rhel" }))
}

/// `debian 12` of os-release(5).
fn os_release(root: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(root.join(OS_RELEASE)).or_else(|_| File::open(root.join("usr/lib/os-release"))).ok()?;
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
    fn where_rpm_is_at_work_the_name_of_libssl_tells_its_version() {
        let root = std::env::temp_dir().join(format!("tlswhy-libssl-{}", std::process::id()));
        std::fs::create_dir_all(root.join("usr/lib64")).unwrap();
        std::fs::create_dir_all(root.join("etc")).unwrap();
        for name in ["libssl.so.1.1", "libssl.so.1.1.1k", "libssl.so.3", "libssl.so.3.0.7", "libssl.so.3.0.10", "libssl3.so"] {
            std::fs::write(root.join("usr/lib64").join(name), "").unwrap();
        }
        std::fs::write(root.join("etc/redhat-release"), "CentOS release 6.10 (Final)\n").unwrap();
        let found = software(&root, ["openssl", "system", "nginx"].map(str::to_owned).to_vec());
        let told: Vec<_> = found.iter().map(|one| one.version.as_deref()).collect();
        assert_eq!(told, [Some("3.0.10"), Some("centos 6.10"), None]);
        assert_eq!(found[0].source, "/usr/lib64/libssl.so.3.0.10");
        std::fs::remove_dir_all(&root).unwrap();
    }

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
