//! Addresses of databases, as libpq takes them: a URL, or words such as `host=… dbname=…`, with environment variables for what they leave out.
//!
//! The crate `postgres` reads addresses too, but knows neither `sslmode=verify-full` nor any environment variable. So the address is taken
//! apart here into options, and what that crate understands is put together again for it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// libpq's options by name, `host`, `port`, `sslmode`, …, each not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options(BTreeMap<String, String>);

/// libpq's environment variables, and the options that they stand for.
const VARIABLES: [(&str, &str); 18] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSERVICE", "service"),
    ("PGOPTIONS", "options"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
];

impl Options {
    /// Takes an address apart. The error says what is wrong with it without showing it: it may contain a password.
    pub fn parse(address: &str) -> Result<Self, String> {
        let url = ["postgresql://", "postgres://"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let mut options = Self::default();
        match url {
            Some(rest) => options.url(rest)?,
            None => options.words(address)?,
        }
        Ok(options)
    }

    /// Takes what is missing from the environment.
    pub fn fill(&mut self, environment: &dyn Fn(&str) -> Option<String>) {
        for (variable, option) in VARIABLES {
            if !self.0.contains_key(option)
                && let Some(value) = environment(variable)
            {
                self.set(option, value);
            }
        }
    }

    /// Its value.
    pub fn get(&self, option: &str) -> Option<&str> {
        self.0.get(option).map(String::as_str)
    }

    /// Its value, which is no longer in here.
    pub fn take(&mut self, option: &str) -> Option<String> {
        self.0.remove(option)
    }

    /// As an address of the other form, for the crate `postgres`.
    pub fn words_again(&self) -> String {
        let quoted = |value: &String| value.replace('\\', r"\\").replace('\'', r"\'");
        let words: Vec<String> = self.0.iter().map(|(option, value)| format!("{option}='{}'", quoted(value))).collect();
        words.join(" ")
    }

    /// As in libpq, an empty value is none.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(option.to_owned(), value);
        }
    }

    /// `user:password@host:port,host:port/name?option=value&…`
    fn url(&mut self, rest: &str) -> Result<(), String> {
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        self.set("user", decoded(user)?);
        self.set("password", decoded(password)?);
        self.set("dbname", decoded(name)?);
        self.hosts(hosts)?;
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (option, value) =
                pair.split_once('=').ok_or_else(|| "an option after the `?` has no `=` and value".to_owned())?;
            match (decoded(option)?.as_str(), decoded(value)?.as_str()) {
                // As JDBC writes it.
                ("ssl", "true") => self.set("sslmode", "require"),
                (option, value) => self.set(option, value),
            }
        }
        Ok(())
    }

    fn hosts(&mut self, hosts: &str) -> Result<(), String> {
        let (mut names, mut ports) = (Vec::new(), Vec::new());
        for host in hosts.split(',') {
            // The colons of an IPv6 address stand in brackets.
            let (name, port) = match host.strip_prefix('[') {
                Some(host) => {
                    let (name, port) = host.split_once(']').ok_or("an IPv6 address has no `]` at its end")?;
                    (name, port.strip_prefix(':').unwrap_or(port))
                }
                None => host.split_once(':').unwrap_or((host, "")),
            };
            let port = decoded(port)?;
            if !port.is_empty() && port.parse::<u16>().is_err() {
                return Err("what stands between host and database is no port; in a password, write / as %2F, ? as %3F, : as %3A and @ as %40".to_owned());
            }
            names.push(decoded(name)?);
            ports.push(port);
        }
        self.set("host", names.join(","));
        if ports.iter().any(|port| !port.is_empty()) {
            self.set("port", ports.join(","));
        }
        Ok(())
    }

    /// `option=value option='va\'lue' …`
    fn words(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (option, after) = rest.split_once('=').ok_or_else(|| {
                "neither a URL (postgresql://user@host:port/name) nor words such as host=… dbname=…".to_owned()
            })?;
            let (value, after) = word(after.trim_start())?;
            self.set(option.trim_end(), value);
            rest = after.trim_start();
        }
        Ok(())
    }
}

/// The value at the start of `text`, without its quotes and backslashes, and what follows it.
fn word(text: &str) -> Result<(String, &str), String> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            character if !quoted && character.is_whitespace() => return Ok((value, &text[at..])),
            character => value.push(character),
        }
    }
    if quoted { Err("a quote is not closed".to_owned()) } else { Ok((value, "")) }
}

fn decoded(text: &str) -> Result<String, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("what stands for a character in %xx form is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Options {
        Options(pairs.iter().map(|(option, value)| (option.to_string(), value.to_string())).collect())
    }

    #[test]
    fn urls() {
        let cases: [(&str, &[(&str, &str)]); 7] = [
            ("postgres://", &[]),
            ("postgresql:///shop", &[("dbname", "shop")]),
            (
                "postgresql://ann:p%40ss%2F@db.example:6432/shop?sslmode=verify-full&connect_timeout=5",
                &[
                    ("user", "ann"),
                    ("password", "p@ss/"),
                    ("host", "db.example"),
                    ("port", "6432"),
                    ("dbname", "shop"),
                    ("sslmode", "verify-full"),
                    ("connect_timeout", "5"),
                ],
            ),
            ("postgres://a,b:7/x", &[("host", "a,b"), ("port", ",7"), ("dbname", "x")]),
            ("postgres://[::1]:7/x", &[("host", "::1"), ("port", "7"), ("dbname", "x")]),
            (
                "postgres:///x?host=/run/pg&user=name@tenant",
                &[("dbname", "x"), ("host", "/run/pg"), ("user", "name@tenant")],
            ),
            (
                "postgres://ann:a@b@h?ssl=true",
                &[("user", "ann"), ("password", "a@b"), ("host", "h"), ("sslmode", "require")],
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(Options::parse(url), Ok(options(expected)), "{url}");
        }
    }

    #[test]
    fn words() {
        assert_eq!(
            Options::parse(r" host = /run/pg dbname='my shop' password=\'a\\ options='-c x=\'y\'' user='' "),
            Ok(options(&[("host", "/run/pg"), ("dbname", "my shop"), ("password", r"'a\"), ("options", "-c x='y'")]))
        );
    }

    #[test]
    fn a_wrong_address_is_never_shown() {
        for address in [
            "secret",
            "host=x password='secret",
            "postgres://ann:secret/more@host/x",
            "postgres://ann:%FFsecret@host/x",
            "postgres://[secret/x",
            "postgres://host/x?secret",
        ] {
            let error = Options::parse(address).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_is_put_together_again_means_the_same() {
        for address in [r"host=a port=1,2 password='it\'s \\ this' options='-c a=b'", "postgres://ann:p%20w@h/x"] {
            let parsed = Options::parse(address).unwrap();
            assert_eq!(Options::parse(&parsed.words_again()), Ok(parsed));
        }
    }

    #[test]
    fn the_environment_fills_what_is_missing() {
        let environment = |name: &str| match name {
            "PGHOST" => Some("elsewhere".to_owned()),
            "PGUSER" => Some("ann".to_owned()),
            "PGPORT" => Some(String::new()),
            _ => None,
        };
        let mut parsed = Options::parse("host=here").unwrap();
        parsed.fill(&environment);
        assert_eq!(parsed, options(&[("host", "here"), ("user", "ann")]));
    }
}
