//! Sends files of samples to a receiver of remote write, in batches, and remembers what was accepted.
//! **Source:** the Prometheus remote write specification 1.0, `prompb/remote.proto` and `prompb/types.proto`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;

use crate::api::{Failure, Reason, RemoteWriteAuth, RemoteWriteClient, SystemRoots};
use crate::base::clock::Clock;
use crate::base::hash;
use crate::base::secret::Secret;
use crate::base::shutdown::Shutdown;
use crate::cli::RemoteWrite;

/// As Prometheus sends by default.
const SAMPLES_PER_BATCH: usize = 2000;
/// The pauses after failures in a row; a receiver that names a longer one is not asked before it.
const PAUSES: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(300),
];

#[derive(Clone, PartialEq, Message)]
struct WriteRequestMessage {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeriesMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeriesMessage {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<LabelMessage>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<SampleMessage>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
struct LabelMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct SampleMessage {
    #[prost(double, tag = "1")]
    value: f64,
    /// In milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Why not all samples were sent. The same command continues later.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("interrupted")]
    Interrupted,
    #[error("remote write: {0}")]
    Refused(Failure),
    #[error("remote write: {0}")]
    Io(#[from] io::Error),
}

/// The sender that the command line asks for; none where it names no receiver.
///
/// # Errors
/// When a file with a secret cannot be read.
pub(super) fn sender(flags: &RemoteWrite, clock: &Clock, stop: &Shutdown) -> Result<Option<Sender>, String> {
    let Some(url) = &flags.url else { return Ok(None) };
    let auth = match (&flags.bearer_token_file, &flags.username, &flags.password_file) {
        (Some(file), _, _) => RemoteWriteAuth::Bearer(secret(file)?),
        (None, Some(username), Some(file)) => RemoteWriteAuth::Basic(username.clone(), secret(file)?),
        (None, _, _) => RemoteWriteAuth::Open,
    };
    let receiver = hash::stable(url.as_str().as_bytes());
    let client = RemoteWriteClient::try_new(url.clone(), auth, &SystemRoots::default(), clock.clone());
    let client = client.map_err(|failure| failure.to_string())?;
    Ok(Some(Sender { client, receiver, clock: clock.clone(), stop: stop.clone() }))
}

fn secret(file: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// The batches that were accepted, by receiver and file.
struct AcceptedBatches {
    file: File,
    receiver: u64,
    counts: BTreeMap<(u64, u64), u64>,
}

/// Sends samples to one receiver.
pub(super) struct Sender {
    client: RemoteWriteClient,
    /// A number that another receiver does not have.
    receiver: u64,
    clock: Clock,
    stop: Shutdown,
}

impl Sender {
    /// Sends the samples in `files`, one file after the other, but for what was accepted by `log`; returns their number.
    ///
    /// # Errors
    /// Why not all of them were sent. What was accepted is remembered.
    pub(super) async fn send(&self, files: &[PathBuf], log: &Path) -> Result<u64, SendError> {
        let mut accepted = AcceptedBatches::open(log, self.receiver)?;
        let mut sent = 0;
        for path in files {
            let digest = hash::stable(&std::fs::read(path)?);
            let (mut earlier, mut reader) = (accepted.count(digest), BatchReader::open(path)?);
            while let Some(batch) = reader.next_batch()? {
                if earlier > 0 {
                    earlier -= 1;
                    continue;
                }
                sent += batch.timeseries.iter().map(|series| series.samples.len() as u64).sum::<u64>();
                self.send_batch(&batch).await?;
                accepted.add(digest)?;
            }
        }
        Ok(sent)
    }

    async fn send_batch(&self, batch: &WriteRequestMessage) -> Result<(), SendError> {
        let body = snap::raw::Encoder::new().compress_vec(&batch.encode_to_vec()).map_err(io::Error::from)?;
        let mut pauses = PAUSES.iter();
        loop {
            if self.stop.is_requested() {
                return Err(SendError::Interrupted);
            }
            let Err(failure) = self.client.send(body.clone()).await else { return Ok(()) };
            let may_pass =
                failure.reason.is_of_the_way() || matches!(failure.reason, Reason::Throttled | Reason::Unavailable);
            let Some(pause) = pauses.next().filter(|_| may_pass && failure.reason != Reason::Tls) else {
                return Err(SendError::Refused(failure));
            };
            tokio::select! {
                () = self.clock.sleep((*pause).max(failure.retry_after.unwrap_or_default())) => {}
                () = self.stop.requested() => return Err(SendError::Interrupted),
            }
        }
    }
}

impl AcceptedBatches {
    fn open(path: &Path, receiver: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut counts = BTreeMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            // A line that was not written whole is another number, or none: its batch is sent again, which changes nothing.
            let line = String::from_utf8_lossy(&line?).into_owned();
            let parts = line.split_once(' ').filter(|(one, other)| one.len() == 16 && other.len() == 16);
            let number = |text: &str| u64::from_str_radix(text, 16).ok();
            if let Some(key) = parts.and_then(|(one, other)| number(one).zip(number(other))) {
                *counts.entry(key).or_default() += 1;
            }
        }
        file.write_all(b"\n")?;
        Ok(Self { file, receiver, counts })
    }

    fn count(&self, digest: u64) -> u64 {
        self.counts.get(&(self.receiver, digest)).copied().unwrap_or_default()
    }

    fn add(&mut self, digest: u64) -> io::Result<()> {
        self.file.write_all(format!("{:016x} {digest:016x}\n", self.receiver).as_bytes())
    }
}

/// Reads a file of samples, a batch at a time.
struct BatchReader {
    lines: io::Lines<BufReader<File>>,
}

impl BatchReader {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { lines: BufReader::new(File::open(path)?).lines() })
    }

