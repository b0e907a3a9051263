//! Recipients and files: the outcome of incoming and outgoing mail.

use crate::sim::traffic::{
    BULK, CLEAN_IN, CLEAN_OUT, DLP_CRITICAL, DLP_HIGH, DLP_LOW, DLP_MEDIUM, DeviceMinute, Division, FILES_IN,
    FILES_OUT, FILTERED_IN, FILTERED_OUT, INVALID_RECIPIENT, MAR_BOTH, MAR_DELETED, MAR_FORWARDED, MARKETING, REJECTED,
    SOCIAL, SPAM_CERTAIN, SPAM_OUT, SPAM_SUSPECT, URL_IN, URL_OUT, VIRUS_IN, VIRUS_OUT, division,
};

/// Clean, unknown, low risk, low risk by ClamAV, malware, on the block list, over the custom threshold, unscannable.
const DISPOSITIONS: [u64; 8] = [900, 50, 20, 10, 8, 4, 4, 4];
const FILES_IN_BY_DISPOSITION: Division<8> = division(61, DISPOSITIONS);
const FILES_OUT_BY_DISPOSITION: Division<8> = division(62, DISPOSITIONS);
/// Of a healthy device, without the files that are stopped.
const HEALTHY_FILES_OUT: Division<8> = division(62, [900, 50, 20, 10, 0, 0, 0, 4]);
/// Delivered, bounced.
const DELIVERY: Division<2> = division(63, [985, 15]);
/// Spam only Multi-Scan found, the rest.
const MULTI_SCAN_IN: Division<2> = division(64, [30, 970]);
const MULTI_SCAN_OUT: Division<2> = division(65, [300, 700]);
/// The Sender Reputation Multiplier: each rejected connection counts as so many recipients. **Source:** TechNote
/// 212101, its default.
const MULTIPLIER: u64 = 3;

/// Incoming mail, in recipients.
impl DeviceMinute {
    pub(in crate::sim) fn clean_in(&self) -> u64 {
        self.count(CLEAN_IN)
    }

    pub(in crate::sim) fn graymail(&self) -> u64 {
        self.count(MARKETING) + self.count(SOCIAL) + self.count(BULK)
    }

    pub(in crate::sim) fn spam_in(&self) -> u64 {
        self.count(SPAM_CERTAIN) + self.count(SPAM_SUSPECT)
    }

    pub(in crate::sim) fn multi_scan_in(&self) -> u64 {
        self.divide(&MULTI_SCAN_IN, self.spam_in())[0]
    }

    pub(in crate::sim) fn blocked_reputation(&self) -> u64 {
        MULTIPLIER * self.count(REJECTED)
    }

    /// Threats in accepted mail. AMP, SDR and DMARC are not among them: recordings have 0 there, or show that they are
    /// not (DMARC).
    pub(super) fn accepted_threat(&self) -> u64 {
        self.spam_in() + self.count(VIRUS_IN) + self.count(FILTERED_IN) + self.count(URL_IN)
    }

    pub(super) fn accepted_recipients(&self) -> u64 {
        self.clean_in() + self.graymail() + self.accepted_threat()
    }

    pub(in crate::sim) fn threat_in(&self) -> u64 {
        self.blocked_reputation() + self.count(INVALID_RECIPIENT) + self.accepted_threat()
    }

    pub(in crate::sim) fn total_in(&self) -> u64 {
        self.threat_in() + self.clean_in() + self.graymail()
    }

    /// A message may have several recipients.
    pub(in crate::sim) fn virus_messages_in(&self) -> u64 {
        let recipients = self.count(VIRUS_IN);
        recipients - recipients / 4
    }
}

/// Outgoing mail, in recipients.
impl DeviceMinute {
    pub(in crate::sim) fn clean_out(&self) -> u64 {
        self.count(CLEAN_OUT)
    }

    pub(in crate::sim) fn multi_scan_out(&self) -> u64 {
        self.divide(&MULTI_SCAN_OUT, self.count(SPAM_OUT))[0]
    }

    pub(in crate::sim) fn threat_out(&self) -> u64 {
        self.count(SPAM_OUT) + self.count(VIRUS_OUT) + self.count(FILTERED_OUT) + self.count(URL_OUT)
    }

    pub(in crate::sim) fn processed_out(&self) -> u64 {
        self.clean_out() + self.threat_out()
    }

    /// Delivered, bounced: together all that was clean (assumed).
    pub(in crate::sim) fn delivery(&self) -> [u64; 2] {
        self.divide(&DELIVERY, self.clean_out())
    }

    pub(in crate::sim) fn dlp(&self) -> u64 {
        self.count(DLP_LOW) + self.count(DLP_MEDIUM) + self.count(DLP_HIGH) + self.count(DLP_CRITICAL)
    }
}

/// Files, in the order of `DISPOSITIONS`.
impl DeviceMinute {
    pub(in crate::sim) fn files_in(&self) -> [u64; 8] {
        self.divide(&FILES_IN_BY_DISPOSITION, self.count(FILES_IN))
    }

    pub(in crate::sim) fn files_out(&self) -> [u64; 8] {
        let by_disposition = if self.is_healthy { &HEALTHY_FILES_OUT } else { &FILES_OUT_BY_DISPOSITION };
        self.divide(by_disposition, self.count(FILES_OUT))
    }

    /// Recipients of a bad file: one each (assumed).
    pub(in crate::sim) fn amp_in(&self) -> u64 {
        let [_, _, _, _, malware, listed, threshold, _] = self.files_in();
        malware + listed + threshold
    }

    pub(in crate::sim) fn amp_out(&self) -> u64 {
        let [_, _, _, _, malware, listed, threshold, _] = self.files_out();
        malware + listed + threshold
    }

    pub(in crate::sim) fn remediated(&self) -> u64 {
        self.count(MAR_DELETED) + self.count(MAR_FORWARDED) + self.count(MAR_BOTH)
    }
}
