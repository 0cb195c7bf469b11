//! The software of a machine that speaks TLS, read out of its files; nothing is run.
//!
//! A file tells what it is: which libraries it loads, and which versions stand among its constants. OpenSSL in the constants of a
//! file that does not load it was built in. Package data tell only to which package a file belongs.

mod elf;
mod go;
mod java;
mod marks;
mod products;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use tlswhy_model::{FoundSoftware, SoftwareRole, UsedLibrary, Walk};

use crate::connection::milliseconds;
#[cfg(target_os = "linux")]
use crate::observe::Process;
use crate::software::{packages, system};
use elf::Elf;
use marks::Marks;
use products::{carries_tls, is_crypto, library, program_of};

/// Users of a library that are named.
const MOST_NAMED: usize = 50;
/// A function that every Go program that speaks TLS has.
const GO_TLS: &[u8] = b"crypto/tls.(*Conn)";
/// Where the system's libraries lie: a library of this name there is the one that is loaded, if nothing else is said.
const SYSTEM_LIBRARIES: &[&str] = &["/usr/lib", "/lib", "/usr/local/lib"];

/// What was found on a machine, and how far was looked.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The machine's system, where it says which it is.
    pub system: Option<String>,
    /// What was found.
    pub software: Vec<FoundSoftware>,
    /// How far was looked.
    pub walk: Walk,
}

/// Looks through the files of this machine, or of an unpacked copy of another's tree.
pub(crate) fn inventory(root: Option<&Path>) -> Inventory {
    let began = Instant::now();
    let machine = Machine { root: root.unwrap_or(Path::new("/")) };
    let walked = walk::walk(machine.root, root.is_none(), began);
    let mut walk = Walk { entries: walked.entries, left_out: walked.left_out, ..Walk::default() };
    let mut read: Vec<ReadFile> = Vec::new();
    for path in walked.files {
        let Some(elf) = elf::read(&path) else { continue };
        walk.files += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = machine.shown(&path);
        let marks = match worth_searching(&elf, &name, &shown) {
            true => marks::search(&path, &elf.constants),
            false => Marks::default(),
        };
        walk.searched_bytes = walk.searched_bytes.saturating_add(marks.searched);
        let go = go::build(&path, &elf);
        let go = go.filter(|_| elf.go_functions.is_some_and(|part| marks::has(&path, &[part], GO_TLS)));
        let tells = go.is_some() || !marks.libraries.is_empty() || is_tls(&elf, &name) || name == "libjvm.so";
        if tells {
            read.push(ReadFile { shown, path, name, elf, marks, go });
        }
    }
    let mut software = Assembly::new(&machine, &read).software();
    packages(machine.root).name(machine.root, &mut software);
    software.sort_by(|a, b| (a.role, &a.product, &a.version, &a.path).cmp(&(b.role, &b.product, &b.version, &b.path)));
    walk.elapsed_ms = milliseconds(began.elapsed());
    Inventory { system: system(machine.root).0, software, walk }
}

/// A file, and what was read in it.
struct ReadFile {
    path: PathBuf,
    /// As the machine itself calls it.
    shown: String,
    name: String,
    elf: Elf,
    marks: Marks,
    go: Option<go::Build>,
}

/// Whether a version may stand in a file: it is a library of the kind, has one of the programs' names, or loads no TLS library and
/// may have one built in.
fn worth_searching(elf: &Elf, name: &str, shown: &str) -> bool {
    let crypto = is_crypto(name);
    crypto || library(name).is_some() || program_of(shown).is_some() || !loads_tls(elf)
}

fn loads_tls(elf: &Elf) -> bool {
    elf.needed.iter().any(|needed| library(needed).is_some())
}

fn is_tls(elf: &Elf, name: &str) -> bool {
    let is_carried = elf.needed.iter().any(|needed| carries_tls(needed));
    loads_tls(elf) || is_carried || library(name).is_some() || is_crypto(name)
}

