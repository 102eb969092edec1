//! What a cast from one type to another does to a value.
//!
//! The facts are those of an explicit cast, `value::type`, on all supported servers. Each rule is held against real servers by
//! `tests/conversions.rs`, over the border values of every type.

use crate::schema::{Schema, SqlType};

use super::builtin;
use super::types::{catalog_name, parse_type};

/// What a cast does to the values of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// The worst that happens to a value.
    pub effect: Effect,
    /// The settings of the session on which the result depends, as `SET` names them.
    pub settings: Vec<&'static str>,
    /// Which values suffer, and what becomes of them: half a sentence. Empty where nothing is to be said.
    pub reason: String,
}

/// The worst that a cast does to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The types are the same.
    Identity,
    /// Every value converts, and different values stay different.
    Total,
    /// Every value converts, but some lose something.
    Lossy,
    /// Some values do not convert.
    MayFail,
    /// There is no such cast.
    Impossible,
}

impl Conversion {
    fn new(effect: Effect, reason: impl Into<String>) -> Self {
        Self { effect, settings: Vec::new(), reason: reason.into() }
    }

    fn total() -> Self {
        Self::new(Effect::Total, "")
    }

    fn lossy(reason: impl Into<String>) -> Self {
        Self::new(Effect::Lossy, reason)
    }

    fn may_fail(reason: impl Into<String>) -> Self {
        Self::new(Effect::MayFail, reason)
    }

    /// `servers`: which servers have no such cast, if it is not all of them.
    fn impossible(from: &SqlType, to: &SqlType, servers: &str) -> Self {
        let reason = format!("PostgreSQL{servers} has no cast from {} to {}", spoken(from), spoken(to));
        Self::new(Effect::Impossible, reason)
    }

    fn depends_on(mut self, settings: &[&'static str]) -> Self {
        for setting in settings {
            if !self.settings.contains(setting) {
                self.settings.push(setting);
            }
        }
        self
    }

    /// Whether every value converts, keeps what it says, and does so in every session.
    pub fn is_plain(&self) -> bool {
        self.effect <= Effect::Total && self.settings.is_empty()
    }

    /// What both do together, one after the other.
    fn then(mut self, next: Self) -> Self {
        if next.effect > self.effect {
            self.effect = next.effect;
            self.reason = next.reason;
        }
        self.depends_on(&next.settings)
    }

    /// Between types that differ in name only, nothing happens to a value.
    fn between_types(mut self) -> Self {
        self.effect = self.effect.max(Effect::Total);
        self
    }
}

/// What `value::to` does to the values of `from`, on servers from `server` (a major version) on.
///
/// Casts between types of extensions are not known, except for `citext`: they may fail.
pub fn conversion(from: &SqlType, to: &SqlType, schema: &Schema, server: u32) -> Conversion {
    if from == to {
        return Conversion::new(Effect::Identity, "");
    }
    if let Some(line) = own_cast(from, to, schema) {
        return Conversion::may_fail(format!("it is a cast of your own (line {line} of {})", schema.source));
    }
    if let Some(domain) = domain(from, schema) {
        return conversion(&domain.base, to, schema, server).between_types();
    }
    if let Some(domain) = domain(to, schema) {
        let to_base = conversion(from, &domain.base, schema, server).between_types();
        if domain.not_null || !domain.checks.is_empty() {
            let reason = format!(
                "domain `{}` does not take every value (line {} of {})",
                domain.name, domain.line, schema.source
            );
            return to_base.then(Conversion::may_fail(reason));
        }
        return to_base;
    }
    if let (Some(from), Some(to)) = (element(from), element(to)) {
        return conversion(&from, &to, schema, server).between_types();
    }
    numbers(from, to, server)
        .or_else(|| times(from, to))
        .or_else(|| bits(from, to))
        .or_else(|| others(from, to))
        .or_else(|| texts(from, to, schema))
        .unwrap_or_else(|| by_catalog(from, to, schema, server))
}

/// Whether a cast certainly gives NULL for NULL, and for nothing else.
///
/// PostgreSQL's own casts give NULL for NULL, and some of them for other values, too. A cast that somebody created, in the schema or
/// in an extension, may do anything.
pub fn keeps_null(from: &SqlType, to: &SqlType, schema: &Schema) -> bool {
    if from == to {
        return true;
    }
    if own_cast(from, to, schema).is_some() {
        return false;
    }
    if let Some(domain) = domain(from, schema) {
        return keeps_null(&domain.base, to, schema);
    }
    if let Some(domain) = domain(to, schema) {
        return keeps_null(from, &domain.base, schema);
    }
    if element(from).is_some() && element(to).is_some() {
        // Element by element; an array of nulls is no NULL.
        return true;
    }
    let is_known = |ty: &SqlType| {
        ty.schema.is_none() || is_citext(ty) || ty.qualified().is_some_and(|name| schema.enums.contains_key(&name))
    };
    let makes_nulls = match builtin_name(from) {
        // Infinity has no time of the day.
        Some(TIMESTAMP | TIMESTAMPTZ) => matches!(builtin_name(to), Some(TIME | TIMETZ)),
        // Since PostgreSQL 18 the null of JSON becomes NULL.
        Some("jsonb") => builtin_name(to) != Some("json") && text_kind(to).is_none(),
        _ => false,
    };
    is_known(from) && is_known(to) && !makes_nulls
}

const DATE: &str = "date";
const TIME: &str = "time without time zone";
const TIMETZ: &str = "time with time zone";
const TIMESTAMP: &str = "timestamp without time zone";
const TIMESTAMPTZ: &str = "timestamp with time zone";

/// The name of a built-in type that is no array.
fn builtin_name(ty: &SqlType) -> Option<&str> {
    (ty.schema.is_none() && ty.dimensions == 0).then_some(ty.name.as_str())
}

fn domain<'a>(ty: &SqlType, schema: &'a Schema) -> Option<&'a crate::schema::Domain> {
    ty.qualified().filter(|_| ty.dimensions == 0).and_then(|name| schema.domains.get(&name))
}

