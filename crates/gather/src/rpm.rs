//! RPM's database where it is SQLite (RHEL 9, Fedora 33, SUSE 15.4 and later): which packages are installed, in which version.
//!
//! One table is walked and no query made: <https://www.sqlite.org/fileformat2.html>. A row's blob is a header as
//! <https://rpm-software-management.github.io/rpm/manual/format_header.html> has it. Nothing of it is trusted: what does not fit is an
//! error, and pages, depth and bytes are bounded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Where it lies, the newer place first.
pub(crate) const PLACES: &[&str] = &["usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"];
/// The table of the packages, by the number of each.
const TABLE: &[u8] = b"Packages";
/// The beginning of a row that is read: name and version stand before the lists of files.
const LONGEST: usize = 256 * 1024;
/// Most pages that are read; a large machine's database has 50,000.
const MOST_PAGES: usize = 500_000;
/// Deepest tree: SQLite's own bound (BTCURSOR_MAX_DEPTH).
const DEEPEST: usize = 20;
/// Most entries of a header, and the tags of what is wanted, which are strings (rpmtag.h).
const MOST_ENTRIES: u32 = 0xffff;
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;

/// The packages of a database, `VERSION-RELEASE` by name; of several with one name the last that is met.
///
/// # Errors
/// Where it cannot be read, is damaged, or holds changes that were not written back.
pub(crate) fn packages(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut waiting = path.as_os_str().to_owned();
    waiting.push("-wal");
    if std::fs::metadata(waiting).is_ok_and(|journal| journal.len() > 0) {
        return Err(io::Error::other("it holds changes that were not written back (its -wal file)"));
    }
    let mut database = Database::open(path)?;
    let mut root = None;
    database.walk(1, 0, &mut |row| {
        // type, name, tbl_name, rootpage, sql
        let columns = columns(row)?;
        if let [kind, name, _, page, ..] = columns.as_slice()
            && (*kind, *name) == (b"table", TABLE)
        {
            root = Some(page.iter().try_fold(0_u32, |number, byte| Some(number.checked_mul(256)? + u32::from(*byte))));
        }
        Some(())
    })?;
    let root = root.flatten().ok_or_else(|| damaged("it has no table of packages"))?;
    let mut found = BTreeMap::new();
    database.walk(root, 0, &mut |row| {
        let columns = columns(row)?;
        let [_, header, ..] = columns.as_slice() else { return None };
        let tag = |tag: u32| string(header, tag);
        // What is no package (`gpg-pubkey`) has these as well.
        found.insert(tag(NAME)?, format!("{}-{}", tag(VERSION)?, tag(RELEASE)?));
        Some(())
    })?;
    Ok(found)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

struct Database {
    file: File,
    page_size: usize,
    /// Bytes of a page that SQLite uses.
    usable: usize,
    pages_left: usize,
}

impl Database {
    fn open(path: &Path) -> io::Result<Database> {
        let mut file = File::open(path)?;
        let mut head = [0_u8; 100];
        file.read_exact(&mut head)?;
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = page_size.saturating_sub(usize::from(head[20]));
        if !head.starts_with(b"SQLite format 3\0") || !page_size.is_power_of_two() || usable < 480 {
            return Err(damaged("it is no SQLite database"));
        }
        Ok(Database { file, page_size, usable, pages_left: MOST_PAGES })
    }

    fn page(&mut self, number: u32) -> io::Result<Vec<u8>> {
        self.pages_left =
            self.pages_left.checked_sub(1).ok_or_else(|| damaged("it has too many pages, or they go in circles"))?;
        let at = u64::from(number.checked_sub(1).ok_or_else(|| damaged("page 0 is named"))?) * self.page_size as u64;
        self.file.seek(SeekFrom::Start(at))?;
        let mut page = vec![0; self.page_size];
        self.file.read_exact(&mut page)?;
        Ok(page)
    }

    /// Shows every row of a table, in order; `None` says that one is damaged.
    fn walk(&mut self, number: u32, depth: usize, show: &mut dyn FnMut(&[u8]) -> Option<()>) -> io::Result<()> {
        let broken = || damaged("a page of it is damaged");
        if depth > DEEPEST {
            return Err(damaged("its tree is too deep"));
        }
        let page = self.page(number)?;
        // The first page has the file's own header before its own.
        let head = if number == 1 { 100 } else { 0 };
        let kind = *page.get(head).ok_or_else(broken)?;
        let cells = usize::from(short(&page, head + 3).ok_or_else(broken)?);
        let pointers = head + if kind == 0x05 { 12 } else { 8 };
        for cell in 0..cells {
            let at = usize::from(short(&page, pointers + 2 * cell).ok_or_else(broken)?);
            match kind {
                0x05 => self.walk(long(&page, at).ok_or_else(broken)?, depth + 1, show)?,
                0x0d => {
                    let row = self.row(&page, at)?;
                    show(&row).ok_or_else(|| damaged("a row of it is damaged"))?;
                }
                _ => return Err(broken()),
            }
        }
        match kind {
            0x05 => self.walk(long(&page, head + 8).ok_or_else(broken)?, depth + 1, show),
            _ => Ok(()),
        }
    }

    /// The beginning of a row, with what overflows its page.
    fn row(&mut self, page: &[u8], at: usize) -> io::Result<Vec<u8>> {
        let broken = || damaged("a row of it is damaged");
        let (length, after) = varint(page, at).ok_or_else(broken)?;
        let (_, start) = varint(page, after).ok_or_else(broken)?;
        let length = usize::try_from(length).map_err(|_| broken())?;
        // "B-tree Cell Format": how much of it stands in the page itself.
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        let here = match length {
            length if length <= most => length,
            length => Some(least + (length - least) % (self.usable - 4)).filter(|here| *here <= most).unwrap_or(least),
        };
        let mut row = page.get(start..start + here).ok_or_else(broken)?.to_vec();
        let mut next = if here < length { long(page, start + here).ok_or_else(broken)? } else { 0 };
        while next != 0 && row.len() < length.min(LONGEST) {
            let page = self.page(next)?;
            next = long(&page, 0).ok_or_else(broken)?;
            let rest = page.get(4..self.usable).ok_or_else(broken)?;
            row.extend_from_slice(rest.get(..rest.len().min(length - row.len())).unwrap_or_default());
        }
        Ok(row)
    }
}

/// The values of a record; the last may be cut short.
fn columns(row: &[u8]) -> Option<Vec<&[u8]>> {
    let (head, mut at) = varint(row, 0)?;
    let mut value = usize::try_from(head).ok()?;
    let head = value;
    let mut columns = Vec::new();
    while at < head && columns.len() < 16 {
        let (kind, next) = varint(row, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            text_or_blob => usize::try_from((text_or_blob - 12) / 2).ok()?,
        };
        let end = value.checked_add(length)?.min(row.len());
        columns.push(row.get(value..end)?);
        value = end;
    }
    Some(columns)
}

/// The string of a tag in a package's header.
fn string(header: &[u8], tag: u32) -> Option<String> {
    let count = long(header, 0).filter(|count| *count <= MOST_ENTRIES)?;
    let store = 8 + 16 * usize::try_from(count).ok()?;
    let entry = (0..count as usize).map(|index| 8 + 16 * index).find(|at| long(header, *at) == Some(tag))?;
    let start = store.checked_add(usize::try_from(long(header, entry + 8)?).ok()?)?;
    let text = header.get(start..)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text.get(..text.len().min(200))?).into_owned())
}

