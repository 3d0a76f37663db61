//! How well a run heeds texts: pictures of prompts seen and unseen, and the rank of the right name.

use std::path::Path;

use anyhow::{Result, bail};
use fokker::data::{FolderOptions, read_captions};
use fokker::eval::metrics::{look, rank};
use fokker::eval::{Pixels, Report, Section, write_png};
use fokker::sim::rng::{Purpose, permutation};
use fokker::{Dataset, Draw};
use serde::{Deserialize, Serialize};

use crate::captioned::{SHOWN, labelled, some_of};
use crate::present::images;
use crate::prompt::PromptArgs;
use crate::sample::Source;

/// The right picture and the others that it is looked for among.
const AMONG: usize = 100;

/// The page in the run folder.
pub(crate) const PAGE: &str = "prompts.html";

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Retrieval {
    seen: Ranks,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unseen: Option<Ranks>,
}

/// Ranks of the right real picture, one for each prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ranks {
    /// By the distance of pixels.
    pixels: Vec<f64>,
    /// By the distance of shapes and colours.
    look: Vec<f64>,
    /// Pictures in all.
    among: usize,
}

/// Prompts with the real picture of each.
struct Asked {
    texts: Vec<String>,
    real: Vec<Vec<f32>>,
}

/// The last part of a caption, which says how it is drawn, and the rest.
fn split(caption: &str) -> (&str, &str) {
    caption.rsplit_once(", ").unwrap_or((caption, ""))
}

/// The first item of each label.
fn firsts(data: &dyn Dataset) -> Vec<u64> {
    let mut row = vec![0.0; data.shape().size()];
    let mut first = vec![u64::MAX; data.classes().len()];
    for i in 0..data.len().unwrap_or(0) {
        if let Some(label) = data.item(i, &mut row) {
            let place = &mut first[label as usize];
            *place = (*place).min(i);
        }
    }
    first
}

fn picture(data: &dyn Dataset, index: u64) -> Vec<f32> {
    let mut row = vec![0.0; data.shape().size()];
    data.item(index, &mut row);
    row
}

fn asked(data: &dyn Dataset, firsts: &[u64]) -> Asked {
    let labels: Vec<usize> = (0..firsts.len())
        .filter(|k| firsts[*k] != u64::MAX)
        .collect();
    let chosen = some_of(labels.len(), SHOWN)
        .into_iter()
        .map(|i| labels[i as usize]);
    let (texts, real) = chosen
        .map(|k| (data.classes()[k].clone(), picture(data, firsts[k])))
        .unzip();
    Asked { texts, real }
}

/// Samples 64 captions of the data and 64 of `unseen`, ranks, and writes sheets and `prompts.html` into the run folder; `None` on
/// Ctrl-C.
pub(crate) fn evaluate(
    source: &mut Source,
    data: &dyn Dataset,
    unseen: Option<&Path>,
    args: &PromptArgs,
    draw: &Draw,
) -> Result<Option<Retrieval>> {
    let firsts = firsts(data);
    let first = asked(data, &firsts);
    let other = match unseen {
        None => None,
        Some(path) => {
            let Some([channels, height, width]) = source.shape.image() else {
                bail!("--unseen: this run makes points");
            };
            let folder = path
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy();
            let options = FolderOptions {
                channels,
                size: Some((height, width)),
                ..FolderOptions::default()
            };
            let set = read_captions(folder, &name, options)?;
            if let Some(known) = set.classes().iter().find(|c| data.classes().contains(c)) {
                bail!("--unseen {}: the run has seen \"{known}\"", path.display());
            }
            Some(asked(&set, &self::firsts(&set)))
        }
    };
    let Some((seen, mut sections)) = measure(source, data, &firsts, first, "seen", args, draw)?
    else {
        return Ok(None);
    };
    let mut unseen = None;
    if let Some(other) = other {
        let Some((ranks, section)) = measure(source, data, &firsts, other, "unseen", args, draw)?
        else {
            return Ok(None);
        };
        unseen = Some(ranks);
        sections.extend(section);
    }
    let retrieval = Retrieval { seen, unseen };
    let config = source.run.config();
    let page = Report::new(format!("{}: prompts", config.name)).subtitle(format!(
        "Step {} of {}",
        source.checkpoint.step, config.training.train.steps
    ));
    let page = retrieval.tile(page).section(retrieval.section());
    let page = sections.into_iter().fold(page, Report::section);
    page.write(source.run.path().join(PAGE))?;
    Ok(Some(retrieval))
}

