//! Recognises what answered when it was not TLS, by its first bytes.
