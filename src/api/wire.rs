//! The forms on the wire: the parameters of requests, and readers for every kind of answer. Opens no connection.

mod calendar;
pub(super) mod delivery_status;
pub(super) mod field;
pub(super) mod gauge;
pub(super) mod health;
pub(super) mod inventory;
pub(super) mod json;
pub(super) mod number;
pub(super) mod pages;
pub(super) mod quarantine;
pub(super) mod query;
pub(super) mod refusal_message;
pub(super) mod report;
pub(super) mod reporting_status;
pub(super) mod system_status;
pub(super) mod xml_status;
