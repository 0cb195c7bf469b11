//! Primes of finite-field Diffie-Hellman that many servers share. What is computed once against such a prime serves against all
//! of them (Logjam, <https://weakdh.org>), so that their size matters all the more.

use aws_lc_rs::digest::{SHA256, digest};

/// A prime that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownPrime {
    /// SHA-256 of the prime, big-endian and without leading zeros.
    sha256: &'static str,
    /// What it is called, and where it stands.
    pub name: &'static str,
    /// Whether half of it is prime too, so that it has no small subgroups.
    pub is_safe: bool,
}

/// Computed from the documents that are named: from their formula (RFC 2409), else as OpenSSL 3.0.19 has them.
static PRIMES: &[KnownPrime] = &[
    KnownPrime {
        sha256: "b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d",
        name: "Oakley group 1 (RFC 2409 §6.1)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0",
        name: "Oakley group 2 (RFC 2409 §6.2)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b",
        name: "MODP group 5 (RFC 3526 §2)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e",
        name: "MODP group 14 (RFC 3526 §3)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c",
        name: "MODP group 15 (RFC 3526 §4)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33",
        name: "MODP group 16 (RFC 3526 §5)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd",
        name: "MODP group 17 (RFC 3526 §6)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf",
        name: "MODP group 18 (RFC 3526 §7)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "44c55cfee5c075927cf682da5b681bdecbd5c3eb0784c14f5dce7610f0ef133d",
        name: "MODP group 22 (RFC 5114 §2.1)",
        is_safe: false,
    },
    KnownPrime {
        sha256: "bfe545862ca102ad1eeddb5fbfa5bf855ac4995c56a8b408ce3fe099dce93a9d",
        name: "MODP group 23 (RFC 5114 §2.2)",
        is_safe: false,
    },
    KnownPrime {
        sha256: "0b7835722cb619827610c2549fdda5587421686c4409a13865e76225522ddcc9",
        name: "MODP group 24 (RFC 5114 §2.3)",
        is_safe: false,
    },
    KnownPrime {
        sha256: "9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966",
        name: "ffdhe2048 (RFC 7919 §A.1)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17",
        name: "ffdhe3072 (RFC 7919 §A.2)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e",
        name: "ffdhe4096 (RFC 7919 §A.3)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7",
        name: "ffdhe6144 (RFC 7919 §A.4)",
        is_safe: true,
    },
    KnownPrime {
        sha256: "770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833",
        name: "ffdhe8192 (RFC 7919 §A.5)",
        is_safe: true,
    },
];

/// The name of a prime, big-endian; `None` for one that is in no list here.
pub fn known(prime: &[u8]) -> Option<&'static KnownPrime> {
    let zeros = prime.iter().take_while(|byte| **byte == 0).count();
    let hash = digest(&SHA256, prime.get(zeros..).unwrap_or_default());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    PRIMES.iter().find(|known| known.sha256 == hex)
}
