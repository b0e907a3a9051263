//! Texts of the server library for each status code. **Source:** recorded answers: `explanation` is `<code> = ` and
//! the long text Python's `BaseHTTPServer` has for that code; only 400, 401 and 404 are recorded, the rest is inferred.

/// The short and the long text of a code; a code the library does not know has `???` for both, as it does there.
pub(super) const fn texts(code: u16) -> (&'static str, &'static str) {
    match code {
        200 => ("OK", "Request fulfilled, document follows"),
        201 => ("Created", "Document created, URL follows"),
        202 => ("Accepted", "Request accepted, processing continues off-line"),
        204 => ("No Content", "Request fulfilled, nothing follows"),
        301 => ("Moved Permanently", "Object moved permanently -- see URI list"),
        302 => ("Found", "Object moved temporarily -- see URI list"),
        303 => ("See Other", "Object moved -- see Method and URL list"),
        304 => ("Not Modified", "Document has not changed since given time"),
        307 => ("Temporary Redirect", "Object moved temporarily -- see URI list"),
        400 => ("Bad Request", "Bad request syntax or unsupported method"),
        401 => ("Unauthorized", "No permission -- see authorization schemes"),
        402 => ("Payment Required", "No payment -- see charging schemes"),
        403 => ("Forbidden", "Request forbidden -- authorization will not help"),
        404 => ("Not Found", "Nothing matches the given URI"),
        405 => ("Method Not Allowed", "Specified method is invalid for this server."),
        406 => ("Not Acceptable", "URI not available in preferred format."),
        407 => ("Proxy Authentication Required", "You must authenticate with this proxy before proceeding."),
        408 => ("Request Timeout", "Request timed out; try again later."),
        409 => ("Conflict", "Request conflict."),
        410 => ("Gone", "URI no longer exists and has been permanently removed."),
        411 => ("Length Required", "Client must specify Content-Length."),
        412 => ("Precondition Failed", "Precondition in headers is false."),
        413 => ("Request Entity Too Large", "Entity is too large."),
        414 => ("Request-URI Too Long", "URI is too long."),
        415 => ("Unsupported Media Type", "Entity body in unsupported format."),
        416 => ("Requested Range Not Satisfiable", "Cannot satisfy request range."),
        417 => ("Expectation Failed", "Expect condition could not be satisfied."),
        500 => ("Internal Server Error", "Server got itself in trouble"),
        501 => ("Not Implemented", "Server does not support this operation"),
        502 => ("Bad Gateway", "Invalid responses from another server/proxy."),
        503 => ("Service Unavailable", "The server cannot process the request due to a high load"),
        504 => ("Gateway Timeout", "The gateway server did not receive a timely response"),
        505 => ("HTTP Version Not Supported", "Cannot fulfill request."),
        _ => ("???", "???"),
    }
}

/// The `explanation` of an error body.
pub(super) fn explanation(code: u16) -> String {
    format!("{code} = {}.", texts(code).1)
}

/// The page the library sends for faults below the API.
pub(super) fn page(code: u16, message: &str) -> String {
    let explanation = explanation(code);
    format!(
        "<head>\n<title>Error response</title>\n</head>\n<body>\n<h1>Error response</h1>\n<p>Error code {code}.\n\
         <p>Message: {message}.\n<p>Error code explanation: {explanation}\n</body>\n"
    )
}
