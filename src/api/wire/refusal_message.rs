//! Whom the appliance's message about a refused request blames: what was sent to be accepted, or something else.

/// Names of the credentials of a request in messages.
const CREDENTIALS: [&str; 6] = ["token", "jwt", "jwttoken", "session", "credential", "credentials"];
/// Faults of credentials in messages.
const FAULTS: [&str; 9] =
    ["expired", "invalid", "missing", "revoked", "unknown", "bad", "required", "malformed", "incorrect"];
/// Words of messages about a question, which may name a parameter that is called like a credential.
const QUESTION: [&str; 8] = ["attribute", "attributes", "parameter", "parameters", "value", "filter", "field", "query"];

/// Whether `message` says that the token, the session or the credentials are no good.
///
/// **Source:** guides of 15.0 and 16.0, troubleshooting: 400 for an expired token, and `Invalid credentials.`; the exact
/// texts vary, so words are looked for.
pub(in crate::api) fn speaks_of_credential(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let has = |sought: &[&str]| {
        let mut words = message.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words.any(|word| sought.contains(&word))
    };
    has(&CREDENTIALS) && (has(&FAULTS) || message.contains("not valid")) && !has(&QUESTION)
}

/// Whether `message` of a 401 can be about the role of a good account. Names of exceptions, as `InvalidTokenError.`,
/// are about the token.
///
/// **Source:** published API log and PyJWT exception names in answers.
pub(in crate::api) fn may_blame_role(message: &str) -> bool {
    !message.ends_with("Error.") && !speaks_of_credential(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_what_was_sent_to_be_accepted_blame_it() {
        for message in [
            "Token has expired.",
            "Invalid credentials.",
            "status 400: Invalid credentials.",
            "The session is not valid.",
            "Missing jwtToken.",
        ] {
            assert!(speaks_of_credential(message), "{message}");
        }
        for message in [
            "Unauthorized.",
            "Operation not supported in the current cluster mode.",
            "Invalid value for the parameter token.",
            "Unsupported attribute: session.",
            "Invalid session_id.",
            "The report has expired.",
            "Token.",
        ] {
            assert!(!speaks_of_credential(message), "{message}");
        }
    }

    #[test]
    fn exceptions_and_expiry_are_no_matter_of_the_role() {
        for (message, is_role) in [
            ("status 401: Unauthorized.", true),
            ("status 401: no message", true),
            ("status 401: InvalidTokenError.", false),
            ("status 401: Token has expired.", false),
        ] {
            assert_eq!(may_blame_role(message), is_role, "{message}");
        }
    }
}