/// The type of an array's elements.
fn element(ty: &SqlType) -> Option<SqlType> {
    (ty.dimensions > 0).then(|| SqlType { dimensions: 0, ..ty.clone() })
}

/// A type as messages name it, without modifiers.
fn spoken(ty: &SqlType) -> String {
    match &ty.schema {
        Some(schema) if schema != "public" => format!("`{schema}.{}`", ty.name),
        _ => format!("`{}`", ty.name),
    }
}

/// The modifier at a position, as a number.
fn modifier(ty: &SqlType, position: usize) -> Option<i32> {
    ty.modifiers.get(position)?.parse().ok()
}

/// The line of the `CREATE CAST` for these types.
pub(super) fn own_cast(from: &SqlType, to: &SqlType, schema: &Schema) -> Option<u32> {
    let same = |text: &str, ty: &SqlType| {
        parse_type(text).is_ok_and(|other| {
            (other.schema, other.name, other.dimensions) == (ty.schema.clone(), ty.name.clone(), ty.dimensions)
        })
    };
    let casts = |text: &str| {
        let mut words = text.split_whitespace();
        let create_cast = words.next()?.eq_ignore_ascii_case("create") && words.next()?.eq_ignore_ascii_case("cast");
        let types = text.split_once('(').filter(|_| create_cast)?.1.split_once(')')?.0;
        let (source, target) = types.split_once(" AS ").or_else(|| types.split_once(" as "))?;
        Some(same(source, from) && same(target, to))
    };
    schema.opaque.iter().find(|statement| casts(&statement.text) == Some(true)).map(|statement| statement.line)
}

// Numbers.

/// A type of numbers.
#[derive(Clone, Copy, PartialEq)]
enum Number {
    /// With the number of digits that hold every value.
    Integer(i32),
    /// With precision and scale, if it has them.
    Numeric(Option<(i32, i32)>),
    Real,
    Double,
}

fn number(ty: &SqlType) -> Option<Number> {
    Some(match builtin_name(ty)? {
        "smallint" => Number::Integer(5),
        "integer" => Number::Integer(10),
        "bigint" => Number::Integer(19),
        "numeric" => Number::Numeric(modifier(ty, 0).map(|precision| (precision, modifier(ty, 1).unwrap_or_default()))),
        "real" => Number::Real,
        "double precision" => Number::Double,
        _ => return None,
    })
}

