//! One panel of a board and its JSON. Knows nothing of where on the board it is.

mod looks;
mod reason;

use serde_json::{Map, Value, json};

use super::board::Uid;
use super::query;
use super::style::{Colour, Limits, Unit, Words};

/// How a panel shows what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Stat,
    Lines,
    /// On top of each other: the parts of a whole.
    Stacked,
    Bars,
    Table,
    Ranking,
    Timeline,
    Text,
}

/// How often a query's data move, which decides the shortest range that rates are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// With each window: the board's hidden variable knows how long they are.
    Window,
    /// With each scrape: what appliances tell about now, and what the exporter tells about itself.
    Minute,
}

impl Step {
    const fn text(self) -> &'static str {
        match self {
            Self::Window => "${window}s",
            Self::Minute => "1m",
        }
    }
}

/// Which rows of a table come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Those with the least.
    Rising,
    /// Those with the most.
    Falling,
}

/// One query.
#[derive(Clone, Debug)]
pub(super) struct Target {
    expr: String,
    legend: String,
    colour: Option<Colour>,
}

/// A column of a table that is one query.
#[derive(Clone, Debug)]
struct Column {
    title: &'static str,
    unit: Unit,
    limits: Limits,
    words: Option<Words>,
}

/// A panel; made by one of the functions named after its kind.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: &'static str,
    description: String,
    kind: Kind,
    unit: Unit,
    step: Step,
    targets: Vec<Target>,
    pub(super) width: u64,
    pub(super) height: u64,
    limits: Limits,
    words: Option<Words>,
    decimals: Option<u8>,
    is_signed: bool,
    keys: &'static [(&'static str, &'static str)],
    columns: Vec<Column>,
    link: Option<(&'static str, &'static str)>,
    /// Properties of columns of keys: the title, the property, its value.
    of_keys: Vec<(&'static str, &'static str, Value)>,
    /// The dashboard with the details.
    next: Option<Uid>,
    has_history: bool,
    order: Option<(&'static str, Order)>,
}

impl Panel {
    fn new(kind: Kind, title: &'static str, description: impl Into<String>, unit: Unit) -> Self {
        let (width, height) = match kind {
            Kind::Stat => (6, 3),
            Kind::Lines | Kind::Stacked | Kind::Bars | Kind::Ranking => (12, 9),
            Kind::Table => (24, 10),
            Kind::Timeline => (12, 7),
            Kind::Text => (24, 4),
        };
        Self {
            title,
            description: description.into(),
            kind,
            unit,
            step: Step::Window,
            targets: Vec::new(),
            width,
            height,
            limits: Limits::none(),
            words: None,
            decimals: None,
            is_signed: false,
            keys: &[],
            columns: Vec::new(),
            link: None,
            of_keys: Vec::new(),
            next: None,
            has_history: false,
            order: None,
        }
    }

    /// One number, now.
    pub(super) fn stat(title: &'static str, description: &str, unit: Unit, expr: &str) -> Self {
        Self::new(Kind::Stat, title, description, unit).query(expr, title)
    }

    /// The numbers of several queries, with their names; or of the only one that finds something, which has a colour.
    pub(super) fn stats(title: &'static str, description: &str, unit: Unit) -> Self {
        Self::new(Kind::Stat, title, description, unit)
    }

    pub(super) fn lines(title: &'static str, description: &str, unit: Unit) -> Self {
        Self::new(Kind::Lines, title, description, unit)
    }

    pub(super) fn stacked(title: &'static str, description: &str, unit: Unit) -> Self {
        Self::new(Kind::Stacked, title, description, unit)
    }

    pub(super) fn bars(title: &'static str, description: &str, unit: Unit) -> Self {
        Self::new(Kind::Bars, title, description, unit)
    }

    /// States over time, a bar for each series.
    pub(super) fn timeline(title: &'static str, description: &str, words: Words) -> Self {
        Self::new(Kind::Timeline, title, description, Unit::Count).words(words).step(Step::Minute)
    }

    /// The greatest of something, a bar for each; `label` names them.
    pub(super) fn ranking(title: &'static str, description: &str, expr: &str, label: &str) -> Self {
        Self::new(Kind::Ranking, title, description, Unit::Count).query(expr, format!("{{{{{label}}}}}"))
    }

    /// A row for each combination of `keys`, which are labels and their titles; columns are added.
    pub(super) fn table(title: &'static str, description: &str, keys: &'static [(&'static str, &'static str)]) -> Self {
        Self { keys, ..Self::new(Kind::Table, title, description, Unit::Count) }
    }

