//! One connection: puts a task, takes one, says that it is done, and again.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{beanstalk, engine::Kind, redis};

/// How long an answer may take before something is taken to be broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tasks that are put, in bytes.
pub(crate) const TASK_BYTES: usize = 256;

/// A connection to a queue, line by line.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// # Errors
    /// If nobody listens there.
    pub(crate) async fn connect(address: &str) -> Result<Self, String> {
        let stream =
            TcpStream::connect(address).await.map_err(|error| format!("{address}: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream) })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).await.map_err(|error| error.to_string())
    }

    /// The next line, without its end.
    pub(crate) async fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await;
        match read.map_err(|_| format!("no answer in {PATIENCE:?}"))? {
            Ok(0) => Err("the connection was closed".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A body of so many bytes and the end of its line.
    pub(crate) async fn body(&mut self, bytes: usize) -> Result<Vec<u8>, String> {
        let mut body = vec![0; bytes + 2];
        self.stream.read_exact(&mut body).await.map_err(|error| error.to_string())?;
        body.truncate(bytes);
        Ok(body)
    }
}

/// A client of one of the queues.
#[derive(Debug)]
pub(crate) enum Client {
    Beanstalk(beanstalk::Client),
    Redis(redis::Client),
}

impl Client {
    /// # Errors
    /// If the queue cannot be reached.
    pub(crate) async fn connect(kind: Kind, address: &str, number: usize) -> Result<Self, String> {
        let wire = Wire::connect(address).await?;
        Ok(match kind {
            Kind::Redis => Self::Redis(redis::Client::new(wire, number).await?),
            Kind::Beanstalkd | Kind::One | Kind::Three => {
                Self::Beanstalk(beanstalk::Client::new(wire))
            }
        })
    }

    /// Puts so many tasks, without waiting for one before the next.
    ///
    /// # Errors
    /// What the queue says instead.
    pub(crate) async fn put_many(&mut self, tasks: usize) -> Result<(), String> {
        match self {
            Self::Beanstalk(client) => client.put_many(tasks).await,
            Self::Redis(client) => client.put_many(tasks).await,
        }
    }

    /// Puts a task, takes one and says that it is done.
    async fn turn(&mut self) -> Result<(), String> {
        self.put_many(1).await?;
        match self {
            Self::Beanstalk(client) => {
                let job = client.take().await?;
                client.complete(&job).await
            }
            Self::Redis(client) => {
                let task = client.take().await?;
                client.complete(&task).await
            }
        }
    }

    /// Works from now on; what is done between the two moments counts. Gives how long each task took, in
    /// microseconds.
    ///
    /// # Errors
    /// What went wrong: then nothing counts.
    pub(crate) async fn work(
        mut self,
        from: Instant,
        until: Instant,
    ) -> Result<Histogram<u64>, String> {
        let mut took_us = Histogram::new(3).expect("three digits are allowed");
        loop {
            let begun = Instant::now();
            if begun >= until {
                return Ok(took_us);
            }
            self.turn().await?;
            if begun >= from {
                let took = u64::try_from(begun.elapsed().as_micros()).expect("no task takes years");
                took_us.record(took).expect("a histogram that grows takes every value");
            }
        }
    }
}