    /// The next batch; none at the end of the file.
    fn next_batch(&mut self) -> io::Result<Option<WriteRequestMessage>> {
        let (mut batch, mut last, mut count) = (WriteRequestMessage::default(), String::new(), 0);
        while count < SAMPLES_PER_BATCH
            && let Some(line) = self.lines.next().transpose()?
        {
            if line.starts_with('#') {
                continue;
            }
            let invalid = || io::Error::new(io::ErrorKind::InvalidData, "a file of samples was changed");
            let (series, sample) = sample(&line).ok_or_else(invalid)?;
            if batch.timeseries.is_empty() || series != last {
                let labels = labels(series).ok_or_else(invalid)?;
                batch.timeseries.push(TimeSeriesMessage { labels, samples: Vec::new() });
                series.clone_into(&mut last);
            }
            if let Some(series) = batch.timeseries.last_mut() {
                series.samples.push(sample);
            }
            count += 1;
        }
        Ok((count > 0).then_some(batch))
    }
}

/// The series and the sample of a line; none for a line that is not one of ours.
fn sample(line: &str) -> Option<(&str, SampleMessage)> {
    let (rest, time) = line.rsplit_once(' ')?;
    let (series, value) = rest.rsplit_once(' ')?;
    let (seconds, milliseconds) = time.split_once('.').unwrap_or((time, "0"));
    let timestamp = seconds.parse::<i64>().ok()? * 1000 + milliseconds.parse::<i64>().ok()?;
    Some((series, SampleMessage { value: value.parse().ok()?, timestamp }))
}

/// The labels of a series, the name among them, in the order that the protocol asks for.
fn labels(series: &str) -> Option<Vec<LabelMessage>> {
    let (name, mut rest) = series.strip_suffix('}')?.split_once('{')?;
    let mut labels = vec![LabelMessage { name: "__name__".into(), value: name.into() }];
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = unescaped(value)?;
        labels.push(LabelMessage { name: name.into(), value });
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    labels.sort();
    Some(labels)
}

/// The text up to the quote that ends it, and what follows that.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_series_with_sorted_labels() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("samples");
        let text = "# TYPE asyncos_x counter\n# HELP asyncos_x Mail.\n\
                    asyncos_x_total{job=\"j\",appliance=\"a\",policy=\"b\\\"c\\\\,d=\\\"\\n e\"} 0 1795435200.001\n\
                    asyncos_x_total{job=\"j\",appliance=\"a\",policy=\"b\\\"c\\\\,d=\\\"\\n e\"} 7.5 1795438800\n\
                    asyncos_y{appliance=\"a\"} 1 1795438800\n# EOF\n";
        std::fs::write(&path, text).expect("written");
        let mut reader = BatchReader::open(&path).expect("readable");
        let batch = reader.next_batch().expect("readable").expect("samples");
        assert_eq!(reader.next_batch().expect("readable"), None);
        let label = |name: &str, value: &str| LabelMessage { name: name.into(), value: value.into() };
        let [x, y] = &batch.timeseries[..] else { panic!("{batch:?}") };
        let expected = [
            label("__name__", "asyncos_x_total"),
            label("appliance", "a"),
            label("job", "j"),
            label("policy", "b\"c\\,d=\"\n e"),
        ];
        assert_eq!(x.labels, expected);
        let samples = [(0.0, 1_795_435_200_001), (7.5, 1_795_438_800_000)];
        assert_eq!(x.samples, samples.map(|(value, timestamp)| SampleMessage { value, timestamp }));
        assert_eq!(y.labels, [label("__name__", "asyncos_y"), label("appliance", "a")]);
    }

    #[test]
    fn accepted_batches_are_those_of_the_receiver_and_of_the_same_bytes() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("sent");
        let mut accepted = AcceptedBatches::open(&path, 1).expect("a log");
        for digest in [7, 7, 8] {
            accepted.add(digest).expect("written");
        }
        drop(accepted);
        let written = std::fs::read(&path).expect("a file");
        std::fs::write(&path, &written[..written.len() - 3]).expect("cut off");
        let accepted = AcceptedBatches::open(&path, 1).expect("a log");
        assert_eq!([7, 8, 9].map(|digest| accepted.count(digest)), [2, 0, 0]);
        assert_eq!(AcceptedBatches::open(&path, 2).expect("a log").count(7), 0);
    }
}