fn numbers(from: &SqlType, to: &SqlType, server: u32) -> Option<Conversion> {
    use Number::{Double, Integer, Numeric, Real};
    const TOO_LARGE: &str = "large values do not fit";
    const ROUNDED: &str = "digits are rounded away";
    Some(match (number(from)?, number(to)?) {
        (Integer(digits), Integer(room)) if room >= digits => Conversion::total(),
        (Integer(_), Integer(_)) => Conversion::may_fail(TOO_LARGE),
        (Integer(_), Numeric(None)) => Conversion::total(),
        (Integer(digits), Numeric(Some((precision, scale)))) => match precision - scale {
            room if room >= digits && scale >= 0 => Conversion::total(),
            // No type's largest number begins with nines, so that rounding carries into no further digit.
            room if room >= digits => Conversion::lossy(ROUNDED),
            _ => Conversion::may_fail(TOO_LARGE),
        },
        (Integer(5), Real) | (Integer(5 | 10), Double) => Conversion::total(),
        (Integer(_), Real) => Conversion::lossy("beyond 2^24 not every integer is exact"),
        (Integer(_), Double) => Conversion::lossy("beyond 2^53 not every integer is exact"),
        (Numeric(_), Numeric(None)) => Conversion::total(),
        (Numeric(None), Numeric(Some(_))) => Conversion::may_fail(TOO_LARGE),
        (Numeric(Some((precision, scale))), Numeric(Some((to_precision, to_scale)))) => {
            let (digits, room) = (precision - scale, to_precision - to_scale);
            match to_scale >= scale {
                true if room >= digits => Conversion::total(),
                // Rounding may carry into one more digit.
                false if room > digits => Conversion::lossy(ROUNDED),
                _ => Conversion::may_fail(TOO_LARGE),
            }
        }
        (Numeric(_), Integer(_)) => {
            Conversion::may_fail("large values and NaN do not fit, and digits are rounded away")
        }
        (Numeric(limits), Real) => numeric_to_float(limits, 6, 37),
        (Numeric(limits), Double) => numeric_to_float(limits, 15, 307),
        (Real, Double) => Conversion::total(),
        (Double, Real) => {
            Conversion::may_fail("values beyond the range of `real` do not fit, and digits are rounded away")
        }
        (Real | Double, Numeric(None)) if server >= 14 => Conversion::lossy(ROUNDED),
        (Real | Double, Numeric(None)) => Conversion::may_fail("before PostgreSQL 14 infinity does not fit"),
        (Real | Double, Numeric(Some(_))) => {
            Conversion::may_fail("large values and infinity do not fit, and digits are rounded away")
        }
        (Real | Double, Integer(_)) => {
            Conversion::may_fail("large values, infinity and NaN do not fit, and digits are rounded away")
        }
        // Equal types are no conversion.
        (Real, Real) | (Double, Double) => Conversion::total(),
    })
}

/// `digits` are exact, and `exponent` is the largest power of ten, either way.
fn numeric_to_float(limits: Option<(i32, i32)>, digits: i32, exponent: i32) -> Conversion {
    match limits {
        Some((precision, scale)) if precision - scale <= exponent && scale <= exponent => {
            if precision <= digits {
                Conversion::total()
            } else {
                Conversion::lossy(format!("of more than {digits} digits some are lost"))
            }
        }
        _ => Conversion::may_fail("very large and very small values are out of range"),
    }
}

// Times.

fn is_interval(name: &str) -> bool {
    name == "interval" || name.starts_with("interval ")
}

/// The digits of the seconds, where the type has any.
fn second_digits(ty: &SqlType) -> i32 {
    modifier(ty, 0).unwrap_or(6)
}

