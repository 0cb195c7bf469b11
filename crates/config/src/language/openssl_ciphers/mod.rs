//! OpenSSL's cipher strings (openssl-ciphers(1)), evaluated as `ssl_create_cipher_list` does: the same starting order, the same
//! rules, the same silence about unknown words. Releases from 1.0.2 on; older ones are not told.

mod before_1_1;
mod rows;
mod words;

use std::ops::Range;

use tlswhy_wire::CipherSuite;

use crate::release::Release;
use rows::*;

/// An OpenSSL library as far as its cipher strings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its release.
    pub release: Release,
    /// The security level where nothing says one.
    pub default_level: u8,
    /// It was built with the weak suites (RC4, 3DES); 1.0.2 always has them.
    pub weak: bool,
    /// It was built with Kerberos; 1.0.2 alone can be.
    pub krb5: bool,
    /// Of which release of RHEL it is, where it is one of those whose patches are known.
    pub rhel: Option<u32>,
    /// Suites that were left out besides, by their codes.
    pub without: &'static [u16],
}

/// Every suite of SRP.
const SRP: &[u16] = &[0xc01a, 0xc01b, 0xc01c, 0xc01d, 0xc01e, 0xc01f, 0xc020, 0xc021, 0xc022];
/// RC4 with MD5.
const RC4_MD5: &[u16] = &[0x0004, 0x0018];

impl Library {
    /// As the project builds it: level 1, since 3.2 level 2.
    pub fn upstream(release: Release) -> Library {
        let default_level = if release >= Release::new(3, 2, 0) { 2 } else { 1 };
        Library { release, default_level, weak: false, krb5: false, rhel: None, without: &[] }
    }

    /// As a distribution builds it (`rhel 8.10`), where that is known: the libraries of CentOS 7 (1.0.2k) and AlmaLinux 8 (1.1.1k)
    /// were asked.
    pub fn of(release: Release, system: &str) -> Library {
        let upstream = Library::upstream(release);
        match (crate::release::rhel(system).map(|number| number.major), (release.major, release.minor, release.patch)) {
            (Some(7), (1, 0, 2)) => Library { krb5: true, rhel: Some(7), without: SRP, ..upstream },
            (Some(8), (1, 1, 1)) => Library { weak: true, rhel: Some(8), without: RC4_MD5, ..upstream },
            _ => upstream,
        }
    }

    /// It is 1.0.2.
    fn is_old(self) -> bool {
        self.release < Release::new(1, 1, 0)
    }

    /// What it has, in no order that counts.
    fn rows(self) -> impl Iterator<Item = &'static Row> {
        let old = if self.is_old() { before_1_1::ROWS_OF_1_0_2 } else { &[] };
        let built = move |row: &&Row| (self.krb5 || row.kx != K_KRB5) && !self.without.contains(&row.code);
        ROWS.iter().filter(move |row| self.has(row)).chain(old).filter(built)
    }

    /// Whether this row of the common table is in the library.
    fn has(self, row: &Row) -> bool {
        if self.is_old() {
            return before_1_1::has(row);
        }
        let aria = row.enc & (E_ARIA128GCM | E_ARIA256GCM) != 0 && self.release < Release::new(1, 1, 1);
        // Since 3.0 these lie in the legacy provider, which TLS does not load.
        let legacy = row.enc & (E_IDEA | E_SEED | E_RC4) != 0 && self.release >= Release::new(3, 0, 0);
        let weak = row.class & WEAK != 0 && !self.weak;
        !(aria || legacy || weak)
    }

    /// Its class and flags.
    fn class(self, row: &Row) -> u32 {
        let triple_des = row.enc == E_3DES && row.mac == M_SHA1 && row.kx != K_SRP;
        let approved = (triple_des && (self.is_old() || self.rhel == Some(8)))
            || (row.enc & (E_AES128CCM | E_AES256CCM) != 0 && row.kx != K_PSK && self.rhel == Some(8));
        let class = if approved { row.class | FIPS } else { row.class };
        // CCM with a short tag was HIGH before 3.2.
        let short = row.enc & (E_AES128CCM8 | E_AES256CCM8) != 0 && self.release < Release::new(3, 2, 0);
        if short { class & !MEDIUM | HIGH } else { class }
    }

    /// Its lowest version: what TLS 1.0 brought was told as SSL 3.0's in 1.0.2.
    fn lowest(self, row: &Row) -> u8 {
        if self.is_old() && row.lowest == 10 { 3 } else { row.lowest }
    }

    /// The strength that the level counts, bits.
    fn bits(self, row: &Row) -> u16 {
        match row.enc {
            E_ENULL => 0,
            E_RC4 | E_IDEA if self.rhel == Some(7) => 112,
            E_3DES => 112,
            E_AES128CCM8 | E_AES256CCM8 if self.release >= Release::new(3, 2, 0) => 64,
            E_AES256 | E_AES256GCM | E_AES256CCM | E_AES256CCM8 | E_CAMELLIA256 | E_CHACHA20POLY1305 | E_ARIA256GCM => 256,
            _ => 128,
        }
    }
}

