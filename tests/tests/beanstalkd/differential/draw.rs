//! Scripts from a seed: what clients do and what they should not.

use kernel::Rng;

use super::{CONNECTIONS, Step, send};

const TUBES: [&str; 4] = ["default", "a", "b", "a-b+/;.$_()"];

/// What no client should send, each with how many replies it gets.
const JUNK: [(&str, usize); 30] = [
    ("", 1),
    ("foo", 1),
    ("DELETE 1", 1),
    ("put", 1),
    ("put 1 2 3", 1),
    ("put -1 0 10 1\r\nx", 2),
    ("put 4294967296 0 10 1\r\nx", 2),
    ("put 1 0 10 3\r\nabcdef", 2),
    ("put 1 0 10 1 1\r\nx", 2),
    ("reserve ", 1),
    ("reserve-with-timeout", 1),
    ("reserve-with-timeout 99999999999999999999999", 1),
    ("reserve-job", 1),
    ("use", 1),
    ("use ", 1),
    ("use -a", 1),
    ("use a b", 1),
    ("watch a,b", 1),
    ("ignore  a", 1),
    ("kick x", 1),
    ("kick-job 1x", 1),
    ("delete 1 2", 1),
    ("release 1 1", 1),
    ("bury 1", 1),
    ("touch x", 1),
    ("peek-ready x", 1),
    ("stats-job", 1),
    ("stats-tube ", 1),
    ("pause-tube a", 1),
    ("list-tubesx", 1),
];

/// A script of `count` steps.
pub(super) fn script(seed: u64, count: usize) -> Vec<Step> {
    let mut draw = Draw { random: Rng::new(seed), puts: 0 };
    // Tubes that somebody uses stay, with what they have counted.
    let mut steps: Vec<Step> =
        TUBES.iter().map(|tube| send(CONNECTIONS - 1, format!("watch {tube}"))).collect();
    steps.extend((0..count).map(|_| draw.step()));
    steps
}

struct Draw {
    random: Rng,
    puts: u64,
}

impl Draw {
    fn step(&mut self) -> Step {
        // The last one only watches the tubes and looks.
        let connection = self.below(CONNECTIONS as u64 - 1);
        let connection = usize::try_from(connection).expect("there are few");
        if self.random.chance(1, 60) {
            return Step::Close { connection };
        }
        if self.random.chance(1, 15) {
            let (text, replies) = self.one_of(&JUNK);
            return Step::Send { connection, text: text.to_owned(), replies };
        }
        let (text, looks) = self.request();
        let connection =
            if looks && self.random.chance(1, 2) { CONNECTIONS - 1 } else { connection };
        send(connection, text)
    }

    /// A request, and whether it only looks.
    fn request(&mut self) -> (String, bool) {
        let tube = self.one_of(&TUBES);
        let (job, priority, delay) = (self.job(), self.priority(), self.delay());
        match self.below(40) {
            0..8 => (self.put(priority, delay), false),
            8..15 => ("reserve-with-timeout 0".to_owned(), false),
            15 => (format!("reserve-job {job}"), false),
            16..19 => (format!("delete {job}"), false),
            19..21 => (format!("release {job} {priority} {delay}"), false),
            21..23 => (format!("bury {job} {priority}"), false),
            23 => (format!("touch {job}"), false),
            24..26 => (format!("use {tube}"), false),
            26 => (format!("watch {tube}"), false),
            27 => (format!("ignore {tube}"), false),
            28 => (format!("kick {}", self.below(4)), false),
            29 => (format!("kick-job {job}"), false),
            30 => (
                format!("pause-tube {tube} {}", if self.random.chance(1, 4) { 1000 } else { 0 }),
                false,
            ),
            31 => (format!("peek {job}"), true),
            32 => (self.one_of(&["peek-ready", "peek-delayed", "peek-buried"]).to_owned(), false),
            33..36 => (format!("stats-job {job}"), true),
            36 => (format!("stats-tube {tube}"), true),
            37 => ("list-tubes".to_owned(), true),
            38 => (self.one_of(&["list-tube-used", "list-tubes-watched"]).to_owned(), false),
            _ => ("stats".to_owned(), true),
        }
    }

    fn put(&mut self, priority: u64, delay: u64) -> String {
        self.puts += 1;
        let body = self.one_of(&["", "x", "two\r\nlines", "put 1 1 1 1"]).to_owned();
        format!("put {priority} {delay} 1000 {}\r\n{body}", body.len())
    }

    /// One of the latest jobs mostly, sometimes one that is not there yet.
    fn job(&mut self) -> String {
        let back = self.below(12);
        format!("#{}", (self.puts + 1).saturating_sub(back).max(1))
    }

    fn priority(&mut self) -> u64 {
        self.one_of(&[0, 1, 1023, 1024, 65_536, 4_294_967_295])
    }

    fn delay(&mut self) -> u64 {
        if self.random.chance(1, 6) { 1000 + self.below(3) } else { 0 }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.random.below(all.len() as u64)).expect("there are few")]
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }
}
