//! Block ciphers in CBC mode, without padding.

use aws_lc_rs::cipher::{self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use des::TdesEde3;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use tlswhy_wire::{CipherMode, Encryption, SuiteDetails};

/// A block cipher with its key.
pub(crate) enum BlockCipher {
    Aes { algorithm: &'static cipher::Algorithm, key: Vec<u8> },
    TripleDes(Box<TdesEde3>),
}

impl BlockCipher {
    /// Length in bytes of key and block; `None` for ciphers that are not computed here.
    pub(crate) fn lengths(suite: &SuiteDetails) -> Option<(usize, usize)> {
        match (suite.encryption, suite.mode) {
            (Encryption::Aes, CipherMode::Cbc) => Some((usize::from(suite.key_bits) / 8, 16)),
            (Encryption::TripleDes, CipherMode::Cbc) => Some((24, 8)),
            _ => None,
        }
    }

    /// The cipher of a suite with this key.
    pub(crate) fn new(suite: &SuiteDetails, key: &[u8]) -> Option<BlockCipher> {
        match suite.encryption {
            Encryption::TripleDes => Some(BlockCipher::TripleDes(Box::new(TdesEde3::new_from_slice(key).ok()?))),
            Encryption::Aes => {
                let algorithm = if key.len() == 16 { &cipher::AES_128 } else { &cipher::AES_256 };
                Some(BlockCipher::Aes { algorithm, key: key.to_vec() })
            }
            _ => None,
        }
    }

    /// Bytes of one block.
    pub(crate) fn block_length(&self) -> usize {
        match self {
            BlockCipher::Aes { .. } => 16,
            BlockCipher::TripleDes(_) => 8,
        }
    }

    /// Encrypts whole blocks in place.
    pub(crate) fn encrypt(&self, iv: &[u8], content: &mut [u8]) -> Option<()> {
        match self {
            BlockCipher::Aes { algorithm, key } => {
                let key = EncryptingKey::cbc(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
                let context = EncryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).ok()?));
                key.less_safe_encrypt(content, context).ok()?;
            }
            BlockCipher::TripleDes(cipher) => {
                let mut before: [u8; 8] = iv.try_into().ok()?;
                let (blocks, []) = content.as_chunks_mut::<8>() else {
                    return None;
                };
                for block in blocks {
                    block.iter_mut().zip(before).for_each(|(byte, before)| *byte ^= before);
                    cipher.encrypt_block((&mut *block).into());
                    before = *block;
                }
            }
        }
        Some(())
    }

    /// Decrypts whole blocks in place.
    pub(crate) fn decrypt(&self, iv: &[u8], content: &mut [u8]) -> Option<()> {
        match self {
            BlockCipher::Aes { algorithm, key } => {
                let key = DecryptingKey::cbc(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
                let context = DecryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).ok()?));
                key.decrypt(content, context).ok()?;
            }
            BlockCipher::TripleDes(cipher) => {
                let mut before: [u8; 8] = iv.try_into().ok()?;
                let (blocks, []) = content.as_chunks_mut::<8>() else {
                    return None;
                };
                for block in blocks {
                    let encrypted = *block;
                    cipher.decrypt_block((&mut *block).into());
                    block.iter_mut().zip(before).for_each(|(byte, before)| *byte ^= before);
                    before = encrypted;
                }
            }
        }
        Some(())
    }
}
