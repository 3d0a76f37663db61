//! What all figures share: margins, title, legend, the empty chart.

use crate::{
    font::{self, Weight},
    svg::{Anchor, Canvas, Type},
};

/// Free space around a figure.
pub(crate) const PAD: f64 = 16.0;
/// Labels, ticks, legends.
pub(crate) const SMALL: f64 = 12.0;
/// From the baseline up to the middle of the capitals, in ems.
pub(crate) const MIDDLE: f64 = 0.36;

pub(crate) const TITLE: Type = Type::new(16.0, Weight::SemiBold, Anchor::Start);
pub(crate) const LABEL: Type = Type::new(SMALL, Weight::Regular, Anchor::Start);
pub(crate) const LABEL_MIDDLE: Type = Type::new(SMALL, Weight::Regular, Anchor::Middle);
pub(crate) const LABEL_END: Type = Type::new(SMALL, Weight::Regular, Anchor::End);

/// What stands for a class or a series in the legend.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Line,
    Dashed,
    Dot,
    Target,
    /// A pale area with a line through it.
    Band,
    /// A pale block.
    Block,
}

pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: usize,
    pub(crate) mark: Mark,
}

/// Draws title, subtitle and legend from the top; returns the y below them.
pub(crate) fn header(
    canvas: &mut Canvas,
    title: &str,
    subtitle: &str,
    legend: &[Entry<'_>],
) -> f64 {
    let room = canvas.width - 2.0 * PAD;
    let mut y = PAD;
    for line in font::wrap(title, TITLE.size, TITLE.weight, room, 2) {
        canvas.text(PAD, y + 14.0, TITLE, "ink", &line);
        y += 21.0;
    }
    for line in font::wrap(subtitle, 13.0, Weight::Regular, room, 3) {
        canvas.text(
            PAD,
            y + 12.0,
            Type::new(13.0, Weight::Regular, Anchor::Start),
            "mut",
            &line,
        );
        y += 18.0;
    }
    if !legend.is_empty() {
        y = self::legend(canvas, legend, y + if y > PAD { 6.0 } else { 0.0 });
    }
    if y > PAD { y + 8.0 } else { y }
}

fn legend(canvas: &mut Canvas, entries: &[Entry<'_>], top: f64) -> f64 {
    const ROW: f64 = 20.0;
    let right = canvas.width - PAD;
    let (mut x, mut y) = (PAD, top);
    for entry in entries {
        let swatch = match entry.mark {
            Mark::Line | Mark::Dashed | Mark::Band => 24.0,
            _ => 16.0,
        };
        let name = font::shorten(entry.name, SMALL, Weight::Regular, right - PAD - swatch);
        let width = swatch + font::width(&name, SMALL, Weight::Regular);
        if x > PAD && x + width > right {
            x = PAD;
            y += ROW;
        }
        let (middle, colour) = (y + ROW / 2.0, entry.colour % 10);
        match entry.mark {
            Mark::Line => canvas.line(
                [x + 1.0, middle, x + 17.0, middle],
                &format!("s{colour}"),
                "stroke-width=\"2.5\" stroke-linecap=\"round\"",
            ),
            Mark::Dashed => canvas.line(
                [x, middle, x + 18.0, middle],
                &format!("s{colour}"),
                "stroke-width=\"2\" stroke-dasharray=\"5 3\"",
            ),
            Mark::Dot => canvas.rect(
                [x, middle - 4.5, 9.0, 9.0],
                &format!("f{colour}"),
                "rx=\"4.5\"",
                "",
            ),
            Mark::Band | Mark::Block => {
                let width = if entry.mark == Mark::Band { 18.0 } else { 11.0 };
                canvas.rect(
                    [x, middle - 5.5, width, 11.0],
                    &format!("f{colour}"),
                    "rx=\"2\" fill-opacity=\"0.28\"",
                    "",
                );
                if entry.mark == Mark::Band {
                    canvas.line(
                        [x, middle, x + 18.0, middle],
                        &format!("s{colour}"),
                        "stroke-width=\"2\"",
                    );
                }
            }
            Mark::Target => canvas.rect([x + 3.5, middle - 7.0, 3.0, 14.0], "ink", "", ""),
        }
        canvas.text(x + swatch, middle + SMALL * MIDDLE, LABEL, "mut", &name);
        x += width + 18.0;
    }
    y + ROW
}

/// A quiet "no data" in the middle of [x, y, width, height].
pub(crate) fn no_data(canvas: &mut Canvas, [x, y, w, h]: [f64; 4]) {
    canvas.rect(
        [x, y, w, h],
        "grid",
        "fill=\"none\" rx=\"6\" stroke-dasharray=\"4 4\"",
        "",
    );
    canvas.text(
        x + w / 2.0,
        y + h / 2.0 + 14.0 * MIDDLE,
        Type::new(14.0, Weight::Regular, Anchor::Middle),
        "mut",
        "no data",
    );
}
