//! Laws of layout, judged by the renderer's own boxes.

use proptest::prelude::*;
use resvg::usvg::{Node, Rect};

use super::*;
use crate::field::Bins;

/// The boxes of all texts of a drawn figure, and whether they are turned.
fn texts(svg: &Svg) -> (f32, f32, Vec<(String, Rect, bool)>) {
    fn walk(nodes: &[Node], out: &mut Vec<(String, Rect, bool)>) {
        for node in nodes {
            match node {
                Node::Group(g) => walk(g.children(), out),
                Node::Text(t) => {
                    let words = t.chunks().iter().map(|c| c.text()).collect();
                    let turned = t.abs_transform().kx != 0.0;
                    out.push((words, t.abs_bounding_box(), turned));
                }
                _ => {}
            }
        }
    }
    let tree = svg.tree().unwrap();
    let mut out = Vec::new();
    walk(tree.root().children(), &mut out);
    (tree.size().width(), tree.size().height(), out)
}

/// Every text lies inside the picture and no two upright ones overlap.
fn check(svg: &Svg) -> Result<usize, TestCaseError> {
    let (w, h, texts) = texts(svg);
    let inside = |r: &Rect| {
        r.left() >= -0.5 && r.top() >= -0.5 && r.right() <= w + 0.5 && r.bottom() <= h + 0.5
    };
    for (i, (words, r, turned)) in texts.iter().enumerate() {
        prop_assert!(inside(r), "{words:?} at {r:?} leaves the {w}×{h} picture");
        for (other, q, other_turned) in &texts[..i] {
            let apart = r.right() <= q.left() + 0.5
                || q.right() <= r.left() + 0.5
                || r.bottom() <= q.top() + 0.5
                || q.bottom() <= r.top() + 0.5;
            prop_assert!(
                apart || *turned || *other_turned,
                "{words:?} at {r:?} overlaps {other:?} at {q:?}"
            );
        }
    }
    Ok(texts.len())
}

/// A magnitude between 1e−12 and 1e12, either sign, sometimes around a large offset.
fn value() -> impl Strategy<Value = f64> {
    (
        -1.0f64..1.0,
        -12i32..12,
        prop_oneof![Just(0.0), Just(1e5), Just(-3e8)],
    )
        .prop_map(|(m, e, offset)| m * 10f64.powi(e) + offset)
}

fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let odd = prop_oneof![8 => value(), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    prop::collection::vec((value(), odd), 0..12)
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("loss".to_owned()),
        Just(
            "‖u^θ − u‖² over ∇ log p and more words than fit on any line at all, really".to_owned()
        ),
        "[ -~α-ω]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn line_charts(a in points(), b in points(), c in points(), log: [bool; 2], title in words(), label in words(), reference in value(), width in 200.0f64..1200.0) {
        let mut chart = LineChart::new(title.clone())
            .subtitle(label.clone())
            .x_label(label.clone())
            .y_label(label.clone())
            .series(Series::new(label.clone(), a).smoothed(4))
            .series(Series::new(title.clone(), c).quiet())
            .series(Series::new(title, b).dashed().dotted())
            .reference(reference, label.clone())
            .reference(reference * 1.01, "second");
        if log[0] {
            chart = chart.log_x();
        }
        if log[1] {
            chart = chart.log_y();
        }
        // A reference's label lies over the plot, where no other text is.
        check(&chart.draw(width, &Theme::auto()))?;
    }

    #[test]
    fn scatters(a in points(), b in points(), title in words(), class in words(), width in 200.0f64..1200.0) {
        let figure = Scatter::new(title.clone())
            .panel(Panel::new("data").points(class.clone(), a.clone()).paths(vec![b.clone()]))
            .panel(Panel::new(title).points("", b).points(class, a))
            .range((-1.0, 1.0), (0.0, 3.0));
        check(&figure.draw(width, &Theme::dark()))?;
    }

    #[test]
    fn path_panels(a in points(), b in points(), title in words(), name in words(), n in 0usize..5, free: bool, level in value(), width in 200.0f64..1200.0) {
        let mut figure = PathPanels::new(title.clone()).subtitle(name.clone()).x_label(name.clone()).y_label(title.clone());
        for k in 0..n {
            let band = a.iter().map(|p| (p.0, p.1, p.1 + 1.0)).collect();
            let values: Vec<f64> = b.iter().map(|p| p.1).collect();
            let mut panel = PathPanel::new(title.clone())
                .paths(name.clone(), vec![a.clone(), b.clone(), vec![]])
                .curve("mean", b.clone())
                .band(name.clone(), band)
                .level("level", level)
                .note(title.clone());
            if k % 2 == 0 {
                panel = panel.marginal(Bins::of(&values), b.clone()).x_label("t·σ²");
            }
            figure = figure.panel(panel);
        }
        if free {
            figure = figure.free_x().free_y().columns(3);
        }
        check(&figure.draw(width, &Theme::auto()))?;
    }

    #[test]
    fn histograms(a in points(), title in words(), n in 0usize..5, free: bool, width in 200.0f64..1200.0) {
        let values: Vec<f64> = a.iter().map(|p| p.1).collect();
        let mut figure = Histogram::new(title.clone()).x_label(title.clone());
        for _ in 0..n {
            let panel = HistogramPanel::new(title.clone());
            figure = figure.panel(panel.bars("values", Bins::of(&values)).curve(title.clone(), a.clone()).note(title.clone()));
        }
        if free {
            figure = figure.free_x().free_y();
        }
        check(&figure.draw(width, &Theme::auto()))?;
    }

    #[test]
    fn planes(a in points(), title in words(), n in 0usize..3, c in value(), lo in value(), width in 200.0f64..1200.0) {
        let mut figure = Plane::new(title.clone()).x_label(title.clone()).y_label(title.clone());
        for k in 0..n {
            let (x, y) = ((lo, lo + 3.0), (-1.0, if k % 2 == 0 { 1.0 } else { c }));
            let view = if k % 3 == 0 {
                View::stretched(title.clone(), x, y, c)
            } else {
                View::new(title.clone(), x, y)
            };
            let f = view.sample(|x, y| if x > lo + 2.0 { f64::NAN } else { c * x * y });
            let bend = |x: f64, y: f64| (c * y, c - x * y);
            figure = figure.view(
                view.density(f.clone())
                    .labelled_contours(&f, &[c, 0.0, f64::NAN])
                    .portrait(["ẋ = 0", "ẏ = 0"], bend)
                    .quiver(bend, 5)
                    .arrows(a.iter().map(|p| (*p, *p)).collect(), 8)
                    .points(title.clone(), a.clone())
                    .paths("paths", vec![a.clone(), vec![]])
                    .note(title.clone()),
            );
        }
        check(&figure.one_scale().draw(width, &Theme::dark()))?;
    }

    #[test]
    fn bars(values in prop::collection::vec((words(), value()), 0..9), percent: bool, width in 200.0f64..1200.0) {
        let mut figure = Bars::new("bars");
        for (i, (name, v)) in values.into_iter().enumerate() {
            figure = if i % 2 == 0 { figure.bar(name, v) } else { figure.bar_with_target(name, v, v * 0.9) };
        }
        if percent {
            figure = figure.percent();
        }
        check(&figure.draw(width, &Theme::auto()))?;
    }

    #[test]
    fn heat_maps(rows in prop::collection::vec(words(), 0..8), columns in prop::collection::vec(words(), 0..12), v in value(), width in 200.0f64..1200.0) {
        let values = (0..rows.len() * columns.len()).map(|i| v * i as f64).collect();
        let figure = HeatMap::new("heat", rows, columns, values).axes("asked for", "seen as");
        check(&figure.draw(width, &Theme::auto()))?;
    }
}

#[test]
fn empty_figures_say_so() {
    let nan = vec![(0.0, f64::NAN), (f64::NAN, 1.0)];
    let figures: [Box<dyn Figure>; 10] = [
        Box::new(PathPanels::new("t").panel(PathPanel::new("p").paths("", vec![nan.clone()]))),
        Box::new(
            Histogram::new("t").panel(HistogramPanel::new("p").bars("", Bins::of(&[f64::NAN]))),
        ),
        Box::new(Plane::new("t")),
        Box::new(LineChart::new("")),
        Box::new(
            LineChart::new("t")
                .series(Series::new("s", nan.clone()))
                .reference(3.0, "r"),
        ),
        Box::new(
            LineChart::new("t")
                .log_y()
                .series(Series::new("s", vec![(1.0, -1.0), (2.0, 0.0)])),
        ),
        Box::new(Scatter::new("t").panel(Panel::new("p").points("", nan))),
        Box::new(Bars::new("t").bar("a", f64::NAN)),
        Box::new(HeatMap::new("t", vec![], vec![], vec![])),
        Box::new(HeatMap::new(
            "t",
            vec!["a".into()],
            vec!["b".into()],
            vec![f64::NAN],
        )),
    ];
    for figure in figures {
        let svg = figure.svg();
        assert!(svg.as_str().contains("no data"));
        check(&svg).unwrap();
        svg.to_png(1.0).unwrap();
    }
}

/// The largest extent of the marks of a class, as (x, y) ranges in pixels.
fn extent(svg: &Svg, colour: [u8; 3]) -> [usize; 4] {
    let p = svg.to_png(1.0).unwrap();
    let mut out = [usize::MAX, 0, usize::MAX, 0];
    for (i, c) in p.data.chunks(3).enumerate() {
        if c.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 30) {
            let (x, y) = (i % p.width, i / p.width);
            out = [out[0].min(x), out[1].max(x), out[2].min(y), out[3].max(y)];
        }
    }
    out
}