/// What a cipher string stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CipherList {
    /// Suites up to TLS 1.2 in the library's order, not yet cut by the level.
    pub suites: Vec<CipherSuite>,
    /// What `@SECLEVEL=` sets.
    pub level: Option<u8>,
    /// Words that stand for nothing and are left out in silence, as ranges of the text.
    pub unknown: Vec<Range<usize>>,
}

/// Why the library refuses a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No suite is left ("no cipher match").
    NoMatch,
    /// Something is no command ("invalid command"); the byte where.
    InvalidCommand(usize),
    /// How this release reads strings is not known here.
    UnknownRelease,
}

/// Whether a library of this release refuses a string; `false` where that is not known.
pub fn selects_nothing(text: &str, release: Release) -> bool {
    matches!(cipher_list(text, &Library::upstream(release)), Err(Refused::NoMatch | Refused::InvalidCommand(_)))
}

/// A suite on its way through the rules.
#[derive(Clone, Copy)]
struct Place {
    row: &'static Row,
    active: bool,
}

/// What a rule selects: 0 (and `None`) is everything.
#[derive(Clone, Copy, Default)]
struct Pattern {
    code: Option<u16>,
    kx: u32,
    auth: u32,
    enc: u32,
    mac: u32,
    lowest: u8,
    strength: u32,
    only_not_default: bool,
}

impl Pattern {
    fn fits(&self, row: &Row, library: Library) -> bool {
        let any = |wanted: u32, own: u32| wanted == 0 || wanted & own != 0;
        self.code.is_none_or(|code| code == row.code)
            && any(self.kx, row.kx)
            && any(self.auth, row.auth)
            && any(self.enc, row.enc)
            && any(self.mac, row.mac)
            && (self.lowest == 0 || self.lowest == library.lowest(row))
            && any(self.strength, library.class(row))
            && (!self.only_not_default || row.class & NOT_DEFAULT != 0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Add,
    /// `+`: what is on moves to the end.
    Order,
    /// `-`: off, and first where it comes back.
    Remove,
    /// `!`: off for good.
    Kill,
    /// What is on moves to the front.
    Bump,
}

struct Sorter {
    places: Vec<Place>,
    library: Library,
}

impl Sorter {
    fn apply(&mut self, pattern: &Pattern, rule: Rule) {
        let library = self.library;
        self.apply_where(|place| pattern.fits(place.row, library), rule);
    }

    fn apply_where(&mut self, fits: impl Fn(&Place) -> bool, rule: Rule) {
        let moves = |place: &Place| {
            fits(place)
                && match rule {
                    Rule::Add => !place.active,
                    Rule::Order | Rule::Remove | Rule::Bump => place.active,
                    Rule::Kill => true,
                }
        };
        let (mut moved, mut rest): (Vec<Place>, Vec<Place>) = self.places.iter().partition(|place| moves(place));
        match rule {
            Rule::Add => moved.iter_mut().for_each(|place| place.active = true),
            Rule::Remove => moved.iter_mut().for_each(|place| place.active = false),
            Rule::Order | Rule::Bump => {}
            Rule::Kill => moved.clear(),
        }
        self.places = match rule {
            Rule::Add | Rule::Order | Rule::Kill => {
                rest.extend(moved);
                rest
            }
            Rule::Remove | Rule::Bump => {
                moved.extend(rest);
                moved
            }
        };
    }

    fn sort_by_strength(&mut self) {
        let mut strengths: Vec<u16> =
            self.places.iter().filter(|place| place.active).map(|place| self.library.bits(place.row)).collect();
        strengths.sort_unstable();
        strengths.dedup();
        let library = self.library;
        for bits in strengths.into_iter().rev() {
            self.apply_where(|place| library.bits(place.row) == bits, Rule::Order);
        }
    }

    /// All that the library has, off, in the order in which rules find them.
    fn new(library: Library) -> Sorter {
        let mut places: Vec<Place> = library.rows().map(|row| Place { row, active: false }).collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.row.code));
        let mut sorter = Sorter { places, library };
        let all = Pattern::default();
        if library.is_old() {
            sorter.order_of_1_0_2();
            return sorter;
        }
        let aes = E_AES128 | E_AES256 | E_AES128CCM | E_AES256CCM | E_AES128CCM8 | E_AES256CCM8;
        sorter.apply(&Pattern { kx: K_ECDHE, auth: A_ECDSA, ..all }, Rule::Add);
        sorter.apply(&Pattern { kx: K_ECDHE, ..all }, Rule::Add);
        sorter.apply(&Pattern { kx: K_ECDHE, ..all }, Rule::Remove);
        sorter.apply(&Pattern { enc: E_AES128GCM | E_AES256GCM, ..all }, Rule::Add);
        sorter.apply(&Pattern { enc: E_CHACHA20POLY1305, ..all }, Rule::Add);
        sorter.apply(&Pattern { enc: aes, ..all }, Rule::Add);
        sorter.apply(&all, Rule::Add);
        sorter.apply(&Pattern { mac: M_MD5, ..all }, Rule::Order);
        sorter.apply(&Pattern { auth: A_NULL, ..all }, Rule::Order);
        sorter.apply(&Pattern { kx: K_RSA, ..all }, Rule::Order);
        sorter.apply(&Pattern { kx: K_PSK, ..all }, Rule::Order);
        sorter.apply(&Pattern { enc: E_RC4, ..all }, Rule::Order);
        sorter.sort_by_strength();
        sorter.apply(&Pattern { lowest: 12, ..all }, Rule::Bump);
        sorter.apply(&Pattern { mac: M_AEAD, ..all }, Rule::Bump);
        sorter.apply(&Pattern { kx: K_DHE | K_ECDHE, ..all }, Rule::Bump);
        sorter.apply(&Pattern { kx: K_DHE | K_ECDHE, mac: M_AEAD, ..all }, Rule::Bump);
        sorter.apply(&all, Rule::Remove);
        sorter
    }

