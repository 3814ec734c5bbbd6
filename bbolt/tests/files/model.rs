//! What a file holds, as a map, and the way into a file and back.

use std::{collections::BTreeMap, convert::Infallible, fmt::Debug};

use archipel_bbolt::{Layout, ReadError, Reader, Sink, Source, WriteError, Writer};

/// The pairs of a bucket.
pub(crate) type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;
/// The buckets of a file.
pub(crate) type Model = BTreeMap<Vec<u8>, Pairs>;

/// Gives all buckets and pairs to the writer.
pub(crate) fn walk<S: Sink>(
    model: &Model,
    mut writer: Writer<S>,
) -> Result<Layout, WriteError<S::Error>> {
    for (name, pairs) in model {
        writer.bucket(name)?;
        for (key, value) in pairs {
            writer.pair(key, value)?;
        }
    }
    writer.finish()
}

/// The file of `model`, which is as large as was measured.
pub(crate) fn write(model: &Model) -> Vec<u8> {
    let layout = walk(model, Writer::measuring()).unwrap();
    let mut file = Vec::new();
    let sink = |bytes: &[u8]| -> Result<(), Infallible> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    walk(model, Writer::new(layout, sink).unwrap()).unwrap();
    assert_eq!(file.len() as u64, layout.file_bytes());
    file
}

/// All that a file holds.
pub(crate) fn read<S: Source>(file: S) -> Result<Model, ReadError<S::Error>> {
    let reader = Reader::open(file)?;
    let mut model = Model::new();
    let mut buckets = reader.buckets()?;
    while let Some(bucket) = buckets.next_bucket()? {
        let mut held = Pairs::new();
        let mut pairs = reader.pairs(&bucket)?;
        while let Some(pair) = pairs.next_pair()? {
            let twice = held.insert(pair.key.to_vec(), pair.value.to_vec());
            assert!(twice.is_none(), "keys ascend");
        }
        let twice = model.insert(bucket.name, held);
        assert!(twice.is_none(), "names ascend");
    }
    Ok(model)
}

/// A model of one bucket.
pub(crate) fn one_bucket(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Model {
    Model::from([(b"bucket".to_vec(), pairs.into_iter().collect())])
}

/// True if the file is refused for what it says.
pub(crate) fn is_refused<E: Debug>(read: &Result<Model, ReadError<E>>) -> bool {
    matches!(read, Err(error) if !matches!(error, ReadError::Source(_)))
}

/// SplitMix64: numbers that are the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `range`, which is not empty.
    pub(crate) fn of(&mut self, range: std::ops::Range<usize>) -> usize {
        let width = (range.end - range.start) as u64;
        range.start + usize::try_from(self.next() % width).unwrap()
    }

    /// One of `items`, which is not empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.of(0..items.len())]
    }

    /// Some bytes, as many as one of `lengths`.
    pub(crate) fn bytes(&mut self, lengths: std::ops::Range<usize>) -> Vec<u8> {
        let length = self.of(lengths);
        let words = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        words.take(length).collect()
    }
}
