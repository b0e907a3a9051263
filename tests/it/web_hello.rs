//! The web side's TLS against clients that no library here would play: hellos byte by byte, and what is answered.
//!
//! **Source:** RFC 8446 and RFC 5246, sections 4.1.2 and 7.4.1.2 (the hello), 6.2 and 7.2 (alerts); the registry of TLS
//! parameters of IANA for the numbers of suites.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::Program;
use crate::rig::PATIENCE;
use crate::web::{Site, TLS};

/// Suites of TLS 1.2 that the web side speaks with the certificate of these tests, which has an elliptic key.
const GOOD_12: [u16; 3] = [0xC02B, 0xC02C, 0xCCA9];
const GOOD_13: [u16; 3] = [0x1301, 0x1302, 0x1303];
const SSL_30: u16 = 0x0300;
const TLS_10: u16 = 0x0301;
const TLS_11: u16 = 0x0302;
const TLS_12: u16 = 0x0303;
const TLS_13: u16 = 0x0304;
/// As many suites as leave the hello in one record.
const CHUNK: usize = 4096;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The version and the suite that were chosen.
    Accepted(u16, u16),
    /// A fatal alert and the end of the connection.
    Alert(Alert),
    /// The end of the connection.
    Closed,
}

#[derive(Debug, PartialEq, Eq)]
enum Alert {
    HandshakeFailure,
    ProtocolVersion,
    Other(u8),
}

/// A hello of a client.
#[derive(Clone)]
struct Hello {
    /// The version that it names itself; TLS 1.3 stands in an extension.
    version: u16,
    suites: Vec<u16>,
    /// The versions in the extension; none means that there is no such extension.
    versions: Vec<u16>,
    signatures: Signatures,
}

/// Whether a client says which signatures it takes, which TLS 1.2 began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signatures {
    Named,
    Unnamed,
}

impl Hello {
    /// A client that knows nothing newer than `version`, as old ones are.
    fn of(version: u16, suites: &[u16]) -> Self {
        let signatures = if version < TLS_12 { Signatures::Unnamed } else { Signatures::Named };
        Self { version, suites: suites.to_vec(), versions: Vec::new(), signatures }
    }

    /// A client of today.
    fn modern(versions: &[u16], suites: &[u16]) -> Self {
        let (suites, versions) = (suites.to_vec(), versions.to_vec());
        Self { version: TLS_12, suites, versions, signatures: Signatures::Named }
    }

    /// The hello in its record.
    fn bytes(&self) -> Vec<u8> {
        let suites: Vec<u8> = self.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.extend(prefixed_1(&[]));
        body.extend(prefixed_2(&suites));
        // No compression.
        body.extend(prefixed_1(&[0]));
        // SSL 3.0 has no extensions.
        if self.version > SSL_30 {
            body.extend(prefixed_2(&self.extensions()));
        }
        let length = u32::try_from(body.len()).expect("short").to_be_bytes();
        let handshake = [&[1], &length[1..], &body].concat();
        let record = self.version.min(TLS_10).to_be_bytes();
        [&[22], &record[..], &prefixed_2(&handshake)].concat()
    }

    fn extensions(&self) -> Vec<u8> {
        // X25519 and P-256; elliptic and RSA signatures, with those of TLS 1.0 among them.
        let groups = prefixed_2(&[0x00, 0x1D, 0x00, 0x17]);
        let signatures = prefixed_2(&[4, 3, 5, 3, 8, 4, 8, 5, 4, 1, 5, 1, 2, 3, 2, 1]);
        let mut all = [extension(10, &groups), extension(11, &prefixed_1(&[0]))].concat();
        if self.signatures == Signatures::Named {
            all.extend(extension(13, &signatures));
        }
        if !self.versions.is_empty() {
            let versions: Vec<u8> = self.versions.iter().flat_map(|version| version.to_be_bytes()).collect();
            // Any number is a share of X25519; this is its base point.
            let mut share = [0; 32];
            share[0] = 9;
            let share = [&[0x00, 0x1D], &prefixed_2(&share)[..]].concat();
            all.extend(extension(43, &prefixed_1(&versions)));
            all.extend(extension(51, &prefixed_2(&share)));
        }
        all
    }

    async fn say(&self, address: SocketAddr) -> Answer {
        say(address, &self.bytes()).await
    }
}

fn prefixed_1(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

fn prefixed_2(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes(), &prefixed_2(content)[..]].concat()
}

