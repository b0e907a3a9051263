//! The page a person sees at `/`: what this is and where to go from here. Pure text.

/// The landing page in HTML: `version` and links to the metrics, `/-/healthy` and `/-/ready`. Needs nothing from
/// outside itself; both arguments are escaped.
#[must_use]
pub fn page(version: &str, telemetry_path: &str) -> String {
    let (version, telemetry_path) = (escaped(version), escaped(telemetry_path));
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>asyncos_exporter</title>
<style>
body {{ font-family: system-ui, sans-serif; line-height: 1.5; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}
</style>
</head>
<body>
<h1>asyncos_exporter</h1>
<p>Prometheus exporter for Cisco AsyncOS mail appliances, version {version}.</p>
<ul>
<li><a href="{telemetry_path}">Metrics</a></li>
<li><a href="/-/healthy">Healthy</a>: the process runs</li>
<li><a href="/-/ready">Ready</a>: configuration and state are loaded</li>
</ul>
</body>
</html>
"#
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            plain => safe.push(plain),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_version_and_links_every_page() {
        let page = page("1.2.3", "/metrics");
        for part in ["version 1.2.3.", r#"href="/metrics""#, r#"href="/-/healthy""#, r#"href="/-/ready""#] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
    }

    #[test]
    fn no_argument_can_become_markup() {
        let page = page("<b>&", r#"/"><script>'"#);
        assert!(page.contains("version &lt;b&gt;&amp;."), "{page}");
        assert!(page.contains(r#"href="/&quot;&gt;&lt;script&gt;&#39;""#), "{page}");
    }
}
