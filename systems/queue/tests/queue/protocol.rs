//! The protocol of beanstalkd: what beanstalkd 1.12 says to these very bytes.

use queue::protocol::{Decoder, Job, Mistake, Reply, Request};

const JOB_BYTES_MAX: u32 = 20;

/// What a decoder makes of `bytes` that arrive in pieces of `piece` bytes.
fn decoded(bytes: &[u8], piece: usize) -> Vec<Result<Request, Mistake>> {
    let mut decoder = Decoder::new(JOB_BYTES_MAX);
    let mut requests = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.received.extend_from_slice(piece);
        requests.extend(std::iter::from_fn(|| decoder.next_request()));
    }
    assert!(decoder.received.is_empty(), "nothing is left over");
    requests
}

/// What `lines`, each of which ends here, come to.
fn lines(lines: &[&str]) -> Vec<Result<Request, Mistake>> {
    let bytes: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    decoded(bytes.as_bytes(), bytes.len())
}

fn job(priority: u32, delay_s: u32, lease_s: u32, body: &'static str) -> Request {
    Request::Put(Job { priority, delay_s, lease_s, body: body.into() })
}

#[test]
fn requests_are_the_same_however_they_arrive() {
    let bytes = b"put 1 2 3 5\r\nab\r\nc\r\nuse a\r\nput 0 0 0 0\r\n\r\nreserve\r\n\
        put 1 1 1 21\r\n123456789012345678901\r\nquit\r\n";
    let expected = vec![
        Ok(job(1, 2, 3, "ab\r\nc")),
        Ok(Request::Use("a".into())),
        Ok(job(0, 0, 1, "")),
        Ok(Request::Reserve { wait_s: None }),
        Err(Mistake::JobTooBig),
        Ok(Request::Quit),
    ];
    for piece in 1..=bytes.len() {
        assert_eq!(decoded(bytes, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn every_request_has_its_line() {
    let all = lines(&[
        "reserve-with-timeout 5",
        "reserve-job 7",
        "delete 7",
        "release 7 1 2",
        "bury 7 1",
        "touch 7",
        "watch a",
        "ignore a",
        "peek 7",
        "peek-ready",
        "peek-delayed",
        "peek-buried",
        "kick 3",
        "kick-job 7",
        "stats-job 7",
        "stats-tube a",
        "stats",
        "list-tubes",
        "list-tube-used",
        "list-tubes-watched",
        "pause-tube a 9",
    ]);
    let verbs: Vec<_> = all.into_iter().map(|request| request.unwrap().verb()).collect();
    let mut different = verbs.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), verbs.len());
}

#[test]
fn lines_that_are_no_requests() {
    for unknown in
        ["", "foo", "DELETE 1", "put", "use", "touch", "kick", " stats", "peek", "delete"]
    {
        assert_eq!(lines(&[unknown]), [Err(Mistake::UnknownCommand)], "{unknown:?}");
    }
    for bad in [
        "put 1 1 1",
        "put -1 0 0 1",
        "put 4294967296 0 0 1",
        "put 1 1 1 2 3",
        "put 1 1 1 2 ",
        "put 1x 1 1 1",
        "kick abc",
        "kick ",
        "kick 99999999999999999999999",
        "kick-job x",
        "kick-job 9 ",
        "kick-job -1",
        "pause-tube",
        "pause-tube a",
        "pause-tube a x",
        "pause-tube a 1 1",
        "pause-tube -a 1",
        "reserve ",
        "reserved",
        "reserve-job x",
        "reserve-with-timeout 99999999999999999999999",
        "use ",
        "use a b",
        "use  a",
        "use -a",
        "use a,b",
        "bury 1",
        "bury 1 1 1",
        "release 1 1",
        "stats ",
        "statsx",
        "list-tubes x",
        "peek-ready x",
        "delete x",
        "delete 1 2",
        "peek 18446744073709551616",
        "a\0b",
    ] {
        assert_eq!(lines(&[bad]), [Err(Mistake::BadFormat)], "{bad:?}");
    }
    let long = |length: usize| format!("use {}", "x".repeat(length));
    assert!(lines(&[&long(200)])[0].is_ok());
    assert_eq!(lines(&[&long(201)]), [Err(Mistake::BadFormat)]);
}

#[test]
fn numbers_are_read_as_in_c() {
    let wait = |text: &str| match &lines(&[&format!("reserve-with-timeout {text}")])[0] {
        Ok(Request::Reserve { wait_s }) => *wait_s,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [wait("x"), wait(""), wait(" 3"), wait("0 x")],
        [Some(0), Some(0), Some(3), Some(0)]
    );
    assert_eq!([wait("-1"), wait("2147483648"), wait("4294967296")], [None, None, Some(0)]);
    let kick = |text: &str| lines(&[&format!("kick {text}")])[0].clone();
    assert_eq!(kick("-1"), Ok(Request::Kick(u32::MAX)));
    assert_eq!([kick("5 abc"), kick("+5"), kick(" 5")], [const { Ok(Request::Kick(5)) }; 3]);
}

#[test]
fn a_line_that_is_too_long_is_one_mistake() {
    for length in [223, 224, 225, 500] {
        let text = format!("{}\r\nstats\r\n", "x".repeat(length));
        for piece in [1, 100, 224, 1000] {
            let expected = [Err(Mistake::BadFormat), Ok(Request::Stats)];
            assert_eq!(decoded(text.as_bytes(), piece), expected, "{length} in pieces of {piece}");
        }
    }
    assert_eq!(lines(&[&"x".repeat(222)]), [Err(Mistake::UnknownCommand)]);
}

#[test]
fn what_follows_a_body_must_end_the_line() {
    let requests = decoded(b"put 1 0 0 3\r\nabcdefg\r\nstats\r\n", 7);
    assert_eq!(requests[0], Err(Mistake::ExpectedCrlf));
    // The bytes in place of the end belong to the job; what comes after them is a line.
    assert_eq!(requests[1..], [Err(Mistake::UnknownCommand), Ok(Request::Stats)]);
}

#[test]
fn replies_in_bytes() {
    let bytes = |reply: Reply| {
        let mut bytes = Vec::new();
        reply.encode(&mut bytes);
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(bytes(Reply::Inserted(7)), "INSERTED 7\r\n");
    assert_eq!(bytes(Reply::Reserved(7, "a\r\nb".into())), "RESERVED 7 4\r\na\r\nb\r\n");
    assert_eq!(bytes(Reply::Found(7, "".into())), "FOUND 7 0\r\n\r\n");
    assert_eq!(bytes(Reply::Page("---\n- a\n".to_owned())), "OK 8\r\n---\n- a\n\r\n");
    assert_eq!(bytes(Reply::Kicked(2)), "KICKED 2\r\n");
    assert_eq!(bytes(Reply::KickedJob), "KICKED\r\n");
    assert_eq!(bytes(Reply::Using("a".into())), "USING a\r\n");
    assert_eq!(bytes(Reply::Watching(2)), "WATCHING 2\r\n");
    assert_eq!(bytes(Reply::Mistake(Mistake::JobTooBig)), "JOB_TOO_BIG\r\n");
}
