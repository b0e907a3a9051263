//! What each kind of panel looks like: lines and fillings, legends, the size of cells.

use serde_json::{Map, Value, json};

use super::{Kind, Order, Panel};

impl Panel {
    pub(super) fn custom(&self) -> Value {
        let graph = |style: &str, fill: u8, stacking: &str| {
            json!({
                "drawStyle": style,
                "fillOpacity": fill,
                "lineInterpolation": "linear",
                "lineWidth": if style == "bars" { 1 } else { 2 },
                "showPoints": "never",
                // A gap says that nothing is known.
                "spanNulls": false,
                "stacking": {"group": "A", "mode": stacking},
                "thresholdsStyle": {"mode": if self.limits.steps.is_empty() { "off" } else { "line+area" }},
            })
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
        let legend = |placement: &str| {
            // No sums: that of a rate is a number without a meaning.
            let calcs = ["mean", "max", "lastNotNull"];
            json!({"calcs": calcs, "displayMode": "table", "placement": placement, "showLegend": true})
        };
        let tooltip = json!({"mode": "multi", "sort": "desc"});
        let newest = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
        match self.kind {
            Kind::Stat => json!({
                "colorMode": if self.limits.steps.is_empty() { "none" } else { "background" },
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": newest,
                "textMode": "value",
            }),
            // A table below the graph has room for three lines.
            Kind::Lines | Kind::Stacked | Kind::Bars => {
                json!({"legend": legend("right"), "tooltip": tooltip})
            }
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
