//! The chains: what each is, and how it is made.

use std::io;

use super::certificate::{
    ALTERNATIVE_NAMES, ANY_USAGE, AUTHORITY_KEY, Alternative, BASIC_CONSTRAINTS, CERTIFICATE_SIGNING, CLIENT_AUTH,
    DIGITAL_SIGNATURE, Draft, EXTENDED_USAGE, KEY_ENCIPHERMENT, KEY_USAGE, LIST_SIGNING, SERVER_AUTH, SUBJECT_KEY, TLS_FEATURE,
    Workshop,
};
use super::der::{boolean, integer, sequence, tlv};

/// The name that most chains are asked for.
const HOST: &str = "good.example.test";

/// One chain: what the server sends and what the client trusts.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: &'static str,
    /// What it is, in words.
    pub says: &'static str,
    /// The name asked for.
    pub host: &'static str,
    /// The certificates that the server sends, DER, end entity first.
    pub sent: Vec<Vec<u8>>,
    /// The name of the end entity's key.
    pub key: &'static str,
    /// What the client trusts.
    pub anchors: Vec<Vec<u8>>,
    /// What is to be had at the address in the end entity's authorityInfoAccess.
    pub elsewhere: Option<Vec<u8>>,
    /// A stapled OCSP response.
    pub staple: Option<Vec<u8>>,
}

/// A usual chain in the making: changed by a case, then signed.
struct Bench<'a> {
    shop: &'a mut Workshop,
    id: &'static str,
    says: &'static str,
}

impl Bench<'_> {
    fn name(&self, of: &str) -> String {
        format!("{} {of}", self.id)
    }

    fn root(&self) -> Draft {
        Draft::root(&self.name("root"))
    }

    fn intermediate(&self) -> Draft {
        Draft::authority(&self.name("intermediate"), &self.name("root"))
    }

    fn leaf(&self) -> Draft {
        self.leaf_for(&[dns(HOST)])
    }

    fn leaf_for(&self, names: &[Alternative]) -> Draft {
        Draft::leaf(&self.name("intermediate"), names)
    }

    /// Sends `sent`, trusts `anchors`.
    fn case(&mut self, sent: &[&Draft], anchors: &[&Draft]) -> io::Result<Case> {
        let sent = sent.iter().map(|draft| self.shop.sign(draft)).collect::<io::Result<Vec<_>>>()?;
        let anchors = anchors.iter().map(|draft| self.shop.sign(draft)).collect::<io::Result<Vec<_>>>()?;
        Ok(Case { id: self.id, says: self.says, host: HOST, sent, key: "leaf", anchors, elsewhere: None, staple: None })
    }

    /// The usual three with one of them changed.
    fn with(&mut self, root: Draft, intermediate: Draft, leaf: Draft) -> io::Result<Case> {
        self.case(&[&leaf, &intermediate], &[&root])
    }

    fn with_leaf(&mut self, leaf: Draft) -> io::Result<Case> {
        self.with(self.root(), self.intermediate(), leaf)
    }

    fn with_intermediate(&mut self, intermediate: Draft) -> io::Result<Case> {
        self.with(self.root(), intermediate, self.leaf())
    }

    /// All keys RSA.
    fn rsa(&self) -> (Draft, Draft, Draft) {
        (
            self.root().key("rsa-root").signer("rsa-root"),
            self.intermediate().key("rsa-intermediate").signer("rsa-root"),
            self.leaf().key("rsa-leaf").signer("rsa-intermediate"),
        )
    }

    fn with_rsa(&mut self, (root, intermediate, leaf): (Draft, Draft, Draft)) -> io::Result<Case> {
        let case = self.with(root, intermediate, leaf)?;
        Ok(Case { key: "rsa-leaf", ..case })
    }
}

fn dns(name: &str) -> Alternative {
    Alternative::Dns(name.to_owned())
}

fn must_staple(leaf: Draft) -> Draft {
    leaf.extension(TLS_FEATURE, false, sequence(&[integer(5)]))
}