    /// The same for 1.0.2.
    fn order_of_1_0_2(&mut self) {
        let all = Pattern::default();
        let aes = E_AES128 | E_AES256 | E_AES128GCM | E_AES256GCM;
        self.apply(&Pattern { kx: K_ECDHE, ..all }, Rule::Add);
        self.apply(&Pattern { kx: K_ECDHE, ..all }, Rule::Remove);
        self.apply(&Pattern { enc: aes, ..all }, Rule::Add);
        self.apply(&all, Rule::Add);
        self.apply(&Pattern { mac: M_MD5, ..all }, Rule::Order);
        self.apply(&Pattern { auth: A_NULL, ..all }, Rule::Order);
        self.apply(&Pattern { auth: A_ECDH, ..all }, Rule::Order);
        self.apply(&Pattern { kx: K_RSA, ..all }, Rule::Order);
        self.apply(&Pattern { kx: K_PSK, ..all }, Rule::Order);
        self.apply(&Pattern { kx: K_KRB5, ..all }, Rule::Order);
        self.apply(&Pattern { enc: E_RC4, ..all }, Rule::Order);
        self.sort_by_strength();
        self.apply(&all, Rule::Remove);
    }

    /// The rules of a string, one after the other.
    fn rules(&mut self, text: &str, from: usize, list: &mut CipherList) -> Result<(), Refused> {
        let bytes = text.as_bytes();
        let separates = |byte: u8| matches!(byte, b':' | b' ' | b';' | b',');
        let (old, new) = (self.library.is_old(), self.library.release >= Release::new(3, 2, 0));
        let in_word = |byte: u8| match byte {
            b'-' | b'.' => true,
            b'=' => !old,
            // With the names of the registry.
            b'_' => new,
            other => other.is_ascii_alphanumeric(),
        };
        let mut at = from;
        while let Some(byte) = bytes.get(at).copied() {
            let rule = match byte {
                b'-' => Some(Rule::Remove),
                b'+' => Some(Rule::Order),
                b'!' => Some(Rule::Kill),
                b'@' => None,
                _ => Some(Rule::Add),
            };
            if separates(byte) {
                at += 1;
                continue;
            }
            let begins = at;
            at += usize::from(matches!(byte, b'-' | b'+' | b'!' | b'@'));
            let mut pattern = Some(Pattern::default());
            loop {
                let start = at;
                while bytes.get(at).copied().is_some_and(in_word) {
                    at += 1;
                }
                let word = text.get(start..at).unwrap_or_default();
                if word.is_empty() {
                    return Err(Refused::InvalidCommand(start));
                }
                if rule.is_none() {
                    self.special(word, start, list)?;
                    pattern = None;
                    break;
                }
                let several = bytes.get(at) == Some(&b'+');
                at += usize::from(several);
                pattern = pattern.and_then(|pattern| words::narrow(pattern, word, self.library));
                if pattern.is_none() || !several {
                    break;
                }
            }
            match (rule, pattern) {
                (Some(rule), Some(pattern)) => self.apply(&pattern, rule),
                (rule, _) => {
                    while bytes.get(at).copied().is_some_and(|byte| !separates(byte)) {
                        at += 1;
                    }
                    if rule.is_some() {
                        list.unknown.push(begins..at);
                    }
                }
            }
        }
        Ok(())
    }

