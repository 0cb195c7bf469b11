//! The configurations that the evidence names, read as far as their files are known.

use crate::chain::{self, AlternativeName, Certificate};
use tlswhy_config::{
    Content, Context, DIALECTS, Dialect, Files, Likeness, Reading, Service, Side, directory_of, effective, fits, normal,
    recognise,
};
use tlswhy_model::{Evidence, GivenConfiguration, InstalledSoftware, Party, Question, SeenFile};

/// How many directories above a file its main file is looked for.
const MOST_ABOVE: usize = 3;
/// Most files of a directory of unknown kind that are looked into.
const MOST_ENTRIES: usize = 400;

/// One configuration with all that it includes.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// Whose it was said to be; `None` where nobody said.
    pub party: Option<Party>,
    /// Its main file.
    pub main: String,
    /// Its dialect.
    pub dialect: &'static Dialect,
    /// What it says.
    pub reading: Reading,
    /// The files of it that were named, where it was not the main file itself.
    pub parts: Vec<String>,
}

impl Configuration {
    /// Whether a service stands in what was named: anywhere, or in these parts.
    pub(crate) fn is_meant(&self, service: &Service) -> bool {
        let stands_in = |declared: &tlswhy_config::Span| self.parts.iter().any(|part| *part == *declared.path);
        self.parts.is_empty() || service.declared.as_ref().is_some_and(stands_in)
    }
}

/// A path that could not be read as a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    /// The path as given.
    pub path: String,
    /// Why, a sentence without its full stop.
    pub why: String,
}

/// What the files seen so far say.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    /// The files.
    pub files: Files<'a>,
    /// The configurations, in the order given.
    pub configurations: Vec<Configuration>,
    /// What was given and is no configuration.
    pub unread: Vec<Unread>,
}