/// A number of one to nine bytes, and the place after it.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for index in 0..9 {
        let byte = *bytes.get(at + index)?;
        if index == 8 {
            return Some((number << 8 | u64::from(byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A database that the real rpm makes, with several hundred packages; `None` where there is no rpm.
    fn real(root: &Path) -> Option<()> {
        let spec = "Name: pkg%{number}\nVersion: 3.0.%{number}\nRelease: 7.el9\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
                    Obsoletes: %{lua: for i = 1, 800 do print(' an-old-name-of-it-' .. i) end}\n\
                    %description\nx\n%files\n";
        std::fs::write(root.join("p.spec"), spec).ok()?;
        let script = "set -e; for n in $(seq 60); do rpmbuild --quiet -bb --define \"_topdir $PWD/b\" --define \"number $n\" p.spec \
                      >/dev/null 2>&1; done; rpm --root \"$PWD/r\" --dbpath /var/lib/rpm --define '_db_backend sqlite' -i --nodeps \
                      --justdb b/RPMS/noarch/*.rpm";
        let there = Command::new("sh").args(["-c", "command -v rpmbuild"]).output().ok()?.status.success();
        if !there {
            eprintln!("skipped: there is no rpmbuild");
            return None;
        }
        let made = Command::new("sh").args(["-c", script]).current_dir(root).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(())
    }

    #[test]
    fn the_packages_of_a_real_database_are_read_and_no_damage_of_it_harms() {
        let root = std::env::temp_dir().join(format!("tlswhy-rpm-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        if real(&root).is_some() {
            let place = root.join("r/var/lib/rpm/rpmdb.sqlite");
            let found = packages(&place).unwrap();
            assert_eq!(found.len(), 60);
            assert_eq!(found.get("pkg7").map(String::as_str), Some("3.0.7-7.el9"));
            let bytes = std::fs::read(&place).unwrap();
            // Cut off, and with a byte changed, here and there: an error or another answer, in no time.
            let other = root.join("other");
            for at in (0..bytes.len()).step_by(bytes.len() / 97 + 1) {
                std::fs::write(&other, &bytes[..at]).unwrap();
                let _ = packages(&other);
                let mut changed = bytes.clone();
                changed[at] ^= 0xff;
                std::fs::write(&other, &changed).unwrap();
                let _ = packages(&other);
            }
            std::fs::write(root.join("other-wal"), "x").unwrap();
            assert!(packages(&other).unwrap_err().to_string().contains("-wal"));
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
}