/// The tree that is looked at.
struct Machine<'m> {
    root: &'m Path,
}

impl Machine<'_> {
    /// A path as the machine itself calls it.
    fn shown(&self, path: &Path) -> String {
        let within = path.strip_prefix(self.root).unwrap_or(path);
        format!("/{}", within.display())
    }
}

/// Puts together what the files said.
struct Assembly<'a> {
    read: &'a [ReadFile],
    machine: &'a Machine<'a>,
    /// Files by the name that others load them by.
    by_name: HashMap<&'a str, Vec<&'a ReadFile>>,
    /// Programs and their libraries by path.
    by_path: HashMap<&'a str, &'a ReadFile>,
}

impl<'a> Assembly<'a> {
    fn new(machine: &'a Machine<'a>, read: &'a [ReadFile]) -> Assembly<'a> {
        let mut by_name: HashMap<&str, Vec<&ReadFile>> = HashMap::new();
        for file in read {
            let soname = file.elf.soname.as_deref().filter(|soname| *soname != file.name);
            for name in soname.into_iter().chain([file.name.as_str()]) {
                by_name.entry(name).or_default().push(file);
            }
        }
        let by_path = read.iter().map(|file| (file.shown.as_str(), file)).collect();
        Assembly { read, machine, by_name, by_path }
    }

    fn software(&self) -> Vec<FoundSoftware> {
        let mut found = Vec::new();
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut homes: BTreeSet<PathBuf> = BTreeSet::new();
        for file in self.read {
            let libraries = self.libraries(file);
            for path in libraries.iter().filter_map(|library| library.path.as_ref()).filter(|path| **path != file.shown) {
                users.entry(path.clone()).or_default().push(file.shown.clone());
            }
            if let Some(product) = library(&file.name) {
                found.extend(self.library(file, product));
                continue;
            }
            if file.name == "libjvm.so"
                && let Some(java) = java::java(&file.path).filter(|java| homes.insert(java.home.clone()))
            {
                found.push(self.java(java));
            }
            let built_in = built_in(file);
            let program = program_of(&file.shown);
            if let Some(build) = &file.go {
                found.push(go_program(file, build));
            } else if let Some(program) = program.filter(|_| !libraries.is_empty()) {
                let (version, version_from) = version(file, program.product);
                found.push(FoundSoftware {
                    libraries,
                    version,
                    version_from,
                    ..software(program.product, program.role, &file.shown)
                });
            }
            for (product, version) in built_in {
                let version = Some(version).filter(|version| !version.is_empty());
                found.push(FoundSoftware {
                    version,
                    version_from: "the file".to_owned(),
                    built_in: true,
                    ..software(product, SoftwareRole::Library, &file.shown)
                });
            }
        }
        for software in found.iter_mut().filter(|software| software.role == SoftwareRole::Library) {
            let by = users.remove(&software.path).unwrap_or_default();
            software.users = by.len() as u64;
            software.used_by = by.into_iter().take(MOST_NAMED).collect();
        }
        found
    }

    /// A library that programs load. OpenSSL's version stands in its other half.
    fn library(&self, file: &ReadFile, product: &'static str) -> Option<FoundSoftware> {
        // A name alone makes no library: it is loaded by a name of the kind, or a version stands in it.
        file.elf.soname.as_deref()?;
        let own = |file: &ReadFile| file.marks.libraries.first().cloned();
        let other = || {
            let crypto = file.elf.needed.iter().find(|name| is_crypto(name))?;
            own(self.resolve(file, crypto)?)
        };
        let told = own(file).or_else(other);
        // A library of OpenSSL's name may be LibreSSL or BoringSSL.
        let product = told.as_ref().map_or(product, |(told, _)| told);
        let version = told.map(|(_, version)| version).filter(|version| !version.is_empty());
        let version_from = if version.is_some() { "the file" } else { "" };
        Some(FoundSoftware {
            version,
            version_from: version_from.to_owned(),
            ..software(product, SoftwareRole::Library, &file.shown)
        })
    }

    /// The TLS libraries that a file loads or has built in, also by way of a library that carries TLS for it.
    fn libraries(&self, file: &ReadFile) -> Vec<UsedLibrary> {
        let carried = file.elf.needed.iter().filter(|needed| carries_tls(needed));
        let carried = carried
            .filter_map(|needed| self.resolve(file, needed))
            .filter(|carrier| !carrier.elf.needed.iter().any(|needed| carries_tls(needed)));
        let mut all = self.own_libraries(file);
        for library in carried.flat_map(|carrier| self.own_libraries(carrier)) {
            if !all.contains(&library) {
                all.push(library);
            }
        }
        all
    }

    fn own_libraries(&self, file: &ReadFile) -> Vec<UsedLibrary> {
        let loaded = file.elf.needed.iter().filter_map(|needed| {
            let named = library(needed)?;
            let found = self.resolve(file, needed).and_then(|found| Some((found, self.library(found, named)?)));
            let product = found.as_ref().map_or(named, |(_, library)| &library.product).to_owned();
            let version = found.as_ref().and_then(|(_, library)| library.version.clone());
            Some(UsedLibrary { product, version, path: found.map(|(file, _)| file.shown.clone()) })
        });
        let own = built_in(file).into_iter().map(|(product, version)| UsedLibrary {
            product: product.to_owned(),
            version: Some(version).filter(|version| !version.is_empty()),
            path: Some(file.shown.clone()),
        });
        loaded.chain(own).collect()
    }

    /// The file that is loaded by a name (ld.so(8)): where the loading file has it looked for, beside it, among the system's, or the
    /// only one that there is. `None` where that is not certain.
    fn resolve(&self, file: &ReadFile, name: &str) -> Option<&'a ReadFile> {
        let named = self.by_name.get(name)?;
        let directory = Path::new(&file.shown).parent()?;
        for place in &file.elf.search {
            let origin = directory.to_string_lossy();
            let place = place.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin);
            let wanted = plain(&Path::new(&place).join(name));
            if let Some(found) = self.by_path.get(wanted.to_string_lossy().as_ref()) {
                return Some(found);
            }
        }
        let beside = named.iter().find(|found| Path::new(&found.shown).parent() == Some(directory));
        let of_the_system = || named.iter().find(|found| SYSTEM_LIBRARIES.iter().any(|place| found.shown.starts_with(place)));
        let only = || if let [only] = named.as_slice() { Some(only) } else { None };
        beside.or_else(of_the_system).or_else(only).copied()
    }

    fn java(&self, java: java::Java) -> FoundSoftware {
        FoundSoftware {
            version_from: if java.version.is_some() { "its file `release`" } else { "" }.to_owned(),
            version: java.version,
            settings: java.properties.iter().map(|path| self.machine.shown(path)).collect(),
            ..software("java", SoftwareRole::Runtime, &self.machine.shown(&java.home))
        }
    }
}