fn measure(
    source: &mut Source,
    data: &dyn Dataset,
    firsts: &[u64],
    asked: Asked,
    name: &str,
    args: &PromptArgs,
    draw: &Draw,
) -> Result<Option<(Ranks, Vec<Section>)>> {
    let count = asked.texts.len();
    source.tell(asked.texts.clone(), args)?;
    let draw = Draw {
        count,
        classes: (0..count as u32).collect(),
        ..draw.clone()
    };
    let Some((values, _)) = source.sample(&draw, 0)? else {
        return Ok(None);
    };
    let shape = source.shape;
    let real = asked.real.concat();
    let caption = format!(
        "{count} {name} prompts · {} · guidance {} · seed {}",
        draw.name(),
        draw.guidance,
        draw.seed
    );
    let texts = || asked.texts.clone();
    let made: Pixels = labelled(&images(&values, shape)?, texts(), Some(caption))?;
    write_png(
        source.run.path().join(format!("prompts-{name}.png")),
        &made,
        &[],
    )?;
    let real = labelled(&images(&real, shape)?, texts(), None)?;
    let sections = vec![
        Section::new(format!("Prompts {name}: samples")).picture(&made, "")?,
        Section::new(format!("Prompts {name}: the real pictures")).picture(&real, "")?,
    ];

    let image = shape.image().expect("only images are evaluated so");
    let mut ranks = Ranks {
        pixels: Vec::new(),
        look: Vec::new(),
        among: 0,
    };
    let samples = values.chunks_exact(shape.size());
    for ((text, right), (k, made)) in asked.texts.iter().zip(&asked.real).zip((0..).zip(samples)) {
        let (own, style) = split(text);
        let order = permutation(draw.seed, Purpose::Order, k, firsts.len());
        let others: Vec<Vec<f32>> = order
            .into_iter()
            .map(|label| label as usize)
            .filter(|label| {
                let (other, drawn) = split(&data.classes()[*label]);
                drawn == style && other != own && firsts[*label] != u64::MAX
            })
            .take(AMONG - 1)
            .map(|label| picture(data, firsts[label]))
            .collect();
        ranks.among = others.len() + 1;
        ranks
            .pixels
            .push(rank(made, right, others.iter().map(Vec::as_slice)));
        let looks: Vec<Vec<f32>> = others.iter().map(|o| look(o, image)).collect();
        let [made, right] = [made, &right[..]].map(|p| look(p, image));
        ranks
            .look
            .push(rank(&made, &right, looks.iter().map(Vec::as_slice)));
    }
    Ok(Some((ranks, sections)))
}

impl Ranks {
    /// Median, share of first places, share among the first five.
    fn of(ranks: &[f64]) -> [f64; 3] {
        let mut sorted = ranks.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
        let share =
            |most: f64| 100.0 * ranks.iter().filter(|r| **r <= most).count() as f64 / n as f64;
        [median, share(1.0), share(5.0)]
    }

    fn rows(&self, name: &str) -> Vec<Vec<String>> {
        [("pixels", &self.pixels), ("shape and colour", &self.look)]
            .map(|(by, ranks)| {
                let [median, first, five] = Self::of(ranks);
                vec![
                    format!("{} {name}", ranks.len()),
                    by.to_owned(),
                    format!("{median:.1}"),
                    format!("{first:.0} %"),
                    format!("{five:.0} %"),
                ]
            })
            .to_vec()
    }
}

const HEAD: [&str; 5] = [
    "prompts",
    "nearest by",
    "median rank",
    "first",
    "in the first five",
];

impl Retrieval {
    fn rows(&self) -> Vec<Vec<String>> {
        let unseen = self.unseen.iter().flat_map(|r| r.rows("unseen"));
        self.seen.rows("seen").into_iter().chain(unseen).collect()
    }

    fn about(&self) -> String {
        format!(
            "The rank of the real picture of a prompt among {} real pictures of the same style, by their distance to the sample; by \
             chance the median is {:.1}. Distances are those of pixels, and those of the directions of edges and the mean colours in \
             4×4 cells (fokker_eval::metrics::look).",
            self.seen.among,
            (self.seen.among as f64 + 1.0) / 2.0
        )
    }

    /// The lines for the terminal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |cells: &[String]| {
            format!(
                "{:<14} {:<18} {:>11}  {:>6}  {:>6}",
                cells[0], cells[1], cells[2], cells[3], cells[4]
            )
        };
        let head = HEAD.map(String::from);
        let rows = self.rows();
        std::iter::once(self.about())
            .chain(std::iter::once(line(&head)))
            .chain(rows.iter().map(|r| line(r)))
            .collect()
    }

    /// The key figure.
    pub(crate) fn tile(&self, report: Report) -> Report {
        let [median, ..] = Ranks::of(&self.seen.look);
        let unseen = match &self.unseen {
            Some(u) => format!("; unseen {:.1}", Ranks::of(&u.look)[0]),
            None => String::new(),
        };
        let note = format!(
            "median place of the right picture among {}{unseen}",
            self.seen.among
        );
        report.tile("Retrieval", format!("{median:.1}"), note)
    }

    /// The section of the report.
    pub(crate) fn section(&self) -> Section {
        Section::new("Prompts")
            .text(self.about())
            .table(&HEAD, self.rows(), "")
    }
}
