//! Charts: axes, numbers, labels.

use super::*;

#[test]
fn numbers_are_readable() {
    assert_eq!(
        [0.0, 0.25, 12.5, 99.0, 1_250_000.4].map(number),
        ["0", "0.25", "12.5", "99", "1,250,000"]
    );
}

#[test]
fn an_axis_has_round_steps_and_holds_its_values() {
    let axis = Axis::up_to(37_400.0);
    let ticks: Vec<f64> = axis.ticks().collect();
    assert_eq!(ticks, [0.0, 10_000.0, 20_000.0, 30_000.0, 40_000.0]);
    assert!(axis.place(37_400.0, BOTTOM, TOP) > TOP);
    assert!(Axis::up_to(0.0).ticks().count() > 1);
}

#[test]
fn a_chart_shows_its_labels_and_its_bars() {
    let bars = vec![("one <a>".to_owned(), 3.0), ("two".to_owned(), 5.0)];
    let svg = Chart::bars("Title & more", "what", "how many, 1/s", bars).to_svg();
    for words in ["Title &amp; more", "one &lt;a&gt;", "how many, 1/s", ">5<"] {
        assert!(svg.contains(words), "{words} is not in {svg}");
    }
    assert_eq!(svg.matches("<rect").count(), 3);
}

#[test]
fn a_line_stays_inside_its_axes() {
    let series = Series {
        name: "memory".to_owned(),
        points: vec![(0.0, 1.0), (10.0, 7.0)],
    };
    let svg = Chart::lines("t", "x", "y", vec![series]).to_svg();
    assert!(
        svg.contains(&format!("<polyline points=\"{LEFT:.1},")),
        "{svg}"
    );
    assert!(svg.contains("memory"));
}
