//! What an ELF file says of itself: the libraries that it loads, and where its constants lie (elf(5)).

use std::fs::File;
use std::path::Path;

use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, FileHeader32, FileHeader64, PT_INTERP, PT_LOAD, SHT_DYNAMIC};
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, FileKind, ReadCache, ReadRef};

/// Most libraries that one file is taken to load.
const MOST_NEEDED: usize = 512;
/// Most sections and segments of a file, and most bytes of its dynamic section: what claims more is not believed.
const MOST_SECTIONS: u32 = 10_000;
const MOST_DYNAMIC: u64 = 1 << 20;
/// Sections that hold constants, by the beginning of their names.
const CONSTANTS: &[&str] = &[".rodata", ".data.rel.ro"];
/// Where Go keeps what a program was built from, and the names of its functions.
const GO_BUILD: &str = ".go.buildinfo";
const GO_FUNCTIONS: &str = ".gopclntab";

/// A part of a file: where it begins, and its length in bytes.
pub(super) type Part = (u64, u64);

/// What an ELF file says of itself.
#[derive(Debug, Default)]
pub(super) struct Elf {
    /// The name by which other files load it.
    pub(super) soname: Option<String>,
    /// The names of the libraries that it loads.
    pub(super) needed: Vec<String>,
    /// Where it has them looked for first.
    pub(super) search: Vec<String>,
    /// Whether it is started by itself: a program, and not a library.
    pub(super) is_program: bool,
    /// Where its constants lie.
    pub(super) constants: Vec<Part>,
    /// Where Go's build information lies.
    pub(super) go_build: Option<Part>,
    /// Where the names of Go's functions lie.
    pub(super) go_functions: Option<Part>,
    /// Its segments: the address in memory, and the part of the file.
    pub(super) segments: Vec<(u64, Part)>,
    /// Whether its numbers have the lowest byte first.
    pub(super) is_little: bool,
}

/// Reads the headers of a file; `None` where it is no ELF file, or one that cannot be read.
pub(super) fn read(path: &Path) -> Option<Elf> {
    let data = ReadCache::new(File::open(path).ok()?);
    match FileKind::parse(&data).ok()? {
        FileKind::Elf32 => of::<FileHeader32<Endianness>, _>(&data),
        FileKind::Elf64 => of::<FileHeader64<Endianness>, _>(&data),
        _ => None,
    }
}

fn of<'data, E: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(data: R) -> Option<Elf> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut elf = Elf { is_little: endian == Endianness::Little, ..Elf::default() };
    if header.phnum(endian, data).ok()? > MOST_SECTIONS {
        return None;
    }
    for segment in header.program_headers(endian, data).ok()? {
        let kind = segment.p_type(endian);
        elf.is_program |= kind == PT_INTERP;
        if kind == PT_LOAD {
            elf.segments.push((segment.p_vaddr(endian).into(), segment.file_range(endian)));
        }
    }
    // Where sections are damaged or were taken away, segments have the same bytes among others.
    let few = header.shnum(endian, data).is_ok_and(|number| number <= MOST_SECTIONS);
    let sections = few.then(|| header.sections(endian, data).ok()).flatten().unwrap_or_default();
    for section in sections.iter() {
        let (Ok(name), Some(part)) = (sections.section_name(endian, section), section.file_range(endian)) else { continue };
        let name = String::from_utf8_lossy(name);
        if CONSTANTS.iter().any(|known| name.starts_with(known)) {
            elf.constants.push(part);
        } else if name == GO_BUILD {
            elf.go_build = Some(part);
        } else if name == GO_FUNCTIONS {
            elf.go_functions = Some(part);
        }
    }
    if elf.constants.is_empty() {
        elf.constants = elf.segments.iter().map(|(_, part)| *part).collect();
    }
    let dynamic = sections.iter().find(|section| section.sh_type(endian) == SHT_DYNAMIC);
    let short = dynamic.is_some_and(|section| section.sh_size(endian).into() <= MOST_DYNAMIC);
    let table = short.then(|| sections.dynamic_table(endian, data).ok()).flatten().unwrap_or_default();
    for entry in &table {
        let text = || Some(String::from_utf8_lossy(table.string(entry).ok()?).into_owned());
        if entry.tag == DT_NEEDED && elf.needed.len() < MOST_NEEDED {
            elf.needed.extend(text());
        } else if entry.tag == DT_SONAME {
            elf.soname = text();
        } else if entry.tag == DT_RPATH || entry.tag == DT_RUNPATH {
            elf.search.extend(text().iter().flat_map(|paths| paths.split(':')).map(str::to_owned));
        }
    }
    Some(elf)
}