fn times(from: &SqlType, to: &SqlType) -> Option<Conversion> {
    let (source, target) = (builtin_name(from)?, builtin_name(to)?);
    let zoned = |conversion: Conversion| conversion.depends_on(&["TimeZone"]);
    let to_seconds = || match second_digits(to) {
        digits if digits < second_digits(from) => Conversion::lossy(format!("seconds are rounded to {digits} digits")),
        _ => Conversion::total(),
    };
    let conversion = match (source, target) {
        (TIME, TIME) | (TIMETZ, TIMETZ) | (TIMESTAMP, TIMESTAMP) | (TIMESTAMPTZ, TIMESTAMPTZ) => to_seconds(),
        (_, "interval") if is_interval(source) => to_seconds(),
        _ if is_interval(source) && is_interval(target) => {
            Conversion::lossy("fields that the type leaves out are lost")
        }
        (DATE, TIMESTAMP) => Conversion::may_fail("dates after the year 294276 do not fit"),
        (DATE, TIMESTAMPTZ) => zoned(Conversion::may_fail("dates after the year 294276 do not fit")),
        (TIMESTAMP, DATE) => Conversion::lossy("the time of the day is lost"),
        (TIMESTAMPTZ, DATE) => zoned(Conversion::lossy("the time of the day is lost")),
        (TIMESTAMP, TIME) => Conversion::lossy("the date is lost, and infinity becomes NULL"),
        (TIMESTAMPTZ, TIME | TIMETZ) => zoned(Conversion::lossy("the date is lost, and infinity becomes NULL")),
        (TIMESTAMP, TIMESTAMPTZ) => {
            zoned(Conversion::may_fail("hours that the clocks skip are moved, and the ends of the range do not fit"))
        }
        (TIMESTAMPTZ, TIMESTAMP) => {
            zoned(Conversion::may_fail("hours that the clocks repeat become one, and the ends of the range do not fit"))
        }
        (TIME, TIMETZ) => zoned(to_seconds()),
        (TIMETZ, TIME) => Conversion::lossy("the zone is lost"),
        (TIME, _) if is_interval(target) => {
            if target == "interval" {
                to_seconds()
            } else {
                Conversion::lossy("fields that the type leaves out are lost")
            }
        }
        (_, TIME) if is_interval(source) => {
            Conversion::may_fail("all but the time of a day is lost, and since PostgreSQL 17 infinity does not fit")
        }
        _ => return None,
    };
    Some(conversion)
}

// Strings of bits.

fn bits(from: &SqlType, to: &SqlType) -> Option<Conversion> {
    const CUT: &str = "bits on the right are cut off";
    const HIGH: &str = "the high bits are cut off";
    let width = |name: &str| match name {
        "integer" => Some(32),
        "bigint" => Some(64),
        _ => None,
    };
    let (source, target) = (builtin_name(from)?, builtin_name(to)?);
    let (length, room) = (modifier(from, 0), modifier(to, 0));
    Some(match (source, target) {
        ("bit", "bit") if room >= length => Conversion::total(),
        ("bit", "bit") => Conversion::lossy(CUT),
        ("bit varying", "bit") => Conversion::lossy("the length is lost, and bits on the right are cut off"),
        ("bit" | "bit varying", "bit varying") => match (length, room) {
            (_, None) => Conversion::total(),
            (Some(length), Some(room)) if room >= length => Conversion::total(),
            _ => Conversion::lossy(CUT),
        },
        (_, "bit") if room >= Some(width(source)?) => Conversion::total(),
        (_, "bit") => Conversion::lossy(HIGH),
        ("bit", _) if length <= Some(width(target)?) => Conversion::total(),
        ("bit", _) => Conversion::may_fail("more bits than the integer has do not fit"),
        _ => return None,
    })
}

// The rest that is worth a rule.

fn others(from: &SqlType, to: &SqlType) -> Option<Conversion> {
    const MONEY: &[&str] = &["lc_monetary"];
    Some(match (builtin_name(from)?, builtin_name(to)?) {
        ("boolean", "integer") => Conversion::total(),
        ("integer", "boolean") => Conversion::lossy("every number but 0 becomes true"),
        ("integer", "money") => Conversion::total().depends_on(MONEY),
        ("bigint" | "numeric", "money") => Conversion::may_fail("large values do not fit").depends_on(MONEY),
        ("money", "numeric") if to.modifiers.is_empty() => Conversion::total().depends_on(MONEY),
        // Up to 19 digits, of which the locale says how many stand behind the point.
        ("money", "numeric") if modifier(to, 0).zip(modifier(to, 1)).is_some_and(|(p, s)| p - s > 19) => {
            Conversion::lossy("digits are rounded away").depends_on(MONEY)
        }
        ("money", "numeric") => Conversion::may_fail("large values do not fit").depends_on(MONEY),
        ("cidr", "inet") | ("macaddr", "macaddr8") => Conversion::total(),
        ("inet", "cidr") => Conversion::lossy("the bits of the host become zero"),
        ("macaddr8", "macaddr") => Conversion::may_fail("only addresses with FF:FE in the middle fit"),
        ("json", "jsonb") => Conversion::may_fail(
            "`jsonb` has no \\u0000 and no numbers beyond `numeric`; blanks, the order of keys and repeated keys are lost",
        ),
        ("jsonb", "json") => Conversion::total(),
        ("jsonb", _) if number(to).is_some() || to.is("boolean") => {
            Conversion::may_fail("only JSON of that type converts")
        }
        ("smallint" | "integer", "oid") | ("oid", "integer" | "bigint") | ("char", "integer") => Conversion::total(),
        ("bigint", "oid") => Conversion::may_fail("values beyond 2^32 do not fit"),
        ("integer", "char") => Conversion::may_fail("values beyond one byte do not fit"),
        _ => return None,
    })
}

