//! OCSP responses and revocation lists as OpenSSL makes them, and TLSA records of its certificates.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tlswhy_core::chain::ocsp::{self, OcspStatus};
use tlswhy_core::chain::{Certificate, crl, dane};

/// What `tests/data/revocation/make` leaves in a folder.
struct Folder(PathBuf);

impl Folder {
    fn stored() -> Folder {
        Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/revocation"))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn certificate(&self, name: &str) -> Certificate {
        Certificate::read(&self.bytes(name))
    }

    /// The time at which the folder was made, as its response says.
    fn made(&self) -> i64 {
        ocsp::produced_at(&self.bytes("good.ocsp")).unwrap()
    }

    fn status(&self, response: &str, leaf: &str, now: i64) -> Result<OcspStatus, String> {
        ocsp::status(&self.bytes(response), &self.certificate(leaf), &self.certificate("ca.der"), now)
    }
}

fn says_what_is_so(folder: &Folder) {
    let now = folder.made();
    for response in ["good.ocsp", "good-delegate.ocsp", "good-sha256.ocsp"] {
        let OcspStatus::Good { this_update, next_update } = folder.status(response, "good.der", now).unwrap() else {
            panic!("{response} is not good")
        };
        assert!((this_update - now).abs() < 60 && next_update.is_some_and(|next| next > now), "{response}");
    }
    for response in ["revoked.ocsp", "revoked-delegate.ocsp"] {
        let OcspStatus::Revoked(revoked) = folder.status(response, "revoked.der", now).unwrap() else {
            panic!("{response} is not revoked")
        };
        assert_eq!(revoked.at, 1_790_000_000, "{response}");
        assert_eq!(revoked.reason.as_deref(), Some("keyCompromise"), "{response}");
    }
    let ca = folder.certificate("ca.der");
    let list = folder.bytes("list.crl");
    let revoked = crl::revoked(&list, &folder.certificate("revoked.der"), &ca, now, true).unwrap().unwrap();
    assert_eq!((revoked.at, revoked.reason.as_deref()), (1_790_000_000, Some("keyCompromise")));
    assert_eq!(crl::revoked(&list, &folder.certificate("good.der"), &ca, now, true), Ok(None));
}

#[test]
fn stored_answers_say_what_is_so() {
    says_what_is_so(&Folder::stored());
}

#[test]
fn openssl_answers_our_request_and_we_read_its_answer() {
    if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no openssl");
        return;
    }
    let folder = Folder(std::env::temp_dir().join(format!("tlswhy-revocation-{}", std::process::id())));
    let make = |stage: &str| {
        let script = Folder::stored().0.join("make");
        let output = Command::new("sh").arg(script).arg(&folder.0).arg(stage).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    make("certificates");
    let ca = folder.certificate("ca.der");
    for name in ["good", "revoked"] {
        let request = ocsp::request(&folder.certificate(&format!("{name}.der")), &ca);
        fs::write(folder.0.join(format!("{name}.request")), request).unwrap();
    }
    make("answers");
    says_what_is_so(&folder);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    assert!((folder.made() - now).abs() < 300);
    fs::remove_dir_all(&folder.0).unwrap();
}

#[test]
fn an_answer_counts_for_its_certificate_and_its_time_alone() {
    let folder = Folder::stored();
    let now = folder.made();
    let says = |result: Result<OcspStatus, String>, word: &str| {
        assert!(matches!(&result, Err(why) if why.contains(word)), "{result:?}");
    };
    says(folder.status("good.ocsp", "revoked.der", now), "another serial number");
    says(folder.status("good.ocsp", "good.der", now - 3600), "of the future");
    let late = folder.status("good.ocsp", "good.der", now + 40_000 * 86_400);
    assert!(matches!(late, Ok(OcspStatus::Stale { .. })), "{late:?}");
    let other = folder.certificate("good.der");
    says(ocsp::status(&folder.bytes("good.ocsp"), &folder.certificate("good.der"), &other, now), "another issuer");
    says(folder.status("stranger.ocsp", "good.der", now), "OCSPSigning");
    says(ocsp::status(&[0x30, 3, 0x0a, 1, 3], &other, &other, now), "tryLater");

    let list = folder.bytes("list.crl");
    let (good, ca) = (folder.certificate("good.der"), folder.certificate("ca.der"));
    assert!(crl::revoked(&list, &good, &ca, now - 3600, true).unwrap_err().contains("of the future"));
    assert!(crl::revoked(&list, &good, &ca, now + 40_000 * 86_400, true).unwrap_err().contains("too old"));
    assert!(crl::revoked(&list, &good, &good, now, true).unwrap_err().contains("another issuer"));
}

#[test]
fn no_changed_or_cut_bytes_are_believed() {
    let folder = Folder::stored();
    let now = folder.made();
    let (good, revoked, ca) = (folder.certificate("good.der"), folder.certificate("revoked.der"), folder.certificate("ca.der"));
    let (answer, list) = (folder.bytes("revoked.ocsp"), folder.bytes("list.crl"));
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 0x10;
        let status = ocsp::status(&changed, &revoked, &ca, now);
        assert!(!matches!(status, Ok(OcspStatus::Good { .. } | OcspStatus::Unknown)), "byte {at}: {status:?}");
        assert!(ocsp::status(&answer[..at], &revoked, &ca, now).is_err());
    }
    for at in 0..list.len() {
        let mut changed = list.clone();
        changed[at] ^= 0x10;
        assert_ne!(crl::revoked(&changed, &revoked, &ca, now, true), Ok(None), "byte {at}");
        assert!(crl::revoked(&list[..at], &good, &ca, now, true).is_err());
    }
}

#[test]
fn tlsa_records_fit_the_certificates_that_they_name() {
    let folder = Folder::stored();
    let (leaf, ca) = (Arc::new(folder.certificate("good.der")), Arc::new(folder.certificate("ca.der")));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let path = [leaf.clone(), ca.clone()];
    let fits = |record: String, sent: &[Arc<Certificate>]| dane::tlsa(&[record], sent, &path).fits;
    assert!(fits(format!("3 1 1 {}", hex(&leaf.spki_sha256)), &path));
    assert!(fits(format!("3 0 0 {}", hex(&leaf.der).to_uppercase()), &path));
    assert!(fits(format!("2 0 1 {}", hex(&ca.sha256)), &path));
    assert!(fits(format!("0 0 1 {}", hex(&ca.sha256)), &path[..1]));
    assert!(!fits(format!("3 1 1 {}", hex(&ca.spki_sha256)), &path));
    let unsent = dane::tlsa(&[format!("2 0 1 {}", hex(&ca.sha256))], &path[..1], &path);
    assert!(!unsent.fits && unsent.says[0].contains("does not send"), "{unsent:?}");
    for unusable in ["3 1 1 abcd", "4 1 1 00", "3 1", "", "3 1 0 zz", "3 1 0 é"] {
        assert!(!dane::tlsa(&[unusable.to_owned()], &path, &path).usable, "{unusable}");
    }
    let records = ["0 issue \"ca.example; x=y\"", "0 issuewild \";\"", "0 iodef \"mailto:a@b\""].map(str::to_owned);
    let says = dane::caa(&records, &leaf).unwrap();
    assert_eq!(
        says,
        format!(
            "CAA lets ca.example issue certificates and nobody issue those with a wildcard; this one was issued by {}",
            leaf.issuer.text
        )
    );
}