type Make = fn(&mut Bench<'_>, &str) -> io::Result<Case>;

/// Every chain; `aia` is where files are served over HTTP.
pub(super) fn all(shop: &mut Workshop, aia: &str) -> io::Result<Vec<Case>> {
    CASES.iter().map(|(id, says, make)| make(&mut Bench { shop, id, says }, aia)).collect()
}

const CASES: &[(&str, &str, Make)] = &[
    // The path.
    ("complete", "leaf and intermediate", |b, _| b.with_leaf(b.leaf())),
    ("intermediate-missing", "the leaf alone", |b, _| b.case(&[&b.leaf()], &[&b.root()])),
    ("intermediate-missing-aia", "the leaf alone; it says where its issuer's certificate is to be had", |b, aia| {
        let elsewhere = Some(b.shop.sign(&b.intermediate())?);
        let leaf = b.leaf().issuer_at(&format!("{aia}/{}.der", b.id));
        Ok(Case { elsewhere, ..b.case(&[&leaf], &[&b.root()])? })
    }),
    ("two-intermediates", "leaf and two intermediates, in order", |b, _| {
        let (lower, leaf) = two_intermediates(b);
        b.case(&[&leaf, &lower, &b.intermediate()], &[&b.root()])
    }),
    ("reversed", "leaf, then the two intermediates in the wrong order", |b, _| {
        let (lower, leaf) = two_intermediates(b);
        b.case(&[&leaf, &b.intermediate(), &lower], &[&b.root()])
    }),
    ("root-sent", "leaf, intermediate, root", |b, _| {
        let root = b.shop.sign(&b.root())?;
        let mut case = b.case(&[&b.leaf(), &b.intermediate()], &[])?;
        case.sent.push(root.clone());
        Ok(Case { anchors: vec![root], ..case })
    }),
    ("root-before-intermediate", "leaf, root, intermediate", |b, _| {
        let root = b.shop.sign(&b.root())?;
        let mut case = b.case(&[&b.leaf(), &b.intermediate()], &[])?;
        case.sent.insert(1, root.clone());
        Ok(Case { anchors: vec![root], ..case })
    }),
    ("duplicate-intermediate", "the intermediate twice", |b, _| {
        let mut case = b.with_leaf(b.leaf())?;
        case.sent.extend(case.sent.get(1).cloned());
        Ok(case)
    }),
    ("duplicate-leaf", "the leaf twice, then the intermediate", |b, _| {
        let mut case = b.with_leaf(b.leaf())?;
        case.sent.splice(1..1, case.sent.first().cloned());
        Ok(case)
    }),
    ("stranger-between", "a certificate of others between leaf and intermediate", |b, _| {
        let stranger = Draft::authority(&b.name("stranger"), &b.name("stranger's root")).key("second").signer("other-root");
        b.case(&[&b.leaf(), &stranger, &b.intermediate()], &[&b.root()])
    }),
    ("stranger-last", "a certificate of others behind the intermediate", |b, _| {
        let stranger = Draft::authority(&b.name("stranger"), &b.name("stranger's root")).key("second").signer("other-root");
        b.case(&[&b.leaf(), &b.intermediate(), &stranger], &[&b.root()])
    }),
    ("untrusted-root", "the root is not in the store", |b, _| {
        let other = Draft::root(&b.name("other root")).key("other-root").signer("other-root");
        b.case(&[&b.leaf(), &b.intermediate()], &[&other])
    }),
    ("untrusted-root-sent", "the root is sent and not in the store", |b, _| {
        let other = Draft::root(&b.name("other root")).key("other-root").signer("other-root");
        b.case(&[&b.leaf(), &b.intermediate(), &b.root()], &[&other])
    }),
    ("bad-signature", "the leaf is signed with another key than its issuer's", |b, _| b.with_leaf(b.leaf().signer("second"))),
    // Alternatives.
    (
        "cross-sign-of-expired-root",
        "the new root, cross-signed by the expired old one, sent along; both in the store",
        |b, _| {
            let (cross, old) = cross_signed(b);
            b.case(&[&b.leaf(), &b.intermediate(), &cross], &[&old.until(-10), &b.root()])
        },
    ),
    ("cross-sign-of-removed-root", "the same; the old root is gone from the store", |b, _| {
        let (cross, _) = cross_signed(b);
        b.case(&[&b.leaf(), &b.intermediate(), &cross], &[&b.root()])
    }),
    ("cross-sign-expired", "the cross-signed certificate itself is expired; both roots in the store", |b, _| {
        let (cross, old) = cross_signed(b);
        b.case(&[&b.leaf(), &b.intermediate(), &cross.until(-10)], &[&old, &b.root()])
    }),
    ("cross-sign-needed", "the new root is not in the store, the old one is; the cross-sign is sent", |b, _| {
        let (cross, old) = cross_signed(b);
        b.case(&[&b.leaf(), &b.intermediate(), &cross], &[&old])
    }),
    ("twin-expired-first", "two intermediates of one name and key: the expired one first, then the valid one", |b, _| {
        b.case(&[&b.leaf(), &b.intermediate().until(-5), &b.intermediate()], &[&b.root()])
    }),
    ("twin-expired-last", "the same, the valid one first", |b, _| {
        b.case(&[&b.leaf(), &b.intermediate(), &b.intermediate().until(-5)], &[&b.root()])
    }),
    ("twin-untrusted-first", "one intermediate under two roots: the way to the unknown root first", |b, _| {
        let other = Draft::authority(&b.name("intermediate"), &b.name("other root")).signer("other-root");
        b.case(&[&b.leaf(), &other, &b.intermediate()], &[&b.root()])
    }),
    ("twin-untrusted-first-root-sent", "the same, with the unknown root sent along", |b, _| {
        let other = Draft::authority(&b.name("intermediate"), &b.name("other root")).signer("other-root");
        let unknown = Draft::root(&b.name("other root")).key("other-root").signer("other-root");
        b.case(&[&b.leaf(), &other, &unknown, &b.intermediate()], &[&b.root()])
    }),
    ("twin-other-key-first", "two intermediates of one name: one with another key first, without key identifiers", |b, _| {
        let plain = |draft: Draft| draft.without(SUBJECT_KEY).without(AUTHORITY_KEY);
        let wrong = plain(b.intermediate().key("second"));
        b.case(&[&plain(b.leaf()), &wrong, &plain(b.intermediate())], &[&b.root()])
    }),
    ("twin-other-key-first-identified", "the same, with key identifiers that tell them apart", |b, _| {
        b.case(&[&b.leaf(), &b.intermediate().key("second"), &b.intermediate()], &[&b.root()])
    }),
    ("twin-constrained-first", "two intermediates of one name and key: one with fatal name constraints first", |b, _| {
        b.case(&[&b.leaf(), &b.intermediate().constrained(true, "other.test"), &b.intermediate()], &[&b.root()])
    }),
    ("twin-roots-expired-first", "two roots of one name and key in the store: the expired one first", |b, _| {
        b.case(&[&b.leaf(), &b.intermediate()], &[&b.root().until(-5), &b.root()])
    }),
    ("expired-root", "the root in the store is expired", |b, _| b.with(b.root().until(-5), b.intermediate(), b.leaf())),
    ("expired-intermediate", "the intermediate is expired", |b, _| b.with_intermediate(b.intermediate().until(-5))),
    // Trust without a root.
    ("partial-not-sent", "the store holds the intermediate alone; the leaf alone is sent", |b, _| {
        b.case(&[&b.leaf()], &[&b.intermediate()])
    }),
    ("partial-sent", "the store holds the intermediate alone; it is sent too", |b, _| {
        let intermediate = b.shop.sign(&b.intermediate())?;
        let mut case = b.case(&[&b.leaf()], &[])?;
        case.sent.push(intermediate.clone());
        Ok(Case { anchors: vec![intermediate], ..case })
    }),
    ("leaf-in-store", "the store holds the leaf alone, which an authority issued", |b, _| {
        let leaf = b.shop.sign(&b.leaf())?;
        let case = b.case(&[], &[])?;
        Ok(Case { sent: vec![leaf.clone()], anchors: vec![leaf], ..case })
    }),
    ("self-signed-in-store", "a self-signed end entity, in the store", |b, _| {
        let leaf = b.shop.sign(&Draft::leaf(HOST, &[dns(HOST)]).signer("leaf"))?;
        let case = b.case(&[], &[])?;
        Ok(Case { sent: vec![leaf.clone()], anchors: vec![leaf], ..case })
    }),
    (
        "self-signed-authority-in-store",
        "a self-signed server certificate with the CA bit (`openssl req -x509`), in the store",
        |b, _| {
            let draft = Draft::root(HOST).key("leaf").signer("leaf").named(&[dns(HOST)]).without(KEY_USAGE);
            let leaf = b.shop.sign(&draft)?;
            let case = b.case(&[], &[])?;
            Ok(Case { sent: vec![leaf.clone()], anchors: vec![leaf], ..case })
        },
    ),
    ("self-signed-unknown", "a self-signed end entity, not in the store", |b, _| {
        b.case(&[&Draft::leaf(HOST, &[dns(HOST)]).signer("leaf")], &[&b.root()])
    }),
    // Names.
    ("name-other", "another name", |b, _| b.with_leaf(b.leaf_for(&[dns("other.example.test")]))),
    ("name-upper-case", "the name in capitals", |b, _| b.with_leaf(b.leaf_for(&[dns("GOOD.EXAMPLE.TEST")]))),
    ("common-name-only", "the name as common name, no subjectAltName", |b, _| b.with_leaf(b.leaf().without(ALTERNATIVE_NAMES))),
    ("common-name-beside-email", "the name as common name; subjectAltName holds a mail address alone", |b, _| {
        b.with_leaf(b.leaf_for(&[Alternative::Email("root@example.test")]).subject(HOST))
    }),
    ("common-name-beside-other", "the name as common name; subjectAltName holds another DNS name", |b, _| {
        b.with_leaf(b.leaf_for(&[dns("other.example.test")]).subject(HOST))
    }),
    ("wildcard", "*.example.test for good.example.test", |b, _| b.with_leaf(b.leaf_for(&[dns("*.example.test")]))),
    ("wildcard-two-labels", "*.example.test for a.good.example.test", |b, _| {
        Ok(Case { host: "a.good.example.test", ..b.with_leaf(b.leaf_for(&[dns("*.example.test")]))? })
    }),
    ("wildcard-bare", "*.example.test for example.test", |b, _| {
        Ok(Case { host: "example.test", ..b.with_leaf(b.leaf_for(&[dns("*.example.test")]))? })
    }),
    ("wildcard-partial", "g*.example.test for good.example.test", |b, _| b.with_leaf(b.leaf_for(&[dns("g*.example.test")]))),
    ("wildcard-top", "*.test for example.test", |b, _| {
        Ok(Case { host: "example.test", ..b.with_leaf(b.leaf_for(&[dns("*.test")]))? })
    }),
    ("wildcard-inner", "good.*.test for good.example.test", |b, _| b.with_leaf(b.leaf_for(&[dns("good.*.test")]))),
    ("address", "the address as iPAddress", |b, _| {
        Ok(Case { host: "127.0.0.1", ..b.with_leaf(b.leaf_for(&[Alternative::Address([127, 0, 0, 1])]))? })
    }),
    ("address-as-dns", "the address as dNSName", |b, _| {
        Ok(Case { host: "127.0.0.1", ..b.with_leaf(b.leaf_for(&[dns("127.0.0.1")]).subject("none"))? })
    }),
    ("address-as-common-name", "the address as common name, no subjectAltName", |b, _| {
        Ok(Case { host: "127.0.0.1", ..b.with_leaf(b.leaf().subject("127.0.0.1").without(ALTERNATIVE_NAMES))? })
    }),
    // Keys and digests.
    ("rsa-2048", "RSA-2048 throughout", |b, _| b.with_rsa(b.rsa())),
    ("rsa-1024-leaf", "the leaf's key is RSA-1024", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        Ok(Case { key: "weak", ..b.with(root, intermediate, leaf.key("weak"))? })
    }),
    ("rsa-1024-intermediate", "the intermediate's key is RSA-1024", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate.key("weak"), leaf.signer("weak")))
    }),
    ("rsa-1024-root", "the root's key is RSA-1024", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root.key("weak").signer("weak"), intermediate.signer("weak"), leaf))
    }),
    ("sha1-leaf", "the leaf is signed with SHA-1", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate, leaf.digest("sha1")))
    }),
    ("sha1-intermediate", "the intermediate is signed with SHA-1", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate.digest("sha1"), leaf))
    }),
    ("sha1-root", "the root is signed with SHA-1", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root.digest("sha1"), intermediate, leaf))
    }),
    ("md5-leaf", "the leaf is signed with MD5", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate, leaf.digest("md5")))
    }),
    ("md5-intermediate", "the intermediate is signed with MD5", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate.digest("md5"), leaf))
    }),
    // What a certificate may be used for.
    ("usage-client-only", "the leaf's extended key usage is clientAuth alone", |b, _| {
        b.with_leaf(b.leaf().purposes(&[CLIENT_AUTH]))
    }),
    ("usage-none", "the leaf has no extended key usage", |b, _| b.with_leaf(b.leaf().without(EXTENDED_USAGE))),
    ("usage-any", "the leaf's extended key usage is anyExtendedKeyUsage", |b, _| b.with_leaf(b.leaf().purposes(&[ANY_USAGE]))),
    ("usage-intermediate-client-only", "the intermediate's extended key usage is clientAuth alone", |b, _| {
        b.with_intermediate(b.intermediate().purposes(&[CLIENT_AUTH]))
    }),
    ("usage-intermediate-server", "the intermediate's extended key usage is serverAuth", |b, _| {
        b.with_intermediate(b.intermediate().purposes(&[SERVER_AUTH]))
    }),
    ("key-usage-encipherment", "the leaf's key may encipher and not sign, and signs", |b, _| {
        let (root, intermediate, leaf) = b.rsa();
        b.with_rsa((root, intermediate, leaf.usage(KEY_ENCIPHERMENT)))
    }),
    ("no-key-usage", "no certificate has a key usage", |b, _| {
        let plain = |draft: Draft| draft.without(KEY_USAGE);
        b.with(plain(b.root()), plain(b.intermediate()), plain(b.leaf()))
    }),
    ("intermediate-may-not-sign", "the intermediate's key usage lacks keyCertSign", |b, _| {
        b.with_intermediate(b.intermediate().usage(DIGITAL_SIGNATURE | LIST_SIGNING))
    }),
    ("intermediate-no-ca", "the intermediate's basicConstraints say CA:FALSE", |b, _| {
        b.with_intermediate(b.intermediate().extension(BASIC_CONSTRAINTS, true, sequence(&[])))
    }),
    ("intermediate-no-constraints", "the intermediate has no basicConstraints", |b, _| {
        b.with_intermediate(b.intermediate().without(BASIC_CONSTRAINTS))
    }),
    ("constraints-not-critical", "basicConstraints of root and intermediate are not critical", |b, _| {
        let soft = |draft: Draft| draft.extension(BASIC_CONSTRAINTS, false, sequence(&[boolean(true)]));
        b.with(soft(b.root()), soft(b.intermediate()), b.leaf())
    }),
    ("no-key-identifiers", "no certificate has key identifiers", |b, _| {
        let plain = |draft: Draft| draft.without(SUBJECT_KEY).without(AUTHORITY_KEY);
        b.with(plain(b.root()), plain(b.intermediate()), plain(b.leaf()))
    }),
    ("root-no-constraints", "the root has no basicConstraints", |b, _| {
        b.with(b.root().without(BASIC_CONSTRAINTS), b.intermediate(), b.leaf())
    }),
    ("root-version-1", "the root is of X.509 version 1", |b, _| b.with(b.root().version_1(), b.intermediate(), b.leaf())),
    ("intermediate-version-1", "the intermediate is of X.509 version 1", |b, _| {
        b.with_intermediate(b.intermediate().version_1())
    }),
    ("leaf-version-1", "the leaf is of X.509 version 1", |b, _| b.with_leaf(b.leaf().version_1())),
    ("leaf-is-ca", "the leaf has the CA bit", |b, _| {
        b.with_leaf(b.leaf().authority_bits(None).usage(DIGITAL_SIGNATURE | CERTIFICATE_SIGNING))
    }),
    ("path-too-long", "the upper of two intermediates allows none below it", |b, _| {
        let (lower, leaf) = two_intermediates(b);
        b.case(&[&leaf, &lower, &b.intermediate().authority_bits(Some(0))], &[&b.root()])
    }),
    ("path-too-long-for-root", "the root allows no intermediate", |b, _| {
        b.with(b.root().authority_bits(Some(0)), b.intermediate(), b.leaf())
    }),
    ("name-not-permitted", "the intermediate permits other.test alone", |b, _| {
        b.with_intermediate(b.intermediate().constrained(true, "other.test"))
    }),
    ("name-permitted", "the intermediate permits example.test", |b, _| {
        b.with_intermediate(b.intermediate().constrained(true, "example.test"))
    }),
    ("name-excluded", "the intermediate excludes example.test", |b, _| {
        b.with_intermediate(b.intermediate().constrained(false, "example.test"))
    }),
    ("name-not-permitted-by-root", "the root permits other.test alone", |b, _| {
        b.with(b.root().constrained(true, "other.test"), b.intermediate(), b.leaf())
    }),
    ("unknown-critical-leaf", "a critical extension of the leaf that nobody knows", |b, _| {
        b.with_leaf(b.leaf().extension("1.3.6.1.4.1.55555.1", true, tlv(5, &[])))
    }),
    ("unknown-critical-intermediate", "the same in the intermediate", |b, _| {
        b.with_intermediate(b.intermediate().extension("1.3.6.1.4.1.55555.1", true, tlv(5, &[])))
    }),
    // Revocation.
    ("must-staple", "must be stapled, and nothing is", |b, _| b.with_leaf(must_staple(b.leaf()))),
    ("must-staple-stapled", "must be stapled, and a good response is", |b, _| stapled(b, must_staple(b.leaf()), false)),
    ("stapled-good", "a good OCSP response is stapled", |b, _| stapled(b, b.leaf(), false)),
    ("stapled-revoked", "an OCSP response is stapled that says revoked", |b, _| stapled(b, b.leaf(), true)),
    // Times.
    ("expired", "the leaf is expired", |b, _| b.with_leaf(b.leaf().until(-2))),
    ("not-yet-valid", "the leaf begins in two days", |b, _| b.with_leaf(b.leaf().from(2))),
    ("valid-for-two-years", "the leaf is valid for 730 days", |b, _| b.with_leaf(b.leaf().from(-10).until(720))),
    ("valid-for-ten-years", "the leaf is valid for 3650 days", |b, _| b.with_leaf(b.leaf().from(-10).until(3640))),
];

/// A second intermediate below the usual one, and a leaf below it.
fn two_intermediates(b: &Bench<'_>) -> (Draft, Draft) {
    let lower = Draft::authority(&b.name("lower"), &b.name("intermediate")).key("second").signer("intermediate");
    (lower, Draft::leaf(&b.name("lower"), &[dns(HOST)]).signer("second"))
}

/// The root's key and name in a certificate of the old root, and the old root.
fn cross_signed(b: &Bench<'_>) -> (Draft, Draft) {
    let old = Draft::root(&b.name("old root")).key("other-root").signer("other-root");
    (Draft::authority(&b.name("root"), &b.name("old root")).key("root").signer("other-root"), old)
}

fn stapled(b: &mut Bench<'_>, leaf: Draft, revoked: bool) -> io::Result<Case> {
    let intermediate = b.shop.sign(&b.intermediate())?;
    let leaf = b.shop.sign(&leaf)?;
    let staple = b.shop.ocsp(&leaf, &intermediate, "intermediate", revoked)?;
    Ok(Case { sent: vec![leaf, intermediate], staple: Some(staple), ..b.case(&[], &[&b.root()])? })
}
