use std::fmt::Write;

/// The colours of one appearance, as sRGB bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub surface: [u8; 3],
    /// Titles and values.
    pub ink: [u8; 3],
    /// Labels, captions, tick marks' text.
    pub muted: [u8; 3],
    /// Grid lines.
    pub grid: [u8; 3],
    /// Axis lines.
    pub axis: [u8; 3],
    /// Series and classes, in order; more classes than colours start again.
    pub series: [[u8; 3]; 10],
    /// A heat map's empty and full cell; cells between are mixed.
    pub heat: [[u8; 3]; 2],
    /// A density's colours from none (the surface) to the peak; steps between them are even in lightness.
    pub density: [[u8; 3]; 5],
}

const fn rgb(hex: u32) -> [u8; 3] {
    [(hex >> 16) as u8, (hex >> 8) as u8, hex as u8]
}

impl Palette {
    /// Dark ink on white.
    pub const LIGHT: Self = Self {
        surface: rgb(0xffffff),
        ink: rgb(0x16191d),
        muted: rgb(0x5a6370),
        grid: rgb(0xe8ebef),
        axis: rgb(0xa3acb7),
        series: [
            rgb(0x2764d8),
            rgb(0xd9480f),
            rgb(0x23873c),
            rgb(0x9333c4),
            rgb(0xb07d00),
            rgb(0x0c8599),
            rgb(0xd6336c),
            rgb(0x6b7380),
            rgb(0x5f8700),
            rgb(0x6d4bd8),
        ],
        heat: [rgb(0xf3f6fb), rgb(0x1b4fb8)],
        density: [
            rgb(0xffffff),
            rgb(0xcfe6ee),
            rgb(0x86bfdc),
            rgb(0x4585c4),
            rgb(0x2c4a96),
        ],
    };
    /// Pale ink on near-black.
    pub const DARK: Self = Self {
        surface: rgb(0x16191d),
        ink: rgb(0xe9ecf0),
        muted: rgb(0xa4adb8),
        grid: rgb(0x2a2f36),
        axis: rgb(0x5c6570),
        series: [
            rgb(0x74a9ff),
            rgb(0xff9557),
            rgb(0x66d07c),
            rgb(0xd88cf6),
            rgb(0xf2c744),
            rgb(0x4ccadd),
            rgb(0xff85ad),
            rgb(0xb4bcc6),
            rgb(0xb2d84a),
            rgb(0xa899ff),
        ],
        heat: [rgb(0x1e232a), rgb(0x7fb0ff)],
        density: [
            rgb(0x16191d),
            rgb(0x253a63),
            rgb(0x2f66a0),
            rgb(0x459cc2),
            rgb(0x9fdcdc),
        ],
    };

    /// The colour of a density, `t` from 0 (none) to 1 (the peak).
    pub fn density_at(&self, t: f64) -> [u8; 3] {
        crate::ramp::even(&self.density, t)
    }

    /// The colour of a heat-map cell, `t` in [0, 1].
    pub fn heat_at(&self, t: f64) -> [u8; 3] {
        let [a, b] = self.heat;
        std::array::from_fn(|i| {
            let (a, b) = (f64::from(a[i]), f64::from(b[i]));
            (a + (b - a) * t.clamp(0.0, 1.0)).round() as u8
        })
    }
}

/// A figure of a density has this many colours beside the surface.
pub(crate) const BANDS: usize = 20;

/// White or black, whichever stands out more on `background`; the ratio is always at least 4.58.
pub(crate) fn text_on(background: [u8; 3]) -> [u8; 3] {
    let [white, black] = [[255; 3], [0; 3]];
    if contrast(white, background) >= contrast(black, background) {
        white
    } else {
        black
    }
}

/// The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
pub(crate) fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |c: [u8; 3]| {
        let [r, g, b] = c.map(|v| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// One palette, or two of which the viewer's `prefers-color-scheme` picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// The colours used unless the viewer asks for dark ones; also the colours of PNG files.
    pub light: Palette,
    /// The colours for `prefers-color-scheme: dark`, if the picture shall follow it.
    pub dark: Option<Palette>,
}

impl Default for Theme {
    fn default() -> Self {
        Self::auto()
    }
}

/// A heat map has this many shades.
pub(crate) const SHADES: usize = 21;

impl Theme {
    /// Light, or dark where the viewer prefers it.
    pub fn auto() -> Self {
        Self {
            light: Palette::LIGHT,
            dark: Some(Palette::DARK),
        }
    }

    /// Always light.
    pub fn light() -> Self {
        Self {
            light: Palette::LIGHT,
            dark: None,
        }
    }

    /// Always dark.
    pub fn dark() -> Self {
        Self {
            light: Palette::DARK,
            dark: None,
        }
    }

    /// The style sheet of the `used` classes below the element with class `scope`.
    pub(crate) fn css(&self, scope: &str, used: impl Fn(&str) -> bool) -> String {
        let mut css = rules(&self.light, scope, &used);
        if let Some(dark) = &self.dark {
            let _ = write!(
                css,
                "@media screen and (prefers-color-scheme:dark){{{}}}",
                rules(dark, scope, &used)
            );
        }
        css
    }
}

fn rules(p: &Palette, scope: &str, used: &impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut rule = |class: &str, property: &str, [r, g, b]: [u8; 3]| {
        if used(class) {
            let _ = write!(
                out,
                ".{scope} .{class}{{{property}:#{r:02x}{g:02x}{b:02x}}}"
            );
        }
    };
    rule("bg", "fill", p.surface);
    rule("ink", "fill", p.ink);
    rule("mut", "fill", p.muted);
    rule("grid", "stroke", p.grid);
    rule("axis", "stroke", p.axis);
    rule("ref", "stroke", p.muted);
    rule("line", "stroke", p.ink);
    rule("halo", "stroke", p.surface);
    for (i, &c) in p.series.iter().enumerate() {
        rule(&format!("s{i}"), "stroke", c);
        rule(&format!("f{i}"), "fill", c);
    }
    for i in 1..=BANDS {
        rule(
            &format!("d{i}"),
            "fill",
            p.density_at(i as f64 / BANDS as f64),
        );
    }
    for i in 0..SHADES {
        let shade = p.heat_at(i as f64 / (SHADES - 1) as f64);
        rule(&format!("h{i}"), "fill", shade);
        rule(&format!("t{i}"), "fill", text_on(shade));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_has_its_published_ends() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert_eq!(contrast([9, 80, 200], [9, 80, 200]), 1.0);
    }

    // WCAG 2.2: 4.5 for text (1.4.3), 3 for graphical objects (1.4.11).
    #[test]
    fn both_palettes_are_readable() {
        for p in [Palette::LIGHT, Palette::DARK] {
            assert!(contrast(p.ink, p.surface) > 12.0);
            assert!(contrast(p.muted, p.surface) > 4.5);
            for c in p.series {
                assert!(contrast(c, p.surface) >= 3.0, "{c:?}");
            }
            for i in 0..SHADES {
                let shade = p.heat_at(i as f64 / (SHADES - 1) as f64);
                assert!(contrast(text_on(shade), shade) > 4.5, "shade {i}");
            }
        }
    }
}
