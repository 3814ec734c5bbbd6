//! What bbolt demands of a file beyond that it can be read: what its own check looks at, and what its
//! changes to a tree rely on.
//!
//! - Each page in use belongs to one place of one tree, and each page is in use.
//! - The key of a branch is the first key of the page below: bbolt finds a page in its parent by it.
//! - A branch has at least two children: bbolt looks for a neighbour when it deletes.

use std::collections::BTreeSet;

const PAGE_BYTES: usize = 4096;

/// Asserts all of it of a file that was written here.
pub(crate) fn audit(file: &[u8]) {
    let end = file.len() / PAGE_BYTES;
    let mut audit = Audit { file, used: BTreeSet::from([0, 1, 2]) };
    let root = number(file, PAGE_BYTES + 32, 8);
    for (_, value) in audit.tree(root) {
        audit.tree(number(&value, 0, 8));
    }
    assert_eq!(audit.used, (0..end).collect(), "each page is in use");
}

struct Audit<'file> {
    file: &'file [u8],
    used: BTreeSet<usize>,
}

type Pair = (Vec<u8>, Vec<u8>);

impl Audit<'_> {
    /// The pairs of a tree.
    fn tree(&mut self, page: usize) -> Vec<Pair> {
        let start = page * PAGE_BYTES;
        let (flags, count) = (number(self.file, start + 8, 2), number(self.file, start + 10, 2));
        assert_eq!(number(self.file, start, 8), page, "a page says its number");
        for used in page..=page + number(self.file, start + 12, 4) {
            assert!(self.used.insert(used), "page {used} is used once");
        }
        let elements = (0..count).map(|element| start + 16 + 16 * element);
        if flags == 2 {
            return elements.map(|element| self.pair(element)).collect();
        }
        assert_eq!(flags, 1, "page {page} is a leaf or a branch");
        assert!(count >= 2, "branch {page} has {count} children");
        elements.flat_map(|element| self.child(element)).collect()
    }

    fn pair(&self, element: usize) -> Pair {
        let key = element + number(self.file, element + 4, 4);
        let value = key + number(self.file, element + 8, 4);
        let end = value + number(self.file, element + 12, 4);
        (self.file[key..value].to_vec(), self.file[value..end].to_vec())
    }

    fn child(&mut self, element: usize) -> Vec<Pair> {
        let key = element + number(self.file, element, 4);
        let key = &self.file[key..key + number(self.file, element + 4, 4)];
        let below = self.tree(number(self.file, element + 8, 8));
        assert_eq!(below[0].0, key, "a branch repeats the first key of the page below");
        below
    }
}

fn number(bytes: &[u8], place: usize, length: usize) -> usize {
    let bytes = bytes[place..place + length].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}
