//! Charts as SVG, drawn by hand: bars or lines, with axes, units and readable numbers.

use std::fmt::Write as _;

/// A chart.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    title: String,
    x_label: String,
    y_label: String,
    marks: Marks,
}

/// A line with its name.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// Shown in the legend.
    pub(crate) name: String,
    /// Points from left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

#[derive(Debug, Clone)]
enum Marks {
    Bars(Vec<(String, f64)>),
    Lines(Vec<Series>),
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 730.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 345.0;

/// Colours that stay apart for people who see red and green alike.
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"];

const STEPS_WANTED: f64 = 6.0;

impl Chart {
    /// One bar per label; the x axis has a name and no scale.
    pub(crate) fn bars(
        title: &str,
        x_label: &str,
        y_label: &str,
        bars: Vec<(String, f64)>,
    ) -> Self {
        Self {
            title: title.to_owned(),
            x_label: x_label.to_owned(),
            y_label: y_label.to_owned(),
            marks: Marks::Bars(bars),
        }
    }

    /// One line per series.
    pub(crate) fn lines(title: &str, x_label: &str, y_label: &str, series: Vec<Series>) -> Self {
        Self {
            title: title.to_owned(),
            x_label: x_label.to_owned(),
            y_label: y_label.to_owned(),
            marks: Marks::Lines(series),
        }
    }

    /// The chart as a whole SVG document.
    pub(crate) fn to_svg(&self) -> String {
        let y = Axis::up_to(self.marks.highest());
        let mut svg = String::new();
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>"
        );
        text(
            &mut svg,
            LEFT,
            28.0,
            "start",
            "font-size=\"17\" font-weight=\"600\"",
            &self.title,
        );
        text(
            &mut svg,
            f64::midpoint(LEFT, RIGHT),
            HEIGHT - 14.0,
            "middle",
            "",
            &self.x_label,
        );
        // Beside the axis it would meet the numbers, which may be long.
        text(
            &mut svg,
            LEFT,
            48.0,
            "start",
            "fill=\"#555\"",
            &self.y_label,
        );
        for value in y.ticks() {
            let at = y.place(value, BOTTOM, TOP);
            line(&mut svg, (LEFT, at), (RIGHT, at), "#ddd");
            text(&mut svg, LEFT - 8.0, at + 4.0, "end", "", &number(value));
        }
        line(&mut svg, (LEFT, TOP), (LEFT, BOTTOM), "#555");
        line(&mut svg, (LEFT, BOTTOM), (RIGHT, BOTTOM), "#555");
        match &self.marks {
            Marks::Bars(bars) => draw_bars(&mut svg, bars, &y),
            Marks::Lines(series) => draw_lines(&mut svg, series, &y),
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Marks {
    fn highest(&self) -> f64 {
        match self {
            Self::Bars(bars) => highest(bars.iter().map(|(_, value)| *value)),
            Self::Lines(series) => highest(points(series).map(|(_, y)| y)),
        }
    }
}

fn points(series: &[Series]) -> impl Iterator<Item = (f64, f64)> {
    series.iter().flat_map(|one| one.points.iter().copied())
}

fn highest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

fn draw_bars(svg: &mut String, bars: &[(String, f64)], y: &Axis) {
    let slot = (RIGHT - LEFT) / bars.len().max(1) as f64;
    let width = (slot * 0.6).min(110.0);
    for (index, (label, value)) in bars.iter().enumerate() {
        let middle = slot.mul_add(index as f64 + 0.5, LEFT);
        let top = y.place(*value, BOTTOM, TOP);
        let (left, height) = (middle - width / 2.0, BOTTOM - top);
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            COLOURS[0]
        );
        text(svg, middle, top - 6.0, "middle", "", &number(*value));
        text(svg, middle, BOTTOM + 20.0, "middle", "", label);
    }
}

fn draw_lines(svg: &mut String, series: &[Series], y: &Axis) {
    let x = Axis::up_to(highest(points(series).map(|(x, _)| x)));
    for value in x.ticks() {
        let at = x.place(value, LEFT, RIGHT);
        line(svg, (at, BOTTOM), (at, BOTTOM + 5.0), "#555");
        text(svg, at, BOTTOM + 20.0, "middle", "", &number(value));
    }
    for (index, (one, colour)) in series.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let path: Vec<String> = one
            .points
            .iter()
            .map(|(px, py)| {
                format!(
                    "{:.1},{:.1}",
                    x.place(*px, LEFT, RIGHT),
                    y.place(*py, BOTTOM, TOP)
                )
            })
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        let at = 20.0_f64.mul_add(index as f64, TOP + 4.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{colour}\"/>",
            LEFT + 16.0,
            at - 6.0
        );
        text(svg, LEFT + 38.0, at, "start", "", &one.name);
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, attributes: &str, words: &str) {
    let words = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {attributes}>{words}</text>"
    );
}

/// A linear scale from zero.
struct Axis {
    end: f64,
    step: f64,
}

impl Axis {
    /// The shortest axis of round steps (1, 2 or 5 times a power of ten) that holds the value.
    fn up_to(highest: f64) -> Self {
        let rough = if highest > 0.0 {
            highest / STEPS_WANTED
        } else {
            1.0
        };
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough)
            .unwrap_or(power);
        let steps = (highest / step).ceil().max(1.0);
        Self {
            end: steps * step,
            step,
        }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (step, end) = (self.step, self.end);
        (0_u32..)
            .map(move |index| f64::from(index) * step)
            .take_while(move |value| *value < end + step / 2.0)
    }

    /// Where a value lies between two places of the drawing.
    fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        (value / self.end).mul_add(to - from, from)
    }
}

/// A number as people read it: `1,250,000`, `12.5`, `0.25`.
fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
