//! What a text of error messages says: one message, or a whole log.
//!
//! A text is read line by line in constant memory ([`Reading`]). Each line is looked up in the tables of
//! [`knowledge::symptoms`](crate::knowledge::symptoms); the same message many times becomes one symptom. At the end causes
//! are weighed: each symptom gives its own weights, clues of the same text add theirs, and what tells more counts more. A text
//! proves little, so a cause is `suspected` unless the text shows the fact itself.

mod gathered;
mod lines;
mod matcher;
mod peer;
mod rank;

use tlswhy_model::SymptomReport;

use gathered::Gathered;
use lines::Lines;

/// A text that is being read.
#[derive(Default)]
pub struct Reading {
    lines: Lines,
    gathered: Gathered,
}

impl Reading {
    /// Takes the next piece of the text, of whatever length.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Reading { lines, gathered } = self;
        lines.feed(bytes, |number, line| gathered.line(number, line));
    }

    /// What the whole text says.
    pub fn finish(self) -> SymptomReport {
        let Reading { mut lines, mut gathered } = self;
        lines.finish(|number, line| gathered.line(number, line));
        rank::report(&gathered, &lines)
    }
}

/// What a text that is there as a whole says.
pub fn read(text: &[u8]) -> SymptomReport {
    let mut reading = Reading::default();
    reading.feed(text);
    reading.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::CAUSES;
    use crate::knowledge::symptoms::tables;

    #[test]
    fn every_pattern_compiles_matches_its_example_and_has_a_key_in_it() {
        let tables = tables();
        let all = tables.sayings.iter().map(|row| &row.matching).chain(tables.clues.iter().map(|row| &row.matching));
        let others = tables.codes.iter().map(|row| &row.matching).chain(tables.ends.iter().map(|row| &row.matching));
        let all = all.chain(others).chain(tables.peers.iter().map(|row| &row.matching));
        // A saying that only numbers stand for has neither words nor a pattern.
        let problems: Vec<String> = all.flat_map(matcher::problems).filter(|problem| !problem.starts_with("neither")).collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }

    #[test]
    fn every_cause_that_a_table_names_is_one_of_the_contract() {
        let known = |code: &String| CAUSES.iter().any(|cause| cause.code == code);
        let tables = tables();
        let meanings = tables.meanings.iter().flat_map(|meaning| meaning.causes.keys().chain(meaning.at_server.keys()));
        let clues = tables.clues.iter().flat_map(|clue| clue.adds.keys().chain(&clue.shows));
        let shown = tables.sayings.iter().filter_map(|saying| saying.shows.as_ref());
        let next = tables.next.iter().flat_map(|next| &next.causes);
        let wrong: Vec<&String> = meanings.chain(clues).chain(shown).chain(next).filter(|code| !known(code)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn every_example_is_recognised_as_what_its_row_means() {
        for saying in &tables().sayings {
            let (Some(example), Some(meaning)) = (&saying.matching.example, saying.meaning) else { continue };
            let report = read(example.as_bytes());
            let wanted = &tables().meanings[meaning];
            // A frame is not told where something else tells more.
            let told = report.symptoms.iter().any(|symptom| symptom.meaning == wanted.id);
            assert!(told || wanted.rank == crate::knowledge::symptoms::Rank::Frame, "{example}: {:?}", report.symptoms);
        }
    }
}