impl<'a> Survey<'a> {
    /// Reads what the evidence names.
    pub(crate) fn of(evidence: &'a Evidence) -> Survey<'a> {
        Survey::over(&evidence.configurations, &evidence.files, &evidence.software)
    }

    /// Reads what the evidence names, but for what is the client's: that is read as the client does ([`super::judged`]).
    pub(crate) fn of_servers(evidence: &'a Evidence) -> Survey<'a> {
        let theirs = evidence.configurations.iter().filter(|given| given.party != Some(Party::Client));
        Survey::over(&theirs.cloned().collect::<Vec<_>>(), &evidence.files, &evidence.software)
    }

    /// Reads these configurations in these files.
    pub(crate) fn over(given: &[GivenConfiguration], seen: &'a [SeenFile], software: &'a [InstalledSoftware]) -> Survey<'a> {
        Survey::within(given, Files::new(seen, software))
    }

    /// The same, with an environment or with files in the place of others.
    pub(crate) fn within(given: &[GivenConfiguration], files: Files<'a>) -> Survey<'a> {
        let mut survey = Survey { files, configurations: Vec::new(), unread: Vec::new() };
        for given in given {
            survey.read(given);
        }
        // The library's own policy bears on what is in effect; one look for all that heed it in the same way.
        let mut asked: Vec<String> = Vec::new();
        for service in survey.configurations.iter().flat_map(|configuration| &configuration.reading.services) {
            let key = format!("{:?}{:?}{:?}{:?}", service.program, service.library, service.heeds, service.side);
            if !asked.contains(&key) {
                let _asked_for = effective(service, &survey.files);
                asked.push(key);
            }
            let settings = &service.settings;
            let named =
                settings.certificates.iter().chain(&settings.keys).chain(&settings.chain).chain(&settings.dh_parameters);
            // Whoever asks for more of them than one service's finds them by then.
            for path in named.map(|setting| setting.value.as_str()).filter(|path| path.starts_with('/')) {
                let _asked_for = survey.files.look(path);
            }
        }
        survey
    }

    /// What has to be known before the survey is whole.
    pub(crate) fn wanted(&self) -> Vec<(Question, String)> {
        let mut questions = Vec::new();
        let (paths, products) = (self.files.wanted(), self.files.wanted_software());
        if !paths.is_empty() {
            questions.push((Question::Files { paths }, "what the configuration says".to_owned()));
        }
        if !products.is_empty() {
            questions.push((Question::Software { products }, "which software reads it".to_owned()));
        }
        questions
    }

    /// The services of one side, each with its configuration.
    pub(crate) fn services(&self, side: Side) -> impl Iterator<Item = (&Configuration, &Service)> {
        self.configurations.iter().flat_map(move |configuration| {
            let of_side = configuration.reading.services.iter().filter(move |service| service.side == side);
            of_side.map(move |service| (configuration, service))
        })
    }

    fn read(&mut self, given: &GivenConfiguration) {
        match self.files.look(&given.path) {
            Content::Asked => {}
            Content::Missing => self.cannot_read(given, "there is no such file"),
            Content::Unreadable(error) => {
                let error = error.to_owned();
                self.cannot_read(given, &error);
            }
            Content::Bytes([0xff, 0xfe, ..] | [0xfe, 0xff, ..]) => {
                self.cannot_read(given, "it is written in UTF-16, which none of the programs reads");
            }
            Content::Bytes(bytes) => match recognise(&given.path, bytes) {
                Some(dialect) => self.add_whole(given, dialect, given.path.clone()),
                None => self.cannot_read(given, "it is of no kind that is known here"),
            },
            Content::Directory(entries) => {
                let mains = self.mains(&given.path);
                let mut found = !mains.is_empty();
                for (dialect, main) in mains {
                    self.add(given, dialect, main);
                }
                if !found {
                    found = self.read_entries(given, entries);
                }
                if !found && self.files.wanted().is_empty() {
                    self.cannot_read(given, "no configuration that is known here lies in it");
                }
            }
        }
    }

    /// The main files in their usual places below a directory.
    fn mains(&self, directory: &str) -> Vec<(&'static Dialect, String)> {
        let mut mains: Vec<(&'static Dialect, String)> = Vec::new();
        // One file may have several usual places that are links to one another.
        let real = |path: &str| self.files.seen(path).map(|seen| seen.real_path.clone().unwrap_or_else(|| seen.path.clone()));
        let below = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        for dialect in DIALECTS {
            for place in dialect.places {
                let reaches = place.starts_with(&below) || same_start(place, directory);
                if !reaches {
                    continue;
                }
                for path in self.files.glob(place) {
                    let there = matches!(self.files.look(&path), Content::Bytes(_));
                    let known = |(of, main): &(&Dialect, String)| of.name == dialect.name && real(main) == real(&path);
                    if there && path.starts_with(&below) && !mains.iter().any(known) {
                        mains.push((*dialect, path));
                    }
                }
            }
        }
        mains
    }

    /// The files of a directory in no usual place: those whose name says what they are, else those whose content does.
    fn read_entries(&mut self, given: &GivenConfiguration, entries: &[String]) -> bool {
        let mut likely: Vec<(&'static Dialect, String, Likeness)> = Vec::new();
        for entry in entries.iter().take(MOST_ENTRIES) {
            let path = format!("{}/{entry}", given.path.trim_end_matches('/'));
            if let Content::Bytes(bytes) = self.files.look(&path)
                && let Some(dialect) = recognise(&path, bytes)
            {
                let likeness = (dialect.recognise)(&path, bytes);
                likely.push((dialect, path, likeness));
            }
        }
        let best = likely.iter().map(|(_, _, likeness)| *likeness).max();
        likely.retain(|(_, _, likeness)| Some(*likeness) == best);
        let found = !likely.is_empty();
        for (dialect, path, _) in likely {
            // What a main file includes is no main file.
            let known = |known: &Configuration| known.parts.is_empty() && known.reading.files.contains(&path);
            if !self.configurations.iter().any(known) {
                self.add_whole(given, dialect, path);
            }
        }
        found
    }

    /// Adds a file, or the main file that includes it: only there it is known what it means.
    fn add_whole(&mut self, given: &GivenConfiguration, dialect: &'static Dialect, path: String) {
        let path = normal(&path);
        let Some((main, part)) = self.whole(dialect, &path) else { return self.add(given, dialect, path) };
        let of_main = |known: &&mut Configuration| known.main == main && known.dialect.name == dialect.name;
        match self.configurations.iter_mut().find(of_main) {
            // It was named as a whole.
            Some(known) if known.parts.is_empty() => {}
            Some(known) => known.parts.push(part),
            None => {
                self.add(given, dialect, main.clone());
                if let Some(known) = self.configurations.iter_mut().find(of_main) {
                    known.parts.push(part);
                }
            }
        }
    }

    /// The main file in a directory above that includes this one, and the name by which it does.
    fn whole(&self, dialect: &'static Dialect, path: &str) -> Option<(String, String)> {
        let real = |path: &str| self.files.seen(path).map(|seen| seen.real_path.clone().unwrap_or_else(|| seen.path.clone()));
        let own = real(path)?;
        let names = dialect.places.iter().filter_map(|place| place.rsplit('/').next()).filter(|name| !name.contains('*'));
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        let above = std::iter::successors(Some(directory_of(path)), |directory| Some(directory_of(directory)));
        for directory in above.take(MOST_ABOVE) {
            for main in names.iter().map(|name| normal(&format!("{directory}/{name}"))) {
                if main == path {
                    return None;
                }
                if !matches!(self.files.look(&main), Content::Bytes(_)) {
                    continue;
                }
                let reading = dialect.reading(&Context { files: &self.files, main: &main });
                let includes = |file: &&String| **file == path || real(file).is_some_and(|real| real == own);
                if let Some(part) = reading.files.iter().find(includes).cloned() {
                    return Some((main, part));
                }
            }
        }
        None
    }

    fn add(&mut self, given: &GivenConfiguration, dialect: &'static Dialect, main: String) {
        let same = |known: &&mut Configuration| known.main == main && known.dialect.name == dialect.name;
        if let Some(known) = self.configurations.iter_mut().find(same) {
            known.parts.clear();
            return;
        }
        let mut reading = dialect.reading(&Context { files: &self.files, main: &main });
        for service in reading.services.iter_mut().filter(|service| service.names_from_certificates) {
            names_of_certificates(service, &self.files);
        }
        self.configurations.push(Configuration { party: given.party, main, dialect, reading, parts: Vec::new() });
    }

    fn cannot_read(&mut self, given: &GivenConfiguration, why: &str) {
        self.unread.push(Unread { path: given.path.clone(), why: why.to_owned() });
    }
}

/// The names of a service that has those of its certificates, where nothing else says them.
fn names_of_certificates(service: &mut Service, files: &Files<'_>) {
    if service.names.iter().any(|name| !name.starts_with('!')) {
        return;
    }
    for path in service.settings.certificates.iter().map(|setting| &setting.value) {
        let Some(leaf) = files.bytes(path).and_then(|bytes| chain::certificates_in(bytes).into_iter().next()) else { continue };
        let leaf = Certificate::read(&leaf);
        let dns = leaf.alternative_names.iter().flatten().filter_map(|name| match name {
            AlternativeName::Dns(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        service.names.extend(dns);
    }
}

/// Whether a pattern could lead below a directory: part for part, as far as the directory goes.
fn same_start(pattern: &str, directory: &str) -> bool {
    let mut parts = pattern.split('/').filter(|part| !part.is_empty());
    let directory = directory.split('/').filter(|part| !part.is_empty());
    directory.into_iter().all(|own| parts.next().is_some_and(|part| fits(part.as_bytes(), own.as_bytes())))
}

#[cfg(test)]
mod tests {
    use tlswhy_model::FileContent;

    use super::*;

    fn seen(path: &str, text: &str, real: Option<&str>) -> SeenFile {
        let content =
            FileContent::Bytes { bytes: text.as_bytes().to_vec().into(), sha256: String::new(), public_keys: Vec::new() };
        SeenFile { path: path.to_owned(), real_path: real.map(str::to_owned), content }
    }

    fn given(path: &str) -> GivenConfiguration {
        GivenConfiguration { party: None, path: path.to_owned() }
    }

    #[test]
    fn a_part_is_read_within_its_main_file_and_the_other_services_are_left_aside() {
        let site = "server { listen 443 ssl; server_name a.test; }";
        let files = [
            seen("/etc/nginx/nginx.conf", "http { ssl_protocols TLSv1.3; include sites-enabled/*; }", None),
            seen("/etc/nginx/sites-enabled/a", site, Some("/etc/nginx/sites-available/a")),
            seen("/etc/nginx/sites-enabled/b", "server { listen 443 ssl; server_name b.test; }", None),
            seen("/etc/nginx/sites-available/a", site, None),
            SeenFile {
                path: "/etc/nginx/sites-enabled".to_owned(),
                real_path: None,
                content: FileContent::Directory { entries: vec!["a".to_owned(), "b".to_owned()] },
            },
        ];
        let titles = |paths: &[&str]| -> Vec<String> {
            let given: Vec<GivenConfiguration> = paths.iter().map(|path| given(path)).collect();
            let survey = Survey::over(&given, &files, &[]);
            let services = survey.services(Side::Server).filter(|(configuration, service)| configuration.is_meant(service));
            services.map(|(configuration, service)| format!("{} of {}", service.title, configuration.main)).collect()
        };
        let (a, b) = ("server a.test of /etc/nginx/nginx.conf".to_owned(), "server b.test of /etc/nginx/nginx.conf".to_owned());
        assert_eq!(titles(&["/etc/nginx/sites-enabled/a"]), vec![a.clone()]);
        assert_eq!(titles(&["/etc/nginx/sites-available/a"]), vec![a.clone()], "by another name");
        assert_eq!(titles(&["/etc/nginx/sites-enabled"]), [a.clone(), b.clone()]);
        assert_eq!(titles(&["/etc/nginx/sites-enabled/a", "/etc/nginx/nginx.conf"]), [a.clone(), b.clone()]);
        assert_eq!(titles(&["/etc/nginx/nginx.conf", "/etc/nginx/sites-enabled/a"]), [a, b]);
    }
}
