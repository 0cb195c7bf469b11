//! The software of a tree, read out of real files that are copied into it; hostile ones among them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};

use tlswhy_gather::{FilesOf, Inventory};
use tlswhy_model::{FoundSoftware, SoftwareRole};

/// Files of Debian 12 on amd64 and arm64.
const LIBRARIES: &[&str] = &["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];

fn look(root: &Path) -> Inventory {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(FilesOf { root: Some(root.to_owned()), ..FilesOf::default() }.inventory())
}

/// A directory of its own, gone with the value.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Tree {
        let path = std::env::temp_dir().join(format!("tlswhy-inventory-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Tree(path)
    }

    fn copy(&self, from: &Path, to: &str) -> Option<()> {
        let to = self.0.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).ok().map(|_| ())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn found<'a>(inventory: &'a Inventory, product: &str) -> Vec<&'a FoundSoftware> {
    inventory.software.iter().filter(|one| one.product == product).collect()
}

#[test]
fn a_program_is_told_with_the_copy_that_it_loads_and_not_with_the_systems() {
    let tree = Tree::new("loads");
    let place = LIBRARIES.iter().map(Path::new).find(|place| place.join("libssl.so.3").exists());
    let Some(place) = place.filter(|_| Path::new("/usr/sbin/nginx").exists()) else {
        println!("skipped: no OpenSSL 3 and nginx here");
        return;
    };
    // The system's copy, and another beside a program; the version stands in the other half of each.
    for name in ["libssl.so.3", "libcrypto.so.3"] {
        tree.copy(&place.join(name), &format!("usr/lib/{name}")).unwrap();
        tree.copy(&place.join(name), &format!("opt/app/{name}")).unwrap();
    }
    tree.copy(Path::new("/usr/sbin/nginx"), "usr/sbin/nginx").unwrap();
    tree.copy(Path::new("/usr/sbin/nginx"), "opt/app/nginx").unwrap();
    let inventory = look(&tree.0);
    let libraries = found(&inventory, "openssl");
    assert_eq!(
        libraries.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(),
        ["/opt/app/libssl.so.3", "/usr/lib/libssl.so.3"]
    );
    assert!(libraries.iter().all(|one| one.role == SoftwareRole::Library && one.users == 1), "{libraries:?}");
    assert!(libraries[0].version.as_ref().unwrap().starts_with("3."), "{libraries:?}");
    for (nginx, library) in found(&inventory, "nginx").iter().zip(&libraries) {
        assert_eq!(nginx.libraries[0].path.as_ref(), Some(&library.path));
        assert_eq!(nginx.libraries[0].version, library.version);
        assert!(nginx.version.is_some() && nginx.version_from == "the file", "{nginx:?}");
    }
    assert!(inventory.walk.left_out.is_empty() && inventory.walk.searched_bytes > 0, "{:?}", inventory.walk);
}

#[test]
fn damaged_files_are_passed_over() {
    let tree = Tree::new("damaged");
    let Some(place) = LIBRARIES.iter().map(Path::new).find(|place| place.join("libssl.so.3").exists()) else {
        println!("skipped: no OpenSSL 3 here");
        return;
    };
    let bytes = fs::read(place.join("libssl.so.3")).unwrap();
    let headers = 64 + 56 * 12;
    for (number, at) in (0..headers).step_by(3).enumerate() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        // Every other one is cut off besides.
        if number % 2 == 0 {
            damaged.truncate(4096 + at * 7);
        }
        fs::write(tree.0.join(format!("libssl.so.{number}")), damaged).unwrap();
    }
    let inventory = look(&tree.0);
    assert_eq!(inventory.walk.entries, (0..headers).step_by(3).count() as u64);
}
