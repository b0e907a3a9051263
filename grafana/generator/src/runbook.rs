//! The runbook: a page for each alert, in Markdown.

use super::alert::{Alert, Page};
use super::alerts::Section;

const HEAD: &str = "\
# Runbook

Made by `asyncos_exporter rules --write DIR`. An alert's `runbook_url` leads to its part of this page; its `dashboard_url`
to the board that is named under *First look*. Commands are those of the appliance's command line, unless they are said to
be others. Limits that are not yours: change the rule, or silence it for that appliance.

Severities: **critical** wants a person now, **warning** today, **info** when there is time.
";

pub(super) fn text(sections: &[Section]) -> String {
    let mut text = HEAD.to_owned();
    for Section { name, alerts } in sections {
        text += &format!("\n## {name}\n");
        for alert in alerts {
            text += &page(alert);
        }
    }
    text
}

fn page(alert: &Alert) -> String {
    let Page { meaning, impact, panel: (board, panel), commands, causes, actions } = &alert.page;
    let hold = alert.hold.map_or_else(|| "at once".to_owned(), |hold| format!("after {hold}"));
    let list = |items: &[&str]| items.iter().map(|item| format!("- {item}\n")).collect::<String>();
    format!(
        "\n### {}\n\n*{}, {hold}.* {meaning}\n\n**Impact on mail.** {impact}\n\n**First look.** Panel *{panel}* of the board \
         *{}* (`{}`); then:\n\n{}\n**Likely causes.**\n\n{}\n**Safe actions.**\n\n{}",
        alert.name,
        alert.severity.name(),
        board.title(),
        board.name(),
        list(commands),
        list(causes),
        list(actions),
    )
}
