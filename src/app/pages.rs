//! Answers of the routes: closures over what is published, known and in force.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::base::heartbeat::Stalled;
use crate::config::Config;
use crate::http::{Explained, Here, Lifecycle, Metrics, Pages, Render, WebPaths};
use crate::poll::PollContext;
use crate::status::discovery::Discovery;
use crate::status::explain::{Question, Unexplained};
use crate::status::{Facts, Links, Status};
use crate::telemetry::{self, Telemetry};

/// Stage of the daemon's life. Before the first, no request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Configuration and state are loaded, and pollers run.
    Ready,
    /// It is about to end.
    Ending,
}

/// Data that the pages show.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) context: PollContext,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) paths: WebPaths,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
    pub(super) stage: watch::Receiver<Stage>,
}

impl Sources {
    /// All pages; the metrics come from elsewhere.
    pub(super) fn pages(self, metrics: Metrics, lifecycle: Option<mpsc::Sender<Lifecycle>>) -> Pages {
        let own = Arc::new(self);
        let page = |render: fn(&Self) -> String| -> Render {
            let own = Arc::clone(&own);
            Arc::new(move || Bytes::from(render(&own)))
        };
        let [known, found, asked, judged, stage, counted] = [(); 6].map(|()| Arc::clone(&own));
        Pages {
            paths: own.paths.clone(),
            metrics,
            knows: Arc::new(move |name| known.config().appliances.iter().any(|appliance| appliance.name == name)),
            discovery: Arc::new(move |Here { host, scheme }| {
                let (scheme, prefix) = found.paths.seen_from(host, scheme);
                Discovery::new(&found.config(), host, scheme, &prefix).json().into()
            }),
            landing: page(|own| {
                let prefix = own.paths.link_prefix();
                own.status().html(Links { prefix: &prefix, telemetry_path: own.paths.telemetry() })
            }),
            status: page(|own| own.status().json()),
            config: page(|own| own.config().redacted()),
            explain: Arc::new(move |pairs| asked.explain(pairs)),
            healthy: Arc::new(move || judged.healthy()),
            ready: Arc::new(move || *stage.stage.borrow() == Stage::Ready),
            connections: Arc::new(move |open| counted.telemetry.connections_open(open)),
            lifecycle,
        }
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.in_force.borrow())
    }

    fn status(&self) -> Status {
        let PollContext { clock, snapshots, .. } = &self.context;
        let facts = Facts {
            config: &self.config(),
            snapshots: &snapshots.read(),
            traffic: &self.telemetry.traffic(),
            own: self.telemetry.facts(),
            now: clock.wall(),
            tick: clock.tick(),
        };
        Status::new(facts, telemetry::VERSION, telemetry::REVISION)
    }

    fn explain(&self, pairs: Vec<(String, String)>) -> Explained {
        let PollContext { clock, snapshots, .. } = &self.context;
        let answer = Question::try_new(pairs).and_then(|question| question.answer(&snapshots.read(), clock.tick()));
        match answer {
            Ok(explanation) => Explained::Found(explanation.json().into()),
            Err(error @ Unexplained::Unknown { .. }) => Explained::Unknown(error.json().into()),
            Err(error @ (Unexplained::Malformed(_) | Unexplained::Ambiguous { .. })) => {
                Explained::Unclear(error.json().into())
            }
        }
    }

    fn healthy(&self) -> Result<(), String> {
        match self.context.watchdog.stalled() {
            None => Ok(()),
            Some(Stalled { name, silent }) => Err(format!("{name} has been stalled for {} s", silent.as_secs())),
        }
    }
}