/// TLS libraries that are part of a file: it has their versions in it and loads none of the kind.
fn built_in(file: &ReadFile) -> Vec<(&'static str, String)> {
    let of_openssl = ["openssl", "libressl", "boringssl", "aws-lc"];
    let is_library = library(&file.name).is_some() || is_crypto(&file.name);
    if is_library || file.go.is_some() {
        return Vec::new();
    }
    let loads = |product: &str| {
        let crypto = of_openssl.contains(&product) && file.elf.needed.iter().any(|needed| is_crypto(needed));
        crypto || file.elf.needed.iter().any(|needed| library(needed).is_some_and(|loaded| loaded == product))
    };
    // NSS has its version in each of its parts, and is never linked in.
    let has_tls = |product: &str| product != "nss" && (file.marks.openssl_tls || !of_openssl.contains(&product));
    let libraries = file.marks.libraries.iter();
    libraries.filter(|(product, _)| has_tls(product) && !loads(product)).cloned().collect()
}

fn go_program(file: &ReadFile, build: &go::Build) -> FoundSoftware {
    let named = program_of(&file.shown);
    let (product, role) = named.map_or(("go", SoftwareRole::Runtime), |program| (program.product, program.role));
    let of_the_module = build.module.as_ref().map(|(_, version)| version.trim_start_matches('v').to_owned());
    let go = UsedLibrary { product: "go".to_owned(), version: Some(build.go.clone()), path: Some(file.shown.clone()) };
    FoundSoftware {
        version: match named {
            Some(_) => of_the_module.filter(|version| version.starts_with(|c: char| c.is_ascii_digit())),
            None => Some(build.go.clone()),
        },
        version_from: "the file".to_owned(),
        libraries: named.map(|_| go).into_iter().collect(),
        ..software(product, role, &file.shown)
    }
}