// Text.

/// A type of strings, as far as the text in it matters.
#[derive(Clone, Copy, PartialEq)]
enum TextKind {
    /// `text`, `character varying`, `citext`: of any length, or up to so many characters.
    Varying(Option<usize>),
    /// `bpchar` and `character(n)`: blanks at the end do not count.
    Padded(Option<usize>),
    /// `name`: 63 bytes.
    Name,
    /// `"char"`: one byte.
    Byte,
}

fn is_citext(ty: &SqlType) -> bool {
    ty.schema.is_some() && ty.name == "citext" && ty.dimensions == 0
}

fn text_kind(ty: &SqlType) -> Option<TextKind> {
    let length = || modifier(ty, 0).and_then(|length| usize::try_from(length).ok());
    if is_citext(ty) {
        return Some(TextKind::Varying(None));
    }
    Some(match builtin_name(ty)? {
        "text" => TextKind::Varying(None),
        "character varying" => TextKind::Varying(length()),
        "character" | "bpchar" => TextKind::Padded(length()),
        "name" => TextKind::Name,
        "char" => TextKind::Byte,
        _ => return None,
    })
}

/// What the values of a type look like as text.
#[derive(Default)]
struct Printed {
    /// The most characters, where there is a limit.
    longest: Option<usize>,
    /// Whether blanks at the end say something.
    ends_in_blanks: bool,
    /// Whether a character may take more than a byte.
    beyond_ascii: bool,
    /// What the looks depend on.
    settings: Vec<&'static str>,
}

fn texts(from: &SqlType, to: &SqlType, schema: &Schema) -> Option<Conversion> {
    let is_enum = |ty: &SqlType| ty.qualified().is_some_and(|name| schema.enums.contains_key(&name));
    let is_known = |ty: &SqlType| ty.schema.is_none() || is_enum(ty) || is_citext(ty);
    let (source, target) = (text_kind(from), text_kind(to));
    if source.is_none() && target.is_none() {
        return None;
    }
    // Only texts and integers convert to the type of one byte, and only to them it converts.
    if matches!((source, target), (None, Some(TextKind::Byte)) | (Some(TextKind::Byte), None)) {
        return Some(Conversion::impossible(from, to, " after 14"));
    }
    if !is_known(from) || !is_known(to) {
        let unknown = if is_known(from) { to } else { from };
        return Some(Conversion::may_fail(format!("how {} reads and writes text is not known here", spoken(unknown))));
    }
    match (source, target) {
        (_, Some(target)) => Some(print(&printed(from, source, schema), target)),
        (Some(_), None) => {
            let settings = read_settings(to);
            Some(Conversion::may_fail(format!("not every text is a value of {}", spoken(to))).depends_on(settings))
        }
        (None, None) => None,
    }
}

/// What it does to a text to become a string of a type.
fn print(printed: &Printed, target: TextKind) -> Conversion {
    let fits = |room: Option<usize>| room.is_none_or(|room| printed.longest.is_some_and(|longest| longest <= room));
    let cut = |room: Option<usize>| match room {
        Some(room) if !fits(Some(room)) => {
            Conversion::lossy(format!("longer values are cut after {room} characters, silently"))
        }
        _ => Conversion::total(),
    };
    let conversion = match target {
        TextKind::Varying(room) => cut(room),
        TextKind::Padded(room) if printed.ends_in_blanks => {
            cut(room).then(Conversion::lossy("blanks at the end stop to matter"))
        }
        TextKind::Padded(room) => cut(room),
        TextKind::Name if fits(Some(63)) && !printed.beyond_ascii => Conversion::total(),
        TextKind::Name => Conversion::lossy("longer values are cut after 63 bytes, silently"),
        TextKind::Byte => Conversion::lossy("all but the first byte is lost"),
    };
    conversion.depends_on(&printed.settings)
}

