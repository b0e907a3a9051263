//! Keyed mail groups about files. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Keyed, VERDICTS, Value, group, sum, text};

pub(super) const FILES: &[Keyed] = &[
    group(
        "mail_amp_file_analysis_by_filename",
        k::FILE,
        &[p::events(201, 20)],
        &[
            text("completed_timestamp", Value::Time),
            text(
                "console_url",
                Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]),
            ),
            text("interim_verdict", Value::OneOf(VERDICTS)),
            text("msg_direction", Value::OneOf(&["Incoming", "Outgoing"])),
            text("run_id", Value::Integer(1_000_000)),
            text("score", Value::Score),
            text("status", Value::OneOf(&["complete", "pending"])),
            text("submit_timestamp", Value::Time),
            text(
                "url",
                Value::OneOf(&["https://panacea.example.com/report/1", "https://panacea.example.com/report/2"]),
            ),
        ],
    ),
    group(
        "mail_amp_reputation_update",
        k::FILE,
        &[p::events(202, 20)],
        &[
            text(
                "console_url",
                Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]),
            ),
            text("filenames", Value::OneOf(&["invoice.pdf", "order \"final\".docm", "photo.zip"])),
            text("msg_direction", Value::OneOf(&["Incoming", "Outgoing"])),
            text("old_disposition", Value::OneOf(VERDICTS)),
            text("timestamped_tuple", Value::Time),
        ],
    ),
    group(
        "mail_incoming_malware_threat_file_detail_by_filename",
        k::FILE,
        &[p::AMP_IN],
        &[
            text("amp_verdict_time", Value::Time),
            text(
                "console_url",
                Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]),
            ),
            sum("detected_amp", &[p::AMP_IN]),
            text("score", Value::Score),
            text("threat_name", Value::OneOf(&["W32.Generic", "Doc.Dropper.Macro"])),
            text("threat_type", Value::OneOf(&["Trojan", "Ransomware"])),
            text("upload_flag", Value::Integer(3)),
        ],
    ),
    group(
        "mail_md_attachment_incoming_file_type",
        k::FILE_TYPE,
        &[p::events(230, 40)],
        &[sum("total_recipients", &[p::events(230, 40)])],
    ),
    group(
        "mail_md_attachment_outgoing_file_type",
        k::FILE_TYPE,
        &[p::events(231, 40)],
        &[sum("total_recipients", &[p::events(231, 40)])],
    ),
    group(
        "mail_outgoing_malware_threat_file_detail_by_filename",
        k::FILE,
        &[p::AMP_OUT],
        &[
            text("amp_verdict_time", Value::Time),
            text(
                "console_url",
                Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]),
            ),
            sum("detected_amp", &[p::AMP_OUT]),
            text("score", Value::Score),
            text("threat_name", Value::OneOf(&["W32.Generic", "Doc.Dropper.Macro"])),
            text("threat_type", Value::OneOf(&["Trojan", "Ransomware"])),
            text("upload_flag", Value::Integer(3)),
        ],
    ),
    group("mail_safeprint_details", k::EXTENSION, &[p::events(240, 20)], &[text("file_ext", Value::Integer(40))]),
];