/// A program's version, and what tells it.
fn version(file: &ReadFile, product: &str) -> (Option<String>, String) {
    let told = file.marks.programs.iter().find(|(known, _)| *known == product).map(|(_, version)| version.clone());
    if told.is_some() {
        return (told, "the file".to_owned());
    }
    let named = if product == "python" { python(file) } else { None };
    (named.clone(), if named.is_some() { "its name" } else { "" }.to_owned())
}

/// `3.11` of `_ssl.cpython-311-x86_64-linux-gnu.so`, or of a directory `python2.7`.
fn python(file: &ReadFile) -> Option<String> {
    let tag = file.name.strip_prefix("_ssl.cpython-").and_then(|rest| rest.split('-').next());
    let digits: Option<String> = tag.map(|tag| tag.chars().take_while(char::is_ascii_digit).collect());
    if let Some((major, minor)) = digits.as_deref().and_then(|digits| digits.split_at_checked(1)) {
        return Some(format!("{major}.{minor}"));
    }
    let mut names = file.path.ancestors().filter_map(|path| path.file_name()?.to_str());
    names.find_map(|name| name.strip_prefix("python").filter(|rest| rest.contains('.'))).map(str::to_owned)
}

fn software(product: &str, role: SoftwareRole, path: &str) -> FoundSoftware {
    FoundSoftware {
        product: product.to_owned(),
        role,
        version: None,
        version_from: String::new(),
        path: path.to_owned(),
        package: None,
        package_of_system: false,
        built_in: false,
        libraries: Vec::new(),
        used_by: Vec::new(),
        users: 0,
        settings: Vec::new(),
        abilities: None,
        end_of_life: None,
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The one TLS library of a process, with its version, and the file that tells it: what it has loaded, else what is built into its
/// program. `None` where there are several, or where no file tells.
#[cfg(target_os = "linux")]
pub fn tls_library(process: &Process) -> Option<(&'static str, String, String)> {
    let read = |path: &str| {
        let (path, elf) = (Path::new(path), elf::read(Path::new(path))?);
        Some((marks::search(path, &elf.constants), elf))
    };
    match process.libraries.as_slice() {
        [] => {
            let (marks, elf) = read(&process.program)?;
            if let Some(build) = go::build(Path::new(&process.program), &elf) {
                return Some(("go", build.go, process.program.clone()));
            }
            let mut built_in = marks.libraries.into_iter().filter(|_| marks.openssl_tls);
            let (product, version) = built_in.next()?;
            Some((product, version, process.program.clone()))
        }
        [only] if only.path.ends_with("/libjvm.so") => {
            let java = java::java(Path::new(&only.path))?;
            Some(("java", java.version?, java.home.join("release").to_string_lossy().into_owned()))
        }
        [only] => {
            let (marks, elf) = read(&only.path)?;
            let told = |marks: Marks| marks.libraries.into_iter().next();
            let crypto = || {
                let name = elf.needed.iter().find(|name| is_crypto(name))?;
                told(read(&Path::new(&only.path).with_file_name(name).to_string_lossy())?.0)
            };
            let (product, version) = told(marks).or_else(crypto)?;
            Some((product, version, only.path.clone()))
        }
        _ => None,
    }
}
