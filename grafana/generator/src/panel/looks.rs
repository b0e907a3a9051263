//! What each kind of panel looks like: lines and fillings, legends, the size of cells.

use serde_json::{Map, Value, json};

use super::{Kind, Order, Panel};

impl Panel {
    /// The name of the kind of panel in Grafana.
    pub(super) const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Stat => "stat",
            Kind::Lines | Kind::Stacked | Kind::Bars => "timeseries",
            Kind::Table => "table",
            Kind::Ranking => "bargauge",
            Kind::Timeline => "state-timeline",
            Kind::Text => "text",
        }
    }

    pub(super) fn custom(&self) -> Value {
        let graph = |style: &str, fill: u8, stacking: &str| {
            let mut custom = json!({
                "axisSoftMin": 0,
                "drawStyle": style,
                "fillOpacity": fill,
                "lineInterpolation": "linear",
                "lineWidth": if style == "bars" { 1 } else { 2 },
                "showPoints": "never",
                // A gap says that nothing is known.
                "spanNulls": false,
                "stacking": {"group": "A", "mode": stacking},
                "thresholdsStyle": {"mode": if self.limits.steps.is_empty() { "off" } else { "dashed" }},
            });
            if let Some(most) = self.limits.axis() {
                custom["axisSoftMax"] = json!(most);
            }
            custom
        };
        match self.kind {
            Kind::Lines => graph("line", 0, "none"),
            Kind::Stacked => graph("line", 60, "normal"),
            Kind::Bars => graph("bars", 80, "normal"),
            Kind::Timeline => json!({"fillOpacity": 80, "lineWidth": 0}),
            Kind::Table => json!({"align": "auto", "cellOptions": {"type": "auto"}, "filterable": true}),
            Kind::Stat | Kind::Ranking | Kind::Text => Value::Object(Map::new()),
        }
    }

    pub(super) fn options(&self) -> Value {
        // The title names a line that is alone. Beside a graph, a legend would take half of it. No sums: that of a rate is a
        // number without a meaning.
        let is_alone = matches!(&self.targets[..], [only] if !only.legend.contains("{{"));
        let legend = json!({
            "calcs": ["max", "lastNotNull"],
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": !is_alone,
        });
        let tooltip = json!({"mode": "multi", "sort": "desc"});
        let newest = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
        let is_coloured = !self.limits.steps.is_empty() || self.targets.iter().any(|target| target.colour.is_some());
        match self.kind {
            Kind::Stat => json!({
                "colorMode": if is_coloured { "background" } else { "none" },
                "graphMode": if self.has_history { "area" } else { "none" },
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": newest,
                "textMode": if self.targets.len() > 1 && !is_coloured { "value_and_name" } else { "value" },
            }),
            Kind::Lines | Kind::Stacked | Kind::Bars => json!({"legend": legend, "tooltip": tooltip}),
            Kind::Table => {
                let by = |(title, order)| json!({"desc": order == Order::Falling, "displayName": title});
                let sorted: Vec<Value> = self.order.map(by).into_iter().collect();
                json!({"cellHeight": "sm", "showHeader": true, "sortBy": sorted})
            }
            Kind::Ranking => json!({
                "displayMode": "gradient",
                "minVizHeight": 16,
                "minVizWidth": 8,
                "orientation": "horizontal",
                "reduceOptions": newest,
                "showUnfilled": true,
                "valueMode": "color",
            }),
            Kind::Timeline => json!({
                "alignValue": "left",
                "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true},
                "mergeValues": true,
                "rowHeight": 0.9,
                "showValue": "auto",
                "tooltip": {"mode": "single", "sort": "none"},
            }),
            Kind::Text => json!({"content": self.description, "mode": "markdown"}),
        }
    }
}