#[test]
fn a_circle_in_a_plane_is_round() {
    // The ranges differ; one unit is as long along x as along y all the same.
    let view = View::new("", (-4.0, 2.0), (-1.0, 2.0));
    let f = view.sample(|x, y| x * x + y * y - 0.8);
    let figure = Plane::new("").view(view.zero_set("", &f));
    let [x0, x1, y0, y1] = extent(
        &figure.draw(700.0, &Theme::light()),
        crate::Palette::LIGHT.series[0],
    );
    assert!(
        (x1 - x0).abs_diff(y1 - y0) <= 3 && x1 - x0 > 100,
        "{x0} {x1} {y0} {y1}"
    );
}

#[test]
fn all_of_many_paths_are_drawn_with_few_corners() {
    let paths: Vec<Vec<(f64, f64)>> = (0..500)
        .map(|k| {
            (0..1000)
                .map(|i| (f64::from(i), f64::from((i * 7919 + k * 104_729) % 1013)))
                .collect()
        })
        .collect();
    let svg = PathPanels::new("")
        .panel(PathPanel::new("").paths("", paths))
        .svg();
    assert_eq!(svg.as_str().matches("<path d=").count(), 500);
    assert!(svg.as_str().len() < 400_000, "{}", svg.as_str().len());
}

#[test]
fn a_density_has_its_colours_in_both_themes() {
    let view = View::new("", (-2.0, 2.0), (-2.0, 2.0));
    let f = view.sample(|x, y| (-x * x - y * y).exp());
    let figure = Plane::new("").view(view.density(f));
    for (theme, palette) in [
        (Theme::light(), crate::Palette::LIGHT),
        (Theme::dark(), crate::Palette::DARK),
    ] {
        let p = figure.draw(400.0, &theme).to_png(1.0).unwrap();
        let peak = palette.density_at(1.0);
        assert!(p.data.chunks(3).any(|c| c == peak), "{peak:?}");
    }
}

#[test]
fn a_single_point_is_drawn() {
    for v in [0.0, 1e-280, -7.0, 1e280] {
        let svg = LineChart::new("t")
            .series(Series::new("s", vec![(v, v)]))
            .svg();
        assert!(svg.as_str().contains("h.01"), "{v}");
        check(&svg).unwrap();
        let svg = Scatter::new("t")
            .panel(Panel::new("p").points("", vec![(v, v)]))
            .svg();
        assert!(svg.as_str().contains("h.01"), "{v}");
        check(&svg).unwrap();
    }
}

#[test]
fn letters_and_dots_are_really_drawn() {
    // A text in the embedded fonts leaves ink; the same picture without it leaves none.
    let ink = |svg: &Svg| {
        let p = svg.to_png(2.0).unwrap();
        assert_eq!(p.channels, 3);
        p.data.iter().filter(|&&v| v < 128).count()
    };
    let of = |t: &str| ink(&Bars::new(t).bar("", f64::NAN).svg());
    let empty = of("");
    for t in [
        "Title",
        "αβε",
        "∇∈∝",
        "→ ≤ ≈ √",
        "10⁻³",
        "x̂",
        "ẋ ẏ",
        "eᵗ Xₜ",
        "ℝ ᵢ",
        "σθσ²",
    ] {
        assert!(of(t) > empty + 60, "{t}: {} against {empty}", of(t));
    }
    let dots = Scatter::new("")
        .panel(Panel::new("").points("", vec![(0.0, 0.0), (1.0, 1.0)]))
        .svg();
    let [r, g, b] = crate::Palette::LIGHT.series[0];
    let p = dots.to_png(1.0).unwrap();
    assert!(
        p.data
            .chunks(3)
            .filter(|c| c[2].abs_diff(b) < 40 && c[0].abs_diff(r) < 60 && c[1].abs_diff(g) < 60)
            .count()
            > 20
    );
}

#[test]
fn the_theme_decides_the_colours() {
    let chart = LineChart::new("t").series(Series::new("s", vec![(0.0, 1.0), (1.0, 2.0)]));
    let corner = |t: &Theme| chart.draw(400.0, t).to_png(1.0).unwrap().data[..3].to_vec();
    assert_eq!(corner(&Theme::light()), crate::Palette::LIGHT.surface);
    assert_eq!(corner(&Theme::auto()), crate::Palette::LIGHT.surface);
    assert_eq!(corner(&Theme::dark()), crate::Palette::DARK.surface);
    assert!(chart.svg().as_str().contains("prefers-color-scheme:dark"));
    assert!(
        !chart
            .draw(400.0, &Theme::light())
            .as_str()
            .contains("prefers-color-scheme")
    );
}

#[test]
fn a_broken_svg_or_scale_is_an_error() {
    assert!(Svg::from_text("<svg").to_png(1.0).is_err());
    let svg = Bars::new("t").svg();
    for scale in [0.0, -1.0, f64::NAN, 1e9] {
        assert!(svg.to_png(scale).is_err());
    }
}

#[test]
fn names_give_way_to_wide_numbers() {
    let name = "a name that is longer than there is room for it";
    let figure = Bars::new("bars").bar(name, -32_067_424_386.9).percent();
    assert!(check(&figure.draw(200.0, &Theme::auto())).is_ok());
}