/// The text of a type's values.
fn printed(ty: &SqlType, kind: Option<TextKind>, schema: &Schema) -> Printed {
    match kind {
        Some(TextKind::Varying(longest)) => {
            return Printed { longest, ends_in_blanks: true, beyond_ascii: true, settings: Vec::new() };
        }
        Some(TextKind::Padded(longest)) => return Printed { longest, beyond_ascii: true, ..Printed::default() },
        Some(TextKind::Name) => {
            return Printed { longest: Some(63), ends_in_blanks: true, beyond_ascii: false, settings: Vec::new() };
        }
        // A byte beyond ASCII is written as a backslash and three digits.
        Some(TextKind::Byte) => return Printed { longest: Some(4), ends_in_blanks: true, ..Printed::default() },
        None => {}
    }
    let declared = ty.qualified().filter(|_| ty.dimensions == 0).and_then(|name| schema.enums.get(&name));
    if let Some(labels) = declared.map(|declared| &declared.labels) {
        return Printed {
            longest: labels.iter().map(|label| label.chars().count()).max(),
            ends_in_blanks: labels.iter().any(|label| label.ends_with(' ')),
            beyond_ascii: true,
            settings: Vec::new(),
        };
    }
    let longest = builtin_name(ty).and_then(|name| match name {
        "boolean" => Some(5),
        "smallint" => Some(6),
        "integer" => Some(11),
        "bigint" => Some(20),
        "oid" | "xid" | "cid" => Some(10),
        // Sign, point, and a zero before it.
        "numeric" => modifier(ty, 0)
            .filter(|p| modifier(ty, 1).is_none_or(|s| (0..=*p).contains(&s)))
            .and_then(|p| usize::try_from(p + 3).ok()),
        "uuid" => Some(36),
        "macaddr" => Some(17),
        "macaddr8" => Some(23),
        "pg_lsn" => Some(17),
        TIME => Some(15),
        TIMETZ => Some(24),
        "bit" | "bit varying" => modifier(ty, 0).and_then(|length| usize::try_from(length).ok()),
        _ => None,
    });
    Printed { longest, ends_in_blanks: false, beyond_ascii: longest.is_none(), settings: print_settings(ty).to_vec() }
}

/// The settings on which the text of a value depends.
fn print_settings(ty: &SqlType) -> &'static [&'static str] {
    match ty.name.as_str() {
        _ if ty.schema.is_some() => &[],
        DATE | TIMESTAMP | "daterange" | "datemultirange" | "tsrange" | "tsmultirange" => &["DateStyle"],
        TIMESTAMPTZ | "tstzrange" | "tstzmultirange" => &["TimeZone", "DateStyle"],
        "real" | "double precision" | "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => {
            &["extra_float_digits"]
        }
        "money" => &["lc_monetary"],
        "bytea" => &["bytea_output"],
        name if is_interval(name) => &["IntervalStyle"],
        name if is_object_identifier(name) => &["search_path"],
        _ => &[],
    }
}

/// The settings on which it depends what a text means.
fn read_settings(ty: &SqlType) -> &'static [&'static str] {
    match ty.name.as_str() {
        _ if ty.schema.is_some() => &[],
        // Not for the order of day and month alone: `now` and `today` are dates, too.
        DATE | TIMESTAMP | TIMESTAMPTZ => &["TimeZone", "DateStyle"],
        "daterange" | "datemultirange" | "tsrange" | "tsmultirange" | "tstzrange" | "tstzmultirange" => {
            &["TimeZone", "DateStyle"]
        }
        TIME | TIMETZ => &["TimeZone"],
        "money" => &["lc_monetary"],
        "xml" => &["xmloption"],
        name if is_interval(name) => &["IntervalStyle"],
        name if is_object_identifier(name) => &["search_path"],
        _ => &[],
    }
}

/// Types that hold the number of an object and show its name.
fn is_object_identifier(name: &str) -> bool {
    name.starts_with("reg")
}

// What no rule knows.

fn by_catalog(from: &SqlType, to: &SqlType, schema: &Schema, server: u32) -> Conversion {
    // A type that nobody declares comes from an extension, which may bring any casts.
    if let Some(foreign) = [from, to].into_iter().find(|ty| !is_declared(ty, schema)) {
        return Conversion::may_fail(format!("what casts {} has is not known here", spoken(foreign)));
    }
    let names = builtin_name(from).zip(builtin_name(to));
    match names.and_then(|(from, to)| builtin::cast(catalog_name(from), catalog_name(to))) {
        Some((Some(since), _)) if since > server => Conversion::impossible(from, to, &format!(" before {since}")),
        Some((_, Some(until))) => Conversion::impossible(from, to, &format!(" after {until}")),
        Some(_) => Conversion::may_fail("what this cast keeps is not known here"),
        None => Conversion::impossible(from, to, ""),
    }
}

