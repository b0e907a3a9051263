//! Keyed mail groups about files.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, Part};
use crate::sim::keyed::{Column, FILE_NAMES, KeyedGroup, VERDICTS, Value, group, single_counter, sum, text};

const CONSOLE_URL: Column =
    text("console_url", Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]));
const DIRECTION: Column = text("msg_direction", Value::OneOf(&["Incoming", "Outgoing"]));

/// A file with malware, in mail of one direction.
const fn bad_file(detected: &'static [Part]) -> [Column; 7] {
    [
        text("amp_verdict_time", Value::Time),
        CONSOLE_URL,
        sum("detected_amp", detected),
        text("score", Value::Score),
        text("threat_name", Value::OneOf(&["W32.Generic", "Doc.Dropper.Macro"])),
        text("threat_type", Value::OneOf(&["Trojan", "Ransomware"])),
        text("upload_flag", Value::Integer(3)),
    ]
}

pub(super) const FILES: &[KeyedGroup] = &[
    group(
        "mail_amp_file_analysis_by_filename",
        k::FILE,
        &[p::events(201, 20)],
        &[
            text("completed_timestamp", Value::Time),
            CONSOLE_URL,
            text("interim_verdict", Value::OneOf(VERDICTS)),
            DIRECTION,
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
            CONSOLE_URL,
            FILE_NAMES,
            DIRECTION,
            text("old_disposition", Value::OneOf(VERDICTS)),
            text("timestamped_tuple", Value::Time),
        ],
    ),
    group("mail_incoming_malware_threat_file_detail_by_filename", k::FILE, &[p::AMP_IN], &bad_file(&[p::AMP_IN])),
    single_counter!("mail_md_attachment_incoming_file_type", k::FILE_TYPE, "total_recipients", &[p::events(230, 40)]),
    single_counter!("mail_md_attachment_outgoing_file_type", k::FILE_TYPE, "total_recipients", &[p::events(231, 40)]),
    group("mail_outgoing_malware_threat_file_detail_by_filename", k::FILE, &[p::AMP_OUT], &bad_file(&[p::AMP_OUT])),
    group("mail_safeprint_details", k::EXTENSION, &[p::events(240, 20)], &[text("file_ext", Value::Integer(40))]),
];
