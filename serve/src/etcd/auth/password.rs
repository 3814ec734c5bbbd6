//! Passwords and their hashes: bcrypt, as etcd has it, so that hashes move from there and back.

use std::sync::Arc;

use bytes::Bytes;
use tokio::{sync::Semaphore, task::spawn_blocking};
use tonic::Status;

/// How costly a hash is: 2 to the power of this, as etcd's are.
const COST: u32 = 10;

/// The most bytes of a password that bcrypt looks at. A longer one is refused, not cut.
const PASSWORD_BYTES_MAX: usize = 72;

/// How many hashes are computed at once: they are meant to cost, and consensus needs processors too.
const AT_ONCE: usize = 2;

/// Computes hashes, a few at a time, off the threads that serve.
#[derive(Clone, Debug)]
pub(in crate::etcd) struct Passwords {
    room: Arc<Semaphore>,
}

impl Passwords {
    pub(in crate::etcd) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The hash of a password.
    pub(super) async fn hash(&self, password: String) -> Result<Bytes, Status> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(Status::unknown("bcrypt: password length exceeds 72 bytes"));
        }
        let salt = u128::from(host::draw_u64()) << 64 | u128::from(host::draw_u64());
        let hash = self.compute(move || bcrypt::hash_with_salt(password, COST, salt.to_le_bytes()));
        let hash = hash.await.map_err(|error| Status::unknown(error.to_string()))?;
        Ok(Bytes::from(hash.format_for_version(bcrypt::Version::TwoA)))
    }

    /// True if this is the password with that hash.
    pub(super) async fn is(&self, password: String, hash: Bytes) -> bool {
        let verify = move || {
            let hash = str::from_utf8(&hash).unwrap_or_default();
            bcrypt::verify(password, hash).unwrap_or(false)
        };
        self.compute(verify).await
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _room = self.room.acquire().await.expect("the semaphore is never closed");
        spawn_blocking(work).await.expect("computing a hash does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Passwords};

    #[tokio::test]
    async fn a_password_has_a_hash_that_etcd_reads() {
        let passwords = Passwords::new();
        let hash = passwords.hash("secret".to_owned()).await.unwrap();
        assert!(hash.starts_with(b"$2a$10$"), "{hash:?}");
        assert!(passwords.is("secret".to_owned(), hash.clone()).await);
        assert!(!passwords.is("Secret".to_owned(), hash).await);
        assert!(!passwords.is("secret".to_owned(), Bytes::new()).await);
        assert!(passwords.hash("x".repeat(73)).await.is_err());
    }
}