    fn special(&mut self, word: &str, at: usize, list: &mut CipherList) -> Result<(), Refused> {
        if word == "STRENGTH" {
            self.sort_by_strength();
            return Ok(());
        }
        // 1.0.2 has no levels: it ends the word at `=`, which makes it no command.
        let level = word.strip_prefix("SECLEVEL=").filter(|level| level.len() == 1).and_then(|level| level.parse::<u8>().ok());
        match level.filter(|level| *level <= 5) {
            Some(level) => {
                list.level = Some(level);
                Ok(())
            }
            None => Err(Refused::InvalidCommand(at)),
        }
    }
}

/// What SSL_CTX_set_cipher_list(3) makes of a string: suites up to TLS 1.2.
pub fn cipher_list(text: &str, library: &Library) -> Result<CipherList, Refused> {
    if library.release < Release::new(1, 0, 2) {
        return Err(Refused::UnknownRelease);
    }
    let mut list = CipherList::default();
    // Suite B takes the place of the whole string (RFC 6460).
    if let Some(suites) = words::suite_b(text) {
        list.suites = suites;
        return Ok(list);
    }
    let mut sorter = Sorter::new(*library);
    let mut from = 0;
    if text.starts_with("DEFAULT") {
        // SSL_DEFAULT_CIPHER_LIST, in 1.0.2 since its g.
        let default =
            if library.is_old() { "ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2" } else { "ALL:!COMPLEMENTOFDEFAULT:!eNULL" };
        sorter.rules(default, 0, &mut CipherList::default())?;
        from = "DEFAULT".len() + usize::from(text.as_bytes().get(7) == Some(&b':'));
    }
    sorter.rules(text, from, &mut list)?;
    list.suites = sorter.places.iter().filter(|place| place.active).map(|place| CipherSuite(place.row.code)).collect();
    if list.suites.is_empty() { Err(Refused::NoMatch) } else { Ok(list) }
}

/// Those of the suites that a context of this level still uses (ssl_security_default_callback, ssl/ssl_cert.c).
pub fn at_level(suites: &[CipherSuite], level: u8, library: &Library) -> Vec<CipherSuite> {
    let least = match level {
        0 => return suites.to_vec(),
        1 => 80,
        2 => 112,
        3 => 128,
        4 => 192,
        _ => 256,
    };
    let of_old = K_DHE | K_ECDHE;
    let forward = if library.release >= Release::new(3, 0, 0) { of_old | K_DHEPSK | K_ECDHEPSK } else { of_old };
    let allowed = |suite: &&CipherSuite| {
        let Some(row) = ROWS.iter().find(|row| row.code == suite.0) else { return true };
        library.bits(row) >= least
            && row.auth != A_NULL
            && row.mac != M_MD5
            && !(level >= 2 && row.enc == E_RC4)
            && (level < 3 || row.kx & forward != 0)
            && !(least > 160 && row.mac == M_SHA1)
    };
    suites.iter().filter(allowed).copied().collect()
}

/// The suites of TLS 1.3 where no setting names them (TLS_DEFAULT_CIPHERSUITES); none before 1.1.1.
pub fn default_ciphersuites(library: &Library) -> Vec<CipherSuite> {
    if library.release < Release::new(1, 1, 1) {
        return Vec::new();
    }
    [0x1302, 0x1303, 0x1301].map(CipherSuite).to_vec()
}

/// OpenSSL's name of a suite, where it has it.
pub fn name_of(suite: CipherSuite, library: &Library) -> Option<&'static str> {
    library.rows().find(|row| row.code == suite.0).map(|row| row.name)
}