/// Whether it is known where a type comes from: built in, or declared in the schema.
fn is_declared(ty: &SqlType, schema: &Schema) -> bool {
    ty.qualified().is_none_or(|name| {
        schema.enums.contains_key(&name) || schema.domains.contains_key(&name) || schema.other_types.contains_key(&name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load::load;

    const SCHEMA: &str = "
        CREATE EXTENSION citext WITH SCHEMA public;
        CREATE TYPE app.mood AS ENUM ('sad', 'very happy');
        CREATE TYPE app.pair AS (a integer, b integer);
        CREATE TYPE app.odd AS ENUM ('x');
        CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0);
        CREATE DOMAIN app.label AS character varying(10);
        CREATE CAST (app.odd AS integer) WITH FUNCTION app.odd_to_integer(app.odd);
    ";

    fn convert(from: &str, to: &str) -> Conversion {
        let schema = load("schema.sql", SCHEMA).unwrap();
        conversion(&parse_type(from).unwrap(), &parse_type(to).unwrap(), &schema, 13)
    }

    #[test]
    fn h62_what_is_lost_and_what_fails() {
        use Effect::*;
        for (from, to, effect) in [
            ("int", "int4", Identity),
            ("int", "bigint", Total),
            ("bigint", "int", MayFail),
            ("numeric(12,2)", "numeric", Total),
            ("numeric", "double precision", MayFail),
            ("numeric(12,2)", "double precision", Total),
            ("numeric(30,2)", "double precision", Lossy),
            ("varchar(10)", "text", Total),
            ("varchar(10)", "varchar(20)", Total),
            ("varchar(20)", "varchar(10)", Lossy),
            ("text", "int", MayFail),
            ("int", "varchar(11)", Total),
            ("int", "varchar(5)", Lossy),
            ("uuid", "text", Total),
            ("timestamp", "date", Lossy),
            ("boolean", "date", Impossible),
            ("int[]", "bigint[]", Total),
            ("int[]", "text", Total),
            ("int[]", "int", Impossible),
            // Types of the schema.
            ("app.mood", "text", Total),
            ("app.mood", "varchar(10)", Total),
            ("app.mood", "varchar(9)", Lossy),
            ("text", "app.mood", MayFail),
            ("app.mood", "app.odd", Impossible),
            ("app.positive", "integer", Total),
            ("app.positive", "text", Total),
            ("integer", "app.positive", MayFail),
            ("varchar(10)", "app.label", Total),
            ("text", "app.label", Lossy),
            ("app.pair", "date", Impossible),
            ("app.odd", "integer", MayFail),
            ("text", "citext", Total),
            ("citext", "varchar(5)", Lossy),
            ("public.geometry", "public.geography", MayFail),
        ] {
            let conversion = convert(from, to);
            assert_eq!(conversion.effect, effect, "{from} → {to}: {conversion:?}");
            assert_eq!(conversion.is_plain(), effect <= Total, "{from} → {to}: {conversion:?}");
        }
    }

    #[test]
    fn h81_what_depends_on_the_session() {
        for (from, to, settings) in [
            ("timestamp", "timestamptz", &["TimeZone"][..]),
            ("timestamptz", "date", &["TimeZone"]),
            ("timestamptz", "text", &["TimeZone", "DateStyle"]),
            ("text", "timestamptz", &["TimeZone", "DateStyle"]),
            ("date[]", "text", &["DateStyle"]),
            ("interval", "text", &["IntervalStyle"]),
            ("double precision", "text", &["extra_float_digits"]),
            ("int", "money", &["lc_monetary"]),
            ("text", "uuid", &[]),
        ] {
            assert_eq!(convert(from, to).settings, settings, "{from} → {to}");
        }
        assert!(!convert("date", "text").is_plain());
    }

    #[test]
    fn reasons_name_the_line() {
        assert!(convert("app.odd", "integer").reason.contains("line 8 of schema.sql"));
        assert!(convert("integer", "app.positive").reason.contains("line 6 of schema.sql"));
        assert_eq!(convert("boolean", "date").reason, "PostgreSQL has no cast from `boolean` to `date`");
    }
}
