//! Keys and ids as people write them.

use dht::Id;

use crate::exit::{Failure, Outcome};

/// The id of forty hexadecimal digits.
pub(super) fn id(text: &str) -> Outcome<Id> {
    bytes(text).map(Id).ok_or_else(|| {
        Failure::usage(format!("{text:?} is no id: an id has forty hexadecimal digits."))
    })
}

/// The secret key of sixty-four hexadecimal digits.
pub(super) fn secret(text: &str) -> Outcome<[u8; 32]> {
    bytes(text).ok_or_else(|| {
        Failure::usage(
            "This is no secret key: it has sixty-four hexadecimal digits. \
             `archipel dht put --sign new` draws one.",
        )
    })
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const COUNT: usize>(text: &str) -> Option<[u8; COUNT]> {
    let digits = text.as_bytes();
    if digits.len() != COUNT * 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{hex, id, secret};

    #[test]
    fn an_id_is_forty_digits_and_nothing_else() {
        let text = "e5f96f6f38320f0f33959cb4d3d656452117aadb";
        assert_eq!(id(text).unwrap().to_string(), text);
        assert!(id(&text[1..]).is_err() && id(&text.replace('e', "+")).is_err());
        assert_eq!(hex(&secret(&"0a".repeat(32)).unwrap()), "0a".repeat(32));
    }
}