/// Sends `bytes` and reads the first record of the answer; after an alert nothing may follow.
async fn say(address: SocketAddr, bytes: &[u8]) -> Answer {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        let mut head = [0; 5];
        match stream.read_exact(&mut head).await {
            Ok(_) => {}
            Err(_) => return Answer::Closed,
        }
        let mut content = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut content).await.expect("a whole record");
        match (head[0], &content[..]) {
            (21, [2, alert]) => {
                let mut rest = Vec::new();
                // It may be reset, too.
                let _ = stream.read_to_end(&mut rest).await;
                assert!(rest.is_empty(), "after an alert: {rest:?}");
                Answer::Alert(match alert {
                    40 => Alert::HandshakeFailure,
                    70 => Alert::ProtocolVersion,
                    other => Alert::Other(*other),
                })
            }
            (22, [2, _, _, _, hello @ ..]) => accepted(hello),
            other => panic!("neither an alert nor a hello: {other:?}"),
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("an answer")
}

/// The choice in a hello of a server.
fn accepted(hello: &[u8]) -> Answer {
    let word = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let session = usize::from(hello[34]);
    let (suite, mut at) = (word(35 + session), 38 + session + 2);
    let mut version = word(0);
    while at + 4 <= hello.len() {
        if word(at) == 43 {
            version = word(at + 4);
        }
        at += 4 + usize::from(word(at + 2));
    }
    Answer::Accepted(version, suite)
}

async fn serve(site: &Site, rest: &str) -> (Program, SocketAddr) {
    let mut program = site.serve(&TLS.replace('}', &format!("{rest}}}")), &[]);
    let address = program.address().await;
    (program, address)
}

#[tokio::test]
async fn old_versions_are_refused_whatever_they_offer() {
    let site = Site::new();
    for rest in ["", ", min_version: TLS12", ", min_version: TLS13", ", max_version: TLS12"] {
        let (program, address) = serve(&site, rest).await;
        for version in [SSL_30, TLS_10, TLS_11] {
            for suites in [&[0x002F, 0x0035, 0xC009, 0xC00A, 0xC013, 0x000A, 0x00FF][..], &GOOD_12, &GOOD_13] {
                // A client that names no signatures is refused for that before its version is looked at; the alert is
                // what SSL 3.0 has for every such case.
                let old = Hello::of(version, suites);
                let answer = old.say(address).await;
                assert_eq!(answer, Answer::Alert(Alert::HandshakeFailure), "{rest} {version:04x} {suites:04x?}");
                if version > SSL_30 {
                    let answer = Hello { signatures: Signatures::Named, ..old }.say(address).await;
                    assert_eq!(answer, Answer::Alert(Alert::ProtocolVersion), "{rest} {version:04x} {suites:04x?}");
                }
            }
            // An old version does not get in by the newer way of naming it.
            let answer = Hello::modern(&[version], &GOOD_12).say(address).await;
            assert_eq!(answer, Answer::Alert(Alert::ProtocolVersion), "{rest} {version:04x}");
        }
        program.stop().await;
    }
}

#[tokio::test]
async fn both_versions_are_spoken_unless_one_is_excluded() {
    let site = Site::new();
    let (old, new) = (Hello::of(TLS_12, &GOOD_12), Hello::modern(&[TLS_13], &GOOD_13));
    let both = Hello::modern(&[TLS_13, TLS_12, TLS_11, TLS_10], &[&GOOD_12[..], &GOOD_13[..]].concat());
    for (rest, by_old, by_new, by_both) in [
        ("", Answer::Accepted(TLS_12, 0xC02C), Answer::Accepted(TLS_13, 0x1302), Answer::Accepted(TLS_13, 0x1302)),
        (
            ", min_version: TLS13",
            Answer::Alert(Alert::ProtocolVersion),
            Answer::Accepted(TLS_13, 0x1302),
            Answer::Accepted(TLS_13, 0x1302),
        ),
        (
            ", max_version: TLS12",
            Answer::Accepted(TLS_12, 0xC02C),
            Answer::Alert(Alert::ProtocolVersion),
            Answer::Accepted(TLS_12, 0xC02C),
        ),
    ] {
        let (program, address) = serve(&site, rest).await;
        assert_eq!(old.say(address).await, by_old, "{rest}");
        assert_eq!(new.say(address).await, by_new, "{rest}");
        assert_eq!(both.say(address).await, by_both, "{rest}");
        program.stop().await;
    }
}

