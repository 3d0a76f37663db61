//! Writes one of each picture with invented data into a folder, to look at:
//!
//! `cargo run -p fokker-eval --example gallery -- FOLDER`

mod simulation;

use std::{error::Error, f64::consts::TAU, path::PathBuf};

use fokker_data::FASHION_CLASSES;
use fokker_eval::{
    GridStyle, Pixels, Report, Section, Theme, encode_gif,
    figure::{Bars, Figure, LineChart, Panel, Scatter, Series, number},
    grid,
    metrics::{Confusion, mode_weights},
    write_gif, write_png,
};

/// A small generator of repeatable numbers; invented data needs no better one.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

fn ring(r: &mut Random, n: usize, std: f64) -> Vec<(String, Vec<(f64, f64)>)> {
    (0..5)
        .map(|k| {
            let (s, c) = (TAU * f64::from(k) / 5.0 + 0.3).sin_cos();
            let points = (0..n)
                .map(|_| (10.0 * c + std * r.normal(), 10.0 * s + std * r.normal()))
                .collect();
            (format!("mode {}", k + 1), points)
        })
        .collect()
}

/// A blurry shape on 28 × 28 pixels, mixed with noise by 1 − t.
fn garment(class: usize, variant: f64, t: f64, r: &mut Random) -> Vec<f32> {
    (0..28 * 28)
        .map(|i| {
            let (x, y) = ((i % 28) as f64 / 13.5 - 1.0, (i / 28) as f64 / 13.5 - 1.0);
            let (w, h) = (
                0.35 + 0.06 * (class % 4) as f64 + 0.1 * variant,
                0.5 + 0.07 * (class % 5) as f64,
            );
            let body = 1.0 - (x.abs() / w).powf(4.0) - (y.abs() / h).powf(6.0);
            let sleeve = if class.is_multiple_of(3) {
                1.0 - ((x.abs() - 0.6) / 0.2).powi(2) - ((y + 0.3) / 0.3).powi(2)
            } else {
                -1.0
            };
            let shade =
                0.75 + 0.25 * (9.0 * y + 3.0 * variant + 5.0 * x * (class % 2) as f64).sin();
            let clean = if body.max(sleeve) > 0.0 {
                shade * 1.7 - 1.0
            } else {
                -1.0
            };
            (t * clean + (1.0 - t) * r.normal()) as f32
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .ok_or("give a folder to write into")?,
    );
    std::fs::create_dir_all(&folder)?;
    let mut r = Random(0x9e37_79b9_7f4a_7c15);

    let mut curve = |a: f64, b: f64| -> Vec<(f64, f64)> {
        (0..5000)
            .map(|i| {
                let i = f64::from(i);
                (
                    i,
                    b + a / (1.0 + i / 60.0) + (1.1 + 0.3 * a / (10.0 + i)) * r.normal(),
                )
            })
            .collect()
    };
    let loss = LineChart::new("Training loss (invented data)")
        .subtitle("Batch loss pale, moving average over 200 steps strong")
        .x_label("step")
        .y_label("loss")
        .series(Series::new("MLP 64 × 4", curve(42.0, 18.5)).smoothed(200))
        .series(Series::new("MLP 128 × 4", curve(55.0, 18.25)).smoothed(200))
        .y_range(14.0, 44.0)
        .reference(18.23, "floor 18.23");
    let orders: Vec<Series> = [
        ("Euler", 1, 0.9),
        ("Heun", 2, 1.4),
        ("RK4", 4, 2.0),
        ("DPM-Solver++ 2M", 2, 0.35),
    ]
    .iter()
    .map(|&(name, p, c)| {
        let row = (2..=9)
            .map(|k| (f64::from(k), c * 0.5f64.powi(p * k)))
            .collect();
        Series::new(name, row)
    })
    .collect();
    let mut convergence = LineChart::new("Error against steps (invented data)")
        .x_label("log₂ of the number of steps")
        .y_label("‖x − ψ₁(x₀)‖")
        .log_y()
        .reference(2e-7, "f32 round-off");
    for s in orders {
        convergence = convergence.series(s);
    }

    let mut scatter =
        Scatter::new("Five modes (invented data)").subtitle("Radius 10, standard deviation 1");
    let mut data = Panel::new("data");
    for (name, points) in ring(&mut r, 500, 1.0) {
        data = data.points(name, points);
    }
    let mut samples = Panel::new("samples");
    let rings = ring(&mut r, 500, 1.15);
    for (name, points) in rings.clone() {
        samples = samples.points(name, points);
    }
    scatter = scatter.panel(data).panel(samples);
    let paths: Vec<Vec<(f64, f64)>> = (0..60)
        .map(|i| {
            let (x0, y0) = (2.0 * r.normal(), 2.0 * r.normal());
            let (x1, y1) = rings[i % 5].1[i];
            (0..=20)
                .map(|k| f64::from(k) / 20.0)
                .map(|t| (x0 + (x1 - x0) * t * t, y0 + (y1 - y0) * t))
                .collect()
        })
        .collect();
    let ends = |t: usize| paths.iter().map(|p| p[t]).collect::<Vec<_>>();
    let flow = Scatter::new("Trajectories (invented data)").panel(
        Panel::new("")
            .paths(paths.clone())
            .points("noise, t = 0", ends(0))
            .points("data, t = 1", ends(20)),
    );

    let all: Vec<f64> = rings
        .iter()
        .flat_map(|g| &g.1)
        .flat_map(|p| [p.0, p.1])
        .collect();
    let modes: Vec<f64> = (0..5)
        .flat_map(|k| {
            let (s, c) = (TAU * f64::from(k) / 5.0 + 0.3).sin_cos();
            [10.0 * c, 10.0 * s]
        })
        .collect();
    let weights = mode_weights(&all, 2, &modes, 1.0, 3.0)?;
    let mut bars = Bars::new("Weight of each mode (invented data)").percent();
    for (k, w) in weights.weights.iter().enumerate() {
        bars = bars.bar_with_target(format!("mode {}", k + 1), w * (0.8 + 0.11 * k as f64), 0.2);
    }
    let speed = Bars::new("Images per second (invented data)")
        .bar("fokker, 2 threads", 1843.0)
        .bar("PyTorch 2.9, compiled", 1102.0)
        .bar("PyTorch 2.9, eager", 655.0);

    let names: Vec<String> = FASHION_CLASSES.map(String::from).to_vec();
    let (mut asked, mut seen) = (vec![], vec![]);
    for i in 0..5000 {
        let c = i % 10;
        let confused = [6, 1, 4, 3, 2, 7, 0, 9, 8, 7][c];
        let accuracy = [0.86, 0.99, 0.83, 0.92, 0.85, 0.97, 0.7, 0.96, 0.98, 0.96][c];
        asked.push(c);
        let u = r.uniform();
        seen.push(if u < accuracy {
            c
        } else if u < accuracy + 0.1 {
            confused
        } else {
            (c + 4) % 10
        });
    }
    let confusion = Confusion::new(&names, &asked, &seen)?;
    let heat = confusion.figure("Class asked for and class seen (invented data)");

    let figures: [(&str, &dyn Figure); 7] = [
        ("loss", &loss),
        ("convergence", &convergence),
        ("scatter", &scatter),
        ("trajectories", &flow),
        ("bars", &bars),
        ("speed", &speed),
        ("confusion", &heat),
    ];
    for (name, figure) in figures {
        figure.svg().write(folder.join(format!("{name}.svg")))?;
        write_png(
            folder.join(format!("{name}.png")),
            &figure.svg().to_png(2.0)?,
            &[],
        )?;
        let dark = figure.draw(720.0, &Theme::dark()).to_png(2.0)?;
        write_png(folder.join(format!("{name}-dark.png")), &dark, &[])?;
        let narrow = figure.draw(330.0, &Theme::light()).to_png(2.0)?;
        write_png(folder.join(format!("{name}-narrow.png")), &narrow, &[])?;
    }

    let simulated = simulation::figures(&mut r);
    for (name, figure) in &simulated {
        figure.svg().write(folder.join(format!("{name}.svg")))?;
        for (look, width, theme) in [
            ("", 860.0, Theme::light()),
            ("-dark", 860.0, Theme::dark()),
            ("-narrow", 330.0, Theme::dark()),
        ] {
            let pixels = figure.draw(width, &theme).to_png(1.5)?;
            write_png(folder.join(format!("{name}{look}.png")), &pixels, &[])?;
        }
    }
    simulation::movie(&Theme::dark())?.write(folder.join("langevin.gif"))?;
    Report::new("Simulation (invented data)")
        .subtitle("Paths, laws, densities and flows")
        .section(simulation::section(&simulated)?)
        .write(folder.join("simulation.html"))?;

    let mut images = Vec::new();
    for class in 0..10 {
        for v in 0..8 {
            let values = garment(class, f64::from(v) / 8.0, 0.97, &mut r);
            images.push(Pixels::from_unit(&values, 1, 28, 28)?);
        }
    }
    let style = GridStyle {
        row_labels: Some(names.clone()),
        title: Some("Garments on request (invented data)".into()),
        caption: Some("U-Net, CondOT path, 99 Euler steps, guidance w = 3, seed 7".into()),
        ..GridStyle::default()
    };
    let sheet = grid(&images, 8, &style)?;
    write_png(
        folder.join("grid.png"),
        &sheet,
        &[("fokker", "{\"seed\":7,\"w\":3}")],
    )?;
    let dark = GridStyle {
        background: [22, 25, 29],
        column_labels: Some((1..=8).map(|w| format!("w = {w}")).collect()),
        ..style.clone()
    };
    write_png(folder.join("grid-dark.png"), &grid(&images, 8, &dark)?, &[])?;
    let night = GridStyle {
        background: [22, 25, 29],
        ..style.clone()
    };
    let night = grid(&images, 8, &night)?;
    write_png(
        folder.join("grid-plain.png"),
        &grid(&images, 10, &GridStyle::plain(2))?,
        &[],
    )?;

    let mut frames = Vec::new();
    for k in 0..=24 {
        let t = f64::from(k) / 24.0;
        let mut r = Random(77);
        let tiles: Result<Vec<Pixels>, _> = (0..10)
            .map(|c| Pixels::from_unit(&garment(c, 0.3, t, &mut r), 1, 28, 28))
            .collect();
        let style = GridStyle {
            margin: 20,
            caption: Some(format!("t = {t:.2} (invented data)")),
            ..GridStyle::default()
        };
        frames.push(grid(&tiles?, 5, &style)?);
    }
    write_gif(folder.join("denoising.gif"), &frames, 80, 2000)?;
    let moving: Result<Vec<Pixels>, _> = (0..=20)
        .map(|t| {
            Scatter::new("Noise becomes data (invented data)")
                .panel(Panel::new("").points("", ends(t)))
                .range((-13.0, 13.0), (-13.0, 13.0))
                .draw(420.0, &Theme::light())
                .to_png(1.0)
        })
        .collect();
    write_gif(folder.join("flow.gif"), &moving?, 80, 1500)?;

    let gif = encode_gif(&frames, 80, 2000)?;
    let per_class = confusion
        .worst_first()
        .into_iter()
        .map(|(name, v)| {
            vec![
                name.to_owned(),
                "500".into(),
                format!("{:.1}\u{202f}%", 100.0 * v),
            ]
        })
        .collect();
    let report = Report::new("Garments on request (invented data)")
        .subtitle("A gallery of every kind of picture; no model was trained for it")
        .tile("Class agreement", format!("{:.1}\u{202f}%", 100.0 * confusion.overall()), "of 5 000 requests")
        .tile("W₂ / floor", "1.04", "1 is perfect")
        .tile("Loss above its floor", number(0.27), "18.50 − 18.23")
        .tile("Training", "4 min 12 s", "2 CPU cores")
        .section(
            Section::new("Samples")
                .text("Each row shows eight draws of one class.\n\nThe classes are those of Fashion-MNIST; the pictures are made of sines and noise.")
                .picture_pair(&sheet, &night, "Ten classes, eight draws each.")?
                .animation(gif, (frames[0].width, frames[0].height), "From noise at t = 0 to data at t = 1."),
        )
        .section(
            Section::new("Training")
                .figure(&loss, "The loss of conditional flow matching does not go to 0: its floor is the posterior variance of the target.")
                .figure(&convergence, "The slope of a line is the order of its solver."),
        )
        .section(
            Section::new("Agreement")
                .figure(&heat, "A shirt is the hardest garment to tell from the others.")
                .table(&["Class", "Requests", "Agreement"], per_class, "From worst to best."),
        )
        .section(Section::new("Two dimensions").figure(&scatter, "").figure(&flow, "").figure(&bars, "").figure(&speed, ""))
        .section(
            Section::new("Make it again")
                .commands("The same seed gives the same bits on any number of threads.", &["fokker train configs/garments.toml --seed 7", "fokker sample runs/garments --w 3 --steps 99"])
                .code("config.toml, as resolved", "# every key, also those left at their defaults\nseed = 7\n\n[path]\nscheduler = \"condot\"\n\n[network]\nkind = \"unet\"\nchannels = [32, 64, 128]\n\n[train]\nsteps = 5000\nbatch = 250\nlearning_rate = 1e-3 # a comment long enough that a narrow page has to scroll this block sideways\n"),
        )
        .footer("fokker 0.1.0 · gallery example · seed 7");
    report.write(folder.join("report.html"))?;
    fokker_data::write_atomic(
        folder.join("README.txt"),
        b"Invented data, to look at the pictures.\n",
    )?;
    Ok(())
}
