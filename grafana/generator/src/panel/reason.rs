//! Why a panel may be empty, by what it is about: "No data" alone leaves the reader guessing.

/// What the panel shows where its queries find nothing; the first word that is part of the query decides.
pub(super) fn why_empty(query: &str) -> &'static str {
    const REASONS: [(&str, &str); 15] = [
        ("ALERTS", "No alert fires, or Prometheus does not evaluate the rules"),
        ("asyncos_device_group_", "No device group is polled for this report"),
        ("asyncos_device_", "No device is polled for this report"),
        ("asyncos_tracking_", "Neither detections nor tracking_searches are configured"),
        ("asyncos_health_", "Health is only reported by ESAs, with health: true"),
        ("asyncos_destination_", "Only ESAs with delivery_status that offer health/delivery_status have this"),
        ("asyncos_status_", "Only ESAs with xml_status: true, or that offer health/system_status, have this"),
        ("asyncos_feature_", "Only ESAs with xml_status: true have this"),
        ("asyncos_quarantine_", "No selected appliance is polled for quarantines"),
        ("asyncos_managed_", "Only SMAs with inventory: true have this"),
        ("asyncos_reporting_", "No selected appliance reports the state of its reporting"),
        ("asyncos_tls_", "No selected appliance is reached by TLS"),
        ("asyncos_shard", "Only exporters that share a fleet have this"),
        ("_mail_", "No selected appliance is polled for this report, or no window has been counted yet"),
        ("asyncos_exporter_", "No selected exporter is scraped"),
    ];
    let reason = REASONS.iter().find(|(word, _)| query.contains(word));
    reason.map_or("Nothing of this kind from the selected exporters and appliances", |(_, reason)| reason)
}
