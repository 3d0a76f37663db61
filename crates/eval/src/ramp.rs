//! Colour ramps that are even to the eye.

/// Lightness, green–red and blue–yellow of an sRGB colour (Ottosson, "A perceptual color space for image processing",
/// 2020).
pub(crate) fn oklab(c: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = c.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    });
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    ]
}

/// The inverse of [`oklab`], clipped to sRGB.
fn srgb([lightness, a, b]: [f64; 3]) -> [u8; 3] {
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ]
    .map(|v| {
        let v = if v <= 0.0031308 {
            12.92 * v
        } else {
            1.055 * v.powf(1.0 / 2.4) - 0.055
        };
        (v * 255.0).round().clamp(0.0, 255.0) as u8
    })
}

/// The colour at `t` in [0, 1] of a ramp through `stops` whose lightness is linear in `t`. The stops' lightness should
/// rise or fall throughout.
pub(crate) fn even(stops: &[[u8; 3]], t: f64) -> [u8; 3] {
    let labs: Vec<[f64; 3]> = stops.iter().map(|c| oklab(*c)).collect();
    let [.., last] = &labs[..] else {
        return [0; 3];
    };
    let target = labs[0][0] + (last[0] - labs[0][0]) * t.clamp(0.0, 1.0);
    for pair in labs.windows(2) {
        let u = (target - pair[0][0]) / (pair[1][0] - pair[0][0]);
        if (-1e-9..=1.0 + 1e-9).contains(&u) {
            return srgb(std::array::from_fn(|i| {
                pair[0][i] + u * (pair[1][i] - pair[0][i])
            }));
        }
    }
    srgb(*last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Palette;

    #[test]
    fn the_colour_space_has_its_published_values() {
        // White is (1, 0, 0); pure blue is (0.4520, −0.0325, −0.3115).
        let near = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-3);
        assert!(near(oklab([255; 3]), [1.0, 0.0, 0.0]));
        assert!(near(oklab([0, 0, 255]), [0.4520, -0.0325, -0.3115]));
        for c in [[0, 0, 0], [255, 255, 255], [12, 200, 90], [250, 3, 128]] {
            assert_eq!(srgb(oklab(c)), c);
        }
    }

    #[test]
    fn densities_rise_evenly_from_the_surface() {
        for p in [Palette::LIGHT, Palette::DARK] {
            assert_eq!(p.density_at(0.0), p.surface);
            let light: Vec<f64> = (0..=20)
                .map(|k| oklab(p.density_at(f64::from(k) / 20.0))[0])
                .collect();
            let step = (light[20] - light[0]) / 20.0;
            assert!(step.abs() > 0.02);
            for w in light.windows(2) {
                assert!((w[1] - w[0] - step).abs() < 0.006, "{light:?}");
            }
        }
    }
}
