//! JSON in: the messages of a body.

use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use tonic::{Code, Status};

/// The largest message, as over gRPC.
pub(super) const MESSAGE_BYTES_MAX: usize = 2 << 20;

/// The one message of `body`: its first object. Nothing is a message with nothing set.
pub(super) fn one<M: Message + Default + DeserializeOwned>(body: &[u8]) -> Result<M, Status> {
    objects(body, Code::InvalidArgument).next().unwrap_or_else(|| Ok(M::default()))
}

/// All messages of `body`, one object after the other, up to the first that cannot be read. Only if there is
/// none before it, it is an error: those before it are already on their way.
pub(super) fn several<M>(body: &[u8]) -> Result<Vec<M>, Status>
where
    M: Message + Default + DeserializeOwned,
{
    let mut messages = Vec::new();
    // Like etcd, which does not tell this error from its own.
    for object in objects(body, Code::Unknown) {
        match object {
            Ok(message) => messages.push(message),
            Err(status) if messages.is_empty() => return Err(status),
            Err(_) => break,
        }
    }
    Ok(messages)
}

fn objects<M>(body: &[u8], code: Code) -> impl Iterator<Item = Result<M, Status>>
where
    M: Message + Default + DeserializeOwned,
{
    let objects = Deserializer::from_slice(body).into_iter::<Value>();
    objects.map(move |object| {
        let message =
            object.and_then(message).map_err(|error| Status::new(code, error.to_string()))?;
        bounded(message)
    })
}

fn message<M: Default + DeserializeOwned>(mut object: Value) -> Result<M, serde_json::Error> {
    if object.is_null() {
        return Ok(M::default());
    }
    drop_nulls(&mut object);
    serde_json::from_value(object)
}

/// A field that is null is a field that is not there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn bounded<M: Message>(message: M) -> Result<M, Status> {
    let length = message.encoded_len();
    if length > MESSAGE_BYTES_MAX {
        return Err(Status::resource_exhausted(format!(
            "grpc: received message larger than max ({length} vs. {MESSAGE_BYTES_MAX})"
        )));
    }
    Ok(message)
}
