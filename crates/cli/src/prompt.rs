//! Prompts: the texts that samples are asked for.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use fokker::Flow;
use fokker::nn::layers::{EncodedText, TextTable};
use fokker::train::AnyNetwork;

use crate::how::HowArgs;
use crate::sample::Source;

/// What a model of texts is asked for.
#[derive(Args, Clone, Default)]
pub(crate) struct PromptArgs {
    /// What to make, for a run that reads texts, or scalars ("angle=30, size=1.2"); repeatable, taken in turn [default: the
    /// captions of its data in turn]
    #[arg(long, value_name = "TEXT", conflicts_with = "class")]
    pub(crate) prompt: Vec<String>,

    /// Folder or wheel of the text encoder, for prompts that are no captions of the data [default: the recipe's
    /// text.encoder, $FOKKER_MINILM, ~/.cache/fokker/minilm]
    #[arg(long, value_name = "PATH")]
    pub(crate) text_encoder: Option<PathBuf>,
}

/// The texts that took the place of the captions.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) names: Vec<String>,
    texts: Arc<[EncodedText]>,
}

impl Told {
    /// Makes these texts what the flow's labels stand for.
    pub(crate) fn tell(&self, flow: &mut Flow<AnyNetwork>) {
        flow.network
            .set_texts(TextTable::new(&self.texts, &flow.device));
        flow.classes = self.texts.len();
    }
}

/// How far the vector of a caption may be from the one kept in the run folder.
const SAME: f32 = 1e-3;

impl Source {
    /// Does this run read texts?
    pub(crate) fn reads_texts(&self) -> bool {
        self.flow.network.wants_text()
    }

    /// Does it read words, not scalars?
    pub(crate) fn reads_words(&self) -> bool {
        self.reads_texts() && self.run.config().text.scalars.is_empty()
    }

    /// Asks for prompts, and away from a negative one. Says of each prompt which label it now has; none without prompts.
    pub(crate) fn ask(&mut self, args: &PromptArgs, how: &HowArgs) -> Result<Vec<u32>> {
        if !self.reads_texts() {
            if !args.prompt.is_empty() {
                let instead = match self.run.info().classes.len() {
                    0 => "it was trained without classes",
                    _ => "ask for its classes by --class",
                };
                bail!("--prompt: this run reads no texts; {instead}");
            }
            if args.text_encoder.is_some() {
                bail!("--text-encoder: this run reads no texts");
            }
            return Ok(Vec::new());
        }
        if args.text_encoder.is_some() && !self.reads_words() {
            bail!("--text-encoder: this run reads scalars (text.scalars), which need none");
        }
        if args.prompt.is_empty() {
            if how.negative.is_some() {
                bail!("--negative: this run reads texts; say by --prompt what to lead towards");
            }
            return Ok(Vec::new());
        }
        for (flag, text) in args
            .prompt
            .iter()
            .map(|p| ("--prompt", p))
            .chain(how.negative.iter().map(|n| ("--negative", n)))
        {
            if text.trim().is_empty() {
                bail!(
                    "{flag}: the text is empty; say what to make, such as \"{}\"",
                    self.run.info().classes[0]
                );
            }
        }
        let mut texts: Vec<String> = Vec::new();
        let mut place = |text: &String| {
            let text = text.trim();
            let found = texts.iter().position(|t| t.as_str() == text);
            found.unwrap_or_else(|| {
                texts.push(text.to_owned());
                texts.len() - 1
            }) as u32
        };
        let labels = args.prompt.iter().map(&mut place).collect();
        how.negative.iter().for_each(|n| _ = place(n));
        self.tell(texts, args)?;
        Ok(labels)
    }

    /// Puts these texts in the place of the captions: label k is text k. Captions of the data need no encoder.
    pub(crate) fn tell(&mut self, names: Vec<String>, args: &PromptArgs) -> Result<()> {
        let device = self.flow.device.clone();
        let captions = self.run.captions(&device)?.0;
        let known = &self.run.info().classes;
        let kept = |name: &String| known.iter().position(|k| k == name);
        let unknown: Vec<&String> = names.iter().filter(|n| kept(n).is_none()).collect();
        let mut encoded = Vec::new();
        if !unknown.is_empty() {
            let mut config = self.run.config().clone();
            config.text.encoder = args.text_encoder.clone().or(config.text.encoder);
            let encoder = config.caption_encoder(&device)?;
            let again = &encoder.encode(&known[..1])?[0].pooled;
            let far = again
                .iter()
                .zip(&captions[0].pooled)
                .map(|(a, b)| (a - b).abs());
            if again.len() != captions[0].pooled.len() || far.fold(0.0, f32::max) > SAME {
                bail!(
                    "--text-encoder: this is not the encoder that the run was trained with: it makes another vector of \"{}\"",
                    known[0]
                );
            }
            encoded = encoder.encode(&unknown)?;
        }
        let mut fresh = encoded.into_iter();
        let texts = names.iter().map(|name| match kept(name) {
            Some(k) => captions[k].clone(),
            None => fresh.next().expect("every other text was encoded"),
        });
        let texts = texts.collect();
        let told = Told { names, texts };
        told.tell(&mut self.flow);
        self.told = Some(told);
        self.tell_weaker();
        Ok(())
    }

    /// Tells the model that guidance leads away from the same texts.
    pub(crate) fn tell_weaker(&mut self) {
        if let (Some(told), Some(weaker)) = (&self.told, self.flow.weaker.as_mut())
            && weaker.network.wants_text()
        {
            told.tell(Arc::make_mut(weaker));
        }
    }

    /// Takes the captions of the data for its texts again.
    pub(crate) fn forget(&mut self) -> Result<()> {
        if self.told.is_some() {
            let names = self.run.info().classes.clone();
            self.tell(names, &PromptArgs::default())?;
            self.told = None;
        }
        Ok(())
    }

    /// What the labels stand for: prompts, captions or classes.
    pub(crate) fn names(&self) -> &[String] {
        match &self.told {
            Some(told) => &told.names,
            None => &self.run.info().classes,
        }
    }
}