    /// Words, in Markdown.
    pub(super) fn text(title: &'static str, words: &str) -> Self {
        Self::new(Kind::Text, title, words, Unit::Count)
    }

    /// Adds a query; words in capitals are those of [`query`].
    pub(super) fn query(mut self, expr: &str, legend: impl Into<String>) -> Self {
        self.targets.push(Target { expr: query::board(expr), legend: legend.into(), colour: None });
        self
    }

    /// Adds a query whose series has a colour of its own.
    pub(super) fn coloured(mut self, expr: &str, legend: &str, colour: Colour) -> Self {
        self.targets.push(Target { expr: query::board(expr), legend: legend.to_owned(), colour: Some(colour) });
        self
    }

    /// Adds a column.
    pub(super) fn column(mut self, title: &'static str, unit: Unit, limits: Limits, expr: &str) -> Self {
        self.columns.push(Column { title, unit, limits, words: None });
        self.query(expr, "")
    }

    /// Adds a column whose numbers are shown as words.
    pub(super) fn column_in_words(mut self, title: &'static str, words: Words, expr: &str) -> Self {
        self.columns.push(Column { title, unit: Unit::Count, limits: Limits::none(), words: Some(words) });
        self.query(expr, "")
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.step = step;
        self
    }

    pub(super) fn size(mut self, width: u64, height: u64) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    pub(super) fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(super) fn words(mut self, words: Words) -> Self {
        self.words = Some(words);
        self
    }

    /// Shows every digit and no fraction: `increase` extrapolates, and there are no fractions of a message. With
    /// [`Unit::Count`], 2,610 would be rounded to 3 K.
    pub(super) fn whole(mut self) -> Self {
        (self.unit, self.decimals) = (Unit::Whole, Some(0));
        self
    }

    /// Values may be below zero.
    pub(super) fn signed(mut self) -> Self {
        self.is_signed = true;
        self
    }

    /// Links the cells of the first key to the board of that uid.
    pub(super) fn link(mut self, title: &'static str, uid: &'static str) -> Self {
        self.link = Some((title, uid));
        self
    }

    /// Sets a property of the column of keys with that title.
    pub(super) fn key(mut self, title: &'static str, property: &'static str, value: Value) -> Self {
        self.of_keys.push((title, property, value));
        self
    }

    /// Links the panel to the dashboard with the details.
    pub(super) fn leads_to(mut self, board: Uid) -> Self {
        self.next = Some(board);
        self
    }

    /// Shows how the number was before, below it.
    pub(super) fn with_history(mut self) -> Self {
        self.has_history = true;
        self
    }

    /// Sorts the rows by the column of that title.
    pub(super) fn sorted(mut self, title: &'static str, order: Order) -> Self {
        self.order = Some((title, order));
        self
    }

    /// The panel at this place.
    pub(super) fn to_json(&self, id: u64, x: u64, y: u64) -> Value {
        let mut panel = json!({
            "description": self.description,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "id": id,
            "options": self.options(),
            "title": self.title,
            "type": self.kind_name(),
        });
        if self.kind == Kind::Text {
            panel["description"] = json!("Contents and limits of this dashboard.");
            return panel;
        }
        if let Some(board) = self.next {
            let url = format!(
                "/d/{}?${{datasource:queryparam}}&${{job:queryparam}}&${{appliance:queryparam}}&${{__url_time_range}}",
                board.name()
            );
            panel["links"] = json!([{"title": board.title(), "url": url, "targetBlank": false}]);
        }
        panel["datasource"] = source();
        panel["fieldConfig"] = self.fields();
        panel["targets"] = self.targets.iter().enumerate().map(|(place, target)| self.target(place, target)).collect();
        if self.kind == Kind::Table {
            panel["transformations"] = self.transformations();
        }
        panel
    }

    fn target(&self, place: usize, target: &Target) -> Value {
        let is_range = match self.kind {
            Kind::Lines | Kind::Stacked | Kind::Bars | Kind::Timeline => true,
            Kind::Stat => self.has_history,
            Kind::Table | Kind::Ranking | Kind::Text => false,
        };
        json!({
            "datasource": source(),
            "editorMode": "code",
            "exemplar": false,
            "expr": target.expr,
            "format": if self.kind == Kind::Table { "table" } else { "time_series" },
            "instant": !is_range,
            "interval": self.step.text(),
            "legendFormat": target.legend,
            "range": is_range,
            "refId": letter(place),
        })
    }

