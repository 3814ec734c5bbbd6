//! As much of protobuf as the messages in etcd's buckets need: numbers and bytes.

/// The fields of a message: (number of the field, what it holds).
pub(crate) type Fields = Vec<(u64, Field)>;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The fields of a message, in the order in which they stand there.
pub(crate) fn decode(mut message: &[u8]) -> Fields {
    let mut fields = Fields::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let number = varint(&mut message);
        let field = match tag & 7 {
            0 => Field::Number(number),
            2 => {
                let (bytes, rest) = message.split_at(usize::try_from(number).unwrap());
                message = rest;
                Field::Bytes(bytes.to_vec())
            }
            other => panic!("wire type {other} is in no bucket of etcd"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

/// The message with these fields.
pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, field) in fields {
        match field {
            Field::Number(value) => {
                put_varint(number << 3, &mut message);
                put_varint(*value, &mut message);
            }
            Field::Bytes(bytes) => {
                put_varint(number << 3 | 2, &mut message);
                put_varint(bytes.len() as u64, &mut message);
                message.extend_from_slice(bytes);
            }
        }
    }
    message
}

fn varint(message: &mut &[u8]) -> u64 {
    let length = message.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let (bytes, rest) = message.split_at(length);
    *message = rest;
    bytes.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
}

fn put_varint(mut number: u64, message: &mut Vec<u8>) {
    while number >= 0x80 {
        message.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    message.push(number.to_le_bytes()[0]);
}