#[tokio::test]
async fn weak_suites_of_tls_1_2_are_refused() {
    let site = Site::new();
    let (program, address) = serve(&site, "").await;
    for (kind, suites) in [
        ("RSA key exchange", &[0x009C, 0x009D, 0xC09C, 0xC09D][..]),
        ("CBC", &[0x002F, 0x0035, 0x003C, 0x003D, 0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028]),
        ("DHE", &[0x0033, 0x0039, 0x0067, 0x006B, 0x009E, 0x009F, 0xCCAA]),
        ("RC4", &[0x0004, 0x0005, 0x0018, 0xC007, 0xC011]),
        ("DES and 3DES", &[0x0009, 0x000A, 0x0015, 0x0016, 0xC008, 0xC012]),
        ("NULL", &[0x0000, 0x0001, 0x0002, 0x003B, 0xC006, 0xC010]),
        ("EXPORT", &[0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019]),
        ("anonymous", &[0x0034, 0x003A, 0x006C, 0x00A6, 0x00A7, 0xC015, 0xC016, 0xC018, 0xC019]),
        ("suites of TLS 1.3", &GOOD_13),
        ("ECDHE with another kind of key", &[0xC02F, 0xC030, 0xCCA8]),
    ] {
        assert_eq!(Hello::of(TLS_12, suites).say(address).await, Answer::Alert(Alert::HandshakeFailure), "{kind}");
        // One good one among them is taken.
        let mixed = [suites, &[0xC02B]].concat();
        assert_eq!(Hello::of(TLS_12, &mixed).say(address).await, Answer::Accepted(TLS_12, 0xC02B), "{kind}");
    }
    program.stop().await;
}

/// Every number there is, known or not.
#[tokio::test]
async fn no_suite_is_accepted_but_the_good_ones() {
    let site = Site::new();
    let (program, address) = serve(&site, "").await;
    let others = |good: &[u16]| (0..=u16::MAX).filter(|suite| !good.contains(suite)).collect::<Vec<_>>();
    for suites in others(&GOOD_12).chunks(CHUNK) {
        let answer = Hello::of(TLS_12, suites).say(address).await;
        assert_eq!(answer, Answer::Alert(Alert::HandshakeFailure), "{:04x}…", suites[0]);
    }
    for suites in others(&GOOD_13).chunks(CHUNK) {
        let answer = Hello::modern(&[TLS_13], suites).say(address).await;
        assert_eq!(answer, Answer::Alert(Alert::HandshakeFailure), "{:04x}…", suites[0]);
    }
    for suite in GOOD_12 {
        assert_eq!(Hello::of(TLS_12, &[suite]).say(address).await, Answer::Accepted(TLS_12, suite));
    }
    for suite in GOOD_13 {
        assert_eq!(Hello::modern(&[TLS_13], &[suite]).say(address).await, Answer::Accepted(TLS_13, suite));
    }
    program.stop().await;
}

#[tokio::test]
async fn what_is_no_hello_of_tls_is_not_answered_with_one() {
    let site = Site::new();
    let (program, address) = serve(&site, "").await;
    // SSL 2.0: a length, the kind, the version, the lengths of suites, session and challenge, two suites, a challenge.
    let ssl_20 = [&[0x80, 0x2C, 1, 0, 2, 0, 6, 0, 0, 0, 0x10, 1, 0, 0x80, 7, 0, 0xC0][..], &[5; 29]].concat();
    let whole = Hello::of(TLS_12, &GOOD_12).bytes();
    let mut compressed_only = whole.clone();
    let compression = 5 + 4 + 2 + 32 + 1 + 2 + 2 * GOOD_12.len() + 1;
    assert_eq!(compressed_only[compression], 0, "no compression is offered");
    compressed_only[compression] = 1;
    for (what, bytes) in [
        ("SSL 2.0", ssl_20),
        ("clear text", b"GET /metrics HTTP/1.1\r\nHost: us\r\n\r\n".to_vec()),
        ("compression only", compressed_only),
        ("a record that is too long", vec![22, 3, 1, 0xFF, 0xFF, 1]),
        ("an empty record", vec![22, 3, 1, 0, 0]),
        ("data before the hello", vec![23, 3, 3, 0, 1, 0]),
    ] {
        let answer = say(address, &bytes).await;
        assert!(!matches!(answer, Answer::Accepted(..)), "{what}: {answer:?}");
    }
    assert_eq!(Hello::of(TLS_12, &GOOD_12).say(address).await, Answer::Accepted(TLS_12, 0xC02C), "it goes on");
    program.stop().await;
}