    fn fields(&self) -> Value {
        let mut defaults = json!({
            "color": {"mode": self.colour_mode()},
            "custom": self.custom(),
            "mappings": self.words.map_or_else(|| json!([]), Words::to_json),
            "noValue": self.targets.first().map_or("", |target| reason::why_empty(&target.expr)),
            "thresholds": self.limits.to_json(),
            "unit": self.unit.name(),
        });
        if !self.is_signed && self.kind != Kind::Table {
            defaults["min"] = json!(0);
        }
        // A share of some percent would be a line at the bottom of a graph up to 100 %.
        if let (Some(most), Kind::Stat | Kind::Ranking) = (self.unit.most(), self.kind) {
            defaults["max"] = json!(most);
        }
        if let Some(decimals) = self.decimals {
            defaults["decimals"] = json!(decimals);
        }
        let colour = |target: &Target| {
            let fixed = json!({"mode": "fixed", "fixedColor": target.colour?.name()});
            Some(by_name(&target.legend, &[("color", fixed)]))
        };
        let mut overrides: Vec<Value> = self.targets.iter().filter_map(colour).collect();
        overrides.extend(self.columns.iter().map(Column::to_json));
        if let (Some((title, uid)), Some((_, key))) = (self.link, self.keys.first()) {
            let url = format!(
                "/d/{uid}?${{datasource:queryparam}}&${{job:queryparam}}&var-appliance=${{__data.fields[\"{key}\"]}}&${{__url_time_range}}"
            );
            overrides.push(by_name(key, &[("links", json!([{"title": title, "url": url, "targetBlank": false}]))]));
        }
        let of_key = |(title, property, value): &(&str, &str, Value)| by_name(title, &[(property, value.clone())]);
        overrides.extend(self.of_keys.iter().map(of_key));
        json!({"defaults": defaults, "overrides": overrides})
    }

    fn colour_mode(&self) -> &'static str {
        match self.kind {
            Kind::Stat | Kind::Table => "thresholds",
            Kind::Ranking => "continuous-BlPu",
            // With `thresholds`, Grafana merges states by their thresholds and forgets what they are called.
            Kind::Timeline | Kind::Lines | Kind::Stacked | Kind::Bars | Kind::Text => "palette-classic",
        }
    }

    /// Joins the queries of a table to one row for each key and names the columns.
    fn transformations(&self) -> Value {
        let join = match self.keys {
            [(key, _)] => json!({"id": "joinByField", "options": {"byField": key, "mode": "outer"}}),
            _ => json!({"id": "merge", "options": {}}),
        };
        let keys = self.keys.iter().map(|(key, _)| *key).collect::<Vec<_>>().join("|");
        let kept =
            json!({"id": "filterFieldsByName", "options": {"include": {"pattern": format!("^({keys}|Value.*)$")}}});
        let mut names = Map::new();
        let mut order = Map::new();
        for (place, (key, title)) in self.keys.iter().enumerate() {
            names.insert((*key).to_owned(), json!(title));
            order.insert((*key).to_owned(), json!(place));
        }
        for (place, column) in self.columns.iter().enumerate() {
            let field = if self.columns.len() == 1 { "Value".to_owned() } else { format!("Value #{}", letter(place)) };
            names.insert(field.clone(), json!(column.title));
            order.insert(field, json!(self.keys.len() + place));
        }
        let organised = json!({"excludeByName": {}, "includeByName": {}, "indexByName": order, "renameByName": names});
        json!([join, kept, {"id": "organize", "options": organised}])
    }
}

impl Column {
    /// In pixels: as narrow as its title and its values are, so that a table is complete on a small screen.
    fn width(&self) -> usize {
        let values = if self.words.is_some() { 90 } else { self.unit.width() };
        (7 * self.title.len() + 20).max(values)
    }

    fn to_json(&self) -> Value {
        let is_coloured = !self.limits.steps.is_empty();
        let limits = if is_coloured { self.limits.cells() } else { self.limits.to_json() };
        let mut properties =
            vec![("unit", json!(self.unit.name())), ("thresholds", limits), ("custom.width", json!(self.width()))];
        if is_coloured {
            properties.push(("custom.cellOptions", json!({"type": "color-background", "mode": "basic"})));
        }
        if let Some(words) = self.words {
            properties.push(("mappings", words.to_json()));
            properties.push(("custom.cellOptions", json!({"type": "color-text"})));
        }
        by_name(self.title, &properties)
    }
}

fn by_name(name: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Vec<Value> = properties.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    json!({"matcher": {"id": "byName", "options": name}, "properties": properties})
}

/// The data source that the board's variable chooses.
pub(super) fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// The letter of a query: A, B, …
fn letter(place: usize) -> String {
    char::from(b'A' + (place % 26) as u8).to_string()
}
