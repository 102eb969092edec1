//! Bars, as SVG.

use std::fmt::Write;

/// Bars that belong together, with what they are called.
pub struct Group {
    pub name: String,
    /// One for each series; a value that was not measured leaves a gap.
    pub bars: Vec<Option<f64>>,
}

const COLOURS: [&str; 5] = ["#8a8f98", "#2f6fde", "#14a37f", "#d9822b", "#9b59b6"];
const LEFT: f64 = 230.0;
const WIDTH: f64 = 420.0;
const BAR: f64 = 14.0;
const GAP: f64 = 12.0;
const TOP: f64 = 64.0;

/// Horizontal bars, with a line where `mark` is.
pub fn bars(title: &str, unit: &str, series: &[&str], groups: &[Group], mark: Option<f64>) -> String {
    let largest =
        groups.iter().flat_map(|group| group.bars.iter().flatten()).copied().fold(mark.unwrap_or(0.0), f64::max);
    let scale = if largest > 0.0 { WIDTH / largest } else { 0.0 };
    let height = TOP + groups.len() as f64 * (series.len() as f64 * BAR + GAP) + GAP;
    let mut svg = String::new();
    let mut add = |line: String| {
        let _ = writeln!(svg, "{line}");
    };
    add(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{height}" viewBox="0 0 {0} {height}" font-family="sans-serif" font-size="12">"#,
        LEFT + WIDTH + 70.0
    ));
    add(format!(r#"<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{title}</text>"#));
    let mut x = 10.0;
    for (name, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        add(format!(
            r#"<rect x="{x}" y="36" width="11" height="11" fill="{colour}"/><text x="{}" y="46">{name}</text>"#,
            x + 16.0
        ));
        x += 36.0 + name.len() as f64 * 6.8;
    }
    let mut y = TOP;
    for group in groups {
        let middle = y + series.len() as f64 * BAR / 2.0 + 4.0;
        add(format!(r#"<text x="{}" y="{middle}" text-anchor="end">{}</text>"#, LEFT - 8.0, group.name));
        for (value, colour) in group.bars.iter().zip(COLOURS.iter().cycle()) {
            if let Some(value) = value {
                let width = value * scale;
                add(format!(r#"<rect x="{LEFT}" y="{y}" width="{width:.1}" height="{}" fill="{colour}"/>"#, BAR - 2.0));
                add(format!(
                    r#"<text x="{:.1}" y="{}" font-size="10">{value:.2}{unit}</text>"#,
                    LEFT + width + 4.0,
                    y + 10.0
                ));
            }
            y += BAR;
        }
        y += GAP;
    }
    if let Some(mark) = mark {
        let x = LEFT + mark * scale;
        add(format!(
            r##"<line x1="{x:.1}" x2="{x:.1}" y1="{}" y2="{y}" stroke="#c0392b" stroke-dasharray="4 3"/>"##,
            TOP - 6.0
        ));
    }
    add("</svg>".to_owned());
    svg
}
