//! A file put together by hand: pages, elements and metas as the format says, also such as no writer would make.

/// A file whose pages are written one by one.
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    page_bytes: usize,
}

pub(crate) const BRANCH: u16 = 1;
pub(crate) const LEAF: u16 = 2;

impl Image {
    /// A file of empty pages with two metas that name page 3 as the root.
    pub(crate) fn new(page_bytes: usize, pages: usize) -> Self {
        let mut image = Self { bytes: vec![0; page_bytes * pages], page_bytes };
        for page in [0, 1] {
            image.meta(page, 3, page);
        }
        image
    }

    /// Writes the meta of page `page`.
    pub(crate) fn meta(&mut self, page: u64, root: u64, transaction: u64) {
        let end = (self.bytes.len() / self.page_bytes) as u64;
        let mut meta = Vec::new();
        for number in [0xed0c_daed, 2, u32::try_from(self.page_bytes).unwrap(), 0] {
            meta.extend_from_slice(&number.to_le_bytes());
        }
        for number in [root, 0, u64::MAX, end, transaction] {
            meta.extend_from_slice(&number.to_le_bytes());
        }
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in &meta {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        meta.extend_from_slice(&hash.to_le_bytes());
        self.put(page, &[header(page, 4, 0, 0), meta].concat());
    }

    /// Writes bytes at the start of a page.
    pub(crate) fn put(&mut self, page: u64, bytes: &[u8]) {
        let start = usize::try_from(page).unwrap() * self.page_bytes;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }

    /// Writes a leaf of (flags, key, value), over as many pages as it needs.
    pub(crate) fn leaf(&mut self, page: u64, elements: &[(u32, &[u8], &[u8])]) {
        let bytes = leaf(page, elements);
        let overflow = u32::try_from(bytes.len().div_ceil(self.page_bytes) - 1).unwrap();
        self.put(page, &bytes);
        self.put(page, &header(page, LEAF, elements.len(), overflow));
    }

    /// Writes a branch of (key, child).
    pub(crate) fn branch(&mut self, page: u64, elements: &[(&[u8], u64)]) {
        let mut table = header(page, BRANCH, elements.len(), 0);
        let mut data = Vec::new();
        for (number, (key, child)) in elements.iter().enumerate() {
            let position = 16 * (elements.len() - number) + data.len();
            table.extend_from_slice(&u32::try_from(position).unwrap().to_le_bytes());
            table.extend_from_slice(&u32::try_from(key.len()).unwrap().to_le_bytes());
            table.extend_from_slice(&child.to_le_bytes());
            data.extend_from_slice(key);
        }
        self.put(page, &[table, data].concat());
    }

    /// Writes a root at page 3 with one bucket, whose tree begins at `root`.
    pub(crate) fn one_bucket(&mut self, root: u64) {
        self.leaf(3, &[(1, b"bucket", &bucket(root))]);
    }
}

/// The value of a bucket whose tree begins at `root`.
pub(crate) fn bucket(root: u64) -> Vec<u8> {
    [root.to_le_bytes(), [0; 8]].concat()
}

/// The value of an inline bucket.
pub(crate) fn inline_bucket(elements: &[(u32, &[u8], &[u8])]) -> Vec<u8> {
    [bucket(0), leaf(0, elements)].concat()
}

/// The header of a page.
pub(crate) fn header(page: u64, flags: u16, count: usize, overflow: u32) -> Vec<u8> {
    let count = u16::try_from(count).unwrap();
    let mut bytes = page.to_le_bytes().to_vec();
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&overflow.to_le_bytes());
    bytes
}

fn leaf(page: u64, elements: &[(u32, &[u8], &[u8])]) -> Vec<u8> {
    let mut table = header(page, LEAF, elements.len(), 0);
    let mut data = Vec::new();
    for (number, (flags, key, value)) in elements.iter().enumerate() {
        let position = 16 * (elements.len() - number) + data.len();
        for field in [*flags as usize, position, key.len(), value.len()] {
            table.extend_from_slice(&u32::try_from(field).unwrap().to_le_bytes());
        }
        data.extend_from_slice(key);
        data.extend_from_slice(value);
    }
    [table, data].concat()
}
